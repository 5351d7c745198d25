@testable import FastlikeProfile

/// Traces made by hand, so that encoders are tested without a clock.
enum TraceSamples {
  static let hostcalls = HostcallNameTable(names: [
    "fastly_http_req.send", "fastly_kv_store.lookup", "fastly_http_body.write", "fastly_http_body.close",
  ])

  /// A request with a bit of everything.
  static var full: RequestTrace {
    var stacks = StackTable.Builder()
    let leaf = stacks.intern(leafFirst: [
      StackFrame(name: "parse", module: "app.wasm"), StackFrame(name: "main", module: "app.wasm"),
    ])
    let inlined = stacks.intern(leafFirst: [
      StackFrame(name: "add", module: "app.wasm", isInlined: true), StackFrame(name: "main", module: "app.wasm"),
    ])
    var blocked = BlockedTime()
    blocked.backend = 4_000_000
    blocked.client = 500_000
    var deep = DeepMetrics()
    deep.bodyReadBytes = 10
    deep.cacheLookups = 1
    deep.cacheMisses = 1
    deep.requestHeaders = [
      HeaderSummary(name: "cookie", count: 1, bytes: 40), HeaderSummary(name: "host", count: 1, bytes: 20),
    ]
    deep.addHeapSample(relativeNanos: 0, memoryBytes: 65_536)
    deep.addHeapSample(relativeNanos: 900, memoryBytes: 131_072)
    deep.bumpStoreAccess(kind: .kv, name: "sessions")
    deep.finalize()
    return RequestTrace(
      id: 42, moduleID: "00112233aabbccdd", moduleName: "app.wasm", processID: 77, method: "POST",
      url: RedactedURL("https://example.com/a/b?secret"), httpVersion: .http11, status: 200, responseBytes: 321,
      wallStartUnixNanos: 1_779_530_400_123_456_789, monotonicStartNanos: 5_000_000_000, wallNanos: 10_000_000,
      headerFlushNanos: 9_000_000, hijackedNanos: nil, nativeCPUNanos: 2_000_000, guestFuel: 123_456,
      time: TimeAccount(
        queue: 100_000, setup: 200_000, guest: 4_000_000, host: 1_200_000, blocked: blocked,
        blockedInHostcalls: 4_000_000),
      hostcallNanos: 5_200_000, hostcalls: hostcalls,
      labels: [.none, TraceLabel(kind: .backend, name: "origin"), TraceLabel(kind: .kvStore, name: "sessions")],
      spans: [
        Span(
          hostcall: 1, start: 400_000, duration: 5_000_000, blocked: 4_000_000, status: 0, label0: 1,
          tags: SIMD4(1, 2, 3, UInt32.max)),
        Span(hostcall: 2, start: 6_000_000, duration: 200_000, status: 10, label0: 2),
      ],
      backendCalls: [
        BackendCall(
          name: "origin", method: "GET", url: RedactedURL("http://origin.test:8080/x"), variant: .sendAsyncV2,
          pendingID: 7, started: 450_000, dns: .init(start: 450_000, duration: 300_000),
          connect: .init(start: 750_000, duration: 400_000), tls: .init(start: 1_150_000, duration: 600_000),
          requestSent: 1_800_000, firstByte: 4_000_000, totalNanos: 4_400_000, status: 200, requestHeaderBytes: 120,
          requestBodyBytes: 5, responseHeaderBytes: 200, responseBodyBytes: 900, reusedConnection: false,
          peerAddress: "192.0.2.1:8080", httpVersion: .http2, isDynamic: true, outcome: .ok),
        BackendCall(
          name: "other", url: RedactedURL("http://other.test/"), started: 500_000, totalNanos: 1_000_000,
          isCollapsed: true, outcome: .networkError, failure: .connectionRefused),
      ],
      blocked: [
        BlockedInterval(start: 600_000, duration: 4_000_000, cause: .backend, inHostcall: true),
        BlockedInterval(start: 9_200_000, duration: 500_000, cause: .client, inHostcall: false),
      ],
      guestStacks: StackProfile(
        table: stacks.finish(),
        samples: [
          StackSample(relativeNanos: 5_500_000, stack: leaf ?? 0, weightNanos: 1_000_000),
          StackSample(relativeNanos: 6_500_000, stack: inlined ?? 0, weightNanos: 1_000_000, thread: 3),
        ]),
      nativeStacks: StackProfile(
        table: stacks.finish(), samples: [StackSample(relativeNanos: 5_600_000, stack: leaf ?? 0)]),
      droppedSpans: 1, droppedBackendCalls: 2, droppedBlockedIntervals: 3, droppedGuestSamples: 4, outcome: .trap,
      notes: [TraceNote("backend calls whose response nobody asked for", count: 1)], deep: deep)
  }

  /// As many spans and calls as the caps allow.
  static var huge: RequestTrace {
    var trace = full
    trace.spans = (0..<TraceLimits.defaultSpanCap).map {
      Span(hostcall: UInt16($0 % 5), start: Int64($0) * 1000, duration: 900, tags: SIMD4(UInt32($0), 0, 0, 0))
    }
    trace.backendCalls = (0..<TraceLimits.defaultBackendCallCap).map {
      BackendCall(name: "origin", started: Int64($0) * 10, totalNanos: 5_000_000, outcome: .ok)
    }
    return trace
  }
}

/// A generator with a seed, so that a failing random test can be run again.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
