import Testing

@testable import FastlikeProfile

/// ``ExportPerfettoFile`` checks that every number refers to something; these tests are about the order of things.
struct ExportPerfettoTests {
  private func file(_ fixture: TraceFixture) throws -> ExportPerfettoFile {
    try ExportPerfettoFile(PerfettoEncoder.encode(fixture.traces))
  }

  @Test(arguments: TraceFixture.allCases)
  func everySliceEndsOnItsTrackBehindWhatItContains(fixture: TraceFixture) throws {
    let file = try file(fixture)
    var open: [UInt64: Int] = [:]
    var last: [UInt64: UInt64] = [:]
    for event in file.events {
      #expect(file.tracks[event.track] != nil)
      #expect(event.kind == .instant || event.instant >= last[event.track] ?? 0)
      last[event.track] = max(event.instant, last[event.track] ?? 0)
      if event.kind == .begin { open[event.track, default: 0] += 1 }
      if event.kind == .end { open[event.track, default: 0] -= 1 }
      #expect(open[event.track, default: 0] >= 0)
    }
    #expect(open.values.allSatisfy { $0 == 0 })
  }

  @Test(arguments: TraceFixture.allCases)
  func everyTrackIsBelowAProcess(fixture: TraceFixture) throws {
    let file = try file(fixture)
    for track in file.tracks.values {
      guard let parent = track.parent else { continue }
      #expect(file.tracks[parent]?.name.hasPrefix("request ") == true)
    }
    #expect(Set(file.samples.map(\.thread)).isSubset(of: file.threads))
  }

  @Test(arguments: TraceFixture.allCases)
  func everyArrowHasBothEnds(fixture: TraceFixture) throws {
    let events = try file(fixture).events
    #expect(events.flatMap(\.outgoing).sorted() == events.flatMap(\.incoming).sorted())
  }

  @Test func callsThatOverlapAreOnDifferentTracks() throws {
    let file = try file(.overlapping)
    let tracks = file.tracks.values.filter { $0.name.hasPrefix("backend calls") }
    #expect(tracks.count == 3)
    #expect(file.events.flatMap(\.incoming).count == 4)
  }

  @Test func theWallClockIsTiedToTheStart() throws {
    #expect(try file(.normal).clocks == [6: 0, 1: UInt64(TraceFixture.wallStart)])
  }

  @Test func severalRequestsAreOnOneClock() throws {
    let file = try file(.several)
    let starts = file.events.filter { $0.kind == .begin && $0.name.hasPrefix("GET ") }.map(\.instant)
    #expect(starts == [0, 2_500_000])
  }

  @Test func samplesHaveTheirWholeStack() throws {
    let samples = try file(.stacks).samples
    #expect(samples.count == 8)
    #expect(samples.first?.stack == ["main [app.wasm]", "parse(header: [UInt8]) [app.wasm]"])
  }

  @Test func memoryIsACounter() throws {
    let file = try file(.deep)
    #expect(file.events.compactMap(\.counter) == [17, 32, 64, 60].map { $0 * 65_536 })
    #expect(file.tracks.values.count { $0.isCounter } == 1)
  }
}
