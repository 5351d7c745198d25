import NIOCore

/// Cuts the bytes of an HTTP/2 connection into frames (RFC 9113 §3.4, §4, §6); pure, without I/O.
///
/// What is wrong with a frame by itself, or with its place in a header block, ends here; what depends on the state of a
/// stream is the connection's to judge.
struct HTTP2FrameReader {
  /// What a client sends before its first frame (§3.4).
  static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
  /// Bytes before a frame's payload.
  static let headerBytes = 9
  /// The largest payload that the edge takes, which is what every connection begins with (§4.2).
  static let maximumPayload = 16_384
  /// Frames of one header block; more are a flood, because a few hold the largest block that is taken.
  private static let maximumFramesOfBlock = 32

  private struct Header {
    var length: Int
    var type: UInt8
    var flags: UInt8
    var stream: UInt32

    func has(_ flag: UInt8) -> Bool { flags & flag != 0 }
  }

  /// A header block whose end has not come.
  private struct OpenBlock {
    var stream: UInt32
    var endsStream: Bool
    var block: ByteBuffer
    var frames = 1
  }

  private enum Stage {
    case preface
    /// The first frame has to be SETTINGS.
    case firstFrame
    case frames
  }

  private let maximumBlock: Int
  private var stage = Stage.preface
  private var open: OpenBlock?

  /// - Parameter maximumBlock: Bytes of a compressed header block; a larger one ends the connection.
  init(maximumBlock: Int) { self.maximumBlock = maximumBlock }

  /// Whether the preface, or the rest of a header block, is to come.
  var isWithinHead: Bool { open != nil || stage != .frames }

  /// Takes the next frame off the buffer; nil while it is incomplete.
  mutating func next(_ buffer: inout ByteBuffer) throws(HTTP2ConnectionError) -> HTTP2Frame? {
    if case .preface = stage {
      guard try takePreface(&buffer) else { return nil }
      stage = .firstFrame
    }
    while true {
      guard let header = Self.header(buffer) else { return nil }
      guard header.length <= Self.maximumPayload else {
        throw HTTP2ConnectionError(.frameSizeError, "a frame is larger than 16384 bytes")
      }
      if case .firstFrame = stage {
        guard header.type == HTTP2FrameType.settings.rawValue, !header.has(HTTP2Flags.acknowledgement) else {
          throw HTTP2ConnectionError(.protocolError, "the first frame is not SETTINGS")
        }
      }
      guard buffer.readableBytes >= Self.headerBytes + header.length else { return nil }
      buffer.moveReaderIndex(forwardBy: Self.headerBytes)
      guard var payload = buffer.readSlice(length: header.length) else { return nil }
      stage = .frames
      // A header block that goes on gives no frame yet.
      if let frame = try frame(header, &payload) { return frame }
    }
  }

  private func takePreface(_ buffer: inout ByteBuffer) throws(HTTP2ConnectionError) -> Bool {
    let count = min(buffer.readableBytes, Self.preface.count)
    guard buffer.readableBytesView.prefix(count).elementsEqual(Self.preface.prefix(count)) else {
      throw HTTP2ConnectionError(.protocolError, "the connection does not begin with the preface of HTTP/2")
    }
    guard count == Self.preface.count else { return false }
    buffer.moveReaderIndex(forwardBy: count)
    return true
  }

  private static func header(_ buffer: ByteBuffer) -> Header? {
    let start = buffer.readerIndex
    guard buffer.readableBytes >= headerBytes,
      let word: UInt32 = buffer.getInteger(at: start), let flags: UInt8 = buffer.getInteger(at: start + 4),
      let stream: UInt32 = buffer.getInteger(at: start + 5)
    else { return nil }
    return Header(length: Int(word >> 8), type: UInt8(word & 0xFF), flags: flags, stream: stream & 0x7FFF_FFFF)
  }

  private mutating func frame(
    _ header: Header, _ payload: inout ByteBuffer
  ) throws(HTTP2ConnectionError) -> HTTP2Frame? {
    if open != nil, header.type != HTTP2FrameType.continuation.rawValue || header.stream != open?.stream {
      throw HTTP2ConnectionError(.protocolError, "a header block is interrupted by another frame")
    }
    guard let type = HTTP2FrameType(rawValue: header.type) else { return .unknown }
    switch type {
    case .data: return try data(header, &payload)
    case .headers: return try headers(header, &payload)
    case .continuation: return try continuation(header, payload)
    case .priority: return try priority(header, &payload)
    case .resetStream:
      try Self.require(header.stream != 0, "RST_STREAM without a stream")
      try Self.require(size: header.length == 4, "RST_STREAM")
      return .resetStream(stream: header.stream)
    case .settings: return try settings(header, &payload)
    case .pushPromise: throw HTTP2ConnectionError(.protocolError, "a client sent PUSH_PROMISE")
    case .ping:
      try Self.require(header.stream == 0, "PING on a stream")
      guard header.length == 8, let data: UInt64 = payload.readInteger() else {
        throw HTTP2ConnectionError(.frameSizeError, "PING has a wrong length")
      }
      return header.has(HTTP2Flags.acknowledgement) ? .pingAcknowledgement : .ping(data)
    case .goAway:
      try Self.require(header.stream == 0, "GOAWAY on a stream")
      try Self.require(size: header.length >= 8, "GOAWAY")
      return .goAway
    case .windowUpdate: return try windowUpdate(header, &payload)
    }
  }

  // MARK: The kinds

  private func data(_ header: Header, _ payload: inout ByteBuffer) throws(HTTP2ConnectionError) -> HTTP2Frame {
    try Self.require(header.stream != 0, "DATA without a stream")
    try Self.removePadding(header, &payload)
    return .data(
      stream: header.stream, payload, flowBytes: header.length, endsStream: header.has(HTTP2Flags.endStream))
  }

