import ComputeABI
import NIOCore

/// Reads one HTTP/1.1 response from the bytes of a connection (RFC 9112), without any input or output of its own.
///
/// It is our own rather than NIO's decoder because guests are promised the bytes as sent (NIO turns field values into
/// strings, which loses bytes that are not UTF-8), because `send_error_detail` tells apart how a response is broken, and
/// because the trace counts the bytes of the head. Whatever is ambiguous about a message's end is refused; only bare line
/// feeds and folded lines are tolerated, as RFC 9112 §2.2 and §5.2 allow.
struct ResponseParser {
  enum Event: Equatable {
    /// A 1xx response other than 101; the final one is still to come.
    case informational(status: UInt16)
    /// The final head; `bodyLength` is nil where only the end tells it.
    case head(ResponseHead, bodyLength: Int?)
    case body(ByteBuffer)
    case end(trailers: HeaderList?)
  }

  enum Failure: Error, Equatable {
    /// The head exceeds ``maximumHeadBytes`` or ``maximumFieldCount``.
    case headTooLarge
    /// The status line has no valid status code.
    case invalidStatus
    /// The peer wants to speak another protocol (101).
    case upgrade
    /// Anything else that is not HTTP/1.1.
    case malformed
    /// The connection ended before the message did.
    case incomplete
  }

  /// Bytes that a head, or a chunked body's trailer section, may have.
  static let maximumHeadBytes = 128 * 1024
  static let maximumFieldCount = 1000
  static let maximumInformationalResponses = 100
  /// Bytes that a chunk's size line with its extensions may have.
  private static let maximumChunkLineBytes = 4096

  private enum State: Equatable {
    case head
    case sized(remaining: Int)
    case untilClose
    case chunkLine
    case chunk(remaining: Int)
    case chunkEnd
    case trailers
    case ended
  }

  private let isForHEAD: Bool
  private let isForCONNECT: Bool
  private let acceptsUpgrade: Bool
  private var state = State.head
  private var input = ByteBuffer()
  /// Bytes of an incomplete section that were searched for its end already.
  private var searched = 0
  private var informationalCount = 0

  /// Bytes of all heads read so far, informational ones included.
  private(set) var headByteCount = 0
  /// Whether the connection can serve another request after this response, as far as the response tells.
  private(set) var persists = false

  /// Begins with the response to a request of that method. Behind a 101, where one is accepted, the rest of the connection
  /// is the body.
  init(method: String, acceptsUpgrade: Bool = false) {
    self.acceptsUpgrade = acceptsUpgrade
    isForHEAD = method == "HEAD"
    isForCONNECT = method == "CONNECT"
  }

  /// Whether there are bytes that belong to no part read so far.
  var hasUnconsumedBytes: Bool { input.readableBytes > 0 }

  mutating func append(_ buffer: ByteBuffer) {
    if input.readableBytes == 0 {
      input = buffer
    } else {
      input.writeImmutableBuffer(buffer)
    }
  }

  /// The next part of the response, nil where more bytes are needed or the response has ended.
  mutating func next() throws(Failure) -> Event? {
    while true {
      switch state {
      case .head: return try nextHead()
      case .sized(0): return finished(trailers: nil)
      case .sized(let remaining):
        guard let part = take(atMost: remaining) else { return nil }
        state = .sized(remaining: remaining - part.readableBytes)
        return .body(part)
      case .untilClose: return take(atMost: .max).map { .body($0) }
      case .chunkLine:
        guard let size = try nextChunkSize() else { return nil }
        state = size == 0 ? .trailers : .chunk(remaining: size)
      case .chunk(let remaining):
        guard let part = take(atMost: remaining) else { return nil }
        let left = remaining - part.readableBytes
        state = left == 0 ? .chunkEnd : .chunk(remaining: left)
        return .body(part)
      case .chunkEnd:
        guard let line = try nextLine(limit: 2) else { return nil }
        guard line.isEmpty else { throw .malformed }
        state = .chunkLine
      case .trailers:
        guard let trailers = try nextTrailers() else { return nil }
        return finished(trailers: trailers.isEmpty ? nil : trailers)
      case .ended: return nil
      }
    }
  }

