internal import CTimestamp
internal import Foundation

/// What one recording holds beside its spans. It lies in a ``RecordingBlock``, as the words that spans touch do.
struct RecordingDetails {
  private(set) var id: UInt64
  private(set) var head: TraceHead
  private(set) var limits: TraceLimits
  private(set) var start: RecordingStart
  var setupNanos: Int64 = 0
  /// When the request was over for its client; nil while it is not.
  var wallEnd: Int64?
  var isClosed = false
  var blockedTime = BlockedTime()
  var blocked: [BlockedInterval] = []
  var droppedBlockedIntervals = 0
  /// What spans refer to; index 0 of the finished trace is ``TraceLabel/none``, so these begin at 1.
  private(set) var labels = LabelList()
  var backendCalls: [BackendCall] = []
  var backendStates: [BackendCallState] = []
  var droppedBackendCalls = 0
  /// Nil where none were sampled.
  var stacks: GuestStacks?
  var droppedGuestSamples = 0
  var memoryGrowth: [MemoryGrowth] = []
  var droppedMemoryGrowth = 0
  var fuel: Int64?
  var response = ResponseObservation()
  var outcome = TraceOutcome.normal
  var notes: [TraceNote] = []
  var deepMetrics: DeepMetrics?
  /// The hostcalls of a closed recording, where they are more than the block holds.
  var spans: [Span]?

  init(id: UInt64, head: TraceHead, limits: TraceLimits, start: RecordingStart, isDeep: Bool) {
    self.id = id
    self.head = head
    self.limits = limits
    self.start = start
    if isDeep { deepMetrics = DeepMetrics() }
  }

  /// As a new one, in the memory of this one.
  mutating func restart(id: UInt64, head: TraceHead, limits: TraceLimits, start: RecordingStart, isDeep: Bool) {
    self.id = id
    self.head = head
    self.limits = limits
    self.start = start
    setupNanos = 0
    wallEnd = nil
    isClosed = false
    blockedTime = BlockedTime()
    blocked.empty()
    droppedBlockedIntervals = 0
    labels.removeAll()
    backendCalls.empty()
    backendStates.empty()
    droppedBackendCalls = 0
    if stacks != nil { stacks = nil }
    droppedGuestSamples = 0
    memoryGrowth.empty()
    droppedMemoryGrowth = 0
    fuel = nil
    response = ResponseObservation()
    outcome = .normal
    notes.empty()
    if isDeep { deepMetrics = DeepMetrics() }
    if spans != nil { spans = nil }
  }

  /// The index of a label in the finished trace.
  mutating func intern(_ label: TraceLabel) -> UInt32 {
    if let known = labels.firstIndex(of: label) { return UInt32(known + 1) }
    var kept = label
    if labels.count >= limits.labels {
      kept = TraceLabel(kind: .other, name: "(other)")
      if let known = labels.firstIndex(of: kept) { return UInt32(known + 1) }
    }
    labels.append(kept)
    return UInt32(labels.count)
  }

  mutating func add(_ interval: BlockedInterval) {
    if blocked.count < limits.blockedIntervals {
      blocked.append(interval)
    } else {
      droppedBlockedIntervals += 1
    }
  }

  /// Lets go of what is not needed any more, and of memory that is much larger than its contents.
  mutating func settle() {
    labels.settle()
    backendCalls = backendCalls.trimmed()
    backendStates = []
    blocked = blocked.trimmed()
    stacks?.settle()
    notes = notes.trimmed()
  }
}

/// The instant at which a recording begins.
struct RecordingStart {
  let monotonic = ctimestamp_monotonic()
  let cycles = ctimestamp_cycles()
  /// Nanoseconds that the request had waited.
  let queue: Int64
  /// When the request arrived, in nanoseconds since 1970.
  let unix: Int64

  /// - Parameter arrival: In monotonic nanoseconds; nil when the request has not waited.
  init(after arrival: UInt64?) {
    queue = arrival.map { [monotonic] in max(0, Int64(bitPattern: monotonic &- $0)) } ?? 0
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    unix = Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec) - queue
  }

  /// When the request arrived, in monotonic nanoseconds.
  var arrival: UInt64 { monotonic &- UInt64(queue) }
}

/// The memory of a recording: its words, its details and its first spans, in one allocation that is used again.
struct RecordingBlock {
  let core: UnsafeMutablePointer<RecordingCore>
  let details: UnsafeMutablePointer<RecordingDetails>
  /// Uninitialized.
  let first: SpanChunk

  init() {
    let coreBytes = MemoryLayout<RecordingCore>.stride.rounded(to: Self.alignment)
    let detailBytes = MemoryLayout<RecordingDetails>.stride.rounded(to: Self.alignment)
    let spanBytes = MemoryLayout<Span>.stride * SpanChunkPool.chunkCapacity
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: coreBytes + detailBytes + spanBytes, alignment: Self.alignment)
    core = memory.bindMemory(to: RecordingCore.self, capacity: 1)
    details = (memory + coreBytes).bindMemory(to: RecordingDetails.self, capacity: 1)
    first = SpanChunk(
      base: (memory + coreBytes + detailBytes).bindMemory(to: Span.self, capacity: SpanChunkPool.chunkCapacity))
  }

  /// That of a span, the largest of the three.
  private static let alignment = MemoryLayout<Span>.alignment

  /// The block is about to be used again.
  func prefetch() { ctimestamp_prefetch(core, Self.usualBytes) }

  /// Words, details, and the spans of a short request.
  private static let usualBytes =
    MemoryLayout<RecordingCore>.stride + MemoryLayout<RecordingDetails>.stride + 8 * MemoryLayout<Span>.stride

  /// Gives the memory back, with initialized words and details.
  func delete() {
    details.deinitialize(count: 1)
    core.deinitialize(count: 1)
    UnsafeMutableRawPointer(core).deallocate()
  }
}

extension Int {
  fileprivate func rounded(to multiple: Int) -> Int { (self + multiple - 1) / multiple * multiple }
}

extension Array {
  /// Without more slack than some elements.
  fileprivate func trimmed() -> [Element] { capacity > count + 32 ? exactCopy() : self }

  /// Removes everything, and gives large storage back.
  fileprivate mutating func empty() {
    guard !isEmpty else { return }
    removeAll(keepingCapacity: capacity <= 64)
  }
}
