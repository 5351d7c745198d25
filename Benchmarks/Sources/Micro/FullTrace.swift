import ComputeABI
import FastlikeProfile

/// A trace as large as the caps allow: 8,000 spans and 512 backend calls that overlap.
enum FullTrace {
  static func make() -> RequestTrace {
    let hostcalls = HostcallNameTable(names: HostcallTable.traceNames)
    let names = UInt16(min(hostcalls.names.count, 400))
    var labels = [TraceLabel.none]
    labels += (0..<20).map { TraceLabel(kind: .backend, name: "backend-\($0)") }
    let spans = (0..<TraceLimits.defaultSpanCap).map { index in
      Span(
        hostcall: 1 + UInt16(index) % (names - 1), start: Int64(index) * 12_000, duration: 8_000,
        blocked: index.isMultiple(of: 16) ? 5_000 : 0, status: index.isMultiple(of: 50) ? 10 : 0,
        label0: UInt32(index % labels.count), tags: SIMD4(UInt32(index), 3, 0, 0))
    }
    let suspended = spans.filter { $0.blocked > 0 }
    var blocked = BlockedTime()
    blocked.backend = suspended.reduce(0) { $0 + $1.blocked }
    let hostcallNanos = spans.reduce(0) { $0 + $1.duration }
    return RequestTrace(
      id: 1, moduleID: "0011223344556677", moduleName: "app", processID: 77, method: "GET",
      url: RedactedURL("http://example.com/some/path"), httpVersion: .http11, status: 200, responseBytes: 10_000,
      wallStartUnixNanos: 1_779_530_400_123_456_789, monotonicStartNanos: 5_000_000_000, wallNanos: 100_000_000,
      headerFlushNanos: 96_000_000,
      time: TimeAccount(
        closing: 100_000_000, queue: 50_000, setup: 20_000, host: hostcallNanos - blocked.backend, blocked: blocked,
        blockedInHostcalls: blocked.backend),
      hostcallNanos: hostcallNanos, hostcalls: hostcalls, labels: labels, spans: spans,
      backendCalls: (0..<TraceLimits.defaultBackendCallCap).map(backendCall),
      blocked: suspended.map {
        BlockedInterval(start: $0.start + 1_000, duration: $0.blocked, cause: .backend, inHostcall: true)
      })
  }

  private static func backendCall(_ index: Int) -> BackendCall {
    let start = Int64(index) * 150_000
    return BackendCall(
      name: "backend-\(index % 20)", url: RedactedURL("http://backend-\(index % 20).test:8080/item"),
      variant: .sendAsyncV2, pendingID: UInt32(index + 1), started: start,
      dns: .init(start: start, duration: 200_000), connect: .init(start: start + 200_000, duration: 300_000),
      tls: .init(start: start + 500_000, duration: 900_000), requestSent: start + 1_500_000,
      firstByte: start + 15_000_000, totalNanos: 18_000_000, status: 200, requestHeaderBytes: 200,
      responseHeaderBytes: 300, responseBodyBytes: 4_000, reusedConnection: false, peerAddress: "192.0.2.1:8080",
      httpVersion: .http11, outcome: .ok)
  }
}
