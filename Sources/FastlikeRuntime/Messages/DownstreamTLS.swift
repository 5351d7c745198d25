public import ComputeABI

/// What is known of a client's TLS: the raw facts, from which guests' questions are answered when they are asked.
public final class DownstreamTLS: Sendable {
  /// As in `TLSv1.3`.
  public let protocolName: String?
  /// The number of the negotiated cipher suite (IANA).
  public let cipherSuite: UInt16?
  /// The client's first handshake message, with its type and length, without record headers; empty where it is not known.
  public let clientHello: [UInt8]
  /// The client's own certificate (PEM).
  public let clientCertificate: String?
  /// What became of the client's certificate; nil where none was asked for.
  public let clientVerification: ClientCertVerifyResult?

  public init(
    protocolName: String?, cipherSuite: UInt16?, clientHello: [UInt8], clientCertificate: String? = nil,
    clientVerification: ClientCertVerifyResult? = nil
  ) {
    self.protocolName = protocolName
    self.cipherSuite = cipherSuite
    self.clientHello = clientHello
    self.clientCertificate = clientCertificate
    self.clientVerification = clientVerification
  }
}
