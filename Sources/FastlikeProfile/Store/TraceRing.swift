/// Finished traces in the order of their completion, the oldest giving way to the newest.
///
/// Complexity: appending, evicting and finding by id are O(1); a change of the capacity is O(count).
struct TraceRing: Sendable {
  /// A trace is large; the ring moves references.
  final class Entry: Sendable {
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
    let trace = entry.trace
    if let slot = slotByID[trace.id] {
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
    slotByID[trace.id] = slot
    count += 1
    return oldest
  }

  /// Replaces the trace of the same id; false when there is none.
  mutating func replace(_ trace: RequestTrace) -> Bool {
    guard let slot = slotByID[trace.id] else { return false }
    slots[slot] = Entry(trace)
    return true
  }

  subscript(id: UInt64) -> RequestTrace? {
    slotByID[id].flatMap { slots[$0]?.trace }
  }

  /// The newest traces first.
  func newest(_ limit: Int) -> [RequestTrace] {
    let taken = limit <= 0 ? count : min(limit, count)
    var found: [RequestTrace] = []
    found.reserveCapacity(taken)
    for offset in 1..<(taken + 1) {
      if let entry = slots[(head + count - offset) % slots.count] { found.append(entry.trace) }
    }
    return found
  }

  mutating func setCapacity(_ capacity: Int) {
    let kept = Array(newest(max(1, capacity)).reversed())
    self = TraceRing(capacity: capacity)
    for trace in kept { append(trace) }
  }

  mutating func removeAll() { self = TraceRing(capacity: capacity) }

  private mutating func removeOldest() -> Entry? {
    guard let oldest = slots[head] else { return nil }
    slotByID[oldest.trace.id] = nil
    slots[head] = nil
    head = (head + 1) % slots.count
    count -= 1
    return oldest
  }
}
