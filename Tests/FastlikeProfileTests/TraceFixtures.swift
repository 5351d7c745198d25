import FastlikeProfile

/// Traces for tests, the same in every run. Their accounts close: each nanosecond of the wall time has one owner.
enum TraceFixture: String, CaseIterable, Sendable, CustomStringConvertible {
  /// A synchronous backend call on a new TLS connection, a KV look-up, a response.
  case normal
  /// The guest traps before it answers.
  case trap
  /// The client goes away while a backend call runs.
  case cancelled
  /// Every cap was reached, and a span names a hostcall and labels that the tables do not have.
  case dropped
  /// Deep metrics with a memory curve.
  case deep
  /// Sampled stacks of the guest and of an external profiler, with inlined and kernel frames.
  case stacks
  /// Concurrent backend calls in every state.
  case overlapping
  /// Nothing but a beginning.
  case empty
  /// ``normal`` and, a little later, ``overlapping``.
  case several
  /// No trace at all.
  case nothing

  var description: String { rawValue }

  var traces: [RequestTrace] {
    switch self {
    case .normal: [Self.normalTrace()]
    case .trap: [Self.trapTrace()]
    case .cancelled: [Self.cancelledTrace()]
    case .dropped: [Self.droppedTrace()]
    case .deep: [Self.deepTrace()]
    case .stacks: [Self.stacksTrace()]
    case .overlapping: [Self.overlappingTrace()]
    case .empty: [RequestTrace(id: 8, wallStartUnixNanos: Self.wallStart)]
    case .several: [Self.normalTrace(), Self.overlappingTrace()]
    case .nothing: []
    }
  }

  /// 2026-01-01T00:00:00.123456789Z
  static let wallStart: Int64 = 1_767_225_600_123_456_789

  static let hostcalls = HostcallNameTable(names: [
    "fastly_http_req.body_downstream_get", "fastly_http_req.send", "fastly_http_req.send_async",
    "fastly_http_req.pending_req_wait", "fastly_kv_store.lookup", "fastly_http_resp.send_downstream",
    "wasi_snapshot_preview1.fd_write",
  ])

  /// A span of a hostcall by name.
  static func span(
    _ name: String, _ start: Int64, _ duration: Int64, blocked: Int64 = 0, status: Int32 = 0, label: UInt32 = 0,
    label1: UInt32 = 0, tags: SIMD4<UInt32> = .zero
  ) -> Span {
    Span(
      hostcall: hostcalls.index(of: name), start: start, duration: duration, blocked: blocked, status: status,
      label0: label, label1: label1, tags: tags)
  }

  /// The account of a wall time that these spans and suspensions explain.
  static func account(
    wall: Int64, queue: Int64 = 0, setup: Int64 = 0, spans: [Span], blocked: [BlockedInterval]
  ) -> TimeAccount {
    var time = BlockedTime()
    for interval in blocked { time[interval.cause] += interval.duration }
    return TimeAccount(
      closing: wall, queue: queue, setup: setup, host: spans.reduce(0) { $0 + $1.hostNanos }, blocked: time,
      blockedInHostcalls: blocked.reduce(0) { $0 + ($1.inHostcall ? $1.duration : 0) })
  }

  static func originCall() -> BackendCall {
    BackendCall(
      name: "origin", method: "GET", url: RedactedURL("https://origin.example/api/items"), variant: .sendV3,
      started: 1_050_000, dns: .init(start: 1_100_000, duration: 400_000),
      connect: .init(start: 1_500_000, duration: 700_000), tls: .init(start: 2_200_000, duration: 900_000),
      requestSent: 3_150_000, firstByte: 6_000_000, totalNanos: 5_800_000, status: 200, requestHeaderBytes: 180,
      responseHeaderBytes: 240, responseBodyBytes: 5120, reusedConnection: false, peerAddress: "192.0.2.7:443",
      httpVersion: .http2, outcome: .ok)
  }

