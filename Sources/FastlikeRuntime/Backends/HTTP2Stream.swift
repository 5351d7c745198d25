import CTimestamp
import ComputeABI
import NIOCore
import NIOHPACK
import NIOHTTP2

/// One request and its response on a connection of HTTP/2. Confined to its event loop.
///
/// Back-pressure goes both ways: the peer gets more of its window only while the response's pipe has room, and no more than
/// ``maximumInFlight`` bytes of the request's body are handed to the connection before the peer's window lets them leave.
final class HTTP2Stream {
  /// Bytes of the request's body that may wait for the peer's window or the socket.
  private static let maximumInFlight = 64 * 1024
  private static let pieceSize = 32 * 1024

  let id: HTTP2StreamID
  let call: BackendCall
  /// The connection; nil once the stream is over.
  private weak var connection: HTTP2Connection?
  private var state: HTTP2StreamState
  private let timer: ConnectionTimer
  private var responsePipe: BodyPipe?
  /// The head that was read but not reported yet: the body bytes that came with it go into the pipe first.
  private var unreportedHead: ResponseHead?
  /// What the peer may still send, in bytes.
  private var window = HTTP2Connection.streamWindow
  private var isRequestEnded = false
  /// Bytes of the request's body that its `Content-Length` still leaves room for.
  private var contentRemaining: Int?
  private var inFlight = 0
  private var isPumping = false

  init(_ id: HTTP2StreamID, for call: BackendCall, on connection: HTTP2Connection, isReused: Bool) {
    self.id = id
    self.call = call
    self.connection = connection
    state = HTTP2StreamState(isReused: isReused, method: call.method)
    timer = ConnectionTimer(eventLoop: connection.channel.eventLoop)
    timer.onFire = { [weak self] in self?.deadlinePassed() }
  }

  private var definition: BackendDefinition { call.backend }

  // MARK: The end

  /// The exchange cannot go on. The peer is told where it does not know yet.
  func interrupt(_ interruption: HTTP2StreamState.Interruption) {
    guard let connection else { return }
    let now = ctimestamp_monotonic()
    let outcome = state.outcome(of: interruption, canRepeat: call.canRepeat)
    let code: HTTP2ErrorCode? =
      switch interruption {
      case .timedOut, .requestBodyBroken: .cancel
      case .violation: .protocolError
      case .closed, .lost, .reset, .unprocessed: nil
      }
    let (pipe, head) = detach(resettingWith: code)
    switch outcome {
    case .retry: connection.retry(call)
    case .failed(let error): call.fail(error)
    case .bodyFailed(let error):
      pipe?.fail(error)
      if let head, let pipe { call.exchange.settle(.responded(head, body: pipe)) }
      call.end(at: now)
    }
  }

  /// Nobody wants the response any more.
  private func abandon() {
    guard connection != nil else { return }
    let now = ctimestamp_monotonic()
    let (pipe, _) = detach(resettingWith: .cancel)
    pipe?.fail(.connectionLost)
    call.end(at: now)
  }

  private func responseEnded(trailers: HeaderList?) {
    let now = ctimestamp_monotonic()
    // The peer does not want the rest of the request.
    let (pipe, head) = detach(resettingWith: isRequestEnded ? nil : .cancel)
    pipe?.finish(trailers: trailers)
    if let head, let pipe { call.exchange.settle(.responded(head, body: pipe)) }
    call.end(at: now)
  }

  /// Parts with the connection and the call.
  private func detach(resettingWith code: HTTP2ErrorCode?) -> (BodyPipe?, ResponseHead?) {
    let (pipe, head) = (responsePipe, unreportedHead)
    let connection = connection
    self.connection = nil
    timer.invalidate()
    call.abort = nil
    if case .pipe(let pipe, _) = call.body { pipe.onReadable = nil }
    pipe?.onWritable = nil
    pipe?.onCancel = nil
    responsePipe = nil
    unreportedHead = nil
    connection?.streamEnded(self, resettingWith: code)
    return (pipe, head)
  }
}

// MARK: Request

extension HTTP2Stream {
  /// Sends the request's head and what there is of its body.
  func start(_ headers: HPACKHeaders) {
    call.abort = { self.abandon() }
    call.exchange.phases.reusedConnection = state.isReused
    call.exchange.phases.peerAddress = connection?.channel.remoteAddress
    call.exchange.phases.isHTTP2 = true
    call.exchange.phases.requestSent = nil
    call.exchange.phases.requestHeadBytes = HTTP2Headers.byteCount(of: headers)
    call.exchange.phases.requestBodyBytes = 0
    contentRemaining = if case .contentLength(let length) = call.framing { length } else { nil }
    armFirstByteTimer()
    let hasBody = call.framing == .chunked || (contentRemaining ?? 0) > 0
    write(.headers(.init(headers: headers, endStream: !hasBody)), endsRequest: !hasBody)
    guard hasBody else { return }
    switch call.body {
    case .pipe(let pipe, _):
      pipe.onReadable = { [weak self] in self?.pump() }
      pump()
    case .bytes(let buffer):
      writeBody(buffer)
      endBody(trailers: nil)
    case .empty: endBody(trailers: nil)
    }
  }

  /// Moves bytes from the body's pipe to the connection until one of them has to wait.
  private func pump() {
    // Reading from the pipe may make its writer write, which calls this function again.
    guard !isPumping, !isRequestEnded, case .pipe(let pipe, _) = call.body else { return }
    isPumping = true
    defer { isPumping = false }
    while connection != nil, !isRequestEnded, inFlight < Self.maximumInFlight {
      switch pipe.read(max: Self.pieceSize) {
      case .bytes(let buffer):
        call.isBodyIntact = false
        guard connection != nil else { return }
        writeBody(buffer)
      case .pending: return
      case .end(let trailers):
        pipe.onReadable = nil
        return endBody(trailers: trailers)
      case .failed:
        pipe.onReadable = nil
        return interrupt(.requestBodyBroken)
      }
    }
  }

