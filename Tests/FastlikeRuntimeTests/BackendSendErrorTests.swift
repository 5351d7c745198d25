import ComputeABI
import NIOCore
import NIOSSL
import Testing

@testable import FastlikeRuntime

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

@Suite struct BackendSendErrorTests {
  @Test(arguments: [
    (ECONNREFUSED, SendError.Tag.connectionRefused), (ECONNRESET, .connectionTerminated),
    (EPIPE, .connectionTerminated), (ETIMEDOUT, .connectionTimeout), (EHOSTUNREACH, .destinationIPUnroutable),
    (ENETUNREACH, .destinationIPUnroutable), (EMFILE, .internalError),
  ])
  func systemErrorsHaveTheirTag(code: CInt, tag: SendError.Tag) {
    #expect(SendError(from: IOError(errnoCode: code, reason: "test")) == SendError(tag))
  }

  @Test func channelErrorsHaveTheirTag() {
    #expect(SendError(from: ChannelError.connectTimeout(.seconds(1))).tag == .connectionTimeout)
    #expect(SendError(from: ChannelError.ioOnClosedChannel).tag == .connectionTerminated)
    #expect(SendError(from: ChannelError.eof).tag == .connectionTerminated)
    #expect(SendError(from: ChannelError.operationUnsupported).tag == .internalError)
  }

  @Test func tlsErrorsHaveTheirTag() {
    #expect(SendError(from: NIOSSLError.handshakeFailed(.sslError([.eofDuringHandshake]))).tag == .connectionTerminated)
    #expect(SendError(from: NIOSSLError.handshakeFailed(.sslError([]))).tag == .tlsProtocolError)
    #expect(SendError(from: NIOSSLError.failedToLoadCertificate).tag == .tlsConfigurationError)
    #expect(SendError(from: NIOSSLExtraError.failedToValidateHostname).tag == .tlsCertificateError)
    #expect(SendError(from: NIOSSLExtraError.invalidSNIHostname).tag == .tlsConfigurationError)
  }

  @Test func anAlertsNumberIsReadFromBoringSSLsCode() {
    let badCertificate = BoringSSLReason(packed: 16 << 24 | 1042)
    #expect(badCertificate.alert == 42 && !badCertificate.isCertificateFailure)
    let verifyFailed = BoringSSLReason(packed: 16 << 24 | 125)
    #expect(verifyFailed.alert == nil && verifyFailed.isCertificateFailure)
    #expect(BoringSSLReason(packed: 11 << 24 | 1042).alert == nil)
  }

  @Test func resolverFailuresHaveAResponseCode() {
    #expect(SendError(resolver: EAI_NONAME) == SendError(.dnsError, dnsResponseCode: 3))
    #expect(SendError(resolver: EAI_AGAIN) == SendError(.dnsError, dnsResponseCode: 2))
    #expect(SendError(resolver: EAI_FAIL) == SendError(.dnsError, dnsResponseCode: 2))
    #expect(SendError(resolver: EAI_MEMORY) == SendError(.dnsError))
  }

  @Test func brokenResponsesHaveTheirTag() {
    #expect(SendError(ResponseParser.Failure.headTooLarge).tag == .httpResponseHeaderSectionTooLarge)
    #expect(SendError(ResponseParser.Failure.invalidStatus).tag == .httpResponseStatusInvalid)
    #expect(SendError(ResponseParser.Failure.upgrade).tag == .httpUpgradeFailed)
    #expect(SendError(ResponseParser.Failure.malformed).tag == .httpProtocolError)
    #expect(SendError(ResponseParser.Failure.incomplete).tag == .httpIncompleteResponse)
  }

  @Test func anUnknownErrorIsInternal() {
    struct Other: Error {}
    #expect(SendError(from: Other()).tag == .internalError)
    #expect(SendError(from: SendError(.h2Error)).tag == .h2Error)
  }
}

@Suite struct BackendNameTests {
  @Test(arguments: [
    ("origin.test", "origin.test", true), ("ORIGIN.test.", "origin.TEST", true),
    ("origin.test", "x.origin.test", false),
    ("*.wild.test", "a.wild.test", true), ("*.wild.test", "a.b.wild.test", false), ("*.wild.test", "wild.test", false),
    ("*.test", "a.test", false), ("*", "test", false), ("a*.wild.test", "ab.wild.test", false), ("", "", false),
    ("*.wild.test", ".wild.test", false), ("*.*.test", "a.b.test", false),
  ])
  func aCertificateNameStandsForItsHostsOnly(pattern: String, name: String, matches: Bool) {
    #expect(CertificateName.matches(pattern: Array(pattern.utf8), name: name) == matches)
  }

  @Test func aCipherListIsReadByItsNamesAndOperators() throws {
    #expect(
      try TLSCipherList.ciphers(in: "AES256-SHA:nonsense:ECDHE-RSA-AES128-GCM-SHA256")
        == [.TLS_RSA_WITH_AES_256_CBC_SHA, .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256])
    #expect(try TLSCipherList.ciphers(in: "HIGH:!AES256-SHA")?.contains(.TLS_RSA_WITH_AES_256_CBC_SHA) == false)
    #expect(try TLSCipherList.ciphers(in: "!AES128-SHA:AES128-SHA:AES256-SHA") == [.TLS_RSA_WITH_AES_256_CBC_SHA])
    #expect(try TLSCipherList.ciphers(in: "TLS_AES_128_GCM_SHA256") == nil)
    #expect(try TLSCipherList.ciphers(in: "") == nil)
  }

  @Test(arguments: ["nonsense", "!ALL", "ALL:!ALL", "AES128-SHA:-AES128-SHA"])
  func aCipherListThatLeavesNothingIsAConfigurationError(list: String) {
    #expect(throws: SendError(.tlsConfigurationError)) { try TLSCipherList.ciphers(in: list) }
  }

  @Test func addressesAlternateBetweenFamiliesBeginningWithIPv6() throws {
    func address(_ text: String) throws -> SocketAddress { try SocketAddress(ipAddress: text, port: 80) }
    let mixed = try ["10.0.0.1", "10.0.0.2", "10.0.0.3", "::1", "::2"].map(address)
    #expect(
      HostLookup.interleaved(mixed) == (try ["::1", "10.0.0.1", "::2", "10.0.0.2", "10.0.0.3"].map(address)))
  }

  @Test func literalsAndLocalhostNeedNoResolver() throws {
    #expect(HostLookup.immediateAddresses(of: "127.0.0.1", port: 80)?.count == 1)
    #expect(HostLookup.immediateAddresses(of: "::1", port: 80)?.first?.protocol == .inet6)
    #expect(HostLookup.immediateAddresses(of: "LocalHost", port: 80)?.count == 2)
    #expect(HostLookup.immediateAddresses(of: "api.localhost", port: 80)?.count == 2)
    #expect(HostLookup.immediateAddresses(of: "origin.example", port: 80) == nil)
  }
}
