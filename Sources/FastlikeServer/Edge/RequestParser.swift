import ComputeABI
import FastlikeRuntime
import NIOCore

/// Cuts the bytes of an HTTP/1.1 connection into requests (RFC 9112); pure, without I/O.
///
/// It is our own because a guest may see every byte of a head: names and values keep their spelling and their obs-text,
/// any token is a method, an `Upgrade` request is a request like others, and the parser stops between two messages, so
/// that a pipelined request stays unread until its turn. It is strict where leniency lets two parties disagree about
/// the end of a message: every line ends with CR LF, no value is folded, one `Content-Length` at most, no coding but
/// `chunked`.
struct RequestParser {
  /// A piece of a request body.
  enum BodyPart {
    case bytes(ByteBuffer)
    case end(trailers: HeaderList?)
  }

  private enum Stage {
    case requestLine
    case fields
    case fixedBody(remaining: Int)
    case chunkSize
    case chunk(remaining: Int)
    case chunkEnd
    case trailers
    case bodyEnd
  }

  private let limits: RequestLimits
  private var stage = Stage.requestLine
  /// Bytes of the unfinished line that hold no line feed, so that a dripping client costs no rescans.
  private var scanned = 0
  /// Bytes of the field or trailer lines so far.
  private var sectionBytes = 0
  private var method = ""
  private var target = ""
  private var version = HTTPVersionTag.http11
  private var fields = HeaderList()
  private var facts = RequestFacts()

  /// Empty lines before a request that are overlooked (RFC 9112 §2.2 asks for one at least).
  private static let maximumEmptyLines = 4
  private var emptyLines = 0
  /// Room in the request line for the method and the version.
  private static let requestLineSpare = 128
  /// Bytes of a line with a chunk's size and extensions.
  private static let maximumChunkLine = 4096

  init(limits: RequestLimits) { self.limits = limits }

  /// Whether a part of a head was taken.
  var isInsideHead: Bool {
    switch stage {
    case .requestLine: scanned > 0
    case .fields: true
    default: false
    }
  }

  // MARK: Head

  /// Takes the next head off the buffer; nil while it is incomplete. Its body follows from ``nextBodyPart(_:)``.
  mutating func nextRequest(_ buffer: inout ByteBuffer) throws(RequestRefusal) -> IncomingRequest? {
    var taken = 0
    defer { buffer.moveReaderIndex(forwardBy: taken) }
    return try scanHead(buffer.readableBytesUInt8Span, &taken)
  }

  private mutating func scanHead(
    _ bytes: Span<UInt8>, _ taken: inout Int
  ) throws(RequestRefusal) -> IncomingRequest? {
    while true {
      if case .fields = stage {
        guard let line = try nextLine(bytes, from: taken, limit: limits.fieldBytes - sectionBytes, or: .fieldsTooLarge)
        else { return nil }
        taken = line.upperBound + 2
        if line.isEmpty { return try finishHead() }
        try takeField(bytes.extracting(line), noting: true)
        continue
      }
      if taken < bytes.count, !HTTPCharacters.isToken(bytes[taken]), bytes[taken] != HTTPCharacters.carriageReturn {
        throw .malformedRequestLine
      }
      let limit = limits.targetBytes + Self.requestLineSpare
      guard let line = try nextLine(bytes, from: taken, limit: limit, or: .targetTooLong) else { return nil }
      taken = line.upperBound + 2
      if line.isEmpty {
        emptyLines += 1
        guard emptyLines <= Self.maximumEmptyLines else { throw .malformedRequestLine }
        continue
      }
      try takeRequestLine(bytes.extracting(line))
      fields.reserveCapacity(fields: 16, bytes: min(bytes.count - taken, 4096))
      stage = .fields
    }
  }

  private mutating func takeRequestLine(_ line: Span<UInt8>) throws(RequestRefusal) {
    let methodEnd = line.firstIndex(of: HTTPCharacters.space, from: 0, to: line.count)
    guard methodEnd > 0, methodEnd < line.count else { throw .malformedRequestLine }
    for index in 0..<methodEnd where !HTTPCharacters.isToken(line[index]) { throw .malformedRequestLine }
    let targetStart = methodEnd + 1
    let targetEnd = line.firstIndex(of: HTTPCharacters.space, from: targetStart, to: line.count)
    guard targetEnd > targetStart, targetEnd < line.count else { throw .malformedRequestLine }
    guard targetEnd - targetStart <= limits.targetBytes else { throw .targetTooLong }
    version = try Self.version(line.extracting((targetEnd + 1)..<line.count))
    method = line.extracting(0..<methodEnd).withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    guard method != "CONNECT" else { throw .unsupportedMethod }
    target = try Self.target(line.extracting(targetStart..<targetEnd), method: method)
  }

