import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A backend that answers each request after a while. It has a thread of its own.
struct SlowOrigin {
  /// The port on 127.0.0.1.
  let port: Int
  private let group: MultiThreadedEventLoopGroup
  private let requests: Counter

  /// The requests that have arrived.
  var requestCount: Int { requests.value.load(ordering: .relaxed) }

  /// Shared by the connections.
  fileprivate final class Counter: Sendable {
    let value = Atomic<Int>(0)
  }

  /// Starts an origin, and ends it after the body.
  static func running<Result: Sendable>(
    delay: TimeAmount, _ body: (SlowOrigin) async throws -> Result
  ) async throws -> Result {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let requests = Counter()
    do {
      let channel = try await ServerBootstrap(group: group)
        .serverChannelOption(.backlog, value: 4096)
        .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.configureHTTPServerPipeline(
              withPipeliningAssistance: false, withErrorHandling: false)
            try channel.pipeline.syncOperations.addHandler(SlowAnswer(delay: delay, requests: requests))
          }
        }
        .bind(host: "127.0.0.1", port: 0).get()
      let result = try await body(SlowOrigin(port: channel.localAddress?.port ?? 0, group: group, requests: requests))
      try await group.shutdownGracefully()
      return result
    } catch {
      try? await group.shutdownGracefully()
      throw error
    }
  }
}

/// Waits, and answers.
private final class SlowAnswer: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let delay: TimeAmount
  private let requests: SlowOrigin.Counter
  private static let text = ByteBuffer(string: "slow\n")

  init(delay: TimeAmount, requests: SlowOrigin.Counter) {
    self.delay = delay
    self.requests = requests
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard case .end = unwrapInboundIn(data) else { return }
    requests.value.wrappingAdd(1, ordering: .relaxed)
    context.eventLoop.assumeIsolated().scheduleTask(in: delay) {
      guard context.channel.isActive else { return }
      let headers = HTTPHeaders([("content-length", "\(Self.text.readableBytes)")])
      let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: headers)
      context.write(self.wrapOutboundOut(.head(head)), promise: nil)
      context.write(self.wrapOutboundOut(.body(.byteBuffer(Self.text))), promise: nil)
      context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: nil)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
