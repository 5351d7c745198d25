import NIOCore
import NIOHPACK

/// A frame of HTTP/2 as it is on the wire (RFC 9113 §4.1).
struct WireFrame: Equatable, Sendable {
  enum Kind {
    static let data: UInt8 = 0
    static let headers: UInt8 = 1
    static let priority: UInt8 = 2
    static let resetStream: UInt8 = 3
    static let settings: UInt8 = 4
    static let pushPromise: UInt8 = 5
    static let ping: UInt8 = 6
    static let goAway: UInt8 = 7
    static let windowUpdate: UInt8 = 8
    static let continuation: UInt8 = 9
  }

  enum Flag {
    static let endStream: UInt8 = 1
    static let acknowledgement: UInt8 = 1
    static let endHeaders: UInt8 = 4
    static let padded: UInt8 = 8
    static let priority: UInt8 = 32
  }

  var kind: UInt8
  var flags: UInt8 = 0
  var stream: UInt32 = 0
  var payload: [UInt8] = []

  var bytes: [UInt8] {
    let length = payload.count
    return [UInt8(length >> 16 & 255), UInt8(length >> 8 & 255), UInt8(length & 255), kind, flags] + Self.word(stream)
      + payload
  }

  func has(_ flag: UInt8) -> Bool { flags & flag != 0 }

  static func word(_ number: UInt32) -> [UInt8] { (0..<4).reversed().map { UInt8(number >> UInt32($0 * 8) & 255) } }

  static func data(_ stream: UInt32, _ payload: [UInt8], end: Bool = false) -> WireFrame {
    WireFrame(kind: Kind.data, flags: end ? Flag.endStream : 0, stream: stream, payload: payload)
  }

  static func settings(_ values: [(UInt16, UInt32)] = []) -> WireFrame {
    let payload = values.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 255)] + word($0.1) }
    return WireFrame(kind: Kind.settings, payload: payload)
  }

  static func ping(_ number: UInt8 = 0) -> WireFrame {
    WireFrame(kind: Kind.ping, payload: [UInt8](repeating: number, count: 8))
  }

  static func resetStream(_ stream: UInt32, _ code: UInt32 = 8) -> WireFrame {
    WireFrame(kind: Kind.resetStream, stream: stream, payload: word(code))
  }

  static func windowUpdate(_ stream: UInt32, _ increment: UInt32) -> WireFrame {
    WireFrame(kind: Kind.windowUpdate, stream: stream, payload: word(increment))
  }
}

/// The error codes of HTTP/2 (RFC 9113 §7).
enum WireError {
  static let noError: UInt32 = 0
  static let protocolError: UInt32 = 1
  static let internalError: UInt32 = 2
  static let flowControlError: UInt32 = 3
  static let streamClosed: UInt32 = 5
  static let frameSizeError: UInt32 = 6
  static let refusedStream: UInt32 = 7
  static let cancel: UInt32 = 8
  static let compressionError: UInt32 = 9
  static let enhanceYourCalm: UInt32 = 11
}

/// What came of one request.
struct HTTP2Reply: Sendable {
  enum Ending: Equatable, Sendable {
    case complete
    case reset(UInt32)
  }

  /// The 1xx responses before it, as their statuses.
  var informational: [String] = []
  var headers = HPACKHeaders()
  var body: [UInt8] = []
  var trailers: HPACKHeaders?
  var ending = Ending.complete

  var status: String? { headers.first(name: ":status") }
  var text: String { String(decoding: body, as: UTF8.self) }
  subscript(name: String) -> String? { headers.first(name: name) }
}

/// Speaks HTTP/2 frame by frame, right or wrong. For one task at a time.
///
/// Header blocks go through NIOHPACK, so that the edge's own coding meets another's.
final class HTTP2Wire {
  static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  let connection: RawConnection
  private var buffer = ByteBuffer()
  private var encoder = HPACKEncoder(allocator: ByteBufferAllocator())
  private var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
  private var replies: [UInt32: HTTP2Reply] = [:]
  /// Streams whose response has ended, in order or not.
  private var complete: Set<UInt32> = []
  private(set) var settings: [UInt16: UInt32] = [:]
  /// Whether DATA is answered by giving both windows back.
  var givesCredit = true

  init(_ connection: RawConnection) { self.connection = connection }

  func send(_ frames: WireFrame...) async throws { try await send(frames.flatMap(\.bytes)) }
  func send(_ bytes: [UInt8]) async throws { try await connection.send(ByteBuffer(bytes: bytes)) }
  func close() async { await connection.close() }

  /// Sends what begins a connection.
  func begin(_ values: [(UInt16, UInt32)] = []) async throws {
    try await send(Self.preface + WireFrame.settings(values).bytes)
  }

  /// A block of fields; the pseudo-header fields of a GET are there unless they are given.
  func block(
    _ path: String = "/", _ method: String = "GET", _ fields: [(String, String)] = []
  ) throws -> [UInt8] {
    try encode([(":method", method), (":scheme", "http"), (":authority", "edge.example"), (":path", path)] + fields)
  }

  func encode(_ fields: [(String, String)]) throws -> [UInt8] {
    var out = ByteBuffer()
    try encoder.encode(headers: HPACKHeaders(fields), to: &out)
    return Array(out.readableBytesView)
  }

