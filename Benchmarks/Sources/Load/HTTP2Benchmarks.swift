import Foundation

/// How many requests a second the server answers over HTTP/2, in the clear and over TLS.
enum HTTP2Benchmarks {
  static let all = [
    benchmark("h2-hello", "Minimal guest over HTTP/2, 8 connections of 16 streams, profile off", "http", rate: 25_000),
    // Four fifths of what is wanted in the clear.
    benchmark("h2-tls-hello", "The same over TLS", "https", rate: 20_000),
  ]

  private static let connections = 8
  private static let streams = 16
  private static let seconds = 4

  private static func benchmark(_ name: String, _ title: String, _ scheme: String, rate: Double) -> Benchmark {
    let metrics = [
      Metric("requests/s", .perSecond, target: .atLeast(rate)), Metric("latency, mean", .nanoseconds),
      Metric("server's peak memory", .bytes),
    ]
    return Benchmark(name: name, title: title, metrics: metrics) { workbench in
      guard let generator = H2Load.installed() else {
        throw Skipped(reason: "h2load is not installed (nghttp2-client)")
      }
      let arguments = ["--profile", "off"] + (scheme == "https" ? ["--tls"] : [])
      return try await ServerProcess.serving(workbench.guest("hello"), on: workbench, arguments: arguments) { server in
        let outcome = try await generator.load(
          url: "\(scheme)://127.0.0.1:\(server.port)/", connections: connections, streams: streams, seconds: seconds)
        let memory = ProcessFacts.of(server.processID).peakResident
        return [outcome.requestsPerSecond, outcome.meanLatency, Double(memory)]
      }
    }
  }
}
