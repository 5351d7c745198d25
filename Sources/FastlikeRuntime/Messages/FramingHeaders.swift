public import ComputeABI

/// How the body of a message is delimited on an HTTP/1.1 connection (RFC 9112 §6).
public enum Framing: Sendable, Equatable {
  /// No body byte is sent.
  case none
  /// Exactly so many bytes follow the head.
  case contentLength(Int)
  /// Chunks follow, with trailers behind the last one.
  case chunked
}

/// The rule that decides who writes `Content-Length` and `Transfer-Encoding`, for requests to backends and responses to
/// clients alike.
public enum FramingHeaders {
  /// The facts about a message that its framing depends on.
  public enum MessageKind: Sendable, Equatable {
    case request(method: String)
    /// `toHEAD` is set where the client's method was `HEAD`.
    case response(status: UInt16, toHEAD: Bool)
  }

  /// Puts the framing fields of a message right and tells how its body is to be sent.
  ///
  /// Connection-specific fields (`Connection`, the fields it names, `Keep-Alive`, `Proxy-Connection`) are removed in both
  /// modes. With ``FramingMode/manuallyFromHeaders`` the message keeps exactly one valid field: a `Content-Length` of
  /// ASCII digits, or a `Transfer-Encoding` of `chunked`. Both at once, a repeated field, another value, or a length that
  /// differs from a known `bodyLength` fall back to ``FramingMode/automatic``, which writes the fields anew:
  ///
  /// - a known length becomes `content-length`, an unknown one `transfer-encoding: chunked`;
  /// - an empty body leaves a request of a method without defined content (`GET`, `HEAD`, `DELETE`, `CONNECT`,
  ///   `OPTIONS`, `TRACE`) without a framing field, and gives the others `content-length: 0`;
  /// - responses with status 1xx and 204 carry neither field; those with 304 and those to `HEAD` have no body, and only
  ///   the length that a guest declared or that is known and not 0 (RFC 9110 §8.6).
  ///
  /// - Parameters:
  ///   - headers: The fields of the message.
  ///   - mode: Whose framing fields count.
  ///   - bodyLength: The body's length in bytes, nil where it is not known yet.
  ///   - messageKind: Request or response, with what decides whether a body may follow.
  /// - Returns: How to send the body; for ``Framing/contentLength(_:)`` the sender has to keep to the number.
  public static func resolve(
    headers: inout HeaderList, mode: FramingMode, bodyLength: Int?, messageKind: MessageKind
  ) -> Framing {
    removeConnectionFields(from: &headers)
    let declared = mode == .manuallyFromHeaders ? declaredFraming(in: headers) : nil
    if case .response(let status, let toHEAD) = messageKind, !mayHaveBody(status: status, toHEAD: toHEAD) {
      let mayCarryFields = status >= 200 && status != 204
      guard declared == nil || !mayCarryFields else { return .none }
      removeFramingFields(from: &headers)
      if toHEAD, mayCarryFields, status != 304, let bodyLength, bodyLength > 0 {
        headers.append("content-length", String(bodyLength))
      }
      return .none
    }
    switch declared {
    case .contentLength(let length) where bodyLength == nil || bodyLength == length: return .contentLength(length)
    case .chunked: return .chunked
    default: break
    }
    removeFramingFields(from: &headers)
    guard let bodyLength else {
      headers.append("transfer-encoding", "chunked")
      return .chunked
    }
    if bodyLength == 0, case .request(let method) = messageKind, bodilessMethods.contains(method) { return .none }
    headers.append("content-length", String(bodyLength))
    return .contentLength(bodyLength)
  }

  /// Methods whose requests announce no empty body (RFC 9110 §8.6).
  private static let bodilessMethods: Set<String> = ["GET", "HEAD", "DELETE", "CONNECT", "OPTIONS", "TRACE"]

  /// Fields that `Connection` cannot take away: they are end-to-end or handled by the framing rule itself.
  private static let protectedNames = ["host", "content-length", "transfer-encoding", "cdn-loop"]

  private static func mayHaveBody(status: UInt16, toHEAD: Bool) -> Bool {
    status >= 200 && status != 204 && status != 304 && !toHEAD
  }

  /// The framing that the fields declare, nil unless they are valid.
  private static func declaredFraming(in headers: HeaderList) -> Framing? {
    let lengths = headers.indices(of: "content-length".utf8)
    let encodings = headers.indices(of: "transfer-encoding".utf8)
    switch (lengths.count, encodings.count) {
    case (1, 0):
      return WireSyntax.decimal(WireSyntax.trimmed(headers.value(at: lengths[0]))).map { .contentLength($0) }
    case (0, 1):
      let value = WireSyntax.trimmed(headers.value(at: encodings[0]))
      return WireSyntax.equalIgnoringCase(value, "chunked".utf8) ? .chunked : nil
    default: return nil
    }
  }

  private static func removeFramingFields(from headers: inout HeaderList) {
    for name in ["content-length", "transfer-encoding"] where headers.contains(name) { headers.remove(name) }
  }

  private static func removeConnectionFields(from headers: inout HeaderList) {
    for listed in headers.members(of: "connection") {
      let isProtected = protectedNames.contains { WireSyntax.equalIgnoringCase(listed, $0.utf8) }
      if !isProtected { headers.remove(name: listed) }
    }
    for name in ["connection", "keep-alive", "proxy-connection"] where headers.contains(name) { headers.remove(name) }
  }
}
