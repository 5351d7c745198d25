import FastlikeRuntime
import Logging
import NIOCore

/// What the frames of a client do (RFC 9113 §5, §6, §8).
extension HTTP2Connection {
  func take(_ frame: HTTP2Frame) throws(HTTP2ConnectionError) {
    fingerprint?.note(frame)
    switch frame {
    case .data(let id, let bytes, let flowBytes, let endsStream):
      try takeData(id, bytes, flowBytes: flowBytes, endsStream: endsStream)
    case .headers(let id, let block, let endsStream): try takeHeaders(id, block, endsStream: endsStream)
    case .priority: try require(.priority)
    case .resetStream(let id): try takeReset(id)
    case .settings(let settings): try takeSettings(settings)
    case .settingsAcknowledgement: try require(.settings)
    case .ping(let data):
      try require(.ping)
      try answer { self.writePingAcknowledgement(data) }
    case .pingAcknowledgement: try require(.ping)
    case .goAway: break
    case .windowUpdate(let id, let increment): try takeWindowUpdate(id, increment)
    case .unknown: try require(.unknown)
    case .malformed(let id, let code):
      guard !isIdle(id) else {
        throw HTTP2ConnectionError(code, "a frame of a stream that is not open is malformed")
      }
      try require(.reset)
      guard let stream = streams[id] else { return }
      drop(stream, code)
    }
  }

  private func require(_ kind: HTTP2FloodGuard.Kind) throws(HTTP2ConnectionError) {
    guard floods.allows(kind) else { throw HTTP2ConnectionError(.enhanceYourCalm, "too many frames of one kind") }
  }

  /// Queues an answer to a control frame, unless the client asks and asks and reads nothing.
  private func answer(_ write: () -> Void) throws(HTTP2ConnectionError) {
    if !isWritable {
      unreadAnswers += 1
      guard unreadAnswers <= 1000 else {
        throw HTTP2ConnectionError(.enhanceYourCalm, "the client does not read the answers to its frames")
      }
    }
    write()
  }

  private func isIdle(_ id: UInt32) -> Bool { id & 1 == 0 || id > lastStream }

  // MARK: Requests

  private func takeHeaders(_ id: UInt32, _ block: ByteBuffer, endsStream: Bool) throws(HTTP2ConnectionError) {
    guard id & 1 == 1 else { throw HTTP2ConnectionError(.protocolError, "a client's stream has an even number") }
    if let stream = streams[id] { return try takeTrailers(of: stream, block, endsStream: endsStream) }
    guard id > lastStream else {
      switch ended.ending(of: id) {
      // It was sent before the client learned of the reset; the table has to follow it all the same.
      case .resetByEdge: return try skip(block)
      case .other: throw HTTP2ConnectionError(.streamClosed, "HEADERS on a stream that has ended")
      case nil: throw HTTP2ConnectionError(.protocolError, "a stream's number is lower than that of an earlier one")
      }
    }
    lastStream = id
    var fields = HTTP2RequestFields(limits: loop.settings.limits)
    try decode(block, into: &fields)
    if let fingerprint {
      peers.http2Fingerprint = fingerprint.text(pseudoOrder: fields.pseudoOrder)
      self.fingerprint = nil
    }
    guard !isGoingAway, streams.count + orphans < Self.maximumStreams else {
      try require(.reset)
      return refuse(id, .refusedStream)
    }
    do throws(HTTP2RequestFields.Problem) {
      let request = try fields.request()
      if request.visits >= loop.settings.maximumVisits { throw .refused(.loopDetected) }
      if endsStream, case .length(let length) = request.framing, length > 0 { throw .malformed }
      begin(request, id, endsStream: endsStream)
    } catch {
      try require(.reset)
      switch error {
      case .malformed: refuse(id, .protocolError)
      case .refused(let refusal): answer(id, with: refusal, toHEAD: fields.isHEAD, endsStream: endsStream)
      }
    }
  }

  private func decode(
    _ block: ByteBuffer, into sink: inout some HeaderFieldSink
  ) throws(HTTP2ConnectionError) {
    do throws(HeaderBlockDecoder.Malformed) {
      try decoder.decode(block.readableBytesUInt8Span, into: &sink)
    } catch {
      throw HTTP2ConnectionError(.compressionError, "a header block cannot be decoded")
    }
  }

