import CTimestamp
import ComputeABI
import NIOCore

/// What a connection tells the pool that it belongs to.
protocol BackendConnectionOwner: AnyObject {
  /// The connection could serve another request. Returns whether it is kept for one.
  func keep(_ connection: BackendConnection) -> Bool
  /// The connection is closed or about to be.
  func forget(_ connection: BackendConnection)
  /// The connection was kept, and what it did before is reported: it may serve a call that waits.
  func becameIdle(_ connection: BackendConnection)
  /// The call is to be made again, on a new connection.
  func retry(_ call: BackendCall)
}

/// One HTTP/1.1 connection to a backend: the last handler of its channel, serving one call after the other.
///
/// ``ResponseParser`` and ``ExchangeState`` decide what things mean; this class moves bytes, buffers and timers. Reading
/// pauses while the response's pipe is full and writing the request pauses while the socket's buffer is. Callbacks into
/// pipes and exchanges may run guest code that comes back here at once, so each of them stands last in its function or
/// is followed by a look at ``call``.
final class BackendConnection: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  let definition: BackendDefinition
  let channel: any Channel
  var context: ChannelHandlerContext?
  /// The call that is being served; nil while the connection is idle.
  var call: BackendCall?
  var state = ExchangeState(isReused: false, method: "")
  /// Bytes of the request's body that its `Content-Length` still leaves room for.
  var contentRemaining: Int?
  var isPumping = false

  private weak var owner: (any BackendConnectionOwner)?
  /// The right to this connection, where the backend limits them.
  private let slot: ConnectionSlot?
  private let opened = NIODeadline.now()
  private var uses = 0
  private let timer: ConnectionTimer
  private var parser = ResponseParser(method: "")
  private var responsePipe: BodyPipe?
  /// The head that was read but not reported yet: the body bytes that came with it go into the pipe first.
  private var unreportedHead: ResponseHead?
  private var isReadHeld = false
  private var endedUncleanly = false
  /// Whether the backend has switched protocols: bytes go both ways as they are, without deadlines.
  private(set) var isTunnel = false
  private var hasServed = false

  init(
    to definition: BackendDefinition, over channel: any Channel, slot: ConnectionSlot?,
    owner: any BackendConnectionOwner
  ) {
    self.slot = slot
    self.definition = definition
    self.channel = channel
    self.owner = owner
    timer = ConnectionTimer(eventLoop: channel.eventLoop)
    timer.onFire = { [weak self] in self?.deadlinePassed() }
  }

  /// Sends the call's request; the connection must be idle.
  func serve(_ call: BackendCall) {
    self.call = call
    call.abort = { self.abandon() }
    call.exchange.phases.reusedConnection = hasServed
    call.exchange.phases.peerAddress = channel.remoteAddress
    state = ExchangeState(isReused: hasServed, method: call.method)
    parser = ResponseParser(method: call.method, acceptsUpgrade: call.tunnel != nil)
    hasServed = true
    uses += 1
    guard context != nil, channel.isActive else { return interrupt(.closed) }
    armFirstByteTimer()
    writeRequest(of: call)
  }

  /// Whether another request may be sent on it.
  var allowsReuse: Bool {
    channel.isActive && definition.connectionLimits.allowsReuse(uses: uses, age: .now() - opened)
  }

  /// Closes the connection; an exchange on it must have been detached before.
  func close() {
    owner?.forget(self)
    slot?.release()
    timer.invalidate()
    channel.close(promise: nil)
  }

  /// The exchange cannot go on.
  func interrupt(_ interruption: ExchangeState.Interruption) {
    guard let call else { return close() }
    let now = ctimestamp_monotonic()
    let outcome = state.outcome(of: interruption, isBodyIntact: call.isBodyIntact)
    let (pipe, head) = detach()
    close()
    switch outcome {
    case .retry:
      guard let owner else { return call.fail(SendError(.connectionTerminated)) }
      owner.retry(call)
    case .failed(let error): call.fail(error)
    case .bodyFailed(let error):
      pipe?.fail(error)
      if let head, let pipe { call.exchange.settle(.responded(head, body: pipe)) }
      call.end(at: now)
    }
  }

  /// Nobody wants the response any more.
  private func abandon() {
    guard let call else { return }
    let now = ctimestamp_monotonic()
    let (pipe, _) = detach()
    close()
    pipe?.fail(.connectionLost)
    call.end(at: now)
  }

  /// Parts with the call and what belongs to it.
  private func detach() -> (BodyPipe?, ResponseHead?) {
    let (pipe, head) = (responsePipe, unreportedHead)
    timer.clear()
    call?.abort = nil
    if case .pipe(let pipe, _)? = call?.body { pipe.onReadable = nil }
    call?.tunnel?.onReadable = nil
    pipe?.onWritable = nil
    pipe?.onCancel = nil
    responsePipe = nil
    unreportedHead = nil
    call = nil
    resumeReading()
    return (pipe, head)
  }
}

