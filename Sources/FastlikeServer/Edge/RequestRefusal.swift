/// Why the edge answers a request itself, without any guest seeing it. The connection closes behind the answer.
struct RequestRefusal: Error, Equatable, Sendable {
  let status: UInt16
  /// What is wrong, as the client reads it; it quotes nothing of the request.
  let reason: String

  private init(_ status: UInt16, _ reason: String) {
    self.status = status
    self.reason = reason
  }

  static let malformedRequestLine = Self(400, "the request line is not METHOD TARGET HTTP/1.1")
  static let malformedTarget = Self(400, "the request target is neither a path nor an http(s) URL")
  static let malformedLineEnd = Self(400, "a line of the head does not end with CR LF")
  static let malformedField = Self(400, "a header line is not NAME: VALUE")
  static let foldedField = Self(400, "a header value goes on in a second line")
  static let missingHost = Self(400, "an HTTP/1.1 request needs a Host header")
  static let malformedHost = Self(400, "the Host header is repeated or names no host")
  static let malformedLength = Self(400, "the Content-Length header is repeated or not a number")
  static let ambiguousLength = Self(400, "Content-Length and Transfer-Encoding exclude each other")
  static let malformedCoding = Self(400, "Transfer-Encoding is repeated, or used with HTTP/1.0")
  static let malformedChunk = Self(400, "the chunked body is malformed")
  static let slowHead = Self(408, "the request head did not arrive in time")
  static let targetTooLong = Self(414, "the request target is too long")
  static let fieldsTooLarge = Self(431, "the header fields are too large or too many")
  static let unsupportedMethod = Self(501, "CONNECT is not supported")
  static let unsupportedCoding = Self(501, "Transfer-Encoding may only be chunked")
  static let tooManyConnections = Self(503, "too many connections are open")
  static let unsupportedVersion = Self(505, "only HTTP/1.1 and HTTP/1.0 are spoken here")
  static let loopDetected = Self(508, "the CDN-Loop header shows that this request came from here")
}