  private func skip(_ block: ByteBuffer) throws(HTTP2ConnectionError) {
    try require(.unknown)
    var fields = HTTP2TrailerFields(limits: loop.settings.limits)
    try decode(block, into: &fields)
  }

  /// Ends a stream that no guest will see.
  private func refuse(_ id: UInt32, _ code: HTTP2ErrorCode) {
    writeReset(id, code)
    ended.add(id, .resetByEdge)
  }

  /// Answers a request that no guest sees.
  private func answer(_ id: UInt32, with refusal: RequestRefusal, toHEAD: Bool, endsStream: Bool) {
    loop.logger.debug("refused a request: \(refusal.reason)", metadata: ["status": "\(refusal.status)"])
    writeRefusal(refusal, stream: id, toHEAD: toHEAD)
    if !endsStream { writeReset(id, .noError) }
    ended.add(id, endsStream ? .other : .resetByEdge)
  }

  private func begin(_ request: IncomingRequest, _ id: UInt32, endsStream: Bool) {
    let body = BodyPipe(capacity: loop.settings.bodyCapacity)
    let stream = HTTP2Stream(
      id: id, connection: self, isHEAD: request.head.method == "HEAD", sendWindow: initialSendWindow)
    streams[id] = stream
    if endsStream {
      stream.isRequestComplete = true
      body.expectedLength = 0
      body.finish()
    } else {
      if case .length(let length) = request.framing { body.expectedLength = length }
      stream.upload = HTTP2Upload(
        pipe: body, length: body.expectedLength, windowSize: Self.initialWindow,
        droppable: loop.settings.maximumDrainedBytes)
      body.onWritable = { [weak self, weak stream] in
        if let stream { self?.giveCredit(for: stream) }
      }
      body.onCancel = { [weak self, weak stream] in
        if let stream { self?.uploadCancelled(stream) }
      }
    }
    loop.handler.handle(
      DownstreamRequest(head: request.head, body: body, connection: peers), responder: stream, on: loop.eventLoop)
    // An answer that needed no body is given by now; else the guest is taken to want it.
    if request.expectsContinue, !endsStream, stream.isUnanswered { stream.sendInformational(ResponseHead(status: 100)) }
  }

  // MARK: Bodies

  private func takeData(
    _ id: UInt32, _ bytes: ByteBuffer, flowBytes: Int, endsStream: Bool
  ) throws(HTTP2ConnectionError) {
    guard flowBytes <= receiveWindow else {
      throw HTTP2ConnectionError(.flowControlError, "DATA beyond the connection's window")
    }
    receiveWindow -= flowBytes
    if flowBytes == 0, !endsStream { try require(.emptyData) }
    guard let stream = streams[id] else {
      guard !isIdle(id) else { throw HTTP2ConnectionError(.protocolError, "DATA on a stream that is not open") }
      guard case .resetByEdge? = ended.ending(of: id) else {
        throw HTTP2ConnectionError(.streamClosed, "DATA on a stream that has ended")
      }
      return giveCredit(flowBytes)
    }
    guard let upload = stream.upload, !stream.isRequestComplete else {
      try require(.reset)
      giveCredit(flowBytes)
      return drop(stream, .streamClosed)
    }
    guard !upload.isEnded else { return giveCredit(flowBytes) }
    stream.hasProgressed = true
    switch upload.take(bytes, flowBytes: flowBytes, isEnd: endsStream) {
    case .taken: giveCredit(for: stream)
    case .ended: endRequest(of: stream, trailers: nil)
    case .wrongLength, .beyondWindow:
      try require(.reset)
      upload.fail(.malformed)
      drop(stream, flowBytes > upload.window ? .flowControlError : .protocolError)
    }
  }

  private func takeTrailers(
    of stream: HTTP2Stream, _ block: ByteBuffer, endsStream: Bool
  ) throws(HTTP2ConnectionError) {
    var fields = HTTP2TrailerFields(limits: loop.settings.limits)
    try decode(block, into: &fields)
    guard !stream.isRequestComplete else {
      try require(.reset)
      return drop(stream, .streamClosed)
    }
    guard endsStream, !fields.isMalformed, stream.upload?.isComplete ?? true else {
      try require(.reset)
      stream.upload?.fail(.malformed)
      return drop(stream, .protocolError)
    }
    endRequest(of: stream, trailers: fields.fields.isEmpty ? nil : fields.fields)
  }

