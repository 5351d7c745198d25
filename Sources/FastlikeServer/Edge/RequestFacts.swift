import ComputeABI
import FastlikeRuntime
import NIOCore

/// How the body of a request is delimited (RFC 9112 §6.3).
enum RequestFraming: Equatable, Sendable {
  case none
  case length(Int)
  case chunked
}

/// A complete request head with what it means for the connection.
struct IncomingRequest: Sendable {
  var head: RequestHead
  var framing: RequestFraming
  /// Whether the client wants to go on using the connection.
  var isKeepAlive: Bool
  /// Whether the client waits for `100 Continue` before it sends the body.
  var expectsContinue: Bool
  /// How often `CDN-Loop` names this program.
  var visits: Int
}

/// What the fields of a request head say about the connection, gathered while the head is parsed.
struct RequestFacts {
  private var hasHost = false
  private var length: Int?
  private var isChunked = false
  private var wantsClose = false
  private var wantsKeepAlive = false
  private var expectsContinue = false
  private var visits = 0

  /// Takes note of one field; fields without a meaning for the connection cost one comparison of lengths.
  mutating func note(name: Span<UInt8>, value: Span<UInt8>) throws(RequestRefusal) {
    switch name.count {
    case 4 where name.isEqualIgnoringCase(to: FieldText.host):
      guard !hasHost, Self.isHost(value) else { throw .malformedHost }
      hasHost = true
    case 6 where name.isEqualIgnoringCase(to: FieldText.expect):
      expectsContinue = expectsContinue || value.isEqualIgnoringCase(to: FieldText.continueExpectation)
    case 8 where name.isEqualIgnoringCase(to: FieldText.cdnLoop):
      noteLoop(value)
    case 10 where name.isEqualIgnoringCase(to: FieldText.connection):
      noteConnection(value)
    case 14 where name.isEqualIgnoringCase(to: FieldText.contentLength):
      guard length == nil, let length = Self.decimal(value) else { throw .malformedLength }
      self.length = length
    case 17 where name.isEqualIgnoringCase(to: FieldText.transferEncoding):
      guard !isChunked else { throw .malformedCoding }
      guard value.isEqualIgnoringCase(to: FieldText.chunked) else { throw .unsupportedCoding }
      isChunked = true
    default: break
    }
  }

  /// Judges the whole head, whose line and fields are in `head`.
  func request(_ head: RequestHead) throws(RequestRefusal) -> IncomingRequest {
    let isHTTP11 = head.version != .http10
    guard hasHost || !isHTTP11 else { throw .missingHost }
    guard !isChunked || length == nil else { throw .ambiguousLength }
    guard !isChunked || isHTTP11 else { throw .malformedCoding }
    let framing: RequestFraming =
      switch length {
      case nil: isChunked ? .chunked : .none
      // Over HTTP/2 it has to be proved right by what follows.
      case 0 where head.version != .h2: .none
      case let length?: .length(length)
      }
    return IncomingRequest(
      head: head, framing: framing, isKeepAlive: !wantsClose && (isHTTP11 || wantsKeepAlive),
      expectsContinue: expectsContinue && isHTTP11 && (framing != .none || head.version == .h2), visits: visits)
  }

  private mutating func noteConnection(_ value: Span<UInt8>) {
    var start = 0
    while start < value.count {
      let end = value.firstIndex(of: HTTPCharacters.comma, from: start, to: value.count)
      let member = value.extracting(value.trimmed(start..<end))
      if member.isEqualIgnoringCase(to: FieldText.close) {
        wantsClose = true
      } else if member.isEqualIgnoringCase(to: FieldText.keepAlive) {
        wantsKeepAlive = true
      }
      start = end + 1
    }
  }

  /// A member is an identifier with parameters behind semicolons (RFC 8586 §2).
  private mutating func noteLoop(_ value: Span<UInt8>) {
    var start = 0
    while start < value.count {
      let end = value.firstIndex(of: HTTPCharacters.comma, from: start, to: value.count)
      let identifierEnd = value.firstIndex(of: HTTPCharacters.semicolon, from: start, to: end)
      let identifier = value.extracting(value.trimmed(start..<identifierEnd))
      if identifier.isEqualIgnoringCase(to: FieldText.loopToken) { visits += 1 }
      start = end + 1
    }
  }

  private static func isHost(_ value: Span<UInt8>) -> Bool {
    guard value.count > 0 else { return false }
    for index in value.indices where !HTTPCharacters.isHost(value[index]) { return false }
    return true
  }

  /// The number that is written with one to eighteen ASCII digits and nothing else.
  private static func decimal(_ value: Span<UInt8>) -> Int? {
    guard (1...18).contains(value.count) else { return nil }
    var number = 0
    for index in value.indices {
      let digit = value[index] &- 0x30
      guard digit < 10 else { return nil }
      number = number * 10 + Int(digit)
    }
    return number
  }
}
