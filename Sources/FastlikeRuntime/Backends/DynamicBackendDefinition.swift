import ComputeABI
import NIOSSL

/// What a guest says of a backend that it registers, as plain values; ``checked(secret:)`` makes a backend of it.
///
/// A field that the guest left out is nil. Texts are bytes, because they may be anything until they are checked.
struct DynamicBackendDefinition {
  /// A client certificate as PEM, and the handle of the secret that is its key as PEM.
  struct ClientIdentity {
    var certificate: [UInt8]
    var key: SecretHandle
  }

  /// How the backend is to be probed, as plain values.
  struct HealthCheck {
    var intervalMilliseconds: UInt64 = 15_000
    var timeoutMilliseconds: UInt64 = 5_000
    var host: [UInt8] = []
    /// Empty: `GET`.
    var method: [UInt8] = []
    /// Empty: `/`.
    var path: [UInt8] = []
    /// 0: 200.
    var expectedStatus: UInt32 = 0
    /// Probes that are looked back on.
    var window: UInt32 = 5
    /// Good probes among them that make the backend healthy.
    var threshold: UInt32 = 3
    /// Good probes that are taken as given at the start.
    var initial: UInt32 = 4
  }

  /// The most bytes of a host name, whatever it is for.
  static let maximumHostLength = 1_024
  /// The most bytes of a text other than a host name. The platform limits only the bundle of roots so; for the others it
  /// bounds what a guest makes the host keep.
  static let maximumTextLength = 65_536
  static let maximumProbeTextLength = 8_192
  fileprivate static let maximumProbeWindow: UInt32 = 15
  fileprivate static let probeMilliseconds: ClosedRange<UInt64> = 1_000...3_599_999

  var name: [UInt8]
  /// `host` or `host:port`.
  var target: [UInt8]
  var usesTLS = false
  var hostOverride: [UInt8]?
  /// Milliseconds; also the next two.
  var connectTimeout: UInt32?
  var firstByteTimeout: UInt32?
  var betweenBytesTimeout: UInt32?
  var minimumTLSVersion: TLSVersionTag?
  var maximumTLSVersion: TLSVersionTag?
  var certificateHost: [UInt8]?
  var certificateAuthorities: [UInt8]?
  /// OpenSSL cipher list. What it means shows when the first connection is made, as for configured backends.
  var ciphers: [UInt8]?
  /// Empty: SNI is off.
  var sniHost: [UInt8]?
  var clientIdentity: ClientIdentity?
  var isGRPC = false
  var isPooled = true
  /// Milliseconds; 0, which stands where a guest sets only TCP's keepalive, is the default.
  var keepalive: UInt32?
  var tcpKeepalive: TCPKeepalive?
  var connectionLimits = ConnectionLimits()
  var prefersIPv4 = false
  var healthCheck: HealthCheck?

  init(name: [UInt8], target: [UInt8]) {
    self.name = name
    self.target = target
  }

  /// Checks the values and makes the backend.
  ///
  /// - Parameter secret: The content of a secret; nil for a handle that is none.
  /// - Throws: `error` for a target or a host override that has no meaning, `badf` for a bad key handle, `inval` for
  ///   everything else.
  func checked(secret: (SecretHandle) -> [UInt8]?) throws(Status) -> BackendDefinition {
    let name = try Self.text(name, upTo: Self.maximumTextLength)
    let address = try address()
    var backend = BackendDefinition(name: name, host: address.host, port: address.port, usesTLS: usesTLS)
    backend.isDynamic = true
    backend.overrideHost = try checkedHostOverride()
    backend.connectTimeoutMilliseconds = connectTimeout
    backend.firstByteTimeoutMilliseconds = firstByteTimeout
    backend.betweenBytesTimeoutMilliseconds = betweenBytesTimeout
    backend.minimumTLSVersion = minimumTLSVersion
    backend.maximumTLSVersion = maximumTLSVersion
    try applyNames(to: &backend)
    if let ciphers, !ciphers.isEmpty { backend.ciphers = try Self.text(ciphers, upTo: Self.maximumTextLength) }
    // Roots are not even looked at without TLS; both existing hosts agree in that.
    if usesTLS, let certificateAuthorities {
      backend.certificateAuthoritiesPEM = [try Self.certificates(certificateAuthorities)]
    }
    if let clientIdentity { backend.clientCertificate = try Self.certificate(of: clientIdentity, secret: secret) }
    backend.isGRPC = isGRPC
    backend.isPooled = isPooled
    backend.keepaliveMilliseconds = keepalive == 0 ? nil : keepalive
    backend.tcpKeepalive = tcpKeepalive
    backend.connectionLimits = connectionLimits
    backend.prefersIPv4 = prefersIPv4
    backend.healthCheck = try healthCheck?.checked()
    return backend
  }

