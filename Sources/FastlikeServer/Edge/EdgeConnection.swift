import FastlikeRuntime
import NIOCore
import NIOSSL

/// One HTTP/1.1 connection of a client: reads requests one after the other and hands each to the handler when the
/// response to the one before is complete.
///
/// Reading is pull-based: the socket is read when the parser needs more and the guest has room for it, with one read
/// ahead while a response is pending, which costs no system call and shows early that a client closes. A client that
/// closes only its sending side still gets its responses. `+Sending` is the way back to the client, and the connection's end.
final class EdgeConnection: ChannelInboundHandler, RemovableChannelHandler, EdgeLoopMember {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  enum Phase {
    case opening
    /// Waits for a request head.
    case head
    /// A request is being read, answered, or both.
    case exchange
    /// The connection is handed over: what comes goes on as it is.
    case tunnel
    /// The last response is sent; what still comes is dropped until the client closes.
    case lingering
    case closed
  }

  let loop: EdgeLoop
  /// The place in the loop's list of connections.
  var slot = 0
  /// The tick after which ``deadlinePassed()`` is due.
  private(set) var deadline = UInt64.max
  /// Whether the response waits for the client to take bytes.
  var isWriteBlocked = false {
    didSet { if isWriteBlocked != oldValue { updateDeadline() } }
  }

  /// Whether bytes were written and not flushed.
  var hasUnflushed = false

  var context: ChannelHandlerContext?
  private var peers: DownstreamConnection
  /// Whether the loop knows the connection already, from its TLS handshake.
  private var isMember: Bool
  var phase = Phase.opening
  var parser: RequestParser
  /// Whether the connection may still turn out to be one of HTTP/2, whose preface comes before everything else.
  private var mayBeHTTP2: Bool
  /// Bytes that are read and not yet parsed.
  var inbound: ByteBuffer
  /// Whether the client closed its sending side.
  var isInputClosed = false
  /// Whether no further request may follow the current one.
  private var isSpent = false
  private var isProcessing = false
  private var wait = EdgeLoop.Wait.nothing

  /// The pending response; nil when it is complete.
  var exchange: EdgeExchange?
  /// The current request's body; nil when all of it arrived or nothing more of it will be read.
  private var requestBody: BodyPipe?
  /// Where the client's bytes go once the connection is handed over.
  private var tunnel: BodyPipe?
  /// Whether the client waits for `100 Continue`.
  private var awaitsContinue = false
  /// Bytes of the current request's body that were dropped.
  private var drainedBytes = 0
  /// Whether the client may be sending a body that will not be read.
  var leftUnread = false

  /// - Parameter peers: Of a connection that the loop knows already; nil for a new one.
  init(loop: EdgeLoop, peers: DownstreamConnection? = nil) {
    self.loop = loop
    inbound = loop.noBytes
    self.peers = peers ?? DownstreamConnection(clientAddress: nil, serverAddress: nil)
    isMember = peers != nil
    // Over TLS the client has said already what it speaks.
    mayBeHTTP2 = peers == nil
    parser = RequestParser(limits: loop.settings.limits)
  }

