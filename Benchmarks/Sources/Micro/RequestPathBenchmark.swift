import CTimestamp
import FastlikeProfile
import FastlikeRuntime
import FastlikeServer
import NIOCore
import NIOPosix

/// What a request takes on its event loop without a network, and what recording adds to it: three services with the same program take
/// turns within a process, some milliseconds each, so that all meet the same machine.
enum RequestPathBenchmark {
  static let all = [
    Benchmark(
      name: "request", title: "Minimal guest's request in this process, no network",
      metrics: [
        Metric("profile off", .nanoseconds), Metric("trace adds", .nanoseconds), Metric("deep adds", .nanoseconds),
      ], measure: measure)
  ]

  private static let modes: [ProfileMode] = [.off, .trace, .deep]
  private static let rounds = 120
  private static let requests = 500

  @Sendable
  private static func measure(_ workbench: Workbench) async throws -> [Double] {
    let modes = try ModeServices(modes, guest: workbench.guest("hello"), maximumInstances: 128)
    let services = modes.services
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let eventLoop = group.next()
    var times = Array(repeating: [Double](), count: services.count)
    for round in 0..<rounds {
      for mode in round.isMultiple(of: 2) ? Array(services.indices) : services.indices.reversed() {
        let turn = try await eventLoop.flatSubmit { Turn(services[mode], on: eventLoop, requests: requests).run() }
          .get()
        times[mode].append(Double(turn) / Double(requests))
      }
    }
    try await modes.shutdown(group)
    let off = times[0].median ?? 0
    // Each turn against the one next to it: the machine changes more slowly than that.
    return [off] + times.dropFirst().map { zip($0, times[0]).map { $0 - $1 }.median ?? 0 }
  }

  /// So many requests, one after the other. Confined to its loop.
  private final class Turn: @unchecked Sendable {
    private let service: Service
    private let eventLoop: any EventLoop
    private var left: Int
    private let began = ctimestamp_monotonic()
    private let promise: EventLoopPromise<UInt64>

    init(_ service: Service, on eventLoop: any EventLoop, requests: Int) {
      self.service = Service(copying: service, for: eventLoop)
      self.eventLoop = eventLoop
      left = requests
      promise = eventLoop.makePromise()
    }

    func run() -> EventLoopFuture<UInt64> {
      next()
      return promise.futureResult
    }

    private func next() {
      guard left > 0 else { return promise.succeed(ctimestamp_monotonic() - began) }
      left -= 1
      let body = BodyPipe()
      body.finish()
      let request = DownstreamRequest(
        head: head, body: body, connection: DownstreamConnection(clientAddress: nil, serverAddress: nil))
      service.run(request, responder: DiscardingResponder(), on: eventLoop) { [self] _ in
        eventLoop.execute { self.next() }
      }
    }

    private let head = {
      var head = RequestHead()
      head.headers = HeaderList([("Host", "127.0.0.1:8080")])
      return head
    }()
  }
}
