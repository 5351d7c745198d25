/// How many requests a second the server answers, and how fast.
enum ThroughputBenchmarks {
  static let all = [
    benchmark(
      "hello", "Minimal guest, 8 connections, profile off", guest: { $0.guest("hello") }, profile: "off",
      rate: 20_000, reference: 5_900),
    benchmark(
      "hello-traced", "Minimal guest, 8 connections, profile trace", guest: { $0.guest("hello") }, profile: "trace",
      rate: nil, reference: 3_800),
    benchmark(
      "go-hello", "Go SDK hello world, 8 connections, profile trace", guest: { $0.goHello }, profile: "trace",
      rate: 300,
      reference: 206, memory: 400e6, memoryReference: 2.9e9),
  ]

  static let connections = 8
  private static let seconds = 4

  private static func benchmark(
    _ name: String, _ title: String, guest: @escaping @Sendable (Workbench) -> String?, profile: String, rate: Double?,
    reference: Double, memory: Double? = nil, memoryReference: Double? = nil
  ) -> Benchmark {
    let metrics = [
      Metric("requests/s", .perSecond, target: rate.map { .atLeast($0) }, reference: reference),
      Metric("latency, median", .nanoseconds), Metric("latency, 99 of 100 below", .nanoseconds),
      Metric("server's peak memory", .bytes, target: memory.map { .atMost($0) }, reference: memoryReference),
    ]
    return Benchmark(name: name, title: title, metrics: metrics) { workbench in
      guard let guest = guest(workbench) else { throw Skipped(reason: "no guest was given (--\(name) FILE)") }
      return try await ServerProcess.serving(guest, on: workbench, arguments: ["--profile", profile]) { server in
        // Fills the pools, so that the first requests do not count.
        _ = try await load(server, workbench, seconds: 1)
        let throughput = try await load(server, workbench, seconds: seconds)
        let memory = ProcessFacts.of(server.processID).peakResident
        return [throughput.requestsPerSecond, throughput.p50, throughput.p99, Double(memory)]
      }
    }
  }

  /// Asks for `/` as fast as a few connections can.
  static func load(
    _ server: ServerProcess, _ workbench: Workbench, connections: Int = connections, seconds: Int
  ) async throws -> Throughput {
    try await load(port: server.port, workbench, connections: connections, seconds: seconds)
  }

  /// As ``load(_:_:connections:seconds:)``.
  static func load(
    port: Int, _ workbench: Workbench, connections: Int, seconds: Int
  ) async throws -> Throughput {
    if let wrk = workbench.wrk {
      return try await wrk.load(port: port, target: "/", connections: connections, seconds: seconds)
    }
    let outcome = try await LoadGenerator.run(
      LoadPlan(
        port: port, target: "/", connections: connections, amount: .time(UInt64(seconds) * 1_000_000_000)))
    try outcome.checkAnswers()
    return outcome.throughput
  }
}
