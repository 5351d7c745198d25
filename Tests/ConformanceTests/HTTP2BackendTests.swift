import NIOSSL
import Testing

/// Backends that are spoken to in HTTP/2: with prior knowledge in clear, by ALPN over TLS.
@Suite("Conformance: backends over HTTP/2", .timeLimit(.minutes(5)))
struct HTTP2BackendTests {
  private static let secure = [
    "cert_host = \"origin.example\"", "ca_certificate = '''" + Certificates.authority + "'''",
  ]

  /// The lines of a manifest with one gRPC backend at this origin, and those of the backend's own.
  static func manifest(_ origin: HTTP2Origin, scheme: String = "http", settings: [String] = []) throws -> String {
    let lines =
      ["[local_server.backends.origin]", "url = \"\(scheme)://127.0.0.1:\(origin.port)\"", "grpc = true"] + settings
    return try temporaryFile("fastly.toml", lines.joined(separator: "\n") + "\n")
  }

  private func withRequests(
    streamLimit: Int = 1_000, settings: [String] = [], _ body: (HTTP2Origin, FastlikeProcess) async throws -> Void
  ) async throws {
    try await withHTTP2Origin(streamLimit: streamLimit) { origin in
      let manifest = try Self.manifest(origin, settings: settings)
      try await withFastlike("requests", ["-C", manifest]) { try await body(origin, $0) }
    }
  }

  /// Sends through one client connection, so that everything happens on one event loop and with its pool.
  private func bodies(_ targets: [String], of edge: FastlikeProcess) async throws -> [String] {
    let client = try await edge.connect()
    var bodies: [String] = []
    for target in targets {
      let reply = try await client.exchange("GET \(target) HTTP/1.1\r\nHost: e\r\n\r\n")
      let report = GuestReport(text: reply.text)
      bodies.append(report["body"] ?? report["detail"] ?? reply.text)
    }
    await client.close()
    return bodies
  }

  // MARK: Messages

