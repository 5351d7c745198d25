import ComputeABI
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Testing

@testable import FastlikeRuntime

/// One connection to the scripted origin, as the script sees it.
struct OriginConnection {
  /// Counts the origin's connections from 1.
  let number: Int
  let channel: any Channel
  fileprivate var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
  fileprivate let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
  private var received = ""

  fileprivate init(
    number: Int, channel: any Channel, inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
    outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
  ) {
    self.number = number
    self.channel = channel
    self.inbound = inbound
    self.outbound = outbound
  }

  /// Everything up to and with `mark`; what came until then where the client closes or breaks off first.
  mutating func read(until mark: String) async throws -> String {
    while true {
      if let end = received.utf8Range(of: mark) {
        let part = String(received[..<end])
        received = String(received[end...])
        return part
      }
      guard let buffer = try? await inbound.next() else {
        defer { received = "" }
        return received
      }
      received += String(buffer: buffer)
    }
  }

  /// The head of the next request; empty where the client closed.
  mutating func readHead() async throws -> String { try await read(until: "\r\n\r\n") }

  func write(_ text: String) async throws { try await outbound.write(ByteBuffer(string: text)) }

  /// Answers with status 200 and a body of known length.
  func answer(_ body: String, headers: String = "") async throws {
    try await write("HTTP/1.1 200 OK\r\ncontent-length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
  }

  /// Breaks the connection off with RST when the script returns.
  func resetOnReturn() async throws {
    let provider = channel as? any SocketOptionProvider
    try await provider?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
  }
}

extension String {
  /// The index behind the first occurrence of `mark`, compared byte by byte ("\r\n" is one character to `String`).
  fileprivate func utf8Range(of mark: String) -> String.Index? {
    let bytes = Array(utf8)
    let wanted = Array(mark.utf8)
    guard bytes.count >= wanted.count else { return nil }
    for start in 0...(bytes.count - wanted.count) where bytes[start..<(start + wanted.count)].elementsEqual(wanted) {
      return utf8.index(utf8.startIndex, offsetBy: start + wanted.count)
    }
    return nil
  }
}

/// Lets a script wait for something that happens in the test.
struct Signal: Sendable {
  private let stream: AsyncStream<Void>
  private let continuation: AsyncStream<Void>.Continuation

  init() { (stream, continuation) = AsyncStream.makeStream() }

  func send() { continuation.yield() }

  func wait() async {
    for await _ in stream { return }
  }
}

/// What came of one exchange.
struct Reply: Sendable {
  var head: ResponseHead?
  var body = ""
  var trailers: HeaderList?
  var bodyError: BodyError?
  var failure: SendError?
  var phases: BackendPhases
  /// Most bytes that waited in the response's pipe.
  var mostBuffered = 0
}

/// Reads an exchange to its end on its event loop, one piece for each turn of the loop.
final class ReplyReader {
  let exchange: BackendExchange
  /// Called with the whole body so far whenever more of it came.
  var onBody: ((String) -> Void)?
  private let eventLoop: any EventLoop
  private let promise: EventLoopPromise<Reply>
  private var reply: Reply

  init(_ exchange: BackendExchange, on eventLoop: any EventLoop) {
    self.exchange = exchange
    self.eventLoop = eventLoop
    promise = eventLoop.makePromise()
    reply = Reply(phases: exchange.phases)
    exchange.onSettled = { self.settled() }
  }

  var result: EventLoopFuture<Reply> { promise.futureResult }

  private func settled() {
    switch exchange.state {
    case .inFlight: break
    case .failed(let error):
      reply.failure = error
      finish()
    case .responded(let head, let pipe):
      reply.head = head
      pipe.onReadable = { self.read(pipe) }
      read(pipe)
    }
  }

  private func read(_ pipe: BodyPipe) {
    reply.mostBuffered = max(reply.mostBuffered, pipe.bufferedBytes)
    switch pipe.read(max: 16 * 1024) {
    case .bytes(let buffer):
      reply.body += String(buffer: buffer)
      onBody?(reply.body)
      if pipe.isReadable {
        pipe.onReadable = nil
        eventLoop.assumeIsolated().execute {
          pipe.onReadable = { self.read(pipe) }
          self.read(pipe)
        }
      }
    case .pending: break
    case .end(let trailers):
      pipe.onReadable = nil
      reply.trailers = trailers
      finish()
    case .failed(let error):
      pipe.onReadable = nil
      reply.bodyError = error
      finish()
    }
  }

