/// One round trip to a backend. Instants are nanoseconds from the trace's start.
public struct BackendCall: Sendable, Hashable {
  /// A phase that has a beginning and a length.
  public struct Phase: Sendable, Hashable {
    /// Nanoseconds from the trace's start.
    public var start: Int64
    /// Nanoseconds.
    public var duration: Int64

    public init(start: Int64, duration: Int64) {
      self.start = start
      self.duration = max(0, duration)
    }

    /// Nanoseconds from the trace's start.
    public var end: Int64 { start + duration }
  }

  /// The guest's handle of the pending request; 0 for a synchronous send.
  public var pendingID: UInt32
  /// The backend's configured name.
  public var name: String
  /// The request's method.
  public var method: String
  /// Where it went, without query and user.
  public var url: RedactedURL
  /// Which hostcall or part of the host sent it.
  public var variant: BackendVariant
  /// When the send began.
  public var started: Int64
  /// Looking the host's name up; nil when it did not happen.
  public var dns: Phase?
  /// The TCP handshake; nil on a reused connection.
  public var connect: Phase?
  /// The TLS handshake; nil without TLS or on a reused connection.
  public var tls: Phase?
  /// When the last byte of the request was handed to the connection; nil when it never was.
  public var requestSent: Int64?
  /// When the first byte of the response came; nil when none did.
  public var firstByte: Int64?
  /// Nanoseconds from ``started`` until the last byte of the response or the failure.
  public var totalNanos: Int64
  /// The response's status; 0 without a response.
  public var status: Int
  /// Bytes of the request's head.
  public var requestHeaderBytes: Int64
  /// Bytes of the request's body.
  public var requestBodyBytes: Int64
  /// Bytes of the response's head.
  public var responseHeaderBytes: Int64
  /// Bytes of the response's body.
  public var responseBodyBytes: Int64
  /// Whether an open connection was used again; nil when the connection is not known.
  public var reusedConnection: Bool?
  /// IP address and port of the other end, as far as known.
  public var peerAddress: String?
  /// The HTTP version spoken, as far as known.
  public var httpVersion: HTTPVersion?
  /// Whether the backend was registered by the guest.
  public var isDynamic: Bool
  /// Whether the answer of another request's call was taken instead of sending.
  public var isCollapsed: Bool
  /// How it ended.
  public var outcome: BackendOutcome
  /// Why it failed, by the names of the ABI's `send_error_detail` tags; nil without a failure.
  public var failure: BackendFailure?

  public init(
    name: String, method: String = "GET", url: RedactedURL = RedactedURL(), variant: BackendVariant = .send,
    pendingID: UInt32 = 0, started: Int64 = 0, dns: Phase? = nil, connect: Phase? = nil, tls: Phase? = nil,
    requestSent: Int64? = nil, firstByte: Int64? = nil, totalNanos: Int64 = 0, status: Int = 0,
    requestHeaderBytes: Int64 = 0, requestBodyBytes: Int64 = 0, responseHeaderBytes: Int64 = 0,
    responseBodyBytes: Int64 = 0, reusedConnection: Bool? = nil, peerAddress: String? = nil,
    httpVersion: HTTPVersion? = nil, isDynamic: Bool = false, isCollapsed: Bool = false,
    outcome: BackendOutcome = .incomplete, failure: BackendFailure? = nil
  ) {
    self.pendingID = pendingID
    self.name = PrintableText.bounded(name, to: TraceLabel.maximumBytes)
    self.method = PrintableText.method(method)
    self.url = url
    self.variant = variant
    self.started = started
    self.dns = dns
    self.connect = connect
    self.tls = tls
    self.requestSent = requestSent
    self.firstByte = firstByte
    self.totalNanos = totalNanos
    self.status = status
    self.requestHeaderBytes = requestHeaderBytes
    self.requestBodyBytes = requestBodyBytes
    self.responseHeaderBytes = responseHeaderBytes
    self.responseBodyBytes = responseBodyBytes
    self.reusedConnection = reusedConnection
    self.peerAddress = peerAddress
    self.httpVersion = httpVersion
    self.isDynamic = isDynamic
    self.isCollapsed = isCollapsed
    self.outcome = outcome
    self.failure = failure
  }

