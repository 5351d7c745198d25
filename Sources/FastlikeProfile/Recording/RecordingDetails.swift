internal import CTimestamp
internal import Foundation

/// What is recorded of a request in numbers: begun, reset and packed as one piece of memory.
struct RecordedFacts: BitwiseCopyable {
  let start: RecordingStart
  var setupNanos: Int64 = 0
  /// When the request was over for its client; nil while it is not.
  var wallEnd: Int64?
  var response = ResponseObservation()
  var fuel: Int64?
  var droppedBackendCalls: UInt32 = 0
  var droppedBlockedIntervals: UInt32 = 0
  var droppedGuestSamples: UInt32 = 0
  var droppedMemoryGrowth: UInt32 = 0
  let module: TracedModule
  let httpVersion: HTTPVersion?
  var outcome = TraceOutcome.normal

  init(start: RecordingStart, module: TracedModule, httpVersion: HTTPVersion?) {
    self.start = start
    self.module = module
    self.httpVersion = httpVersion
  }
}

/// What one recording holds beside its spans. It lies in a ``RecordingBlock``, as the words that spans touch do.
struct RecordingDetails {
  private(set) var id: UInt64
  var head: RecordedHead
  var facts: RecordedFacts
  var isClosed = false
  /// Whether there are ``stacks``; asking those would copy them.
  private(set) var hasStacks = false
  /// Whether there are ``deepMetrics``; asking those would copy them.
  let isDeep: Bool
  /// The size of the guest's memory when it was last sampled; negative while it was not.
  var sampledMemory: Int64 = -1
  var blocked: [BlockedInterval] = []
  var backendCalls: [BackendCall] = []
  var backendStates: [BackendCallState] = []
  var memoryGrowth: [MemoryGrowth] = []
  var notes: [TraceNote] = []
  /// What spans refer to; index 0 of the finished trace is ``TraceLabel/none``, so these begin at 1.
  private(set) var labels = LabelList()
  /// For this recording and those after it.
  var headerNames = HeaderNames()
  private(set) var limits: TraceLimits

  // What few requests use.

  var blockedTime = BlockedTime()
  /// Nil where none were sampled.
  private(set) var stacks: GuestStacks?
  var deepMetrics: DeepMetrics?
  /// Where there are ``deepMetrics``.
  var headers = RecordedHeaders()

  init(id: UInt64, head: RecordedHead, facts: RecordedFacts, limits: TraceLimits, isDeep: Bool) {
    self.id = id
    self.head = head
    self.facts = facts
    self.limits = limits
    self.isDeep = isDeep
    if isDeep { deepMetrics = DeepMetrics() }
  }

  /// As a new one, in the memory of this one and with its present ``head``, in the place of which another is put then.
  /// - Parameter backendCap: The one of the limits that can change.
  @inline(__always)
  mutating func restart(
    id: UInt64, start: RecordingStart, module: TracedModule, httpVersion: HTTPVersion?, backendCap: Int
  ) {
    self.id = id
    let hasBlocked = facts.droppedBlockedIntervals > 0 || !blocked.isEmpty
    facts = RecordedFacts(start: start, module: module, httpVersion: httpVersion)
    limits.backendCalls = backendCap
    isClosed = false
    labels.removeAll()
    let count = backendCalls.count | backendStates.count | memoryGrowth.count | notes.count
    if isDeep || hasStacks || hasBlocked || count != 0 { removeRest() }
  }

  /// Lets go of what few requests have.
  @inline(never)
  mutating func removeRest() {
    blockedTime = BlockedTime()
    blocked.empty()
    backendCalls.empty()
    backendStates.empty()
    memoryGrowth.empty()
    notes.empty()
    _ = takeStacks()
    sampledMemory = -1
    if isDeep {
      deepMetrics = DeepMetrics()
      headers.removeAll()
    }
  }

  /// The index of a label in the finished trace.
  mutating func intern(_ label: TraceLabel) -> UInt32 {
    if let known = labels.firstIndex(of: label) { return UInt32(known + 1) }
    guard labels.count < limits.labels else { return internOther() }
    labels.append(label)
    return UInt32(labels.count)
  }

  /// The index of a header's label in the finished trace.
  mutating func intern(_ name: TracedHeaderName) -> UInt32 {
    if let known = labels.firstIndex(of: name) { return UInt32(known + 1) }
    guard labels.count < limits.labels else { return internOther() }
    labels.append(name)
    return UInt32(labels.count)
  }