  private func address() throws(Status) -> (host: String, port: UInt16) {
    guard target.count <= Self.maximumHostLength else { throw .error }
    let authority = try Self.text(target, upTo: Self.maximumHostLength, mayBeEmpty: true)
    // More than one colon is an IPv6 address, which an authority has in brackets (RFC 3986 §3.2.2).
    let isBareIPv6 = authority.first != "[" && authority.utf8.count { $0 == UInt8(ascii: ":") } > 1
    guard !isBareIPv6, !authority.contains("/"),
      let url = try? BackendURL((usesTLS ? "https://" : "http://") + authority, requiresScheme: true)
    else { throw .error }
    return (url.host, url.port)
  }

  private func checkedHostOverride() throws(Status) -> String? {
    guard let hostOverride else { return nil }
    guard (1...Self.maximumHostLength).contains(hostOverride.count) else { throw .inval }
    guard hostOverride.allSatisfy(WireSyntax.isFieldValueByte),
      let host = String(validating: hostOverride, as: UTF8.self)
    else { throw .error }
    return host
  }

  /// The name sent as SNI and the certificate's may differ; one that is missing is as the other.
  private func applyNames(to backend: inout BackendDefinition) throws(Status) {
    if let certificateHost {
      backend.certificateHost = try Self.text(certificateHost, upTo: Self.maximumHostLength)
    }
    guard let sniHost else { return }
    if sniHost.isEmpty {
      backend.sendsSNI = false
    } else {
      let name = try Self.text(sniHost, upTo: Self.maximumHostLength)
      backend.sniHost = name
      if backend.certificateHost == nil { backend.certificateHost = name }
    }
  }

  // MARK: Texts and certificates

  private static func text(
    _ bytes: [UInt8], upTo limit: Int, mayBeEmpty: Bool = false
  ) throws(Status) -> String {
    guard bytes.count <= limit, mayBeEmpty || !bytes.isEmpty, let text = String(validating: bytes, as: UTF8.self)
    else { throw .inval }
    return text
  }

  private static func certificates(_ pem: [UInt8]) throws(Status) -> String {
    let text = try text(pem, upTo: maximumTextLength)
    guard let certificates = try? NIOSSLCertificate.fromPEMBytes(pem), !certificates.isEmpty else { throw .inval }
    return text
  }

  private static func certificate(
    of identity: ClientIdentity, secret: (SecretHandle) -> [UInt8]?
  ) throws(Status) -> ClientCertificate {
    let certificate = try certificates(identity.certificate)
    guard let key = secret(identity.key) else { throw .badf }
    let keyText = try text(key, upTo: maximumTextLength)
    guard (try? NIOSSLPrivateKey(bytes: key, format: .pem)) != nil else { throw .inval }
    return ClientCertificate(certificatePEM: certificate, keyPEM: keyText)
  }
}

extension DynamicBackendDefinition.HealthCheck {
  private typealias Backend = DynamicBackendDefinition

  /// Throws `inval` for a value that the platform takes as a mistake, and for texts that are none.
  fileprivate func checked() throws(Status) -> FastlikeRuntime.HealthCheck {
    guard !host.isEmpty, host.count + path.count <= Backend.maximumProbeTextLength,
      method.count <= Backend.maximumProbeTextLength, window <= Backend.maximumProbeWindow, threshold <= window,
      initial <= window, Backend.probeMilliseconds.contains(intervalMilliseconds),
      Backend.probeMilliseconds.contains(timeoutMilliseconds),
      let hostText = String(validating: host, as: UTF8.self), let pathText = String(validating: path, as: UTF8.self),
      let methodText = String(validating: method, as: UTF8.self),
      let status = expectedStatus == 0 ? 200 : UInt16(exactly: expectedStatus)
    else { throw .inval }
    var check = FastlikeRuntime.HealthCheck(host: hostText)
    if !pathText.isEmpty { check.path = pathText }
    if !methodText.isEmpty { check.method = methodText }
    check.expectedStatus = status
    check.intervalMilliseconds = Int64(intervalMilliseconds)
    check.timeoutMilliseconds = Int64(timeoutMilliseconds)
    (check.window, check.threshold, check.initial) = (Int(window), Int(threshold), Int(initial))
    return check
  }
}
