import FastlikeProfile
import FastlikeRuntime
import Foundation
import Testing

@testable import fastlike

@Suite struct TraceTextTests {
  private let zone = TimeZone(secondsFromGMT: 0) ?? .gmt

  private func summary(_ trace: RequestTrace) -> TraceSummary {
    TraceSummary(
      id: trace.id, method: trace.method, url: trace.url.description, status: trace.status,
      outcome: trace.outcome.wireName, wallStartUnixNanos: trace.wallStartUnixNanos, wallNanos: trace.wallNanos,
      moduleID: trace.moduleID, moduleName: trace.moduleName, hostcalls: trace.spans.count,
      backendCalls: trace.backendCalls.count, time: trace.spans.isEmpty ? nil : TraceSummary.Time(trace.time))
  }

  @Test func theListIsATableForPeople() {
    let list = TraceList(traces: [
      summary(TraceSample.slow()), summary(TraceSample.bare(id: 7, path: "/a", status: 0, outcome: .trap)),
    ])
    #expect(
      list.text(in: zone) == """
        id  time                     method  path   status  outcome       ms  most time
        12  2026-01-01 00:00:00.123  GET     /slow     200  normal   426.000  backend 94 %
         7  2026-01-01 00:00:00.123  POST    /a          -  trap       3.000  -
        """)
  }

  @Test func anEmptyListSaysSo() { #expect(TraceList(traces: []).text(in: zone) == "no requests") }

  @Test func theListAsJSONCanBeReadBack() throws {
    let traces = [summary(TraceSample.slow()), summary(TraceSample.bare(id: 7))]
    let json = try TraceList(traces: traces).json()
    #expect(try JSONDecoder().decode(TraceListingFile.self, from: Data(json.utf8)).traces == traces)
    #expect(json.contains("\"req_id\" : 12"))
  }

  @Test func textFromOutsideCannotSteerATerminal() {
    #expect(TraceText.printable("/a\u{1B}[2J\u{9B}b\n") == "/a_[2J_b_")
    #expect(TraceText.printable("/\u{202E}x") == "/_x")
    #expect(TraceText.printable("/abcdef", limit: 5) == "/abc…")
  }

  @Test(arguments: [(0, 10, "0 %"), (1, 1000, "<1 %"), (94, 100, "94 %"), (10, 10, "100 %"), (1, 0, "0 %")])
  func aShareIsInWholePercents(part: Int64, whole: Int64, text: String) {
    #expect(TraceText.share(part, of: whole) == text)
  }

  @Test func theReportTellsTheTimeByItsOwners() {
    let text = TraceReport(TraceSample.slow()).text(in: zone)
    #expect(
      text.hasPrefix("Request 12: GET http://edge.example/slow\nstatus 200, normal, 426.000 ms, 5 bytes of body\n"))
    #expect(
      text.contains(
        """
        Time          ms  share
        backend  400.000   94 %
        guest     20.000    5 %
        host       5.000    1 %
        setup      1.000   <1 %
        """))
  }

  @Test func theReportTellsTheBackendCallsByTheirPhases() throws {
    let lines = TraceReport(TraceSample.slow()).text(in: zone).split(separator: "\n")
    let line = try #require(lines.first { $0.hasPrefix("  origin ") })
    #expect(
      line.split(separator: " ").map(String.init) == [
        "origin", "GET", "https://origin.example/items", "200", "ok", "2.000", "1.000", "2.000", "-", "4.000",
        "400.000", "1.000", "401.000",
      ])
  }

  @Test func theReportTellsTheHostcallsByTheirTotals() {
    #expect(
      TraceReport(TraceSample.slow()).text(in: zone).contains(
        """
        Hostcalls (ms)
          hostcall                calls    total   waited  longest  refused
          fastly_http_req.send        1  402.000  400.000  402.000        0
          fastly_kv_store.lookup      2    3.000    0.000    2.000        1
        """))
  }

  @Test func theReportTellsTheNotesAndWhatWasLeftOut() {
    let text = TraceReport(TraceSample.slow()).text(in: zone)
    #expect(text.hasSuffix("Notes\n  a remark\n\nLeft out: 3 hostcalls"))
  }

  @Test func aReportOfNothingHasNoEmptyTables() {
    let text = TraceReport(TraceSample.bare(id: 7, status: 0, outcome: .contextCanceled)).text(in: zone)
    #expect(
      text == """
        Request 7: POST /
        no response, ctx-canceled, 3.000 ms
        2026-01-01 00:00:00.123, m

        Time: none recorded
        """)
  }
}
