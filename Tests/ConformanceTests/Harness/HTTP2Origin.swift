import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import NIOSSL
import Synchronization

/// An HTTP/2 server behind a backend, in clear with prior knowledge or over TLS. What it does to a request is the first part
/// of the request's path (``HTTP2OriginScript``).
final class HTTP2Origin: Sendable {
  /// A request as it arrived.
  struct Seen: Sendable {
    /// Pseudo fields included, in order.
    var headers: [String]
    var path: String
    /// The number of its connection, from 1.
    var connection: Int
    /// Bytes of its body so far.
    var bodyBytes = 0
    /// Whether the client reset the stream.
    var isReset = false
  }

  fileprivate struct State {
    var seen: [Seen] = []
    var connections = 0
    var mostStreams = 0
    var openGates: Set<String> = []
  }

  let port: Int
  private let channel: any Channel
  private let state: StateBox

  /// Shared with the handlers of connections, which live on event loops.
  final class StateBox: Sendable {
    fileprivate let values = Mutex(State())

    func newConnection() -> Int {
      values.withLock { state in
        state.connections += 1
        return state.connections
      }
    }

    func note(_ headers: HPACKHeaders, connection: Int, openStreams: Int) -> Int {
      values.withLock { state in
        state.mostStreams = max(state.mostStreams, openStreams)
        state.seen.append(
          Seen(
            headers: headers.map { "\($0.name): \($0.value)" }, path: headers.first(name: ":path") ?? "",
            connection: connection))
        return state.seen.count - 1
      }
    }

    func noteBody(_ index: Int, bytes: Int) { values.withLock { $0.seen[index].bodyBytes += bytes } }

    func noteReset(_ index: Int) { values.withLock { $0.seen[index].isReset = true } }

    func isOpen(gate: String) -> Bool { values.withLock { $0.openGates.contains(gate) } }
  }

  /// Starts one on a free port.
  ///
  /// - Parameters:
  ///   - tls: With TLS where a context is given.
  ///   - streamLimit: `SETTINGS_MAX_CONCURRENT_STREAMS`.
  static func start(tls: NIOSSLContext? = nil, streamLimit: Int = 1_000) async throws -> HTTP2Origin {
    let state = StateBox()
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.backlog, value: 256)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
          // What a script writes as it is goes in below NIO's handler, which would not write it.
          let raw = RawFrameWriter()
          var configuration = NIOHTTP2Handler.ConnectionConfiguration()
          configuration.initialSettings = [HTTP2Setting(parameter: .maxConcurrentStreams, value: streamLimit)]
          configuration.headerBlockValidation = .disabled
          configuration.contentLengthValidation = .disabled
          try pipeline.addHandlers([
            raw, NIOHTTP2Handler(mode: .server, connectionConfiguration: configuration),
            HTTP2OriginConnection(number: state.newConnection(), state: state, raw: raw),
          ])
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    return HTTP2Origin(channel, state)
  }

  private init(_ channel: any Channel, _ state: StateBox) {
    self.channel = channel
    self.state = state
    port = channel.localAddress?.port ?? 0
  }

  func stop() { channel.close(promise: nil) }

  // MARK: What happened

  /// The requests so far, in order.
  var seen: [Seen] { state.values.withLock { $0.seen } }

  var connections: Int { state.values.withLock { $0.connections } }

  /// The most streams that were open on a connection at the same time.
  var mostStreams: Int { state.values.withLock { $0.mostStreams } }

  /// Lets the scripts that wait at this gate go on.
  func open(gate: String) { state.values.withLock { _ = $0.openGates.insert(gate) } }
}

/// Writes bytes that are not frames, or not allowed ones.
final class RawFrameWriter: ChannelOutboundHandler {
  typealias OutboundIn = IOData
  typealias OutboundOut = IOData

  private var context: ChannelHandlerContext?

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func write(_ bytes: [UInt8]) {
    context?.writeAndFlush(wrapOutboundOut(.byteBuffer(ByteBuffer(bytes: bytes))), promise: nil)
  }
}

/// Runs the test with an origin of its own.
func withHTTP2Origin<Result: Sendable>(
  tls: NIOSSLContext? = nil, streamLimit: Int = 1_000, _ body: (HTTP2Origin) async throws -> Result
) async throws -> Result {
  let origin = try await HTTP2Origin.start(tls: tls, streamLimit: streamLimit)
  defer { origin.stop() }
  return try await body(origin)
}
