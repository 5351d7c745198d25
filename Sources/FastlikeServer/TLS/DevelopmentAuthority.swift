import Crypto
import FastlikeRuntime
import Foundation
import SwiftASN1
import X509

/// A certificate with its key.
struct CertificateWithKey: Sendable {
  let certificate: Certificate
  let key: P256.Signing.PrivateKey

  init(certificate: Certificate, key: P256.Signing.PrivateKey) {
    self.certificate = certificate
    self.key = key
  }

  /// Reads both from PEM texts.
  init(certificatePEM: String, keyPEM: String) throws {
    self.init(
      certificate: try Certificate(pemEncoded: certificatePEM),
      key: try P256.Signing.PrivateKey(pemRepresentation: keyPEM))
  }

  /// With a line end behind it.
  var certificatePEM: String { get throws { try certificate.serializeAsPEM().pemString + "\n" } }

  /// With a line end behind it.
  var keyPEM: String { key.pemRepresentation + "\n" }

  /// Whether both belong together.
  var isPair: Bool { certificate.publicKey == Certificate.PublicKey(key.publicKey) }

  /// Whether so much of its time is left, and it has begun.
  func isValid(at now: Date, andFor interval: TimeInterval) -> Bool {
    certificate.notValidBefore <= now && certificate.notValidAfter >= now.addingTimeInterval(interval)
  }
}

/// The authority of one developer on one machine: it signs certificates for the names of this machine, and nothing
/// but the key in the user's folder stands behind it.
struct DevelopmentAuthority: Sendable {
  /// Names that every certificate is for.
  static let localNames = ["localhost", "127.0.0.1", "::1"]
  /// What is left of a certificate's time when a new one is made.
  static let renewalTime: TimeInterval = 30 * 86_400
  private static let authorityTime: TimeInterval = 3650 * 86_400
  /// Apple's systems take no certificate for more than 398 days.
  private static let leafTime: TimeInterval = 397 * 86_400
  /// Clocks of virtual machines run behind that of their host.
  private static let clockSkew: TimeInterval = 3600

  let identity: CertificateWithKey

  init(_ identity: CertificateWithKey) { self.identity = identity }

  /// A new authority, which may sign certificates for servers and none for further authorities.
  static func make(now: Date) throws -> DevelopmentAuthority {
    let key = P256.Signing.PrivateKey()
    let name = try DistinguishedName { CommonName("fastlike development authority") }
    let certificate = try Certificate(
      version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: .init(key.publicKey),
      notValidBefore: now.addingTimeInterval(-clockSkew), notValidAfter: now.addingTimeInterval(authorityTime),
      issuer: name, subject: name, signatureAlgorithm: .ecdsaWithSHA256,
      extensions: try Certificate.Extensions {
        Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
        Critical(KeyUsage(keyCertSign: true, cRLSign: true))
        SubjectKeyIdentifier(hash: .init(key.publicKey))
      }, issuerPrivateKey: .init(key))
    return DevelopmentAuthority(CertificateWithKey(certificate: certificate, key: key))
  }

  /// A certificate for a server of these names and IP addresses.
  func issue(for names: [String], now: Date) throws -> CertificateWithKey {
    let key = P256.Signing.PrivateKey()
    let authorityKey = Certificate.PublicKey(identity.key.publicKey)
    let end = min(now.addingTimeInterval(Self.leafTime), identity.certificate.notValidAfter)
    let certificate = try Certificate(
      version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: .init(key.publicKey),
      notValidBefore: max(now.addingTimeInterval(-Self.clockSkew), identity.certificate.notValidBefore),
      notValidAfter: end, issuer: identity.certificate.subject,
      subject: try DistinguishedName { CommonName("fastlike development certificate") },
      signatureAlgorithm: .ecdsaWithSHA256,
      extensions: try Certificate.Extensions {
        Critical(BasicConstraints.notCertificateAuthority)
        Critical(KeyUsage(digitalSignature: true))
        try ExtendedKeyUsage([.serverAuth])
        SubjectAlternativeNames(names.map(Self.generalName))
        SubjectKeyIdentifier(hash: .init(key.publicKey))
        AuthorityKeyIdentifier(keyIdentifier: SubjectKeyIdentifier(hash: authorityKey).keyIdentifier)
      }, issuerPrivateKey: .init(identity.key))
    return CertificateWithKey(certificate: certificate, key: key)
  }

  /// Whether a certificate is one of this authority, for at least these names.
  func covers(_ leaf: Certificate, names: [String]) -> Bool {
    guard identity.certificate.publicKey.isValidSignature(leaf.signature, for: leaf),
      leaf.issuer == identity.certificate.subject
    else { return false }
    return Set(names).isSubset(of: Self.names(of: leaf))
  }

  /// The names and IP addresses that a certificate is for, as ``issue(for:now:)`` takes them.
  static func names(of certificate: Certificate) -> [String] {
    guard let names = try? certificate.extensions.subjectAlternativeNames else { return [] }
    return names.compactMap { name in
      switch name {
      case .dnsName(let name): name
      case .ipAddress(let octets): IPAddress(octets: octets.bytes)?.description
      default: nil
      }
    }
  }

  private static func generalName(_ name: String) -> GeneralName {
    guard let address = IPAddress(name) else { return .dnsName(name) }
    return .ipAddress(ASN1OctetString(contentBytes: address.octets[...]))
  }
}
