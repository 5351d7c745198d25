import Testing

/// The edge's TLS, seen by programs of others.
@Suite("Conformance: TLS", .timeLimit(.minutes(5)))
struct TLSTests {
  private static let curl = ExternalTool.find("curl")
  private static let openssl = ExternalTool.find("openssl")

  /// Runs an edge with a development certificate in a folder of its own.
  private func withSecureEdge(
    _ module: String = "hello", _ arguments: [String] = ["--tls"],
    _ body: (_ edge: FastlikeProcess, _ authority: String) async throws -> Void
  ) async throws {
    let data = try Places.newFolder()
    try await withFastlike(module, arguments, environment: ["XDG_DATA_HOME": data]) { edge in
      try await body(edge, data + "/fastlike/tls/authority.pem")
    }
  }

  @Test func theStartTellsTheSecureAddressAndHowToTrustIt() async throws {
    try await withSecureEdge { edge, authority in
      let lines = edge.child.output.split(separator: "\n")
      #expect(lines.contains("fastlike: serving hello on https://127.0.0.1:\(edge.port)"))
      #expect(edge.child.output.contains("curl --cacert '\(authority)'"))
    }
  }

  @Test(.enabled(if: curl != nil))
  func curlAcceptsTheDevelopmentCertificateByNameAndAddress() async throws {
    let curl = try #require(Self.curl)
    try await withSecureEdge("hello", ["--tls", "--tls-name", "app.test"]) { edge, authority in
      for host in ["localhost", "127.0.0.1", "app.test"] {
        let reply = try await curl.run([
          "--silent", "--show-error", "--cacert", authority, "--resolve", "\(host):\(edge.port):127.0.0.1",
          "https://\(host):\(edge.port)/",
        ])
        #expect(reply.output == "Hello from the edge\n", "\(host): \(reply.errors)")
      }
    }
  }

  @Test(.enabled(if: curl != nil))
  func curlRefusesTheCertificateForAnotherNameAndWithoutTheAuthority() async throws {
    let curl = try #require(Self.curl)
    try await withSecureEdge { edge, authority in
      let other = try await curl.run([
        "--silent", "--cacert", authority, "--resolve", "other.test:\(edge.port):127.0.0.1",
        "https://other.test:\(edge.port)/",
      ])
      #expect(other.status == .exited(60))
      let untrusting = try await curl.run(["--silent", "https://127.0.0.1:\(edge.port)/"])
      #expect(untrusting.status == .exited(60))
    }
  }

  @Test(.enabled(if: openssl != nil), arguments: ["-tls1_2", "-tls1_3"])
  func opensslVerifiesTheCertificateInBothVersions(version: String) async throws {
    let openssl = try #require(Self.openssl)
    try await withSecureEdge { edge, authority in
      let session = try await openssl.run([
        "s_client", "-connect", "127.0.0.1:\(edge.port)", "-CAfile", authority, "-verify_return_error", "-alpn",
        "http/1.1", version,
      ])
      #expect(session.status == .exited(0))
      #expect(session.output.contains("Verify return code: 0 (ok)"))
      #expect(session.output.contains("ALPN protocol: http/1.1"))
    }
  }

  @Test(.enabled(if: curl != nil))
  func clearAndSecureAddressesServeSideBySide() async throws {
    let curl = try #require(Self.curl)
    try await withSecureEdge("hello", ["--tls", "--bind", "http://127.0.0.1:0"]) { edge, authority in
      let mark = " on http://127.0.0.1:"
      let clear = try #require(edge.child.output.split(separator: "\n").first { $0.contains(mark) })
      let url = try #require(clear.split(separator: " ").last)
      let reply = try await curl.run(["--silent", String(url)])
      #expect(reply.output == "Hello from the edge\n")
    }
  }

  @Test(.enabled(if: curl != nil))
  func aCertificateOfOnesOwnIsShown() async throws {
    let curl = try #require(Self.curl)
    let authority = try temporaryFile("authority.pem", Certificates.authority)
    let arguments = [
      "--tls-cert", try temporaryFile("edge.pem", Certificates.origin),
      "--tls-key", try temporaryFile("edge-key.pem", Certificates.originKey),
    ]
    try await withFastlike("hello", arguments) { edge in
      let reply = try await curl.run([
        "--silent", "--cacert", authority, "--resolve", "origin.example:\(edge.port):127.0.0.1",
        "https://origin.example:\(edge.port)/",
      ])
      #expect(reply.output == "Hello from the edge\n")
    }
  }

  @Test func mistakesInTheFilesNameFlagAndFile() async throws {
    let certificate = try temporaryFile("edge.pem", Certificates.origin)
    let key = try temporaryFile("key.pem", Certificates.originKey)
    let other = try temporaryFile("other.pem", Certificates.clientKey)
    let module = try Places.guest("hello")
    let cases = [
      (["--tls-cert", "/nowhere.pem", "--tls-key", key], "fastlike: --tls-cert /nowhere.pem: cannot be read"),
      (["--tls-cert", key, "--tls-key", key], "fastlike: --tls-cert \(key): holds no certificate"),
      (
        ["--tls-cert", certificate, "--tls-key", certificate],
        "fastlike: --tls-key \(certificate): holds no private key"
      ),
      (
        ["--tls-cert", certificate, "--tls-key", other], "fastlike: --tls-key: is not the key of the first certificate"
      ),
    ]
    for (arguments, message) in cases {
      let ended = try await fastlike(
        ["--bind", "127.0.0.1:0", "--module-cache", Places.moduleCache] + arguments + [module])
      #expect(ended.status == .exited(2))
      #expect(ended.errors.contains(message), "\(ended.errors)")
    }
  }
}
