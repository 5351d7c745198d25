/// Sums over all finished requests of a process, sampled out ones included. They only grow.
public struct TraceTotals: Sendable, Hashable {
  /// Most backends that are told apart; guests can make as many as they like. The others are ``otherBackends``.
  public static let maximumBackends = 100
  /// The name under which the backends beyond ``maximumBackends`` are summed up.
  public static let otherBackends = "(other)"

  /// How a request ended.
  public struct Ending: Sendable, Hashable {
    public var outcome: TraceOutcome
    /// The first digit of the status; 0 when no response was sent.
    public var statusClass: Int
  }

  /// The calls of one hostcall.
  public struct Hostcall: Sendable, Hashable {
    public var calls: UInt64 = 0
    /// Calls that gave the guest something else than `ok`.
    public var failures: UInt64 = 0
    /// Nanoseconds, the blocked ones included.
    public var nanos: Int64 = 0
    /// Nanoseconds in which the guest was suspended.
    public var blockedNanos: Int64 = 0

    mutating func add(_ span: Span) {
      calls += 1
      if span.status != 0 { failures += 1 }
      nanos &+= span.duration
      blockedNanos &+= span.blocked
    }

    mutating func merge(_ other: Hostcall) {
      calls += other.calls
      failures += other.failures
      nanos &+= other.nanos
      blockedNanos &+= other.blockedNanos
    }

    /// What was added since an earlier reading.
    func since(_ earlier: Hostcall) -> Hostcall {
      Hostcall(
        calls: calls - min(calls, earlier.calls), failures: failures - min(failures, earlier.failures),
        nanos: nanos - min(nanos, earlier.nanos), blockedNanos: blockedNanos - min(blockedNanos, earlier.blockedNanos))
    }
  }

  /// The calls to one backend.
  public struct Backend: Sendable, Hashable {
    public var calls: [BackendOutcome: UInt64] = [:]
    public var duration = DurationHistogram()
    /// Bytes of heads and bodies.
    public var sentBytes: Int64 = 0
    /// Bytes of heads and bodies.
    public var receivedBytes: Int64 = 0

    mutating func add(_ call: BackendCall) {
      calls[call.outcome, default: 0] += 1
      duration.add(call.totalNanos)
      sentBytes &+= call.requestHeaderBytes &+ call.requestBodyBytes
      receivedBytes &+= call.responseHeaderBytes &+ call.responseBodyBytes
    }

    mutating func merge(_ other: Backend) {
      calls.merge(other.calls, uniquingKeysWith: +)
      duration.merge(other.duration)
      sentBytes &+= other.sentBytes
      receivedBytes &+= other.receivedBytes
    }
  }

  /// What caps kept out of traces.
  public struct Dropped: Sendable, Hashable {
    public var spans = 0
    public var backendCalls = 0
    public var blockedIntervals = 0
    public var guestSamples = 0
    public var heapSamples = 0

    mutating func add(_ other: Dropped) {
      spans += other.spans
      backendCalls += other.backendCalls
      blockedIntervals += other.blockedIntervals
      guestSamples += other.guestSamples
      heapSamples += other.heapSamples
    }
  }

  /// The names behind the indices of ``hostcalls``.
  public let names: HostcallNameTable
  public private(set) var requests: [Ending: UInt64] = [:]
  public private(set) var duration = DurationHistogram()
  /// Nanoseconds by owner.
  public private(set) var time = TimeAccount()
  public private(set) var responseBytes: Int64 = 0
  /// By index into ``names``; those that were never called are zero.
  public private(set) var hostcalls: [Hostcall]
  /// Nanoseconds of hostcalls that have no span because of the cap; ``dropped`` has their number.
  public private(set) var hostcallNanosBeyondCap: Int64 = 0
  public private(set) var backends: [String: Backend] = [:]
  /// Phases of backend calls, as in the waterfall.
  package private(set) var phases: [BackendPhases.Name: DurationHistogram] = [:]
  public private(set) var dropped = Dropped()
  /// The most linear memory that a guest had, in bytes; 0 unless memory is recorded.
  public private(set) var peakMemoryBytes: Int64 = 0

  public init(names: HostcallNameTable) {
    self.names = names
    hostcalls = Array(repeating: Hostcall(), count: names.names.count)
  }

  /// Adds a finished request.
  public mutating func add(_ trace: RequestTrace) {
    add(SummedRequest(trace)) { body in trace.spans.withUnsafeBufferPointer(body) }
  }

