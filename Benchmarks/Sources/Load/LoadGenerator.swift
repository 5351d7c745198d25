import CTimestamp
import NIOCore
import NIOPosix

/// Sends requests from one thread, with less work for a request than the server has.
enum LoadGenerator {
  static func run(_ plan: LoadPlan) async throws -> LoadOutcome {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let eventLoop = group.next()
    let outcome = eventLoop.makePromise(of: LoadOutcome.self)
    eventLoop.execute { LoadRun(plan, eventLoop: eventLoop, outcome: outcome).start() }
    do {
      let result = try await outcome.futureResult.get()
      try await group.shutdownGracefully()
      return result
    } catch {
      try? await group.shutdownGracefully()
      throw error
    }
  }
}

/// One load. All of it happens on its event loop, and its connections keep it alive.
final class LoadRun {
  let plan: LoadPlan
  /// The bytes that every connection sends.
  let request: ByteBuffer
  private let eventLoop: any EventLoop
  private let promise: EventLoopPromise<LoadOutcome>
  private var connections: [LoadConnection] = []
  /// Connections that were begun.
  private var attempts = 0
  /// Connections that have not sent enough.
  private var active = 0
  private var startedAt: UInt64 = 0
  private var outcome = LoadOutcome()
  private var hasEnded = false
  private var limit: Scheduled<Void>?

  /// Below the listeners' backlogs.
  private static let simultaneousAttempts = 128

  init(_ plan: LoadPlan, eventLoop: any EventLoop, outcome: EventLoopPromise<LoadOutcome>) {
    self.plan = plan
    self.eventLoop = eventLoop
    promise = outcome
    request = ByteBuffer(string: "GET \(plan.target) HTTP/1.1\r\nHost: 127.0.0.1:\(plan.port)\r\n\r\n")
    self.outcome.latencies.reserveCapacity(1 << 17)
  }

  func start() {
    limit = eventLoop.assumeIsolated().scheduleTask(in: .seconds(LoadPlan.limit)) { self.giveUp() }
    for _ in 0..<min(Self.simultaneousAttempts, plan.connections) { connectNext() }
  }

  private func connectNext() {
    guard attempts < plan.connections, !hasEnded else { return }
    let bound = NIOLoopBound(self, eventLoop: eventLoop)
    let source = LoopbackSources.address(of: attempts, among: plan.connections)
    attempts += 1
    do {
      var bootstrap = ClientBootstrap(group: eventLoop)
        .channelOption(.tcpOption(.tcp_nodelay), value: 1)
        .connectTimeout(.seconds(5))
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(LoadConnection(run: bound.value))
          }
        }
      if let source { bootstrap = bootstrap.bind(to: try SocketAddress(ipAddress: source, port: 0)) }
      bootstrap.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: plan.port)).assumeIsolated().whenFailure {
        self.fail($0)
      }
    } catch {
      fail(error)
    }
  }

  private func fail(_ error: any Error) {
    let count = connections.count
    end { $0.fail(BenchmarkFailure("connection \(count + 1) of \(self.plan.connections) failed: \(error)")) }
  }

  /// A connection is there. The first requests go out when all are.
  func connected(_ connection: LoadConnection) {
    connections.append(connection)
    guard connections.count == plan.connections else { return connectNext() }
    active = connections.count
    startedAt = ctimestamp_monotonic()
    plan.onStart()
    for connection in connections { connection.send() }
  }

  /// A response is there: the connection sends again, unless it has sent enough.
  func answered(_ connection: LoadConnection, status: Int, latency: UInt64, now: UInt64, body: String) {
    guard !hasEnded else { return }
    outcome.latencies.append(latency)
    if status != 200 { outcome.failures[status, default: 0] += 1 }
    if plan.keepsBodies { outcome.bodies.append(body) }
    let wantsMore =
      switch plan.amount {
      case .requests(let count): connection.answers < count
      case .time(let length): now - startedAt < length
      }
    if wantsMore { return connection.send() }
    outcome.elapsed = now - startedAt
    done()
  }

  /// A connection broke while it awaited a response, or the response made no sense.
  func lost() {
    guard !hasEnded, active > 0 else { return }
    outcome.lost += 1
    outcome.elapsed = ctimestamp_monotonic() - startedAt
    done()
  }

  private func done() {
    active -= 1
    if active == 0 { complete() }
  }

  private func giveUp() {
    guard connections.count == plan.connections else {
      return fail(BenchmarkFailure("it was not accepted within \(LoadPlan.limit) s"))
    }
    outcome.unanswered = active
    outcome.elapsed = ctimestamp_monotonic() - startedAt
    complete()
  }

  private func complete() {
    let outcome = outcome
    end { $0.succeed(outcome) }
  }

  private func end(_ settle: (EventLoopPromise<LoadOutcome>) -> Void) {
    guard !hasEnded else { return }
    hasEnded = true
    limit?.cancel()
    for connection in connections { connection.close() }
    connections = []
    settle(promise)
  }
}
