internal import CTimestamp
internal import Foundation
internal import Synchronization

/// What is known of a request when its recording begins.
public struct TraceHead: Sendable, Hashable {
  /// ``ModuleIdentifier`` of the guest.
  public var moduleID: String
  /// A name for people, such as the module's file name.
  public var moduleName: String
  /// The request's method.
  public var method: String
  /// The request's target.
  public var url: RedactedURL
  /// The HTTP version of the client's connection, as far as known.
  public var httpVersion: HTTPVersion?
  /// When the request arrived, in monotonic nanoseconds (``TraceClock/now()``); nil when it has not waited.
  public var arrivedAt: UInt64?
  /// The place in a distributed trace; nil where traces are not joined to others.
  public var context: TraceContext?

  public init(
    moduleID: String, moduleName: String = "", method: String, url: RedactedURL, httpVersion: HTTPVersion? = nil,
    arrivedAt: UInt64? = nil, context: TraceContext? = nil
  ) {
    self.moduleID = moduleID
    self.moduleName = moduleName
    self.method = PrintableText.method(method)
    self.url = url
    self.httpVersion = httpVersion
    self.arrivedAt = arrivedAt
    self.context = context
  }
}

/// Records one request; the host that runs the guest drives it.
///
/// ```swift
/// guard let recorder = store.begin(TraceHead(moduleID: id, method: "GET", url: RedactedURL("/"))) else { … }
/// recorder.endSetup()                          // the guest is instantiated
/// recorder.beginSpan(hostcall: index)          // a hostcall begins
/// recorder.label(.backend, "origin")
/// recorder.suspend(cause: .backend)            // the guest waits …
/// recorder.resume()                            // … and goes on
/// recorder.endSpan(status: 0)
/// let trace = recorder.finish()                // the store has it now
/// ```
///
/// One writer at a time; the finished trace is a value for any number of readers. After ``close()`` or ``finish()``
/// everything else is without effect, so late answers of backends need no check.
public final class TraceRecorder: @unchecked Sendable {
  // Sendable because a request may move between threads; the host's own hand-over orders the accesses (one writer at
  // a time). A closed recorder is only read, but for the trace, which is behind a lock.

  /// The trace's id.
  public let id: UInt64
  /// What was known at the beginning.
  public let head: TraceHead
  /// What is recorded.
  public let mode: ProfileMode
  /// How much is kept.
  public let limits: TraceLimits

  @usableFromInline let core: UnsafeMutablePointer<RecordingCore>
  /// What happens right now, for the store's list of running requests.
  @usableFromInline let live: LiveActivity
  /// Where the store's list of running requests has it; the store's to change.
  var runningSlot: Int32 = -1
  let hostcalls: HostcallNameTable
  let wallStartUnixNanos: Int64
  let monotonicStartNanos: UInt64
  let queueNanos: Int64
  var setupNanos: Int64 = 0
  var wallEnd: Int64?
  var blockedTime = BlockedTime()
  var blocked: [BlockedInterval] = []
  var droppedBlockedIntervals = 0
  /// What spans refer to; index 0 of the finished trace is ``TraceLabel/none``, so these begin at 1.
  var labels: [TraceLabel] = []
  /// Finds labels where there are too many to look at each.
  private var labelIndices: [TraceLabel: UInt32] = [:]
  /// Up to so many labels are compared one by one.
  private static let comparedLabels = 16
  var backendCalls: [BackendCall] = []
  var backendStates: [BackendCallState] = []
  var droppedBackendCalls = 0
  var stacks = StackTable.Builder()
  var guestSamples: [StackSample] = []
  var droppedGuestSamples = 0
  var memoryGrowth: [MemoryGrowth] = []
  var droppedMemoryGrowth = 0
  /// CPU time of the samples that are the guest's own.
  var sampledGuestNanos: Int64 = 0
  var response = ResponseObservation()
  var outcome = TraceOutcome.normal
  var notes: [TraceNote] = []
  @usableFromInline var deepMetrics: DeepMetrics?
  private let store: ProfileStore?
  private let pool: SpanChunkPool
  /// The hostcalls of a closed recording.
  private var spans: [Span] = []
  private(set) var isClosed = false
  private let made = Mutex<MadeTrace?>(nil)

  /// Most traces of a busy edge are evicted unread, so a trace is made when it is first asked for.
  private final class MadeTrace: Sendable {
    let trace: RequestTrace
    init(_ trace: RequestTrace) { self.trace = trace }
  }