  private func finish() {
    onBody = nil
    eventLoop.assumeIsolated().execute {
      self.reply.phases = self.exchange.phases
      self.promise.succeed(self.reply)
    }
  }
}

/// A connector and an origin that follows a script, on one event loop.
struct BackendScene: Sendable {
  let eventLoop: any EventLoop
  let backend: BackendDefinition
  private let connector: NIOLoopBound<BackendConnector>

  typealias Script = @Sendable (inout OriginConnection) async throws -> Void

  /// Runs `body` against an origin whose connections each run `script` and close when it returns.
  static func run(
    tls: NIOSSLContext? = nil, script: @escaping Script,
    _ body: @escaping @Sendable (BackendScene) async throws -> Void
  ) async throws {
    let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
    let server = try await ServerBootstrap(group: eventLoop)
      .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
      .bind(host: "127.0.0.1", port: 0) { channel in
        channel.eventLoop.makeCompletedFuture {
          if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
          return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        }
      }
    let port = UInt16(server.channel.localAddress?.port ?? 0)
    let connector = try await eventLoop.submit {
      NIOLoopBound(BackendConnector(eventLoop: eventLoop, logger: Logger(label: "test")), eventLoop: eventLoop)
    }.get()
    var backend = BackendDefinition(name: "origin", host: "127.0.0.1", port: port, usesTLS: tls != nil)
    // Origins share the processors with the other tests; what is about time says so itself.
    backend.connectTimeoutMilliseconds = 10_000
    backend.firstByteTimeoutMilliseconds = 60_000
    backend.betweenBytesTimeoutMilliseconds = 60_000
    let scene = BackendScene(eventLoop: eventLoop, backend: backend, connector: connector)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await serve(server, script) }
      do {
        try await body(scene)
      } catch {
        group.cancelAll()
        throw error
      }
      group.cancelAll()
    }
    try await eventLoop.submit { connector.value.shutdown() }.get()
  }

  private static func serve(
    _ server: NIOAsyncChannel<NIOAsyncChannel<ByteBuffer, ByteBuffer>, Never>, _ script: @escaping Script
  ) async {
    // Errors end a connection or, when the test is over, the server; the test looks at its own side only.
    try? await withThrowingDiscardingTaskGroup { group in
      try await server.executeThenClose { connections in
        var number = 0
        for try await connection in connections {
          number += 1
          let current = number
          group.addTask {
            try? await connection.executeThenClose { inbound, outbound in
              var origin = OriginConnection(
                number: current, channel: connection.channel, inbound: inbound.makeAsyncIterator(), outbound: outbound)
              try await script(&origin)
            }
          }
        }
      }
    }
  }

  /// Runs `body` with the connector on its event loop.
  func onLoop<Value: Sendable>(
    _ body: @escaping @Sendable (BackendConnector, any EventLoop) throws -> EventLoopFuture<Value>
  ) async throws -> Value {
    let connector = connector
    let eventLoop = eventLoop
    return try await eventLoop.flatSubmit {
      do {
        return try body(connector.value, eventLoop)
      } catch {
        return eventLoop.makeFailedFuture(error)
      }
    }.get()
  }

  /// Sends one request and reads its response to the end.
  func send(
    _ method: String = "GET", _ target: String = "/", headers: [(String, String)] = [], body: String? = nil,
    change: @escaping @Sendable (inout BackendDefinition) -> Void = { _ in }
  ) async throws -> Reply {
    var backend = backend
    change(&backend)
    let definition = backend
    let list = HeaderList([("Host", "origin.test")] + headers)
    return try await onLoop { connector, eventLoop in
      let request = BackendRequest(
        head: RequestHead(method: method, uri: target, headers: list), framing: .automatic,
        body: body.map { .bytes(ByteBuffer(string: $0)) } ?? .empty)
      return ReplyReader(connector.send(request, to: definition), on: eventLoop).result
    }
  }

  func idleConnectionCount() async throws -> Int {
    let backend = backend
    return try await onLoop { connector, eventLoop in
      eventLoop.makeSucceededFuture(connector.idleConnectionCount(for: backend))
    }
  }
}
