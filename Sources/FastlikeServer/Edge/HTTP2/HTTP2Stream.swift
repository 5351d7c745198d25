import CTimestamp
import ComputeABI
import FastlikeRuntime
import NIOCore

/// One request on an HTTP/2 connection, and its way back to the client.
///
/// A stream that outlives its connection or was reset, because a guest holds it, does nothing more.
final class HTTP2Stream: DownstreamResponder {
  private enum State {
    case unanswered
    /// Body bytes are still to come.
    case sending
    /// Everything is written but not yet taken by the socket.
    case flushing
    case done
  }

  /// How many body bytes go out before the connection's other streams get their turn.
  private static let passLimit = 64 * 1024

  let id: UInt32
  private(set) var isClosed = false
  var onClosed: (() -> Void)?
  var onDelivered: ((DownstreamDelivery) -> Void)?

  /// Nil once the connection has no more to do with it.
  private var connection: HTTP2Connection?
  /// The connection of a stream that was lost before its answer, whose guest still runs.
  private var orphanedFrom: HTTP2Connection?
  private let isHEAD: Bool
  private var state = State.unanswered
  private var delivery = DownstreamDelivery()
  private var closes = false
  private var source: ResponseBodySource?
  private var isPumping = false

  /// What the client lets the edge send on this stream.
  private(set) var sendWindow: Int
  /// Whether the connection has it among those that wait for room.
  var isWaitingForRoom = false
  /// Whether something went forth or back since the last look at stalled streams.
  var hasProgressed = true

  /// The body of the request while the client may send it.
  var upload: HTTP2Upload?
  /// Whether the client has ended its side.
  var isRequestComplete = false

  init(id: UInt32, connection: HTTP2Connection, isHEAD: Bool, sendWindow: Int) {
    self.id = id
    self.connection = connection
    self.isHEAD = isHEAD
    self.sendWindow = sendWindow
  }

  var isUnanswered: Bool { state == .unanswered }
  var isAnswered: Bool { state == .done }

  /// Whether the response waits for the client: to take bytes or to allow more.
  var isBlocked: Bool {
    guard state == .sending || state == .flushing, let connection else { return false }
    return isWaitingForRoom || sendWindow <= 0 || connection.sendWindow <= 0 || state == .flushing
  }

  // MARK: Responder

  func sendInformational(_ head: ResponseHead) {
    guard state == .unanswered, let connection else { return }
    guard (100..<200).contains(head.status), head.status != 101 else { return }
    var headers = head.headers
    _ = FramingHeaders.resolve(
      headers: &headers, mode: .automatic, bodyLength: 0, messageKind: .response(status: head.status, toHEAD: false))
    connection.writeHeaders(status: head.status, headers, stream: id, hasDate: true, endsStream: false)
    connection.flushSoon()
  }

  func send(_ head: ResponseHead, framing mode: FramingMode, closeAfter: Bool, body: OutgoingBody) {
    guard state == .unanswered else { return ResponseBodySource.drop(body) }
    guard let connection, head.status >= 200 else {
      ResponseBodySource.drop(body)
      return breakOff(.internalError)
    }
    closes = closeAfter || ResponseEncoder.asksToClose(head.headers)
    var head = head
    let framing = FramingHeaders.resolve(
      headers: &head.headers, mode: mode, bodyLength: body.knownLength,
      messageKind: .response(status: head.status, toHEAD: isHEAD))
    let source = ResponseBodySource(body, framing: framing) { [weak self] in self?.pump() }
    self.source = source
    state = .sending
    delivery.headFlushedAt = ctimestamp_monotonic()
    let isEnd = source.isExhausted
    connection.writeHeaders(status: head.status, head.headers, stream: id, hasDate: false, endsStream: isEnd)
    if isEnd {
      finish()
      connection.flushSoon()
    } else {
      pump()
    }
  }

  func abort() {
    guard state != .done else { return }
    breakOff(.internalError)
  }

  // MARK: Body

  /// The client allows so many bytes more, or fewer (RFC 9113 §6.9.2); false where the window gets too large.
  func changeSendWindow(by change: Int) -> Bool {
    sendWindow += change
    guard sendWindow <= HTTP2Connection.maximumWindow else { return false }
    if sendWindow > 0 { pump() }
    return true
  }

  /// Writes what is there while the client and the socket take it.
  func pump() {
    guard state == .sending, !isPumping, let connection else { return }
    isPumping = true
    defer {
      isPumping = false
      connection.flushSoon()
    }
    var passBytes = 0
    while state == .sending, var source {
      guard connection.isWritable, passBytes < Self.passLimit else { return connection.waitForRoom(self) }
      let window = min(sendWindow, connection.sendWindow, HTTP2FrameReader.maximumPayload)
      guard window > 0 || source.isAtEnd else {
        if sendWindow > 0 { connection.waitForRoom(self) }
        return
      }
      let next = source.next(max: max(window, 1))
      let isEnd = source.isExhausted
      guard state == .sending else { return }
      self.source = source
      switch next {
      case .bytes(let piece):
        passBytes += piece.readableBytes
        sendWindow -= piece.readableBytes
        delivery.bodyBytes += piece.readableBytes
        hasProgressed = true
        connection.writeData(piece, stream: id, endsStream: isEnd)
        if isEnd { finish() }
      case .pending: return
      case .end(let trailers):
        if let trailers, !trailers.isEmpty {
          connection.writeTrailers(trailers, stream: id)
        } else {
          connection.writeData(ByteBuffer(), stream: id, endsStream: true)
        }
        finish()
      case .failed: breakOff(.internalError)
      }
    }
  }

  // MARK: End

  /// Everything is written. Where the socket takes it the response counts as delivered, otherwise when it is gone.
  private func finish() {
    guard state == .sending, let connection else { return }
    source?.finish()
    source = nil
    guard !connection.isWritable else { return complete() }
    state = .flushing
    connection.whenFlushed { [weak self] in self?.complete() }
  }

  private func complete() {
    guard state == .sending || state == .flushing, let connection else { return }
    state = .done
    report(isAborted: false)
    connection.responseFinished(self, closing: closes)
  }

  /// The stream has nothing to do with its connection any more.
  func detach() { connection = nil }

  /// The client reset the stream or is gone. A guest that has not answered runs on and counts until it does.
  func clientLeft(from connection: HTTP2Connection) {
    guard !isClosed else { return }
    upload?.fail(.connectionLost)
    upload = nil
    guard state != .done else { return detach() }
    isClosed = true
    let wasUnanswered = state == .unanswered
    if wasUnanswered {
      connection.orphans += 1
      orphanedFrom = connection
    }
    self.connection = nil
    if !wasUnanswered { state = .done }
    source?.release()
    source = nil
    let onClosed = onClosed
    self.onClosed = nil
    onClosed?()
    if !wasUnanswered { report(isAborted: true) }
  }

  /// Ends the stream before the response is complete, because the guest failed; also one whose client has left.
  private func breakOff(_ code: HTTP2ErrorCode) {
    state = .done
    isClosed = true
    let connection = connection
    self.connection = nil
    orphanedFrom?.orphans -= 1
    orphanedFrom = nil
    source?.release()
    source = nil
    report(isAborted: true)
    connection?.reset(self, code)
  }

  private func report(isAborted: Bool) {
    delivery.isAborted = isAborted
    delivery.endedAt = ctimestamp_monotonic()
    let onDelivered = onDelivered
    self.onDelivered = nil
    onClosed = nil
    onDelivered?(delivery)
  }
}