  /// Tells that the connection ended in an orderly way; a body without a length is complete then.
  mutating func endOfInput() throws(Failure) -> Event? {
    switch state {
    case .untilClose: return finished(trailers: nil)
    case .ended: return nil
    default: throw .incomplete
    }
  }

  private mutating func finished(trailers: HeaderList?) -> Event {
    state = .ended
    return .end(trailers: trailers)
  }

  private mutating func take(atMost count: Int) -> ByteBuffer? {
    guard input.readableBytes > 0 else { return nil }
    guard count < input.readableBytes else {
      defer { input = ByteBuffer() }
      return input
    }
    return input.readSlice(length: count)
  }
}

// MARK: Heads

extension ResponseParser {
  private mutating func nextHead() throws(Failure) -> Event? {
    guard let length = endOfSection() else {
      // A peer that speaks something else may never send an empty line.
      guard input.readableBytesView.starts(with: "HTTP/1.".utf8.prefix(input.readableBytes)) else { throw .malformed }
      guard input.readableBytes <= Self.maximumHeadBytes else { throw .headTooLarge }
      return nil
    }
    guard length <= Self.maximumHeadBytes, var bytes = takeBytes(length) else { throw .headTooLarge }
    headByteCount += length
    var (head, fieldsStart) = try Self.statusLine(bytes)
    head.headers = try Self.fields(&bytes, from: fieldsStart)
    if head.status == 101 {
      guard acceptsUpgrade else { throw .upgrade }
      state = .untilClose
      return .head(head, bodyLength: nil)
    }
    if head.status < 200 {
      informationalCount += 1
      guard informationalCount <= Self.maximumInformationalResponses else { throw .malformed }
      return .informational(status: head.status)
    }
    let bodyLength = try beginBody(of: &head)
    return .head(head, bodyLength: bodyLength)
  }

  /// Decides how the body ends (RFC 9112 §6.3) and whether the connection lasts (§9.3).
  private mutating func beginBody(of head: inout ResponseHead) throws(Failure) -> Int? {
    let headers = head.headers
    persists =
      !headers.hasMember("close", in: "connection")
      && (head.version == .http11 || headers.hasMember("keep-alive", in: "connection"))
    let encodings = headers.members(of: "transfer-encoding")
    let length = try Self.contentLength(in: headers)
    if isForHEAD || head.status == 204 || head.status == 304 {
      state = .sized(remaining: 0)
      return 0
    }
    if isForCONNECT, head.status < 300 {
      persists = false
      state = .sized(remaining: 0)
      return 0
    }
    if !encodings.isEmpty {
      guard encodings.count == 1, WireSyntax.equalIgnoringCase(encodings[0], "chunked".utf8) else { throw .malformed }
      if length != nil {
        head.headers.remove("content-length")
        persists = false
      }
      if head.version == .http10 { persists = false }
      state = .chunkLine
      return nil
    }
    guard let length else {
      persists = false
      state = .untilClose
      return nil
    }
    state = .sized(remaining: length)
    return length
  }

  private static func contentLength(in headers: HeaderList) throws(Failure) -> Int? {
    guard headers.contains("content-length") else { return nil }
    let values = headers.members(of: "content-length")
    guard let first = values.first, let length = WireSyntax.decimal(first), values.allSatisfy({ $0 == first }) else {
      throw .malformed
    }
    return length
  }

  private static func statusLine(_ bytes: [UInt8]) throws(Failure) -> (ResponseHead, fieldsStart: Int) {
    guard bytes.starts(with: "HTTP/1.".utf8), let feed = bytes.firstIndex(of: 0x0A) else { throw .malformed }
    let end = bytes[feed - 1] == 0x0D ? feed - 1 : feed
    guard end >= 8, bytes[7] &- 0x30 < 10 else { throw .malformed }
    guard end >= 12, bytes[8] == 0x20, end == 12 || bytes[12] == 0x20,
      let status = WireSyntax.decimal(bytes[9..<12]), status >= 100
    else { throw .invalidStatus }
    let head = ResponseHead(status: UInt16(status), version: bytes[7] == 0x30 ? .http10 : .http11)
    return (head, feed + 1)
  }

