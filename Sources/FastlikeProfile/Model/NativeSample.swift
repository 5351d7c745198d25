/// A sample of an external profiler that was joined to a trace, with its function named.
public struct NativeSample: Sendable, Hashable {
  /// Nanoseconds from the trace's start.
  public var relativeNanos: Int64
  /// The innermost guest function, or the innermost function at all when none is the guest's.
  public var function: String
  /// The whole stack, leaf first.
  public var stack: [StackFrame]

  public init(relativeNanos: Int64, function: String, stack: [StackFrame] = []) {
    self.relativeNanos = relativeNanos
    self.function = function
    self.stack = stack
  }
}

/// One sample as an external profiler gives it, not yet joined to a trace.
public struct NativeSampleEvent: Sendable, Hashable {
  /// The clock of ``timestampNanos``.
  public enum Clock: String, Sendable {
    /// Unix time (`perf record -k CLOCK_REALTIME`).
    case realtime
    /// Since boot (`perf record -k mono`, samply).
    case monotonic
  }

  /// Nanoseconds on ``clock``.
  public var timestampNanos: Int64
  /// Which clock.
  public var clock: Clock
  /// The process; nil when the input does not tell.
  public var processID: Int32?
  /// The thread; nil when the input does not tell.
  public var threadID: Int32?
  /// Index of the stack in the ``NativeSampleBatch``; nil for a sample without one.
  public var stack: UInt32?
  /// Nanoseconds of CPU that the sample stands for; 0 when not known.
  public var weightNanos: Int64

  public init(
    timestampNanos: Int64, clock: Clock, processID: Int32? = nil, threadID: Int32? = nil, stack: UInt32? = nil,
    weightNanos: Int64 = 0
  ) {
    self.timestampNanos = timestampNanos
    self.clock = clock
    self.processID = processID
    self.threadID = threadID
    self.stack = stack
    self.weightNanos = weightNanos
  }
}

/// What an importer found in one input.
public struct NativeSampleBatch: Sendable, Hashable {
  /// The samples, in the order of the input.
  public var events: [NativeSampleEvent]
  /// Their stacks.
  public var stacks: StackTable
  /// Lines or records that were not understood and left out.
  public var unknownLines: Int
  /// Line numbers (from 1) of the first few of them.
  public var unknownLineNumbers: [Int]

  public init(
    events: [NativeSampleEvent], stacks: StackTable, unknownLines: Int = 0, unknownLineNumbers: [Int] = []
  ) {
    self.events = events
    self.stacks = stacks
    self.unknownLines = unknownLines
    self.unknownLineNumbers = unknownLineNumbers
  }
}

/// Reads what an external profiler wrote.
public protocol NativeSampleImporter: Sendable {
  /// Reads a whole input.
  /// - Throws: ``NativeSampleError/noNativeSamples`` when the input is well formed and holds no sample, and the other
  ///   cases for input that cannot be read.
  func importSamples(from bytes: [UInt8]) throws -> NativeSampleBatch
}

/// Why no native samples came out of an input.
public enum NativeSampleError: Error, Equatable, CustomStringConvertible {
  /// Nothing is wrong with the input; it has no samples.
  case noNativeSamples
  /// The text is not what was expected, from this line (counted from 1) on.
  case malformed(line: Int, reason: String)
  /// The bytes are not what was expected, from this offset on.
  case malformedBytes(offset: Int, reason: String)
  /// The input is larger than the importer takes.
  case tooLarge(limit: Int)

  public var description: String {
    switch self {
    case .noNativeSamples: "no native samples in input"
    case .malformed(let line, let reason): "line \(line): \(reason)"
    case .malformedBytes(let offset, let reason): "byte \(offset): \(reason)"
    case .tooLarge(let limit): "the input is larger than the \(limit) bytes that are read"
    }
  }
}
