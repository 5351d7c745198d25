/// Weighted stacks of many requests, added up: what a flame graph draws.
///
/// ```swift
/// var builder = FlameTree.Builder(weight: .cpu)
/// for trace in store.recent() { builder.add(trace) }
/// let svg = FlameSVG.document(of: builder.finish(), title: "Guest CPU")
/// ```
public struct FlameTree: Sendable, Hashable {
  /// What a weight counts.
  public enum Unit: String, Sendable {
    case nanoseconds
    /// Sampled stacks, where not every sample tells how much CPU time it stands for.
    case samples
  }

  /// One box. Parents precede their children; the first node is the root and holds everything.
  public struct Node: Sendable, Hashable {
    /// Index into ``FlameTree/frames``.
    public var frame: UInt32
    /// Index into ``FlameTree/nodes``; -1 for the root.
    public var parent: Int32
    /// The weight of the box itself, without those above it.
    public var own: Int64
    /// The weight of the box and of all that lies above it.
    public var total: Int64
  }

  public let weight: FlameWeight
  public let unit: Unit
  /// How many requests were added up, also those without any weight.
  public let requests: Int
  public let frames: [FlameFrame]
  public let nodes: [Node]

  /// The weight of everything.
  public var total: Int64 { nodes[0].total }
  /// Whether there is nothing to draw.
  public var isEmpty: Bool { total == 0 }

  /// Whether a node is drawn before its sibling: the heaviest first, equal ones by name, which is called left-heavy.
  func isBefore(_ left: Int32, _ right: Int32) -> Bool {
    let (left, right) = (nodes[Int(left)], nodes[Int(right)])
    if left.total != right.total { return left.total > right.total }
    let (first, second) = (frames[Int(left.frame)], frames[Int(right.frame)])
    return (first.name, first.detail, first.kind.rawValue) < (second.name, second.detail, second.kind.rawValue)
  }

  /// What the boxes of a frame weigh, wherever they are in the tree.
  public struct FrameTotal: Sendable, Hashable {
    public var frame: FlameFrame
    /// Without what lies above.
    public var own: Int64
    /// With what lies above; a recursive function counts once for each stack.
    public var total: Int64
  }

  /// Every frame but the root, those with the most weight of their own first.
  ///
  /// Complexity: O(nodes × depth) at worst, for the search of recursion.
  public func frameTotals() -> [FrameTotal] {
    var totals = frames.map { FrameTotal(frame: $0, own: 0, total: 0) }
    for node in nodes.dropFirst() {
      totals[Int(node.frame)].own += node.own
      var ancestor = node.parent
      var isRecursive = false
      while ancestor > 0, !isRecursive {
        isRecursive = nodes[Int(ancestor)].frame == node.frame
        ancestor = nodes[Int(ancestor)].parent
      }
      if !isRecursive { totals[Int(node.frame)].total += node.total }
    }
    return totals.filter { $0.frame.kind != .root && $0.total > 0 }
      .sorted { ($1.own, $1.total, $0.frame.name) < ($0.own, $0.total, $1.frame.name) }
  }

  /// The frames from below the root to a node.
  public func path(to node: Int) -> [FlameFrame] {
    var found: [FlameFrame] = []
    var index = node
    while index > 0 {
      found.append(frames[Int(nodes[index].frame)])
      index = Int(nodes[index].parent)
    }
    return found.reversed()
  }
}

// MARK: - Building

extension FlameTree {
  /// Adds stacks up.
  ///
  /// Complexity: a trace costs O(samples + nodes of its stack table) for CPU, O(spans + suspensions × log spans)
  /// otherwise; memory is that of the distinct stacks.
  public struct Builder: Sendable {
    /// Most distinct stacks; what comes beyond it is added to the box below, so that weights stay whole.
    public static let maximumNodes = 2_000_000

    public let weight: FlameWeight
    private var requests = 0
    private var frames: [FlameFrame] = []
    private var frameIndices: [FlameFrame: UInt32] = [:]
    private var nodes: [Node] = []
    private var nodeIndices = FlameNodeIndex()
    /// Weights as counts of samples, which are what is left when one sample does not tell its time.
    private var counts: [Int64] = []
    /// Whether every sample so far tells its time.
    private(set) var isTimed = true

    public init(weight: FlameWeight) {
      self.weight = weight
      _ = node(FlameFrame(.root, name: "all"), under: -1)
    }

