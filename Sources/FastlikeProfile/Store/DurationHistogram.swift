/// Counts durations by size, for distributions over a process's life.
public struct DurationHistogram: Sendable, Hashable {
  /// Upper ends of the buckets in nanoseconds, inclusive; longer durations are in a last bucket of their own.
  public static let bounds: [Int64] = [
    100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000,
    250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000, 30_000_000_000,
  ]

  /// How many durations are in each bucket, one more than there are ``bounds``.
  public private(set) var counts = [UInt64](repeating: 0, count: DurationHistogram.bounds.count + 1)
  /// The sum of all durations in nanoseconds.
  public private(set) var sum: Int64 = 0

  public init() {}

  /// The number of durations.
  public var count: UInt64 { counts.reduce(0, +) }

  /// Counts a duration in nanoseconds; a negative one is 0.
  public mutating func add(_ nanos: Int64) {
    let nanos = max(0, nanos)
    // From the short end: most are short.
    var bucket = 0
    while bucket < Self.bounds.count, nanos > Self.bounds[bucket] { bucket += 1 }
    counts[bucket] += 1
    sum &+= nanos
  }

  /// Adds what another one counted.
  public mutating func merge(_ other: DurationHistogram) {
    for index in counts.indices { counts[index] += other.counts[index] }
    sum &+= other.sum
  }
}
