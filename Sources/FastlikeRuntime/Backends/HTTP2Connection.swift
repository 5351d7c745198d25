import ComputeABI
import NIOCore
import NIOHPACK
import NIOHTTP2

/// What a connection of HTTP/2 tells the pool that it belongs to.
protocol HTTP2ConnectionOwner: AnyObject {
  /// A stream has ended, so that there may be room for a call that waits.
  func gainedRoom(_ connection: HTTP2Connection)
  /// The connection takes no more requests, or is closed.
  func forget(_ connection: HTTP2Connection)
  /// The call is to be made again, on another connection.
  func retry(_ call: BackendCall, avoiding connection: HTTP2Connection)
}

/// One HTTP/2 connection to a backend: the last handler of its channel, carrying many requests at the same time.
///
/// NIO's handler below it reads and writes frames, keeps the states of streams, and compresses headers; this class joins
/// streams to calls and grants the peer its windows. No channel is made for a stream, because a stream's bytes go into a
/// ``BodyPipe`` anyway.
final class HTTP2Connection: ChannelInboundHandler {
  typealias InboundIn = HTTP2Frame
  typealias OutboundOut = HTTP2Frame

  /// Bytes that the peer may send on a stream before more is granted.
  static let streamWindow = 64 * 1024
  /// Bytes that the peer may send on all streams. Streams that nobody reads are held by their own windows; this one is so
  /// large that they do not hold up the others.
  private static let connectionWindow = 16 * 1024 * 1024
  /// Streams at the same time, until the peer says how many it takes.
  static let assumedStreamLimit = 100

  let definition: BackendDefinition
  let channel: any Channel
  private weak var owner: (any HTTP2ConnectionOwner)?
  /// The right to this connection, where the backend limits them.
  private let slot: ConnectionSlot?
  private let opened = NIODeadline.now()
  private var uses = 0
  private var context: ChannelHandlerContext?
  private var streams: [HTTP2StreamID: HTTP2Stream] = [:]
  private var nextStreamID = 1
  /// Streams that the peer takes at the same time.
  private var streamLimit = assumedStreamLimit
  /// Streams whose heads were read since the last report.
  private var unreported: [HTTP2Stream] = []
  /// Whether it takes no more requests and closes behind the last one.
  private var isDraining = false
  private var isClosed = false
  /// The peer said with which error it went away.
  private var farewell: SendError?
  /// NIO has just ended a stream for a violation, and its error comes next; the stream where it is still in use.
  private var violation: (expectsError: Bool, stream: HTTP2Stream?) = (false, nil)
  /// The stream that is being reset from here, and the one that the peer reset last.
  private var resetting: HTTP2StreamID?
  private var resetByPeer: HTTP2StreamID?
  /// The last stream that a peer that goes away looks at.
  private var lastStreamID = HTTP2StreamID.maxID
  private var needsFlush = false
  private var isReading = false
  private let timer: ConnectionTimer

  init(
    to definition: BackendDefinition, over channel: any Channel, slot: ConnectionSlot?, owner: any HTTP2ConnectionOwner
  ) {
    self.slot = slot
    self.definition = definition
    self.channel = channel
    self.owner = owner
    timer = ConnectionTimer(eventLoop: channel.eventLoop)
    timer.onFire = { [weak self] in self?.idledOut() }
  }

  /// NIO's part of the connection. Its guards against floods are meant for servers; a backend is trusted further, because
  /// gRPC servers measure the path with a ping for each piece of data.
  static func frameHandler() -> NIOHTTP2Handler {
    var connection = NIOHTTP2Handler.ConnectionConfiguration()
    connection.initialSettings = [
      HTTP2Setting(parameter: .enablePush, value: 0),
      HTTP2Setting(parameter: .initialWindowSize, value: streamWindow),
      HTTP2Setting(parameter: .maxHeaderListSize, value: ResponseParser.maximumHeadBytes),
    ]
    connection.maximumSequentialEmptyDataFrames = 64
    connection.maximumSequentialContinuationFrames = 16
    connection.controlFrameRateLimit.maximumCount = 100_000
    var stream = NIOHTTP2Handler.StreamConfiguration()
    stream.streamResetFrameRateLimit.maximumCount = 10_000
    stream.streamErrorRateLimit.maximumCount = 10_000
    return NIOHTTP2Handler(mode: .client, connectionConfiguration: connection, streamConfiguration: stream)
  }

  // MARK: Calls

  /// Whether another request can be sent at once.
  var hasRoom: Bool {
    !isDraining && !isClosed && streams.count < streamLimit && nextStreamID < Int(Int32.max) - 2 && allowsReuse
  }

  private var allowsReuse: Bool {
    uses == 0 || definition.connectionLimits.allowsReuse(uses: uses, age: .now() - opened)
  }

  var isIdle: Bool { streams.isEmpty }

  /// Sends a call's request.
  ///
  /// - Parameter isReused: Whether the connection was not dialled for this call.
  func serve(_ call: BackendCall, isReused: Bool) {
    guard let headers = call.headerBlock else { return call.fail(SendError(.internalError)) }
    guard channel.isActive, !isClosed else {
      return call.canRepeat ? retry(call) : call.fail(SendError(.connectionTerminated))
    }
    timer.clear()
    let stream = HTTP2Stream(HTTP2StreamID(nextStreamID), for: call, on: self, isReused: isReused)
    nextStreamID += 2
    streams[stream.id] = stream
    uses += 1
    if !definition.isPooled || !allowsReuse { drain() }
    stream.start(headers)
    flush()
  }

