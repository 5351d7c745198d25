import ComputeABI
import NIOSSL

extension FastlyManifestReader {
  private static let backendKeys = [
    "url", "override_host", "cert_host", "use_sni", "grpc", "ca_certificate", "client_certificate",
    "first_byte_timeout_ms", "between_bytes_timeout_ms", "health",
  ]

  /// `[local_server.backends]`.
  mutating func readBackends(_ table: ConfigurationTable) throws {
    for (name, entry) in table.entries {
      manifest.backends[name] = try readBackend(name, entry.table("a table with url"))
    }
  }

  private mutating func readBackend(_ name: String, _ table: ConfigurationTable) throws -> BackendDefinition {
    try table.allowOnly(Self.backendKeys)
    let urlEntry = try table.required("url", "the backend's URL, for example \"http://localhost:8080\"")
    let url: BackendURL
    do {
      url = try BackendURL(urlEntry.string(), requiresScheme: true)
    } catch let malformed as BackendURL.Malformed {
      throw urlEntry.error(malformed.problem)
    }
    var backend = BackendDefinition(
      name: name, host: url.host, port: url.port, usesTLS: url.usesTLS, pathPrefix: url.pathPrefix)
    backend.overrideHost = try table["override_host"].map { entry in
      let host = try entry.nonBlankString()
      guard isHeaderValue(host) else { throw entry.error("must be a host name, without control characters") }
      return host
    }
    backend.certificateHost = try table["cert_host"]?.nonBlankString()
    backend.sendsSNI = try table["use_sni"]?.boolean() ?? true
    backend.isGRPC = try table["grpc"]?.boolean() ?? false
    backend.certificateAuthoritiesPEM = try table["ca_certificate"].map { try readAuthorities($0) } ?? []
    backend.clientCertificate = try table["client_certificate"].map { try readClientCertificate($0) }
    backend.firstByteTimeoutMilliseconds = try table["first_byte_timeout_ms"].map { try milliseconds($0) }
    backend.betweenBytesTimeoutMilliseconds = try table["between_bytes_timeout_ms"].map { try milliseconds($0) }
    backend.health = try table["health"].map { try health($0) } ?? .unknown
    return backend
  }

  private func milliseconds(_ entry: ConfigurationEntry) throws -> UInt32 {
    guard let milliseconds = UInt32(exactly: try entry.integer()) else {
      throw entry.error("must be a number of milliseconds from 0 to \(UInt32.max)")
    }
    return milliseconds
  }

  private func health(_ entry: ConfigurationEntry) throws -> BackendHealth {
    switch try entry.string().lowercased() {
    case "unknown": .unknown
    case "healthy": .healthy
    case "unhealthy": .unhealthy
    default: throw entry.error("must be \"unknown\", \"healthy\" or \"unhealthy\"")
    }
  }

  /// PEM text, `{file = …}`, `{value = …}`, or an array of these.
  private mutating func readAuthorities(_ entry: ConfigurationEntry) throws -> [String] {
    if case .array = entry.value {
      var authorities: [String] = []
      for element in try entry.elements() { authorities.append(try readAuthority(element)) }
      return authorities
    }
    return [try readAuthority(entry)]
  }

  private mutating func readAuthority(_ entry: ConfigurationEntry) throws -> String {
    let pem: String
    switch entry.value {
    case .string: pem = try entry.nonBlankString()
    case .object:
      let table = try entry.table()
      try table.allowOnly(["file", "value"])
      guard let (key, source) = try table.single(of: ["file", "value"]) else {
        throw entry.error("must have file or value")
      }
      pem = key == "file" ? try files.text(of: source.string(), error: source.error) : try source.nonBlankString()
    default: throw entry.error("must be PEM text, a table with file or value, or an array of these")
    }
    try checkCertificates(pem, entry)
    return pem
  }

  private func checkCertificates(_ pem: String, _ entry: ConfigurationEntry) throws {
    guard let certificates = try? NIOSSLCertificate.fromPEMBytes(Array(pem.utf8)), !certificates.isEmpty else {
      throw entry.error("holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)")
    }
  }

  private mutating func readClientCertificate(_ entry: ConfigurationEntry) throws -> ClientCertificate {
    let table = try entry.table("a table with certificate or certificate_file, and key or key_file")
    try table.allowOnly(["certificate", "certificate_file", "key", "key_file"])
    let certificate = try readPEM(table, "certificate")
    try checkCertificates(certificate.pem, certificate.entry)
    let key = try readPEM(table, "key")
    guard (try? NIOSSLPrivateKey(bytes: Array(key.pem.utf8), format: .pem)) != nil else {
      throw key.entry.error("holds no private key in PEM form (PKCS #8, RSA or EC, without a passphrase)")
    }
    return ClientCertificate(certificatePEM: certificate.pem, keyPEM: key.pem)
  }

  private mutating func readPEM(
    _ table: ConfigurationTable, _ name: String
  ) throws -> (pem: String, entry: ConfigurationEntry) {
    guard let (key, entry) = try table.single(of: [name, name + "_file"]) else {
      throw table.entry.error("\(name) is missing: give \(name) or \(name)_file")
    }
    return (key == name ? try entry.nonBlankString() : try files.text(of: entry.string(), error: entry.error), entry)
  }
}
