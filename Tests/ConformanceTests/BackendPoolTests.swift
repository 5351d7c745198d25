import Testing

/// Connections to backends, and the choices of a backend's definition.
@Suite("Conformance: backends", .timeLimit(.minutes(5)))
struct BackendPoolTests {
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

  private func withRequests(_ body: (Origin, FastlikeProcess) async throws -> Void) async throws {
    try await withOrigin { origin in
      try await withFastlike("requests", ["-b", "origin=127.0.0.1:\(origin.port)"]) { try await body(origin, $0) }
    }
  }

  // MARK: Pool

  @Test func aConnectionIsUsedAgainUntilTheBackendClosesIt() async throws {
    try await withRequests { _, edge in
      let counted = try await bodies(
        ["/send_v2?path=/count", "/send_v2?path=/count_and_close", "/send_v2?path=/count"], of: edge)
      #expect(counted == ["connection 1 request 1", "connection 1 request 2", "connection 2 request 1"])
    }
  }

  @Test func requestsAtTheSameTimeHaveConnectionsOfTheirOwn() async throws {
    try await withRequests { origin, edge in
      let select = try await edge.report("/select_v2?backends=origin,origin,origin&path=/slow%3Fms%3D1000")
      #expect(select.values("send") == ["ok", "ok", "ok"])
      #expect(Set(origin.seen.map(\.connection)) == [1, 2, 3])
    }
  }

  @Test(arguments: ["short", "long", "bad_chunk", "until_close"])
  func aConnectionInDoubtIsNotUsedAgain(_ action: String) async throws {
    try await withRequests { _, edge in
      let counted = try await bodies(["/send_v2?path=/\(action)", "/send_v2?path=/count"], of: edge)
      #expect(counted.last == "connection 2 request 1")
    }
  }

  @Test(arguments: ["GET", "PUT"])
  func aStaleConnectionIsReplacedForIdempotentRequests(_ method: String) async throws {
    try await withRequests { origin, edge in
      let again = "/send_v2?path=/stale&method=\(method)&body=x"
      let counted = try await bodies(["/send_v2?path=/stale", again], of: edge)
      #expect(counted == ["connection 1 request 1", "connection 2 request 1"])
      #expect(origin.seen.count == 3)
    }
  }

  @Test func aStaleConnectionFailsOtherRequestsRatherThanSendingThemTwice() async throws {
    try await withRequests { origin, edge in
      let counted = try await bodies(["/send_v2?path=/stale", "/send_v2?path=/stale&method=POST&body=x"], of: edge)
      #expect(counted == ["connection 1 request 1", "connection_terminated"])
      #expect(origin.seen.count == 2)
    }
  }

  // MARK: Definitions

  @Test func reliabilityFailsItsShareOfTheSends() async throws {
    try await withOrigin { origin in
      let address = "127.0.0.1:\(origin.port)"
      try await withFastlike(
        "requests", ["-b", "never=\(address)@0", "-b", "half=\(address)@50", "-b", "always=\(address)@100"]
      ) { edge in
        let never = Array(repeating: "/send_v2?backend=never&path=/hello", count: 3)
        #expect(try await bodies(never, of: edge) == Array(repeating: "connection_terminated", count: 3))
        let half = Array(repeating: "/send_v2?backend=half&path=/hello", count: 6)
        let outcomes = try await bodies(half, of: edge)
        let expected = Array(repeating: ["connection_terminated", "hello from origin\\n"], count: 3)
        #expect(outcomes.sorted() == expected.joined().sorted())
        let always = Array(repeating: "/send_v2?backend=always&path=/hello", count: 3)
        #expect(try await bodies(always, of: edge) == Array(repeating: "hello from origin\\n", count: 3))
      }
    }
  }

