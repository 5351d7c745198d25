import Foundation

/// The results for programs: all values, in base units.
struct ResultFile: Sendable, Encodable {
  struct Figure: Sendable, Encodable {
    let name: String
    let unit: Metric.Unit
    let values: [Double]
    let median: Double
    let atLeast: Double?
    let atMost: Double?
    let isMet: Bool?
    let reference: Double?
    let timesBetterThanReference: Double?

    init?(_ series: Series) {
      guard let median = series.median else { return nil }
      let metric = series.metric
      name = metric.name
      unit = metric.unit
      values = series.values
      self.median = median
      switch metric.target {
      case .atLeast(let bound): (atLeast, atMost) = (bound, nil)
      case .atMost(let bound): (atLeast, atMost) = (nil, bound)
      case nil: (atLeast, atMost) = (nil, nil)
      }
      isMet = metric.target?.isMet(by: median)
      reference = metric.reference
      timesBetterThanReference = metric.ratio(of: median)
    }
  }

  struct Entry: Sendable, Encodable {
    let name: String
    let title: String
    let figures: [Figure]
    let skipped: String?
    let failure: String?
  }

  let machine: MachineFacts
  let benchmarks: [Entry]

  init(machine: MachineFacts, benchmarks: [BenchmarkResult]) {
    self.machine = machine
    self.benchmarks = benchmarks.map { result in
      Entry(
        name: result.benchmark.name, title: result.benchmark.title, figures: result.series.compactMap { Figure($0) },
        skipped: result.skipped, failure: result.failure)
    }
  }

  /// Writes the file whole or not at all.
  func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try encoder.encode(self).write(to: URL(fileURLWithPath: path), options: .atomic)
  }
}