  private mutating func headers(
    _ header: Header, _ payload: inout ByteBuffer
  ) throws(HTTP2ConnectionError) -> HTTP2Frame? {
    try Self.require(header.stream != 0, "HEADERS without a stream")
    try Self.removePadding(header, &payload)
    if header.has(HTTP2Flags.priority), Self.readPriority(&payload) == nil {
      throw HTTP2ConnectionError(.frameSizeError, "HEADERS has a wrong length")
    }
    let block = OpenBlock(
      stream: header.stream, endsStream: header.has(HTTP2Flags.endStream), block: payload)
    return try takeBlock(block, isComplete: header.has(HTTP2Flags.endHeaders))
  }

  private mutating func continuation(
    _ header: Header, _ payload: ByteBuffer
  ) throws(HTTP2ConnectionError) -> HTTP2Frame? {
    guard var block = open else { throw HTTP2ConnectionError(.protocolError, "CONTINUATION without HEADERS") }
    block.frames += 1
    guard block.frames <= Self.maximumFramesOfBlock else {
      throw HTTP2ConnectionError(.enhanceYourCalm, "a header block has too many frames")
    }
    block.block.writeImmutableBuffer(payload)
    return try takeBlock(block, isComplete: header.has(HTTP2Flags.endHeaders))
  }

  private mutating func takeBlock(_ block: OpenBlock, isComplete: Bool) throws(HTTP2ConnectionError) -> HTTP2Frame? {
    guard block.block.readableBytes <= maximumBlock else {
      throw HTTP2ConnectionError(.enhanceYourCalm, "a header block is too large")
    }
    open = isComplete ? nil : block
    return isComplete ? .headers(stream: block.stream, block: block.block, endsStream: block.endsStream) : nil
  }

  private func priority(_ header: Header, _ payload: inout ByteBuffer) throws(HTTP2ConnectionError) -> HTTP2Frame {
    try Self.require(header.stream != 0, "PRIORITY without a stream")
    guard header.length == 5, let priority = Self.readPriority(&payload) else {
      return .malformed(stream: header.stream, .frameSizeError)
    }
    return .priority(stream: header.stream, priority)
  }

  private func settings(_ header: Header, _ payload: inout ByteBuffer) throws(HTTP2ConnectionError) -> HTTP2Frame {
    try Self.require(header.stream == 0, "SETTINGS on a stream")
    if header.has(HTTP2Flags.acknowledgement) {
      try Self.require(size: header.length == 0, "the acknowledgement of SETTINGS")
      return .settingsAcknowledgement
    }
    try Self.require(size: header.length % 6 == 0, "SETTINGS")
    var settings: [HTTP2Setting] = []
    while let id: UInt16 = payload.readInteger(), let value: UInt32 = payload.readInteger() {
      try Self.check(id, value)
      settings.append(HTTP2Setting(id: id, value: value))
    }
    return .settings(settings)
  }

  private static func check(_ id: UInt16, _ value: UInt32) throws(HTTP2ConnectionError) {
    switch id {
    case HTTP2SettingID.enablePush: try require(value <= 1, "SETTINGS_ENABLE_PUSH is neither 0 nor 1")
    case HTTP2SettingID.initialWindowSize:
      guard value <= 0x7FFF_FFFF else {
        throw HTTP2ConnectionError(.flowControlError, "SETTINGS_INITIAL_WINDOW_SIZE is too large")
      }
    case HTTP2SettingID.maximumFrameSize:
      try require((16_384...16_777_215).contains(value), "SETTINGS_MAX_FRAME_SIZE is out of its range")
    default: break
    }
  }

  private func windowUpdate(_ header: Header, _ payload: inout ByteBuffer) throws(HTTP2ConnectionError) -> HTTP2Frame {
    guard header.length == 4, let word: UInt32 = payload.readInteger() else {
      throw HTTP2ConnectionError(.frameSizeError, "WINDOW_UPDATE has a wrong length")
    }
    let increment = Int(word & 0x7FFF_FFFF)
    if increment == 0, header.stream != 0 { return .malformed(stream: header.stream, .protocolError) }
    try Self.require(increment > 0, "WINDOW_UPDATE of 0")
    return .windowUpdate(stream: header.stream, increment: increment)
  }

  // MARK: Parts

  private static func readPriority(_ payload: inout ByteBuffer) -> HTTP2Priority? {
    guard let word: UInt32 = payload.readInteger(), let weight: UInt8 = payload.readInteger() else { return nil }
    return HTTP2Priority(isExclusive: word >> 31 == 1, dependency: word & 0x7FFF_FFFF, weight: Int(weight) + 1)
  }

  /// Padding that is as long as the payload or longer is an error (§6.1).
  private static func removePadding(_ header: Header, _ payload: inout ByteBuffer) throws(HTTP2ConnectionError) {
    guard header.has(HTTP2Flags.padded) else { return }
    guard let padding: UInt8 = payload.readInteger() else {
      throw HTTP2ConnectionError(.frameSizeError, "a padded frame has no length of its padding")
    }
    let rest = payload.readableBytes - Int(padding)
    guard rest >= 0, let content = payload.readSlice(length: rest) else {
      throw HTTP2ConnectionError(.protocolError, "the padding is longer than the frame")
    }
    payload = content
  }

  private static func require(_ condition: Bool, _ reason: String) throws(HTTP2ConnectionError) {
    guard condition else { throw HTTP2ConnectionError(.protocolError, reason) }
  }

  private static func require(size isRight: Bool, _ name: String) throws(HTTP2ConnectionError) {
    guard isRight else { throw HTTP2ConnectionError(.frameSizeError, name + " has a wrong length") }
  }
}
