import Foundation
import Testing

/// HTTP/2 towards programs of others: in the clear and over TLS.
@Suite("Conformance: HTTP/2 clients", .timeLimit(.minutes(5)))
struct HTTP2ClientTests {
  private static let curl = ExternalTool.find("curl")
  private static let nghttp = ExternalTool.find("nghttp")
  private static let h2load = ExternalTool.find("h2load")

  private func withSecureEdge(
    _ module: String, _ body: (_ edge: FastlikeProcess, _ authority: String) async throws -> Void
  ) async throws {
    let data = try Places.newFolder()
    try await withFastlike(module, ["--tls"], environment: ["XDG_DATA_HOME": data]) { edge in
      try await body(edge, data + "/fastlike/tls/authority.pem")
    }
  }

  @Test(.enabled(if: curl != nil), arguments: [("--http1.1", "1.1"), ("--http2", "2")])
  func curlSpeaksWhatItPrefersOverTLS(flag: String, version: String) async throws {
    let curl = try #require(Self.curl)
    try await withSecureEdge("hello") { edge, authority in
      let reply = try await curl.run([
        flag, "--silent", "--cacert", authority, "--write-out", "%{http_version} %{response_code}",
        "https://localhost:\(edge.port)/",
      ])
      #expect(reply.output == "Hello from the edge\n\(version) 200")
    }
  }

  @Test(.enabled(if: curl != nil), arguments: [("--http1.1", "1.1"), ("--http2-prior-knowledge", "2")])
  func curlSpeaksWhatItKnowsInTheClear(flag: String, version: String) async throws {
    let curl = try #require(Self.curl)
    let edge = try await SharedEdges.edge("bodies")
    let upload = try temporaryFile("upload", String(repeating: "0123456789abcdef", count: 20_000))
    let reply = try await curl.run([
      flag, "--silent", "--data-binary", "@\(upload)", "--output", upload + ".back", "--write-out",
      "%{http_version} %{size_download}", "http://127.0.0.1:\(edge.port)/echo",
    ])
    #expect(reply.output == "\(version) 320000")
    #expect(FileManager.default.contentsEqual(atPath: upload, andPath: upload + ".back"))
  }

  @Test(.enabled(if: nghttp != nil))
  func nghttpFindsNothingToComplainAbout() async throws {
    let nghttp = try #require(Self.nghttp)
    let edge = try await SharedEdges.edge("bodies")
    let base = "http://127.0.0.1:\(edge.port)"
    let reply = try await nghttp.run([
      "--no-dep", "-v", "-n", "\(base)/pattern?bytes=200000&chunk=5000", "\(base)/response_trailers", "\(base)/ends",
    ])
    #expect(reply.status == .exited(0))
    #expect(reply.output.components(separatedBy: ":status: 200").count == 4)
    #expect(!reply.output.contains("ERROR"))
    #expect(!reply.output.contains("RST_STREAM"))
  }

  @Test(.enabled(if: h2load != nil), arguments: [false, true])
  func manyStreamsOfManyConnectionsAreAllAnswered(isSecure: Bool) async throws {
    let h2load = try #require(Self.h2load)
    try await withSecureEdge("hello") { edge, _ in
      let clear = try await FastlikeProcess.start("hello")
      let url = isSecure ? "https://127.0.0.1:\(edge.port)/" : "http://127.0.0.1:\(clear.port)/"
      let load = try await h2load.run(["-n", "2000", "-c", "8", "-m", "16", url])
      await clear.child.end()
      #expect(load.output.contains("2000 succeeded, 0 failed, 0 errored, 0 timeout"), "\(load.output)")
      #expect(load.output.contains("status codes: 2000 2xx"))
    }
  }
}