  /// The index of the label that all have for which there is no room.
  private mutating func internOther() -> UInt32 {
    let other = TraceLabel(kind: .other, name: "(other)")
    if let known = labels.firstIndex(of: other) { return UInt32(known + 1) }
    labels.append(other)
    return UInt32(labels.count)
  }

  /// Changes the sampled stacks.
  mutating func withStacks<Result>(_ body: (inout GuestStacks) -> Result) -> Result {
    if !hasStacks {
      stacks = GuestStacks()
      hasStacks = true
    }
    return body(&stacks!)
  }

  /// Takes the sampled stacks out.
  mutating func takeStacks() -> GuestStacks? {
    guard hasStacks else { return nil }
    hasStacks = false
    var taken = stacks.take()
    taken?.settle()
    return taken
  }

  mutating func add(_ interval: BlockedInterval) {
    if blocked.count < limits.blockedIntervals {
      blocked.append(interval)
    } else {
      facts.droppedBlockedIntervals += 1
    }
  }
}

/// The instant at which a recording begins.
struct RecordingStart: BitwiseCopyable {
  let monotonic: UInt64
  let cycles = ctimestamp_cycles()
  /// Nanoseconds that the request had waited.
  let queue: Int64
  /// When the request arrived, in nanoseconds since 1970.
  let unix: Int64

  /// - Parameters:
  ///   - arrival: Nil when the request has not waited.
  ///   - scale: As of ``TraceClock/calibration``.
  @inline(__always)
  init(after arrival: MonotonicInstant?, scale: UInt64 = TraceClock.calibration.scale) {
    if let arrival, arrival.cycles != 0, scale != 0 {
      queue = TraceClock.nanoseconds(cycles: cycles, since: arrival.cycles, scale: scale)
      monotonic = arrival.monotonic &+ UInt64(queue)
      unix = TraceClock.unixNanos(atMonotonic: arrival.monotonic)
    } else {
      monotonic = ctimestamp_monotonic()
      queue = max(0, Int64(bitPattern: monotonic &- (arrival?.monotonic ?? monotonic)))
      unix = TraceClock.unixNanos(atMonotonic: monotonic) - queue
    }
  }

  /// When the request arrived, in monotonic nanoseconds.
  var arrival: UInt64 { monotonic &- UInt64(queue) }
}

/// The memory of a recording: its words, its details, its head and its first spans, in one allocation that is used again.
struct RecordingBlock {
  let live: UnsafeMutablePointer<LiveActivity>
  let core: UnsafeMutablePointer<RecordingCore>
  let details: UnsafeMutablePointer<RecordingDetails>
  /// For the head; not written.
  let head: UnsafeMutableBufferPointer<UInt8>
  /// Uninitialized.
  let first: SpanChunk

  init() {
    let core = MemoryLayout<LiveActivity>.stride.rounded(to: MemoryLayout<RecordingCore>.alignment)
    let details = (core + MemoryLayout<RecordingCore>.stride).rounded(to: Self.alignment)
    let head = details + MemoryLayout<RecordingDetails>.stride
    let spans = (head + RecordedHead.areaSize).rounded(to: Self.alignment)
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: spans + MemoryLayout<Span>.stride * SpanChunkPool.chunkCapacity, alignment: Self.alignment)
    live = memory.bindMemory(to: LiveActivity.self, capacity: 1)
    self.core = (memory + core).bindMemory(to: RecordingCore.self, capacity: 1)
    self.details = (memory + details).bindMemory(to: RecordingDetails.self, capacity: 1)
    self.head = UnsafeMutableBufferPointer(
      start: (memory + head).bindMemory(to: UInt8.self, capacity: RecordedHead.areaSize), count: RecordedHead.areaSize)
    first = SpanChunk(base: (memory + spans).bindMemory(to: Span.self, capacity: SpanChunkPool.chunkCapacity))
  }

  /// A cache line, which is also a span's size.
  private static let alignment = 64

  /// Gives the memory back, all of it but the spans initialized.
  func delete() {
    details.deinitialize(count: 1)
    core.deinitialize(count: 1)
    live.deinitialize(count: 1)
    UnsafeMutableRawPointer(live).deallocate()
  }
}

extension Int {
  fileprivate func rounded(to multiple: Int) -> Int { (self + multiple - 1) / multiple * multiple }
}

extension Array {
  /// Removes everything, and gives large storage back.
  fileprivate mutating func empty() {
    guard !isEmpty else { return }
    removeAll(keepingCapacity: capacity <= 64)
  }
}
