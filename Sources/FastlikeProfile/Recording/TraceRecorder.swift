/// What is known of a request when its recording begins.
public struct TraceHead: Sendable, Hashable {
  /// The guest's module.
  public var module: TracedModule
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

  /// For a host that makes its ``TracedModule`` each time. See there.
  public init(
    moduleID: String, moduleName: String = "", method: String, url: RedactedURL, httpVersion: HTTPVersion? = nil,
    arrivedAt: UInt64? = nil, context: TraceContext? = nil
  ) {
    self.init(
      module: TracedModule(id: moduleID, name: moduleName), method: method, url: url, httpVersion: httpVersion,
      arrivedAt: arrivedAt, context: context)
  }

  public init(
    module: TracedModule, method: String, url: RedactedURL, httpVersion: HTTPVersion? = nil, arrivedAt: UInt64? = nil,
    context: TraceContext? = nil
  ) {
    self.module = module
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
  // a time). A closed recorder is only read. The store gives its recorder to another request when nobody else holds it.

  /// What is recorded.
  public let mode: ProfileMode
  @usableFromInline let core: UnsafeMutablePointer<RecordingCore>
  private let block: RecordingBlock
  /// What happens right now, for the store's list of running requests.
  @usableFromInline let live: UnsafeMutablePointer<LiveActivity>
  /// Where the store has it among running and ended ones, and its place among finished traces: the store's to change.
  var running = RunningRecorders.Links()
  var link = RecorderStack.Link()
  var place: UInt64 = 0
  let hostcalls: HostcallNameTable
  /// Where the store has it; nil without a store, and when the recording is closed.
  private var part: StorePart?
  private let pool: SpanChunkPool
  /// The trace of a closed recording; nil while it is still in the recorder's own memory.
  private var packed: PackedTrace?

  /// Records without a store. See ``ProfileStore/begin(_:)`` for recording into one.
  /// - Parameters:
  ///   - hostcalls: The names behind the indices given to ``beginSpan(hostcall:)``.
  ///   - mode: In ``ProfileMode/deep`` the ``DeepMetrics`` are recorded too.
  public convenience init(
    id: UInt64, head: TraceHead, hostcalls: HostcallNameTable, mode: ProfileMode = .trace,
    limits: TraceLimits = TraceLimits()
  ) {
    self.init(id: id, head: head, hostcalls: hostcalls, mode: mode, limits: limits, pool: .shared)
  }

  convenience init(
    id: UInt64, head: TraceHead, hostcalls: HostcallNameTable, mode: ProfileMode, limits: TraceLimits,
    pool: SpanChunkPool
  ) {
    let start = RecordingStart(after: head.arrivedAt.map { MonotonicInstant(monotonic: $0) })
    self.init(
      id: id, facts: RecordedFacts(start: start, module: head.module, httpVersion: head.httpVersion),
      hostcalls: hostcalls, mode: mode, limits: limits, pool: pool)
    details.pointee.head.put(method: head.method, url: head.url, context: head.context)
  }

  /// A recording without a head, which is put then.
  /// - Parameter part: Of the store that it is recorded into; nil without one.
  init(
    id: UInt64, facts: RecordedFacts, hostcalls: HostcallNameTable, mode: ProfileMode, limits: TraceLimits,
    pool: SpanChunkPool = .shared, in part: StorePart? = nil
  ) {
    self.hostcalls = hostcalls
    self.mode = mode
    self.pool = pool
    self.part = part
    block = RecordingBlock()
    core = block.core
    live = block.live
    live.initialize(to: LiveActivity())
    details.initialize(
      to: RecordingDetails(
        id: id, head: RecordedHead(in: block.head), facts: facts, limits: limits, isDeep: mode.includesDeep))
    core.initialize(
      to: RecordingCore(
        first: block.first, start: facts.start, scale: TraceClock.calibration.scale, cap: limits.spans))
  }

  deinit {
    if !isFinished {
      core.pointee.giveBack(to: pool)
      part?.abandon(self)
    }
    block.delete()
  }

  /// Begins to record another request, when nobody else has the recorder; the store puts its head.
  /// - Parameter backendCap: The one of the limits that can change.
  /// - Returns: What it still held and takes some time to be let go of.
  @inline(__always)
  func restart(
    id: UInt64, start: RecordingStart, module: TracedModule, httpVersion: HTTPVersion?, backendCap: Int,
    in part: StorePart
  ) -> PackedTrace? {
    self.part = part
    details.pointee.restart(id: id, start: start, module: module, httpVersion: httpVersion, backendCap: backendCap)
    core.pointee.restart(at: start, cap: details.pointee.limits.spans)
    return packed == nil ? nil : packed.take()
  }

  /// Lets go of the trace of a closed recording, when nobody else has the recorder.
  func forget() -> PackedTrace? {
    details.pointee.removeRest()
    return packed.take()
  }

  var details: UnsafeMutablePointer<RecordingDetails> { block.details }

  /// The trace's id.
  public var id: UInt64 { details.pointee.id }
  /// What was known at the beginning.
  public var head: TraceHead {
    let facts = details.pointee.facts
    let head = details.pointee.head.parts
    return TraceHead(
      module: facts.module, method: head.method, url: head.url, httpVersion: facts.httpVersion,
      arrivedAt: facts.start.queue > 0 ? facts.start.arrival : nil, context: head.context)
  }
  /// How much is kept.
  public var limits: TraceLimits { details.pointee.limits }

  // MARK: - Time

  /// Nanoseconds from the trace's start.
  @inlinable
  public var now: Int64 { core.pointee.now() }

  /// Turns an instant of the monotonic clock into nanoseconds from the trace's start; 0 for an earlier one.
  public func offset(ofMonotonic nanoseconds: UInt64) -> Int64 {
    max(0, Int64(bitPattern: nanoseconds &- details.pointee.facts.start.arrival))
  }

  /// Adds a known length to the time of preparation.
  public func recordSetup(nanoseconds: Int64) {
    guard details.pointee.facts.wallEnd == nil else { return }
    details.pointee.facts.setupNanos += max(0, nanoseconds)
  }

  /// Preparation is over: what passed since the recording's begin, without suspensions and hostcalls, was set-up.
  public func endSetup() {
    guard details.pointee.facts.wallEnd == nil else { return }
    let blockedOutside = details.pointee.blockedTime.total - core.pointee.blockedInHostcalls
    details.pointee.facts.setupNanos = max(
      0, core.pointee.now() - details.pointee.facts.start.queue - blockedOutside - core.pointee.hostcallNanos)
  }

  // MARK: - Spans

  // What most hostcalls take is short and calls nothing, so that it needs no room on the stack; everything else is aside.

  /// A hostcall begins. While one is open already, the new one counts as part of it.
  @inlinable @inline(__always)
  public func beginSpan(hostcall: UInt16) {
    let core = core
    guard core.pointee.depth == 0, core.pointee.cursor != core.pointee.limit, core.pointee.scale != 0 else {
      return beginUnusualSpan(hostcall: hostcall)
    }
    core.pointee.open(hostcall, at: core.pointee.countedNow())
    live.pointee.enter(hostcall)
  }

  /// The hostcall that began last ends.
  /// - Parameter status: What the guest gets.
  @inlinable @inline(__always)
  public func endSpan(status: Int32) {
    let core = core
    guard core.pointee.depth == 1, core.pointee.suspension == 0, core.pointee.scale != 0 else {
      return endUnusualSpan(status: status)
    }
    core.pointee.close(status, at: core.pointee.countedNow())
    live.pointee.leave()
  }

  /// While another is open, at the end of the present memory, or without a counter to be trusted.
  @usableFromInline @inline(never)
  func beginUnusualSpan(hostcall: UInt16) {
    if core.pointee.depth != 0 {
      core.pointee.depth += 1
      return
    }
    guard !core.pointee.isClosed else { return }
    if core.pointee.cursor == core.pointee.limit { core.pointee.refill(cap: limits.spans, from: pool) }
    core.pointee.open(hostcall, at: core.pointee.now())
    live.pointee.enter(hostcall)
  }

  /// Within another one, while the guest is suspended, or without a counter to be trusted.
  @usableFromInline @inline(never)
  func endUnusualSpan(status: Int32) {
    switch core.pointee.depth {
    case 0: return
    case 1:
      resume()
      core.pointee.close(status, at: core.pointee.now())
      live.pointee.leave()
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
    let label = TraceLabel(kind: kind, name: name)
    if kind == .headerName, let known = TracedHeaderName(label.name) {
      setLabel(details.pointee.intern(known))
    } else {
      setLabel(details.pointee.intern(label))
    }
  }

  /// Tells which header the open span touches, by the bytes of its name.
  public func label(headerName name: UnsafeRawBufferPointer) {
    guard core.pointee.depth != 0 else { return }
    if let known = details.pointee.headerNames.name(of: name) {
      setLabel(details.pointee.intern(known))
    } else {
      setLabel(details.pointee.intern(TraceLabel(headerName: name)))
    }
  }

  private func setLabel(_ label: @autoclosure () -> UInt32) {
    let span = core.pointee.cursor
    if span.pointee.label0 == 0 {
      span.pointee.label0 = label()
    } else if span.pointee.label1 == 0 {
      span.pointee.label1 = label()
    }
  }

  // MARK: - Suspension

  /// The guest is suspended. While it is already, the cause changes from here on.
  public func suspend(cause: BlockCause) {
    resume()
    guard details.pointee.facts.wallEnd == nil else { return }
    core.pointee.suspendedAt = now
    core.pointee.suspension = UInt32(cause.rawValue) + 1
    live.pointee.suspend(cause)
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
    live.pointee.resume()
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
    guard !isFinished, details.pointee.facts.outcome == .normal else { return }
    details.pointee.facts.outcome = outcome
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
    guard details.pointee.facts.wallEnd == nil else { return }
    if core.pointee.suspension != 0 || core.pointee.depth != 0 { endHostcalls() }
    details.pointee.facts.wallEnd = core.pointee.now()
    core.pointee.close()
  }

  /// A recording ends in the middle of hostcalls.
  @inline(never)
  private func endHostcalls() {
    resume()
    while core.pointee.depth > 0 { endSpan(status: -1) }
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
    if !details.pointee.backendCalls.isEmpty { sweepBackendCalls() }
    if mode.includesDeep { details.pointee.deepMetrics?.finalize() }
    details.pointee.isClosed = true
    part.take()?.complete(self)
    if core.pointee.hasMoreChunks {
      if packed == nil { packed = packAlone() }
      core.pointee.giveBack(to: pool)
    }
  }

  /// Whether a closed recording has nothing but some hostcalls: packing it takes nothing out of it and can wait.
  var isShort: Bool { !core.pointee.hasMoreChunks && !details.hasRarerParts }

  /// Packs the trace of a closed recording.
  func pack(in arena: inout PackedArena) -> KeptTrace {
    let kept = KeptTrace(details, core, in: &arena)
    // The others are still here when somebody asks for them.
    if kept.isLarge || core.pointee.hasMoreChunks { packed = kept.packed(in: arena) }
    return kept
  }

  private func packAlone() -> PackedTrace {
    var arena = PackedArena()
    return pack(in: &arena).packed(in: arena)
  }

  /// As ``close()``, and returns the trace. A second call returns the same trace.
  @discardableResult
  public func finish() -> RequestTrace {
    close()
    let packed = packed ?? packAlone()
    self.packed = packed
    return packed.trace(hostcalls)
  }

  /// Whether ``close()`` or ``finish()`` was called.
  public var isFinished: Bool { details.pointee.isClosed }

  /// Nanoseconds from start to end of a closed recording.
  var wallNanos: Int64 { details.pointee.facts.wallEnd ?? 0 }

  /// As ``RequestTrace/isError``.
  var isError: Bool { details.pointee.facts.outcome != .normal || details.pointee.facts.response.status >= 500 }

  /// Who owns the wall time of a closed recording.
  public var time: TimeAccount {
    TimeAccount(
      closing: wallNanos, queue: details.pointee.facts.start.queue, setup: details.pointee.facts.setupNanos,
      host: core.pointee.hostcallNanos - core.pointee.blockedInHostcalls, blocked: details.pointee.blockedTime,
      blockedInHostcalls: core.pointee.blockedInHostcalls)
  }

  /// The hostcalls of a closed recording, in order.
  func forEachChunk(_ body: (UnsafeBufferPointer<Span>) -> Void) { core.pointee.forEachChunk(body) }

  /// What a closed recording adds to the store's sums, beside its hostcalls.
  var summed: SummedRequest {
    let details = details
    return SummedRequest(
      outcome: details.pointee.facts.outcome, status: details.pointee.facts.response.status, wallNanos: wallNanos,
      time: time,
      responseBytes: details.pointee.facts.response.bytesWritten, hostcalls: hostcalls,
      hostcallNanos: core.pointee.hostcallNanos, backendCalls: details.pointee.backendCalls, dropped: dropped,
      heapSamples: details.pointee.deepMetrics?.heapSamples ?? [])
  }

  private var dropped: TraceTotals.Dropped {
    TraceTotals.Dropped(
      spans: core.pointee.droppedSpans, backendCalls: Int(details.pointee.facts.droppedBackendCalls),
      blockedIntervals: Int(details.pointee.facts.droppedBlockedIntervals),
      guestSamples: Int(details.pointee.facts.droppedGuestSamples),
      heapSamples: details.pointee.deepMetrics?.heapSamplesDropped ?? 0)
  }
}
