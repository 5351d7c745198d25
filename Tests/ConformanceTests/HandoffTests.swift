import Testing

/// Connections of clients that guests hand over to backends: WebSocket and GRIP.
@Suite("Conformance: handoff", .timeLimit(.minutes(5)))
struct HandoffTests {
  private static let upgrade =
    "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

  private func withHandoff(
    _ flags: [String] = [], _ body: (Origin, FastlikeProcess) async throws -> Void
  ) async throws {
    try await withOrigin { origin in
      let backends = ["-b", "origin=127.0.0.1:\(origin.port)", "-b", "prefixed=http://127.0.0.1:\(origin.port)/prefix"]
      let refusing = try ReservedPort()
      try await withFastlike("handoff", backends + ["-b", "refused=127.0.0.1:\(refusing.port)"] + flags) {
        try await body(origin, $0)
      }
    }
  }

  /// A connection that is handed over, behind its 101.
  private func open(_ target: String, on edge: FastlikeProcess) async throws -> RawHTTP {
    let client = try await edge.connect()
    try await client.send("GET \(target) HTTP/1.1\r\nHost: edge.example\r\nX-Client: 1\r\n\(Self.upgrade)\r\n")
    let head = try await client.readHead()
    #expect(head.status == 101)
    #expect(head["upgrade"] == "websocket")
    #expect(head["connection"] == "Upgrade")
    #expect(head["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    return client
  }

