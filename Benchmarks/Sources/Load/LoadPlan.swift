/// A load on one server: connections that each send one request after the other.
struct LoadPlan: Sendable {
  /// When a connection has sent enough.
  enum Amount: Sendable {
    /// After so many responses on each connection.
    case requests(Int)
    /// With the first response after so many nanoseconds.
    case time(UInt64)
  }

  /// The port on 127.0.0.1.
  var port: Int
  /// The request target.
  var target: String
  var connections: Int
  var amount: Amount
  var keepsBodies = false
  /// Is called when the first request goes out.
  var onStart: @Sendable () -> Void = {}
  /// Seconds after which the load is given up, with what there is.
  static let limit: Int64 = 13
}

/// What came of a load.
struct LoadOutcome: Sendable {
  /// Nanoseconds from the first request until the last response; connecting is not in it.
  var elapsed: UInt64 = 0
  /// Nanoseconds from request to response for each response, in the order of their arrival.
  var latencies: [UInt64] = []
  /// Responses by their status, without 200.
  var failures: [Int: Int] = [:]
  /// Connections that broke while a response was awaited.
  var lost = 0
  /// Connections that still awaited a response when the load was given up.
  var unanswered = 0
  /// The bodies, in the order of their arrival, as far as asked for.
  var bodies: [String] = []

  var requestsPerSecond: Double { elapsed == 0 ? 0 : Double(latencies.count) / Double(elapsed) * 1e9 }

  /// The latency that so many of 100 requests did not exceed, in nanoseconds.
  func percentile(_ percent: Int) -> Double {
    guard !latencies.isEmpty else { return 0 }
    let sorted = latencies.sorted()
    return Double(sorted[min(sorted.count - 1, sorted.count * percent / 100)])
  }

  var throughput: Throughput {
    Throughput(requestsPerSecond: requestsPerSecond, p50: percentile(50), p99: percentile(99))
  }

  /// - Throws: ``BenchmarkFailure`` unless every response that came was a 200 and no connection broke.
  func checkAnswers() throws {
    guard !failures.isEmpty || lost > 0 else { return }
    let counts = failures.sorted { $0.key < $1.key }.map { "\($0.value) times \($0.key)" }
    let all = counts + (lost > 0 ? ["\(lost) connections broke"] : [])
    throw BenchmarkFailure("of \(latencies.count) responses not all were 200: \(all.joined(separator: ", "))")
  }
}
