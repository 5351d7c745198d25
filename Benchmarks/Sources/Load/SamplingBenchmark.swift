import Foundation

/// What sampling the stacks of computing guests costs: two servers with the same guest, one of them sampling, take turns, so that
/// both meet the same machine.
enum SamplingBenchmark {
  static let all = [
    Benchmark(
      name: "sampling", title: "Computing guest, 8 connections, stacks sampled 1,000 times a second",
      metrics: [
        Metric("requests/s, not sampled", .perSecond), Metric("requests/s, sampled", .perSecond),
        Metric("requests/s lost", .percent, target: .atMost(3)),
      ]
    ) { workbench in
      let module = workbench.folder.appendingPathComponent("computing.wat", isDirectory: false)
      try Data(guest.utf8).write(to: module)
      return try await ServerProcess.serving(module.path, on: workbench, arguments: ["--profile", "trace"]) { plain in
        let arguments = ["--profile", "trace", "--profile-cpu", "1000"]
        return try await ServerProcess.serving(module.path, on: workbench, arguments: arguments) { sampled in
          try await compare(plain, sampled)
        }
      }
    }
  ]

  private static let turns = 4
  private static let nanosecondsOfATurn: UInt64 = 1_200_000_000

  private static func compare(_ plain: ServerProcess, _ sampled: ServerProcess) async throws -> [Double] {
    _ = try await rate(of: plain, nanoseconds: 400_000_000)
    _ = try await rate(of: sampled, nanoseconds: 400_000_000)
    var sums = (plain: 0.0, sampled: 0.0)
    for turn in 0..<turns {
      // Who begins changes, because the first after a pause has it easier.
      let order = turn.isMultiple(of: 2) ? [plain, sampled] : [sampled, plain]
      for server in order {
        let rate = try await rate(of: server, nanoseconds: nanosecondsOfATurn)
        if server === plain { sums.plain += rate } else { sums.sampled += rate }
      }
    }
    let count = Double(turns)
    return [sums.plain / count, sums.sampled / count, max(0, 1 - sums.sampled / sums.plain) * 100]
  }

  private static func rate(of server: ServerProcess, nanoseconds: UInt64) async throws -> Double {
    let outcome = try await LoadGenerator.run(
      LoadPlan(port: server.port, target: "/", connections: 8, amount: .time(nanoseconds)))
    try outcome.checkAnswers()
    return outcome.requestsPerSecond
  }

  /// Computes for about a third of a millisecond, three functions deep, and leaves the answer to the host.
  private static let guest = """
    (module
      (memory (export "memory") 1)
      (func $spin (param $n i32) (result i32) (local $x i32)
        (loop $again
          (local.set $x (i32.add (i32.mul (local.get $x) (i32.const 1664525)) (i32.const 1013904223)))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br_if $again (local.get $n)))
        (local.get $x))
      (func $work (result i32) (call $spin (i32.const 300000)))
      (func (export "_start") (drop (call $work))))
    """
}
