import NIOCore
import NIOHPACK
import NIOHTTP2

/// One connection to an ``HTTP2Origin``: keeps its streams and lets the script act. Confined to its event loop.
final class HTTP2OriginConnection: ChannelInboundHandler {
  typealias InboundIn = HTTP2Frame
  typealias OutboundOut = HTTP2Frame

  /// A request that the script answers.
  struct Stream {
    var id: HTTP2StreamID
    var headers: HPACKHeaders
    /// The first part of the path, and what is behind it.
    var action: String
    var argument: String
    var query: [String: String]
    var index: Int
    var body = ""
    var trailers: [String] = []

    var method: String { headers.first(name: ":method") ?? "" }

    func number(_ name: String, default value: Int) -> Int { query[name].flatMap(Int.init) ?? value }
  }

  /// Counts the origin's connections from 1.
  let number: Int
  let state: HTTP2Origin.StateBox
  let raw: RawFrameWriter
  private(set) var streams: [HTTP2StreamID: Stream] = [:]
  private(set) var streamCount = 0
  private var context: ChannelHandlerContext?

  init(number: Int, state: HTTP2Origin.StateBox, raw: RawFrameWriter) {
    self.number = number
    self.state = state
    self.raw = raw
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let frame = unwrapInboundIn(data)
    switch frame.payload {
    case .headers(let headers):
      if streams[frame.streamID] == nil {
        begin(frame.streamID, headers.headers)
      } else {
        streams[frame.streamID]?.trailers = headers.headers.map { "\($0.name): \($0.value)" }
      }
      if headers.endStream { end(frame.streamID) }
    case .data(let data):
      guard case .byteBuffer(let buffer) = data.data, let stream = streams[frame.streamID] else { return }
      state.noteBody(stream.index, bytes: buffer.readableBytes)
      if stream.action == "inspect" || stream.action == "echo" {
        streams[frame.streamID]?.body += String(buffer: buffer)
      }
      HTTP2OriginScript.received(buffer, of: stream, endsStream: data.endStream, on: self)
      // The last piece needs no room behind it on its stream.
      if data.endStream { grant(buffer.readableBytes, on: .rootStream) }
      if data.endStream { end(frame.streamID) }
    case .rstStream:
      guard let stream = streams.removeValue(forKey: frame.streamID) else { return }
      state.noteReset(stream.index)
    default: break
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private func begin(_ id: HTTP2StreamID, _ headers: HPACKHeaders) {
    streamCount += 1
    let target = headers.first(name: ":path") ?? "/"
    let path = target.prefix { $0 != "?" }
    var query: [String: String] = [:]
    for pair in target.dropFirst(path.count + 1).split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      query[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
    }
    let segments = path.split(separator: "/").map(String.init)
    let index = state.note(headers, connection: number, openStreams: streams.count + 1)
    let stream = Stream(
      id: id, headers: headers, action: segments.first ?? "", argument: segments.dropFirst().joined(separator: "/"),
      query: query, index: index)
    streams[id] = stream
    HTTP2OriginScript.began(stream, on: self)
  }

  private func end(_ id: HTTP2StreamID) {
    guard let stream = streams[id] else { return }
    HTTP2OriginScript.ended(stream, on: self)
  }

  // MARK: Writing

  func write(_ payload: HTTP2Frame.FramePayload, on id: HTTP2StreamID) {
    context?.writeAndFlush(wrapOutboundOut(HTTP2Frame(streamID: id, payload: payload)), promise: nil)
  }

  func sendHead(
    _ stream: Stream, status: String = "200", _ fields: [(String, String)] = [], ends: Bool = false
  ) {
    let block = HPACKHeaders([(":status", status)] + fields)
    write(.headers(.init(headers: block, endStream: ends)), on: stream.id)
    if ends { streams[stream.id] = nil }
  }

  func sendData(_ stream: Stream, _ text: String, ends: Bool = false) {
    write(.data(.init(data: .byteBuffer(ByteBuffer(string: text)), endStream: ends)), on: stream.id)
    if ends { streams[stream.id] = nil }
  }

  func sendTrailers(_ stream: Stream, _ fields: [(String, String)]) {
    write(.headers(.init(headers: HPACKHeaders(fields), endStream: true)), on: stream.id)
    streams[stream.id] = nil
  }

  /// A complete response with a body of known length.
  func answer(_ stream: Stream, _ body: String, _ fields: [(String, String)] = []) {
    sendHead(stream, [("content-length", String(body.utf8.count))] + fields)
    sendData(stream, body, ends: true)
  }

  func reset(_ stream: Stream, _ code: HTTP2ErrorCode) {
    streams[stream.id] = nil
    write(.rstStream(code), on: stream.id)
  }

  func goAway(lastStreamID: HTTP2StreamID, _ code: HTTP2ErrorCode) {
    write(.goAway(lastStreamID: lastStreamID, errorCode: code, opaqueData: nil), on: .rootStream)
  }

  /// Lets the client send so many more bytes on a stream and on the connection.
  func grant(_ count: Int, on stream: Stream) {
    guard streams[stream.id] != nil else { return }
    grant(count, on: stream.id)
    grant(count, on: .rootStream)
  }

  private func grant(_ count: Int, on id: HTTP2StreamID) {
    if count > 0 { write(.windowUpdate(windowSizeIncrement: count), on: id) }
  }

  func close() { context?.close(promise: nil) }

  /// Closes when what the peer has sent is read: otherwise the system resets the connection, and what was written last may be
  /// lost on the way.
  func closeLater() {
    context?.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(50)) { self.close() }
  }

  /// Goes on with something once the test has opened the gate.
  func pass(gate: String, then body: @escaping () -> Void) {
    guard let context else { return }
    if state.isOpen(gate: gate) { return body() }
    context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(5)) { self.pass(gate: gate, then: body) }
  }
}
