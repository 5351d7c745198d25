public import FastlikeRuntime
import Foundation
import NIOCore
import NIOSSL

/// What the edge needs to speak TLS: its certificate and key, and how it judges those of its clients.
public struct EdgeTLS: Sendable {
  let context: NIOSSLContext
  /// Nil where clients are not asked for certificates.
  let clients: ClientCertificates?

  /// The protocols that the edge offers (ALPN), the best first.
  static let applicationProtocols = [http2, "http/1.1"]
  static let http2 = "h2"

  init(
    chain: [NIOSSLCertificate], key: NIOSSLPrivateKey, clients: ClientCertificates? = nil,
    requiresClientCertificate: Bool = false
  ) throws {
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
    configuration.minimumTLSVersion = .tlsv12
    configuration.applicationProtocols = Self.applicationProtocols
    configuration.shutdownTimeout = .seconds(1)
    if let clients {
      configuration.certificateVerification =
        requiresClientCertificate ? .noHostnameVerification : .optionalVerification
      configuration.trustRoots = .certificates(clients.authorities)
      configuration.sendCANameList = true
    }
    context = try NIOSSLContext(configuration: configuration)
    self.clients = clients
  }

  /// Reads or makes what the options ask for.
  ///
  /// - Returns: What the listener needs, and for a development certificate how clients can trust it.
  /// - Throws: ``ConfigurationError`` naming the flag and the file.
  public static func load(_ options: EdgeTLSOptions) throws -> (edge: EdgeTLS, trustAdvice: String?) {
    let clients = try options.clientAuthorities.map { path in
      try ClientCertificates(
        authorities: try certificates(path, flag: "--tls-client-ca"),
        isRequired: options.clientAuthentication == .required)
    }
    let isRequired = options.clientAuthentication == .required
    switch options.certificate {
    case .files(let certificate, let key):
      let chain = try certificates(certificate, flag: "--tls-cert")
      let key = try privateKey(key, flag: "--tls-key")
      do {
        let edge = try EdgeTLS(chain: chain, key: key, clients: clients, requiresClientCertificate: isRequired)
        return (edge, nil)
      } catch {
        throw ConfigurationError(place: "--tls-key", problem: "is not the key of the first certificate of --tls-cert")
      }
    case .development(let names):
      let loaded = try DevelopmentCertificates.standard().load(names: names)
      let edge = try EdgeTLS(
        chain: try NIOSSLCertificate.fromPEMBytes(Array(try loaded.leaf.certificatePEM.utf8)),
        key: try NIOSSLPrivateKey(bytes: Array(loaded.leaf.keyPEM.utf8), format: .pem),
        clients: clients, requiresClientCertificate: isRequired)
      return (edge, advice(loaded))
    }
  }

  private static func advice(_ loaded: DevelopmentCertificates.Loaded) -> String {
    let path = loaded.authorityPath
    #if os(macOS)
      let system = "security add-trusted-cert -k ~/Library/Keychains/login.keychain-db '\(path)'"
    #else
      let system =
        "sudo cp '\(path)' /usr/local/share/ca-certificates/fastlike.crt && sudo update-ca-certificates, "
        + "and import it into the browser as an authority"
    #endif
    return loaded.isNewAuthority
      ? "made a development authority; to trust it: curl --cacert '\(path)', or for every program: \(system)"
      : "the certificate is of the development authority \(path) (curl --cacert '\(path)')"
  }

  /// Closes a channel without TLS's goodbye, so that its end does not look like the end of a message.
  static func close(_ channel: any Channel, beneath handler: NIOSSLServerHandler? = nil) {
    let operations = channel.pipeline.syncOperations
    let context =
      handler.flatMap { try? operations.context(handler: $0) }
      ?? (try? operations.context(handlerType: NIOSSLServerHandler.self))
    if let context { context.close(promise: nil) } else { channel.close(promise: nil) }
  }

  // MARK: Files

  private static func contents(_ path: String, flag: String) throws -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ConfigurationError(place: "\(flag) \(path)", problem: "cannot be read; give a PEM file")
    }
    return [UInt8](data)
  }

  private static func certificates(_ path: String, flag: String) throws -> [NIOSSLCertificate] {
    let bytes = try contents(path, flag: flag)
    guard let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes), !certificates.isEmpty else {
      throw ConfigurationError(place: "\(flag) \(path)", problem: "holds no certificate; give a PEM file")
    }
    return certificates
  }

  private static func privateKey(_ path: String, flag: String) throws -> NIOSSLPrivateKey {
    let bytes = try contents(path, flag: flag)
    do {
      return try NIOSSLPrivateKey(bytes: bytes, format: .pem)
    } catch {
      throw ConfigurationError(
        place: "\(flag) \(path)", problem: "holds no private key without a passphrase; give a PEM file")
    }
  }
}

/// The text form of binary certificates (RFC 7468).
enum PEMText {
  static func certificate(_ der: [UInt8]) -> String {
    let text = Array(Data(der).base64EncodedString())
    let lines = stride(from: 0, to: text.count, by: 64).map { String(text[$0..<min($0 + 64, text.count)]) }
    return "-----BEGIN CERTIFICATE-----\n" + lines.joined(separator: "\n") + "\n-----END CERTIFICATE-----\n"
  }
}
