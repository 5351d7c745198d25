import Foundation

/// The load generator h2load of nghttp2, where it is installed.
struct H2Load: Sendable {
  let path: String

  static func installed() -> H2Load? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    let paths = folders.map { "\($0)/h2load" }
    return paths.first { FileManager.default.isExecutableFile(atPath: $0) }.map { H2Load(path: $0) }
  }

  /// What it measured.
  struct Outcome: Sendable, Equatable {
    var requestsPerSecond: Double
    /// The mean latency in nanoseconds; it prints no percentiles.
    var meanLatency: Double
  }

  /// Sends requests from one thread for some seconds, after one second that does not count.
  /// - Parameter streams: Requests at a time on each connection.
  func load(url: String, connections: Int, streams: Int, seconds: Int) async throws -> Outcome {
    let output = try await ChildCommand.runAside(
      path, ["-t1", "-c\(connections)", "-m\(streams)", "-D\(seconds)", "--warm-up-time=1", url])
    return try Self.read(output)
  }

  /// Reads what h2load prints.
  static func read(_ output: String) throws -> Outcome {
    var rate: Double?
    var latency: Double?
    for line in output.split(separator: "\n") {
      let words = line.split(separator: " ")
      // finished in 4.00s, 24567.00 req/s, 2.50MB/s
      if line.hasPrefix("finished in "), words.count >= 5 { rate = Double(words[3]) }
      // time for request:     3.77ms    118.89ms     46.23ms     15.98ms    83.95%
      if line.hasPrefix("time for request:"), words.count >= 6 { latency = nanoseconds(words[5]) }
      // requests: 2000 total, 2000 started, 2000 done, 2000 succeeded, 0 failed, 0 errored, 0 timeout
      if line.hasPrefix("requests: "), !line.contains(" 0 failed, 0 errored, 0 timeout") {
        throw BenchmarkFailure("the load ended with \(line)")
      }
    }
    guard let rate, let latency else { throw BenchmarkFailure("h2load's output has no rate or no latency") }
    return Outcome(requestsPerSecond: rate, meanLatency: latency)
  }

  private static func nanoseconds(_ text: Substring) -> Double? {
    let units: [(suffix: String, factor: Double)] = [("us", 1e3), ("ms", 1e6), ("s", 1e9)]
    for (suffix, factor) in units where text.hasSuffix(suffix) {
      return Double(text.dropLast(suffix.count)).map { $0 * factor }
    }
    return nil
  }
}
