import ComputeABI
import FastlikeProfile

/// `fastly_shielding`.
extension Sandbox {
  /// One byte, 1 where this host is the shield, then the plain and the encrypted URL, each with a NUL behind it.
  func shieldingShieldInfo(name: GuestBytes, infoBlock: GuestOutput) throws(Status) {
    let name = try name.string()
    guard let site = service.configuration.shieldingSites[name] else { throw .inval }
    trace?.label(.other, name)
    switch site {
    case .local: try infoBlock.write([1, 0, 0])
    case .remote(let unencrypted, let encrypted):
      try infoBlock.write([0] + Array(unencrypted.utf8) + [0] + Array(encrypted.utf8) + [0])
    }
  }

  /// Takes a shield's name, which means its encrypted URL, or a URL, as guests have it from `shield_info`. The same
  /// shield has the same backend; the options of the last call count.
  func shieldingBackendForShield(
    shieldName: GuestBytes, backendConfigMask mask: ShieldBackendOptions,
    backendConfiguration options: ShieldBackendConfig, backendName: GuestOutput
  ) throws(Status) {
    guard !mask.contains(.reserved) else { throw .inval }
    var backend = try shieldBackend(try shieldName.string())
    // The key only chooses among the platform's shield machines.
    if mask.contains(.useCacheKey) { _ = try options.cacheKey().string() }
    if mask.contains(.firstByteTimeout) { backend.firstByteTimeoutMilliseconds = try options.firstByteTimeoutMs() }
    if mask.contains(.betweenBytesTimeout) {
      backend.betweenBytesTimeoutMilliseconds = try options.betweenBytesTimeoutMs()
    }
    try backendName.write(backend.name)
    let known = storeHandles.shieldBackends
    guard known[backend.name] != nil || known.count < StoreHandles.maximumShieldBackends else { throw .limitexceeded }
    storeHandles.shieldBackends[backend.name] = backend
    trace?.label(.backend, backend.name)
  }

  private func shieldBackend(_ target: String) throws(Status) -> BackendDefinition {
    let address: String
    switch service.configuration.shieldingSites[target] {
    case .remote(_, let encrypted): address = encrypted
    // Nothing is to be sent to the shield that one is on.
    case .local: throw .inval
    case nil: address = target
    }
    guard let url = try? BackendURL(address, requiresScheme: true) else { throw .inval }
    let host = url.host.contains(":") ? "[\(url.host)]" : url.host
    let name = "shield \(url.usesTLS ? "https" : "http")://\(host):\(url.port)\(url.pathPrefix)"
    // Another backend of that name would be meant instead.
    guard service.configuration.backends[name] == nil, dynamicBackends[name] == nil else { throw .error }
    var backend = BackendDefinition(
      name: name, host: url.host, port: url.port, usesTLS: url.usesTLS, pathPrefix: url.pathPrefix)
    backend.sendsSNI = false
    backend.isDynamic = true
    return backend
  }

  /// The backend that a request to this name goes to: a configured one, one that the guest made, or the catch-all.
  func backend(named name: String) -> BackendDefinition? {
    let configuration = service.configuration
    return configuration.backends[name] ?? dynamicBackends[name] ?? storeHandles.shieldBackends[name]
      ?? configuration.catchAllBackend
  }
}
