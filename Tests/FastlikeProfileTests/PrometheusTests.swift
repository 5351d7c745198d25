import Testing

@testable import FastlikeProfile

struct PrometheusTests {
  private static func snapshot(_ traces: [RequestTrace]) -> MetricsSnapshot {
    var totals = TraceTotals(names: TraceFixture.hostcalls)
    for trace in traces { totals.add(trace) }
    let waiting = InFlightRequest(
      id: 1, moduleID: "", method: "GET", url: RedactedURL("/secret/path"), wallStartUnixNanos: 0,
      blockedOn: .backend)
    var process = MetricsSnapshot.Process()
    process.cpuSeconds = 1.25
    process.residentBytes = 1 << 26
    process.openFiles = 12
    process.startTime = 1_767_225_600.5
    var archive = ArchiveStatistics()
    archive.dropped = 3
    return MetricsSnapshot(
      version: "1.2.3", totals: totals, inFlight: [waiting], store: ProfileStore.Statistics(), retained: 9,
      archive: archive, process: process)
  }

  private static func text(_ traces: [RequestTrace], openMetrics: Bool = false) -> String {
    String(decoding: PrometheusEncoder.encode(snapshot(traces), openMetrics: openMetrics), as: UTF8.self)
  }

  private static let everything = TraceFixture.allCases.flatMap(\.traces)

  @Test func theTextEqualsItsGolden() throws {
    try ExportGolden.check(Self.text(Self.everything), "metrics.prometheus.txt")
  }

  @Test func countersAreThereBeforeTheFirstRequest() {
    let text = Self.text([])
    #expect(text.contains("\nfastlike_requests_total{outcome=\"normal\",status=\"2xx\"} 0\n"))
    #expect(text.contains("\nfastlike_request_duration_seconds_count 0\n"))
    #expect(text.contains("\nfastlike_guests_suspended{cause=\"backend\"} 1\n"))
  }

  @Test func bucketsAreCumulative() {
    let lines = Self.text([TraceFixture.normalTrace(), TraceFixture.trapTrace()]).split(separator: "\n")
      .filter { $0.hasPrefix("fastlike_request_duration_seconds_bucket") }
    let counts = lines.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
    #expect(counts == counts.sorted())
    #expect(lines.last == "fastlike_request_duration_seconds_bucket{le=\"+Inf\"} 2")
  }

  @Test func namesThatGuestsChooseAreEscaped() {
    var trace = TraceFixture.normalTrace()
    trace.backendCalls = [BackendCall(name: "a\"b\\c", outcome: .ok)]
    #expect(Self.text([trace]).contains("fastlike_backend_calls_total{backend=\"a\\\"b\\\\c\",outcome=\"ok\"} 1\n"))
  }

  @Test func noLabelHasAPath() {
    let text = Self.text(Self.everything)
    #expect(!text.contains("/secret"))
    #expect(!text.contains("/shop"))
  }

  @Test func openMetricsNamesFamiliesWithoutTheSuffixAndEnds() {
    let text = Self.text(Self.everything, openMetrics: true)
    #expect(text.contains("# TYPE fastlike_requests counter\n"))
    #expect(text.contains("\nfastlike_requests_total{"))
    #expect(text.hasSuffix("\n# EOF\n"))
  }

  @Test(
    .enabled(if: ExternalReader.python.isThere, ExternalReader.python.advice), arguments: ["prometheus", "openmetrics"])
  func prometheusReadsEverySampleAsItWasMeant(flavour: String) throws {
    var trace = TraceFixture.normalTrace()
    trace.backendCalls = [BackendCall(name: "a\"b\\c, {d}=é", outcome: .ok)]
    let text = Self.text(Self.everything + [trace], openMetrics: flavour == "openmetrics")
    let read = try ExternalReader.python.read(Array(text.utf8), ["prometheus_text.py", flavour])
    let samples = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
    #expect(Set(read.split(separator: "\n").map(String.init)) == Set(samples))
  }
}
