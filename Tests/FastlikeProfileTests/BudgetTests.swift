import Foundation
import Testing

@testable import FastlikeProfile

#if canImport(FoundationXML)
  import FoundationXML
#endif

struct BudgetTests {
  private static let hostcalls = HostcallNameTable(names: ["fastly_http_req.send", "fastly_kv_store.lookup"])

  /// A request with two hostcalls, one backend call of 1000 bytes, 100 bytes of response, 2 MiB of memory and three
  /// look-ups in the cache, two of which found something.
  private static func trace(
    _ id: UInt64, wall: Int64 = 10_000_000, path: String = "/a", change: (inout RequestTrace) -> Void = { _ in }
  ) -> RequestTrace {
    var deep = DeepMetrics()
    deep.addHeapSample(relativeNanos: 0, memoryBytes: 1 << 20)
    deep.addHeapSample(relativeNanos: 1, memoryBytes: 2 << 20)
    for isHit in [true, true, false] { deep.addCacheLookup(found: isHit, usable: isHit, stale: false) }
    var trace = RequestTrace(
      id: id, url: RedactedURL(path), status: 200, responseBytes: 100, wallNanos: wall,
      time: TimeAccount(queue: 0, setup: 0, guest: wall / 2, host: wall / 2), hostcalls: hostcalls,
      spans: [Span(hostcall: 1, start: 0, duration: 5), Span(hostcall: 2, start: 10, duration: 5)],
      backendCalls: [BackendCall(name: "b", requestHeaderBytes: 400, responseBodyBytes: 600)], deep: deep)
    change(&trace)
    return trace
  }

  private static func check(
    _ subject: Budget.Subject, _ bound: Double, route: String = "*", least: Int = 1, _ traces: [RequestTrace]
  ) throws -> BudgetReport.Line {
    let pattern = try #require(TraceRoutePattern(route))
    let limit = Budget.Limit(subject, bound, place: "budget.toml:3")
    let rule = Budget.Rule(route: pattern, leastRequests: least, limits: [limit], place: "budget.toml:1")
    var builder = BudgetReport.Builder(Budget(rules: [rule]))
    for trace in traces { builder.add(trace) }
    return try #require(builder.finish().lines.first)
  }

  @Test(
    arguments: [
      (.wall(percent: 50), 10_000_000, 9_999_999), (.guest(percent: 95), 5_000_000, 4_999_999), (.hostcalls, 2, 1),
      (.hostcall("fastly_kv_store.lookup"), 1, 0), (.hostcall("fastly_cache.lookup"), 0, -1), (.backendCalls, 1, 0),
      (.backendBytes, 1000, 999), (.responseBytes, 100, 99), (.memory, 2_097_152, 2_097_151),
      (.cacheHitShare, 0.66, 0.67), (.errorShare, 0, -0.1),
    ] as [(Budget.Subject, Double, Double)])
  func eachLimitIsKeptUpToItsBound(subject: Budget.Subject, kept: Double, broken: Double) throws {
    let traces = [Self.trace(1), Self.trace(2)]
    #expect(try Self.check(subject, kept, traces).verdict == .within)
    #expect(try Self.check(subject, broken, traces).verdict == .broken)
  }

  @Test func percentilesAreByNearestRank() throws {
    let traces = (1...100).map { Self.trace(UInt64($0), wall: Int64($0) * 1_000_000) }
    #expect(try Self.check(.wall(percent: 50), 1, traces).measured == 50_000_000)
    #expect(try Self.check(.wall(percent: 95), 1, traces).measured == 95_000_000)
    #expect(try Self.check(.wall(percent: 99), 1, traces).measured == 99_000_000)
    #expect(Percentile.of([7], 99) == 7)
    #expect(Percentile.of([], 99) == 0)
  }