  @Test func theCatchAllBackendTakesEveryNameWithItsOverrideHostAndPath() async throws {
    try await withOrigin { origin in
      let arguments = [
        "-backend", "127.0.0.1:\(origin.port)/prefix", "-override-host", "any.example", "-b",
        "known=http://127.0.0.1:\(origin.port)", "-override-host", "known=known.example",
      ]
      try await withFastlike("requests", arguments) { edge in
        let other = try await edge.get("/relay?backend=whatever&path=/inspect").text
        #expect(other.hasPrefix("GET /prefix/inspect HTTP/1.1\r\nhost: any.example\r\n"))
        let known = try await edge.get("/relay?backend=known&path=/inspect").text
        #expect(known.hasPrefix("GET /inspect HTTP/1.1\r\nhost: known.example\r\n"))
      }
    }
  }

  @Test func aRequestThatWasHereOftenIsALoop() async throws {
    let edge = try await SharedEdges.edge("hello")
    let visits = Array(repeating: "fastlike", count: 6) + ["FASTLIKE"]
    let once = visits.joined(separator: ", ")
    // A few visits are one local service asking another; the eighth is a loop.
    #expect(try await edge.get("/", headers: "CDN-Loop: Fastly, fastlikely, \(once)\r\n").status == 200)
    #expect(try await edge.get("/", headers: "CDN-Loop: \(once), fastlike;v=1\r\n").status == 508)
    #expect(try await edge.get("/", headers: "CDN-Loop: \(once)\r\ncdn-loop: fastlike\r\n").status == 508)
  }

  @Test func oneServiceHereMayAskAnother() async throws {
    let first = try await SharedEdges.edge("hello")
    try await withFastlike("proxy", ["-b", "origin=127.0.0.1:\(first.port)"]) { second in
      let reply = try await second.get("/")
      #expect(reply.status == 200)
    }
  }

  @Test func aServiceThatAsksItselfEndsWithA508() async throws {
    let status = try await onAPortKnownBefore { port in
      try await withFastlike("proxy", ["--bind", "127.0.0.1:\(port)", "-b", "origin=127.0.0.1:\(port)"]) { edge in
        // A method that the cache has no part in: a GET would wait for itself, as one of several for the same object.
        try await edge.send("POST", "/").status
      }
    }
    #expect(status == 508)
  }

  /// Nobody holds a port between its reservation and the start of a server there: where another test's connection takes it, the next
  /// one is tried.
  private func onAPortKnownBefore<Result: Sendable>(_ body: (Int) async throws -> Result) async throws -> Result {
    for _ in 0..<4 {
      do {
        return try await body(ReservedPort().port)
      } catch let error as HarnessError where error.description.contains("another program listens there") {}
    }
    return try await body(ReservedPort().port)
  }

  // MARK: What guests may know of them

  @Test func aBackendsSettingsCanBeAsked() async throws {
    let edge = try await SharedEdges.edge("backends")
    let secure = try await edge.report("/secure")
    #expect(secure["exists"] == "1")
    #expect(secure["is_dynamic"] == "0")
    #expect(secure["host"] == "ok,14,secure.example")
    #expect(secure["host_tiny"] == "!buflen,14,")
    #expect(secure["port"] == "443")
    #expect(secure["is_ssl"] == "1")
    #expect(secure["override_host"] == "!none,0,")
    #expect(secure["is_healthy"] == "0")
    #expect(secure["connect_timeout_ms"] == "1000")
    #expect(secure["first_byte_timeout_ms"] == "15000")
    #expect(secure["between_bytes_timeout_ms"] == "10000")
    let other = try await edge.report("/other")
    #expect(other["override_host"] == "ok,16,override.example")
    #expect(other["is_healthy"] == "1")
    #expect(other["is_ssl"] == "0")
    let impatient = try await edge.report("/impatient")
    #expect(impatient["is_healthy"] == "2")
    #expect(impatient["first_byte_timeout_ms"] == "600")
    #expect(impatient["between_bytes_timeout_ms"] == "600")
  }

  @Test func anUnknownBackendDoesNotExistAndHasNoSettings() async throws {
    let report = try await SharedEdges.edge("backends").report("/nowhere")
    #expect(report["exists"] == "0")
    #expect(report.lines.dropFirst().allSatisfy { $0.contains("=!inval") })
  }
}
