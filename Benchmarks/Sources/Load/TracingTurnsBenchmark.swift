import FastlikeProfile
import FastlikeRuntime
import FastlikeServer
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// What recording costs a server at its limit, with a tenth of the noise that servers in turns have (``TracingBenchmark``): one server
/// under one load goes from one mode to the other and back every few milliseconds, so that memory, scheduling and the machine's moods
/// are the same for both. The server is in this process; its load is not, where there is wrk.
enum TracingTurnsBenchmark {
  static let all = [
    Benchmark(
      name: "turns", title: "Minimal guest, 32 connections, one server that goes from off to trace and back",
      metrics: [
        Metric("requests/s, off", .perSecond), Metric("requests/s, trace", .perSecond),
        Metric("trace, of off", .percent, target: .atLeast(97)),
      ], measure: measure)
  ]

  private static let connections = 32
  private static let seconds = 5

  @Sendable
  private static func measure(_ workbench: Workbench) async throws -> [Double] {
    let modes = try ModeServices([.off, .trace], guest: workbench.guest("hello"), maximumInstances: 1024)
    let group = MultiThreadedEventLoopGroup(numberOfThreads: System.coreCount)
    let turns = Turns(modes.services)
    let listener = EdgeListener(group: group, handler: turns, settings: EdgeSettings(), logger: ModeServices.logger)
    let address = try await listener.bind([.tcp(host: "127.0.0.1", port: 0)])
    guard let port = address.first?.port else { throw BenchmarkFailure("the server has no port") }
    _ = try await ThroughputBenchmarks.load(port: port, workbench, connections: connections, seconds: 1)
    let before = try await turns.counts()
    _ = try await ThroughputBenchmarks.load(port: port, workbench, connections: connections, seconds: seconds)
    let counts = zip(try await turns.counts(), before).map { Double($0 - $1) }
    await listener.shutdown(gracePeriod: .zero)
    try await modes.shutdown(group)
    // Each mode has half of the time.
    return counts.map { $0 / Double(seconds) * 2 } + [counts[1] / counts[0] * 100]
  }

  /// Hands requests to the service whose turn it is when they arrive.
  private final class Turns: RequestHandler {
    private let services: [Service]
    private let loops = NIOLockedValueBox<[NIOLoopBound<LoopTurns>]>([])

    init(_ services: [Service]) { self.services = services }

    func handler(on eventLoop: any EventLoop) -> any RequestHandler {
      let loop = LoopTurns(services.map { Service(copying: $0, for: eventLoop) })
      loops.withLockedValue { $0.append(NIOLoopBound(loop, eventLoop: eventLoop)) }
      return loop
    }

    func handle(_ request: DownstreamRequest, responder: any DownstreamResponder, on eventLoop: any EventLoop) {
      handler(on: eventLoop).handle(request, responder: responder, on: eventLoop)
    }

    /// How many requests each service got.
    func counts() async throws -> [Int] {
      var sums = Array(repeating: 0, count: services.count)
      for loop in loops.withLockedValue({ $0 }) {
        let counts = try await loop.eventLoop.submit { loop.value.counts }.get()
        for (place, count) in counts.enumerated() { sums[place] += count }
      }
      return sums
    }
  }

  /// The turns on one event loop; those of all loops change at the same time.
  private final class LoopTurns: RequestHandler, @unchecked Sendable {
    // Sendable because it is confined to its loop.

    private let services: [Service]
    private(set) var counts: [Int]

    /// About four milliseconds, as a power of two in nanoseconds.
    private static let turnShift: UInt64 = 22

    init(_ services: [Service]) {
      self.services = services
      counts = Array(repeating: 0, count: services.count)
    }

    func handle(_ request: DownstreamRequest, responder: any DownstreamResponder, on eventLoop: any EventLoop) {
      let turn = Int(truncatingIfNeeded: request.receivedAt >> Self.turnShift) & 1
      counts[turn] += 1
      services[turn].handle(request, responder: responder, on: eventLoop)
    }
  }
}
