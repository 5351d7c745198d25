import CTimestamp
import ComputeABI
import FastlikeProfile
import FastlikeRuntime
import Logging
import NIOCore
import NIOPosix
import Wasmtime

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
    // Room for one guest at a time and some that are being cleared: the next run's engine needs addresses too.
    var engineSettings = EngineSettings()
    engineSettings.maximumInstances = 128
    let engine = Engine(engineSettings)
    let program = try Program.load(
      path: workbench.guest("hello"), settings: engine.settings, engine: { engine }, cache: nil)
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let shared = Service.Shared(logger: logger)
    let services = modes.map { service(program, EpochClock(engine: engine), $0, shared) }
    let eventLoop = group.next()
    var times = Array(repeating: [Double](), count: modes.count)
    for round in 0..<rounds {
      for mode in round.isMultiple(of: 2) ? Array(modes.indices) : modes.indices.reversed() {
        let turn = try await eventLoop.flatSubmit { Turn(services[mode], on: eventLoop, requests: requests).run() }
          .get()
        times[mode].append(Double(turn) / Double(requests))
      }
    }
    try await shared.shutdown(on: eventLoop).get()
    shared.closeStores()
    try await group.shutdownGracefully()
    let off = times[0].median ?? 0
    // Each turn against the one next to it: the machine changes more slowly than that.
    return [off] + times.dropFirst().map { zip($0, times[0]).map { $0 - $1 }.median ?? 0 }
  }

  private static let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }

  private static func service(
    _ program: Program, _ clock: EpochClock, _ mode: ProfileMode, _ shared: Service.Shared
  ) -> Service {
    var settings = SandboxSettings()
    settings.cpuSampling.isAlways = mode == .deep
    let traces =
      mode == .off ? nil : ProfileStore(mode: mode, hostcalls: HostcallNameTable(names: HostcallTable.traceNames))
    return Service(
      program: program, configuration: ServiceConfiguration(), settings: settings, clock: clock, traces: traces,
      logs: LogRouter(), logger: logger, shared: shared)
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
        head: head, body: body, connection: DownstreamConnection(clientAddress: nil, serverAddress: nil),
        receivedAt: ctimestamp_monotonic())
      service.handle(request, responder: Responder { [self] in eventLoop.execute { self.next() } }, on: eventLoop)
    }

    private let head = {
      var head = RequestHead()
      head.headers = HeaderList([("Host", "127.0.0.1:8080")])
      return head
    }()
  }

  private final class Responder: DownstreamResponder {
    let isClosed = false
    var onClosed: (() -> Void)?
    var onDelivered: ((DownstreamDelivery) -> Void)?
    private let onEnd: () -> Void

    init(onEnd: @escaping () -> Void) { self.onEnd = onEnd }

    func sendInformational(_ head: ResponseHead) {}

    func send(_ head: ResponseHead, framing: FramingMode, closeAfter: Bool, body: OutgoingBody) {
      var delivery = DownstreamDelivery()
      delivery.headFlushedAt = ctimestamp_monotonic()
      if case .bytes(let bytes) = body { delivery.bodyBytes = bytes.readableBytes }
      deliver(delivery)
    }

    func abort() {
      var delivery = DownstreamDelivery()
      delivery.isAborted = true
      deliver(delivery)
    }

    private func deliver(_ delivery: DownstreamDelivery) {
      let callback = onDelivered
      onDelivered = nil
      callback?(delivery)
      onEnd()
    }
  }
}
