internal import DequeModule

/// Finished traces in the order of their completion.
///
/// Complexity: appending and taking out the oldest are O(1), and so is finding by id for each trace that was appended. Ids are
/// entered into the index when somebody looks one up, so that a loop whose traces nobody reads has no index to keep.
struct TraceRing: ~Copyable, Sendable {
  /// A finished request: what was recorded here, or a trace from elsewhere.
  enum Entry: Sendable {
    case packed(PackedTrace)
    case trace(StoredTrace)

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

  /// What is kept of a trace beside its bytes.
  private enum Rest {
    case parts(KeptTrace.RarerParts)
    /// All of it: there are no bytes.
    case trace(StoredTrace)
  }

  private struct Slot: BitwiseCopyable {
    /// Among all traces of the store.
    let place: UInt64
    let id: UInt64
    /// Nil where all of the trace is in ``rests``.
    var packed: KeptTrace.Facts?
    /// Whether something of it is in ``rests``.
    var hasRest: Bool
  }

  // Two rows, both by the order of places: what is done for every request counts no references.
  private var slots: Deque<Slot> = []
  /// Of those that have something here.
  private var rests: Deque<(place: UInt64, rest: Rest)> = []
  private var arena = PackedArena()
  /// How many traces were removed at the front.
  private var removed: UInt64 = 0
  /// Slots by id, counted from the very first one.
  private var index: [UInt64: UInt64] = [:]
  /// Slots before this one are in the index.
  private var indexed: UInt64 = 0

  var count: Int { slots.count }

  /// Packs the trace of a closed recording.
  /// - Parameter place: Greater than those before.
  mutating func append(_ recorder: TraceRecorder, place: UInt64) {
    let kept = recorder.pack(in: &arena)
    slots.append(Slot(place: place, id: kept.facts.id, packed: kept.facts, hasRest: kept.parts != nil))
    if let parts = kept.parts { rests.append((place, .parts(parts))) }
  }

  /// - Parameter place: Greater than those before.
  mutating func append(_ trace: StoredTrace, place: UInt64) {
    slots.append(Slot(place: place, id: trace.trace.id, packed: nil, hasRest: true))
    rests.append((place, .trace(trace)))
  }

  /// The newest trace, of which there must be one.
  var last: Entry { entry(in: slots.count - 1) }

  /// Replaces the trace of the same id in its place.
  /// - Returns: The one before; nil where there is none, and nothing is changed.
  mutating func replace(_ trace: StoredTrace) -> Entry? {
    slot(of: trace.trace.id).map { put(trace, in: $0) }
  }

  private mutating func put(_ trace: StoredTrace, in slot: Int) -> Entry {
    let before = entry(in: slot)
    if let packed = slots[slot].packed { arena.giveBack(packed.place) }
    let place = slots[slot].place
    let index = rests.firstPlace { $0.place < place }
    if slots[slot].hasRest {
      rests[index].rest = .trace(trace)
    } else {
      rests.insert((place, .trace(trace)), at: index)
    }
    slots[slot].packed = nil
    slots[slot].hasRest = true
    return before
  }

  /// The newest trace of an id, and its place.
  mutating func entry(id: UInt64) -> (place: UInt64, entry: Entry)? {
    slot(of: id).map { (slots[$0].place, entry(in: $0)) }
  }

  private func entry(in slot: Int) -> Entry {
    let kept = slots[slot]
    guard kept.hasRest else { return .packed(PackedTrace(kept.packed!, nil, in: arena)) }
    switch rests[rests.firstPlace { $0.place < kept.place }].rest {
    case .trace(let stored): return .trace(stored)
    case .parts(let parts): return .packed(PackedTrace(kept.packed!, parts, in: arena))
    }
  }

  private mutating func slot(of id: UInt64) -> Int? {
    indexed = max(indexed, removed)
    for slot in slots[Int(indexed - removed)...] {
      index[slot.id] = indexed
      indexed += 1
    }
    return index[id].map { Int($0 - removed) }
  }

  /// The newest traces first; all of them for a limit below 1.
  func newest(_ limit: Int) -> [(place: UInt64, entry: Entry)] {
    let places = slots.indices.suffix(limit < 1 ? count : limit)
    return places.reversed().map { (slots[$0].place, entry(in: $0)) }
  }

  /// Keeps the made trace of a place, for others who read it, unless it gave way meanwhile.
  /// - Returns: What it takes the place of.
  mutating func keep(_ made: StoredTrace, at place: UInt64) -> Entry? {
    let slot = slots.firstPlace { $0.place < place }
    guard slot < count, slots[slot].place == place, slots[slot].packed != nil else { return nil }
    return put(made, in: slot)
  }

  /// The place of the oldest trace.
  var oldestPlace: UInt64? { slots.first?.place }

  /// Takes out the oldest trace, of which there must be one.
  /// - Returns: It, if it takes some time to be let go of.
  mutating func removeOldest() -> Entry? {
    let oldest = slots.removeFirst()
    if removed < indexed, index[oldest.id] == removed { index[oldest.id] = nil }
    removed += 1
    var large: Entry?
    if oldest.hasRest {
      switch rests.removeFirst().rest {
      case .parts(let parts): large = .packed(PackedTrace(oldest.packed!, parts, in: arena))
      case .trace(let stored): large = .trace(stored)
      }
    } else if let packed = oldest.packed, packed.isLong {
      large = .packed(PackedTrace(packed, nil, in: arena))
    }
    if let packed = oldest.packed { arena.giveBack(packed.place) }
    return large
  }
}

extension Deque {
  /// The first place of an ordered queue that is not before what is looked for, or its end.
  fileprivate func firstPlace(whereNot isBefore: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if isBefore(self[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
