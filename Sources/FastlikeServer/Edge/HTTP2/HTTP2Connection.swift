import CTimestamp
import FastlikeRuntime
import Logging
import NIOCore
import NIOSSL

/// One HTTP/2 connection of a client (RFC 9113): many requests at the same time, each a ``HTTP2Stream``.
///
/// The protocol is our own here as it is for HTTP/1.1: a stream is one object and its frames go into the connection's
/// buffer, so that many small responses leave with one write. Frames are cut by ``HTTP2FrameReader``; this file is the
/// connection's life, `+Frames` what the frames do, and `+Sending` the way back.
final class HTTP2Connection: ChannelInboundHandler, EdgeLoopMember {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  enum Phase {
    case opening
    case serving
    /// Everything is sent; what still comes is dropped until the client closes.
    case lingering
    case closed
  }

  /// The largest window of flow control (RFC 9113 §6.9.1).
  static let maximumWindow = 0x7FFF_FFFF
  /// Windows before anything is agreed upon.
  static let initialWindow = 65_535
  /// Requests at the same time on one connection, those counted that were reset and whose guest still runs.
  static let maximumStreams = 100
  /// What a client may send of all its bodies together before guests have read of it.
  static let receiveWindow = 1024 * 1024

  let loop: EdgeLoop
  /// The place in the loop's list of connections.
  var slot = 0
  private(set) var deadline = UInt64.max

  var context: ChannelHandlerContext?
  var peers: DownstreamConnection
  var phase = Phase.opening
  /// Bytes that are read and not yet parsed.
  private var inbound: ByteBuffer
  private var reader: HTTP2FrameReader
  private var isInputClosed = false
  private var isProcessing = false
  private var wait = EdgeLoop.Wait.nothing

  var decoder = HeaderBlockDecoder()
  var streams: [UInt32: HTTP2Stream] = [:]
  /// The highest stream that the client opened.
  var lastStream: UInt32 = 0
  var ended = HTTP2EndedStreams()
  /// Guests that run for streams which were reset before their answer.
  var orphans = 0
  var floods = HTTP2FloodGuard()
  /// Until the first request.
  var fingerprint: HTTP2Fingerprint? = HTTP2Fingerprint()
  /// Whether the client was told that no further requests are taken.
  var isGoingAway = false

  /// What the client lets the edge send on all streams together, and at first on each.
  var sendWindow = initialWindow
  var initialSendWindow = initialWindow
  /// What the client may send on all streams together, and what of it was not given back yet.
  var receiveWindow = HTTP2Connection.receiveWindow
  var owed = 0
  /// Streams with something to send that wait for the connection's window or for the socket, in their order.
  var waiting: CircularBuffer<HTTP2Stream> = []
  var isServingWaiting = false
  var isServeScheduled = false

  var out = ByteBuffer()
  var hasUnflushed = false
  var hasSentTableSize = false
  /// Answers to control frames that were queued while the client read nothing.
  var unreadAnswers = 0

  /// - Parameters:
  ///   - peers: The facts about the connection, which the loop knows already.
  ///   - received: What came of the client so far.
  init(loop: EdgeLoop, peers: DownstreamConnection, received: ByteBuffer = ByteBuffer()) {
    self.loop = loop
    self.peers = peers
    inbound = received
    // Compression can make a block larger than its fields only by some bytes for each.
    let limits = loop.settings.limits
    reader = HTTP2FrameReader(maximumBlock: limits.fieldBytes + limits.targetBytes)
  }