  func retry(_ call: BackendCall) {
    guard let owner else { return call.fail(SendError(.connectionTerminated)) }
    owner.retry(call, avoiding: self)
  }

  /// A stream is over; with a code the peer is told so.
  func streamEnded(_ stream: HTTP2Stream, resettingWith code: HTTP2ErrorCode?) {
    guard streams.removeValue(forKey: stream.id) != nil else { return }
    if let code, !isClosed {
      resetting = stream.id
      write(.rstStream(code), on: stream.id, promise: nil)
      resetting = nil
    }
    if streams.isEmpty {
      if isDraining || !allowsReuse { return close() }
      timer.set(.milliseconds(Int64(definition.keepaliveMilliseconds ?? 55_000)))
    }
    if !isDraining { owner?.gainedRoom(self) }
  }

  /// Takes no more requests; closes now, or behind the last request.
  func drain() {
    guard !isDraining else { return }
    isDraining = true
    owner?.forget(self)
    if streams.isEmpty { close() }
  }

  private func idledOut() {
    if streams.isEmpty { drain() }
  }

  func close() {
    guard !isClosed else { return }
    isClosed = true
    isDraining = true
    timer.invalidate()
    owner?.forget(self)
    slot?.release()
    // What was written for the last stream leaves first.
    context?.flush()
    channel.close(promise: nil)
  }

  // MARK: Frames

  func write(_ payload: HTTP2Frame.FramePayload, on id: HTTP2StreamID, promise: EventLoopPromise<Void>?) {
    guard let context, !isClosed else {
      promise?.fail(ChannelError.ioOnClosedChannel)
      return
    }
    context.write(wrapOutboundOut(HTTP2Frame(streamID: id, payload: payload)), promise: promise)
    flush()
  }

  /// Lets the peer send so many more bytes.
  func grant(_ increment: Int, on id: HTTP2StreamID) {
    write(.windowUpdate(windowSizeIncrement: increment), on: id, promise: nil)
  }

  /// Flushes now, or at the end of what is being read.
  private func flush() {
    if isReading { needsFlush = true } else { context?.flush() }
  }

  private func apply(_ settings: HTTP2Settings) {
    for setting in settings where setting.parameter == .maxConcurrentStreams { streamLimit = setting.value }
  }

  private func peerGoesAway(lastStreamID: HTTP2StreamID, code: UInt32) {
    if code != 0 { farewell = SendError(http2: .goAway, code: code) }
    isDraining = true
    self.lastStreamID = lastStreamID
    owner?.forget(self)
    for stream in streams.values where stream.id > lastStreamID { stream.interrupt(.unprocessed(code: code)) }
    if streams.isEmpty { close() }
  }
}

// MARK: Channel events

extension HTTP2Connection {
  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    grant(Self.connectionWindow - 65_535, on: .rootStream)
  }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    isReading = true
    let frame = unwrapInboundIn(data)
    switch frame.payload {
    case .headers(let headers):
      guard let stream = streams[frame.streamID] else { return }
      unreported.append(stream)
      stream.received(headers.headers, endsStream: headers.endStream)
    case .data(let data):
      guard case .byteBuffer(let buffer) = data.data else { return }
      streams[frame.streamID]?.received(buffer, endsStream: data.endStream)
    case .rstStream(let code):
      resetByPeer = frame.streamID
      streams[frame.streamID]?.interrupt(.reset(code: UInt32(code.networkCode)))
    case .goAway(let lastStreamID, let code, _):
      peerGoesAway(lastStreamID: lastStreamID, code: UInt32(code.networkCode))
    case .settings(.settings(let settings)): apply(settings)
    default: break
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    let heads = unreported
    unreported.removeAll(keepingCapacity: true)
    for stream in heads { stream.report() }
    isReading = false
    if needsFlush {
      needsFlush = false
      context.flush()
    }
    context.fireChannelReadComplete()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if let event = event as? NIOHTTP2WindowUpdatedEvent {
      windowUpdated(event)
    } else if let event = event as? StreamClosedEvent, event.reason != nil {
      streamClosed(event.streamID)
    }
    context.fireUserInboundEventTriggered(event)
  }

  /// A stream did not end properly. Where neither this side nor the peer has reset it, NIO did, because of what came on it.
  private func streamClosed(_ id: HTTP2StreamID) {
    guard id != resetting, id != resetByPeer, id <= lastStreamID else { return }
    violation = (true, streams[id])
  }

  private func windowUpdated(_ event: NIOHTTP2WindowUpdatedEvent) {
    guard let size = event.inboundWindowSize else { return }
    if event.streamID != .rootStream {
      streams[event.streamID]?.windowChanged(to: size)
    } else if size < Self.connectionWindow / 2, !isClosed {
      grant(Self.connectionWindow - size, on: .rootStream)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if let error = error as? NIOHTTP2Errors.StreamError {
      streams[error.streamID]?.interrupt(.violation(SendError(from: error.baseError)))
    } else if violation.expectsError {
      let stream = violation.stream
      violation = (false, nil)
      stream?.interrupt(.violation(SendError(from: error)))
    } else if !SendError.isUncleanShutdown(error) {
      let error = SendError(from: error)
      end(error.tag == .connectionTerminated ? .lost(error) : .violation(error))
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    isClosed = true
    slot?.release()
    end(farewell.map { .lost($0) } ?? .closed)
    context.fireChannelInactive()
  }

  /// The connection cannot go on, and none of its streams.
  private func end(_ interruption: HTTP2StreamState.Interruption) {
    isDraining = true
    owner?.forget(self)
    for stream in streams.values { stream.interrupt(interruption) }
    close()
  }
}
