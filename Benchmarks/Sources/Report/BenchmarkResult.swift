/// What the runs of one benchmark gave.
struct BenchmarkResult: Sendable {
  let benchmark: Benchmark
  /// For each metric its values, in the order of the runs.
  private(set) var series: [Series]
  /// Why it did not run.
  var skipped: String?
  /// What went wrong; the values of earlier runs stay.
  var failure: String?

  init(_ benchmark: Benchmark) {
    self.benchmark = benchmark
    series = benchmark.metrics.map { Series(metric: $0) }
  }

  mutating func add(_ values: [Double]) {
    precondition(values.count == series.count, "\(benchmark.name) gives a value for each of its metrics")
    for (index, value) in values.enumerated() { series[index].values.append(value) }
  }
}

/// The values of one metric.
struct Series: Sendable {
  let metric: Metric
  var values: [Double] = []

  /// nil without values.
  var median: Double? { values.median }
  var least: Double { values.min() ?? 0 }
  var greatest: Double { values.max() ?? 0 }
}

extension Collection<Double> {
  /// The middle value, or the mean of the two in the middle; nil without values.
  var median: Double? {
    guard !isEmpty else { return nil }
    let sorted = sorted()
    return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
  }
}
