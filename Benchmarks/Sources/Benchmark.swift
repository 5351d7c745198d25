/// Some figures that are measured together.
struct Benchmark: Sendable {
  /// For `--only`: one word, or some with dashes.
  let name: String
  /// What is done, for people.
  let title: String
  let metrics: [Metric]
  /// Measures once, from a fresh state, in less than 15 seconds: one value for each metric, in their order.
  let measure: @Sendable (Workbench) async throws -> [Double]
}

/// One figure: what it counts, and what it is compared with.
struct Metric: Sendable {
  /// The unit of the values; durations are in nanoseconds throughout.
  enum Unit: String, Sendable, Codable {
    case perSecond = "1/s"
    case nanoseconds = "ns"
    case bytes = "B"
    case count = ""
    case percent = "%"
  }

  /// What the project set itself.
  enum Target: Sendable {
    case atLeast(Double)
    case atMost(Double)

    func isMet(by value: Double) -> Bool {
      switch self {
      case .atLeast(let bound): value >= bound
      case .atMost(let bound): value <= bound
      }
    }
  }

  let name: String
  let unit: Unit
  var target: Target?
  /// What Go fastlike reaches on a quiet machine with two cores.
  var reference: Double?

  init(_ name: String, _ unit: Unit, target: Target? = nil, reference: Double? = nil) {
    self.name = name
    self.unit = unit
    self.target = target
    self.reference = reference
  }

  /// How many times better than the reference a value is; below 1 it is worse.
  func ratio(of value: Double) -> Double? {
    guard let reference, value > 0 else { return nil }
    return unit == .perSecond ? value / reference : reference / value
  }
}

/// A benchmark that cannot run here, which is no failure.
struct Skipped: Error {
  let reason: String
}

/// A benchmark that gave something else than was expected, so that its figures mean nothing.
struct BenchmarkFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