  /// Writes a piece of the body; what exceeds the announced length is dropped.
  private func writeBody(_ buffer: ByteBuffer) {
    var buffer = buffer
    if let remaining = contentRemaining {
      if buffer.readableBytes > remaining { buffer.moveWriterIndex(to: buffer.readerIndex + remaining) }
      contentRemaining = remaining - buffer.readableBytes
    }
    guard buffer.readableBytes > 0, !isRequestEnded else { return }
    call.exchange.phases.requestBodyBytes += buffer.readableBytes
    write(.data(.init(data: .byteBuffer(buffer), endStream: contentRemaining == 0)), endsRequest: contentRemaining == 0)
  }

  private func endBody(trailers: HeaderList?) {
    guard !isRequestEnded, connection != nil else { return }
    if let contentRemaining, contentRemaining > 0 { return interrupt(.requestBodyBroken) }
    if let trailers, !trailers.isEmpty {
      guard let block = try? HTTP2Headers.trailers(trailers) else { return interrupt(.requestBodyBroken) }
      write(.headers(.init(headers: block, endStream: true)), endsRequest: true)
    } else {
      write(.data(.init(data: .byteBuffer(ByteBuffer()), endStream: true)), endsRequest: true)
    }
  }

  private func write(_ payload: HTTP2Frame.FramePayload, endsRequest: Bool) {
    guard let connection else { return }
    var count = 0
    if case .data(let data) = payload { count = data.data.readableBytes }
    if endsRequest { isRequestEnded = true }
    guard count > 0 || endsRequest else { return connection.write(payload, on: id, promise: nil) }
    inFlight += count
    let written = connection.channel.eventLoop.makePromise(of: Void.self)
    written.futureResult.assumeIsolated().whenComplete { [weak self] result in
      guard let self else { return }
      inFlight -= count
      guard case .success = result else { return }
      if endsRequest { call.exchange.phases.requestSent = ctimestamp_monotonic() } else { pump() }
    }
    connection.write(payload, on: id, promise: written)
  }
}

// MARK: Response

extension HTTP2Stream {
  func received(_ block: HPACKHeaders, endsStream: Bool) {
    let head = HTTP2Headers.response(block)
    if head == nil, block.contains(name: ":status") {
      return interrupt(.violation(SendError(.httpResponseStatusInvalid)))
    }
    switch state.received(status: head?.status, endsStream: endsStream) {
    case nil:
      let isUpgrade = head?.status == 101
      interrupt(.violation(SendError(isUpgrade ? .httpUpgradeFailed : .httpProtocolError)))
    case .informational:
      call.exchange.phases.responseHeadBytes = HTTP2Headers.byteCount(of: block)
      armFirstByteTimer()
    case .head:
      guard let head else { return }
      call.exchange.phases.firstByte = ctimestamp_monotonic()
      call.exchange.phases.responseHeadBytes = HTTP2Headers.byteCount(of: block)
      armBetweenBytesTimer()
      let pipe = BodyPipe(expectedLength: endsStream ? 0 : Self.contentLength(of: head))
      pipe.onWritable = { [weak self] in self?.grantWindow() }
      pipe.onCancel = { [weak self] in self?.abandon() }
      responsePipe = pipe
      unreportedHead = head
      if endsStream { responseEnded(trailers: nil) }
    case .trailers: responseEnded(trailers: HTTP2Headers.fields(of: block))
    }
  }

  private static func contentLength(of head: ResponseHead) -> Int? {
    head.headers.firstValue(of: "content-length".utf8).flatMap { WireSyntax.decimal(WireSyntax.trimmed($0)) }
  }

  func received(_ data: ByteBuffer, endsStream: Bool) {
    guard let pipe = responsePipe else { return interrupt(.violation(SendError(.httpProtocolError))) }
    armBetweenBytesTimer()
    call.exchange.phases.responseBodyBytes += data.readableBytes
    pipe.write(data)
    if endsStream, connection != nil { responseEnded(trailers: nil) }
  }

  /// Reports the head, once the bytes that came with it are in the pipe.
  func report() {
    guard connection != nil, let head = unreportedHead, let pipe = responsePipe else { return }
    unreportedHead = nil
    call.exchange.settle(.responded(head, body: pipe))
  }

  /// The peer's window for this stream has changed.
  func windowChanged(to size: Int) {
    window = size
    if responsePipe?.isWritable ?? true { grantWindow() }
  }

  /// Lets the peer send more, in large steps.
  private func grantWindow() {
    guard let connection, window <= HTTP2Connection.streamWindow / 2 else { return }
    if window <= 0 { armBetweenBytesTimer() }
    let increment = HTTP2Connection.streamWindow - window
    window += increment
    connection.grant(increment, on: id)
  }
}

// MARK: Timers

extension HTTP2Stream {
  private func armFirstByteTimer() { arm(definition.firstByteTimeoutMilliseconds ?? 15_000) }

  private func armBetweenBytesTimer() { arm(definition.betweenBytesTimeoutMilliseconds ?? 10_000) }

  private func arm(_ milliseconds: UInt32) {
    if milliseconds == 0 { timer.clear() } else { timer.set(.milliseconds(Int64(milliseconds))) }
  }

  private func deadlinePassed() {
    // A reader that has bytes to take does not wait for the backend.
    if let responsePipe, responsePipe.bufferedBytes > 0 { return armBetweenBytesTimer() }
    interrupt(.timedOut)
  }
}
