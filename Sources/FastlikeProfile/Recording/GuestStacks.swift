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
    var isGuestCPU: Bool
    /// How many of the words are its stack.
    var depth: Int
  }

  private var builder = StackTable.Builder()
  private var samples: [StackSample] = []
  /// CPU time of the samples that are the guest's own; complete when all are ``resolved()``.
  private(set) var guestNanos: Int64 = 0
  private var waiting: [Waiting] = []
  /// The stacks of those that wait, one behind the other, leaf first.
  private var words: [UInt] = []
  private var names: (any GuestFrameNames)?
  private var known: [UInt: UInt32?] = [:]

  /// Most stacks that wait.
  private static let maximumWaiting = 64

  var count: Int { samples.count + waiting.count }

  /// A function's index for ``add(_:relativeNanos:weightNanos:isGuestCPU:)``.
  mutating func intern(_ frame: StackFrame) -> UInt32 { builder.internFrame(frame) }

  /// Adds a stack of functions, leaf first; an empty one is left out.
  mutating func add(
    _ frames: some BidirectionalCollection<UInt32>, relativeNanos: Int64, weightNanos: Int64, isGuestCPU: Bool
  ) {
    resolve()
    keep(frames, relativeNanos, weightNanos, isGuestCPU)
  }

  private mutating func keep(
    _ frames: some BidirectionalCollection<UInt32>, _ relativeNanos: Int64, _ weightNanos: Int64, _ isGuestCPU: Bool
  ) {
    guard let stack = builder.internStack(leafFirst: frames) else { return }
    samples.append(StackSample(relativeNanos: relativeNanos, stack: stack, weightNanos: weightNanos))
    if isGuestCPU { guestNanos += weightNanos }
  }

  /// Adds a stack of words, leaf first.
  mutating func add(
    _ stack: [UInt], named names: any GuestFrameNames, relativeNanos: Int64, weightNanos: Int64, isGuestCPU: Bool
  ) {
    if waiting.count == Self.maximumWaiting { resolve() }
    if self.names !== names {
      resolve()
      known = [:]
      self.names = names
    }
    words.append(contentsOf: stack.prefix(StackTable.Builder.maximumDepth))
    waiting.append(
      Waiting(
        relativeNanos: relativeNanos, weightNanos: weightNanos, isGuestCPU: isGuestCPU,
        depth: min(stack.count, StackTable.Builder.maximumDepth)))
  }

  private mutating func resolve() {
    guard let names, !waiting.isEmpty else { return }
    var rest = words[...]
    for sample in waiting {
      let frames = rest.prefix(sample.depth).compactMap { frame(of: $0, names) }
      rest = rest.dropFirst(sample.depth)
      keep(frames, sample.relativeNanos, sample.weightNanos, sample.isGuestCPU)
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

  /// With all stacks named.
  func resolved() -> GuestStacks {
    var stacks = self
    stacks.resolve()
    return stacks
  }

  /// What a trace shows of the stacks that are named.
  var profile: StackProfile {
    samples.isEmpty ? .empty : StackProfile(table: builder.finish(), samples: samples.exactCopy())
  }
}
