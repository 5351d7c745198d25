import NIOCore

/// Puts the first handshake message of one direction together from TLS records (RFC 8446 §5.1), within a limit.
struct FirstHandshakeMessage {
  /// The message with its type and length; nil while it is incomplete.
  private(set) var message: [UInt8]?
  /// Whether no message will come of it: something else than a handshake, or too long a one.
  private(set) var isHopeless = false

  var isSettled: Bool { message != nil || isHopeless }

  private static let recordHeaderBytes = 5
  private static let handshakeRecord: UInt8 = 22
  private static let messageHeaderBytes = 4
  /// Far above what clients send, key shares of post-quantum algorithms included.
  private static let maximumBytes = 32 * 1024

  private var records: [UInt8] = []

  /// Takes the next bytes of the direction.
  mutating func take(_ bytes: some Collection<UInt8>) {
    guard !isSettled else { return }
    guard records.count + bytes.count <= Self.maximumBytes else { return giveUp() }
    records.append(contentsOf: bytes)
    var payload: [UInt8] = []
    var offset = 0
    while offset + Self.recordHeaderBytes <= records.count {
      // Other records may follow the message, in the same flight.
      guard records[offset] == Self.handshakeRecord else { return giveUp() }
      let length = Int(records[offset + 3]) << 8 | Int(records[offset + 4])
      let start = offset + Self.recordHeaderBytes
      payload += records[start..<min(start + length, records.count)]
      offset = start + length
      if takeMessage(payload) { return }
    }
  }

  /// Whether the payload of the first records settles it.
  private mutating func takeMessage(_ payload: [UInt8]) -> Bool {
    guard payload.count >= Self.messageHeaderBytes else { return false }
    let length = Int(payload[1]) << 16 | Int(payload[2]) << 8 | Int(payload[3])
    if length > Self.maximumBytes {
      giveUp()
    } else if payload.count >= Self.messageHeaderBytes + length {
      message = Array(payload[..<(Self.messageHeaderBytes + length)])
      records = []
    }
    return isSettled
  }

  private mutating func giveUp() {
    isHopeless = true
    records = []
  }

  /// The cipher suite that a `ServerHello` chooses (RFC 8446 §4.1.3). It is in the clear in all versions, and the same in a
  /// `HelloRetryRequest`.
  static func cipherSuite(ofServerHello message: [UInt8]) -> UInt16? {
    let sessionOffset = messageHeaderBytes + 2 + 32
    guard message.first == 2, message.count > sessionOffset else { return nil }
    let offset = sessionOffset + 1 + Int(message[sessionOffset])
    guard message.count >= offset + 2 else { return nil }
    return UInt16(message[offset]) << 8 | UInt16(message[offset + 1])
  }
}

/// Stands between the socket and TLS, notes the first message of either side, and leaves the pipeline.
///
/// NIOSSL tells neither the client's hello nor the negotiated cipher.
final class HandshakeObserver: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private var client = FirstHandshakeMessage()
  private var server = FirstHandshakeMessage()

  /// The `ClientHello`; empty where it was not understood.
  var clientHello: [UInt8] { client.message ?? [] }
  var cipherSuite: UInt16? { server.message.flatMap(FirstHandshakeMessage.cipherSuite(ofServerHello:)) }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    client.take(unwrapInboundIn(data).readableBytesView)
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    server.take(unwrapOutboundIn(data).readableBytesView)
    context.write(data, promise: promise)
  }

  /// The place to leave: between a write and its flush, the flush would be lost.
  func flush(context: ChannelHandlerContext) {
    context.flush()
    if client.isSettled, server.isSettled { context.pipeline.syncOperations.removeHandler(self, promise: nil) }
  }
}
