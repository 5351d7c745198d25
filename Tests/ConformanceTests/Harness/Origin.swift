import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A server behind a backend. What it does to a request is the first part of the request's path (``OriginScript``).
final class Origin: Sendable {
  typealias Socket = NIOAsyncChannel<ByteBuffer, ByteBuffer>

  /// A request as it arrived.
  struct Seen: Sendable {
    var head: String
    /// The number of its connection, from 1.
    var connection: Int
    /// Whether all of its body came; false also while it is coming.
    var isComplete = false
    /// Whether the client broke it off.
    var isBroken = false

    var line: String { String(head.prefix { $0 != "\r\n" }) }
    var target: String { line.split(separator: " ").dropFirst().first.map(String.init) ?? "" }
  }

  private struct State {
    var seen: [Seen] = []
    var connections = 0
    var openGates: Set<String> = []
    var counts: [String: Int] = [:]
  }

  let port: Int
  private let server: NIOAsyncChannel<Socket, Never>
  private let state = Mutex(State())
  private let serving = Mutex<Task<Void, any Error>?>(nil)

  /// Starts one on a free port, with TLS where a context is given.
  static func start(tls: NIOSSLContext? = nil) async throws -> Origin {
    let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.backlog, value: 256)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .bind(host: "127.0.0.1", port: 0) { channel in
        channel.eventLoop.makeCompletedFuture {
          if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
          return try Socket(wrappingChannelSynchronously: channel)
        }
      }
    let origin = Origin(server)
    origin.serve()
    return origin
  }

  private init(_ server: NIOAsyncChannel<Socket, Never>) {
    self.server = server
    port = server.channel.localAddress?.port ?? 0
  }

  private func serve() {
    let task = Task {
      try await withThrowingDiscardingTaskGroup { group in
        try await server.executeThenClose { sockets in
          for try await socket in sockets {
            group.addTask { await self.serve(socket) }
          }
        }
      }
    }
    serving.withLock { $0 = task }
  }

  /// Stops listening and breaks off what is open.
  func stop() { serving.withLock { $0 }?.cancel() }

  private func serve(_ socket: Socket) async {
    let number = state.withLock { state in
      state.connections += 1
      return state.connections
    }
    // A client that breaks off ends the script with an error, which is as good an end as any.
    try? await socket.executeThenClose { inbound, outbound in
      var connection = OriginConnection(
        origin: self, number: number, channel: socket.channel, inbound: inbound.makeAsyncIterator(), outbound: outbound)
      try await OriginScript.serve(&connection)
    }
  }

  // MARK: What happened

  /// The requests so far, in order.
  var seen: [Seen] { state.withLock { $0.seen } }

  /// The requests to a path so far.
  func seen(_ path: String) -> [Seen] { seen.filter { $0.target == path } }

  func note(_ head: String, connection: Int) -> Int {
    state.withLock { state in
      state.seen.append(Seen(head: head, connection: connection))
      return state.seen.count - 1
    }
  }

  func noteEnd(_ index: Int, isComplete: Bool) {
    state.withLock { state in
      state.seen[index].isComplete = isComplete
      state.seen[index].isBroken = !isComplete
    }
  }

  /// Counts a request for something of that name, from 1.
  func count(_ name: String) -> Int {
    state.withLock { state in
      state.counts[name, default: 0] += 1
      return state.counts[name, default: 0]
    }
  }

  /// The requests for something of that name so far.
  func counted(_ name: String) -> Int { state.withLock { $0.counts[name, default: 0] } }

  // MARK: Gates

  /// Lets the script that waits at this gate go on, now or when it gets there.
  func open(gate: String) { state.withLock { _ = $0.openGates.insert(gate) } }

  func pass(gate: String) async throws {
    try await eventually("the gate \(gate)") { state.withLock { $0.openGates.contains(gate) } }
  }
}

/// Runs the test with an origin of its own.
func withOrigin<Result: Sendable>(
  tls: NIOSSLContext? = nil, _ body: (Origin) async throws -> Result
) async throws -> Result {
  let origin = try await Origin.start(tls: tls)
  defer { origin.stop() }
  return try await body(origin)
}
