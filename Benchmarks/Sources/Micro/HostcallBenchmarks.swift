/// The time that a guest needs for a hostcall, in the real server and by the guest's own clock.
enum HostcallBenchmarks {
  static let all = [
    benchmark("hostcalls", "Hostcalls, profile off", profile: "off", target: .atMost(60), reference: nil),
    benchmark("hostcalls-traced", "Hostcalls, profile trace", profile: "trace", target: nil, reference: 930),
  ]

  private static func benchmark(
    _ name: String, _ title: String, profile: String, target: Metric.Target?, reference: Double?
  ) -> Benchmark {
    let metrics = [
      Metric("short hostcall (status_get)", .nanoseconds, target: target, reference: reference),
      Metric("clock_time_get", .nanoseconds),
      Metric("header_value_get, 16 bytes", .nanoseconds),
      Metric("body write, 16 bytes", .nanoseconds),
    ]
    return Benchmark(name: name, title: title, metrics: metrics) { workbench in
      try await ServerProcess.serving(
        workbench.guest("hostcalls"), on: workbench, arguments: ["--profile", profile]
      ) { server in
        var values: [Double] = []
        for kind in ["", "/clock", "/header", "/write"] {
          let many = try await time(of: calls, kind: kind, server)
          let few = try await time(of: fewCalls, kind: kind, server)
          values.append((many - few) / Double(calls - fewCalls))
        }
        return values
      }
    }
  }

  /// Below the cap of a trace's spans, so that each call is recorded where calls are.
  private static let calls = 7_500
  private static let fewCalls = 100
  private static let requests = 300

  /// The median of the nanoseconds that the guest says it needed for so many calls.
  static func time(
    of calls: Int, kind: String, requests: Int = requests, _ server: ServerProcess
  ) async throws -> Double {
    let outcome = try await LoadGenerator.run(
      LoadPlan(
        port: server.port, target: "\(kind)/\(calls)", connections: 1, amount: .requests(requests), keepsBodies: true))
    try outcome.checkAnswers()
    let times = outcome.bodies.compactMap { body in
      body.split(separator: "\n").first { $0.hasPrefix("nanoseconds=") }.flatMap { Double($0.dropFirst(12)) }
    }
    guard times.count == requests, let median = times.median else {
      throw BenchmarkFailure("the guest hostcalls did not say how long \(calls) calls took")
    }
    return median
  }
}
