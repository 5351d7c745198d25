/// One function of a sampled stack.
public struct StackFrame: Sendable, Hashable {
  /// Where the code belongs.
  public enum Kind: String, Sendable, CaseIterable {
    /// WebAssembly.
    case guest
    /// The host's machine code.
    case host
    /// The operating system.
    case kernel
    /// Not known.
    case unknown
  }

  /// Names read from files are cut at this many bytes.
  public static let maximumNameBytes = 4096

  /// The function's name, demangled as far as possible, or its address in hexadecimal.
  public var name: String
  /// The module or library; empty when not known.
  public var module: String
  /// Where the code belongs.
  public var kind: Kind
  /// Whether the compiler inlined it into the frame below.
  public var isInlined: Bool
  /// The last component of the source file's path; empty when not known.
  public var file: String
  /// The line of the source file at which the function begins, counted from 1; 0 when not known.
  public var line: UInt32

  public init(
    name: String, module: String = "", kind: Kind = .guest, isInlined: Bool = false, file: String = "", line: UInt32 = 0
  ) {
    self.name = name
    self.module = module
    self.kind = kind
    self.isInlined = isInlined
    self.file = file
    self.line = line
  }
}

/// Interned call stacks: every function once, every stack a chain of nodes with shared parents.
public struct StackTable: Sendable, Hashable {
  /// One step of a stack. Parents precede their children.
  public struct Node: Sendable, Hashable {
    /// Index into ``StackTable/frames``.
    public var frame: UInt32
    /// Index of the caller's node, less than this one's own; -1 at the root.
    public var parent: Int32

    public init(frame: UInt32, parent: Int32) {
      self.frame = frame
      self.parent = parent
    }
  }

  /// Every function once.
  public let frames: [StackFrame]
  /// Every distinct stack, by its leaf.
  public let nodes: [Node]

  /// No stacks.
  public static let empty = StackTable(uncheckedFrames: [], nodes: [])

  init(uncheckedFrames frames: [StackFrame], nodes: [Node]) {
    self.frames = frames
    self.nodes = nodes
  }

  /// Takes tables that were read somewhere; nil unless every node names a frame and an earlier parent.
  public init?(frames: [StackFrame], nodes: [Node]) {
    for (index, node) in nodes.enumerated() {
      guard Int(node.frame) < frames.count, node.parent >= -1, Int(node.parent) < index else { return nil }
    }
    self.init(uncheckedFrames: frames, nodes: nodes)
  }

  /// The functions of a stack, leaf first; empty for an index the table does not have.
  public func framesLeafFirst(of stack: UInt32) -> [StackFrame] {
    var found: [StackFrame] = []
    var node = Int(stack)
    while node >= 0, node < nodes.count {
      found.append(frames[Int(nodes[node].frame)])
      node = Int(nodes[node].parent)
    }
    return found
  }

  /// The innermost function of a stack; nil for an index the table does not have.
  public func leaf(of stack: UInt32) -> StackFrame? {
    Int(stack) < nodes.count ? frames[Int(nodes[Int(stack)].frame)] : nil
  }

  /// The name of a stack's innermost guest function, or of its innermost function when none is the guest's; empty for
  /// an index the table does not have.
  public func guestFunction(of stack: UInt32) -> String {
    var node = Int(stack)
    while node >= 0, node < nodes.count {
      let frame = frames[Int(nodes[node].frame)]
      if frame.kind == .guest { return frame.name }
      node = Int(nodes[node].parent)
    }
    return leaf(of: stack)?.name ?? ""
  }

  /// Builds a table by interning.
  public struct Builder: Sendable {
    /// Stacks deeper than this keep their innermost frames.
    public static let maximumDepth = 512

    private var frames: [StackFrame] = []
    private var nodes: [Node] = []
    private var frameIndices: [StackFrame: UInt32] = [:]
    private var nodeIndices: [UInt64: UInt32] = [:]

    public init() {}

    /// The number of distinct stacks so far.
    public var stackCount: Int { nodes.count }

    /// The index of a function, which stays valid in the finished table.
    public mutating func internFrame(_ frame: StackFrame) -> UInt32 {
      if let known = frameIndices[frame] { return known }
      let index = UInt32(frames.count)
      frames.append(frame)
      frameIndices[frame] = index
      return index
    }

    /// The index of a stack of functions from ``internFrame(_:)``, leaf first; nil for an empty one.
    public mutating func internStack(leafFirst stack: some BidirectionalCollection<UInt32>) -> UInt32? {
      var parent: Int32 = -1
      for frame in stack.prefix(Self.maximumDepth).reversed() {
        precondition(Int(frame) < frames.count, "intern the frame in this builder first")
        let key = UInt64(frame) << 32 | UInt64(UInt32(bitPattern: parent))
        if let known = nodeIndices[key] {
          parent = Int32(known)
        } else {
          let index = Int32(nodes.count)
          nodes.append(Node(frame: frame, parent: parent))
          nodeIndices[key] = UInt32(index)
          parent = index
        }
      }
      return parent < 0 ? nil : UInt32(parent)
    }

    /// The index of a stack, leaf first; nil for an empty one.
    public mutating func intern(leafFirst stack: [StackFrame]) -> UInt32? {
      let indices = stack.map { internFrame($0) }
      return internStack(leafFirst: indices)
    }

    /// The table so far.
    public func finish() -> StackTable { StackTable(uncheckedFrames: frames, nodes: nodes) }
  }
}

/// A sampled stack at an instant.
public struct StackSample: Sendable, Hashable {
  /// Nanoseconds from the trace's start.
  public var relativeNanos: Int64
  /// Nanoseconds of CPU that the sample stands for; 0 when not known.
  public var weightNanos: Int64
  /// Index into ``StackTable/nodes``.
  public var stack: UInt32
  /// The sampled thread's id, 0 when not known.
  public var thread: UInt32

  public init(relativeNanos: Int64, stack: UInt32, weightNanos: Int64 = 0, thread: UInt32 = 0) {
    self.relativeNanos = relativeNanos
    self.weightNanos = weightNanos
    self.stack = stack
    self.thread = thread
  }
}

/// Samples in the order of their time, with the table of their stacks.
public struct StackProfile: Sendable, Hashable {
  public var table: StackTable
  public var samples: [StackSample]

  public init(table: StackTable = .empty, samples: [StackSample] = []) {
    self.table = table
    self.samples = samples
  }

  /// No samples.
  public static let empty = StackProfile()
  public var isEmpty: Bool { samples.isEmpty }
}