  private static func version(_ bytes: Span<UInt8>) throws(RequestRefusal) -> HTTPVersionTag {
    guard bytes.count == 8, bytes[6] == UInt8(ascii: "."), bytes[5] &- 0x30 < 10, bytes[7] &- 0x30 < 10 else {
      throw .malformedRequestLine
    }
    for index in 0..<5 where bytes[index] != versionPrefix[index] { throw .malformedRequestLine }
    guard bytes[5] == UInt8(ascii: "1") else { throw .unsupportedVersion }
    return bytes[7] == UInt8(ascii: "0") ? .http10 : .http11
  }

  private static let versionPrefix = Array("HTTP/".utf8)

  /// The target as text: a path, an absolute URL, or `*` for `OPTIONS` (RFC 9112 §3.2). Bytes beyond ASCII are not
  /// allowed there but sent by some clients; they are kept where they are UTF-8.
  private static func target(_ bytes: Span<UInt8>, method: String) throws(RequestRefusal) -> String {
    for index in bytes.indices where bytes[index] <= HTTPCharacters.space || bytes[index] == 0x7F {
      throw .malformedTarget
    }
    guard let text = bytes.withUnsafeBytes({ String(validUTF8: $0) }) else {
      throw .malformedTarget
    }
    switch bytes[0] {
    case UInt8(ascii: "/"): return text
    case UInt8(ascii: "*") where bytes.count == 1 && method == "OPTIONS": return text
    default:
      guard let authority = authorityStart(bytes), authority < bytes.count else { throw .malformedTarget }
      guard bytes[authority] != UInt8(ascii: "/"), bytes[authority] != UInt8(ascii: "?") else { throw .malformedTarget }
      return text
    }
  }

  /// Where the authority of an `http` or `https` URL begins.
  private static func authorityStart(_ bytes: Span<UInt8>) -> Int? {
    let schemeEnd = bytes.firstIndex(of: HTTPCharacters.colon, from: 0, to: bytes.count)
    let scheme = bytes.extracting(0..<schemeEnd)
    guard scheme.isEqualIgnoringCase(to: httpScheme) || scheme.isEqualIgnoringCase(to: httpsScheme) else { return nil }
    guard bytes.count > schemeEnd + 2, bytes[schemeEnd + 1] == UInt8(ascii: "/"),
      bytes[schemeEnd + 2] == UInt8(ascii: "/")
    else { return nil }
    return schemeEnd + 3
  }

  private static let httpScheme = Array("http".utf8)
  private static let httpsScheme = Array("https".utf8)

  /// Whether the head that is being read is one of HEAD; not known before its first line.
  var isReadingHEAD: Bool { method == "HEAD" }

  private mutating func finishHead() throws(RequestRefusal) -> IncomingRequest {
    let head = RequestHead(method: method, uri: target, version: version, headers: fields)
    let request = try facts.request(head)
    method = ""
    fields = HeaderList()
    facts = RequestFacts()
    sectionBytes = 0
    emptyLines = 0
    stage =
      switch request.framing {
      case .none: .bodyEnd
      case .length(let length): .fixedBody(remaining: length)
      case .chunked: .chunkSize
      }
    return request
  }

  // MARK: Body

  /// Takes the next piece of the body off the buffer; nil while there is none. Behind ``BodyPart/end(trailers:)`` the
  /// next head is parsed.
  mutating func nextBodyPart(_ buffer: inout ByteBuffer) throws(RequestRefusal) -> BodyPart? {
    while true {
      switch stage {
      case .requestLine, .fields: return nil
      case .fixedBody(let remaining):
        guard let bytes = buffer.readSlice(length: min(remaining, buffer.readableBytes)), bytes.readableBytes > 0
        else { return nil }
        let left = remaining - bytes.readableBytes
        stage = left > 0 ? .fixedBody(remaining: left) : .bodyEnd
        return .bytes(bytes)
      case .chunk(let remaining):
        guard let bytes = buffer.readSlice(length: min(remaining, buffer.readableBytes)), bytes.readableBytes > 0
        else { return nil }
        let left = remaining - bytes.readableBytes
        stage = left > 0 ? .chunk(remaining: left) : .chunkEnd
        return .bytes(bytes)
      case .chunkSize, .chunkEnd, .trailers:
        var taken = 0
        defer { buffer.moveReaderIndex(forwardBy: taken) }
        guard try scanChunkLine(buffer.readableBytesUInt8Span, &taken) else { return nil }
      case .bodyEnd:
        stage = .requestLine
        defer { fields = HeaderList() }
        return .end(trailers: fields.isEmpty ? nil : fields)
      }
    }
  }