  /// - Parameter forEachChunk: Gives the request's spans, some at a time.
  mutating func add(_ request: SummedRequest, forEachChunk: ((UnsafeBufferPointer<Span>) -> Void) -> Void) {
    let statusClass = (100..<600).contains(request.status) ? request.status / 100 : 0
    requests[Ending(outcome: request.outcome, statusClass: statusClass), default: 0] += 1
    duration.add(request.wallNanos)
    add(request.time)
    responseBytes &+= request.responseBytes
    addHostcalls(of: request, forEachChunk)
    for call in request.backendCalls { add(call) }
    dropped.add(request.dropped)
    peakMemoryBytes = request.heapSamples.reduce(peakMemoryBytes) { max($0, $1.memoryBytes) }
  }

  private mutating func add(_ account: TimeAccount) {
    time.queue &+= account.queue
    time.setup &+= account.setup
    time.guest &+= account.guest
    time.host &+= account.host
    for cause in BlockCause.allCases { time.blocked[cause] &+= account.blocked[cause] }
    time.blockedInHostcalls &+= account.blockedInHostcalls
  }

  private mutating func addHostcalls(
    of request: SummedRequest, _ forEachChunk: ((UnsafeBufferPointer<Span>) -> Void) -> Void
  ) {
    let isOwnTable = request.hostcalls === names
    var known: Int64 = 0
    forEachChunk { spans in
      for span in spans {
        let index = isOwnTable ? span.hostcall : names.index(of: request.hostcalls.name(at: span.hostcall))
        hostcalls[Int(index) < hostcalls.count ? Int(index) : 0].add(span)
        known &+= span.duration
      }
    }
    if request.dropped.spans > 0 { hostcallNanosBeyondCap &+= max(0, request.hostcallNanos &- known) }
  }

  private mutating func add(_ call: BackendCall) {
    let name = backends[call.name] == nil && backends.count >= Self.maximumBackends ? Self.otherBackends : call.name
    backends[name, default: Backend()].add(call)
    for (phase, interval) in BackendPhases(of: call).segments {
      phases[phase, default: DurationHistogram()].add(interval.duration)
    }
  }

  /// Adds other sums over the same ``names``.
  mutating func merge(_ other: TraceTotals) {
    requests.merge(other.requests, uniquingKeysWith: +)
    duration.merge(other.duration)
    add(other.time)
    responseBytes &+= other.responseBytes
    for index in hostcalls.indices { hostcalls[index].merge(other.hostcalls[index]) }
    hostcallNanosBeyondCap &+= other.hostcallNanosBeyondCap
    for (name, backend) in other.backends.sorted(by: { $0.key < $1.key }) {
      let isFull = backends[name] == nil && backends.count >= Self.maximumBackends
      backends[isFull ? Self.otherBackends : name, default: Backend()].merge(backend)
    }
    phases.merge(other.phases) { first, second in
      var sum = first
      sum.merge(second)
      return sum
    }
    dropped.add(other.dropped)
    peakMemoryBytes = max(peakMemoryBytes, other.peakMemoryBytes)
  }
}

/// What ``TraceTotals`` add up of a finished request, beside its spans. Recordings have it without making their trace.
struct SummedRequest {
  let outcome: TraceOutcome
  let status: Int
  let wallNanos: Int64
  let time: TimeAccount
  let responseBytes: Int64
  let hostcalls: HostcallNameTable
  let hostcallNanos: Int64
  let backendCalls: [BackendCall]
  let dropped: TraceTotals.Dropped
  let heapSamples: [HeapSample]
}

extension SummedRequest {
  init(_ trace: RequestTrace) {
    self.init(
      outcome: trace.outcome, status: trace.status, wallNanos: trace.wallNanos, time: trace.time,
      responseBytes: trace.responseBytes, hostcalls: trace.hostcalls,
      hostcallNanos: trace.hostcallNanos, backendCalls: trace.backendCalls,
      dropped: TraceTotals.Dropped(
        spans: trace.droppedSpans, backendCalls: trace.droppedBackendCalls,
        blockedIntervals: trace.droppedBlockedIntervals, guestSamples: trace.droppedGuestSamples,
        heapSamples: trace.deep?.heapSamplesDropped ?? 0),
      heapSamples: trace.deep?.heapSamples ?? [])
  }
}
