import ComputeABI
import FastlikeProfile

/// `fastly_http_req.register_dynamic_backend`: backends that a guest makes for itself.
extension Sandbox {
  /// Backends that one guest may register; the platform allows as many to a service.
  static let maximumDynamicBackends = 200

  func httpReqRegisterDynamicBackend(
    namePrefix: GuestBytes, target: GuestBytes, backendConfigMask: BackendConfigOptions,
    backendConfiguration: DynamicBackendConfig
  ) throws(Status) {
    let registered = try DynamicBackendDefinition(
      name: namePrefix, target: target, options: backendConfigMask, configuration: backendConfiguration,
      memory: memory)
    let backend = try registered.checked { storeHandles.secrets[$0.rawValue]?.bytes }
    trace?.label(.backend, backend.name)
    // Even a definition like the first is refused. A catch-all takes no name away.
    let name = backend.name
    guard service.configuration.backends[name] == nil, storeHandles.shieldBackends[name] == nil,
      dynamicBackends[name] == nil
    else { throw .error }
    guard dynamicBackends.count < Sandbox.maximumDynamicBackends else { throw .limitexceeded }
    dynamicBackends[name] = backend
    loop.probes.watch(backend)
  }
}

extension DynamicBackendDefinition {
  /// Reads what the guest says. A field whose bit is clear is not touched: older guests allocate less than all of them.
  ///
  /// - Throws: `inval` for bits and TLS versions without a meaning, and for what lies outside memory.
  init(
    name: GuestBytes, target: GuestBytes, options: BackendConfigOptions, configuration: DynamicBackendConfig,
    memory: GuestMemory
  ) throws(Status) {
    guard !options.contains(.reserved), options.isSubset(of: .known) else { throw .inval }
    self.init(
      name: Self.copy(name, upTo: Self.maximumTextLength), target: Self.copy(target, upTo: Self.maximumHostLength))
    isGRPC = options.contains(.grpc)
    if options.contains(.hostOverride) {
      hostOverride = Self.copy(try configuration.hostOverride(), upTo: Self.maximumHostLength)
    }
    if options.contains(.connectTimeout) { connectTimeout = try configuration.connectTimeoutMs() }
    if options.contains(.firstByteTimeout) { firstByteTimeout = try configuration.firstByteTimeoutMs() }
    if options.contains(.betweenBytesTimeout) { betweenBytesTimeout = try configuration.betweenBytesTimeoutMs() }
    try readTLS(options, configuration)
    try readPooling(options, configuration)
    prefersIPv4 = options.contains(.preferIpv4)
    if options.contains(.healthcheck) {
      healthCheck = try HealthCheck(memory, at: try configuration.healthcheck())
    }
  }

  private mutating func readTLS(
    _ options: BackendConfigOptions, _ configuration: DynamicBackendConfig
  ) throws(Status) {
    usesTLS = options.contains(.useSSL)
    if options.contains(.sslMinVersion) {
      minimumTLSVersion = TLSVersionTag(rawValue: try configuration.sslMinVersion().rawValue)
    }
    if options.contains(.sslMaxVersion) {
      maximumTLSVersion = TLSVersionTag(rawValue: try configuration.sslMaxVersion().rawValue)
    }
    if options.contains(.certHostname) {
      certificateHost = Self.copy(try configuration.certHostname(), upTo: Self.maximumHostLength)
    }
    if usesTLS, options.contains(.caCert) {
      certificateAuthorities = Self.copy(try configuration.caCert(), upTo: Self.maximumTextLength)
    }
    if options.contains(.ciphers) {
      ciphers = Self.copy(try configuration.ciphers(), upTo: Self.maximumTextLength)
    }
    if options.contains(.sniHostname) {
      sniHost = Self.copy(try configuration.sniHostname(), upTo: Self.maximumHostLength)
    }
    if options.contains(.clientCert) {
      clientIdentity = ClientIdentity(
        certificate: Self.copy(try configuration.clientCertificate(), upTo: Self.maximumTextLength),
        key: try configuration.clientKey())
    }
  }

  private mutating func readPooling(
    _ options: BackendConfigOptions, _ configuration: DynamicBackendConfig
  ) throws(Status) {
    isPooled = !options.contains(.dontPool)
    if options.contains(.keepalive) {
      keepalive = try configuration.httpKeepaliveTimeMs()
      if try configuration.tcpKeepaliveEnable() != 0 {
        tcpKeepalive = TCPKeepalive(
          seconds: try configuration.tcpKeepaliveTimeSecs(),
          intervalSeconds: try configuration.tcpKeepaliveIntervalSecs(),
          probes: try configuration.tcpKeepaliveProbes())
      }
    }
    if options.contains(.poolingLimits) {
      connectionLimits.maximumConnections = try configuration.maxConnections()
      connectionLimits.maximumUses = try configuration.maxUse()
      connectionLimits.maximumLifetimeMilliseconds = try configuration.maxLifetimeMs()
    }
  }

  /// At most one byte more than the limit, so that too much is seen as such and not copied.
  private static func copy(_ bytes: GuestBytes, upTo limit: Int) -> [UInt8] { Array(bytes.raw.prefix(limit + 1)) }
}

extension DynamicBackendDefinition.HealthCheck {
  /// Reads `healthcheck_config`. Throws `inval` and `badalign` for a place where none can be.
  init(_ memory: GuestMemory, at address: UInt32) throws(Status) {
    // The whole struct first, so that no sum below can pass the end of the address space.
    guard address != 0 else { throw .inval }
    _ = try memory.pointer(address, count: HealthcheckConfig.size)
    intervalMilliseconds = try memory.load(address, as: UInt64.self)
    timeoutMilliseconds = try memory.load(address + 8, as: UInt64.self)
    host = try Self.text(memory, at: address + 16)
    method = try Self.text(memory, at: address + 24)
    path = try Self.text(memory, at: address + 32)
    expectedStatus = try memory.load(address + 40, as: UInt32.self)
    window = try memory.load(address + 44, as: UInt32.self)
    threshold = try memory.load(address + 48, as: UInt32.self)
    initial = try memory.load(address + 52, as: UInt32.self)
  }

  /// A text, all of which must lie in memory; at most one byte more of it than a check allows.
  private static func text(_ memory: GuestMemory, at address: UInt32) throws(Status) -> [UInt8] {
    let bytes = try memory.bytes(
      try memory.load(address, as: UInt32.self), count: try memory.load(address + 4, as: UInt32.self))
    return Array(bytes.raw.prefix(DynamicBackendDefinition.maximumProbeTextLength + 1))
  }
}
