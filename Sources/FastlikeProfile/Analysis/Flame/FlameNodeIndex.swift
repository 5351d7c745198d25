/// Finds the node of a frame under a parent: a hash table of two arrays with open addressing. A million samples ask it some
/// million times, at which a dictionary of the library takes most of the time.
struct FlameNodeIndex: Sendable {
  /// A frame's index in the upper half, its parent's in the lower; ``none`` where a slot is free.
  private var keys: [UInt64]
  private var nodes: [Int32]
  private var count = 0
  private var shift: UInt64

  /// No frame has this number.
  private static let none = UInt64.max

  init() {
    keys = [UInt64](repeating: Self.none, count: 1 << 10)
    nodes = [Int32](repeating: 0, count: 1 << 10)
    shift = 54
  }

  /// The node that is known, or the one that `make` makes, which is kept unless it is nil.
  mutating func node(frame: UInt32, parent: Int32, make: () -> Int32?) -> Int32? {
    let key = UInt64(frame) << 32 | UInt64(UInt32(bitPattern: parent))
    var slot = start(of: key)
    while keys[slot] != key {
      if keys[slot] == Self.none {
        guard let made = make() else { return nil }
        keys[slot] = key
        nodes[slot] = made
        count += 1
        if count * 2 > keys.count { grow() }
        return made
      }
      slot = (slot + 1) & (keys.count - 1)
    }
    return nodes[slot]
  }

  /// The upper bits of a product with the golden ratio spread best (Knuth, The Art of Computer Programming, §6.4).
  private func start(of key: UInt64) -> Int {
    Int(truncatingIfNeeded: ((key ^ (key >> 29)) &* 0x9E37_79B9_7F4A_7C15) >> shift)
  }

  private mutating func grow() {
    let (oldKeys, oldNodes) = (keys, nodes)
    keys = [UInt64](repeating: Self.none, count: oldKeys.count * 2)
    nodes = [Int32](repeating: 0, count: oldKeys.count * 2)
    shift -= 1
    for (index, key) in oldKeys.enumerated() where key != Self.none {
      var slot = start(of: key)
      while keys[slot] != Self.none { slot = (slot + 1) & (keys.count - 1) }
      keys[slot] = key
      nodes[slot] = oldNodes[index]
    }
  }
}