  func headers(_ stream: UInt32, _ block: [UInt8], end: Bool = true) -> WireFrame {
    WireFrame(
      kind: WireFrame.Kind.headers, flags: WireFrame.Flag.endHeaders | (end ? WireFrame.Flag.endStream : 0),
      stream: stream, payload: block)
  }

  /// Sends a request, and its body in frames of at most 16,384 bytes.
  func request(
    _ stream: UInt32, _ path: String, method: String = "GET", fields: [(String, String)] = [], body: [UInt8] = []
  ) async throws {
    try await send(headers(stream, block(path, method, fields), end: body.isEmpty))
    var rest = body[...]
    while !rest.isEmpty {
      let piece = rest.prefix(16_384)
      rest = rest.dropFirst(piece.count)
      try await send(.data(stream, Array(piece), end: rest.isEmpty))
    }
  }

  /// The next frame; nil where the connection has ended.
  func next() async throws -> WireFrame? {
    while true {
      if let frame = readFrame() { return frame }
      guard case .bytes(var bytes) = try await connection.next() else { return nil }
      buffer.writeBuffer(&bytes)
    }
  }

  private func readFrame() -> WireFrame? {
    let start = buffer.readerIndex
    guard let head = buffer.getBytes(at: start, length: 9) else { return nil }
    let length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
    guard let payload = buffer.getBytes(at: start + 9, length: length) else { return nil }
    buffer.moveReaderIndex(forwardBy: 9 + length)
    let stream = head[5...8].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
    return WireFrame(kind: head[3], flags: head[4], stream: stream, payload: payload)
  }

  /// Reads on, as a well-behaved client does, until a response is complete.
  func reply(_ stream: UInt32) async throws -> HTTP2Reply {
    while !complete.contains(stream) {
      guard let frame = try await next() else { throw HarnessError("the connection ended before stream \(stream)") }
      if frame.kind == WireFrame.Kind.goAway, Self.code(frame, at: 4) != WireError.noError {
        throw HarnessError("GOAWAY: \(String(decoding: frame.payload.dropFirst(8), as: UTF8.self))")
      }
      try await take(frame)
    }
    return replies.removeValue(forKey: stream) ?? HTTP2Reply()
  }

  /// What of a response has come so far.
  func partialReply(_ stream: UInt32) -> HTTP2Reply? { replies[stream] }

  /// Keeps what a frame tells, and answers it.
  func take(_ frame: WireFrame) async throws {
    let mayEnd = frame.kind == WireFrame.Kind.data || frame.kind == WireFrame.Kind.headers
    if frame.kind == WireFrame.Kind.resetStream || (mayEnd && frame.has(WireFrame.Flag.endStream)) {
      complete.insert(frame.stream)
    }
    switch frame.kind {
    case WireFrame.Kind.settings where !frame.has(WireFrame.Flag.acknowledgement):
      for place in stride(from: 0, to: frame.payload.count, by: 6) {
        let id = UInt16(frame.payload[place]) << 8 | UInt16(frame.payload[place + 1])
        settings[id] = Self.code(frame, at: place + 2)
      }
      try await send(WireFrame(kind: WireFrame.Kind.settings, flags: WireFrame.Flag.acknowledgement))
    case WireFrame.Kind.headers:
      var block = ByteBuffer(bytes: frame.payload)
      let fields = try decoder.decodeHeaders(from: &block)
      var reply = replies[frame.stream] ?? HTTP2Reply()
      if let status = fields.first(name: ":status"), status.hasPrefix("1") {
        reply.informational.append(status)
      } else if reply.status == nil {
        reply.headers = fields
      } else {
        reply.trailers = fields
      }
      replies[frame.stream] = reply
    case WireFrame.Kind.data:
      replies[frame.stream, default: HTTP2Reply()].body += frame.payload
      guard givesCredit, !frame.payload.isEmpty else { return }
      let count = UInt32(frame.payload.count)
      try await send(WireFrame.windowUpdate(0, count).bytes + WireFrame.windowUpdate(frame.stream, count).bytes)
    case WireFrame.Kind.resetStream:
      replies[frame.stream, default: HTTP2Reply()].ending = .reset(Self.code(frame, at: 0))
    default: break
    }
  }

  private static func code(_ frame: WireFrame, at place: Int) -> UInt32 {
    guard frame.payload.count >= place + 4 else { return .max }
    return frame.payload[place..<place + 4].reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// The error code with which the edge ends the connection; `.max` where it ends without one.
  func goAway() async throws -> UInt32 {
    while let frame = try await next() {
      if frame.kind == WireFrame.Kind.goAway { return Self.code(frame, at: 4) }
    }
    return .max
  }

  /// The error code with which the edge ends a stream; nil where it answers or ends the connection.
  func reset(_ stream: UInt32) async throws -> UInt32? {
    while let frame = try await next() {
      if frame.kind == WireFrame.Kind.resetStream, frame.stream == stream { return Self.code(frame, at: 0) }
      if frame.kind == WireFrame.Kind.goAway { return nil }
      try await take(frame)
    }
    return nil
  }
}

extension FastlikeProcess {
  /// A connection of HTTP/2 with prior knowledge, begun with these settings.
  func http2(_ settings: [(UInt16, UInt32)] = []) async throws -> HTTP2Wire {
    let wire = HTTP2Wire(try await RawConnection.open(port: port))
    try await wire.begin(settings)
    return wire
  }
}
