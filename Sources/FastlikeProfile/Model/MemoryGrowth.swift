/// A growth of the guest's linear memory with the functions that were running when it was noticed.
public struct MemoryGrowth: Sendable, Hashable {
  /// Most that a trace keeps; an allocator that grows page by page has more.
  public static let cap = 256

  /// When it was noticed, which is at the first hostcall after it, in nanoseconds from the trace's start.
  public var relativeNanos: Int64
  /// Bytes of memory before.
  public var fromBytes: Int64
  /// Bytes of memory after.
  public var toBytes: Int64
  /// The names of the functions at that hostcall, innermost first; empty when the guest made none any more.
  public var stack: [String]

  public init(relativeNanos: Int64, fromBytes: Int64, toBytes: Int64, stack: [String]) {
    self.relativeNanos = relativeNanos
    self.fromBytes = fromBytes
    self.toBytes = toBytes
    self.stack = stack
  }
}
