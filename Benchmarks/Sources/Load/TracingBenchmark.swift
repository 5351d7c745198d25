/// What recording costs a server at its limit: servers with the same guest in each mode take turns, there and back, so that all
/// meet the same machine. Each turn has a process of its own, because where a process comes to lie in memory moves its rate by
/// some percent: several turns make a run, and more `--runs` settle the shares.
enum TracingBenchmark {
  static let all = [
    Benchmark(
      name: "tracing", title: "Minimal guest, 32 connections, turns of profile off, trace and deep",
      metrics: [
        Metric("requests/s, off", .perSecond), Metric("requests/s, trace", .perSecond),
        Metric("requests/s, deep", .perSecond), Metric("trace, of off", .percent, target: .atLeast(97)),
        Metric("deep, of off", .percent, target: .atLeast(85)),
      ]
    ) { workbench in
      var sums = Array(repeating: 0.0, count: modes.count)
      for mode in (0..<turns).flatMap({ _ in Array(modes.indices) + modes.indices.reversed() }) {
        let arguments = ["--profile", modes[mode]]
        sums[mode] += try await ServerProcess.serving(
          workbench.guest("hello"), on: workbench, arguments: arguments
        ) { server in
          _ = try await ThroughputBenchmarks.load(server, workbench, connections: connections, seconds: 1)
          let measured = try await ThroughputBenchmarks.load(server, workbench, connections: connections, seconds: 1)
          return measured.requestsPerSecond
        }
      }
      let rates = sums.map { $0 / Double(2 * turns) }
      return rates + rates.dropFirst().map { $0 / rates[0] * 100 }
    }
  ]

  private static let modes = ["off", "trace", "deep"]
  private static let connections = 32
  private static let turns = 3
}
