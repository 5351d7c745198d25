/// Names the functions behind the words of sampled stacks.
public protocol GuestFrameNames: AnyObject, Sendable {
  /// The function that a word stands for; nil for one that is not shown. Asked when a trace is made, on any thread.
  func frame(of word: UInt) -> StackFrame?
}

/// The sampled stacks of one recording.
///
/// Most traces are never looked at, so stacks stay as they were taken, words that a host can name, until the trace is made or
/// there are many of them: named and joined, those need less room.
struct GuestStacks {
  private struct Waiting {
    var relativeNanos: Int64
    var weightNanos: Int64
    /// How many of the words are its stack.
    var depth: Int
  }

  private var builder = StackTable.Builder()
  private var samples: [StackSample] = []
  private var waiting: [Waiting] = []
  /// The stacks of those that wait, one behind the other, leaf first.
  private var words: [UInt] = []
  private var names: (any GuestFrameNames)?
  private var known: [UInt: UInt32?] = [:]

  /// Most stacks that wait.
  private static let maximumWaiting = 64

  var count: Int { samples.count + waiting.count }

  /// A function's index for ``add(_:relativeNanos:weightNanos:)``.
  mutating func intern(_ frame: StackFrame) -> UInt32 { builder.internFrame(frame) }

  /// Adds a stack of functions, leaf first. False for an empty one.
  mutating func add(
    _ frames: some BidirectionalCollection<UInt32>, relativeNanos: Int64, weightNanos: Int64
  ) -> Bool {
    resolve()
    guard let stack = builder.internStack(leafFirst: frames) else { return false }
    samples.append(StackSample(relativeNanos: relativeNanos, stack: stack, weightNanos: weightNanos))
    return true
  }

  /// Adds a stack of words, leaf first.
  mutating func add(
    _ stack: [UInt], named names: any GuestFrameNames, relativeNanos: Int64, weightNanos: Int64
  ) {
    if waiting.count == Self.maximumWaiting || self.names !== names { resolve() }
    self.names = names
    words.append(contentsOf: stack.prefix(StackTable.Builder.maximumDepth))
    waiting.append(
      Waiting(
        relativeNanos: relativeNanos, weightNanos: weightNanos,
        depth: min(stack.count, StackTable.Builder.maximumDepth)))
  }

  private mutating func resolve() {
    guard let names, !waiting.isEmpty else { return }
    var rest = words[...]
    for sample in waiting {
      let frames = rest.prefix(sample.depth).compactMap { frame(of: $0, names) }
      rest = rest.dropFirst(sample.depth)
      guard let stack = builder.internStack(leafFirst: frames) else { continue }
      samples.append(
        StackSample(relativeNanos: sample.relativeNanos, stack: stack, weightNanos: sample.weightNanos))
    }
    waiting.removeAll(keepingCapacity: true)
    words.removeAll(keepingCapacity: true)
  }

  private mutating func frame(of word: UInt, _ names: any GuestFrameNames) -> UInt32? {
    if let known = known[word] { return known }
    let frame = names.frame(of: word).map { builder.internFrame($0) }
    known[word] = .some(frame)
    return frame
  }

  /// Gives back memory that is not needed for reading.
  mutating func settle() {
    samples = samples.exactCopy()
    known = [:]
  }

  /// What a trace shows of them.
  var profile: StackProfile {
    guard count > 0 else { return .empty }
    var finished = self
    finished.resolve()
    guard !finished.samples.isEmpty else { return .empty }
    return StackProfile(table: finished.builder.finish(), samples: finished.samples.exactCopy())
  }
}
