import FastlikeRuntime
import Logging
import NIOCore
import NIOSSL
import NIOTLS

/// A connection whose TLS handshake goes on. It counts as a connection, has the time of a request head, and makes room
/// for what the client and the edge agree to speak (ALPN).
final class TLSHandshake: ChannelInboundHandler, RemovableChannelHandler, EdgeLoopMember {
  typealias InboundIn = ByteBuffer

  let loop: EdgeLoop
  var slot = 0
  private(set) var deadline = UInt64.max

  private let tls: EdgeTLS
  private let handler: NIOSSLServerHandler
  private let observer: HandshakeObserver
  private var context: ChannelHandlerContext?
  private var isMember = false

  private init(loop: EdgeLoop, tls: EdgeTLS) {
    self.loop = loop
    self.tls = tls
    observer = HandshakeObserver()
    if let clients = tls.clients {
      handler = NIOSSLServerHandler(context: tls.context) { chain, promise in
        clients.verify(chain, promise: promise)
      }
    } else {
      handler = NIOSSLServerHandler(context: tls.context)
    }
  }

  /// Makes a connection one with TLS.
  static func begin(on channel: any Channel, loop: EdgeLoop, tls: EdgeTLS) throws {
    let handshake = TLSHandshake(loop: loop, tls: tls)
    try channel.pipeline.syncOperations.addHandlers([handshake.observer, handshake.handler, handshake])
  }

  // MARK: Channel events

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    if context.channel.isActive { open(context) }
  }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelActive(context: ChannelHandlerContext) {
    open(context)
    context.fireChannelActive()
  }

  private func open(_ context: ChannelHandlerContext) {
    guard !isMember else { return }
    isMember = true
    let isWithinLimit = loop.add(self)
    guard isWithinLimit, !loop.isDraining else { return closeNow() }
    deadline = loop.deadline(for: .head)
    context.read()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case TLSUserEvent.handshakeCompleted(let agreed)? = event as? TLSUserEvent {
      finish(context, speaking: agreed)
    } else {
      context.fireUserInboundEventTriggered(event)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    loop.logger.debug("a TLS handshake failed: \(error)")
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    if isMember { loop.remove(self) }
    isMember = false
    context.fireChannelInactive()
  }

  // MARK: The end

  private func finish(_ context: ChannelHandlerContext, speaking agreed: String?) {
    guard isMember else { return }
    isMember = false
    var peers = DownstreamConnection(clientAddress: context.remoteAddress, serverAddress: context.localAddress)
    peers.tls = facts()
    do {
      if agreed == EdgeTLS.http2 {
        let connection = HTTP2Connection(loop: loop, peers: peers)
        loop.replace(self, with: connection)
        try context.pipeline.syncOperations.addHandler(connection, position: .after(self))
      } else {
        let connection = EdgeConnection(loop: loop, peers: peers)
        loop.replace(self, with: connection)
        try context.pipeline.syncOperations.addHandler(connection, position: .after(self))
      }
    } catch {
      return context.close(promise: nil)
    }
    context.pipeline.syncOperations.removeHandler(self, promise: nil)
  }

  private func facts() -> DownstreamTLS {
    let certificate = tls.clients == nil ? nil : handler.peerCertificate.flatMap { try? $0.toDERBytes() }
    return DownstreamTLS(
      protocolName: handler.tlsVersion.map(Self.name), cipherSuite: observer.cipherSuite,
      clientHello: observer.clientHello, clientCertificate: certificate.map(PEMText.certificate),
      clientVerification: tls.clients.map { $0.result(of: certificate) })
  }

  private static func name(of version: TLSVersion) -> String {
    switch version {
    case .tlsv1: "TLSv1"
    case .tlsv11: "TLSv1.1"
    case .tlsv12: "TLSv1.2"
    case .tlsv13: "TLSv1.3"
    }
  }

  func deadlinePassed() { closeNow() }

  func closeIfIdle() { closeNow() }

  /// Breaks the connection off beneath TLS, which has nothing to say yet.
  func closeNow() {
    guard let context else { return }
    EdgeTLS.close(context.channel, beneath: handler)
  }
}
