import CTimestamp
import FastlikeRuntime
import NIOCore

/// The way back to the client: frames go into one buffer, and out together.
extension HTTP2Connection {
  /// Smaller pieces of a body are copied into the buffer; larger ones are handed over as they are.
  private static let copyLimit = 8 * 1024
  /// What the buffer holds before it is handed to the channel.
  private static let bufferLimit = 32 * 1024

  // MARK: Frames

  private func writeFrameHeader(_ type: HTTP2FrameType, flags: UInt8, stream: UInt32, length: Int) {
    out.writeInteger(UInt32(length) << 8 | UInt32(type.rawValue))
    out.writeInteger(flags)
    out.writeInteger(stream)
  }

  /// What the edge tells of itself before everything else.
  func writePreface() {
    let settings = [
      HTTP2Setting(id: HTTP2SettingID.maximumConcurrentStreams, value: UInt32(Self.maximumStreams)),
      HTTP2Setting(id: HTTP2SettingID.maximumHeaderListSize, value: UInt32(loop.settings.limits.fieldBytes)),
    ]
    writeFrameHeader(.settings, flags: 0, stream: 0, length: settings.count * 6)
    for setting in settings {
      out.writeInteger(setting.id)
      out.writeInteger(setting.value)
    }
    writeWindowUpdate(0, Self.receiveWindow - Self.initialWindow)
  }

  func writeSettingsAcknowledgement() {
    writeFrameHeader(.settings, flags: HTTP2Flags.acknowledgement, stream: 0, length: 0)
  }

  func writePingAcknowledgement(_ data: UInt64) {
    writeFrameHeader(.ping, flags: HTTP2Flags.acknowledgement, stream: 0, length: 8)
    out.writeInteger(data)
  }

  func writeWindowUpdate(_ stream: UInt32, _ increment: Int) {
    writeFrameHeader(.windowUpdate, flags: 0, stream: stream, length: 4)
    out.writeInteger(UInt32(increment))
  }

  func writeReset(_ stream: UInt32, _ code: HTTP2ErrorCode) {
    writeFrameHeader(.resetStream, flags: 0, stream: stream, length: 4)
    out.writeInteger(code.rawValue)
  }

  func writeGoAway(_ code: HTTP2ErrorCode, debug: String) {
    writeFrameHeader(.goAway, flags: 0, stream: 0, length: 8 + debug.utf8.count)
    out.writeInteger(lastStream)
    out.writeInteger(code.rawValue)
    out.writeString(debug)
  }

  /// - Parameter hasDate: Whether a `date` must not be added.
  func writeHeaders(status: UInt16, _ headers: HeaderList, stream: UInt32, hasDate: Bool, endsStream: Bool) {
    out.reserveCapacity(minimumWritableBytes: headers.byteCount + headers.count * 8 + 64)
    let start = beginHeaders(stream, endsStream: endsStream)
    HeaderBlockEncoder.writeStatus(status, into: &out)
    var hasDate = hasDate
    for index in 0..<headers.count {
      let name = headers.name(at: index)
      switch name.count {
      case 4 where name.span.isEqualIgnoringCase(to: FieldText.date): hasDate = true
      case 7 where name.span.isEqualIgnoringCase(to: FieldText.upgrade): continue
      case 17 where name.span.isEqualIgnoringCase(to: FieldText.transferEncoding): continue
      default: break
      }
      writeField(name, headers.value(at: index))
    }
    if !hasDate {
      HeaderBlockEncoder.writeField(FieldText.date[...], loop.date.value(at: ctimestamp_monotonic()), into: &out)
    }
    endHeaders(start, stream, endsStream: endsStream)
  }

  /// Writes trailers, which end the stream. Those that would tell a second time how long the message is are left out
  /// (RFC 9110 §6.5.1).
  func writeTrailers(_ trailers: HeaderList, stream: UInt32) {
    let start = beginHeaders(stream, endsStream: true)
    for index in 0..<trailers.count {
      let name = trailers.name(at: index)
      if name.span.isEqualIgnoringCase(to: FieldText.contentLength) { continue }
      if name.span.isEqualIgnoringCase(to: FieldText.transferEncoding) { continue }
      writeField(name, trailers.value(at: index))
    }
    endHeaders(start, stream, endsStream: true)
  }

  private func writeField(_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) {
    guard ResponseEncoder.isSafe(name: name.span, value: value.span) else { return }
    let span = value.span
    let bounds = span.trimmed(span.indices)
    HeaderBlockEncoder.writeField(
      name, value[(value.startIndex + bounds.lowerBound)..<(value.startIndex + bounds.upperBound)], into: &out)
  }

  private func beginHeaders(_ stream: UInt32, endsStream: Bool) -> Int {
    let start = out.writerIndex
    let flags = HTTP2Flags.endHeaders | (endsStream ? HTTP2Flags.endStream : 0)
    writeFrameHeader(.headers, flags: flags, stream: stream, length: 0)
    if !hasSentTableSize {
      hasSentTableSize = true
      HeaderBlockEncoder.writeTableSize(into: &out)
    }
    return start
  }

