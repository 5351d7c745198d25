import FastlikeProfile

/// Requests as the page's tests need them. Their accounts close.
enum PageTrace {
  static let hostcalls = HostcallNameTable(names: [
    "fastly_http_req.send", "fastly_kv_store.lookup", "fastly_http_resp.send_downstream",
  ])

  static func span(
    _ name: String, _ start: Int64, _ duration: Int64, blocked: Int64 = 0, status: Int32 = 0, label: UInt32 = 0
  ) -> Span {
    Span(
      hostcall: hostcalls.index(of: name), start: start, duration: duration, blocked: blocked, status: status,
      label0: label)
  }

  /// A trace whose account is made of its parts.
  static func make(
    id: UInt64 = 1, path: String = "/slow", wall: Int64, queue: Int64 = 0, setup: Int64 = 0, spans: [Span] = [],
    blocked: [BlockedInterval] = [], calls: [BackendCall] = []
  ) -> RequestTrace {
    var times = BlockedTime()
    for wait in blocked { times[wait.cause] += wait.duration }
    let time = TimeAccount(
      closing: wall, queue: queue, setup: setup, host: spans.reduce(0) { $0 + $1.hostNanos }, blocked: times,
      blockedInHostcalls: blocked.reduce(0) { $0 + ($1.inHostcall ? $1.duration : 0) })
    return RequestTrace(
      id: id, moduleID: "0011223344556677", moduleName: "app.wasm", url: RedactedURL("http://edge.example\(path)"),
      httpVersion: .http11, status: 200, responseBytes: 2048, wallStartUnixNanos: 1_767_225_600_123_456_789,
      wallNanos: wall, time: time, hostcallNanos: spans.reduce(0) { $0 + $1.duration }, hostcalls: hostcalls,
      labels: [.none, TraceLabel(kind: .backend, name: "origin"), TraceLabel(kind: .kvStore, name: "sessions")],
      spans: spans, backendCalls: calls, blocked: blocked)
  }

  /// 426 ms, of which 400 ms are one backend's first byte.
  static func slow(id: UInt64 = 1, path: String = "/slow") -> RequestTrace {
    let ms: Int64 = 1_000_000
    return make(
      id: id, path: path, wall: 426 * ms, queue: 40_000, setup: 1_200_000,
      spans: [
        span("fastly_http_req.send", 2 * ms, 402 * ms, blocked: 400 * ms, label: 1),
        span("fastly_kv_store.lookup", 410 * ms, 900_000, blocked: 800_000, label: 2),
      ],
      blocked: [
        BlockedInterval(start: 3 * ms, duration: 400 * ms, cause: .backend, inHostcall: true),
        BlockedInterval(start: 410_050_000, duration: 800_000, cause: .store, inHostcall: true),
      ],
      calls: [
        BackendCall(
          name: "origin", url: RedactedURL("https://origin.example/items"), variant: .sendV3, started: 2 * ms,
          dns: .init(start: 2 * ms, duration: ms), connect: .init(start: 3 * ms, duration: ms),
          tls: .init(start: 4 * ms, duration: ms), requestSent: 6 * ms, firstByte: 403 * ms, totalNanos: 401_500_000,
          status: 200, responseBodyBytes: 5000, reusedConnection: false, httpVersion: .http11, outcome: .ok)
      ])
  }

  /// 3 ms of the guest's own computing.
  static func quick(id: UInt64 = 2, path: String = "/", status: Int = 200) -> RequestTrace {
    var trace = make(id: id, path: path, wall: 3_000_000, setup: 100_000)
    trace.status = status
    return trace
  }
}
