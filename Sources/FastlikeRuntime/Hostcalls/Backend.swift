import ComputeABI
import FastlikeProfile

/// `fastly_backend`: what a guest may know of its backends.
extension Sandbox {
  private func definition(_ name: GuestBytes) throws(Status) -> BackendDefinition {
    let name = try name.string()
    trace?.label(.backend, name)
    guard let backend = self.backend(named: name) else { throw .inval }
    return backend
  }

  func backendExists(backend: GuestBytes) throws(Status) -> Bool {
    self.backend(named: try backend.string()) != nil
  }

  func backendIsHealthy(backend: GuestBytes) throws(Status) -> BackendHealth {
    let definition = try definition(backend)
    return loop.probes.health(of: definition) ?? definition.health
  }

  func backendIsDynamic(backend: GuestBytes) throws(Status) -> Bool { try definition(backend).isDynamic }

  func backendGetHost(backend: GuestBytes, value: GuestOutput) throws(Status) {
    try value.write(try definition(backend).host)
  }

  func backendGetOverrideHost(backend: GuestBytes, value: GuestOutput) throws(Status) {
    guard let host = try definition(backend).overrideHost else { throw .none }
    try value.write(host)
  }

  func backendGetPort(backend: GuestBytes) throws(Status) -> UInt16 { try definition(backend).port }

  func backendGetConnectTimeoutMs(backend: GuestBytes) throws(Status) -> UInt32 {
    try definition(backend).connectTimeoutMilliseconds ?? 1_000
  }

  func backendGetFirstByteTimeoutMs(backend: GuestBytes) throws(Status) -> UInt32 {
    try definition(backend).firstByteTimeoutMilliseconds ?? 15_000
  }

  func backendGetBetweenBytesTimeoutMs(backend: GuestBytes) throws(Status) -> UInt32 {
    try definition(backend).betweenBytesTimeoutMilliseconds ?? 10_000
  }

  func backendGetHTTPKeepaliveTime(backend: GuestBytes) throws(Status) -> UInt32 {
    try definition(backend).keepaliveMilliseconds ?? 0
  }

  // TCP keepalive and connection limits can only be set for dynamic backends; for the others they are off, which is 0.

  func backendGetTcpKeepaliveEnable(backend: GuestBytes) throws(Status) -> Bool {
    try definition(backend).tcpKeepalive != nil
  }

  func backendGetTcpKeepaliveInterval(backend: GuestBytes) throws(Status) -> UInt32 {
    try definition(backend).tcpKeepalive?.intervalSeconds ?? 0
  }

  func backendGetTcpKeepaliveProbes(backend: GuestBytes) throws(Status) -> UInt32 {
    try definition(backend).tcpKeepalive?.probes ?? 0
  }

  func backendGetTcpKeepaliveTime(backend: GuestBytes) throws(Status) -> UInt32 {
    try definition(backend).tcpKeepalive?.seconds ?? 0
  }

  func backendGetMaxConnections(backend: GuestBytes) throws(Status) -> UInt32 {
    try definition(backend).connectionLimits.maximumConnections ?? 0
  }

  func backendGetMaxUse(backend: GuestBytes) throws(Status) -> UInt32 {
    try definition(backend).connectionLimits.maximumUses ?? 0
  }

  func backendGetMaxLifetimeMs(backend: GuestBytes) throws(Status) -> UInt32 {
    try definition(backend).connectionLimits.maximumLifetimeMilliseconds ?? 0
  }

  /// The race for an address gives IPv6 its head start (RFC 8305), unless the guest wants it otherwise.
  func backendIsIpv6Preferred(backend: GuestBytes) throws(Status) -> UInt32 {
    try definition(backend).prefersIPv4 ? 0 : 1
  }

  func backendIsSSL(backend: GuestBytes) throws(Status) -> Bool { try definition(backend).usesTLS }

  func backendGetSSLMinVersion(backend: GuestBytes) throws(Status) -> TLSVersion {
    guard let version = try definition(backend).minimumTLSVersion else { throw .none }
    return TLSVersion(rawValue: version.rawValue) ?? .tls12
  }

  func backendGetSSLMaxVersion(backend: GuestBytes) throws(Status) -> TLSVersion {
    guard let version = try definition(backend).maximumTLSVersion else { throw .none }
    return TLSVersion(rawValue: version.rawValue) ?? .tls13
  }
}
