import ComputeABI
import NIOCore
import NIOSSL
import Testing

@testable import FastlikeRuntime

@Suite struct BackendTLSTests {
  private static let script: BackendScene.Script = { origin in
    while try await !origin.readHead().isEmpty { try await origin.answer("secure") }
  }

  private static func serverContext() throws -> NIOSSLContext {
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(TestCertificates.origin.utf8)).map {
        .certificate($0)
      },
      privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(TestCertificates.originKey.utf8), format: .pem)))
    configuration.minimumTLSVersion = .tlsv12
    return try NIOSSLContext(configuration: configuration)
  }

  private func reply(_ change: @escaping @Sendable (inout BackendDefinition) -> Void) async throws -> Reply {
    let received = AsyncStream<Reply>.makeStream()
    try await BackendScene.run(tls: Self.serverContext(), script: Self.script) { (scene) async throws in
      received.continuation.yield(
        try await scene.send { backend in
          backend.certificateAuthoritiesPEM = [TestCertificates.root]
          change(&backend)
        })
      received.continuation.finish()
    }
    for await reply in received.stream { return reply }
    throw CancellationError()
  }

  @Test func theCertificateIsCheckedAgainstItsOwnNameWhateverTheSNI() async throws {
    let reply = try await reply {
      $0.certificateHost = "origin.test"
      $0.sniHost = "other.test"
    }
    #expect(reply.body == "secure")
    #expect(reply.phases.tlsStarted != nil && reply.phases.tlsEnded != nil)
  }

  @Test func theNameIsCheckedAlsoWithoutSNI() async throws {
    let good = try await reply {
      $0.sendsSNI = false
      $0.certificateHost = "a.wild.test"
    }
    #expect(good.body == "secure")
    let bad = try await reply {
      $0.sendsSNI = false
      $0.certificateHost = "stranger.test"
    }
    #expect(bad.failure == SendError(.tlsCertificateError))
  }

  @Test func anAddressIsCheckedAgainstTheCertificatesAddresses() async throws {
    #expect(try await reply { _ in }.body == "secure")
    #expect(try await reply { $0.certificateHost = "127.0.0.2" }.failure == SendError(.tlsCertificateError))
  }

  @Test func aMatchingSNIDoesNotReplaceTheCertificateHost() async throws {
    let reply = try await reply {
      $0.certificateHost = "stranger.test"
      $0.sniHost = "origin.test"
    }
    #expect(reply.failure == SendError(.tlsCertificateError))
  }

  @Test func aCertificateOfAnUnknownRootIsRefused() async throws {
    let reply = try await reply { $0.certificateAuthoritiesPEM = [TestCertificates.origin] }
    #expect(reply.failure == SendError(.tlsCertificateError))
  }

  @Test func unusableSettingsAreAConfigurationError() async throws {
    let error = SendError(.tlsConfigurationError)
    #expect(try await reply { $0.certificateAuthoritiesPEM = ["no certificate"] }.failure == error)
    #expect(try await reply { $0.ciphers = "nonsense" }.failure == error)
    #expect(
      try await reply {
        $0.clientCertificate = ClientCertificate(certificatePEM: TestCertificates.origin, keyPEM: "no key")
      }.failure == error)
    #expect(
      try await reply {
        $0.minimumTLSVersion = .tls13
        $0.maximumTLSVersion = .tls12
      }.failure == error)
    #expect(try await reply { $0.sniHost = String(repeating: "a", count: 300) }.failure == error)
  }

  @Test func anAlertOfTheOriginIsReportedWithItsNumber() async throws {
    // The origin speaks TLS 1.2 and up, and tells others with the alert `protocol_version` (RFC 8446 §6.2).
    let reply = try await reply {
      $0.minimumTLSVersion = .tls10
      $0.maximumTLSVersion = .tls11
    }
    #expect(reply.failure == SendError(.tlsAlertReceived, tlsAlert: 70))
  }

  @Test func anOriginThatDoesNotSpeakTLSIsAProtocolError() async throws {
    try await BackendScene.run { origin in
      try await origin.write("HTTP/1.1 400 Bad Request\r\n\r\n")
      _ = try await origin.readHead()
    } _: { (scene) async throws in
      #expect(try await scene.send { $0.usesTLS = true }.failure == SendError(.tlsProtocolError))
    }
  }
}

/// A root and an origin's certificate for the names `origin.test` and `*.wild.test` and the address 127.0.0.1, made for
/// these tests and valid until 2120.
enum TestCertificates {
  static let root = """
    -----BEGIN CERTIFICATE-----
    MIIBbjCCAROgAwIBAgIBATAKBggqhkjOPQQDAjAdMRswGQYDVQQDDBJmYXN0bGlr
    ZSB0ZXN0IHJvb3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMB0x
    GzAZBgNVBAMMEmZhc3RsaWtlIHRlc3Qgcm9vdDBZMBMGByqGSM49AgEGCCqGSM49
    AwEHA0IABNroslZfyurmYiFxM0KQ36AcIFs1o5p2scraOme1jFc56qQ6wy4bltPM
    Lj6k2lM1/CT6T54RmbxUurjetTPlyOijQjBAMA8GA1UdEwEB/wQFMAMBAf8wDgYD
    VR0PAQH/BAQDAgEGMB0GA1UdDgQWBBSxTgHY6tuZkIR6y1i/qlu5aCfYWDAKBggq
    hkjOPQQDAgNJADBGAiEArCM26bqrY5MhZKXlsn20whYMwo3li7GhEo3f3yWC0lMC
    IQD3pPtKvp/CxDAPqBNJy+J3UQQg8QiB9JaAMySJ0OqmqQ==
    -----END CERTIFICATE-----
    """

  static let origin = """
    -----BEGIN CERTIFICATE-----
    MIIBvzCCAWWgAwIBAgIBAjAKBggqhkjOPQQDAjAdMRswGQYDVQQDDBJmYXN0bGlr
    ZSB0ZXN0IHJvb3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMB8x
    HTAbBgNVBAMMFGZhc3RsaWtlIHRlc3Qgb3JpZ2luMFkwEwYHKoZIzj0CAQYIKoZI
    zj0DAQcDQgAEhrcYEkHYU1FcwYI7NE/k2fNUYkQzx24Un9wFYWsVoeNJhPWx3I29
    4H+lYNkcCxCbRLbbKsf5Nq1KzA1R5uvZfaOBkTCBjjAMBgNVHRMBAf8EAjAAMBMG
    A1UdJQQMMAoGCCsGAQUFBwMBMCkGA1UdEQQiMCCCC29yaWdpbi50ZXN0ggsqLndp
    bGQudGVzdIcEfwAAATAdBgNVHQ4EFgQUvMGYZd5GX5Lo3s46PbLiQM6GjNIwHwYD
    VR0jBBgwFoAUsU4B2OrbmZCEestYv6pbuWgn2FgwCgYIKoZIzj0EAwIDSAAwRQIg
    M2qcLLxlPfdJI1z3zBq0k5cOjOECXSCfm8XOS/8vJFACIQDO7LQuwe1hEKeStDO/
    RSK2QDISZctrrYwoM71EUgIB4w==
    -----END CERTIFICATE-----
    """

  static let originKey = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgF4561BgYpxHS+TTy
    BnHZsfmJFkdUQgoJR9vcpC4fOVahRANCAASGtxgSQdhTUVzBgjs0T+TZ81RiRDPH
    bhSf3AVhaxWh40mE9bHcjb3gf6Vg2RwLEJtEttsqx/k2rUrMDVHm69l9
    -----END PRIVATE KEY-----
    """
}
