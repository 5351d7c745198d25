import Foundation

/// The load generator wrk, where it is installed.
struct Wrk: Sendable {
  let path: String

  static func installed() -> Wrk? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    let paths = folders.map { "\($0)/wrk" }
    return paths.first { FileManager.default.isExecutableFile(atPath: $0) }.map { Wrk(path: $0) }
  }

  /// Sends requests from one thread for some seconds.
  func load(port: Int, target: String, connections: Int, seconds: Int) async throws -> Throughput {
    let output = try await ChildCommand.runAside(
      path,
      [
        "-t1", "-c\(connections)", "-d\(seconds)s", "--latency", "--timeout", "10s",
        "http://127.0.0.1:\(port)\(target)",
      ])
    return try Self.read(output)
  }

  /// Reads what wrk prints.
  static func read(_ output: String) throws -> Throughput {
    var rate: Double?
    var percentiles: [String: Double] = [:]
    for line in output.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard let first = words.first, let last = words.last else { continue }
      if first == "Requests/sec:" { rate = Double(last) }
      if words.count == 2, first.hasSuffix("%") { percentiles[String(first)] = nanoseconds(last) }
      if line.hasPrefix("  Non-2xx") || line.hasPrefix("  Socket errors") {
        throw BenchmarkFailure("the load ended with" + line)
      }
    }
    guard let rate, let p50 = percentiles["50%"], let p99 = percentiles["99%"] else {
      throw BenchmarkFailure("wrk's output has no rate or no latencies")
    }
    return Throughput(requestsPerSecond: rate, p50: p50, p99: p99)
  }

  /// A time as wrk writes it: `168.00us`, `2.49ms`, `1.20s`, `1.50m`.
  private static func nanoseconds(_ text: Substring) -> Double? {
    let units: [(suffix: String, factor: Double)] = [("us", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9)]
    for (suffix, factor) in units where text.hasSuffix(suffix) {
      return Double(text.dropLast(suffix.count)).map { $0 * factor }
    }
    return nil
  }
}

/// How fast requests were answered.
struct Throughput: Sendable {
  var requestsPerSecond: Double
  /// The median of the latency in nanoseconds.
  var p50: Double
  /// The latency in nanoseconds that 99 of 100 requests did not exceed.
  var p99: Double
}