  @Test func aBrokenCountNamesTheRequestThatBrokeIt() throws {
    let many = Self.trace(7) { $0.spans += [Span(hostcall: 1, start: 20), Span(hostcall: 1, start: 30)] }
    let line = try Self.check(.hostcall("fastly_http_req.send"), 2, [Self.trace(1), many, Self.trace(9)])
    #expect(line.worst == 7)
    #expect(
      line.sentence == "*: hostcalls.fastly_http_req.send is 3 (request 7), but may be at most 2 [budget.toml:3]")
  }

  @Test func aRuleMeansItsRouteAlone() throws {
    let traces = [Self.trace(1, path: "/a/1"), Self.trace(2, wall: 99_000_000, path: "/b")]
    #expect(try Self.check(.wall(percent: 99), 50e6, route: "GET /a/*", traces).verdict == .within)
    #expect(try Self.check(.wall(percent: 99), 50e6, route: "/b", traces).verdict == .broken)
  }

  @Test func whatCannotBeCheckedFails() throws {
    let plain = Self.trace(1) { $0.deep = nil }
    for subject in [Budget.Subject.memory, .cacheHitShare] {
      let line = try Self.check(subject, 0, [plain])
      #expect(line.verdict == .unknown)
      #expect(line.sentence.contains("--profile deep"))
    }
    #expect(try Self.check(.errorShare, 1, []).sentence.contains("0 requests seen, at least 1 are needed"))
    #expect(try Self.check(.errorShare, 1, least: 3, [plain, plain]).verdict == .unknown)
    let cut = Self.trace(1) { $0.droppedSpans = 5 }
    #expect(try Self.check(.hostcall("fastly_http_req.send"), 1, [cut]).verdict == .unknown)
    #expect(try Self.check(.hostcall("fastly_http_req.send"), 0, [cut]).verdict == .broken)
    #expect(try Self.check(.hostcalls, 7, [cut]).verdict == .within)
  }

  @Test func failuresCountAsErrors() throws {
    let failed = Self.trace(2) { $0.status = 503 }
    let trapped = Self.trace(3) { $0.outcome = .trap }
    #expect(try Self.check(.errorShare, 0.5, [Self.trace(1), failed, trapped, Self.trace(4)]).measured == 0.5)
  }

  @Test func onlyTimesDifferBetweenMachines() throws {
    let subjects: [Budget.Subject] = [.wall(percent: 50), .hostcalls, .guest(percent: 99), .memory, .cacheHitShare]
    let pattern = try #require(TraceRoutePattern("*"))
    let rule = Budget.Rule(route: pattern, limits: subjects.map { Budget.Limit($0, 1, place: "") }, place: "")
    #expect(
      Budget(rules: [rule]).deterministic.rules[0].limits.map(\.subject) == [.hostcalls, .memory, .cacheHitShare])
  }

  // MARK: Reports

  private static func report() throws -> BudgetReport {
    let wild = try #require(TraceRoutePattern("/a<b>&\"|*"))
    let all = try #require(TraceRoutePattern("*"))
    let rules = [
      Budget.Rule(
        route: all,
        limits: [
          Budget.Limit(.wall(percent: 95), 80e6, place: "budget.toml:3"),
          Budget.Limit(.hostcall("fastly_http_req.send"), 0, place: "budget.toml:6"),
        ], place: "budget.toml:1"),
      Budget.Rule(
        route: wild, limits: [Budget.Limit(.memory, 65_536, place: "budget.toml:9")], place: "budget.toml:8"),
    ]
    var builder = BudgetReport.Builder(Budget(rules: rules))
    for id in 1...3 { builder.add(Self.trace(UInt64(id))) }
    return builder.finish()
  }

  @Test func aReportForBuildServersIsTheGolden() throws {
    try ExportGolden.check(String(decoding: Self.report().junit(), as: UTF8.self), "budget.junit.xml")
    try ExportGolden.check(Self.report().markdown(), "budget.summary.md")
  }

  @Test func aReportIsWellFormedWhateverTheRoutesAreCalled() throws {
    final class Reader: NSObject, XMLParserDelegate {
      var elements: [String] = []
      var suites: [String] = []
      func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
      ) {
        elements.append(name)
        if name == "testsuite" { suites.append(attributes["name"] ?? "") }
      }
    }
    let reader = Reader()
    let parser = XMLParser(data: Data(try Self.report().junit()))
    parser.delegate = reader
    #expect(parser.parse())
    #expect(reader.suites == ["*", "/a<b>&\"|*"])
    #expect(reader.elements.count { $0 == "testcase" } == 3)
    #expect(reader.elements.count { $0 == "failure" } == 1)
    #expect(reader.elements.count { $0 == "error" } == 1)
  }

  @Test func aSummaryHasNoMarkupOfTheRoutes() throws {
    let rows = try Self.report().markdown().split(separator: "\n").filter { $0.hasPrefix("| ") }
    #expect(rows.count == 4)
    #expect(rows.contains { $0.contains("/a&lt;b&gt;&amp;&quot;\\|\\*") })
  }
}
