import ComputeABI
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOSSL

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

extension SendError {
  /// The tag for an error that the connection layers report.
  ///
  /// What no rule knows becomes ``Tag/internalError``; texts of the error are never read, apart from BoringSSL's packed
  /// number, which NIOSSL gives in no other form.
  public init(from error: any Error) {
    switch error {
    case let error as SendError: self = error
    case let error as ResponseParser.Failure: self.init(error)
    case let error as IOError: self.init(errno: error.errnoCode)
    case let error as ChannelError: self.init(error)
    case let error as NIOSSLError: self.init(error)
    case let error as BoringSSLError: self.init(error)
    case let error as NIOSSLExtraError: self.init(error)
    case let error as any NIOHTTP2Error: self.init(error)
    case is NIOHPACKErrors.MaxHeaderListSizeViolation: self.init(.httpResponseHeaderSectionTooLarge)
    case is any NIOHPACKError: self.init(.httpProtocolError)
    case is NIOSSLCloseTimedOutError, is NIOTLSUnwrappingError: self.init(.connectionTerminated)
    default: self.init(.internalError)
    }
  }

  /// Whether a TLS connection ended without the peer's farewell (RFC 8446 §6.1).
  static func isUncleanShutdown(_ error: any Error) -> Bool {
    guard let error = error as? NIOSSLError, case .uncleanShutdown = error else { return false }
    return true
  }

  init(_ failure: ResponseParser.Failure) {
    switch failure {
    case .headTooLarge: self.init(.httpResponseHeaderSectionTooLarge)
    case .invalidStatus: self.init(.httpResponseStatusInvalid)
    case .upgrade: self.init(.httpUpgradeFailed)
    case .malformed: self.init(.httpProtocolError)
    case .incomplete: self.init(.httpIncompleteResponse)
    }
  }

  /// The tag for a system call that failed.
  init(errno code: CInt) {
    switch code {
    case ECONNREFUSED: self.init(.connectionRefused)
    case ECONNRESET, ECONNABORTED, EPIPE, ENOTCONN, ESHUTDOWN, EBADF: self.init(.connectionTerminated)
    case ETIMEDOUT: self.init(.connectionTimeout)
    case EHOSTUNREACH, ENETUNREACH, ENETDOWN, EHOSTDOWN, EADDRNOTAVAIL, EAFNOSUPPORT:
      self.init(.destinationIPUnroutable)
    default: self.init(.internalError)
    }
  }

  /// The tag for an answer of `getaddrinfo`.
  ///
  /// The resolver gives no response codes, so these are the ones it stands for: "no such name" is NXDOMAIN, its
  /// temporary and its permanent failure are SERVFAIL.
  init(resolver code: CInt) {
    #if canImport(Darwin)
      let nameIsUnknown = code == EAI_NONAME
    #else
      // No address of the wanted family: glibc's EAI_NODATA, which Swift does not import.
      let nameIsUnknown = code == EAI_NONAME || code == -5
    #endif
    if nameIsUnknown {
      self.init(.dnsError, dnsResponseCode: 3)
    } else if code == EAI_AGAIN || code == EAI_FAIL {
      self.init(.dnsError, dnsResponseCode: 2)
    } else {
      self.init(.dnsError)
    }
  }

  /// What a peer did wrong in HTTP/2, or what could not be sent to it.
  private init(_ error: any NIOHTTP2Error) {
    switch error {
    case is NIOHTTP2Errors.ExcessivelyLargeHeaderBlock, is NIOHTTP2Errors.ExcessiveContinuationFrames:
      self.init(.httpResponseHeaderSectionTooLarge)
    case is NIOHTTP2Errors.InvalidStatusValue: self.init(.httpResponseStatusInvalid)
    case is NIOHTTP2Errors.ContentLengthViolated: self.init(.httpIncompleteResponse)
    case is NIOHTTP2Errors.IOOnClosedConnection, is NIOHTTP2Errors.StreamClosed: self.init(.connectionTerminated)
    default: self.init(.httpProtocolError)
    }
  }

  private init(_ error: ChannelError) {
    switch error {
    case .connectTimeout: self.init(.connectionTimeout)
    case .ioOnClosedChannel, .alreadyClosed, .outputClosed, .inputClosed, .eof: self.init(.connectionTerminated)
    case .writeHostUnreachable: self.init(.destinationIPUnroutable)
    default: self.init(.internalError)
    }
  }

  private init(_ error: NIOSSLError) {
    switch error {
    case .handshakeFailed(let cause), .shutdownFailed(let cause): self.init(cause)
    case .noSuchFilesystemObject, .failedToLoadCertificate, .failedToLoadPrivateKey:
      self.init(.tlsConfigurationError)
    case .noCertificateToValidate, .unableToValidateCertificate, .cannotFindPeerIP, .cannotMatchULabel:
      self.init(.tlsCertificateError)
    case .uncleanShutdown: self.init(.connectionTerminated)
    default: self.init(.tlsProtocolError)
    }
  }

  private init(_ error: NIOSSLExtraError) {
    switch error {
    case .failedToValidateHostname, .serverHostnameImpossibleToMatch: self.init(.tlsCertificateError)
    case .cannotUseIPAddressInSNI, .invalidSNIHostname, .unknownPrivateKeyFileType: self.init(.tlsConfigurationError)
    default: self.init(.tlsProtocolError)
    }
  }

  private init(_ error: BoringSSLError) {
    switch error {
    case .sslError(let stack), .unknownError(let stack):
      if stack.contains(where: { $0 == .eofDuringHandshake || $0 == .eofDuringAdditionalCertficiateChainValidation }) {
        self.init(.connectionTerminated)
        return
      }
      let reasons = stack.compactMap { BoringSSLReason($0) }
      if let alert = reasons.lazy.compactMap(\.alert).first {
        self.init(.tlsAlertReceived, tlsAlert: alert)
      } else if reasons.contains(where: \.isCertificateFailure) {
        self.init(.tlsCertificateError)
      } else {
        self.init(.tlsProtocolError)
      }
    case .invalidSNIName: self.init(.tlsConfigurationError)
    case .zeroReturn, .syscallError: self.init(.connectionTerminated)
    default: self.init(.tlsProtocolError)
    }
  }
}

/// The reason inside one of BoringSSL's packed error numbers (`err.h`: library in bits 24…31, reason in bits 0…11).
struct BoringSSLReason: Equatable {
  private static let sslLibrary: UInt32 = 16
  /// `SSL_AD_REASON_OFFSET`: alerts from the peer are reasons from here on.
  private static let alertOffset: UInt32 = 1000
  /// `SSL_R_CERTIFICATE_VERIFY_FAILED`.
  private static let certificateVerifyFailed: UInt32 = 125

  let library: UInt32
  let reason: UInt32

  init(packed: UInt32) {
    library = packed >> 24
    reason = packed & 0xFFF
  }

  /// Reads the number out of the error's description, which begins with `Error: <decimal number>`.
  init?(_ error: BoringSSLInternalError) {
    let words = error.description.split(separator: " ", maxSplits: 2)
    guard words.count > 1, words[0] == "Error:", let packed = UInt32(words[1]) else { return nil }
    self.init(packed: packed)
  }

  /// The number of the alert that the peer sent (RFC 8446 §6).
  var alert: UInt8? {
    guard library == Self.sslLibrary, reason >= Self.alertOffset else { return nil }
    return UInt8(exactly: reason - Self.alertOffset)
  }

  var isCertificateFailure: Bool { library == Self.sslLibrary && reason == Self.certificateVerifyFailed }
}