  // MARK: Channel events

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    phase = .serving
    writePreface()
    if loop.isDraining { goAway() }
    process()
  }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    if inbound.readableBytes == 0 { inbound = bytes } else { inbound.writeBuffer(&bytes) }
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
    if context.channel.isWritable {
      unreadAnswers = 0
      serveWaiting()
    }
    updateDeadline()
    context.fireChannelWritabilityChanged()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // A client that closes its side without TLS's goodbye may still read.
    if case NIOSSLError.uncleanShutdown? = error as? NIOSSLError { return }
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    if phase != .closed { loop.remove(self) }
    phase = .closed
    inbound = ByteBuffer()
    loseStreams()
    context.fireChannelInactive()
  }

  private func loseStreams() {
    let lost = streams
    streams = [:]
    waiting = []
    for stream in lost.values { stream.clientLeft(from: self) }
  }

  // MARK: Frames

  private func process() {
    guard !isProcessing else { return }
    isProcessing = true
    while step() {}
    isProcessing = false
    if inbound.readableBytes == 0 { inbound = ByteBuffer() }
    flush()
    updateDeadline()
    if phase == .serving || phase == .lingering, !isInputClosed { context?.read() }
  }

  private func step() -> Bool {
    switch phase {
    case .opening, .closed: return false
    case .lingering:
      inbound = ByteBuffer()
      return false
    case .serving: break
    }
    do throws(HTTP2ConnectionError) {
      if let frame = try reader.next(&inbound) {
        try take(frame)
        return true
      }
      if isInputClosed { inputEnded() }
    } catch {
      fail(error)
    }
    return false
  }

  /// The client sends nothing more: requests whose body is incomplete stay so, the others get their responses.
  private func inputEnded() {
    for stream in streams.values { stream.upload?.fail(.incomplete) }
    isGoingAway = true
    closeIfDone()
  }

  // MARK: Closing

  /// Ends the connection because of what the client did (RFC 9113 §5.4.1).
  private func fail(_ error: HTTP2ConnectionError) {
    loop.logger.debug("ended an HTTP/2 connection: \(error.reason)", metadata: ["code": "\(error.code)"])
    writeGoAway(error.code, debug: error.reason)
    loseStreams()
    linger()
  }

  /// Takes no further requests, and closes when those that run are answered.
  func goAway() {
    guard phase == .serving, !isGoingAway else { return }
    isGoingAway = true
    writeGoAway(.noError, debug: "")
    flushSoon()
    closeIfDone()
  }

  func closeIfDone() {
    guard isGoingAway, streams.isEmpty, phase == .serving else { return }
    linger()
  }

  /// Closes the sending side and hears the client out, because bytes that nobody reads make the system reset the
  /// connection, and the client would lose what was sent last.
  private func linger() {
    phase = .lingering
    inbound = ByteBuffer()
    flush()
    if isInputClosed {
      whenFlushed { [weak self] in self?.closeNow() }
    } else {
      context?.close(mode: .output, promise: nil)
    }
    updateDeadline()
  }

  func closeNow() {
    context?.close(promise: nil)
    // TLS waits for the client's goodbye, which has to be read.
    context?.read()
  }

  func closeIfIdle() { goAway() }

  // MARK: Deadlines

  /// Whether frames are being taken, after which everything is flushed at once.
  var isTakingFrames: Bool { isProcessing }

  func updateDeadline() {
    let current = currentWait
    guard current != wait else { return }
    wait = current
    deadline = loop.deadline(for: current)
  }

  private var currentWait: EdgeLoop.Wait {
    switch phase {
    case .opening, .closed: .nothing
    case .lingering: .linger
    case .serving: reader.isWithinHead ? .head : streams.isEmpty ? .nextRequest : .peer
    }
  }

  func deadlinePassed() {
    deadline = .max
    switch wait {
    case .nothing: break
    case .linger: closeNow()
    case .nextRequest: goAway()
    case .head: fail(HTTP2ConnectionError(.enhanceYourCalm, "a request head did not arrive in time"))
    case .peer:
      endStalledStreams()
      updateDeadline()
      if wait == .peer { deadline = loop.deadline(for: .peer) }
    }
  }

  /// Ends the streams on which the client owes something and did nothing since the last look.
  private func endStalledStreams() {
    for stream in Array(streams.values) {
      let isStalled = !stream.hasProgressed
      stream.hasProgressed = false
      guard isStalled else { continue }
      if stream.isBlocked {
        drop(stream, .cancel)
      } else if let upload = stream.upload, upload.isAwaited {
        // The guest learns that its body is incomplete, and may still answer.
        upload.fail(.incomplete)
      }
    }
    flush()
    closeIfDone()
  }
}

/// The streams that ended last, to tell what comes late for them from what was never opened.
struct HTTP2EndedStreams {
  enum Ending {
    /// What the client sent before it learned of that is passed over (RFC 9113 §5.1).
    case resetByEdge
    case other
  }

  private static let capacity = 256
  private var ids: [UInt32] = []
  private var endings: [Ending] = []
  /// The place of the next one, once all are taken.
  private var next = 0

  mutating func add(_ id: UInt32, _ ending: Ending) {
    if ids.count < Self.capacity {
      ids.append(id)
      endings.append(ending)
    } else {
      ids[next] = id
      endings[next] = ending
      next = (next + 1) % Self.capacity
    }
  }

  /// How a stream ended; nil where it is not among the last.
  func ending(of id: UInt32) -> Ending? { ids.firstIndex(of: id).map { endings[$0] } }
}
