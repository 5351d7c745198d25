public import FastlikeProfile
public import NIOCore

/// The facts about a client's connection that a guest may ask for.
public struct DownstreamConnection: Sendable {
  public var clientAddress: SocketAddress?
  public var serverAddress: SocketAddress?
  /// Nil on a connection in the clear.
  public var tls: DownstreamTLS?
  /// What the first frames of an HTTP/2 client tell of it.
  public var http2Fingerprint: String?

  public init(clientAddress: SocketAddress?, serverAddress: SocketAddress?) {
    self.clientAddress = clientAddress
    self.serverAddress = serverAddress
  }
}

/// One request as the edge hands it to the runtime, on the event loop of its connection.
public struct DownstreamRequest {
  /// Header names are spelled and ordered as on the wire.
  public var head: RequestHead
  /// Ends at once for a request without a body.
  public var body: BodyPipe
  public var connection: DownstreamConnection
  /// When the head was complete.
  public let received: MonotonicInstant
  /// The same in monotonic nanoseconds.
  public var receivedAt: UInt64 { received.monotonic }

  /// - Parameter received: When the head was complete.
  public init(
    head: RequestHead, body: BodyPipe, connection: DownstreamConnection, received: MonotonicInstant = .now
  ) {
    self.head = head
    self.body = body
    self.connection = connection
    self.received = received
  }
}

/// The body of a response on its way to the client.
public enum OutgoingBody {
  /// No body: the message ends with its head.
  case empty
  /// All of it is here.
  case bytes(ByteBuffer)
  /// It comes as it is written; `knownLength` gives `Content-Length` where the sum is known beforehand.
  case pipe(BodyPipe, knownLength: Int?)
}

/// How a client's connection ended up with a response; every figure is for this response alone.
public struct DownstreamDelivery: Sendable {
  /// Bytes of body that were handed to the socket.
  public var bodyBytes = 0
  /// Monotonic nanoseconds at which the head was flushed.
  public var headFlushedAt: UInt64?
  /// Monotonic nanoseconds at which the last byte was flushed, or the connection was lost.
  public var endedAt: UInt64?
  /// Whether the client closed, or the body broke off, before the response was complete.
  public var isAborted = false

  public init() {}
}

/// The way back to the client, implemented by the edge. Used on the connection's event loop only.
public protocol DownstreamResponder: AnyObject {
  /// Whether the client is gone.
  var isClosed: Bool { get }
  /// Called once when the client goes away before the response is complete.
  var onClosed: (() -> Void)? { get set }
  /// Called once when the response was flushed completely or broke off.
  var onDelivered: ((DownstreamDelivery) -> Void)? { get set }
  /// Sends an informational response (103) at once.
  func sendInformational(_ head: ResponseHead)
  /// Sends the final response. `framing` tells whose `Content-Length`/`Transfer-Encoding` count; with `closeAfter` the
  /// connection closes behind it. Body bytes are flushed as they come.
  func send(_ head: ResponseHead, framing: FramingMode, closeAfter: Bool, body: OutgoingBody)
  /// Breaks the connection off, so that the client sees an incomplete message.
  func abort()
  /// Hands the connection over: sends `head`, a 101, as the final one, and from then on bytes as they are in both
  /// directions, until one of the pipes ends or the client closes. ``onDelivered`` tells the end.
  ///
  /// Returns false, with nothing done, where that is not possible: the response was begun, the request is not complete, or
  /// the client's protocol knows no such switch.
  func hijack(_ head: ResponseHead, toClient: BodyPipe, fromClient: BodyPipe) -> Bool
}

extension DownstreamResponder {
  /// HTTP/2 and HTTP/1.0 have no `Upgrade` (RFC 9113 §8.6).
  public func hijack(_ head: ResponseHead, toClient: BodyPipe, fromClient: BodyPipe) -> Bool { false }
}

/// What answers requests: the runtime in production, a closure in the edge's own tests.
public protocol RequestHandler: Sendable {
  /// Takes one request on `eventLoop` and sees to it that `responder` gets exactly one final response or `abort()`.
  func handle(_ request: DownstreamRequest, responder: any DownstreamResponder, on eventLoop: any EventLoop)

  /// What answers the requests of one event loop: itself, or something that shares less with other loops. Called on that loop.
  func handler(on eventLoop: any EventLoop) -> any RequestHandler
}

extension RequestHandler {
  public func handler(on eventLoop: any EventLoop) -> any RequestHandler { self }
}
