import Testing

@testable import FastlikeProfile

struct ExportSpeedscopeTests {
  private func file(_ fixture: TraceFixture) throws -> ExportJSON {
    try ExportJSON(SpeedscopeEncoder.encode(fixture.traces))
  }

  @Test(arguments: TraceFixture.allCases)
  func eventsAreInOrderAndCloseWhatWasOpenedLast(fixture: TraceFixture) throws {
    let file = try file(fixture)
    let frames = file["shared"]["frames"].array.count
    for profile in file["profiles"].array where profile["type"].string == "evented" {
      var open: [Int] = []
      var last = try #require(profile["startValue"].int)
      for event in profile["events"].array {
        let frame = try #require(event["frame"].int)
        let instant = try #require(event["at"].int)
        #expect(frame < frames)
        #expect(instant >= last)
        last = instant
        if event["type"].string == "O" { open.append(frame) } else { #expect(open.popLast() == frame) }
      }
      #expect(open.isEmpty)
      let end = try #require(profile["endValue"].int)
      #expect(end >= last)
    }
  }

  @Test(arguments: TraceFixture.allCases)
  func sampledStacksHaveOneWeightEach(fixture: TraceFixture) throws {
    let file = try file(fixture)
    let frames = file["shared"]["frames"].array.count
    for profile in file["profiles"].array where profile["type"].string == "sampled" {
      #expect(profile["samples"].array.count == profile["weights"].array.count)
      for sample in profile["samples"].array {
        #expect(sample.array.allSatisfy { $0.int.map { $0 < frames } == true })
      }
      let total = profile["weights"].array.compactMap(\.int).reduce(0, +)
      #expect(profile["endValue"].int == total)
    }
  }

  @Test(arguments: TraceFixture.allCases)
  func framesAreThereOnceAndTheFileIsRecognised(fixture: TraceFixture) throws {
    let file = try file(fixture)
    #expect(file["$schema"].string == "https://www.speedscope.app/file-format-schema.json")
    #expect(!file["profiles"].array.isEmpty)
    let frames = file["shared"]["frames"].array.map { "\($0["name"].string ?? "")\n\($0["file"].string ?? "")" }
    #expect(Set(frames).count == frames.count)
  }

  @Test func callsThatOverlapAreInDifferentProfiles() throws {
    let names = try file(.overlapping)["profiles"].array.compactMap { $0["name"].string }
    #expect(names.count { $0.contains("backend calls") } == 3)
  }

  @Test func stacksAreRootFirst() throws {
    let file = try file(.stacks)
    let frames = file["shared"]["frames"].array.compactMap { $0["name"].string }
    let sampled = try #require(file["profiles"].array.first { $0["type"].string == "sampled" })
    #expect(sampled["unit"].string == "nanoseconds")
    let stack = try #require(sampled["samples"].array.first).array.compactMap { $0.int.map { frames[$0] } }
    #expect(stack == ["main", "parse(header: [UInt8])"])
  }
}
