import ComputeABI
import FastlikeRuntime
import FastlikeServer
import Foundation
import Logging
import NIOCore
import NIOPosix
import NIOSSL

/// Answers requests with a closure.
struct ClosureHandler: RequestHandler {
  let body: @Sendable (DownstreamRequest, any DownstreamResponder, any EventLoop) -> Void

  func handle(_ request: DownstreamRequest, responder: any DownstreamResponder, on eventLoop: any EventLoop) {
    body(request, responder, eventLoop)
  }
}

extension DownstreamResponder {
  /// Sends a 200 with a text that is all there.
  func reply(_ text: String, status: UInt16 = 200, headers: [(String, String)] = [], closeAfter: Bool = false) {
    let head = ResponseHead(status: status, headers: HeaderList(headers))
    send(head, framing: .automatic, closeAfter: closeAfter, body: .bytes(ByteBuffer(string: text)))
  }

  func reply(_ pipe: BodyPipe, knownLength: Int? = nil) {
    send(ResponseHead(), framing: .automatic, closeAfter: false, body: .pipe(pipe, knownLength: knownLength))
  }
}

/// Collects a request body and calls back with its text, one character a byte.
func collect(_ body: BodyPipe, then finish: @escaping (String, BodyPipe.Next) -> Void) {
  var text = ""
  func go() {
    while true {
      let next = body.read()
      switch next {
      case .bytes(let bytes): text += latin1(bytes)
      case .pending: return
      case .end, .failed:
        body.onReadable = nil
        return finish(text, next)
      }
    }
  }
  body.onReadable = { go() }
  go()
}

/// The bytes as text with one character for each, so that nothing is lost.
func latin1(_ bytes: ByteBuffer) -> String {
  var text = ""
  text.unicodeScalars.append(contentsOf: bytes.readableBytesView.lazy.map { Unicode.Scalar($0) })
  return text
}

/// Carries values from a handler to its test, or the other way.
struct Report<Value: Sendable>: Sendable {
  let stream: AsyncStream<Value>
  let continuation: AsyncStream<Value>.Continuation

  init() { (stream, continuation) = AsyncStream.makeStream() }

  func send(_ value: Value) { continuation.yield(value) }

  func value() async -> Value? {
    for await value in stream { return value }
    return nil
  }
}

/// A running edge on a free port of the loopback address.
struct TestEdge {
  let listener: EdgeListener
  let address: SocketAddress
  let group: MultiThreadedEventLoopGroup

  /// - Parameter tls: For an edge with TLS: how the client speaks it.
  func connect(tls: TLSConfiguration? = nil) async throws -> EdgeClient {
    try await EdgeClient.connect(to: address, group: group, tls: tls)
  }

  /// Sends a text on a connection of its own and returns everything that comes until the edge closes.
  func exchange(_ text: String, tls: TLSConfiguration? = nil) async throws -> String {
    let client = try await EdgeClient.connect(to: address, group: group, sending: text, tls: tls)
    return try await client.readToEnd()
  }
}

/// A path for a Unix domain socket, whose buffers are small and fixed, other than those of TCP.
func temporarySocket() -> String {
  FileManager.default.temporaryDirectory.appendingPathComponent("edge-\(UUID().uuidString.prefix(8)).sock").path
}

/// Runs an edge for the duration of `body`.
func withEdge(
  at address: EdgeAddress = .tcp(host: "127.0.0.1", port: 0),
  settings: EdgeSettings = EdgeSettings(), tls: EdgeTLS? = nil,
  answering handler: @escaping @Sendable (DownstreamRequest, any DownstreamResponder, any EventLoop) -> Void,
  _ body: (TestEdge) async throws -> Void
) async throws {
  let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  let listener = EdgeListener(
    group: group, handler: ClosureHandler(body: handler), settings: settings, tls: tls, logger: Logger(label: "test"))
  do {
    let address = try await listener.bind([address])[0]
    try await body(TestEdge(listener: listener, address: address, group: group))
  } catch {
    await listener.shutdown(gracePeriod: .zero)
    try await group.shutdownGracefully()
    throw error
  }
  await listener.shutdown(gracePeriod: .zero)
  try await group.shutdownGracefully()
}

/// A client that sees and sends the bytes themselves.
final class EdgeClient: Sendable {
  struct Timeout: Error {
    let received: String
  }