  /// Records without a store. See ``ProfileStore/begin(_:)`` for recording into one.
  /// - Parameters:
  ///   - hostcalls: The names behind the indices given to ``beginSpan(hostcall:)``.
  ///   - mode: In ``ProfileMode/deep`` the ``DeepMetrics`` are recorded too.
  public convenience init(
    id: UInt64, head: TraceHead, hostcalls: HostcallNameTable, mode: ProfileMode = .trace,
    limits: TraceLimits = TraceLimits()
  ) {
    self.init(id: id, head: head, hostcalls: hostcalls, mode: mode, limits: limits, store: nil)
  }

  init(
    id: UInt64, head: TraceHead, hostcalls: HostcallNameTable, mode: ProfileMode, limits: TraceLimits,
    store: ProfileStore?, pool: SpanChunkPool = .shared
  ) {
    let monotonic = ctimestamp_monotonic()
    let cycles = ctimestamp_cycles()
    let queue = head.arrivedAt.map { max(0, Int64(bitPattern: monotonic &- $0)) } ?? 0
    self.id = id
    self.head = head
    self.hostcalls = hostcalls
    self.mode = mode
    self.limits = limits
    self.store = store
    self.pool = pool
    live = LiveActivity()
    queueNanos = queue
    monotonicStartNanos = monotonic &- UInt64(queue)
    wallStartUnixNanos = Self.unixNanoseconds() - queue
    core = .allocate(capacity: 1)
    core.initialize(
      to: RecordingCore(originOffset: queue, cycles: cycles, nanos: monotonic, scale: TraceClock.calibration.scale))
    if mode.includesDeep { deepMetrics = DeepMetrics() }
  }

  deinit {
    if !isClosed {
      _ = core.pointee.drain(into: pool)
      store?.abandon(self)
    }
    core.deinitialize(count: 1)
    core.deallocate()
  }

