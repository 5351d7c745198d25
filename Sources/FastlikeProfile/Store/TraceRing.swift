internal import DequeModule

/// Finished traces in the order of their completion.
///
/// Complexity: appending and taking out the oldest are O(1), and so is finding by id for each trace that was appended. Ids are
/// entered into the index when somebody looks one up, so that a loop whose traces nobody reads has no index to keep.
struct TraceRing: Sendable {
  /// A finished request: what was recorded here, or a trace from elsewhere.
  enum Entry: Sendable {
    case packed(PackedTrace)
    case trace(StoredTrace)

    init(_ trace: RequestTrace) { self = .trace(StoredTrace(trace)) }

    var id: UInt64 {
      switch self {
      case .packed(let packed): packed.id
      case .trace(let stored): stored.trace.id
      }
    }

    /// How many hostcalls and backend calls it holds.
    var size: (hostcalls: Int, backendCalls: Int) {
      switch self {
      case .packed(let packed): (packed.hostcallCount, packed.backendCallCount)
      case .trace(let stored): (stored.trace.spans.count, stored.trace.backendCalls.count)
      }
    }

    var hasGuestSamples: Bool {
      switch self {
      case .packed(let packed): packed.hasGuestSamples
      case .trace(let stored): !stored.trace.guestStacks.samples.isEmpty
      }
    }

    /// Whether it is one that is to be pushed; those without a place in a distributed trace are.
    var isSampled: Bool {
      switch self {
      case .packed(let packed): packed.isSampled
      case .trace(let stored): stored.trace.context?.isSampled ?? true
      }
    }

    /// - Parameter hostcalls: The names behind the indices of what was recorded here.
    func trace(_ hostcalls: HostcallNameTable) -> RequestTrace {
      switch self {
      case .packed(let packed): packed.trace(hostcalls)
      case .trace(let stored): stored.trace
      }
    }
  }

  /// A trace is large; the ring moves references.
  final class StoredTrace: Sendable {
    let trace: RequestTrace
    init(_ trace: RequestTrace) { self.trace = trace }
  }

  private struct Key {
    let id: UInt64
    /// Among all traces of the store.
    let place: UInt64
  }

  // Two rows, both by the order of places: looking at a key counts no references.
  private var keys: Deque<Key> = []
  private var entries: Deque<Entry> = []
  /// How many traces were removed at the front.
  private var removed: UInt64 = 0
  /// Slots by id, counted from the very first one.
  private var index: [UInt64: UInt64] = [:]
  /// Slots before this one are in the index.
  private var indexed: UInt64 = 0

  var count: Int { keys.count }

  /// - Parameter place: Greater than those before.
  mutating func append(_ entry: consuming Entry, id: UInt64, place: UInt64) {
    keys.append(Key(id: id, place: place))
    entries.append(entry)
  }

  /// Replaces the entry of the same id in its place.
  /// - Returns: The one before; nil where there is none, and nothing is changed.
  mutating func replace(_ entry: Entry, id: UInt64) -> Entry? {
    guard let slot = slot(of: id) else { return nil }
    let before = entries[slot]
    entries[slot] = entry
    return before
  }

  /// The newest entry of an id, and its place.
  mutating func entry(id: UInt64) -> (place: UInt64, entry: Entry)? {
    slot(of: id).map { (keys[$0].place, entries[$0]) }
  }

  private mutating func slot(of id: UInt64) -> Int? {
    indexed = max(indexed, removed)
    for key in keys[Int(indexed - removed)...] {
      index[key.id] = indexed
      indexed += 1
    }
    return index[id].map { Int($0 - removed) }
  }

  /// The newest traces first; all of them for a limit below 1.
  func newest(_ limit: Int) -> [(place: UInt64, entry: Entry)] {
    let slots = keys.indices.suffix(limit < 1 ? count : limit)
    return slots.reversed().map { (keys[$0].place, entries[$0]) }
  }

  /// Keeps the made trace of a place, for others who read it, unless it gave way meanwhile.
  mutating func keep(_ made: StoredTrace, at place: UInt64) {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if keys[middle].place < place { low = middle + 1 } else { high = middle }
    }
    guard low < count, keys[low].place == place, case .packed = entries[low] else { return }
    entries[low] = .trace(made)
  }

  /// Takes out the oldest one, if it lies before this place.
  mutating func removeOldest(before place: UInt64) -> Entry? {
    guard let oldest = keys.first, oldest.place < place else { return nil }
    keys.removeFirst()
    if removed < indexed, index[oldest.id] == removed { index[oldest.id] = nil }
    removed += 1
    return entries.removeFirst()
  }
}
