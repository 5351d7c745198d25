import NIOCore

/// The head of a response as it came over the wire.
struct HTTPHead: Sendable {
  struct Field: Equatable, Sendable {
    var name: String
    var value: String
  }

  var version: String
  var status: Int
  var reason: String
  /// In their order and spelling; bytes beyond ASCII are taken as Latin-1.
  var fields: [Field]

  /// The values of a field, whatever the spelling of its name.
  func values(_ name: String) -> [String] {
    fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
  }

  subscript(name: String) -> String? { values(name).first }

  var isInformational: Bool { (100..<200).contains(status) }
}

/// A whole response.
struct HTTPReply: Sendable {
  enum Ending: Equatable, Sendable {
    case complete
    /// The connection ended before the body did.
    case cutOff
  }

  /// The 1xx responses before it.
  var informational: [HTTPHead] = []
  var head: HTTPHead
  var body: [UInt8] = []
  var trailers: [HTTPHead.Field] = []
  var ending = Ending.complete

  var status: Int { head.status }
  var text: String { String(decoding: body, as: UTF8.self) }
  subscript(name: String) -> String? { head[name] }
}

/// Speaks HTTP/1.1 over a socket piece by piece. For one task at a time.
final class RawHTTP {
  /// A piece of a body.
  enum BodyEvent: Equatable {
    case bytes([UInt8])
    case end([HTTPHead.Field])
    case cutOff
  }

  private enum BodyState {
    case none
    case sized(Int)
    case chunkLine
    case chunk(Int)
    case untilClose
    case ended
  }

  let connection: RawConnection
  private var buffer = ByteBuffer()
  private var bodyState = BodyState.none
  private var ending: RawConnection.Arrival?

  init(_ connection: RawConnection) { self.connection = connection }

  func send(_ text: String) async throws { try await connection.send(ByteBuffer(string: text)) }
  func send(_ bytes: [UInt8]) async throws { try await connection.send(ByteBuffer(bytes: bytes)) }
  func closeOutput() async throws { try await connection.closeOutput() }
  func close() async { await connection.close() }

  /// Sends one chunk of a chunked body.
  func sendChunk(_ text: String) async throws {
    try await send("\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n")
  }

  // MARK: Reading

  /// So many bytes as they are.
  func readBytes(_ count: Int) async throws -> [UInt8] {
    while buffer.readableBytes < count {
      guard try await fill() else { throw HarnessError("\(buffer.readableBytes) of \(count) bytes came") }
    }
    return buffer.readBytes(length: count) ?? []
  }

  /// Waits for more bytes; false where the connection has ended.
  private func fill() async throws -> Bool {
    guard ending == nil else { return false }
    switch try await connection.next() {
    case .bytes(var bytes):
      buffer.writeBuffer(&bytes)
      return true
    case let last:
      ending = last
      return false
    }
  }

  /// Whether the server has closed the connection, in order or not; waits for that and expects nothing before it.
  func readEnd() async throws -> RawConnection.Arrival {
    while try await fill() {}
    guard buffer.readableBytes == 0 else {
      throw HarnessError("there was more before the end: \(String(buffer: buffer).debugDescription)")
    }
    return ending ?? .end
  }

  private func readLine() async throws -> String? {
    while true {
      if let feed = buffer.readableBytesView.firstIndex(of: 0x0A) {
        let line = buffer.readBytes(length: feed - buffer.readerIndex + 1) ?? []
        guard line.count >= 2, line[line.count - 2] == 0x0D else { throw HarnessError("a line ends without CR") }
        return String(line.dropLast(2).map { Character(Unicode.Scalar($0)) })
      }
      guard try await fill() else { return nil }
    }
  }

  private func readFields() async throws -> [HTTPHead.Field]? {
    var fields: [HTTPHead.Field] = []
    while let line = try await readLine() {
      if line.isEmpty { return fields }
      guard let colon = line.firstIndex(of: ":") else { throw HarnessError("not a field: \(line)") }
      let value = line[line.index(after: colon)...].drop { $0 == " " }
      fields.append(HTTPHead.Field(name: String(line[..<colon]), value: String(value)))
    }
    return nil
  }

