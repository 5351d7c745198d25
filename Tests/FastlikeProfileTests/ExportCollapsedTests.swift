import Testing

@testable import FastlikeProfile

struct ExportCollapsedTests {
  private func lines(
    _ fixture: TraceFixture, _ measure: CollapsedStackEncoder.Measure = .wall
  ) -> [(stack: String, count: Int)] {
    String(decoding: CollapsedStackEncoder.encode(fixture.traces, measure: measure), as: UTF8.self)
      .split(separator: "\n")
      .map { line in
        let space = line.lastIndex(of: " ") ?? line.startIndex
        return (String(line[..<space]), Int(line[line.index(after: space)...]) ?? -1)
      }
  }

  @Test(arguments: TraceFixture.allCases, CollapsedStackEncoder.Measure.allCases)
  func everyLineIsADistinctStackAndAWholeNumber(fixture: TraceFixture, measure: CollapsedStackEncoder.Measure) {
    let lines = lines(fixture, measure)
    #expect(lines.allSatisfy { $0.count > 0 })
    #expect(Set(lines.map(\.stack)).count == lines.count)
    #expect(
      lines.map { Array($0.stack.utf8) }.elementsEqual(
        lines.map { Array($0.stack.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }))
  }

  @Test(arguments: TraceFixture.allCases)
  func theWallTimeAddsUp(fixture: TraceFixture) {
    let lines = lines(fixture)
    let total = lines.reduce(0) { $0 + $1.count }
    let wall = fixture.traces.reduce(0) { $0 + Int($1.wallNanos / 1000) }
    #expect(abs(total - wall) <= lines.count)
  }

  @Test func separatorsInNamesAreReplaced() {
    let stacks = lines(.stacks).map(\.stack)
    #expect(stacks.contains("request;guest;main;parse(header: [UInt8]);skip: whitespace_[i]"))
  }

  @Test func samplesThatDoNotTellTheirTimeAreCounted() {
    #expect(lines(.stacks, .native).map(\.count).reduce(0, +) == 4)
    #expect(lines(.stacks, .native).contains { $0.stack == "serve;tcp_sendmsg_[k]" })
    #expect(lines(.stacks, .guest).map(\.count).reduce(0, +) == 1000)
  }

  @Test func equalStacksOfSeveralRequestsAreAddedUp() {
    let setup = lines(.several).filter { $0.stack == "request;setup" }
    #expect(setup.map(\.count) == [330])
  }
}
