import Foundation
import Testing

/// What guests learn of their client's TLS and HTTP/2.
@Suite("Conformance: downstream facts over TLS", .timeLimit(.minutes(5)))
struct DownstreamTLSTests {
  private static let curl = ExternalTool.find("curl")

  /// The guest's report to curl with these arguments, over an edge with these.
  private func report(edge arguments: [String] = [], curl flags: [String]) async throws -> GuestReport {
    let curl = try #require(Self.curl)
    let data = try Places.newFolder()
    return try await withFastlike(
      "downstream", ["--tls", "--tls-name", "app.test"] + arguments, environment: ["XDG_DATA_HOME": data]
    ) { edge in
      let reply = try await curl.run(
        [
          "--silent", "--show-error", "--cacert", data + "/fastlike/tls/authority.pem", "--resolve",
          "app.test:\(edge.port):127.0.0.1",
        ] + flags + ["https://app.test:\(edge.port)/"])
      #expect(reply.status == .exited(0), "\(reply.errors)")
      return GuestReport(text: reply.output)
    }
  }

  @Test(.enabled(if: curl != nil))
  func theFactsAreThoseOfTheHandshake() async throws {
    let report = try await report(curl: ["--http1.1", "--tlsv1.3"])
    for prefix in ["", "handle_"] {
      #expect(report[prefix + "tls_protocol"] == "TLSv1.3")
      #expect(try #require(report[prefix + "tls_cipher"]).hasPrefix("TLS_"))
      #expect(report[prefix + "tls_client_servername"] == "app.test")
      #expect(try #require(report[prefix + "tls_ja3_md5"]).count == 32)
      #expect(try #require(report[prefix + "tls_ja4"]).hasPrefix("t13d"))
      #expect(try #require(report[prefix + "tls_ja4"]).contains("h1_"))
      #expect(try #require(report[prefix + "tls_client_hello"]).hasPrefix("\\x01\\x00"))
      #expect(report[prefix + "tls_raw_client_certificate"] == "!none")
      #expect(report[prefix + "tls_client_cert_verify_result"] == "!none")
      #expect(report[prefix + "h2_fingerprint"] == "!none")
    }
  }

  @Test(.enabled(if: curl != nil))
  func anOlderClientIsToldByItsFacts() async throws {
    let report = try await report(curl: ["--http1.1", "--tls-max", "1.2"])
    #expect(report["tls_protocol"] == "TLSv1.2")
    #expect(try #require(report["tls_cipher"]).hasPrefix("ECDHE-ECDSA-"))
    #expect(try #require(report["tls_ja4"]).hasPrefix("t12d"))
  }

  @Test(.enabled(if: curl != nil))
  func anHTTP2ClientHasAFingerprint() async throws {
    let report = try await report(curl: ["--http2"])
    let fingerprint = try #require(report["h2_fingerprint"])
    #expect(fingerprint.split(separator: "|", omittingEmptySubsequences: false).count == 4)
    #expect(fingerprint.hasPrefix("3:100;4:"))
    #expect(report["handle_h2_fingerprint"] == fingerprint)
  }

  @Test func theFingerprintFollowsFromTheFirstFrames() async throws {
    let client = try await SharedEdges.edge("downstream").http2([(1, 4096), (4, 70_000)])
    try await client.send(
      .windowUpdate(0, 1000), WireFrame(kind: WireFrame.Kind.priority, stream: 3, payload: [0x80, 0, 0, 0, 15]))
    try await client.request(1, "/")
    let first = GuestReport(text: try await client.reply(1).text)
    #expect(first["h2_fingerprint"] == "1:4096;4:70000|1000|3:1:0:16|m,s,a,p")
    // It is the connection's, whatever comes later.
    try await client.send(.settings([(3, 7)]))
    try await client.request(3, "/")
    #expect(GuestReport(text: try await client.reply(3).text)["h2_fingerprint"] == first["h2_fingerprint"])
    await client.close()
  }

  @Test func theConfigurationPlaysAnotherClient() async throws {
    let manifest = try temporaryFile(
      "fastly.toml",
      """
      [local_server.downstream]
      h2_fingerprint = "1:65536|15663105|0|m,a,s,p"
      [local_server.downstream.tls]
      protocol = "TLSv1"
      cipher = "AES128-SHA"
      client_hello = "0100002903010101010101010101010101010101010101010101010101010101010101010101000002002F0100"
      client_certificate_result = "revoked"
      """)
    try await withFastlike("downstream", ["-C", manifest]) { edge in
      let report = try await edge.report("/")
      for prefix in ["", "handle_"] {
        #expect(report[prefix + "h2_fingerprint"] == "1:65536|15663105|0|m,a,s,p")
        #expect(report[prefix + "tls_protocol"] == "TLSv1")
        #expect(report[prefix + "tls_cipher"] == "AES128-SHA")
        // The MD5 of "769,47,,,".
        #expect(report[prefix + "tls_ja3_md5"] == "b02be259814e870a469a20ce9b2a7900")
        #expect(try #require(report[prefix + "tls_ja4"]).hasPrefix("t10i010000_"))
        #expect(report[prefix + "tls_client_cert_verify_result"] == "2")
        #expect(report[prefix + "tls_client_servername"] == "!none")
      }
    }
  }

  @Test(.enabled(if: curl != nil), arguments: [(true, "0"), (false, "4")])
  func aClientsCertificateAndWhatBecameOfIt(isKnown: Bool, result: String) async throws {
    let authority = try temporaryFile("clients.pem", isKnown ? Certificates.authority : Certificates.selfSigned)
    let certificate = try temporaryFile("client.pem", Certificates.client + "\n")
    let key = try temporaryFile("client-key.pem", Certificates.clientKey)
    let report = try await report(
      edge: ["--tls-client-ca", authority], curl: ["--http1.1", "--cert", certificate, "--key", key])
    #expect(report["tls_client_cert_verify_result"] == result)
    #expect(report["handle_tls_client_cert_verify_result"] == result)
    let shown = try #require(report["tls_raw_client_certificate"])
    #expect(shown.replacingOccurrences(of: "\\n", with: "\n") == Certificates.client + "\n")
  }

  @Test(.enabled(if: curl != nil))
  func aClientThatShowsNoCertificateIsReported() async throws {
    let authority = try temporaryFile("clients.pem", Certificates.authority)
    let report = try await report(edge: ["--tls-client-ca", authority], curl: ["--http1.1"])
    #expect(report["tls_client_cert_verify_result"] == "5")
    #expect(report["tls_raw_client_certificate"] == "!none")
  }

  @Test(.enabled(if: curl != nil))
  func theGuestsURLIsSecure() async throws {
    let curl = try #require(Self.curl)
    let data = try Places.newFolder()
    try await withFastlike("headers", ["--tls"], environment: ["XDG_DATA_HOME": data]) { edge in
      for flag in ["--http1.1", "--http2"] {
        let reply = try await curl.run([
          flag, "--silent", "--cacert", data + "/fastlike/tls/authority.pem", "https://localhost:\(edge.port)/echo?a=1",
        ])
        #expect(reply.output.contains("https://localhost:\(edge.port)/echo?a=1"), "\(reply.output)")
      }
    }
  }
}
