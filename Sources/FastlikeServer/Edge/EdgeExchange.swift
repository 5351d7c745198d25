import CTimestamp
import ComputeABI
import FastlikeRuntime
import NIOCore

/// One request's way back to the client: sends its response, with back-pressure, and reports how that went.
///
/// A connection has one exchange at a time. An exchange that outlives its turn, because a guest holds it, has lost its
/// connection and does nothing more.
final class EdgeExchange: DownstreamResponder {
  private enum State {
    case unanswered
    /// Body bytes are still to come.
    case sending
    /// Everything is written but not yet taken by the socket.
    case flushing
    case done
  }

  /// How many body bytes go out before other connections of the loop get their turn.
  private static let passLimit = 1024 * 1024
  /// Body bytes that are read and written at once.
  private static let pieceLimit = 64 * 1024
  /// Smaller pieces are copied behind the head; larger ones are handed over as they are.
  private static let copyLimit = 8 * 1024

  private(set) var isClosed = false
  var onClosed: (() -> Void)?
  var onDelivered: ((DownstreamDelivery) -> Void)?

  private var connection: EdgeConnection?
  private let isHEAD: Bool
  private let isHTTP10: Bool
  private let isKeepAlive: Bool
  private var state = State.unanswered
  private var delivery = DownstreamDelivery()
  private var closes = false
  /// Whether the end of the connection is the end of the body.
  private var isDelimitedByClose = false
  private var isChunked = false
  private var source: ResponseBodySource?
  private var isPumping = false

  init(connection: EdgeConnection, request: IncomingRequest) {
    self.connection = connection
    isHEAD = request.head.method == "HEAD"
    isHTTP10 = request.head.version == .http10
    isKeepAlive = request.isKeepAlive
  }

  var isUnanswered: Bool { state == .unanswered }

  // MARK: Responder

  func sendInformational(_ head: ResponseHead) {
    guard state == .unanswered, let connection, !isHTTP10 else { return }
    guard (100..<200).contains(head.status), head.status != 101 else { return }
    var out = connection.loop.takeScratch()
    ResponseEncoder.writeInformational(head, into: &out)
    connection.write(out)
    connection.flush()
    connection.loop.returnScratch(out)
  }

  func send(_ head: ResponseHead, framing mode: FramingMode, closeAfter: Bool, body: OutgoingBody) {
    guard state == .unanswered else { return ResponseBodySource.drop(body) }
    guard let connection, head.status >= 200 else {
      ResponseBodySource.drop(body)
      return breakOff()
    }
    let asksToClose = closeAfter || ResponseEncoder.asksToClose(head.headers)
    var head = head
    let framing = FramingHeaders.resolve(
      headers: &head.headers, mode: mode, bodyLength: body.knownLength,
      messageKind: .response(status: head.status, toHEAD: isHEAD))
    isDelimitedByClose = framing == .chunked && isHTTP10
    closes = asksToClose || isDelimitedByClose || !isKeepAlive || connection.mustClose

    var out = connection.loop.takeScratch()
    let now = ctimestamp_monotonic()
    ResponseEncoder.writeHead(
      head, framing: framing, persistence: closes ? .close : isHTTP10 ? .keepAlive : .implied, isHTTP10: isHTTP10,
      date: connection.loop.date.bytes(at: now), into: &out)
    delivery.headFlushedAt = now
    state = .sending
    isChunked = framing == .chunked && !isDelimitedByClose
    source = ResponseBodySource(body, framing: framing) { [weak self] in self?.resume() }
    pump(out)
  }

  func abort() {
    guard state != .done else { return }
    breakOff()
  }

  func hijack(_ head: ResponseHead, toClient: BodyPipe, fromClient: BodyPipe) -> Bool {
    guard state == .unanswered, !isHTTP10, let connection, connection.handOver(into: fromClient) else { return false }
    var out = connection.loop.takeScratch()
    ResponseEncoder.writeSwitch(head, into: &out)
    delivery.headFlushedAt = ctimestamp_monotonic()
    state = .sending
    closes = true
    // What flows through a tunnel has no end but the connection's.
    source = ResponseBodySource(.pipe(toClient, knownLength: nil), framing: .chunked) { [weak self] in self?.resume() }
    pump(out)
    return true
  }

  // MARK: Body

