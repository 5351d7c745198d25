/// Interns stacks from their root on, as ``StackTable/Builder`` does, but fast enough for millions of samples: an open
/// hash table over the nodes themselves, whose hashes cannot be steered from outside.
struct StackInterner {
  private(set) var frames: [StackFrame] = []
  private(set) var nodes: [StackTable.Node] = []
  private var frameIndices: [StackFrame: UInt32] = [:]
  /// Index of a node plus 1; 0 is free. The count is a power of two.
  private var slots = [UInt32](repeating: 0, count: 1024)
  private let seed = UInt64.random(in: .min ... .max)

  init() {}

  /// Takes all stacks of a table over.
  /// - Returns: The indices that the table's nodes have here.
  mutating func adopt(_ table: StackTable) -> [Int32] {
    let frames = table.frames.map { frame($0) }
    var indices: [Int32] = []
    indices.reserveCapacity(table.nodes.count)
    for entry in table.nodes {
      let parent = entry.parent < 0 ? -1 : indices[Int(entry.parent)]
      indices.append(node(frame: frames[Int(entry.frame)], parent: parent))
    }
    return indices
  }

  /// The index of a function.
  mutating func frame(_ frame: StackFrame) -> UInt32 {
    if let known = frameIndices[frame] { return known }
    let index = UInt32(frames.count)
    frames.append(frame)
    frameIndices[frame] = index
    return index
  }

  /// The index of the stack that calls `frame` from `parent` (-1 at the root).
  mutating func node(frame: UInt32, parent: Int32) -> Int32 {
    let mask = slots.count - 1
    var slot = hash(frame, parent) & mask
    while slots[slot] != 0 {
      let index = Int(slots[slot] - 1)
      if nodes[index].frame == frame, nodes[index].parent == parent { return Int32(index) }
      slot = (slot + 1) & mask
    }
    nodes.append(StackTable.Node(frame: frame, parent: parent))
    slots[slot] = UInt32(nodes.count)
    if nodes.count * 2 > slots.count { grow() }
    return Int32(nodes.count - 1)
  }

  /// The index of a whole stack; nil for an empty one.
  mutating func stack(leafFirst stack: some BidirectionalCollection<UInt32>) -> UInt32? {
    var parent: Int32 = -1
    for frame in stack.prefix(StackTable.Builder.maximumDepth).reversed() {
      parent = node(frame: frame, parent: parent)
    }
    return parent < 0 ? nil : UInt32(parent)
  }

  func finish() -> StackTable { StackTable(uncheckedFrames: frames, nodes: nodes) }

  private mutating func grow() {
    slots = [UInt32](repeating: 0, count: slots.count * 2)
    let mask = slots.count - 1
    for (index, node) in nodes.enumerated() {
      var slot = hash(node.frame, node.parent) & mask
      while slots[slot] != 0 { slot = (slot + 1) & mask }
      slots[slot] = UInt32(index + 1)
    }
  }

  private func hash(_ frame: UInt32, _ parent: Int32) -> Int {
    let product = (UInt64(frame) << 32 | UInt64(UInt32(bitPattern: parent)) ^ seed)
      .multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
    return Int(truncatingIfNeeded: product.high ^ product.low)
  }
}
