public import ComputeABI

/// An HTTP version as the ABI numbers it (`http_version`).
public typealias HTTPVersionTag = ComputeABI.HTTPVersion

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

/// Who writes `Content-Length` and `Transfer-Encoding`: the host, from what it knows of the body, or the guest, whose fields
/// are kept when they are valid (`framing_headers_mode_set`).
public typealias FramingMode = FramingHeadersMode
