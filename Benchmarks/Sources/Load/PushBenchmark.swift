import Foundation
import NIOCore

/// What it costs to push traces to an OpenTelemetry receiver.
///
/// The processor time that a request takes is measured with and without pushing, and the difference is told as a share of
/// the machine's processors at a fixed rate: a closed loop's throughput would measure the machine's load generator too.
enum PushBenchmark {
  static let all = [
    Benchmark(
      name: "push", title: "Pushing traces over OTLP, minimal guest, 8 connections",
      metrics: [
        Metric("processors in use at 5,000 requests/s, %", .count, target: .atMost(5)),
        Metric("processor time of a request", .nanoseconds),
        Metric("processor time of a request that is pushed", .nanoseconds),
      ]
    ) { workbench in
      #if os(Linux)
        let guest = workbench.guest("hello")
        let plain = try await cost(guest, workbench, arguments: [])
        let pushed = try await SlowOrigin.running(delay: .zero) { receiver in
          try await cost(guest, workbench, arguments: ["--otlp", "http://127.0.0.1:\(receiver.port)"])
        }
        let processors = Double(ProcessInfo.processInfo.activeProcessorCount)
        return [max(0, pushed - plain) * 5000 / 1e9 / processors * 100, plain, pushed]
      #else
        throw Skipped(reason: "a process's processor time is read from /proc")
      #endif
    }
  ]

  private static let requests = 2500
  private static let connections = 8

  /// Nanoseconds of the server's processor time for a request.
  private static func cost(_ guest: String, _ workbench: Workbench, arguments: [String]) async throws -> Double {
    try await ServerProcess.serving(guest, on: workbench, arguments: arguments) { server in
      try await load(server, requests: 200)
      let before = try processorTime(of: server.processID)
      try await load(server, requests: requests)
      // What is left is sent after at most some seconds; full batches are most of it by far.
      let after = try processorTime(of: server.processID)
      return (after - before) / Double(requests * connections)
    }
  }

  private static func load(_ server: ServerProcess, requests: Int) async throws {
    let outcome = try await LoadGenerator.run(
      LoadPlan(port: server.port, target: "/", connections: connections, amount: .requests(requests)))
    try outcome.checkAnswers()
  }

  /// Nanoseconds, in steps of a hundredth of a second.
  private static func processorTime(of process: Int32) throws -> Double {
    let text = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
    // The name, which may hold blanks, is in parentheses; user and system time are the 12th and 13th word behind it.
    let words = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
    guard words.count > 13, let user = Double(words[12]), let system = Double(words[13]) else {
      throw BenchmarkFailure("/proc/\(process)/stat cannot be read")
    }
    return (user + system) * 1e7
  }
}
