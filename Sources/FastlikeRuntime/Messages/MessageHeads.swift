/// An HTTP version by the number that the ABI gives it (`http_version`).
public enum HTTPVersionTag: UInt32, Sendable {
  case http09 = 0
  case http10 = 1
  case http11 = 2
  case h2 = 3
  case h3 = 4
}

/// The head of a request: what stands before its body.
public struct RequestHead: Sendable, Equatable {
  /// Any HTTP token; case counts (RFC 9110 §9.1).
  public var method: String
  /// The request target or absolute URI, with query.
  public var uri: String
  public var version: HTTPVersionTag
  public var headers: HeaderList

  public init(
    method: String = "GET", uri: String = "/", version: HTTPVersionTag = .http11, headers: HeaderList = HeaderList()
  ) {
    self.method = method
    self.uri = uri
    self.version = version
    self.headers = headers
  }
}

/// The head of a response.
public struct ResponseHead: Sendable, Equatable {
  /// 100…999.
  public var status: UInt16
  public var version: HTTPVersionTag
  public var headers: HeaderList

  public init(status: UInt16 = 200, version: HTTPVersionTag = .http11, headers: HeaderList = HeaderList()) {
    self.status = status
    self.version = version
    self.headers = headers
  }
}

/// Who writes `Content-Length` and `Transfer-Encoding` (`framing_headers_mode_set`).
public enum FramingMode: UInt32, Sendable {
  /// The host, from what it knows of the body; the guest's own fields are removed.
  case automatic = 0
  /// The guest; the host keeps its fields when they are valid and falls back to ``automatic`` otherwise.
  case manuallyFromHeaders = 1
}