  /// Reads field lines up to an empty one, which has to be there; folds are replaced by spaces.
  private static func fields(_ bytes: inout [UInt8], from start: Int) throws(Failure) -> HeaderList {
    var headers = HeaderList()
    var lineStart = start
    while true {
      guard var feed = bytes[lineStart...].firstIndex(of: 0x0A) else { throw .malformed }
      let isEmpty = feed == lineStart || (feed == lineStart + 1 && bytes[lineStart] == 0x0D)
      if isEmpty { return headers }
      while feed + 1 < bytes.count, bytes[feed + 1] == 0x20 || bytes[feed + 1] == 0x09 {
        bytes[feed] = 0x20
        if bytes[feed - 1] == 0x0D { bytes[feed - 1] = 0x20 }
        guard let next = bytes[feed...].firstIndex(of: 0x0A) else { throw .malformed }
        feed = next
      }
      let end = bytes[feed - 1] == 0x0D ? feed - 1 : feed
      let line = bytes[lineStart..<end]
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")), WireSyntax.isToken(line[..<colon]) else {
        throw .malformed
      }
      let value = WireSyntax.trimmed(line[(colon + 1)...])
      guard value.allSatisfy(WireSyntax.isFieldValueByte) else { throw .malformed }
      guard headers.count < maximumFieldCount else { throw .headTooLarge }
      headers.append(name: line[..<colon], value: value)
      lineStart = feed + 1
    }
  }

  /// The number of bytes up to and with the first empty line, nil where it has not come yet.
  private mutating func endOfSection() -> Int? {
    let view = input.readableBytesView
    let start = view.startIndex
    var from = start + searched
    while let feed = view[from...].firstIndex(of: 0x0A) {
      var next = feed + 1
      if next < view.endIndex, view[next] == 0x0D { next += 1 }
      guard next < view.endIndex else {
        searched = feed - start
        return nil
      }
      if view[next] == 0x0A {
        searched = 0
        return next + 1 - start
      }
      from = feed + 1
    }
    searched = view.count
    return nil
  }

  private mutating func takeBytes(_ count: Int) -> [UInt8]? {
    let bytes = input.readBytes(length: count)
    if input.readableBytes == 0 { input = ByteBuffer() }
    return bytes
  }
}

// MARK: Chunks

extension ResponseParser {
  /// The next line without its end, nil where it is not complete.
  private mutating func nextLine(limit: Int) throws(Failure) -> [UInt8]? {
    guard let feed = input.readableBytesView.prefix(limit).firstIndex(of: 0x0A) else {
      guard input.readableBytes < limit else { throw .malformed }
      return nil
    }
    guard var line = takeBytes(feed + 1 - input.readerIndex) else { return nil }
    line.removeLast()
    if line.last == 0x0D { line.removeLast() }
    return line
  }

  private mutating func nextChunkSize() throws(Failure) -> Int? {
    guard let line = try nextLine(limit: Self.maximumChunkLineBytes) else { return nil }
    let digits = WireSyntax.trimmed(line.prefix { $0 != UInt8(ascii: ";") })
    guard (1...15).contains(digits.count), line.first != 0x20, line.first != 0x09,
      digits.allSatisfy({ $0 != 0x2B && $0 != 0x2D }),
      let size = Int(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw .malformed }
    return size
  }

  private mutating func nextTrailers() throws(Failure) -> HeaderList? {
    // Without trailers there is only the empty line, which the search for a section's end does not find.
    if input.readableBytesView.first == 0x0A {
      input.moveReaderIndex(forwardBy: 1)
      return HeaderList()
    }
    if input.readableBytesView.first == 0x0D {
      guard let line = try nextLine(limit: 2) else { return nil }
      guard line.isEmpty else { throw .malformed }
      return HeaderList()
    }
    guard let length = endOfSection() else {
      guard input.readableBytes <= Self.maximumHeadBytes else { throw .headTooLarge }
      return nil
    }
    guard length <= Self.maximumHeadBytes, var bytes = takeBytes(length) else { throw .headTooLarge }
    return try Self.fields(&bytes, from: 0)
  }
}
