import ComputeABI
import FastlikeRuntime

/// Gathers the fields of a request's header block and judges them (RFC 9113 §8.2, §8.3).
struct HTTP2RequestFields: HeaderFieldSink {
  /// Why no guest sees the request.
  enum Problem: Error, Equatable {
    /// It is malformed, which ends its stream (§8.1.1).
    case malformed
    /// It is answered as it would be over HTTP/1.1.
    case refused(RequestRefusal)
  }

  private let limits: RequestLimits
  private var problem: Problem?
  private var method: String?
  private var scheme: [UInt8]?
  private var authority: [UInt8]?
  private var path: String?
  private var hasFields = false
  private var headers = HeaderList()
  private var facts = RequestFacts()
  private var bytes = 0
  /// All pieces of the cookie, which clients may send as fields of their own (§8.2.3).
  private var cookies: [[UInt8]] = []
  /// The pseudo-header fields by their first letters, in the client's order.
  private(set) var pseudoOrder: [UInt8] = []

  init(limits: RequestLimits) {
    self.limits = limits
    headers.reserveCapacity(fields: 16, bytes: 512)
  }

  mutating func take(name: Span<UInt8>, value: Span<UInt8>) {
    guard problem == nil else { return }
    do throws(Problem) {
      if name.count > 0, name[0] == HTTPCharacters.colon {
        try takePseudo(name, value)
      } else {
        try takeField(name, value)
      }
    } catch {
      problem = error
    }
  }

  // MARK: Pseudo-header fields

  private mutating func takePseudo(_ name: Span<UInt8>, _ value: Span<UInt8>) throws(Problem) {
    // They stand before all others (§8.3).
    guard !hasFields, HTTP2FieldRules.isValue(value), name.count > 1 else { throw .malformed }
    if pseudoOrder.count < 8 { pseudoOrder.append(name[1]) }
    if name.isEqual(to: PseudoText.method) {
      guard method == nil, value.count > 0 else { throw .malformed }
      for index in value.indices where !HTTPCharacters.isToken(value[index]) { throw .malformed }
      method = Self.text(value)
    } else if name.isEqual(to: PseudoText.scheme) {
      guard scheme == nil, value.count > 0 else { throw .malformed }
      scheme = Self.bytes(value)
    } else if name.isEqual(to: PseudoText.authority) {
      guard authority == nil else { throw .malformed }
      authority = Self.bytes(value)
    } else if name.isEqual(to: PseudoText.path) {
      guard path == nil, value.count > 0 else { throw .malformed }
      guard value.count <= limits.targetBytes else { throw .refused(.targetTooLong) }
      for index in value.indices where value[index] <= HTTPCharacters.space || value[index] == 0x7F {
        throw .malformed
      }
      guard let text = value.withUnsafeBytes({ String(validUTF8: $0) }) else {
        throw .refused(.malformedTarget)
      }
      path = text
    } else {
      throw .malformed
    }
  }

  /// What `:authority` says stands where HTTP/1.1 has its `Host`, for guests know nothing else (§8.3.1).
  private mutating func endPseudo() throws(Problem) {
    guard !hasFields else { return }
    hasFields = true
    guard let authority else { return }
    let host = FieldText.host
    do throws(RequestRefusal) {
      try facts.note(name: host.span, value: authority.span)
    } catch {
      throw .refused(error)
    }
    headers.append(name: host.span, value: authority.span)
  }

  // MARK: Fields

  private mutating func takeField(_ name: Span<UInt8>, _ value: Span<UInt8>) throws(Problem) {
    try endPseudo()
    bytes += name.count + value.count + 4
    guard bytes <= limits.fieldBytes, headers.count + cookies.count < limits.fieldCount else {
      throw .refused(.fieldsTooLarge)
    }
    guard HTTP2FieldRules.isAllowed(name: name, value: value) else { throw .malformed }
    switch name.count {
    case 4 where name.isEqualIgnoringCase(to: FieldText.host) && authority != nil:
      // They must not name different hosts.
      guard authority == Self.bytes(value) else { throw .malformed }
      return
    case 6 where name.isEqualIgnoringCase(to: FieldText.cookie):
      cookies.append(Self.bytes(value))
      if cookies.count > 1 { return }
    default: break
    }
    headers.append(name: name, value: value)
    do throws(RequestRefusal) {
      try facts.note(name: name, value: value)
    } catch {
      throw .refused(error)
    }
  }

