import Foundation
import NIOCore

/// What guests cost that wait.
enum SuspensionBenchmarks {
  static let all = [
    slowBackend(
      clients: 500,
      metrics: [
        Metric("requests/s", .perSecond, reference: 186), Metric("server's peak memory", .bytes, reference: 1.0e9),
        Metric("server's threads", .count),
      ]),
    slowBackend(
      clients: 2_000,
      metrics: [
        Metric("requests/s", .perSecond, target: .atLeast(900), reference: 28),
        Metric("server's peak memory", .bytes, target: .atMost(200e6), reference: 2.4e9),
        Metric("server's threads", .count, target: .atMost(16)),
      ]),
    Benchmark(
      name: "suspended", title: "\(guests) guests asleep at once, profile trace",
      metrics: [
        Metric("memory while all sleep", .bytes, target: .atMost(400e6)), Metric("memory for each guest", .bytes),
        Metric("server's peak memory", .bytes), Metric("server's threads", .count),
      ], measure: suspended),
  ]

  // MARK: - Slow backend

  /// Requests of each client: with a backend that takes 2 s they need 8 s at least, so that the best possible rate is half
  /// the number of clients.
  private static let rounds = 4

  private static func slowBackend(clients: Int, metrics: [Metric]) -> Benchmark {
    Benchmark(
      name: "slow-\(clients)", title: "\(clients) clients on a backend that takes 2 s, profile trace", metrics: metrics
    ) { workbench in
      // Both sides of the clients' connections and of the backend's are in this process or in the server.
      try OpenFiles.require(UInt64(clients) * 2 + 200)
      return try await SlowOrigin.running(delay: .seconds(2)) { origin in
        // Without the cache: all clients ask for one object, and would wait for the first one's answer before they ask themselves.
        try await ServerProcess.serving(
          workbench.guest("slowbackend"), on: workbench,
          arguments: ["--readthrough", "off", "--backend", "slow=127.0.0.1:\(origin.port)"]
        ) { server in
          let watch = ResourceWatch(server.processID)
          let outcome = try await LoadGenerator.run(
            LoadPlan(port: server.port, target: "/", connections: clients, amount: .requests(rounds)))
          let most = await watch.end()
          try outcome.checkAnswers()
          return [outcome.requestsPerSecond, Double(most.peakResident), Double(most.threads)]
        }
      }
    }
  }

  // MARK: - Sleeping guests

  /// As many as the edge has connections for. They sleep by themselves, so that no backend's sockets are needed.
  private static let guests = 10_000
  /// Nanoseconds that each guest sleeps.
  private static let sleep: UInt64 = 5_000_000_000

  /// Nanoseconds after the first request at which the guests' memory is looked at, before any of them wakes up.
  private static let lookingTime: UInt64 = 4_700_000_000

  /// A guest of one page that sleeps and returns, so that what is measured is the host's part of a waiting guest.
  private static func sleeper() throws -> String {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("fastlike-bench-sleeper.wat")
    let text = """
      (module
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "_start")
          (i32.store (i32.const 16) (i32.const 1))
          (i64.store (i32.const 24) (i64.const \(sleep)))
          (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))))
      """
    try text.write(to: file, atomically: true, encoding: .utf8)
    return file.path
  }

  private static func residentMemory(
    of processID: Int32, afterMostOfTheSleepSince start: AsyncStream<Never>
  ) async -> Int {
    for await _ in start {}
    try? await Task.sleep(for: .nanoseconds(lookingTime))
    return ProcessFacts.of(processID).resident
  }

  @Sendable
  private static func suspended(_ workbench: Workbench) async throws -> [Double] {
    try OpenFiles.require(UInt64(guests) + 200)
    return try await ServerProcess.serving(sleeper(), on: workbench) { server in
      let processID = server.processID
      let before = ProcessFacts.of(processID)
      let watch = ResourceWatch(processID)
      let (start, starting) = AsyncStream.makeStream(of: Never.self)
      async let asleep = residentMemory(of: processID, afterMostOfTheSleepSince: start)
      let outcome = try await LoadGenerator.run(
        LoadPlan(
          port: server.port, target: "/", connections: guests, amount: .requests(1),
          onStart: { starting.finish() }))
      let (most, resident) = await (watch.end(), asleep)
      try outcome.checkAnswers()
      // The last response comes a sleep after its guest fell asleep. Where it came early enough, all guests slept when
      // the memory was looked at.
      guard outcome.unanswered == 0, outcome.elapsed < sleep + lookingTime else {
        throw BenchmarkFailure("this machine did not get all guests to sleep before the first woke up")
      }
      let perGuest = Double(resident - before.resident) / Double(guests)
      return [Double(resident), perGuest, Double(most.peakResident), Double(most.threads)]
    }
  }
}
