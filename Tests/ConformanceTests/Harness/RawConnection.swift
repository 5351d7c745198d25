import NIOCore
import NIOPosix

/// A client's socket: sends bytes as they are, and tells what arrives and how the connection ends.
struct RawConnection: Sendable {
  /// What arrived.
  enum Arrival: Sendable {
    case bytes(ByteBuffer)
    /// The server closed its side.
    case end
    /// The server broke the connection off.
    case reset
  }

  let channel: any Channel
  private let inbox: NIOLoopBound<Inbox>

  static func open(host: String = "127.0.0.1", port: Int) async throws -> RawConnection {
    try await bootstrap.connect(host: host, port: port) { initialize($0) }
  }

  static func open(unixSocket path: String) async throws -> RawConnection {
    try await bootstrap.connect(unixDomainSocketPath: path) { initialize($0) }
  }

  private static var bootstrap: ClientBootstrap {
    ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .connectTimeout(Patience.timeAmount)
  }

  @Sendable private static func initialize(_ channel: any Channel) -> EventLoopFuture<RawConnection> {
    channel.eventLoop.makeCompletedFuture {
      let inbox = Inbox()
      try channel.pipeline.syncOperations.addHandler(inbox)
      return RawConnection(channel: channel, inbox: NIOLoopBound(inbox, eventLoop: channel.eventLoop))
    }
  }

  func send(_ bytes: ByteBuffer) async throws { try await channel.writeAndFlush(bytes) }

  /// The next arrival; throws when none comes in time.
  func next(within limit: TimeAmount = Patience.timeAmount) async throws -> Arrival {
    let inbox = inbox
    let eventLoop = channel.eventLoop
    return try await eventLoop.flatSubmit { inbox.value.next(within: limit, on: eventLoop) }.get()
  }

  /// Stops or goes on to read from the socket.
  func setReading(_ isOn: Bool) async throws { try await channel.setOption(.autoRead, value: isOn).get() }

  func closeOutput() async throws { try await channel.close(mode: .output) }

  func close() async { try? await channel.close() }

  /// Breaks the connection off with RST.
  func reset() async {
    try? await channel.endWithReset()
    await close()
  }
}

/// Keeps what arrives until somebody asks for it. Confined to its channel's event loop.
private final class Inbox: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private var arrivals: CircularBuffer<RawConnection.Arrival> = []
  private var waiter: EventLoopPromise<RawConnection.Arrival>?
  private var hasEnded = false

  func next(within limit: TimeAmount, on eventLoop: any EventLoop) -> EventLoopFuture<RawConnection.Arrival> {
    if let arrival = arrivals.popFirst() { return eventLoop.makeSucceededFuture(arrival) }
    if hasEnded { return eventLoop.makeSucceededFuture(.end) }
    let promise = eventLoop.makePromise(of: RawConnection.Arrival.self)
    waiter = promise
    let alarm = eventLoop.assumeIsolated().scheduleTask(in: limit) { [weak self] in
      self?.waiter = nil
      promise.fail(HarnessError("nothing arrived from the server in \(limit.nanoseconds / 1_000_000) ms"))
    }
    promise.futureResult.assumeIsolated().whenComplete { _ in alarm.cancel() }
    return promise.futureResult
  }

  private func take(_ arrival: RawConnection.Arrival) {
    if let waiter {
      self.waiter = nil
      waiter.succeed(arrival)
    } else {
      arrivals.append(arrival)
    }
  }

  private func end(_ arrival: RawConnection.Arrival) {
    guard !hasEnded else { return }
    hasEnded = true
    take(arrival)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) { take(.bytes(unwrapInboundIn(data))) }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed? = event as? ChannelEvent { end(.end) }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    end(.reset)
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    end(.end)
    context.fireChannelInactive()
  }
}
