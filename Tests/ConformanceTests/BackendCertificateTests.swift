import Foundation
import NIOSSL
import Testing

/// Backends behind TLS: whom fastlike trusts, and what guests learn where it does not.
@Suite("Conformance: backends with TLS", .timeLimit(.minutes(5)))
struct BackendCertificateTests {
  private static let authority = #"ca_certificate = '''"# + Certificates.authority + "'''"
  private static let named = "cert_host = \"origin.example\""

  /// Runs the test with the guest `requests` and one backend `secure` at an origin that has this context.
  private func withSecureOrigin(
    _ context: NIOSSLContext, settings: [String], _ body: (FastlikeProcess) async throws -> Void
  ) async throws {
    try await withOrigin(tls: context) { origin in
      let lines = ["[local_server.backends.secure]", "url = \"https://127.0.0.1:\(origin.port)\""] + settings
      let manifest = try temporaryFile("fastly.toml", lines.joined(separator: "\n") + "\n")
      try await withFastlike("requests", ["--config", manifest]) { try await body($0) }
    }
  }

  @Test(arguments: [[], ["use_sni = false"]])
  func aTrustedBackendIsSpokenToAndItsConnectionUsedAgain(_ settings: [String]) async throws {
    let context = try Certificates.context(Certificates.origin, Certificates.originKey)
    try await withSecureOrigin(context, settings: [Self.named, Self.authority] + settings) { edge in
      let client = try await edge.connect()
      let request = "GET /send_v2?backend=secure&path=/count HTTP/1.1\r\nHost: e\r\n\r\n"
      let first = GuestReport(text: try await client.exchange(request).text)
      #expect(first["body"] == "connection 1 request 1")
      let second = GuestReport(text: try await client.exchange(request).text)
      #expect(second["body"] == "connection 1 request 2")
      await client.close()
      let upload = try await edge.report("/upload?backend=secure&path=/upload&bytes=500000")
      #expect(upload["body"] == "received 500000\\n")
    }
  }

  @Test func aBodyThatEndsWithoutFarewellIsIncomplete() async throws {
    let context = try Certificates.context(Certificates.origin, Certificates.originKey)
    try await withSecureOrigin(context, settings: [Self.named, Self.authority]) { edge in
      let report = try await edge.report("/send_v2?backend=secure&path=/short")
      #expect(report["body"] == "0123456789")
      #expect(report["body_end"] == "!httpincomplete")
    }
  }

  @Test(arguments: [
    ["cert_host = \"other.example\"", authority], [authority], [named],
  ])
  func aWrongNameOrAnUnknownAuthorityIsACertificateError(_ settings: [String]) async throws {
    let context = try Certificates.context(Certificates.origin, Certificates.originKey)
    try await withSecureOrigin(context, settings: settings) { edge in
      let report = try await edge.report("/send_v2?backend=secure&path=/hello")
      #expect(report["send"] == "!error")
      #expect(report["detail"] == "tls_certificate_error")
    }
  }

  @Test func anExpiredCertificateIsACertificateError() async throws {
    let context = try Certificates.context(Certificates.expired, Certificates.expiredKey)
    try await withSecureOrigin(context, settings: ["cert_host = \"expired.example\"", Self.authority]) { edge in
      let report = try await edge.report("/send_v2?backend=secure")
      #expect(report["detail"] == "tls_certificate_error")
    }
  }

  @Test func aSelfSignedCertificateIsACertificateErrorUnlessItIsTheAuthority() async throws {
    let context = try Certificates.context(Certificates.selfSigned, Certificates.selfSignedKey)
    try await withSecureOrigin(context, settings: [Self.named, Self.authority]) { edge in
      let report = try await edge.report("/send_v2?backend=secure")
      #expect(report["detail"] == "tls_certificate_error")
    }
    let itself = "ca_certificate = '''" + Certificates.selfSigned + "'''"
    try await withSecureOrigin(context, settings: [Self.named, itself]) { edge in
      let report = try await edge.report("/send_v2?backend=secure&path=/hello")
      #expect(report["send"] == "ok")
    }
  }

  @Test func aBackendThatAsksForACertificateGetsTheConfiguredOne() async throws {
    let context = try Certificates.context(Certificates.origin, Certificates.originKey, asksForClient: true)
    try await withSecureOrigin(context, settings: [Self.named, Self.authority]) { edge in
      let report = try await edge.report("/send_v2?backend=secure&path=/hello")
      #expect(report["detail"] == "tls_alert_received")
      // Bit 3 is the alert; 116 is "certificate required" of TLS 1.3 (RFC 8446 §6.2).
      #expect(report["detail_mask"] == "8")
      #expect(report["tls_alert"] == "116")
    }
    let folder = try Places.newFolder()
    try replaceFile(folder + "/client.pem", with: Data(Certificates.client.utf8))
    try replaceFile(folder + "/client.key", with: Data(Certificates.clientKey.utf8))
    let client =
      "client_certificate = { certificate_file = \"\(folder)/client.pem\", key_file = \"\(folder)/client.key\" }"
    try await withSecureOrigin(context, settings: [Self.named, Self.authority, client]) { edge in
      let report = try await edge.report("/send_v2?backend=secure&path=/hello")
      #expect(report["send"] == "ok")
    }
  }

  @Test func aBackendThatSpeaksNoTLSIsAProtocolError() async throws {
    try await withOrigin { origin in
      try await withFastlike("requests", ["-b", "secure=https://127.0.0.1:\(origin.port)"]) { edge in
        // The origin answers the greeting, of which it understands nothing, in clear text.
        let report = try await edge.report("/send_v2?backend=secure")
        #expect(report["detail"] == "tls_protocol_error")
      }
    }
  }
}