  /// The next head, of a final or an informational response.
  func readHead(to method: String = "GET") async throws -> HTTPHead {
    guard let line = try await readLine() else { throw HarnessError("the connection ended before a response") }
    let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
    guard words.count == 3, let status = Int(words[1]), words[0].hasPrefix("HTTP/") else {
      throw HarnessError("not a status line: \(line)")
    }
    guard let fields = try await readFields() else { throw HarnessError("the connection ended within a head") }
    let head = HTTPHead(version: words[0], status: status, reason: words[2], fields: fields)
    bodyState = try Self.body(of: head, to: method)
    return head
  }

  private static func body(of head: HTTPHead, to method: String) throws -> BodyState {
    if head.isInformational || head.status == 204 || head.status == 304 || method == "HEAD" { return .ended }
    let length = head["content-length"]
    if let encoding = head["transfer-encoding"] {
      guard encoding == "chunked", length == nil else { throw HarnessError("ambiguous framing: \(head.fields)") }
      return .chunkLine
    }
    guard let length else { return .untilClose }
    guard let count = Int(length), head.values("content-length").count == 1 else {
      throw HarnessError("bad length: \(length)")
    }
    return .sized(count)
  }

  /// The next piece of the body: a chunk as the server made it, or what is there of an unchunked body.
  func readBody() async throws -> BodyEvent {
    switch bodyState {
    case .none: throw HarnessError("the head was not read")
    case .ended, .sized(0):
      bodyState = .none
      return .end([])
    case .sized(let remaining):
      guard let bytes = try await take(atMost: remaining) else { return .cutOff }
      bodyState = .sized(remaining - bytes.count)
      return .bytes(bytes)
    case .untilClose:
      if let bytes = try await take(atMost: .max) { return .bytes(bytes) }
      if case .reset? = ending { return .cutOff }
      return .end([])
    case .chunkLine:
      guard let line = try await readLine() else { return .cutOff }
      guard let count = Int(line, radix: 16) else { throw HarnessError("not a chunk size: \(line)") }
      if count == 0 {
        guard let trailers = try await readFields() else { return .cutOff }
        bodyState = .none
        return .end(trailers)
      }
      bodyState = .chunk(count)
      return try await readBody()
    case .chunk(let count):
      while buffer.readableBytes < count + 2 {
        guard try await fill() else { return .cutOff }
      }
      let bytes = buffer.readBytes(length: count) ?? []
      guard buffer.readString(length: 2) == "\r\n" else { throw HarnessError("a chunk is longer than announced") }
      bodyState = .chunkLine
      return .bytes(bytes)
    }
  }

  private func take(atMost count: Int) async throws -> [UInt8]? {
    if buffer.readableBytes == 0 { guard try await fill() else { return nil } }
    return buffer.readBytes(length: min(count, buffer.readableBytes))
  }

  /// The next piece of the body as text; nil at its end. Throws where it was cut off.
  func readText() async throws -> String? {
    switch try await readBody() {
    case .bytes(let bytes): return String(decoding: bytes, as: UTF8.self)
    case .end: return nil
    case .cutOff: throw HarnessError("the body was cut off")
    }
  }

  /// The rest of the body.
  func readRest(of head: HTTPHead, after informational: [HTTPHead] = []) async throws -> HTTPReply {
    var reply = HTTPReply(informational: informational, head: head)
    while true {
      switch try await readBody() {
      case .bytes(let bytes): reply.body += bytes
      case .end(let trailers):
        reply.trailers = trailers
        return reply
      case .cutOff:
        reply.ending = .cutOff
        return reply
      }
    }
  }

  /// The next whole response with the informational ones before it.
  func readReply(to method: String = "GET") async throws -> HTTPReply {
    var informational: [HTTPHead] = []
    while true {
      let head = try await readHead(to: method)
      guard head.isInformational else { return try await readRest(of: head, after: informational) }
      informational.append(head)
    }
  }

  /// Sends a request on this connection and reads the response.
  func exchange(_ request: String, method: String = "GET") async throws -> HTTPReply {
    try await send(request)
    return try await readReply(to: method)
  }
}