  @Test func aRequestHasItsPseudoFieldsAndNoneOfHTTP1() async throws {
    try await withRequests { origin, edge in
      let report = try await edge.report(
        "/send_v2?path=/inspect%3Fa=b&host=api.example&method=POST&body=content&header=X-Up&value=1")
      #expect(report["status"] == "200")
      let seen = try #require(origin.seen.first)
      #expect(
        seen.headers.prefix(4) == [
          ":method: POST", ":scheme: http", ":authority: api.example", ":path: /inspect?a=b",
        ])
      #expect(seen.headers.contains("x-up: 1") && seen.headers.contains("content-length: 7"))
      #expect(!seen.headers.contains { $0.hasPrefix("host:") || $0.hasPrefix("connection:") })
    }
  }

  @Test(arguments: [("trailers", true), ("gzip, Trailers;q=1, trailers", true), ("gzip", false)])
  func ofTEOnlyTrailersIsLeft(_ value: String, _ isSent: Bool) async throws {
    try await withRequests { origin, edge in
      let encoded = value.replacing(" ", with: "%20")
      _ = try await edge.report("/send_v2?path=/hello&header=TE&value=\(encoded)")
      #expect(origin.seen.first?.headers.contains("te: trailers") == isSent)
    }
  }

  @Test func aCallGoesBothWaysAtOnceAndEndsWithTrailers() async throws {
    try await withRequests { _, edge in
      let report = try await edge.report("/streaming_v2?path=/echo&header=te&value=trailers")
      #expect(report["status"] == "200")
      for line in 0...2 { #expect(report["echo_\(line)"] == "line \(line)\\n") }
      #expect(report["close"] == "ok")
      #expect(report["rest_body_end"] == "ok")
    }
  }

  @Test func trailersGoBothWays() async throws {
    try await withRequests { origin, edge in
      let report = try await edge.report("/trailers?path=/trailers")
      #expect(report["names_early"] == "!again")
      #expect(report["body"] == "content")
      #expect(report["names"] == "x-from-origin,x-trailers")
      #expect(report["x-from-origin"] == "yes")
      #expect(origin.seen.first?.bodyBytes == 7)
    }
  }

  @Test func aResponseMayBeTrailersOnly() async throws {
    try await withRequests { _, edge in
      let report = try await edge.report("/send_v2?path=/trailers_only&show=grpc-status")
      #expect(report["header.grpc-status"] == "12")
      #expect(report["body_length"] == "0")
    }
  }

  @Test func informationalResponsesAreSkipped() async throws {
    try await withRequests { _, edge in
      let report = try await edge.report("/send_v2?path=/early")
      #expect(report["body"] == "after the hints\\n")
    }
  }

  @Test(arguments: ["204", "304", "404", "500"])
  func aStatusWithoutABodyEndsWithItsHead(_ status: String) async throws {
    try await withRequests { _, edge in
      let report = try await edge.report("/send_v2?path=/status/\(status)")
      #expect(report["status"] == status)
      #expect(report["body_end"] == "ok")
    }
  }

  @Test func largeBodiesFlowInBothDirections() async throws {
    try await withRequests { origin, edge in
      let download = try await edge.report("/send_v2?path=/large%3Fbytes=3000000")
      #expect(download["body_length"] == "3000000")
      #expect(download["body_end"] == "ok")
      let upload = try await edge.report("/upload?path=/upload&bytes=1000000")
      #expect(upload["body"] == "received 0 trailers\\n")
      #expect(origin.seen.last?.bodyBytes == 1_000_000)
    }
  }

  @Test func aBackendThatGrantsNoRoomHoldsTheUpload() async throws {
    try await withRequests { origin, edge in
      async let upload = edge.report("/upload?path=/held_upload/gate&bytes=1000000")
      try await eventually("the window is used up") { origin.seen.first?.bodyBytes == 65_535 }
      origin.open(gate: "gate")
      #expect(try await upload["body"] == "received 0 trailers\\n")
    }
  }

  // MARK: Connections

  @Test func aHundredRequestsAtATimeShareOneConnection() async throws {
    try await withRequests { origin, edge in
      let names = Array(repeating: "origin", count: 100).joined(separator: ",")
      let report = try await edge.report("/select_v2?backends=\(names)&path=/gather%3Fcount=100")
      #expect(report.values("body") == Array(repeating: "connection 1 of 100", count: 100))
      #expect(origin.connections == 1)
      #expect(origin.mostStreams == 100)
    }
  }

  @Test func aPeerThatTakesFewerAtATimeGetsMoreConnections() async throws {
    try await withRequests(streamLimit: 4) { origin, edge in
      // The first request brings the peer's settings.
      let client = try await edge.connect()
      _ = try await client.exchange("GET /send_v2?path=/hello HTTP/1.1\r\nHost: e\r\n\r\n")
      let names = Array(repeating: "origin", count: 8).joined(separator: ",")
      // None is answered before all of them are there, so that none finds room that another one left.
      async let gate: Void = {
        try await eventually("all requests are there") { origin.seen.count == 9 }
        origin.open(gate: "all")
      }()
      let reply = try await client.exchange(
        "GET /select_v2?backends=\(names)&path=/gated/all HTTP/1.1\r\nHost: e\r\n\r\n")
      try await gate
      await client.close()
      #expect(GuestReport(text: reply.text).values("send") == Array(repeating: "ok", count: 8))
      #expect(origin.mostStreams == 4)
      #expect(origin.connections == 2)
    }
  }

  @Test func aConnectionIsUsedAgainUntilThePeerLeaves() async throws {
    try await withRequests { _, edge in
      let counted = try await bodies(
        ["/send_v2?path=/count", "/send_v2?path=/count_and_leave", "/send_v2?path=/count"], of: edge)
      #expect(counted == ["connection 1 request 1", "connection 1 request 2", "connection 2 request 1"])
    }
  }

  @Test(arguments: ["goaway", "refused"])
  func aRequestThatWasNotLookedAtIsSentAgain(_ action: String) async throws {
    try await withRequests { _, edge in
      // Also one that may not be repeated otherwise.
      let report = try await edge.report("/send_v2?path=/\(action)&method=POST&body=x")
      #expect(report["body"] == "connection 2 request 1")
    }
  }

  @Test func onlyTheCallThatDialledShowsTheConnectionsPhases() async throws {
    try await withHTTP2Origin { origin in
      let manifest = try Self.manifest(origin)
      try await withFastlike("requests", ["-C", manifest, "--profile-ui", "127.0.0.1:0"]) { edge in
        _ = try await edge.report("/select_v2?backends=origin,origin,origin&path=/gather%3Fcount=3")
        var output = ""
        try await eventually("the trace is there") {
          output = try await fastlike(["trace", "export", "1", "--server", try edge.server]).output
          return output.contains("backend_calls")
        }
        let calls = output.split(separator: #""pending_id":"#).dropFirst().map(String.init)
        #expect(calls.count == 3)
        #expect(calls.allSatisfy { $0.contains(#""http_version":"h2""#) && $0.contains(#""ttfb_nanos":"#) })
        #expect(calls.map { $0.contains(#""reused":false"#) } == [true, false, false])
        #expect(calls.map { $0.contains(#""connect_nanos":"#) } == [true, false, false])
      }
    }
  }

  // MARK: TLS

  private func withSecureOrigin(
    protocols: [String], settings: [String] = secure, asksForClient: Bool = false,
    _ body: (HTTP2Origin, FastlikeProcess) async throws -> Void
  ) async throws {
    let context = try Certificates.context(
      Certificates.origin, Certificates.originKey, asksForClient: asksForClient, protocols: protocols)
    try await withHTTP2Origin(tls: context) { origin in
      let manifest = try Self.manifest(origin, scheme: "https", settings: settings)
      try await withFastlike("requests", ["-C", manifest]) { try await body(origin, $0) }
    }
  }

  /// A peer without ALPN is taken at the configuration's word.
  @Test(arguments: [["h2"], ["http/1.1", "h2"], []])
  func overTLSTheProtocolIsNegotiated(_ protocols: [String]) async throws {
    try await withSecureOrigin(protocols: protocols) { origin, edge in
      let counted = try await bodies(["/send_v2?path=/count", "/send_v2?path=/count"], of: edge)
      #expect(counted == ["connection 1 request 1", "connection 1 request 2"])
      #expect(origin.seen.first?.headers.contains(":scheme: https") == true)
    }
  }

  @Test func aPeerThatSpeaksOnlyHTTP1IsNotUnderstood() async throws {
    let context = try Certificates.context(Certificates.origin, Certificates.originKey)
    try await withOrigin(tls: context) { origin in
      let lines =
        ["[local_server.backends.origin]", "url = \"https://127.0.0.1:\(origin.port)\"", "grpc = true"] + Self.secure
      let manifest = try temporaryFile("fastly.toml", lines.joined(separator: "\n") + "\n")
      try await withFastlike("requests", ["-C", manifest]) { edge in
        let report = try await edge.report("/send_v2?path=/hello")
        #expect(report["detail"] == "http_protocol_error")
      }
    }
  }

  @Test func certificatesAreCheckedAsForHTTP1() async throws {
    try await withSecureOrigin(protocols: ["h2"], settings: Array(Self.secure.prefix(1))) { _, edge in
      let report = try await edge.report("/send_v2?path=/hello")
      #expect(report["detail"] == "tls_certificate_error")
    }
  }

  @Test func aClientShowsItsCertificate() async throws {
    let identity = [
      "[local_server.backends.origin.client_certificate]", "certificate = '''" + Certificates.client + "'''",
      "key = '''" + Certificates.clientKey + "'''",
    ]
    try await withSecureOrigin(protocols: ["h2"], settings: Self.secure + identity, asksForClient: true) { _, edge in
      let report = try await edge.report("/send_v2?path=/hello")
      #expect(report["body"] == "hello over h2\\n")
    }
    try await withSecureOrigin(protocols: ["h2"], asksForClient: true) { _, edge in
      let report = try await edge.report("/send_v2?path=/hello")
      // The alert comes behind the handshake (RFC 8446 §4.4.2.4), and may be overtaken by the reset that the first frames meet.
      #expect(["tls_alert_received", "connection_terminated"].contains(report["detail"]))
    }
  }
}
