public import ComputeABI

/// A TLS version by the ABI's number (`tls_version`).
public enum TLSVersionTag: UInt32, Sendable, Hashable {
  case tls10 = 0
  case tls11 = 1
  case tls12 = 2
  case tls13 = 3
}

/// What a backend's health answer is (`backend_health`).
public typealias BackendHealth = ComputeABI.BackendHealth

/// A client certificate with its private key, both as PEM text.
public struct ClientCertificate: Sendable, Hashable {
  public var certificatePEM: String
  public var keyPEM: String

  public init(certificatePEM: String, keyPEM: String) {
    self.certificatePEM = certificatePEM
    self.keyPEM = keyPEM
  }
}

/// One backend as configured: where it is, how to speak to it, how long to wait. A value, so that equal definitions share
/// their pooled connections.
public struct BackendDefinition: Sendable, Hashable {
  public var name: String
  /// Host name or IP literal, without brackets.
  public var host: String
  public var port: UInt16
  public var usesTLS: Bool
  /// The path of the backend's URL, put before each request's path; "" or "/…" without a trailing slash.
  public var pathPrefix: String
  /// The value of `Host`, instead of the guest's.
  public var overrideHost: String?
  /// The name that the certificate is checked against; the host where nil.
  public var certificateHost: String?
  /// The name sent as SNI; the certificate host where nil.
  public var sniHost: String?
  /// Whether SNI is sent at all.
  public var sendsSNI = true
  /// Roots that replace the system's, as PEM texts.
  public var certificateAuthoritiesPEM: [String] = []
  public var clientCertificate: ClientCertificate?
  public var minimumTLSVersion: TLSVersionTag?
  public var maximumTLSVersion: TLSVersionTag?
  /// OpenSSL cipher list.
  public var ciphers: String?
  /// HTTP/2 only: by ALPN over TLS, with prior knowledge on plain connections.
  public var isGRPC = false
  /// Milliseconds; nil is the default of 1,000.
  public var connectTimeoutMilliseconds: UInt32?
  /// Milliseconds; nil is the default of 15,000, 0 none.
  public var firstByteTimeoutMilliseconds: UInt32?
  /// Milliseconds; nil is the default of 10,000, 0 none.
  public var betweenBytesTimeoutMilliseconds: UInt32?
  /// Whether a connection may serve another request.
  public var isPooled = true
  /// Milliseconds that an idle connection is kept; nil is the default.
  public var keepaliveMilliseconds: UInt32?
  public var connectionLimits = ConnectionLimits()
  /// The system's probes on connections; nil is none.
  public var tcpKeepalive: TCPKeepalive?
  /// Whether IPv4 addresses have the head start that IPv6 ones have otherwise.
  public var prefersIPv4 = false
  /// What is known of its health without probes.
  public var health: BackendHealth = .unknown
  /// How its health is probed; nil is not at all.
  public var healthCheck: HealthCheck?
  /// Of 100 sends this many succeed and the rest fail synthetically (`@N` of the `--backend` flag); nil is all.
  public var reliabilityPercent: UInt8?
  /// Whether the guest registered it.
  public var isDynamic = false

  /// Whether the backend is spoken to in HTTP/2, and in nothing else. As on the platform these are the gRPC backends;
  /// all others get HTTP/1.1, also over TLS, where no other protocol is offered to them.
  var speaksHTTP2: Bool { isGRPC }

  public init(
    name: String, host: String, port: UInt16, usesTLS: Bool, pathPrefix: String = "", overrideHost: String? = nil
  ) {
    self.name = name
    self.host = host
    self.port = port
    self.usesTLS = usesTLS
    self.pathPrefix = pathPrefix
    self.overrideHost = overrideHost
  }
}
