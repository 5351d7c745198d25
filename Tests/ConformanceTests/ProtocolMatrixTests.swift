import Foundation
import Testing

/// Every protocol at the edge with every protocol to a backend, the guest passing the one on to the other.
@Suite("Conformance: protocols at the edge and to backends", .timeLimit(.minutes(5)))
struct ProtocolMatrixTests {
  private static let curl = ExternalTool.find("curl")

  /// A way to speak to the edge: curl's flag, whether over TLS, and the version that curl tells.
  struct EdgeProtocol: Sendable, CustomTestStringConvertible {
    var flag: String
    var isSecure: Bool
    var version: String
    var testDescription: String { "\(flag) \(isSecure ? "over TLS" : "in the clear")" }
  }

  private static let edges = [
    EdgeProtocol(flag: "--http1.1", isSecure: false, version: "1.1"),
    EdgeProtocol(flag: "--http2-prior-knowledge", isSecure: false, version: "2"),
    EdgeProtocol(flag: "--http1.1", isSecure: true, version: "1.1"),
    EdgeProtocol(flag: "--http2", isSecure: true, version: "2"),
  ]

  /// The backends by name: what they answer, and where they are.
  private static func backends(
    _ plain: Origin, _ secure: Origin, _ h2c: HTTP2Origin, _ h2: HTTP2Origin
  ) -> (answers: [(name: String, text: String)], manifest: String) {
    let trusted = ["cert_host = \"origin.example\"", "ca_certificate = '''" + Certificates.authority + "'''"]
    let blocks: [[String]] = [
      ["[local_server.backends.plain]", "url = \"http://127.0.0.1:\(plain.port)\""],
      ["[local_server.backends.secure]", "url = \"https://127.0.0.1:\(secure.port)\""] + trusted,
      ["[local_server.backends.h2c]", "url = \"http://127.0.0.1:\(h2c.port)\"", "grpc = true"],
      ["[local_server.backends.h2]", "url = \"https://127.0.0.1:\(h2.port)\"", "grpc = true"] + trusted,
    ]
    let answers = [
      ("plain", "hello from origin\n"), ("secure", "hello from origin\n"), ("h2c", "hello over h2\n"),
      ("h2", "hello over h2\n"),
    ]
    return (answers, blocks.joined().joined(separator: "\n") + "\n")
  }

  private func withEverything(
    _ body: (_ edge: FastlikeProcess, _ authority: String, _ answers: [(name: String, text: String)]) async throws ->
      Void
  ) async throws {
    let one = try Certificates.context(Certificates.origin, Certificates.originKey)
    let two = try Certificates.context(Certificates.origin, Certificates.originKey, protocols: ["h2"])
    let data = try Places.newFolder()
    try await withOrigin { plain in
      try await withOrigin(tls: one) { secure in
        try await withHTTP2Origin { h2c in
          try await withHTTP2Origin(tls: two) { h2 in
            let (answers, manifest) = Self.backends(plain, secure, h2c, h2)
            let flags = ["--tls", "--bind", "http://127.0.0.1:0", "-C", try temporaryFile("fastly.toml", manifest)]
            try await withFastlike("proxy", flags, environment: ["XDG_DATA_HOME": data]) { edge in
              try await body(edge, data + "/fastlike/tls/authority.pem", answers)
            }
          }
        }
      }
    }
  }

  /// Where the edge listens, in the clear or over TLS.
  private static func address(of edge: FastlikeProcess, isSecure: Bool) throws -> String {
    let mark = isSecure ? " on https://127.0.0.1:" : " on http://127.0.0.1:"
    let line = edge.child.output.split(separator: "\n").first {
      $0.hasPrefix("fastlike: serving ") && $0.contains(mark)
    }
    return String(try #require(line?.split(separator: " ").last))
  }

  /// Asks every backend in every way, and compares what curl says with the body that is expected, the version and the status.
  private func askEach(
    _ path: String, _ flags: [String] = [], expecting body: (_ answer: String) -> String
  ) async throws {
    let curl = try #require(Self.curl)
    try await withEverything { edge, authority, answers in
      for way in Self.edges {
        let address = try Self.address(of: edge, isSecure: way.isSecure)
        for (name, text) in answers {
          let reply = try await curl.run(
            [way.flag, "--silent", "--cacert", authority, "--header", "x-backend: \(name)"] + flags
              + ["--write-out", "%{http_version} %{response_code}", address + path])
          #expect(reply.output == "\(body(text))\(way.version) 200", "\(way.testDescription) to \(name)")
        }
      }
    }
  }

  @Test(.enabled(if: curl != nil))
  func aRequestPassesFromEachToEach() async throws {
    try await askEach("/hello") { $0 }
  }

  @Test(.enabled(if: curl != nil))
  func aBodyPassesFromEachToEach() async throws {
    let upload = try temporaryFile("upload", String(repeating: "0123456789abcdef", count: 20_000))
    try await askEach("/upload", ["--data-binary", "@\(upload)", "--output", upload + ".back"]) { _ in "" }
  }
}