  /// When the last byte came or the call failed.
  public var ended: Int64 { started + totalNanos }
  /// Nanoseconds from ``started`` until the request was out.
  public var requestSentNanos: Int64? { requestSent.map { max(0, $0 - started) } }
  /// Nanoseconds from ``started`` until the first byte of the response.
  public var ttfbNanos: Int64? { firstByte.map { max(0, $0 - started) } }
}

/// How a backend call ended.
public enum BackendOutcome: UInt8, Sendable, CaseIterable {
  /// A response came.
  case ok = 0
  /// None came.
  case networkError
  /// The reliability simulation made it fail.
  case syntheticFailure
  /// It was given up on purpose.
  case cancelled
  /// It was still running when the request ended.
  case incomplete
  /// It was sent and nobody ever asked for its response.
  case orphaned
  /// Read from a file of a newer version that has more outcomes.
  case unrecognized

  /// The word used in files and on pages.
  public var wireName: String {
    switch self {
    case .ok: "ok"
    case .networkError: "network-error"
    case .syntheticFailure: "synthetic-failure"
    case .cancelled: "cancelled"
    case .incomplete: "incomplete"
    case .orphaned: "orphaned"
    case .unrecognized: "unrecognized"
    }
  }

  /// Reads the word; one that is not known is ``unrecognized``.
  public init(wireName: String) { self = Self.allCases.first { $0.wireName == wireName } ?? .unrecognized }
}

/// What sent a backend call.
public enum BackendVariant: String, Sendable, CaseIterable {
  case send
  case sendV2 = "send_v2"
  case sendV3 = "send_v3"
  case sendAsync = "send_async"
  case sendAsyncV2 = "send_async_v2"
  case sendAsyncStreaming = "send_async_streaming"
  /// The HTTP cache fetched an object.
  case cacheFetch = "cache_fetch"
  /// The HTTP cache asked whether a stale object is still good.
  case cacheRevalidate = "cache_revalidate"
  /// The client's connection was handed to the backend.
  case handoff
  case other
}

/// The HTTP version of a connection.
public enum HTTPVersion: String, Sendable, CaseIterable, BitwiseCopyable {
  case http10 = "http/1.0"
  case http11 = "http/1.1"
  case http2 = "h2"
  case http3 = "h3"
}

/// Why a backend call failed; the raw values are the tag names of the ABI's `send_error_detail`.
public enum BackendFailure: String, Sendable, CaseIterable {
  case dnsTimeout = "dns_timeout"
  case dnsError = "dns_error"
  case destinationNotFound = "destination_not_found"
  case destinationUnavailable = "destination_unavailable"
  case destinationIPUnroutable = "destination_ip_unroutable"
  case connectionRefused = "connection_refused"
  case connectionTerminated = "connection_terminated"
  case connectionTimeout = "connection_timeout"
  case connectionLimitReached = "connection_limit_reached"
  case tlsCertificateError = "tls_certificate_error"
  case tlsConfigurationError = "tls_configuration_error"
  case httpIncompleteResponse = "http_incomplete_response"
  case httpResponseHeaderSectionTooLarge = "http_response_header_section_too_large"
  case httpResponseBodyTooLarge = "http_response_body_too_large"
  case httpResponseTimeout = "http_response_timeout"
  case httpResponseStatusInvalid = "http_response_status_invalid"
  case httpUpgradeFailed = "http_upgrade_failed"
  case httpProtocolError = "http_protocol_error"
  case httpRequestCacheKeyInvalid = "http_request_cache_key_invalid"
  case httpRequestURIInvalid = "http_request_uri_invalid"
  case internalError = "internal_error"
  case tlsAlertReceived = "tls_alert_received"
  case tlsProtocolError = "tls_protocol_error"
  case h2Error = "h2_error"

  /// The failure of a `send_error_detail` tag; nil for the tags that are none (`uninitialized`, `ok`) and unknown ones.
  public init?(abiTag: UInt32) {
    guard abiTag >= 2, Int(abiTag) - 2 < Self.allCases.count else { return nil }
    self = Self.allCases[Int(abiTag) - 2]
  }
}