  @Test(arguments: ["/websocket_v2?path=/tunnel", "/tunnel"])
  func whatAClientSendsComesBackThroughItsConnection(_ target: String) async throws {
    try await withHandoff { origin, edge in
      let client = try await open(target, on: edge)
      // Frames are nobody's business here: one text frame of "Hello" (RFC 6455 §5.7).
      let frame: [UInt8] = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]
      for _ in 0..<3 {
        try await client.send(frame)
        #expect(try await client.readBytes(frame.count) == frame)
      }
      // The end of either side is the end of both.
      try await client.closeOutput()
      _ = try await client.readEnd()
      #expect(origin.seen.count == 1)
      await client.close()
    }
  }

  @Test func largeAmountsFlowBothWaysAtOnce() async throws {
    try await withHandoff { _, edge in
      let client = try await open("/tunnel", on: edge)
      let piece = Array(repeating: UInt8(0x61), count: 100_000)
      for _ in 0..<20 { try await client.send(piece) }
      let echo = try await client.readBytes(2_000_000)
      #expect(echo.count == 2_000_000 && echo.allSatisfy { $0 == 0x61 })
      await client.close()
    }
  }

  @Test func bytesThatCameWithTheHeadsAreNotLost() async throws {
    try await withHandoff { _, edge in
      let client = try await edge.connect()
      try await client.send("GET /tunnel/greeting HTTP/1.1\r\nHost: e\r\n\(Self.upgrade)\r\nfirst bytes")
      let head = try await client.readHead()
      #expect(head.status == 101)
      let bytes = try await client.readBytes(20)
      #expect(String(decoding: bytes, as: UTF8.self) == "greeting first bytes")
      await client.close()
    }
  }

  @Test func theBackendEndsTheConnectionToo() async throws {
    try await withHandoff { _, edge in
      let client = try await open("/tunnel/once", on: edge)
      try await client.send("x")
      #expect(try await client.readBytes(1) == [0x78])
      _ = try await client.readEnd()
      await client.close()
    }
  }

  @Test func theRequestIsTheClientsWithTheBackendsHost() async throws {
    try await withHandoff { origin, edge in
      let plain = try await edge.get("/inspect?q=1", headers: "X-Client: 1\r\n")
      #expect(plain.status == 200)
      #expect(plain.text.hasPrefix("GET /inspect?q=1 HTTP/1.1\r\nhost: 127.0.0.1:\(origin.port)\r\n"))
      #expect(plain.text.lowercased().contains("x-client: 1"))
      let prefixed = try await edge.get("/websocket?backend=prefixed")
      #expect(prefixed.status == 404)
      #expect(origin.seen.last?.target == "/prefix/websocket?backend=prefixed")
    }
  }

  @Test func theGuestsRequestReplacesAllButProtectedFields() async throws {
    try await withHandoff { origin, edge in
      let reply = try await edge.get("/websocket_v2?path=/inspect", headers: "X-Client: 1\r\n\(Self.upgrade)")
      let text = reply.text.lowercased()
      #expect(text.hasPrefix("get /inspect http/1.1\r\nhost: 127.0.0.1:\(origin.port)\r\n"))
      #expect(text.contains("x-from-guest: 1") && !text.contains("x-client"))
      #expect(text.contains("upgrade: websocket") && !text.contains("guests"))
      #expect(text.contains("connection: upgrade"))
    }
  }

  @Test func anAnswerThatIsNoSwitchIsPassedOn() async throws {
    try await withHandoff { _, edge in
      let client = try await edge.connect()
      let first = try await client.exchange("GET /status/426 HTTP/1.1\r\nHost: e\r\n\(Self.upgrade)\r\n")
      #expect(first.status == 426)
      // The connection goes on as before.
      let second = try await client.exchange("GET /drip HTTP/1.1\r\nHost: e\r\n\r\n")
      #expect(second.text == "drip 0\ndrip 1\ndrip 2\n")
      await client.close()
    }
  }

  @Test(arguments: [
    ("/websocket?backend=nowhere", 500), ("/upgrade?backend=nowhere", 500), ("/websocket?backend=refused", 500),
    ("/grip", 500), ("/close", 502), ("/close_in_head", 502),
  ])
  func aFailureIsAnswered(_ target: String, _ status: Int) async throws {
    try await withHandoff { _, edge in
      let reply = try await edge.get(target)
      #expect(reply.status == status)
      #expect(reply.text.hasPrefix("fastlike: "))
    }
  }

  @Test func aClientOfHTTP10CannotSwitch() async throws {
    try await withHandoff { _, edge in
      let client = try await edge.connect()
      let reply = try await client.exchange("GET /tunnel HTTP/1.0\r\nHost: e\r\n\(Self.upgrade)\r\n")
      #expect(reply.status == 502)
      await client.close()
    }
  }

  @Test func theGRIPProxyLearnsTheBackend() async throws {
    try await withOrigin { proxy in
      for flags in [
        ["--local-pushpin-proxy-port", "\(proxy.port)"],
        [
          "-C",
          try temporaryFile(
            "fastly.toml", "[local_server.pushpin]\nenable = true\nproxy_port = \(proxy.port)\n"),
        ],
      ] {
        try await withHandoff(flags) { origin, edge in
          let reply = try await edge.get("/grip_v2?backend=prefixed&path=/inspect")
          #expect(reply.text.hasPrefix("GET /inspect HTTP/1.1\r\nhost: 127.0.0.1:\(proxy.port)\r\n"))
          #expect(reply.text.contains("pushpin-route: prefixed\r\n"))
          let unknown = try await edge.get("/grip?backend=nowhere")
          #expect(unknown.status == 500)
          #expect(origin.seen.isEmpty)
        }
      }
    }
  }

  @Test func theGuestHasGivenItsResponseAway() async throws {
    try await withHandoff { _, edge in
      let reply = try await edge.get("/twice?backend=nowhere")
      #expect(reply.status == 500)
      try await eventually("the guest logs") {
        edge.child.output.contains("send=error") && edge.child.output.contains("again=error")
      }
      #expect(try await edge.get("/after_response").text == "answered\n")
      try await eventually("the guest logs") { edge.child.output.contains("handoff=error") }
      let bad = try await edge.report("/bad_handle")
      #expect(bad.lines == ["websocket=!badf", "grip=!badf"])
    }
  }

  @Test func theTraceTellsWhenTheConnectionWasTakenOver() async throws {
    try await withHandoff(["--profile-ui", "127.0.0.1:0"]) { _, edge in
      let client = try await open("/tunnel", on: edge)
      try await client.send("12345")
      #expect(try await client.readBytes(5).count == 5)
      await client.close()
      var output = ""
      try await eventually("the trace is there") {
        output = try await fastlike(["trace", "export", "1", "--server", try edge.server]).output
        return output.contains("/tunnel")
      }
      #expect(output.contains(#""status":101"#) && output.contains(#""response_bytes":5"#))
      #expect(output.contains(#""hijacked_nanos":"#) && output.contains(#""variant":"handoff""#))
      #expect(output.contains(#""req_body_bytes":5"#) && output.contains(#""resp_body_bytes":5"#))
    }
  }
}