  /// The complete request.
  mutating func request() throws(Problem) -> IncomingRequest {
    try endPseudo()
    if let problem { throw problem }
    guard let method else { throw .malformed }
    if method == "CONNECT" { throw .refused(.unsupportedMethod) }
    guard let path, scheme != nil else { throw .malformed }
    guard path.utf8.first == UInt8(ascii: "/") || (path == "*" && method == "OPTIONS") else { throw .malformed }
    if cookies.count > 1 { headers.set(name: FieldText.cookie, value: Array(cookies.joined(separator: "; ".utf8))) }
    do throws(RequestRefusal) {
      return try facts.request(RequestHead(method: method, uri: path, version: .h2, headers: headers))
    } catch {
      throw .refused(error)
    }
  }

  /// Whether the request is one of HEAD, as far as it came.
  var isHEAD: Bool { method == "HEAD" }

  private static func text(_ span: Span<UInt8>) -> String {
    span.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
  }

  private static func bytes(_ span: Span<UInt8>) -> [UInt8] { span.withUnsafeBufferPointer { Array($0) } }
}

/// Gathers the fields of a request's trailers.
struct HTTP2TrailerFields: HeaderFieldSink {
  private(set) var fields = HeaderList()
  /// Whether they end the stream: a pseudo-header field, a field of the connection, or too many of them.
  private(set) var isMalformed = false
  private let limits: RequestLimits
  private var bytes = 0

  init(limits: RequestLimits) { self.limits = limits }

  mutating func take(name: Span<UInt8>, value: Span<UInt8>) {
    guard !isMalformed else { return }
    bytes += name.count + value.count + 4
    guard bytes <= limits.fieldBytes, fields.count < limits.fieldCount,
      HTTP2FieldRules.isAllowed(name: name, value: value)
    else {
      isMalformed = true
      return
    }
    fields.append(name: name, value: value)
  }
}

/// What a field of HTTP/2 has to be.
enum HTTP2FieldRules {
  /// Whether the field may be in a message: a token in lower case, a value without controls and without blanks at its
  /// ends, and nothing that is about an HTTP/1.1 connection (RFC 9113 §8.2.1, §8.2.2).
  static func isAllowed(name: Span<UInt8>, value: Span<UInt8>) -> Bool {
    guard name.count > 0 else { return false }
    for index in name.indices {
      let byte = name[index]
      if !HTTPCharacters.isToken(byte) || HTTPCharacters.lowercased(byte) != byte { return false }
    }
    guard isValue(value) else { return false }
    if value.count > 0, HTTPCharacters.isBlank(value[0]) || HTTPCharacters.isBlank(value[value.count - 1]) {
      return false
    }
    switch name.count {
    case 2 where name.isEqualIgnoringCase(to: FieldText.te):
      return value.isEqualIgnoringCase(to: FieldText.trailers)
    case 7: return !name.isEqualIgnoringCase(to: FieldText.upgrade)
    case 10:
      return !name.isEqualIgnoringCase(to: FieldText.connection) && !name.isEqualIgnoringCase(to: FieldText.keepAlive)
    case 16: return !name.isEqualIgnoringCase(to: FieldText.proxyConnection)
    case 17: return !name.isEqualIgnoringCase(to: FieldText.transferEncoding)
    default: return true
    }
  }

  static func isValue(_ value: Span<UInt8>) -> Bool {
    for index in value.indices where !HTTPCharacters.isFieldValue(value[index]) { return false }
    return true
  }
}

/// The pseudo-header fields of requests.
private enum PseudoText {
  static let authority = Array(":authority".utf8)
  static let method = Array(":method".utf8)
  static let path = Array(":path".utf8)
  static let scheme = Array(":scheme".utf8)
}

extension Span<UInt8> {
  fileprivate func isEqual(to text: [UInt8]) -> Bool {
    guard count == text.count else { return false }
    for index in indices where self[index] != text[index] { return false }
    return true
  }
}