    /// Adds a request.
    public mutating func add(_ trace: RequestTrace) {
      requests += 1
      switch weight {
      case .cpu: addSamples(of: trace.guestStacks.isEmpty ? trace.nativeStacks : trace.guestStacks)
      case .hostcall: addHostcalls(of: trace)
      case .blocked: addSuspensions(of: trace)
      }
    }

    /// Adds weight to a stack that is described by itself.
    /// - Parameters:
    ///   - stack: From below the root on.
    ///   - amount: Nanoseconds, at least 0.
    ///   - count: How many samples it stands for, for a tree of samples.
    public mutating func add(_ stack: [FlameFrame], _ amount: Int64, count: Int64 = 1) {
      var parent: Int32 = 0
      for frame in stack { parent = node(frame, under: parent) }
      add(amount, count: count, to: parent)
    }

    /// The sum of all that was added.
    public consuming func finish() -> FlameTree { finish(countingSamples: false) }

    /// - Parameter countingSamples: Whether samples are counted also where all of them tell their time.
    consuming func finish(countingSamples: Bool) -> FlameTree {
      let isTimed = isTimed && !countingSamples
      if !isTimed { for index in nodes.indices { nodes[index].own = counts[index] } }
      for index in nodes.indices { nodes[index].total = nodes[index].own }
      for index in nodes.indices.dropFirst().reversed() {
        nodes[Int(nodes[index].parent)].total.add(nodes[index].total)
      }
      return FlameTree(
        weight: weight, unit: isTimed ? .nanoseconds : .samples, requests: requests, frames: frames, nodes: nodes)
    }

    mutating func node(_ frame: FlameFrame, under parent: Int32) -> Int32 { node(index(of: frame), under: parent) }

    private mutating func index(of frame: FlameFrame) -> UInt32 {
      if let known = frameIndices[frame] { return known }
      let index = UInt32(frames.count)
      frames.append(frame)
      frameIndices[frame] = index
      return index
    }

    private mutating func node(_ frame: UInt32, under parent: Int32) -> Int32 {
      let known = nodeIndices.node(frame: frame, parent: parent) {
        guard nodes.count < Self.maximumNodes else { return nil }
        nodes.append(Node(frame: frame, parent: parent, own: 0, total: 0))
        counts.append(0)
        return Int32(nodes.count - 1)
      }
      return known ?? max(0, parent)
    }

    mutating func add(_ amount: Int64, count: Int64 = 1, to node: Int32) {
      nodes[Int(node)].own.add(max(0, amount))
      counts[Int(node)].add(max(0, count))
    }

    /// Samples are counted by the nodes of their own table first, so that each distinct stack is walked once.
    private mutating func addSamples(of profile: StackProfile) {
      let (entries, functions) = (profile.table.nodes, profile.table.frames)
      guard !profile.samples.isEmpty, !entries.isEmpty else { return }
      var amounts = [Int64](repeating: 0, count: entries.count)
      var numbers = [Int64](repeating: 0, count: entries.count)
      for sample in profile.samples where Int(sample.stack) < entries.count {
        if sample.weightNanos <= 0 { isTimed = false }
        amounts[Int(sample.stack)].add(max(0, sample.weightNanos))
        numbers[Int(sample.stack)] += 1
      }
      var isNeeded = numbers.map { $0 > 0 }
      for index in isNeeded.indices.reversed() where isNeeded[index] && entries[index].parent >= 0 {
        isNeeded[Int(entries[index].parent)] = true
      }
      var frames = [UInt32?](repeating: nil, count: functions.count)
      var places = [Int32](repeating: 0, count: entries.count)
      for index in entries.indices where isNeeded[index] {
        let slot = Int(entries[index].frame)
        let frame = frames[slot] ?? self.index(of: FlameFrame(functions[slot]))
        frames[slot] = frame
        let parent = Int(entries[index].parent)
        places[index] = node(frame, under: parent < 0 ? 0 : places[parent])
        if numbers[index] > 0 { add(amounts[index], count: numbers[index], to: places[index]) }
      }
    }
  }
}

extension Int64 {
  /// Adds without ever overflowing: files may hold any number.
  mutating func add(_ amount: Int64) {
    let (sum, overflow) = addingReportingOverflow(amount)
    self = overflow ? .max : sum
  }
}
