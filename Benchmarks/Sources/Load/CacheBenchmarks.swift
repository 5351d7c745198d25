import NIOCore

/// What the cache saves, through the caching proxy among the test guests.
enum CacheBenchmarks {
  static let all = [
    Benchmark(
      name: "cache-hit", title: "Hit served by a caching guest, 8 connections, profile trace",
      metrics: [
        Metric("requests/s", .perSecond, target: .atLeast(15_000)), Metric("latency, median", .nanoseconds),
        Metric("latency, 99 of 100 below", .nanoseconds),
      ], measure: hit),
    Benchmark(
      name: "cache-collapse", title: "\(waiters) requests at once for an object that takes 1 s, profile trace",
      metrics: [
        Metric("time until the last response", .nanoseconds, target: .atMost(1.1e9)),
        Metric("requests to the origin", .count, target: .atMost(1)),
      ], measure: collapse),
  ]

  private static let waiters = 1_000

  @Sendable
  private static func hit(_ workbench: Workbench) async throws -> [Double] {
    try await SlowOrigin.running(delay: .nanoseconds(0)) { origin in
      try await serving(workbench, origin) { server in
        // The first request fills the cache, the others of the first second the pools.
        _ = try await ThroughputBenchmarks.load(server, workbench, seconds: 1)
        let throughput = try await ThroughputBenchmarks.load(server, workbench, seconds: 4)
        guard origin.requestCount == 1 else {
          throw BenchmarkFailure("the origin got \(origin.requestCount) requests, so not all were hits")
        }
        return [throughput.requestsPerSecond, throughput.p50, throughput.p99]
      }
    }
  }

  @Sendable
  private static func collapse(_ workbench: Workbench) async throws -> [Double] {
    try OpenFiles.require(UInt64(waiters) + 200)
    return try await SlowOrigin.running(delay: .seconds(1)) { origin in
      try await serving(workbench, origin) { server in
        let outcome = try await LoadGenerator.run(
          LoadPlan(port: server.port, target: "/", connections: waiters, amount: .requests(1)))
        try outcome.checkAnswers()
        guard outcome.unanswered == 0 else { throw BenchmarkFailure("\(outcome.unanswered) requests got no answer") }
        return [Double(outcome.elapsed), Double(origin.requestCount)]
      }
    }
  }

  private static func serving<Result: Sendable>(
    _ workbench: Workbench, _ origin: SlowOrigin, _ body: (ServerProcess) async throws -> Result
  ) async throws -> Result {
    try await ServerProcess.serving(
      workbench.guest("cached"), on: workbench, arguments: ["--backend", "origin=127.0.0.1:\(origin.port)"], body)
  }
}