  static func normalTrace() -> RequestTrace {
    let spans = [
      span("fastly_http_req.body_downstream_get", 600_000, 20_000, tags: SIMD4(1, 2, 0, 0)),
      span("fastly_http_req.send", 1_000_000, 6_000_000, blocked: 5_800_000, label: 1, tags: SIMD4(1, 2, 3, 4)),
      span("fastly_kv_store.lookup", 7_200_000, 900_000, blocked: 800_000, label: 2),
      span("fastly_http_resp.send_downstream", 9_000_000, 500_000, blocked: 400_000),
    ]
    let blocked = [
      BlockedInterval(start: 1_060_000, duration: 5_800_000, cause: .backend, inHostcall: true),
      BlockedInterval(start: 7_250_000, duration: 800_000, cause: .store, inHostcall: true),
      BlockedInterval(start: 9_050_000, duration: 400_000, cause: .client, inHostcall: true),
    ]
    return RequestTrace(
      id: 1, moduleID: "0011223344556677", moduleName: "app.wasm", processID: 4242, method: "GET",
      url: RedactedURL("https://edge.example/shop/items"), httpVersion: .http2, status: 200, responseBytes: 5000,
      wallStartUnixNanos: wallStart, monotonicStartNanos: 77_000_000_001, wallNanos: 10_000_000,
      headerFlushNanos: 9_020_000,
      time: account(wall: 10_000_000, queue: 200_000, setup: 300_000, spans: spans, blocked: blocked),
      hostcallNanos: spans.reduce(0) { $0 + $1.duration }, hostcalls: hostcalls,
      labels: [.none, TraceLabel(kind: .backend, name: "origin"), TraceLabel(kind: .kvStore, name: "sessions")],
      spans: spans, backendCalls: [originCall()], blocked: blocked)
  }

  static func trapTrace() -> RequestTrace {
    let spans = [
      span("fastly_http_req.body_downstream_get", 100_000, 15_003),
      span("wasi_snapshot_preview1.fd_write", 300_001, 7007, status: 8),
    ]
    return RequestTrace(
      id: 2, moduleID: "0011223344556677", moduleName: "app.wasm", method: "POST",
      url: RedactedURL("http://edge.example/\"quoted\"/\\path/<tag>"), httpVersion: .http11, status: 500,
      wallStartUnixNanos: wallStart, wallNanos: 400_009,
      time: account(wall: 400_009, setup: 50_000, spans: spans, blocked: []), hostcalls: hostcalls, spans: spans,
      outcome: .trap,
      notes: [
        TraceNote("the guest trapped"),
        TraceNote("the last hostcall", hostcall: hostcalls.index(of: "wasi_snapshot_preview1.fd_write"), in: hostcalls),
      ])
  }

  static func cancelledTrace() -> RequestTrace {
    let spans = [
      span("fastly_http_req.send_async", 200_000, 30_000, label: 1),
      span("fastly_http_req.pending_req_wait", 300_000, 1_700_000, blocked: 1_690_000, status: -1),
    ]
    let blocked = [BlockedInterval(start: 305_000, duration: 1_690_000, cause: .backend, inHostcall: true)]
    let call = BackendCall(
      name: "slow", method: "PUT", url: RedactedURL("http://slow.example:8080/upload"), variant: .sendAsync,
      pendingID: 9, started: 210_000, connect: .init(start: 220_000, duration: 90_000), requestSent: 320_000,
      totalNanos: 1_790_000, requestHeaderBytes: 120, requestBodyBytes: 70_000, outcome: .incomplete)
    return RequestTrace(
      id: 3, moduleID: "0011223344556677", method: "PUT", url: RedactedURL("/upload"),
      wallStartUnixNanos: wallStart, wallNanos: 2_000_000,
      time: account(wall: 2_000_000, queue: 10_000, spans: spans, blocked: blocked), hostcalls: hostcalls,
      labels: [.none, TraceLabel(kind: .backend, name: "slow")], spans: spans, backendCalls: [call],
      blocked: blocked, outcome: .contextCanceled,
      notes: [TraceNote("backend calls still running at the request's end", count: 1)])
  }