  /// Takes one line of the chunked coding and goes to the next stage; false while the line is incomplete.
  private mutating func scanChunkLine(_ bytes: Span<UInt8>, _ taken: inout Int) throws(RequestRefusal) -> Bool {
    switch stage {
    case .chunkEnd:
      guard bytes.count >= 2 else {
        guard bytes.count == 0 || bytes[0] == HTTPCharacters.carriageReturn else { throw .malformedChunk }
        return false
      }
      guard bytes[0] == HTTPCharacters.carriageReturn, bytes[1] == HTTPCharacters.lineFeed else {
        throw .malformedChunk
      }
      taken = 2
      stage = .chunkSize
    case .trailers:
      let limit = limits.fieldBytes - sectionBytes
      guard let line = try nextLine(bytes, from: 0, limit: limit, or: .fieldsTooLarge) else { return false }
      taken = line.upperBound + 2
      if line.isEmpty {
        sectionBytes = 0
        stage = .bodyEnd
      } else {
        try takeField(bytes.extracting(line), noting: false)
      }
    default:
      guard let line = try nextLine(bytes, from: 0, limit: Self.maximumChunkLine, or: .malformedChunk) else {
        return false
      }
      taken = line.upperBound + 2
      let size = try Self.chunkSize(bytes.extracting(line))
      stage = size > 0 ? .chunk(remaining: size) : .trailers
    }
    return true
  }

  /// The size at the start of a chunk's line; extensions are overlooked (RFC 9112 §7.1.1).
  private static func chunkSize(_ line: Span<UInt8>) throws(RequestRefusal) -> Int {
    var size = 0
    var index = 0
    while index < line.count, let digit = hexDigit(line[index]) {
      guard index < 15 else { throw .malformedChunk }
      size = size << 4 | digit
      index += 1
    }
    guard index > 0 else { throw .malformedChunk }
    while index < line.count, HTTPCharacters.isBlank(line[index]) { index += 1 }
    guard index == line.count || line[index] == HTTPCharacters.semicolon else { throw .malformedChunk }
    for index in index..<line.count where !HTTPCharacters.isFieldValue(line[index]) { throw .malformedChunk }
    return size
  }

  private static func hexDigit(_ byte: UInt8) -> Int? {
    switch byte {
    case 0x30...0x39: Int(byte) - 0x30
    case 0x41...0x46: Int(byte) - 0x41 + 10
    case 0x61...0x66: Int(byte) - 0x61 + 10
    default: nil
    }
  }

  // MARK: Lines

  /// The bounds of the next line without its CR LF; nil while its end has not come.
  private mutating func nextLine(
    _ bytes: Span<UInt8>, from start: Int, limit: Int, or refusal: RequestRefusal
  ) throws(RequestRefusal) -> Range<Int>? {
    let end = bytes.firstIndex(of: HTTPCharacters.lineFeed, from: start + scanned, to: bytes.count)
    guard end - start <= limit else { throw refusal }
    guard end < bytes.count else {
      scanned = end - start
      return nil
    }
    scanned = 0
    guard end > start, bytes[end - 1] == HTTPCharacters.carriageReturn else { throw .malformedLineEnd }
    return start..<(end - 1)
  }

  /// Adds a field line, or a trailer line, which says nothing about the connection.
  private mutating func takeField(_ line: Span<UInt8>, noting: Bool) throws(RequestRefusal) {
    sectionBytes += line.count + 2
    guard fields.count < limits.fieldCount else { throw .fieldsTooLarge }
    guard !HTTPCharacters.isBlank(line[0]) else { throw .foldedField }
    var nameEnd = 0
    while nameEnd < line.count, HTTPCharacters.isToken(line[nameEnd]) { nameEnd += 1 }
    guard nameEnd > 0, nameEnd < line.count, line[nameEnd] == HTTPCharacters.colon else { throw .malformedField }
    let bounds = line.trimmed((nameEnd + 1)..<line.count)
    for index in bounds where !HTTPCharacters.isFieldValue(line[index]) { throw .malformedField }
    let name = line.extracting(0..<nameEnd)
    let value = line.extracting(bounds)
    fields.append(name: name, value: value)
    if noting { try facts.note(name: name, value: value) }
  }
}
