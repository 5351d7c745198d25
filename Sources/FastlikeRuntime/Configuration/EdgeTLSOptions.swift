/// How the edge speaks TLS towards its clients.
public struct EdgeTLSOptions: Sendable, Equatable {
  /// What the edge shows its clients.
  public enum Certificate: Sendable, Equatable {
    /// One of the development authority, for the local names and these.
    case development(names: [String])
    /// PEM files: the certificate with what stands between it and its authority, and the key.
    case files(certificate: String, key: String)
  }

  /// What becomes of a client that shows no certificate, or one that does not hold.
  public enum ClientAuthentication: String, Sendable, CaseIterable {
    /// It is served, and the guest can ask for the result.
    case optional
    /// The handshake fails.
    case required
  }

  public var certificate = Certificate.development(names: [])
  /// A PEM file of the authorities whose certificates clients are asked for; nil asks for none.
  public var clientAuthorities: String?
  public var clientAuthentication = ClientAuthentication.optional

  public init() {}
}