  static func droppedTrace() -> RequestTrace {
    let spans = [
      span("fastly_kv_store.lookup", 100_000, 50_000, blocked: 40_000, label: 9, label1: 1),
      Span(hostcall: 999, start: 200_000, duration: 10_000, status: 3),
    ]
    let blocked = [BlockedInterval(start: 104_000, duration: 30_000, cause: .store, inHostcall: true)]
    var deep = DeepMetrics()
    deep.heapSamplesDropped = 5
    // The account knows of more than the lists hold: what was dropped is in it.
    var time = BlockedTime()
    time.store = 90_000
    time.timer = 5000
    return RequestTrace(
      id: 4, moduleID: "0011223344556677", moduleName: "app.wasm", url: RedactedURL("/"), status: 200,
      wallStartUnixNanos: wallStart, wallNanos: 900_000,
      time: TimeAccount(
        closing: 900_000, queue: 1000, setup: 2000, host: 120_000, blocked: time, blockedInHostcalls: 80_000),
      hostcallNanos: 200_000, hostcalls: hostcalls,
      labels: [.none, TraceLabel(kind: .kvStore, name: "sessions")], spans: spans, blocked: blocked,
      droppedSpans: 7, droppedBackendCalls: 2, droppedBlockedIntervals: 3, droppedGuestSamples: 11, deep: deep)
  }

  static func deepTrace() -> RequestTrace {
    var deep = DeepMetrics()
    deep.bodyReadBytes = 1024
    deep.bodyWriteBytes = 2048
    deep.cacheInserts = 1
    deep.addCacheLookup(found: true, usable: true, stale: false)
    deep.addCacheLookup(found: false, usable: false, stale: false)
    deep.bumpStoreAccess(kind: .kv, name: "sessions")
    deep.bumpStoreAccess(kind: .kv, name: "sessions")
    deep.bumpStoreAccess(kind: .config, name: "flags")
    deep.requestHeaders = HeaderSummary.summarize([
      (name: "host", value: "edge.example"), (name: "accept", value: "*/*"), (name: "accept", value: "text/html"),
      (name: "cookie", value: "a=b"),
    ])
    deep.responseHeaders = HeaderSummary.summarize([(name: "content-type", value: "text/plain")])
    for (instant, pages) in [(Int64(1000), Int64(17)), (400_000, 32), (900_000, 64), (1_500_000, 60)] {
      deep.addHeapSample(relativeNanos: instant, memoryBytes: pages * 65_536)
    }
    deep.finalize()
    var trace = normalTrace()
    trace.id = 5
    trace.deep = deep
    return trace
  }

  static func stacksTrace() -> RequestTrace {
    var guest = StackTable.Builder()
    let main = StackFrame(name: "main", module: "app.wasm")
    let parse = StackFrame(name: "parse(header: [UInt8])", module: "app.wasm")
    let skip = StackFrame(name: "skip; whitespace", module: "app.wasm", isInlined: true)
    let render = StackFrame(name: "render", module: "app.wasm")
    let guestStacks: [[StackFrame]] = [[parse, main], [skip, parse, main], [render, main], [skip, parse, main]]
    let guestSamples = guestStacks.enumerated().compactMap { index, stack in
      guest.intern(leafFirst: stack)
        .map { StackSample(relativeNanos: 600_000 + Int64(index) * 900_000, stack: $0, weightNanos: 250_000) }
    }
    var native = StackTable.Builder()
    let serve = StackFrame(name: "serve", module: "fastlike", kind: .host)
    let call = StackFrame(name: "main", module: "app.wasm")
    let write = StackFrame(name: "tcp_sendmsg", module: "[kernel.kallsyms]", kind: .kernel)
    let nowhere = StackFrame(name: "0x1040000000", kind: .unknown)
    let nativeStacks: [([StackFrame], UInt32)] = [
      ([call, serve], 11), ([write, serve], 12), ([nowhere], 11), ([call, serve], 11),
    ]
    let nativeSamples = nativeStacks.enumerated().compactMap { index, entry in
      native.intern(leafFirst: entry.0)
        .map { StackSample(relativeNanos: 550_000 + Int64(index) * 1_000_000, stack: $0, thread: entry.1) }
    }
    var trace = normalTrace()
    trace.id = 6
    trace.guestStacks = StackProfile(table: guest.finish(), samples: guestSamples)
    trace.nativeStacks = StackProfile(table: native.finish(), samples: nativeSamples)
    return trace
  }

