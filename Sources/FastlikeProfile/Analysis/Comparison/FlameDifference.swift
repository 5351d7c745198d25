/// Two flame graphs in one: which boxes take more of a request after a change, and which take less.
public struct FlameDifference: Sendable {
  /// Widths are the mean of both sets, in millionths of their unit a request, so that what is gone and what is new are
  /// both seen.
  let tree: FlameTree
  /// The weight a request of each node of ``tree``, with all above it.
  let before: [Double]
  let after: [Double]
  /// How many requests each set had.
  public let requests: (before: Int, after: Int)

  private static let scale = 1e6

  public init(before: consuming FlameTree.Builder, after: consuming FlameTree.Builder) {
    let countsSamples = !before.isTimed || !after.isTimed
    let first = before.finish(countingSamples: countsSamples)
    let second = after.finish(countingSamples: countsSamples)
    requests = (first.requests, second.requests)
    var builder = FlameTree.Builder(weight: first.weight)
    var owns: [(before: Double, after: Double)] = []
    func add(_ tree: FlameTree, _ keyPath: WritableKeyPath<(before: Double, after: Double), Double>) {
      var places: [Int32] = []
      places.reserveCapacity(tree.nodes.count)
      for node in tree.nodes {
        let place = node.parent < 0 ? 0 : builder.node(tree.frames[Int(node.frame)], under: places[Int(node.parent)])
        places.append(place)
        while owns.count <= Int(place) { owns.append((0, 0)) }
        let own = Double(node.own) / Double(max(1, tree.requests))
        owns[Int(place)][keyPath: keyPath] += own
        builder.add(Int64(min(own / 2 * Self.scale, 9e17)), to: place)
      }
    }
    add(first, \.before)
    add(second, \.after)
    let tree = builder.finish(countingSamples: false)
    for index in tree.nodes.indices.dropFirst().reversed() {
      let parent = Int(tree.nodes[index].parent)
      owns[parent].before += owns[index].before
      owns[parent].after += owns[index].after
    }
    self.tree = FlameTree(
      weight: first.weight, unit: countsSamples ? .samples : .nanoseconds, requests: first.requests + second.requests,
      frames: tree.frames, nodes: tree.nodes)
    self.before = owns.map(\.before)
    self.after = owns.map(\.after)
  }

  /// Whether there is nothing to draw.
  public var isEmpty: Bool { tree.isEmpty }

  /// A file of its own, in which red takes more time a request than before, and blue less.
  public func svg(title: String) -> [UInt8] {
    let subtitle =
      isEmpty
      ? "nothing to compare: \(tree.weight.hint)"
      : "\(Figures.count(requests.before, "request")) before, \(Figures.count(requests.after)) after; red takes more "
        + "\(tree.weight.phrase) a request, blue less"
    return FlameSVG.document(drawing, title: title, subtitle: subtitle)
  }

  /// A part of an HTML page that has ``FlameSVG/styles``.
  public func fragment() -> String { FlameSVG.fragment(drawing) }

  private var drawing: FlameDrawing {
    FlameDrawing(layout: FlameLayout(of: tree)) { index in
      let (before, after) = (self.before[Int(index)], self.after[Int(index)])
      let frame = tree.frames[Int(tree.nodes[Int(index)].frame)]
      var tip = frame.detail.isEmpty ? frame.name : "\(frame.name) · \(frame.detail)"
      tip += ": \(amount(before)) before, \(amount(after)) after, a request"
      if before > 0, after > 0 { tip += " (\(TraceComparison.percent(after / before - 1)))" }
      return FlameDrawing.Look(name: frame.name, style: Self.style(before, after), tip: tip)
    }
  }

  private func amount(_ value: Double) -> String {
    tree.unit == .nanoseconds ? Figures.duration(Int64(value)) : Figures.fixed(value, digits: 2) + " samples"
  }

  /// Up to five percent is the same; a quarter and twice are the steps to stronger colours.
  static func style(_ before: Double, _ after: Double) -> String {
    let (less, more) = (min(before, after), max(before, after))
    guard more > less * 1.05 else { return "same" }
    let step = more < less * 1.25 ? 1 : more < less * 2 ? 2 : 3
    return (after > before ? "more" : "less") + String(step)
  }
}
