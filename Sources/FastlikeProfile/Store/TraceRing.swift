/// Finished traces in the order of their completion, the oldest giving way to the newest.
///
/// Complexity: appending, evicting and finding by id are O(1); a change of the capacity is O(count).
struct TraceRing: Sendable {
  /// A finished request: the closed recording that makes its trace when it is read, or a trace from elsewhere.
  enum Entry: Sendable {
    case recording(TraceRecorder)
    case trace(StoredTrace)

    init(_ trace: RequestTrace) { self = .trace(StoredTrace(trace)) }

    var id: UInt64 {
      switch self {
      case .recording(let recorder): recorder.id
      case .trace(let stored): stored.trace.id
      }
    }

    /// How many hostcalls and backend calls it holds.
    var size: (hostcalls: Int, backendCalls: Int) {
      switch self {
      case .recording(let recorder): recorder.size
      case .trace(let stored): (stored.trace.spans.count, stored.trace.backendCalls.count)
      }
    }

    var hasGuestSamples: Bool {
      switch self {
      case .recording(let recorder): !recorder.guestSamples.isEmpty
      case .trace(let stored): !stored.trace.guestStacks.samples.isEmpty
      }
    }

    var context: TraceContext? {
      switch self {
      case .recording(let recorder): recorder.head.context
      case .trace(let stored): stored.trace.context
      }
    }

    var trace: RequestTrace {
      switch self {
      case .recording(let recorder): recorder.trace
      case .trace(let stored): stored.trace
      }
    }
  }

  /// A trace is large; the ring moves references.
  final class StoredTrace: Sendable {
    let trace: RequestTrace
    init(_ trace: RequestTrace) { self.trace = trace }
  }

  private(set) var capacity: Int
  private var slots: [Entry?] = []
  /// The slot of the oldest trace.
  private var head = 0
  private(set) var count = 0
  private var slotByID: [UInt64: Int] = [:]

  init(capacity: Int) { self.capacity = max(1, capacity) }

  /// Appends, or replaces the trace of the same id in its place.
  mutating func append(_ trace: RequestTrace) { _ = append(Entry(trace)) }

  /// As ``append(_:)``, and returns what gave way, so that a caller behind a lock can let go of it outside.
  mutating func append(_ entry: Entry) -> Entry? {
    let id = entry.id
    if let slot = slotByID[id] {
      defer { slots[slot] = entry }
      return slots[slot]
    }
    let oldest = count == capacity ? removeOldest() : nil
    let slot: Int
    if slots.count < capacity, head == 0 {
      slot = count
      if slot == slots.count { slots.append(nil) }
    } else {
      slot = (head + count) % slots.count
    }
    slots[slot] = entry
    slotByID[id] = slot
    count += 1
    return oldest
  }

  /// Replaces the trace of the same id; false when there is none.
  mutating func replace(_ trace: RequestTrace) -> Bool {
    guard let slot = slotByID[trace.id] else { return false }
    slots[slot] = Entry(trace)
    return true
  }

  subscript(id: UInt64) -> Entry? { slotByID[id].flatMap { slots[$0] } }

  /// The newest traces first.
  func newest(_ limit: Int) -> [Entry] {
    let taken = limit <= 0 ? count : min(limit, count)
    var found: [Entry] = []
    found.reserveCapacity(taken)
    for offset in 1..<(taken + 1) {
      if let entry = slots[(head + count - offset) % slots.count] { found.append(entry) }
    }
    return found
  }

  mutating func setCapacity(_ capacity: Int) {
    let kept = Array(newest(max(1, capacity)).reversed())
    self = TraceRing(capacity: capacity)
    for entry in kept { _ = append(entry) }
  }

  mutating func removeAll() { self = TraceRing(capacity: capacity) }

  private mutating func removeOldest() -> Entry? {
    guard let oldest = slots[head] else { return nil }
    slotByID[oldest.id] = nil
    slots[head] = nil
    head = (head + 1) % slots.count
    count -= 1
    return oldest
  }
}
