import FastlikeProfile
import Foundation
import Testing

@testable import FastlikeServer

@Suite("Page: figures")
struct PageFigureTests {
  @Test(
    arguments: [
      (0, "0 ns"), (812, "812 ns"), (1000, "1.00 µs"), (12_345, "12.3 µs"), (999_499, "999 µs"), (999_500, "1.00 ms"),
      (426_000_000, "426 ms"), (1_234_000_000, "1.23 s"), (-5, "0 ns"),
    ] as [(Int64, String)])
  func lengthsHaveThreeDigitsThatCount(nanoseconds: Int64, text: String) {
    #expect(Figures.duration(nanoseconds) == text)
  }

  @Test func columnsOfMillisecondsHaveMoreDigitsWhereTheyAreSmall() {
    #expect(
      [43_000, 4_260_000, 42_640_000, 426_100_000].map(Figures.milliseconds) == ["0.043", "4.26", "42.6", "426.1"])
  }

  @Test func aPartIsNeverRoundedToNothing() {
    #expect(Figures.share(1, of: 1_000_000) == "<1 %")
    #expect(Figures.share(0, of: 10) == "0 %")
    #expect(Figures.share(999, of: 1000) == ">99 %")
    #expect(Figures.share(1000, of: 1000) == "100 %")
    #expect(Figures.share(94, of: 100) == "94 %")
    #expect(Figures.share(1, of: 0) == "0 %")
  }

  @Test func sizesAreInBinaryUnits() {
    #expect([512, 1536, 5 << 20, 3 << 30].map(Figures.bytes) == ["512 B", "1.50 KiB", "5.00 MiB", "3.00 GiB"])
  }

  @Test func largeNumbersHaveCommas() {
    #expect([7, 1234, 1_234_567].map { Figures.count($0) } == ["7", "1,234", "1,234,567"])
    #expect(Figures.count(1, "call") == "1 call")
    #expect(Figures.count(0, "call") == "0 calls")
  }
}

@Suite("Page: where the time went")
struct PageAccountTests {
  @Test func theOwnersAddUpToTheWallTime() {
    var time = TimeAccount(queue: 1, setup: 2, guest: 3, host: 4)
    for (index, cause) in BlockCause.allCases.enumerated() { time.blocked[cause] = Int64(10 + index) }
    #expect(TimeOwner.allCases.reduce(0) { $0 + time.nanoseconds(of: $1) } == time.total)
  }

  @Test func aBarIsFilledByItsPieces() throws {
    let bar = Bar(of: PageTrace.slow().time)
    #expect(bar.pieces.map(\.kind) == ["queue", "setup", "guest", "host", "backend", "store"])
    let last = try #require(bar.pieces.last)
    let end = try #require(Double(last.x)) + #require(Double(last.width))
    // Places are rounded to a tenth.
    #expect(abs(end - Bar.length) < 0.2)
    #expect(bar.text.contains("backend 400 ms (94 %)"))
  }

  @Test func aRequestWithoutTimeHasAnEmptyBar() {
    let bar = Bar(of: TimeAccount())
    #expect(bar.pieces.isEmpty)
    #expect(bar.text == "no time recorded")
  }

  @Test func hostcallsAreGroupedByNameWithTheirTimes() throws {
    let spans = [
      PageTrace.span("fastly_kv_store.lookup", 0, 10, blocked: 4, label: 2),
      PageTrace.span("fastly_http_req.send", 10, 100, blocked: 90, label: 1),
      PageTrace.span("fastly_kv_store.lookup", 200, 30, status: 10, label: 1),
    ]
    let trace = PageTrace.make(wall: 1000, spans: spans)
    let groups = HostcallGroup.groups(of: trace)
    #expect(groups.map(\.name) == ["fastly_http_req.send", "fastly_kv_store.lookup"])
    let lookups = try #require(groups.last)
    #expect(lookups.count == 2)
    #expect(lookups.totalNanoseconds == 40)
    #expect(lookups.hostNanoseconds == 36)
    #expect(lookups.maximumNanoseconds == 30)
    #expect(lookups.refusals == 1)
    #expect(lookups.touched(in: trace) == "sessions, origin")
  }

  @Test func routesTellTheirPercentilesByNearestRank() throws {
    var traces = (1...100).map { number -> RequestTrace in
      var trace = PageTrace.quick(id: UInt64(number), path: "/a")
      trace.wallNanos = Int64(number) * 1_000_000
      return trace
    }
    traces.append(PageTrace.quick(id: 101, path: "/b", status: 503))
    let routes = RouteTotals.routes(of: traces)
    #expect(routes.map(\.path) == ["/a", "/b"])
    let first = try #require(routes.first)
    #expect([first.median, first.p95, first.p99] == [50_000_000, 95_000_000, 99_000_000])
    #expect(first.errors == 0)
    #expect(routes.last?.errors == 1)
  }
}

@Suite("Page: timeline without a script")
struct PageWaterfallTests {
  @Test func aCallsPhasesFollowEachOther() {
    let trace = PageTrace.slow()
    let bar = Waterfall.bar(of: trace.backendCalls[0], until: trace.extent)
    #expect(bar.pieces.map(\.kind) == ["dns", "connect", "tls", "send", "wait", "receive"])
    #expect(bar.text == "DNS 1.00 ms, connect 1.00 ms, TLS 1.00 ms, sending 1.00 ms, waiting 397 ms, receiving 500 µs")
  }

  @Test func phasesBeyondTheCallsEndAreCut() {
    let call = BackendCall(
      name: "x", started: 10, dns: .init(start: 10, duration: 1000), requestSent: 5000, firstByte: 9000, totalNanos: 100
    )
    #expect(Waterfall.bar(of: call, until: 1000).pieces.map(\.kind) == ["dns"])
  }

  @Test func theTimeIsShownByWhoHadMostOfIt() throws {
    let rows = Waterfall(of: PageTrace.slow()).rows
    #expect(rows.map(\.title) == ["time", "origin"])
    let time = try #require(rows.first).bar.pieces
    #expect(time.map(\.kind).contains("backend"))
    #expect(time.last?.kind == "guest")
  }

  @Test func aTraceThatIsFullOfCallsShowsTheFirstOnes() {
    var trace = PageTrace.slow()
    trace.backendCalls = Array(repeating: trace.backendCalls[0], count: 100)
    let waterfall = Waterfall(of: trace)
    #expect(waterfall.rows.count == Waterfall.shownCalls + 1)
    #expect(waterfall.hiddenCalls == "60 more backend calls")
  }

  @Test func aTraceOfNothingCanBeDrawn() {
    let trace = RequestTrace(id: 1)
    #expect(Waterfall(of: trace).rows.count == 1)
    #expect(Explanation(of: trace).sentence == "No time was recorded.")
  }
}
