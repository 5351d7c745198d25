/// Where the boxes of a flame graph lie: an icicle, with the root on top and the heaviest child at the left.
public struct FlameLayout: Sendable, Hashable {
  /// A box that is wide enough to be seen.
  public struct Box: Sendable, Hashable {
    /// Index into ``FlameTree/nodes``.
    public var node: Int32
    /// 0 for the root.
    public var depth: Int32
    /// The left edge, from 0 on.
    public var x: Double
    public var width: Double
  }

  /// Stacks deeper than this are cut.
  public static let maximumDepth = 512

  /// In drawing order: parents before children, from left to right.
  public let boxes: [Box]
  /// How many rows there are.
  public let rows: Int
  /// Boxes that are too narrow or too deep to be drawn.
  public let hidden: Int
  /// The width of the root.
  public let width: Double

  /// - Parameters:
  ///   - width: The width of the whole.
  ///   - minimum: Boxes narrower than this are left out, with all above them.
  ///
  /// Complexity: O(nodes + boxes × log children)
  public init(of tree: FlameTree, width: Double = 1200, minimum: Double = 0.4) {
    self.width = width
    let whole = tree.total
    guard whole > 0 else {
      (boxes, rows, hidden) = ([], 0, tree.nodes.count)
      return
    }
    let scale = width / Double(whole)
    let least = max(1, Int64((minimum / scale).rounded(.up)))
    let children = Self.visibleChildren(of: tree, least: least)
    var boxes: [Box] = []
    var rows = 0
    var pending: [Box] = [Box(node: 0, depth: 0, x: 0, width: width)]
    while let box = pending.popLast() {
      boxes.append(box)
      rows = max(rows, Int(box.depth) + 1)
      guard Int(box.depth) + 1 < Self.maximumDepth else { continue }
      let range = Int(children.starts[Int(box.node)])..<Int(children.starts[Int(box.node) + 1])
      var x = box.x
      var row: [Box] = []
      for child in children.items[range].sorted(by: { tree.isBefore($0, $1) }) {
        let childWidth = Double(tree.nodes[Int(child)].total) * scale
        row.append(Box(node: child, depth: box.depth + 1, x: x, width: childWidth))
        x += childWidth
      }
      pending.append(contentsOf: row.reversed())
    }
    self.boxes = boxes
    self.rows = rows
    hidden = tree.nodes.count - boxes.count
  }

  private struct Children {
    /// For each node the index of its first child in ``items``, and one more at the end.
    var starts: [Int32]
    var items: [Int32]
  }

  private static func visibleChildren(of tree: FlameTree, least: Int64) -> Children {
    let nodes = tree.nodes
    var starts = [Int32](repeating: 0, count: nodes.count + 1)
    for index in nodes.indices.dropFirst() where nodes[index].total >= least {
      starts[Int(nodes[index].parent) + 1] += 1
    }
    for index in starts.indices.dropFirst() { starts[index] += starts[index - 1] }
    var next = starts
    var items = [Int32](repeating: 0, count: Int(starts[nodes.count]))
    for index in nodes.indices.dropFirst() where nodes[index].total >= least {
      let parent = Int(nodes[index].parent)
      items[Int(next[parent])] = Int32(index)
      next[parent] += 1
    }
    return Children(starts: starts, items: items)
  }
}
