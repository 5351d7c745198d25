import CTimestamp
import Foundation

/// The time from starting the program to the first response.
enum StartBenchmarks {
  static let all = [
    Benchmark(
      name: "start-small", title: "Start to first response, minimal guest", metrics: metrics(warm: nil)
    ) { try await measure($0.guest("hello"), on: $0) },
    Benchmark(
      name: "start", title: "Start to first response, big guest", metrics: metrics(warm: .atMost(150e6))
    ) { workbench in
      guard let module = workbench.module else { throw Skipped(reason: "no guest was given (--module FILE)") }
      return try await measure(module, on: workbench)
    },
  ]

  private static func metrics(warm: Metric.Target?) -> [Metric] {
    [
      Metric("first start, compiling", .nanoseconds),
      Metric("second start", .nanoseconds, target: warm),
      Metric("memory after the second start", .bytes),
    ]
  }

  private static func measure(_ guest: String, on workbench: Workbench) async throws -> [Double] {
    let cache = workbench.folder.appendingPathComponent("start-\(UUID().uuidString)", isDirectory: true)
    defer { try? FileManager.default.removeItem(at: cache) }
    let cold = try await start(guest, on: workbench, cache: cache)
    let warm = try await start(guest, on: workbench, cache: cache)
    return [Double(cold.nanoseconds), Double(warm.nanoseconds), Double(warm.memory)]
  }

  /// Any response counts, because a guest may want backends that are not there.
  private static func start(
    _ guest: String, on workbench: Workbench, cache: URL
  ) async throws -> (nanoseconds: UInt64, memory: Int) {
    try await ServerProcess.serving(guest, on: workbench, cache: cache) { server in
      let outcome = try await LoadGenerator.run(
        LoadPlan(port: server.port, target: "/", connections: 1, amount: .requests(1)))
      let now = ctimestamp_monotonic()
      guard outcome.latencies.count == 1 else { throw BenchmarkFailure("the first request was not answered") }
      return (now - server.startedAt, ProcessFacts.of(server.processID).peakResident)
    }
  }
}