  /// Whether the connection has to close behind the current response.
  var mustClose: Bool { isSpent || awaitsContinue || loop.isDraining }

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
    guard phase == .opening else { return }
    phase = .head
    if !isMember {
      isMember = true
      peers = DownstreamConnection(clientAddress: context.remoteAddress, serverAddress: context.localAddress)
      if !loop.add(self) { refuse(.tooManyConnections) }
    }
    if loop.isDraining { return closeNow() }
    process()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    if inbound.readableBytes == 0 {
      inbound = bytes
    } else {
      inbound.writeBuffer(&bytes)
    }
    if requestBody != nil { updateDeadline(afterProgress: true) }
    process()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed? = event as? ChannelEvent {
      isInputClosed = true
      process()
    }
    context.fireUserInboundEventTriggered(event)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { exchange?.resume() }
    context.fireChannelWritabilityChanged()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // A client that closes its side without TLS's goodbye may still read; messages tell their length themselves.
    if case NIOSSLError.uncleanShutdown? = error as? NIOSSLError { return }
    // The client reset the connection, or sending to it failed; `channelInactive` tells the exchange.
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    if isMember { loop.remove(self) }
    isMember = false
    phase = .closed
    inbound = loop.noBytes
    let exchange = exchange
    let body = requestBody
    let tunnel = tunnel
    self.exchange = nil
    requestBody = nil
    self.tunnel = nil
    exchange?.connectionLost()
    tunnel?.fail(.connectionLost)
    body?.fail(.connectionLost)
    context.fireChannelInactive()
  }

  // MARK: Requests

  /// Parses and hands over what was read, as far as it may go now, then waits for what is missing.
  private func process() {
    // A step that ends the current exchange gets here again; the loop below goes on with the next request.
    guard !isProcessing else { return }
    isProcessing = true
    while step() {}
    isProcessing = false
    if inbound.readableBytes == 0 { inbound = loop.noBytes }
    updateDeadline()
    if wantsInput { context?.read() }
  }

  /// Goes one step; false where something has to happen first.
  private func step() -> Bool {
    switch phase {
    case .head: return takeRequest()
    case .exchange: return takeBody()
    case .tunnel:
      passOn()
      return false
    case .lingering:
      inbound = loop.noBytes
      return false
    case .opening, .closed: return false
    }
  }

  private var wantsInput: Bool {
    guard !isInputClosed else { return false }
    switch phase {
    case .head, .lingering: return true
    case .exchange:
      guard let requestBody else { return inbound.readableBytes == 0 }
      return requestBody.isCancelled || requestBody.isWritable
    case .tunnel: return tunnel?.isWritable ?? false
    case .opening, .closed: return false
    }
  }

  private func takeRequest() -> Bool {
    if mayBeHTTP2, isHTTP2() { return false }
    do throws(RequestRefusal) {
      if let request = try parser.nextRequest(&inbound) {
        begin(request)
        return true
      }
      if isInputClosed { closeWhenFlushed() }
    } catch {
      refuse(error, toHEAD: parser.isReadingHEAD)
    }
    return false
  }

  /// Whether the first bytes are the preface of HTTP/2, or may be its beginning (RFC 9113 §3.3); a connection that has
  /// the whole of it is handed over.
  private func isHTTP2() -> Bool {
    let bytes = inbound.readableBytesView.prefix(HTTP2FrameReader.preface.count)
    guard !bytes.isEmpty, bytes.elementsEqual(HTTP2FrameReader.preface.prefix(bytes.count)) else {
      mayBeHTTP2 = bytes.isEmpty
      return false
    }
    guard bytes.count == HTTP2FrameReader.preface.count, let context else { return !isInputClosed }
    phase = .closed
    isMember = false
    let next = HTTP2Connection(loop: loop, peers: peers, received: inbound)
    inbound = loop.noBytes
    loop.replace(self, with: next)
    do {
      try context.pipeline.syncOperations.addHandler(next, position: .after(self))
      context.pipeline.syncOperations.removeHandler(self, promise: nil)
    } catch {
      context.close(promise: nil)
    }
    return true
  }

  private func begin(_ request: IncomingRequest) {
    if request.visits >= loop.settings.maximumVisits {
      return refuse(.loopDetected, toHEAD: request.head.method == "HEAD")
    }
    let body = BodyPipe(capacity: loop.settings.bodyCapacity)
    if case .length(let length) = request.framing { body.expectedLength = length }
    phase = .exchange
    drainedBytes = 0
    requestBody = body
    let exchange = EdgeExchange(connection: self, request: request)
    self.exchange = exchange
    awaitsContinue = false
    if request.framing == .none {
      body.expectedLength = 0
      _ = takeBody()
    } else {
      // A client that already sends does not wait.
      awaitsContinue = request.expectsContinue && inbound.readableBytes == 0
      body.onWritable = { [weak self] in self?.process() }
      body.onCancel = { [weak self] in self?.process() }
    }
    loop.handler.handle(
      DownstreamRequest(head: request.head, body: body, connection: peers), responder: exchange, on: loop.eventLoop)
    // An answer that needed no body is given by now; else the guest is taken to want it.
    if awaitsContinue, self.exchange === exchange, exchange.isUnanswered {
      exchange.sendInformational(ResponseHead(status: 100))
      awaitsContinue = false
    }
  }

  /// Takes a piece of the request body, for the guest or, when it does not want it, for nobody.
  private func takeBody() -> Bool {
    guard let body = requestBody, body.isCancelled || body.isWritable else { return false }
    do throws(RequestRefusal) {
      switch try parser.nextBodyPart(&inbound) {
      case nil:
        if isInputClosed { breakBody(.incomplete) }
        return false
      case .bytes(let bytes):
        if body.isCancelled {
          drainedBytes += bytes.readableBytes
          if drainedBytes > loop.settings.maximumDrainedBytes { breakBody(.unfinished) }
        } else {
          body.write(bytes)
        }
      case .end(let trailers):
        requestBody = nil
        body.onWritable = nil
        body.onCancel = nil
        body.finish(trailers: trailers)
        advance()
      }
      return true
    } catch {
      breakBody(.malformed)
      return false
    }
  }

  /// Reads no more of the current request's body, and so no further request.
  private func breakBody(_ error: BodyError) {
    guard let body = requestBody else { return }
    requestBody = nil
    isSpent = true
    leftUnread = true
    body.onWritable = nil
    body.onCancel = nil
    body.fail(error)
    advance()
  }

  // MARK: Handing over

  /// Gives up speaking HTTP: the client's bytes go into the pipe from now on, and the response's pipe carries what it gets.
  /// Returns false where the client's request is still coming, or the connection is to be closed.
  func handOver(into pipe: BodyPipe) -> Bool {
    guard phase == .exchange, requestBody == nil, !awaitsContinue else { return false }
    phase = .tunnel
    tunnel = pipe
    isSpent = true
    pipe.onWritable = { [weak self] in self?.process() }
    process()
    return true
  }

  /// Passes on what the client sent, and that it closed its side.
  private func passOn() {
    guard let tunnel, tunnel.isWritable || tunnel.isCancelled else { return }
    if inbound.readableBytes > 0 {
      let bytes = inbound
      inbound = loop.noBytes
      tunnel.write(bytes)
    }
    if isInputClosed { tunnel.finish() }
  }

  /// The response is complete.
  func responseFinished(closing: Bool) {
    exchange = nil
    if phase == .tunnel {
      tunnel?.onWritable = nil
      tunnel?.finish()
      tunnel = nil
      return closeWhenFlushed()
    }
    if closing { isSpent = true }
    if mustClose { breakBody(.connectionLost) }
    advance()
    process()
  }

  /// Goes on to the next request when this one and its response are complete.
  private func advance() {
    guard phase == .exchange, exchange == nil, requestBody == nil else { return }
    if mustClose {
      closeWhenFlushed()
    } else {
      phase = .head
    }
  }

  // MARK: Deadlines

  private func updateDeadline(afterProgress: Bool = false) {
    let current = currentWait
    guard current != wait || afterProgress else { return }
    wait = current
    deadline = loop.deadline(for: current)
  }

  private var currentWait: EdgeLoop.Wait {
    switch phase {
    case .head: return inbound.readableBytes > 0 || parser.isInsideHead ? .head : .nextRequest
    case .exchange:
      if isWriteBlocked { return .peer }
      // A guest may take its time; only a client that owes bytes, or a body that nobody wants any more, ends the wait.
      guard let requestBody else { return .nothing }
      return requestBody.isCancelled || requestBody.isWritable || exchange == nil ? .peer : .nothing
    case .lingering: return .linger
    // The peers' own protocol says how long they may be silent.
    case .tunnel: return isWriteBlocked ? .peer : .nothing
    case .opening, .closed: return .nothing
    }
  }

  func deadlinePassed() {
    deadline = .max
    switch wait {
    case .nothing: break
    case .nextRequest, .linger: closeNow()
    case .head:
      refuse(.slowHead)
      process()
    case .peer:
      if isWriteBlocked || exchange == nil {
        closeNow()
      } else {
        breakBody(.incomplete)
        process()
      }
    }
  }
}