  private static func unixNanoseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
  }

  // MARK: - Time

  /// Nanoseconds from the trace's start.
  @inlinable
  public var now: Int64 { core.pointee.now() }

  /// Turns an instant of the monotonic clock into nanoseconds from the trace's start; 0 for an earlier one.
  public func offset(ofMonotonic nanoseconds: UInt64) -> Int64 {
    max(0, Int64(bitPattern: nanoseconds &- monotonicStartNanos))
  }

  /// Adds a known length to the time of preparation.
  public func recordSetup(nanoseconds: Int64) {
    guard wallEnd == nil else { return }
    setupNanos += max(0, nanoseconds)
  }

  /// Preparation is over: what passed since the recording's begin, without suspensions and hostcalls, was set-up.
  public func endSetup() {
    guard wallEnd == nil else { return }
    let blockedOutside = blockedTime.total - core.pointee.blockedInHostcalls
    setupNanos = max(0, now - queueNanos - blockedOutside - core.pointee.hostcallNanos)
  }

  // MARK: - Spans

  /// A hostcall begins. While one is open already, the new one counts as part of it.
  @inlinable @inline(__always)
  public func beginSpan(hostcall: UInt16) {
    let core = core
    if core.pointee.depth != 0 || core.pointee.cursor == core.pointee.limit {
      guard prepareSpan() else { return }
    }
    core.pointee.cursor.initialize(to: Span(hostcall: hostcall, start: core.pointee.now()))
    core.pointee.depth = 1
    live.enter(hostcall)
  }

  /// The hostcall that began last ends.
  /// - Parameter status: What the guest gets.
  @inlinable @inline(__always)
  public func endSpan(status: Int32) {
    let core = core
    guard core.pointee.depth == 1, core.pointee.suspension == 0 else { return endUnusualSpan(status: status) }
    let span = core.pointee.cursor
    let duration = core.pointee.now() &- span.pointee.start
    span.pointee.duration = duration
    span.pointee.status = status
    core.pointee.hostcallNanos &+= duration
    core.pointee.cursor = span + 1
    core.pointee.depth = 0
    live.leave()
  }

  @usableFromInline
  func prepareSpan() -> Bool {
    if core.pointee.depth != 0 {
      core.pointee.depth += 1
      return false
    }
    guard !core.pointee.isClosed else { return false }
    core.pointee.refill(cap: limits.spans, from: pool)
    return true
  }

  @usableFromInline
  func endUnusualSpan(status: Int32) {
    switch core.pointee.depth {
    case 0: return
    case 1:
      resume()
      endSpan(status: status)
    default: core.pointee.depth -= 1
    }
  }

  /// Sets one of the open span's four tags; see ``Span/tags``.
  @inlinable @inline(__always)
  public func setTag(_ index: Int, to value: UInt32) {
    guard core.pointee.depth != 0 else { return }
    core.pointee.cursor.pointee.tags[index] = value
  }

  /// Sets the open span's tags; see ``Span/tags``.
  @inlinable @inline(__always)
  public func setTags(_ first: UInt32, _ second: UInt32 = 0, _ third: UInt32 = 0, _ fourth: UInt32 = 0) {
    guard core.pointee.depth != 0 else { return }
    core.pointee.cursor.pointee.tags = SIMD4(first, second, third, fourth)
  }

  /// Tells what the open span touches: the first two labels are kept.
  /// - Parameter name: The name of a configured thing, or of a header. Never a key or a value.
  public func label(_ kind: TraceLabel.Kind, _ name: String) {
    guard core.pointee.depth != 0 else { return }
    let span = core.pointee.cursor
    if span.pointee.label0 == 0 {
      span.pointee.label0 = intern(TraceLabel(kind: kind, name: name))
    } else if span.pointee.label1 == 0 {
      span.pointee.label1 = intern(TraceLabel(kind: kind, name: name))
    }
  }

  /// The index of a label in the finished trace.
  private func intern(_ label: TraceLabel) -> UInt32 {
    if labels.count <= Self.comparedLabels {
      if let known = labels.firstIndex(of: label) { return UInt32(known + 1) }
    } else if let known = labelIndices[label] {
      return known
    }
    let isFull = labels.count >= limits.labels
    let kept = isFull ? TraceLabel(kind: .other, name: "(other)") : label
    if isFull, let known = labels.lastIndex(of: kept) { return UInt32(known + 1) }
    labels.append(kept)
    let index = UInt32(labels.count)
    if labels.count > Self.comparedLabels {
      if labelIndices.isEmpty {
        for (place, label) in labels.enumerated() { labelIndices[label] = UInt32(place + 1) }
      }
      labelIndices[kept] = index
    }
    return index
  }

  // MARK: - Suspension

  /// The guest is suspended. While it is already, the cause changes from here on.
  public func suspend(cause: BlockCause) {
    resume()
    guard wallEnd == nil else { return }
    core.pointee.suspendedAt = now
    core.pointee.suspension = UInt32(cause.rawValue) + 1
    live.suspend(cause)
  }

  /// The guest goes on. Without effect while it is not suspended.
  public func resume() {
    guard core.pointee.suspension != 0, let cause = BlockCause(rawValue: UInt8(core.pointee.suspension - 1)) else {
      return
    }
    let start = core.pointee.suspendedAt
    let duration = max(0, now - start)
    let inHostcall = core.pointee.depth != 0
    core.pointee.suspension = 0
    live.resume()
    blockedTime[cause] += duration
    if inHostcall {
      core.pointee.cursor.pointee.blocked += duration
      core.pointee.blockedInHostcalls += duration
    }
    guard blocked.count < limits.blockedIntervals else {
      droppedBlockedIntervals += 1
      return
    }
    blocked.append(BlockedInterval(start: start, duration: duration, cause: cause, inHostcall: inHostcall))
  }

  // MARK: - End

  /// Sets how the request ended; the first that is not normal stays.
  public func setOutcome(_ outcome: TraceOutcome) {
    guard !isClosed, self.outcome == .normal else { return }
    self.outcome = outcome
  }

  /// Adds a remark; see ``TraceNote``.
  public func note(_ text: StaticString) { note(TraceNote(text)) }

  /// Adds a remark; see ``TraceNote``.
  public func note(_ note: TraceNote) {
    guard !isClosed, notes.count < limits.notes else { return }
    notes.append(note)
  }

  /// The request is over for its client: the wall time stops here, and hostcalls are recorded no more. Backend calls
  /// can still be updated until ``finish()``. A second call is without effect.
  public func end() {
    guard wallEnd == nil else { return }
    resume()
    while core.pointee.depth > 0 { endSpan(status: -1) }
    wallEnd = now
    core.pointee.close()
  }

  /// Closes the recording and hands it to the store, if there is one. Backend calls that nobody asked for become
  /// ``BackendOutcome/orphaned``, others that are still running stay ``BackendOutcome/incomplete``. A second call is
  /// without effect.
  ///
  /// A host that does not look at the trace itself calls this rather than ``finish()``: the trace is made when somebody
  /// asks the store for it.
  public func close() {
    guard !isClosed else { return }
    end()
    sweepBackendCalls()
    deepMetrics?.finalize()
    spans = core.pointee.drain(into: pool)
    labels = labels.exactCopy()
    labelIndices = [:]
    backendCalls = backendCalls.exactCopy()
    backendStates = []
    blocked = blocked.exactCopy()
    guestSamples = guestSamples.exactCopy()
    notes = notes.exactCopy()
    isClosed = true
    store?.complete(self)
  }

  /// As ``close()``, and returns the trace. A second call returns the same trace.
  @discardableResult
  public func finish() -> RequestTrace {
    close()
    return trace
  }

  /// Whether ``close()`` or ``finish()`` was called.
  public var isFinished: Bool { isClosed }

  /// The trace of a closed recording. Any thread may ask.
  var trace: RequestTrace {
    made.withLock { made in
      if let made { return made.trace }
      let trace = makeTrace()
      made = MadeTrace(trace)
      return trace
    }
  }

  /// How many hostcalls and backend calls a closed recording holds.
  var size: (hostcalls: Int, backendCalls: Int) { (spans.count, backendCalls.count) }

  /// Nanoseconds from start to end of a closed recording.
  var wallNanos: Int64 { wallEnd ?? 0 }

  /// As ``RequestTrace/isError``.
  var isError: Bool { outcome != .normal || response.status >= 500 }

  /// Who owns the wall time of a closed recording.
  public var time: TimeAccount {
    TimeAccount(
      closing: wallNanos, queue: queueNanos, setup: setupNanos,
      host: core.pointee.hostcallNanos - core.pointee.blockedInHostcalls, blocked: blockedTime,
      blockedInHostcalls: core.pointee.blockedInHostcalls)
  }

  /// What a closed recording adds to the store's sums.
  var summed: SummedRequest {
    SummedRequest(
      outcome: outcome, status: response.status, wallNanos: wallNanos, time: time,
      responseBytes: response.bytesWritten, hostcalls: hostcalls, spans: spans,
      hostcallNanos: core.pointee.hostcallNanos, backendCalls: backendCalls,
      dropped: TraceTotals.Dropped(
        spans: core.pointee.droppedSpans, backendCalls: droppedBackendCalls,
        blockedIntervals: droppedBlockedIntervals, guestSamples: droppedGuestSamples,
        heapSamples: deepMetrics?.heapSamplesDropped ?? 0),
      heapSamples: deepMetrics?.heapSamples ?? [])
  }

  private func makeTrace() -> RequestTrace {
    RequestTrace(
      id: id, moduleID: head.moduleID, moduleName: head.moduleName, processID: Self.processID, method: head.method,
      url: head.url, httpVersion: head.httpVersion, status: response.status, responseBytes: response.bytesWritten,
      wallStartUnixNanos: wallStartUnixNanos, monotonicStartNanos: monotonicStartNanos, wallNanos: wallNanos,
      headerFlushNanos: response.headerFlushed, hijackedNanos: response.hijacked,
      nativeCPUNanos: sampledGuestNanos > 0 ? sampledGuestNanos : nil,
      time: time, hostcallNanos: core.pointee.hostcallNanos, hostcalls: hostcalls,
      labels: labels.isEmpty ? Self.noLabels : Self.noLabels + labels, spans: spans, backendCalls: backendCalls,
      blocked: blocked,
      guestStacks: guestSamples.isEmpty ? .empty : StackProfile(table: stacks.finish(), samples: guestSamples),
      droppedSpans: core.pointee.droppedSpans, droppedBackendCalls: droppedBackendCalls,
      droppedBlockedIntervals: droppedBlockedIntervals, droppedGuestSamples: droppedGuestSamples,
      memoryGrowth: memoryGrowth, droppedMemoryGrowth: droppedMemoryGrowth, outcome: outcome,
      notes: notes, deep: deepMetrics, context: head.context)
  }

  private static let processID = ProcessInfo.processInfo.processIdentifier
  private static let noLabels = [TraceLabel.none]
}