  private func endRequest(of stream: HTTP2Stream, trailers: HeaderList?) {
    stream.isRequestComplete = true
    guard let upload = stream.upload else { return }
    giveCredit(upload.settle())
    stream.upload = nil
    upload.end(trailers: trailers)
    if stream.isAnswered { remove(stream, .other) }
  }

  /// The guest does not want the rest of the body.
  private func uploadCancelled(_ stream: HTTP2Stream) {
    guard streams[stream.id] === stream else { return }
    if stream.isAnswered {
      writeReset(stream.id, .noError)
      remove(stream, .resetByEdge)
    } else {
      giveCredit(for: stream)
    }
    flushSoon()
  }

  // MARK: Ends of streams

  private func takeReset(_ id: UInt32) throws(HTTP2ConnectionError) {
    guard !isIdle(id) else { throw HTTP2ConnectionError(.protocolError, "RST_STREAM on a stream that is not open") }
    try require(.reset)
    guard let stream = streams[id] else { return }
    leave(stream, .other)
  }

  /// Ends a stream because of what the client did or did not do.
  func drop(_ stream: HTTP2Stream, _ code: HTTP2ErrorCode) {
    writeReset(stream.id, code)
    leave(stream, .resetByEdge)
  }

  private func leave(_ stream: HTTP2Stream, _ ending: HTTP2EndedStreams.Ending) {
    remove(stream, ending)
    stream.clientLeft(from: self)
  }

  /// The guest broke the response off.
  func reset(_ stream: HTTP2Stream, _ code: HTTP2ErrorCode) {
    writeReset(stream.id, code)
    stream.upload?.fail(.connectionLost)
    remove(stream, .resetByEdge)
    flushSoon()
  }

  /// A response is complete.
  func responseFinished(_ stream: HTTP2Stream, closing: Bool) {
    if closing { goAway() }
    guard let upload = stream.upload else { return remove(stream, .other) }
    guard upload.isEnded || upload.pipe.isCancelled else { return }
    // The rest of the request is not wanted (RFC 9113 §8.1).
    writeReset(stream.id, .noError)
    remove(stream, .resetByEdge)
  }

  private func remove(_ stream: HTTP2Stream, _ ending: HTTP2EndedStreams.Ending) {
    guard streams[stream.id] === stream else { return }
    streams[stream.id] = nil
    ended.add(stream.id, ending)
    if let upload = stream.upload { giveCredit(upload.settle()) }
    stream.detach()
    closeIfDone()
    if !isTakingFrames { updateDeadline() }
  }

  // MARK: Settings and windows

  private func takeSettings(_ settings: [HTTP2Setting]) throws(HTTP2ConnectionError) {
    try require(.settings)
    for setting in settings where setting.id == HTTP2SettingID.initialWindowSize {
      let change = Int(setting.value) - initialSendWindow
      initialSendWindow = Int(setting.value)
      for stream in Array(streams.values) where !stream.changeSendWindow(by: change) {
        throw HTTP2ConnectionError(.flowControlError, "a stream's window gets too large")
      }
    }
    try answer { self.writeSettingsAcknowledgement() }
  }

  private func takeWindowUpdate(_ id: UInt32, _ increment: Int) throws(HTTP2ConnectionError) {
    try require(.windowUpdate)
    if id == 0 {
      sendWindow += increment
      guard sendWindow <= Self.maximumWindow else {
        throw HTTP2ConnectionError(.flowControlError, "the connection's window gets too large")
      }
      serveWaiting()
    } else if let stream = streams[id] {
      stream.hasProgressed = true
      if !stream.changeSendWindow(by: increment) { drop(stream, .flowControlError) }
    } else if isIdle(id) {
      throw HTTP2ConnectionError(.protocolError, "WINDOW_UPDATE on a stream that is not open")
    }
  }

  /// Lets the client send as much again as the guest has read of a stream's body.
  private func giveCredit(for stream: HTTP2Stream) {
    guard let upload = stream.upload else { return }
    giveCredit(upload.takeConnectionCredit())
    let credit = upload.takeCredit()
    if credit > 0 {
      writeWindowUpdate(stream.id, credit)
      flushSoon()
    }
  }

  /// Gives the connection's window back in larger pieces.
  private func giveCredit(_ bytes: Int) {
    owed += bytes
    guard owed >= Self.receiveWindow / 4 else { return }
    receiveWindow += owed
    writeWindowUpdate(0, owed)
    owed = 0
    flushSoon()
  }
}