  /// Goes on with the body: the client took bytes, or there are new ones.
  func resume() {
    guard state == .sending, !isPumping, let connection else { return }
    pump(connection.loop.takeScratch())
  }

  /// Writes what is there while the client takes it, behind what `staged` holds, and flushes once for all of it.
  private func pump(_ staged: consuming ByteBuffer) {
    guard let connection else { return }
    var out = staged
    var passBytes = 0
    isPumping = true
    pumping: while state == .sending {
      if !connection.isWritable {
        // A wait that goes on keeps its deadline.
        if connection.isWriteBlocked, out.readableBytes == 0, !connection.hasUnflushed { break }
        push(&out, to: connection)
        guard connection.isWritable else {
          connection.isWriteBlocked = true
          break
        }
      }
      guard passBytes < Self.passLimit else {
        push(&out, to: connection)
        connection.resumeLater()
        break
      }
      switch source?.next(max: Self.pieceLimit) ?? .end(trailers: nil) {
      case .bytes(let piece):
        passBytes += piece.readableBytes
        delivery.bodyBytes += piece.readableBytes
        write(piece, through: &out, to: connection)
      case .pending:
        push(&out, to: connection)
        if !connection.isWritable { connection.isWriteBlocked = true }
        break pumping
      case .end(let trailers):
        if isChunked { ResponseEncoder.writeLastChunk(trailers: trailers, into: &out) }
        push(&out, to: connection)
        finish()
      case .failed:
        push(&out, to: connection)
        if state == .sending { breakOff() }
      }
    }
    isPumping = false
    connection.loop.returnScratch(out)
  }

  private func write(_ piece: ByteBuffer, through out: inout ByteBuffer, to connection: EdgeConnection) {
    if isChunked { ResponseEncoder.writeChunkSize(piece.readableBytes, into: &out) }
    if piece.readableBytes <= Self.copyLimit {
      out.writeImmutableBuffer(piece)
    } else {
      stage(&out, to: connection)
      connection.write(piece)
    }
    if isChunked { out.writeStaticString("\r\n") }
    if out.readableBytes > 2 * Self.copyLimit { stage(&out, to: connection) }
  }

  /// Writes without flushing.
  private func stage(_ out: inout ByteBuffer, to connection: EdgeConnection) {
    guard out.readableBytes > 0 else { return }
    connection.write(out)
    out.clear()
  }

  private func push(_ out: inout ByteBuffer, to connection: EdgeConnection) {
    connection.isWriteBlocked = false
    if out.readableBytes > 0 { connection.write(out) }
    connection.flush()
    out.clear()
  }

  // MARK: End

  /// Everything is written. Where the socket took it, or will take the rest of less than a full write buffer while the
  /// connection goes on, the response counts as delivered; otherwise when the last byte is gone.
  private func finish() {
    guard state == .sending, let connection else { return }
    source?.finish()
    source = nil
    guard closes || !connection.isWritable else { return complete() }
    state = .flushing
    connection.isWriteBlocked = true
    connection.whenFlushed { [weak self] in self?.complete() }
  }

  private func complete() {
    guard state == .sending || state == .flushing, let connection else { return }
    state = .done
    self.connection = nil
    connection.isWriteBlocked = false
    report(isAborted: false)
    connection.responseFinished(closing: closes)
  }

  /// The client is gone; an unanswered exchange reports that when its answer comes.
  func connectionLost() {
    guard state != .done, !isClosed else { return }
    isClosed = true
    connection = nil
    let wasUnanswered = state == .unanswered
    if !wasUnanswered { state = .done }
    releaseBody()
    let onClosed = onClosed
    self.onClosed = nil
    onClosed?()
    if !wasUnanswered { report(isAborted: true) }
  }

  /// Ends the connection in the middle of the response.
  private func breakOff() {
    state = .done
    isClosed = true
    let connection = connection
    self.connection = nil
    releaseBody()
    report(isAborted: true)
    connection?.breakOff(resetting: isDelimitedByClose)
  }

  private func report(isAborted: Bool) {
    delivery.isAborted = isAborted
    delivery.endedAt = ctimestamp_monotonic()
    let onDelivered = onDelivered
    self.onDelivered = nil
    onClosed = nil
    onDelivered?(delivery)
  }

  private func releaseBody() {
    source?.release()
    source = nil
  }
}