// MARK: Response

extension BackendConnection {
  private func receive(_ buffer: ByteBuffer, for call: BackendCall) {
    if state.receivedBytes() { call.exchange.phases.firstByte = ctimestamp_monotonic() }
    armBetweenBytesTimer()
    parser.append(buffer)
    do {
      while self.call === call, let event = try parser.next() { handle(event, for: call) }
    } catch {
      interrupt(.invalidResponse(error))
    }
    guard self.call === call, let head = unreportedHead, let pipe = responsePipe else { return }
    unreportedHead = nil
    call.exchange.settle(.responded(head, body: pipe))
  }

  private func handle(_ event: ResponseParser.Event, for call: BackendCall) {
    switch event {
    case .informational:
      call.exchange.phases.responseHeadBytes = parser.headByteCount
      call.exchange.phases.firstByte = nil
      state.receivedInformational()
      if parser.hasUnconsumedBytes, state.receivedBytes() {
        call.exchange.phases.firstByte = ctimestamp_monotonic()
      } else {
        armFirstByteTimer()
      }
    case .head(let head, let bodyLength):
      state.receivedHead()
      call.exchange.phases.responseHeadBytes = parser.headByteCount
      let pipe = BodyPipe(expectedLength: bodyLength)
      pipe.onWritable = { [weak self] in self?.resumeReading() }
      pipe.onCancel = { [weak self] in self?.abandon() }
      responsePipe = pipe
      unreportedHead = head
      if head.status == 101 { beginTunnel(of: call) }
    case .body(let bytes):
      call.exchange.phases.responseBodyBytes += bytes.readableBytes
      responsePipe?.write(bytes)
    case .end(let trailers): responseEnded(trailers: trailers, of: call)
    }
  }

  /// The backend speaks another protocol from here on.
  private func beginTunnel(of call: BackendCall) {
    isTunnel = true
    timer.clear()
    call.tunnel?.onReadable = { [weak self] in self?.pumpTunnel() }
    pumpTunnel()
  }

  /// The client's side of the tunnel has ended, and so does the whole of it.
  func tunnelEnded() { responseEnded(trailers: nil, of: call) }

  private func responseEnded(trailers: HeaderList?, of call: BackendCall?) {
    guard let call else { return }
    let now = ctimestamp_monotonic()
    let persists = parser.persists && !parser.hasUnconsumedBytes && definition.isPooled && allowsReuse
    let isReusable = state.keepsConnection(responsePersists: persists)
    let (pipe, head) = detach()
    if isReusable, owner?.keep(self) == true {
      timer.set(.milliseconds(Int64(definition.keepaliveMilliseconds ?? 55_000)))
    } else {
      close()
    }
    pipe?.finish(trailers: trailers)
    if let head, let pipe { call.exchange.settle(.responded(head, body: pipe)) }
    call.end(at: now)
    if self.call == nil { owner?.becameIdle(self) }
  }
}

// MARK: Timers

extension BackendConnection {
  private func armFirstByteTimer() { arm(definition.firstByteTimeoutMilliseconds ?? 15_000) }

  private func armBetweenBytesTimer() { arm(definition.betweenBytesTimeoutMilliseconds ?? 10_000) }

  private func arm(_ milliseconds: UInt32) {
    if milliseconds == 0 || isTunnel { timer.clear() } else { timer.set(.milliseconds(Int64(milliseconds))) }
  }

  private func deadlinePassed() {
    guard call != nil else { return close() }
    // A reader that has bytes to take does not wait for the backend.
    if let responsePipe, responsePipe.bufferedBytes > 0 || isReadHeld { return armBetweenBytesTimer() }
    interrupt(.timedOut)
  }
}

// MARK: Channel events

extension BackendConnection {
  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let buffer = unwrapInboundIn(data)
    // Bytes without a request are a broken peer's; what follows could not be told from an answer.
    guard let call else { return close() }
    receive(buffer, for: call)
  }

  /// Holds the reads that the channel asks for while the reader of the response is behind.
  func read(context: ChannelHandlerContext) {
    if let responsePipe, !responsePipe.isWritable {
      isReadHeld = true
    } else {
      context.read()
    }
  }

  private func resumeReading() {
    guard isReadHeld else { return }
    isReadHeld = false
    if call != nil { armBetweenBytesTimer() }
    context?.read()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable {
      pumpRequestBody()
      pumpTunnel()
    }
    context.fireChannelWritabilityChanged()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // A TLS peer that closes without saying so may have been cut off; the channel becomes inactive next.
    if SendError.isUncleanShutdown(error) {
      endedUncleanly = true
    } else {
      interrupt(.lost(SendError(from: error)))
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    owner?.forget(self)
    if let call {
      if !endedUncleanly, let event = try? parser.endOfInput() {
        handle(event, for: call)
      } else {
        interrupt(.closed)
      }
    }
    timer.invalidate()
    slot?.release()
    context.fireChannelInactive()
  }
}