  private let channel: any Channel
  private let inbox: NIOLoopBound<Inbox>

  private init(channel: any Channel, inbox: NIOLoopBound<Inbox>) {
    self.channel = channel
    self.inbox = inbox
  }

  /// Connects and sends at once, so that no timeout of the edge comes in between.
  static func connect(
    to address: SocketAddress, group: any EventLoopGroup, sending text: String = "", tls: TLSConfiguration? = nil
  ) async throws -> EdgeClient {
    let eventLoop = group.any()
    let context = try tls.map { try NIOSSLContext(configuration: $0) }
    return try await eventLoop.flatSubmit {
      let inbox = NIOLoopBound(Inbox(), eventLoop: eventLoop)
      return ClientBootstrap(group: eventLoop)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            if let context {
              let handler = try NIOSSLClientHandler(context: context, serverHostname: "localhost")
              try channel.pipeline.syncOperations.addHandler(handler)
            }
            try channel.pipeline.syncOperations.addHandler(inbox.value)
          }
        }
        .connect(to: address)
        .map { channel in
          let client = EdgeClient(channel: channel, inbox: inbox)
          if !text.isEmpty { client.sendLater(text) }
          return client
        }
    }.get()
  }

  func send(_ text: String) async throws {
    try await channel.writeAndFlush(ByteBuffer(bytes: text.unicodeScalars.map { UInt8($0.value) }))
  }

  /// Sends without waiting for the edge to take it.
  func sendLater(_ text: String) {
    channel.writeAndFlush(ByteBuffer(bytes: text.unicodeScalars.map { UInt8($0.value) }), promise: nil)
  }

  /// Closes the sending side.
  func closeOutput() async throws { try await channel.close(mode: .output) }

  func close() async throws { try await channel.close() }

  /// Reads nothing more, so that what the edge sends fills the sockets.
  func stopReading() async throws { try await channel.setOption(.autoRead, value: false).get() }

  func startReading() async throws { try await channel.setOption(.autoRead, value: true).get() }

  /// Takes what has come, at the latest when the edge closes, as soon as it ends with a text.
  func read(until suffix: String) async throws -> String { try await read(suffix: Array(suffix.utf8)) }

  /// Takes everything until the edge closes.
  func readToEnd() async throws -> String { try await read(suffix: nil) }

  private func read(suffix: [UInt8]?) async throws -> String {
    try await channel.eventLoop.flatSubmit { [channel, inbox] in
      inbox.value.read(on: channel.eventLoop, suffix: suffix)
    }.get()
  }
}

/// Keeps what a client receives until it is asked for.
private final class Inbox: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private var received = ByteBuffer()
  private var isEnded = false
  private var waiting: (suffix: [UInt8]?, promise: EventLoopPromise<String>, limit: Scheduled<Void>)?

  func read(on eventLoop: any EventLoop, suffix: [UInt8]?) -> EventLoopFuture<String> {
    let promise = eventLoop.makePromise(of: String.self)
    let limit = eventLoop.assumeIsolated().scheduleTask(in: .seconds(20)) {
      self.waiting = nil
      promise.fail(EdgeClient.Timeout(received: String(latin1(self.received).prefix(500))))
    }
    waiting = (suffix, promise, limit)
    check()
    return promise.futureResult
  }

  private func check() {
    guard let waiting else { return }
    let isEnough = waiting.suffix.map { received.readableBytesView.suffix($0.count).elementsEqual($0) } ?? false
    guard isEnded || isEnough else { return }
    self.waiting = nil
    waiting.limit.cancel()
    let text = latin1(received)
    received.clear()
    waiting.promise.succeed(text)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    received.writeBuffer(&bytes)
    check()
  }

  func channelInactive(context: ChannelHandlerContext) {
    isEnded = true
    check()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// The body of a raw response: what follows the first empty line.
func bodyText(_ response: String) -> String {
  response.range(of: "\r\n\r\n").map { String(response[$0.upperBound...]) } ?? ""
}

/// The lines of a raw response's head, without the date.
func headLines(_ response: String) -> [String] {
  let head = response.range(of: "\r\n\r\n").map { response[..<$0.lowerBound] } ?? response[...]
  return head.components(separatedBy: "\r\n").filter { !$0.hasPrefix("date: ") }
}
