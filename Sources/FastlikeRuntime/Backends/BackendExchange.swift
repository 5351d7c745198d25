public import ComputeABI
public import NIOCore

/// Why a send failed: the tag of `send_error_detail` with the facts that belong to it.
public struct SendError: Error, Sendable, Equatable {
  /// The ABI's own tags.
  public typealias Tag = SendErrorDetailTag

  public var tag: Tag
  /// DNS response code; with ``Tag/dnsError``.
  public var dnsResponseCode: UInt16?
  /// TLS alert number; with ``Tag/tlsAlertReceived``.
  public var tlsAlert: UInt8?
  /// The frame with which the peer ended a stream or a connection of HTTP/2; with ``Tag/h2Error``.
  public var http2: HTTP2Farewell?
  /// Whether the failure was made by the reliability simulation.
  public var isSynthetic = false

  /// A frame that ends a stream or a connection, as `send_error_detail` tells it.
  public struct HTTP2Farewell: Sendable, Equatable {
    /// The frame's type (RFC 9113 §6).
    public enum Frame: UInt8, Sendable {
      case reset = 3
      case goAway = 7
    }

    public var frame: Frame
    /// The error code (RFC 9113 §7).
    public var code: UInt32
  }

  init(http2 frame: HTTP2Farewell.Frame, code: UInt32) {
    self.init(.h2Error)
    http2 = HTTP2Farewell(frame: frame, code: code)
  }

  public init(_ tag: Tag, dnsResponseCode: UInt16? = nil, tlsAlert: UInt8? = nil, isSynthetic: Bool = false) {
    self.tag = tag
    self.dnsResponseCode = dnsResponseCode
    self.tlsAlert = tlsAlert
    self.isSynthetic = isSynthetic
  }
}

/// The instants of one exchange in monotonic nanoseconds; nil is a phase that did not happen (yet).
public struct BackendPhases: Sendable, Equatable {
  public var started: UInt64
  public var dnsStarted: UInt64?
  public var dnsEnded: UInt64?
  public var connectStarted: UInt64?
  public var connectEnded: UInt64?
  public var tlsStarted: UInt64?
  public var tlsEnded: UInt64?
  /// The last byte of the request, body included, was handed to the socket.
  public var requestSent: UInt64?
  /// The first byte of the final response's head came.
  public var firstByte: UInt64?
  /// The last byte of the response body came, or the exchange failed.
  public var ended: UInt64?
  public var reusedConnection = false
  /// Whether the connection speaks HTTP/2.
  public var isHTTP2 = false
  public var peerAddress: SocketAddress?
  /// Wire bytes as far as they are ours to count: heads as encoded, those of HTTP/2 before compression; bodies without
  /// transfer coding.
  public var requestHeadBytes = 0
  public var requestBodyBytes = 0
  public var responseHeadBytes = 0
  public var responseBodyBytes = 0

  public init(started: UInt64) { self.started = started }
}

/// One request to a backend and what came of it, from the send to the last byte of the response. Confined to its event loop.
public final class BackendExchange {
  public enum State {
    case inFlight
    /// The head is here; the body comes through the pipe.
    case responded(ResponseHead, body: BodyPipe)
    case failed(SendError)
  }

  public private(set) var state: State = .inFlight
  public var phases: BackendPhases
  /// Whether another request's exchange is waited for instead of sending.
  var isCollapsed = false
  /// Called with a response's head before ``onSettled``.
  var onResponse: ((ResponseHead) -> Void)?
  /// Called once when ``state`` leaves `inFlight`.
  public var onSettled: (() -> Void)?
  /// Called once when nothing more will come: the body ended or broke off, or the exchange failed.
  public var onEnded: ((BackendExchange) -> Void)?
  /// Set by the connector: gives the exchange up and closes its connection.
  public var cancelHandler: (() -> Void)?

  public init(started: UInt64) { phases = BackendPhases(started: started) }

  public var isSettled: Bool { if case .inFlight = state { false } else { true } }

  /// The connector's answer. The second and later ones are ignored.
  public func settle(_ state: State) {
    guard !isSettled else { return }
    self.state = state
    if case .responded(let head, _) = state { onResponse?(head) }
    onResponse = nil
    let callback = onSettled
    onSettled = nil
    callback?()
  }

  /// The connector tells that the last byte was read or the exchange failed at `now` (monotonic nanoseconds).
  public func end(at now: UInt64) {
    guard phases.ended == nil else { return }
    phases.ended = now
    let callback = onEnded
    onEnded = nil
    callback?(self)
  }

  /// Gives the exchange up; a response that comes later is dropped.
  public func cancel() {
    let handler = cancelHandler
    cancelHandler = nil
    handler?()
  }
}

/// What the connector is asked to send.
public struct BackendRequest {
  /// The target is in origin form, prefix and query included; `Host` is in the headers.
  public var head: RequestHead
  public var framing: FramingMode
  public var body: OutgoingBody
  /// What goes to the backend once it has switched protocols; nil for requests that must not be answered so.
  ///
  /// The exchange then settles with the 101, and its body is what the backend sends from there on until it closes.
  public var tunnel: BodyPipe?

  public init(head: RequestHead, framing: FramingMode, body: OutgoingBody, tunnel: BodyPipe? = nil) {
    self.head = head
    self.framing = framing
    self.body = body
    self.tunnel = tunnel
  }
}

/// Sends requests to backends; one for each event loop, with the pools of that loop.
public protocol BackendConnecting: AnyObject {
  /// Starts an exchange; never blocks, and reports through the returned object.
  func send(_ request: BackendRequest, to backend: BackendDefinition) -> BackendExchange
  /// Closes the idle connections and keeps none from now on.
  func shutdown()
}
