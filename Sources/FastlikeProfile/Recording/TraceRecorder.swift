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
  // a time). A closed recorder is only read, but for the trace, which is behind a lock. The store gives its recorder to another
  // request when nobody else holds it.

  /// What is recorded.
  public let mode: ProfileMode
  @usableFromInline let core: UnsafeMutablePointer<RecordingCore>
  private let block: RecordingBlock
  /// What happens right now, for the store's list of running requests.
  @usableFromInline let live: LiveActivity
  /// Where the store's list of running requests has it; the store's to change.
  var runningPlace: Int32 = -1
  let hostcalls: HostcallNameTable
  /// Where the store has it; nil without a store, and when the recording is closed.
  private var part: StorePart?
  private let pool: SpanChunkPool
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
    self.init(id: id, head: head, hostcalls: hostcalls, mode: mode, limits: limits, part: nil)
  }

  init(
    id: UInt64, head: TraceHead, hostcalls: HostcallNameTable, mode: ProfileMode, limits: TraceLimits,
    part: StorePart?, pool: SpanChunkPool = .shared
  ) {
    self.hostcalls = hostcalls
    self.mode = mode
    self.part = part
    self.pool = pool
    live = LiveActivity()
    block = RecordingBlock()
    core = block.core
    let start = RecordingStart(after: head.arrivedAt)
    details.initialize(
      to: RecordingDetails(id: id, head: head, limits: limits, start: start, isDeep: mode.includesDeep))
    core.initialize(
      to: RecordingCore(
        first: block.first, start: start, scale: TraceClock.calibration.scale, cap: limits.spans))
  }

  deinit {
    if !isFinished {
      _ = core.pointee.settle(into: pool)
      part?.abandon(self)
    }
    block.delete()
  }

  /// It will soon record another request, and was not looked at for a while.
  func prefetch() { block.prefetch() }

  /// Begins to record another request, when nobody else has the recorder.
  func restart(id: UInt64, head: TraceHead, limits: TraceLimits, in part: StorePart) {
    self.part = part
    let start = RecordingStart(after: head.arrivedAt)
    details.pointee.restart(id: id, head: head, limits: limits, start: start, isDeep: mode.includesDeep)
    core.pointee.restart(at: start, cap: limits.spans)
    made.withLock { $0 = nil }
  }

  var details: UnsafeMutablePointer<RecordingDetails> { block.details }

  /// The trace's id.
  public var id: UInt64 { details.pointee.id }
  /// What was known at the beginning.
  public var head: TraceHead { details.pointee.head }
  /// How much is kept.
  public var limits: TraceLimits { details.pointee.limits }

  // MARK: - Time

  /// Nanoseconds from the trace's start.
  @inlinable
  public var now: Int64 { core.pointee.now() }

  /// Turns an instant of the monotonic clock into nanoseconds from the trace's start; 0 for an earlier one.
  public func offset(ofMonotonic nanoseconds: UInt64) -> Int64 {
    max(0, Int64(bitPattern: nanoseconds &- details.pointee.start.arrival))
  }

  /// Adds a known length to the time of preparation.
  public func recordSetup(nanoseconds: Int64) {
    guard details.pointee.wallEnd == nil else { return }
    details.pointee.setupNanos += max(0, nanoseconds)
  }

  /// Preparation is over: what passed since the recording's begin, without suspensions and hostcalls, was set-up.
  public func endSetup() {
    guard details.pointee.wallEnd == nil else { return }
    let blockedOutside = details.pointee.blockedTime.total - core.pointee.blockedInHostcalls
    details.pointee.setupNanos = max(0, now - details.pointee.start.queue - blockedOutside - core.pointee.hostcallNanos)
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
    label(TraceLabel(kind: kind, name: name))
  }

  /// Tells which header the open span touches, by the bytes of its name.
  public func label(headerName name: UnsafeRawBufferPointer) {
    guard core.pointee.depth != 0 else { return }
    label(TraceLabel(headerName: name))
  }

  private func label(_ label: TraceLabel) {
    let span = core.pointee.cursor
    if span.pointee.label0 == 0 {
      span.pointee.label0 = details.pointee.intern(label)
    } else if span.pointee.label1 == 0 {
      span.pointee.label1 = details.pointee.intern(label)
    }
  }

  // MARK: - Suspension

  /// The guest is suspended. While it is already, the cause changes from here on.
  public func suspend(cause: BlockCause) {
    resume()
    guard details.pointee.wallEnd == nil else { return }
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
    details.pointee.blockedTime[cause] += duration
    if inHostcall {
      core.pointee.cursor.pointee.blocked += duration
      core.pointee.blockedInHostcalls += duration
    }
    details.pointee.add(BlockedInterval(start: start, duration: duration, cause: cause, inHostcall: inHostcall))
  }

  // MARK: - End

  /// Sets how the request ended; the first that is not normal stays.
  public func setOutcome(_ outcome: TraceOutcome) {
    guard !isFinished, details.pointee.outcome == .normal else { return }
    details.pointee.outcome = outcome
  }

  /// Adds a remark; see ``TraceNote``.
  public func note(_ text: StaticString) { note(TraceNote(text)) }

  /// Adds a remark; see ``TraceNote``.
  public func note(_ note: TraceNote) {
    guard !isFinished, details.pointee.notes.count < details.pointee.limits.notes else { return }
    details.pointee.notes.append(note)
  }

  /// The request is over for its client: the wall time stops here, and hostcalls are recorded no more. Backend calls
  /// can still be updated until ``finish()``. A second call is without effect.
  public func end() {
    guard details.pointee.wallEnd == nil else { return }
    resume()
    while core.pointee.depth > 0 { endSpan(status: -1) }
    details.pointee.wallEnd = now
    core.pointee.close()
  }

  /// Closes the recording and hands it to the store, if there is one. Backend calls that nobody asked for become
  /// ``BackendOutcome/orphaned``, others that are still running stay ``BackendOutcome/incomplete``. A second call is
  /// without effect.
  ///
  /// A host that does not look at the trace itself calls this rather than ``finish()``: the trace is made when somebody
  /// asks the store for it.
  public func close() {
    guard !isFinished else { return }
    end()
    sweepBackendCalls()
    details.pointee.deepMetrics?.finalize()
    details.pointee.spans = core.pointee.settle(into: pool)
    details.pointee.settle()
    details.pointee.isClosed = true
    part?.complete(self)
    part = nil
  }

  /// As ``close()``, and returns the trace. A second call returns the same trace.
  @discardableResult
  public func finish() -> RequestTrace {
    close()
    return trace
  }

  /// Whether ``close()`` or ``finish()`` was called.
  public var isFinished: Bool { details.pointee.isClosed }

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
  var size: (hostcalls: Int, backendCalls: Int) {
    (details.pointee.spans?.count ?? core.pointee.spanCount, details.pointee.backendCalls.count)
  }

  /// Whether stacks of the guest were sampled.
  var hasGuestSamples: Bool { (details.pointee.stacks?.count ?? 0) > 0 }

  /// Nanoseconds from start to end of a closed recording.
  var wallNanos: Int64 { details.pointee.wallEnd ?? 0 }

  /// As ``RequestTrace/isError``.
  var isError: Bool { details.pointee.outcome != .normal || details.pointee.response.status >= 500 }

  /// Who owns the wall time of a closed recording.
  public var time: TimeAccount {
    TimeAccount(
      closing: wallNanos, queue: details.pointee.start.queue, setup: details.pointee.setupNanos,
      host: core.pointee.hostcallNanos - core.pointee.blockedInHostcalls, blocked: details.pointee.blockedTime,
      blockedInHostcalls: core.pointee.blockedInHostcalls)
  }

  /// The hostcalls of a closed recording.
  func withSpans<Result>(_ body: (UnsafeBufferPointer<Span>) -> Result) -> Result {
    guard let spans = details.pointee.spans else { return core.pointee.withFirstSpans(body) }
    return spans.withUnsafeBufferPointer(body)
  }

  /// What a closed recording adds to the store's sums, beside its hostcalls.
  var summed: SummedRequest {
    let details = details
    return SummedRequest(
      outcome: details.pointee.outcome, status: details.pointee.response.status, wallNanos: wallNanos, time: time,
      responseBytes: details.pointee.response.bytesWritten, hostcalls: hostcalls,
      hostcallNanos: core.pointee.hostcallNanos, backendCalls: details.pointee.backendCalls, dropped: dropped,
      heapSamples: details.pointee.deepMetrics?.heapSamples ?? [])
  }

  private var dropped: TraceTotals.Dropped {
    TraceTotals.Dropped(
      spans: core.pointee.droppedSpans, backendCalls: details.pointee.droppedBackendCalls,
      blockedIntervals: details.pointee.droppedBlockedIntervals,
      guestSamples: details.pointee.droppedGuestSamples,
      heapSamples: details.pointee.deepMetrics?.heapSamplesDropped ?? 0)
  }

  private func makeTrace() -> RequestTrace {
    let details = details.pointee
    let stacks = details.stacks?.resolved()
    return RequestTrace(
      id: details.id, moduleID: details.head.moduleID, moduleName: details.head.moduleName,
      processID: Self.processID, method: details.head.method, url: details.head.url,
      httpVersion: details.head.httpVersion, status: details.response.status,
      responseBytes: details.response.bytesWritten, wallStartUnixNanos: details.start.unix,
      monotonicStartNanos: details.start.arrival, wallNanos: wallNanos,
      headerFlushNanos: details.response.headerFlushed, hijackedNanos: details.response.hijacked,
      nativeCPUNanos: stacks.map(\.guestNanos).flatMap { $0 > 0 ? $0 : nil }, guestFuel: details.fuel,
      time: time, hostcallNanos: core.pointee.hostcallNanos, hostcalls: hostcalls,
      labels: [TraceLabel.none] + details.labels.all, spans: withSpans { Array($0) },
      backendCalls: details.backendCalls.exactCopy(), blocked: details.blocked.exactCopy(),
      guestStacks: stacks?.profile ?? .empty,
      droppedSpans: core.pointee.droppedSpans, droppedBackendCalls: details.droppedBackendCalls,
      droppedBlockedIntervals: details.droppedBlockedIntervals, droppedGuestSamples: details.droppedGuestSamples,
      memoryGrowth: details.memoryGrowth, droppedMemoryGrowth: details.droppedMemoryGrowth,
      outcome: details.outcome, notes: details.notes.exactCopy(), deep: details.deepMetrics,
      context: details.head.context)
  }

  private static let processID = ProcessInfo.processInfo.processIdentifier
}
