import Foundation

/// Lays results out in columns for a terminal.
enum ResultTable {
  private static let widths = (what: 34, measured: 12, range: 25, target: 20)

  static let header =
    line("what", "median", "min - max", "target", "better than Go fastlike") + "\n"
    + String(repeating: "-", count: 116)

  /// The lines of a benchmark: its title, and a line for each metric.
  static func rows(of result: BenchmarkResult) -> String {
    var lines = ["\(result.benchmark.title) (\(result.benchmark.name))"]
    if let reason = result.skipped { lines.append("  skipped: \(reason)") }
    if let reason = result.failure { lines.append("  FAILED: \(reason)") }
    for series in result.series {
      guard let median = series.median else { continue }
      lines.append(row(series, median: median))
    }
    return lines.joined(separator: "\n")
  }

  private static func row(_ series: Series, median: Double) -> String {
    let metric = series.metric
    func text(_ value: Double) -> String { quantity(value, metric.unit) }
    let target: String =
      switch metric.target {
      case .atLeast(let bound): "≥ \(text(bound))"
      case .atMost(let bound): "≤ \(text(bound))"
      case nil: ""
      }
    let verdict = metric.target.map { $0.isMet(by: median) ? "  met" : "  MISSED" } ?? ""
    return line(
      "  " + metric.name, text(median),
      series.values.count > 1 ? "\(text(series.least)) - \(text(series.greatest))" : "", target + verdict,
      metric.ratio(of: median).map { "× \(decimal($0, $0 < 10 ? 1 : 0))" } ?? "")
  }

  private static func line(
    _ what: String, _ measured: String, _ range: String, _ target: String, _ ratio: String
  ) -> String {
    let cells = [
      what.padded(to: widths.what), measured.padded(to: widths.measured, isRight: true), "  ",
      range.padded(to: widths.range), target.padded(to: widths.target), ratio,
    ]
    var text = cells.joined(separator: " ")
    while text.hasSuffix(" ") { text.removeLast() }
    return text
  }

  /// A value with its unit, scaled to be read easily.
  static func quantity(_ value: Double, _ unit: Metric.Unit) -> String {
    switch unit {
    case .perSecond: "\(decimal(value, value < 100 ? 1 : 0))/s"
    case .count: decimal(value, 0)
    case .percent: decimal(value, 1) + " %"
    case .bytes: scaled(value, ["B", "kB", "MB"])
    case .nanoseconds: scaled(value, ["ns", "µs", "ms", "s"])
    }
  }

  private static func scaled(_ value: Double, _ units: [String]) -> String {
    var value = value
    var index = 0
    while value >= 1000, index + 1 < units.count {
      value /= 1000
      index += 1
    }
    let digits = value < 10 && value != value.rounded() ? 2 : value < 100 && value != value.rounded() ? 1 : 0
    return "\(decimal(value, digits)) \(units[index])"
  }

  /// A number with so many digits behind the point.
  static func decimal(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
}

extension String {
  fileprivate func padded(to width: Int, isRight: Bool = false) -> String {
    let blanks = String(repeating: " ", count: Swift.max(0, width - count))
    return isRight ? blanks + self : self + blanks
  }
}
