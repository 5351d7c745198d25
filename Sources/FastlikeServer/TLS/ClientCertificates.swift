import ComputeABI
import Foundation
import NIOCore
import NIOSSL
import SwiftASN1
import Synchronization
@_spi(FixedExpiryValidationTime) import X509

/// Judges the certificates that clients show.
///
/// Where they are optional, a certificate that does not hold does not end the handshake: the guest asks for the result
/// and decides, as it does at the platform's edge.
final class ClientCertificates: Sendable {
  let authorities: [NIOSSLCertificate]
  let isRequired: Bool
  private let roots: CertificateStore
  /// Results of full handshakes, for connections that resume one and therefore show nothing (RFC 8446 §2.2).
  private let known = Mutex<[[UInt8]: ClientCertVerifyResult]>([:])
  private static let maximumKnown = 1024

  init(authorities: [NIOSSLCertificate], isRequired: Bool) throws {
    self.authorities = authorities
    self.isRequired = isRequired
    roots = CertificateStore(try authorities.map { try Certificate(derEncoded: try $0.toDERBytes()) })
  }

  /// What NIOSSL asks within a handshake.
  func verify(_ chain: [NIOSSLCertificate], promise: EventLoopPromise<NIOSSLVerificationResult>) {
    let encoded = chain.compactMap { try? $0.toDERBytes() }
    promise.completeWithTask { [self] in
      let result = await judge(encoded)
      if let leaf = encoded.first {
        known.withLock { known in
          if known.count >= Self.maximumKnown { known.removeAll() }
          known[leaf] = result
        }
      }
      return isRequired && result != .ok ? .failed : .certificateVerified
    }
  }

  /// The result of the handshake that a connection with this certificate (DER) goes back to; nil is one without.
  func result(of leaf: [UInt8]?) -> ClientCertVerifyResult {
    guard let leaf else { return .certificateMissing }
    return known.withLock { $0[leaf] } ?? .certificateUnknown
  }

  /// Judges a chain of certificates (DER), the client's own first.
  func judge(_ chain: [[UInt8]]) async -> ClientCertVerifyResult {
    guard let first = chain.first else { return .certificateMissing }
    guard let leaf = try? Certificate(derEncoded: first) else { return .badCertificate }
    let others = CertificateStore(chain.dropFirst().compactMap { try? Certificate(derEncoded: $0) })
    var verifier = Verifier(rootCertificates: roots) { RFC5280Policy() }
    switch await verifier.validate(leaf: leaf, intermediates: others) {
    case .validCertificate: return .ok
    // No chain led to an authority.
    case .couldNotValidate(let failures) where failures.isEmpty: return .unknownCa
    case .couldNotValidate: break
    }
    guard leaf.notValidAfter < Date() else { return .badCertificate }
    // It is over; whether it held before tells this from a bad one.
    let middle = leaf.notValidBefore.addingTimeInterval(leaf.notValidAfter.timeIntervalSince(leaf.notValidBefore) / 2)
    var former = Verifier(rootCertificates: roots) { RFC5280Policy(fixedExpiryValidationTime: middle) }
    if case .validCertificate = await former.validate(leaf: leaf, intermediates: others) { return .certificateExpired }
    return .badCertificate
  }
}
