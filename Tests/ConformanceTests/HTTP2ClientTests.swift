import Foundation
import Testing

/// HTTP/2 towards programs of others: in the clear and over TLS.
@Suite("Conformance: HTTP/2 clients", .timeLimit(.minutes(5)))
struct HTTP2ClientTests {
  private static let curl = ExternalTool.find("curl")
  private static let nghttp = ExternalTool.find("nghttp")
  private static let h2load = ExternalTool.find("h2load")
  private static let python = ExternalTool.find("python3")
  /// The package h2 for Python, which `make bootstrap` fetches; nil without it.
  private static let pythonPackages: String? = {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let place = root.appendingPathComponent(".tools/python").path
    if Places.exists(place + "/h2") { return place }
    ExternalTool.announceSkip("Python's h2", because: "it is not in .tools; `make bootstrap` fetches it")
    return nil
  }()

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
    #expect(!reply.output.contains("[ERROR]"))
    #expect(!reply.output.contains("PROTOCOL_ERROR"))
    #expect(!reply.output.contains("RST_STREAM"))
  }

  @Test(.enabled(if: python != nil && pythonPackages != nil))
  func anotherImplementationFindsNoBreachOfTheProtocol() async throws {
    let python = try #require(Self.python)
    let packages = try #require(Self.pythonPackages)
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Readers/http2_client.py").path
    let edge = try await SharedEdges.edge("bodies")
    let run = try await python.run(
      [script, "\(edge.port)"], environment: ["PYTHONPATH": packages, "PYTHONDONTWRITEBYTECODE": "1"])
    #expect(run.status == .exited(0), "\(run.errors)")
    let lines = run.output.split(separator: "\n")
    #expect(lines.count == 13)
    #expect(lines.allSatisfy { $0.split(separator: " ")[1] == "200" })
    #expect(lines.contains { $0.hasPrefix("/pattern?bytes=100009&chunk=7000 200 100009") })
    #expect(lines.contains { $0.hasPrefix("/echo 200 320000") })
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
