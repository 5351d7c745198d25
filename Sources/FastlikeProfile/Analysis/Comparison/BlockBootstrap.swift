internal import Foundation

/// Resamples a set of requests, in blocks of neighbours.
///
/// Requests that follow each other are alike: a processor that is slowed, a garbage collection, a noisy neighbour are felt
/// by many in a row. Drawing single requests anew would take them for independent and find differences everywhere. So the
/// requests are cut, in the order of their start, into at most ``mostBlocks`` blocks of equal size, and whole blocks are
/// drawn (Künsch 1989). All figures of a set share the draws.
struct BlockBootstrap: Sendable {
  static let mostBlocks = 40

  /// How many blocks there are.
  let blockCount: Int
  /// The block of each request.
  let blocks: [UInt8]
  /// For each resample, one after the other, how often each block was drawn.
  let draws: [UInt16]
  let resamples: Int

  /// - Parameters:
  ///   - starts: When each request began.
  ///   - resamples: At least 2.
  init(starts: [Int64], resamples: Int, seed: UInt64) {
    let order = starts.indices.sorted { (starts[$0], $0) < (starts[$1], $1) }
    let count = max(1, min(Self.mostBlocks, starts.count))
    var blocks = [UInt8](repeating: 0, count: starts.count)
    for (rank, request) in order.enumerated() { blocks[request] = UInt8(rank * count / starts.count) }
    var random = SeededRandom(seed: seed)
    var draws = [UInt16](repeating: 0, count: resamples * count)
    for resample in 0..<resamples {
      for _ in 0..<count { draws[resample * count + random.below(count)] += 1 }
    }
    blockCount = count
    self.blocks = blocks
    self.draws = draws
    self.resamples = resamples
  }

  /// The statistic of a column in each resample; nan where a resample has none of its requests.
  func replicates(of column: TraceSet.Column, _ statistic: Statistic, requests: Int) -> [Double] {
    switch statistic {
    case .median: MedianSample(column, self).replicates(self)
    case .mean: means(of: column)
    }
  }

  /// The mean over all requests of the set: those that are not in the column count with 0.
  private func means(of column: TraceSet.Column) -> [Double] {
    var sums = [Double](repeating: 0, count: blockCount)
    for (request, value) in zip(column.requests, column.values) { sums[Int(blocks[Int(request)])] += value }
    var sizes = [Double](repeating: 0, count: blockCount)
    for block in blocks { sizes[Int(block)] += 1 }
    return (0..<resamples).map { resample in
      var (sum, size) = (0.0, 0.0)
      for block in 0..<blockCount {
        let drawn = Double(draws[resample * blockCount + block])
        sum += drawn * sums[block]
        size += drawn * sizes[block]
      }
      return sum / size
    }
  }

  /// What is estimated of a figure.
  enum Statistic: Sendable {
    /// Of the requests that have the figure.
    case median
    /// Over all requests.
    case mean

    func value(of column: TraceSet.Column, requests: Int) -> Double {
      switch self {
      case .median: column.values.sorted().middle
      case .mean: requests > 0 ? column.total / Double(requests) : 0
      }
    }
  }
}

/// A column sorted once, so that the median of a resample is found without sorting: how many values of each block lie below
/// some marks is counted beforehand, and between two marks the values are walked.
private struct MedianSample {
  private static let marks = 64

  private let values: [Double]
  private let blocks: [UInt8]
  /// How many values each block has.
  private var sizes: [Int]
  /// For each mark, one after the other, how many values before it each block has.
  private var below: [Int32]
  private let stride: Int

  init(_ column: TraceSet.Column, _ bootstrap: BlockBootstrap) {
    let order = column.values.indices.sorted { column.values[$0] < column.values[$1] }
    values = order.map { column.values[$0] }
    blocks = order.map { bootstrap.blocks[Int(column.requests[$0])] }
    stride = max(1, (values.count + Self.marks - 1) / Self.marks)
    sizes = [Int](repeating: 0, count: bootstrap.blockCount)
    below = []
    var seen = [Int32](repeating: 0, count: bootstrap.blockCount)
    for (index, block) in blocks.enumerated() {
      if index.isMultiple(of: stride) { below += seen }
      seen[Int(block)] += 1
      sizes[Int(block)] += 1
    }
  }

  func replicates(_ bootstrap: BlockBootstrap) -> [Double] {
    (0..<bootstrap.resamples).map { resample in
      let first = resample * bootstrap.blockCount
      var total = 0
      for block in 0..<sizes.count { total &+= Int(bootstrap.draws[first &+ block]) &* sizes[block] }
      guard total > 0 else { return .nan }
      let lower = value(at: (total - 1) / 2, bootstrap.draws, first)
      return total.isMultiple(of: 2) ? (lower + value(at: total / 2, bootstrap.draws, first)) / 2 : lower
    }
  }

  /// The value of a rank, from 0, among the values of the draws that begin at `first`.
  private func value(at rank: Int, _ draws: [UInt16], _ first: Int) -> Double {
    var low = 0
    var high = below.count / sizes.count - 1
    while low < high {
      let middle = (low + high + 1) / 2
      if passed(middle, draws, first) <= rank { low = middle } else { high = middle - 1 }
    }
    var sum = passed(low, draws, first)
    for index in low * stride..<values.count {
      sum &+= Int(draws[first &+ Int(blocks[index])])
      if sum > rank { return values[index] }
    }
    return values.last ?? .nan
  }

  /// How many drawn values lie before a mark.
  private func passed(_ mark: Int, _ draws: [UInt16], _ first: Int) -> Int {
    let start = mark &* sizes.count
    var sum = 0
    for block in 0..<sizes.count { sum &+= Int(draws[first &+ block]) &* Int(below[start &+ block]) }
    return sum
  }
}

extension [Double] {
  /// The middle of sorted values, or the mean of the two in the middle; 0 without values.
  var middle: Double { isEmpty ? 0 : (self[(count - 1) / 2] + self[count / 2]) / 2 }
}

/// The parts of the normal and Student's distribution that are needed.
enum Probability {
  /// The probability that a standard normal value lies above.
  static func normalTail(_ z: Double) -> Double { 0.5 * erfc(z / 2.0.squareRoot()) }

  /// The probability that a value of Student's distribution lies above (Wallace 1959; the error is below 0.002 for ten
  /// degrees of freedom and less for more).
  static func studentTail(_ t: Double, degrees: Double) -> Double {
    guard degrees > 0, t.isFinite else { return t == .infinity ? 0 : 1 }
    let shrink = (8 * degrees + 1) / (8 * degrees + 3)
    let z = shrink * (degrees * log1p(t * t / degrees)).squareRoot()
    return normalTail(t < 0 ? -z : z)
  }
}