  /// Puts the length in its place; a block that is larger than a frame goes on in CONTINUATION.
  private func endHeaders(_ start: Int, _ stream: UInt32, endsStream: Bool) {
    let block = start + HTTP2FrameReader.headerBytes
    let length = out.writerIndex - block
    guard length > HTTP2FrameReader.maximumPayload else {
      out.setInteger(UInt32(length) << 8 | UInt32(HTTP2FrameType.headers.rawValue), at: start)
      return
    }
    guard var rest = out.getSlice(at: block, length: length) else { return }
    out.moveWriterIndex(to: start)
    var type = HTTP2FrameType.headers
    while let piece = rest.readSlice(length: min(rest.readableBytes, HTTP2FrameReader.maximumPayload)) {
      let isLast = rest.readableBytes == 0
      var flags = isLast ? HTTP2Flags.endHeaders : 0
      if type == .headers, endsStream { flags |= HTTP2Flags.endStream }
      writeFrameHeader(type, flags: flags, stream: stream, length: piece.readableBytes)
      out.writeImmutableBuffer(piece)
      type = .continuation
      if isLast { break }
    }
  }

  func writeData(_ bytes: ByteBuffer, stream: UInt32, endsStream: Bool) {
    let count = bytes.readableBytes
    sendWindow -= count
    if count > 0 { floods.sentData() }
    writeFrameHeader(.data, flags: endsStream ? HTTP2Flags.endStream : 0, stream: stream, length: count)
    if count <= Self.copyLimit {
      out.writeImmutableBuffer(bytes)
      if out.readableBytes > Self.bufferLimit { handOver() }
    } else {
      handOver()
      hasUnflushed = true
      context?.write(wrapOutboundOut(bytes), promise: nil)
    }
  }

  /// Writes the edge's own answer to a request that no guest sees.
  func writeRefusal(_ refusal: RequestRefusal, stream: UInt32, toHEAD: Bool) {
    let text = refusal.reason + "\n"
    let headers = HeaderList([("content-type", "text/plain; charset=utf-8"), ("content-length", "\(text.utf8.count)")])
    // A client that allows the answer's body no room gets the head alone.
    let hasBody = !toHEAD && sendWindow >= text.utf8.count && initialSendWindow >= text.utf8.count
    writeHeaders(status: refusal.status, headers, stream: stream, hasDate: false, endsStream: !hasBody)
    if hasBody { writeData(ByteBuffer(string: text), stream: stream, endsStream: true) }
  }

  // MARK: The socket

  /// Whether the socket takes more.
  var isWritable: Bool { context?.channel.isWritable ?? false }

  /// Hands the buffer to the channel without flushing.
  private func handOver() {
    guard out.readableBytes > 0 else { return }
    hasUnflushed = true
    context?.write(wrapOutboundOut(out), promise: nil)
    out.clear()
  }

  /// Sends what was written; while frames are taken, after all of them.
  func flushSoon() {
    if !isTakingFrames, !isServingWaiting { flush() }
  }

  func flush() {
    handOver()
    guard hasUnflushed else { return }
    hasUnflushed = false
    context?.flush()
  }

  /// Calls back when everything written so far was taken by the socket; not at all when the connection is lost before.
  func whenFlushed(_ body: @escaping () -> Void) {
    guard let context else { return }
    handOver()
    let promise = loop.eventLoop.makePromise(of: Void.self)
    promise.futureResult.assumeIsolated().whenSuccess(body)
    hasUnflushed = false
    context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: promise)
  }

  // MARK: Turns

  /// Has a stream go on when the connection's window and the socket have room, after the others that wait.
  func waitForRoom(_ stream: HTTP2Stream) {
    if !stream.isWaitingForRoom {
      stream.isWaitingForRoom = true
      waiting.append(stream)
    }
    serveLater()
  }

  /// Lets the loop turn before those that wait go on, where there is room at all.
  private func serveLater() {
    guard !isServeScheduled, !isServingWaiting, isWritable, sendWindow > 0 else { return }
    isServeScheduled = true
    loop.eventLoop.assumeIsolated().execute { [weak self] in
      guard let self else { return }
      isServeScheduled = false
      serveWaiting()
    }
  }

  /// Gives each stream that waits one turn.
  func serveWaiting() {
    guard !isServingWaiting, !waiting.isEmpty else { return }
    isServingWaiting = true
    for _ in 0..<waiting.count {
      guard isWritable, sendWindow > 0, let stream = waiting.popFirst() else { break }
      stream.isWaitingForRoom = false
      stream.pump()
    }
    isServingWaiting = false
    flushSoon()
    if !waiting.isEmpty { serveLater() }
  }
}
