internal import DequeModule

/// Finished traces in the order of their completion.
///
/// Complexity: appending, taking out the oldest and finding by id are O(1).
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
      case .recording(let recorder): recorder.hasGuestSamples
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

  private struct Slot {
    let id: UInt64
    /// Among all traces of the store.
    let place: UInt64
    var entry: Entry
  }

  /// By the order of their places.
  private var slots: Deque<Slot> = []
  /// How many slots were removed at the front.
  private var removed: UInt64 = 0
  /// Slots by id, counted from the very first one.
  private var index = IDIndex()

  var count: Int { slots.count }

  /// - Parameter place: Greater than those before.
  mutating func append(_ entry: Entry, id: UInt64, place: UInt64) {
    index.insert(id, removed + UInt64(slots.count))
    slots.append(Slot(id: id, place: place, entry: entry))
  }

  /// Replaces the entry of the same id in its place.
  /// - Returns: The one before; nil where there is none, and nothing is changed.
  mutating func replace(_ entry: Entry, id: UInt64) -> Entry? {
    guard let slot = index[id] else { return nil }
    let before = slots[Int(slot - removed)].entry
    slots[Int(slot - removed)].entry = entry
    return before
  }

  subscript(id: UInt64) -> Entry? { index[id].map { slots[Int($0 - removed)].entry } }

  /// The newest traces first; all of them for a limit below 1.
  func newest(_ limit: Int) -> [(place: UInt64, entry: Entry)] {
    slots.suffix(limit < 1 ? slots.count : limit).reversed().map { ($0.place, $0.entry) }
  }

  /// Takes out the oldest one, if it lies before this place.
  mutating func removeOldest(before place: UInt64) -> Entry? {
    guard let oldest = slots.first, oldest.place < place else { return nil }
    index.remove(oldest.id, removed)
    removed += 1
    return slots.removeFirst().entry
  }
}

/// Finds slots by trace id: open addressing with linear probing. Ids are numbers in a row, so that multiplying spreads them well,
/// and a dictionary's hashing, which guards against chosen keys, is not needed.
struct IDIndex: Sendable {
  private struct Cell {
    var id: UInt64 = 0
    /// The slot plus 1; 0 is an empty cell.
    var slot: UInt64 = 0
  }

  private var cells = Array(repeating: Cell(), count: 16)
  private var count = 0
  /// Bits of a hash that are not used.
  private var shift: UInt64 = 60

  init() {}

  private var mask: Int { cells.count - 1 }

  /// Where an id is at best.
  private func home(_ id: UInt64) -> Int { Int((id &* 0x9E37_79B9_7F4A_7C15) >> shift) }

  /// The cell of an id, or the empty one where it would be.
  private func cell(of id: UInt64) -> Int {
    var place = home(id)
    while cells[place].slot != 0, cells[place].id != id { place = (place + 1) & mask }
    return place
  }

  subscript(id: UInt64) -> UInt64? {
    let slot = cells[cell(of: id)].slot
    return slot == 0 ? nil : slot - 1
  }

  /// - Parameter id: Where it is there already, it stands for the new slot from here on.
  mutating func insert(_ id: UInt64, _ slot: UInt64) {
    if count * 2 >= cells.count { grow() }
    let cell = cell(of: id)
    if cells[cell].slot == 0 { count += 1 }
    cells[cell] = Cell(id: id, slot: slot + 1)
  }

  /// Removes an id, unless it has come to stand for another slot.
  mutating func remove(_ id: UInt64, _ slot: UInt64) {
    var hole = cell(of: id)
    guard cells[hole].slot == slot + 1 else { return }
    count -= 1
    // What lies behind moves up, unless it would come before its home.
    var place = (hole + 1) & mask
    while cells[place].slot != 0 {
      let distance = (place - home(cells[place].id)) & mask
      if distance >= (place - hole) & mask {
        cells[hole] = cells[place]
        hole = place
      }
      place = (place + 1) & mask
    }
    cells[hole] = Cell()
  }

  private mutating func grow() {
    let before = cells
    cells = Array(repeating: Cell(), count: before.count * 2)
    shift -= 1
    for old in before where old.slot != 0 { cells[cell(of: old.id)] = old }
  }
}
