import FastlikeProfile
import FastlikeRuntime
import Testing

@testable import fastlike

@Suite struct TraceQueryTests {
  @Test(arguments: [("404", 404...404), ("5xx", 500...599), ("500-503", 500...503)])
  func aStatusIsANumberAClassOrARange(text: String, range: ClosedRange<Int>) throws {
    #expect(try TraceQuery.status(text, flag: "--status") == range)
  }

  @Test(arguments: ["", "x", "-1", "1000", "503-500", "xxx", "5x"])
  func anythingElseIsNoStatus(text: String) {
    #expect(throws: ConfigurationError.self) { try TraceQuery.status(text, flag: "--status") }
  }

  @Test(arguments: ["0", "1001", "many"])
  func aLimitIsWhatAPageListsAtOnce(text: String) {
    #expect(throws: ConfigurationError.self) { try TraceQuery.limit(text, flag: "--limit") }
  }

  @Test func aPageIsAskedInItsOwnWords() {
    var query = TraceQuery()
    #expect(query.text == "limit=50")
    query.path = "/a b&c"
    query.status = 500...599
    query.outcome = "error"
    query.module = "00ff"
    query.minimum = 2.5
    query.limit = 3
    #expect(query.text == "limit=3&path=/a%20b%26c&status=500-599&outcome=error&module=00ff&min=2.5")
  }

  @Test func anArchiveIsAskedOnceForEachKindOfError() {
    var query = TraceQuery()
    #expect(query.archiveQueries.count == 1)
    query.outcome = "trap"
    #expect(query.archiveQueries.map(\.outcomes) == [[.trap]])
    query.outcome = TraceQuery.anyError
    #expect(query.archiveQueries.map(\.status) == [nil, 500...999])
    query.status = 404...503
    #expect(query.archiveQueries.map(\.status) == [404...503, 500...503])
    query.status = 404...404
    #expect(query.archiveQueries.map(\.status) == [404...404])
  }

  @Test func anArchiveListsTheNewestFirst() async throws {
    let folder = try TraceFolder(
      TraceSample.bare(id: 1, status: 503), TraceSample.bare(id: 2), TraceSample.slow(id: 3),
      TraceSample.bare(id: 4, status: 200, outcome: .trap))
    let source = TraceSource.archive(folder.archive)
    #expect(try await source.summaries(TraceQuery()).map(\.id) == [4, 3, 2, 1])
    var query = TraceQuery()
    query.outcome = TraceQuery.anyError
    #expect(try await source.summaries(query).map(\.id) == [4, 1])
    query = TraceQuery()
    query.limit = 2
    query.minimum = 100
    let slow = try await source.summaries(query)
    #expect(slow.map(\.id) == [3])
    #expect(slow.first?.time?.owners.first?.name == "backend")
    #expect(slow.first?.hostcalls == 6)
  }
}
