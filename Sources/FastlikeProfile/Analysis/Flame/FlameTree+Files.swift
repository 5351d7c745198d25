/// A flame graph's data for other programs.
extension FlameTree {
  /// Collapsed stacks, for flamegraph.pl and inferno: microseconds, or samples. Lines are sorted.
  public func collapsed() -> [UInt8] {
    var stacks = CollapsedStackEncoder.Stacks()
    stacks.countsNanoseconds = unit == .nanoseconds
    for (index, node) in nodes.enumerated() where node.own > 0 {
      stacks.add(path(to: index).map(\.name), node.own)
    }
    return stacks.finish()
  }

  /// `frames` with name, detail and kind, and `nodes` of four numbers: frame, parent, own weight, total weight. Parents
  /// precede their children, and the root's parent is -1.
  /// - Parameter leastShare: Nodes that hold less than this part of the whole are left out, with all above them.
  public func json(leastShare: Double = 0) -> [UInt8] {
    let least = max(1, Int64((Double(total) * leastShare).rounded(.up)))
    var json = JSONByteWriter(reserving: nodes.count * 24)
    json.beginObject()
    json.field("schema_version", 1)
    json.field("weight", weight.rawValue)
    json.field("unit", unit.rawValue)
    json.field("requests", requests)
    json.field("total", total)
    json.key("frames")
    json.beginArray()
    for frame in frames {
      json.beginObject()
      json.field("name", frame.name)
      json.field("detail", frame.detail)
      json.field("kind", frame.kind.rawValue)
      json.endObject()
    }
    json.endArray()
    json.key("nodes")
    json.beginArray()
    var numbers = [Int64](repeating: -1, count: nodes.count)
    var next: Int64 = 0
    for (index, node) in nodes.enumerated() {
      let parent = node.parent < 0 ? -1 : numbers[Int(node.parent)]
      guard index == 0 || (node.total >= least && parent >= 0) else { continue }
      numbers[index] = next
      next += 1
      json.beginArray()
      json.value(Int64(node.frame))
      json.value(parent)
      json.value(node.own)
      json.value(node.total)
      json.endArray()
    }
    json.endArray()
    json.endObject()
    return json.bytes
  }
}