  static func overlappingTrace() -> RequestTrace {
    let spans = [
      span("fastly_http_req.send_async", 100_000, 40_000, label: 1),
      span("fastly_http_req.send_async", 200_000, 40_000, label: 2),
      span("fastly_http_req.send_async", 300_000, 40_000, label: 3),
      span("fastly_http_req.pending_req_wait", 400_000, 4_000_000, blocked: 3_990_000),
      span("fastly_http_req.send_async", 4_500_000, 40_000, label: 1),
      span("fastly_http_req.pending_req_wait", 4_600_000, 1_000_000, blocked: 990_000),
    ]
    let blocked = [
      BlockedInterval(start: 405_000, duration: 3_990_000, cause: .backend, inHostcall: true),
      BlockedInterval(start: 4_605_000, duration: 990_000, cause: .backend, inHostcall: true),
      BlockedInterval(start: 5_700_000, duration: 100_000, cause: .timer, inHostcall: false),
    ]
    func call(_ name: String, _ pending: UInt32, _ start: Int64, _ total: Int64) -> BackendCall {
      BackendCall(
        name: name, url: RedactedURL("http://\(name).example/part"), variant: .sendAsync, pendingID: pending,
        started: start, requestSent: start + 5000, firstByte: start + total / 2, totalNanos: total, status: 200,
        reusedConnection: true, httpVersion: .http11, outcome: .ok)
    }
    var failed = BackendCall(
      name: "broken", url: RedactedURL("https://broken.example/part"), variant: .sendAsync, pendingID: 22,
      started: 220_000, dns: .init(start: 225_000, duration: 100_000), totalNanos: 150_000, outcome: .networkError,
      failure: .dnsError)
    failed.isDynamic = true
    var orphan = call("beacon", 23, 320_000, 6_000_000)
    orphan.outcome = .orphaned
    var given = call("origin", 24, 4_520_000, 900_000)
    given.outcome = .cancelled
    given.firstByte = nil
    given.status = 0
    return RequestTrace(
      id: 7, moduleID: "8899aabbccddeeff", moduleName: "other.wasm", url: RedactedURL("http://edge.example/fan-out"),
      status: 200, wallStartUnixNanos: wallStart + 2_500_000, wallNanos: 6_000_000,
      time: account(wall: 6_000_000, queue: 20_000, setup: 30_000, spans: spans, blocked: blocked),
      hostcalls: hostcalls,
      labels: [
        .none, TraceLabel(kind: .backend, name: "origin"), TraceLabel(kind: .backend, name: "broken"),
        TraceLabel(kind: .backend, name: "beacon"),
      ], spans: spans, backendCalls: [call("origin", 21, 120_000, 4_200_000), failed, orphan, given],
      blocked: blocked)
  }

  /// As many spans and calls as the default caps allow; half of the calls overlap their neighbours.
  static func hugeTrace() -> RequestTrace {
    let spans = (0..<Int64(TraceLimits.defaultSpanCap)).map { index in
      let isSend = index % 16 == 0
      return span(
        isSend ? "fastly_http_req.send_async" : "fastly_kv_store.lookup", index * 10_000, 6000,
        blocked: isSend ? 0 : 4000, status: index % 100 == 1 ? 10 : 0, label: isSend ? 1 : 2,
        tags: SIMD4(UInt32(index), 0, 1, 0))
    }
    let blocked = spans.filter { $0.blocked > 0 }
      .map { BlockedInterval(start: $0.start + 1000, duration: 4000, cause: .store, inHostcall: true) }
    let calls = (0..<Int64(TraceLimits.defaultBackendCallCap)).map { index in
      BackendCall(
        name: "origin", url: RedactedURL("https://origin.example/items/\(index)"), variant: .sendAsync,
        pendingID: UInt32(index + 1), started: index * 150_000 + 1000,
        connect: .init(start: index * 150_000 + 2000, duration: 20_000), requestSent: index * 150_000 + 30_000,
        firstByte: index * 150_000 + 90_000, totalNanos: index.isMultiple(of: 2) ? 200_000 : 100_000, status: 200,
        httpVersion: .http11, outcome: .ok)
    }
    let wall: Int64 = 90_000_000
    return RequestTrace(
      id: 9, moduleID: "0011223344556677", moduleName: "app.wasm", url: RedactedURL("/huge"), status: 200,
      wallStartUnixNanos: wallStart, wallNanos: wall,
      time: account(wall: wall, spans: spans, blocked: blocked), hostcalls: hostcalls,
      labels: [.none, TraceLabel(kind: .backend, name: "origin"), TraceLabel(kind: .kvStore, name: "sessions")],
      spans: spans, backendCalls: calls, blocked: blocked)
  }
}
