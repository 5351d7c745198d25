public import FastlikeRuntime
import Foundation
public import Logging
public import NIOCore
public import NIOPosix
import Synchronization

/// The edge cannot listen at an address.
public struct EdgeBindError: Error, CustomStringConvertible {
  public let address: EdgeAddress
  /// What the system says.
  public let reason: String

  public var description: String { "cannot listen on \(address): \(reason)" }
}

/// An address asks for TLS where the edge has no certificate.
private struct MissingCertificate: Error, CustomStringConvertible {
  var description: String { "TLS needs a certificate" }
}

/// The edge: accepts clients' connections, spreads them over the event loops, and hands their requests to a handler on
/// the loop of their connection.
public final class EdgeListener: Sendable {
  private typealias Loops = [ObjectIdentifier: NIOLoopBound<EdgeLoop>]

  private struct State {
    var loops: Loops = [:]
    var servers: [any Channel] = []
    var socketPaths: [String] = []
  }

  private let group: MultiThreadedEventLoopGroup
  private let handler: any RequestHandler
  private let settings: EdgeSettings
  private let tls: EdgeTLS?
  private let logger: Logger
  private let count = ConnectionCount()
  private let state = Mutex(State())

  /// - Parameter tls: For the addresses with TLS; without it none can be bound.
  public init(
    group: MultiThreadedEventLoopGroup, handler: any RequestHandler, settings: EdgeSettings, tls: EdgeTLS? = nil,
    logger: Logger
  ) {
    self.group = group
    self.handler = handler
    self.settings = settings
    self.tls = tls
    self.logger = logger
  }

  /// Listens at all of the addresses and returns what they are bound to, in the same order. To be called once.
  ///
  /// - Throws: ``EdgeBindError`` for the first address that cannot be bound; none is then.
  public func bind(_ addresses: [EdgeAddress]) async throws -> [SocketAddress] {
    let loops = try await startLoops()
    state.withLock { $0.loops = loops }
    var bound: [SocketAddress] = []
    for address in addresses {
      do {
        let server = try await Self.bind(bootstrap(for: address, loops: loops), to: address)
        state.withLock {
          $0.servers.append(server)
          if case .unix(let path) = address { $0.socketPaths.append(path) }
        }
        guard let localAddress = server.localAddress else { throw ChannelError.unknownLocalAddress }
        bound.append(localAddress)
      } catch {
        await shutdown(gracePeriod: .zero)
        throw EdgeBindError(address: address, reason: Self.reason(error))
      }
    }
    return bound
  }

  private func bootstrap(for address: EdgeAddress, loops: Loops) throws -> ServerBootstrap {
    if address.isSecure, tls == nil { throw MissingCertificate() }
    let tls = address.isSecure ? tls : nil
    return ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.autoRead, value: false)
      .childChannelOption(.maxMessagesPerRead, value: 1)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelInitializer { channel in Self.configure(channel, loops: loops, tls: tls) }
  }

  /// Accepts no more connections, closes idle ones, lets current responses finish with `Connection: close`, and closes
  /// what is left after the grace period. Returns when no connection is open.
  public func shutdown(gracePeriod: Duration) async {
    let last = state.withLock { state in
      defer { state = State() }
      return state
    }
    for server in last.servers { try? await server.close() }
    for path in last.socketPaths { try? FileManager.default.removeItem(atPath: path) }
    let limit = TimeAmount(gracePeriod)
    let drained = last.loops.values.map { loop in
      loop.eventLoop.flatSubmit { loop.value.drain(gracePeriod: limit) }
    }
    for future in drained { try? await future.get() }
  }

  /// The one place where a connection's handlers are put together.
  private static func configure(_ channel: any Channel, loops: Loops, tls: EdgeTLS?) -> EventLoopFuture<Void> {
    channel.eventLoop.makeCompletedFuture {
      guard let loop = loops[ObjectIdentifier(channel.eventLoop)] else {
        throw ChannelError.inappropriateOperationForState
      }
      if let tls {
        try TLSHandshake.begin(on: channel, loop: loop.value, tls: tls)
      } else {
        try channel.pipeline.syncOperations.addHandler(EdgeConnection(loop: loop.value))
      }
    }
  }

  private func startLoops() async throws -> Loops {
    var loops: Loops = [:]
    for eventLoop in group.makeIterator() {
      let (handler, settings, logger, count) = (handler, settings, logger, count)
      loops[ObjectIdentifier(eventLoop)] = try await eventLoop.submit {
        let loop = EdgeLoop(
          eventLoop: eventLoop, handler: handler, settings: settings, logger: logger, count: count)
        loop.start()
        return NIOLoopBound(loop, eventLoop: eventLoop)
      }.get()
    }
    return loops
  }

  private static func bind(_ bootstrap: ServerBootstrap, to address: EdgeAddress) async throws -> any Channel {
    switch address {
    case .tcp(let host, let port), .tls(let host, let port): try await bootstrap.bind(host: host, port: port).get()
    case .unix(let path):
      try await bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
    }
  }

  /// What went wrong, in words that help to choose another address.
  private static func reason(_ error: any Error) -> String {
    switch (error as? IOError)?.errnoCode {
    case EADDRINUSE: "another program listens there"
    case EACCES, EPERM: "this user may not listen there"
    case EADDRNOTAVAIL: "this machine has no such address"
    case ENOENT: "the folder does not exist"
    default: "\(error)"
    }
  }
}
