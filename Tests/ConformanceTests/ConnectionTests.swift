import Testing

/// How the edge treats its clients' connections.
@Suite("Conformance: client connections", .timeLimit(.minutes(5)))
struct ConnectionTests {
  private func edge() async throws -> FastlikeProcess { try await SharedEdges.edge("bodies") }

  @Test func aConnectionServesOneRequestAfterTheOther() async throws {
    let client = try await edge().connect()
    for number in 1...5 {
      let reply = try await client.exchange("GET /pattern?bytes=\(number)&chunk=2 HTTP/1.1\r\nHost: e\r\n\r\n")
      #expect(reply.body.count == number)
      #expect(reply["connection"] == nil)
    }
    await client.close()
  }

  @Test func pipelinedRequestsAreAnsweredInTheirOrder() async throws {
    let client = try await edge().connect()
    try await client.send(
      "GET /ends HTTP/1.1\r\nHost: e\r\n\r\nPOST /echo HTTP/1.1\r\nHost: e\r\nContent-Length: 3\r\n\r\nabc"
        + "POST /echo HTTP/1.1\r\nHost: e\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n"
        + "GET /pattern?bytes=4 HTTP/1.1\r\nHost: e\r\nConnection: close\r\n\r\n")
    #expect(GuestReport(text: try await client.readReply().text)["close"] == "ok")
    #expect(try await client.readReply().text == "abc")
    #expect(try await client.readReply().text == "de")
    let last = try await client.readReply()
    #expect(last.text == "0123")
    #expect(last["connection"] == "close")
    _ = try await client.readEnd()
  }

  @Test func aSlowRequestHoldsUpOnlyItsOwnConnection() async throws {
    let edge = try await SharedEdges.edge("limits")
    let slow = try await edge.connect()
    try await slow.send("GET /sleep?ms=1000 HTTP/1.1\r\nHost: e\r\n\r\n")
    for _ in 0..<4 { #expect(try await edge.get("/sleep?ms=1").text == "slept\n") }
    #expect(try await slow.readReply().text == "slept\n")
    await slow.close()
  }

  @Test func aBodyThatTheGuestDoesNotReadDoesNotDisturbTheNextRequest() async throws {
    let client = try await edge().connect()
    let body = String(repeating: "x", count: 100_000)
    try await client.send("POST /ends HTTP/1.1\r\nHost: e\r\nContent-Length: 100000\r\n\r\n\(body)")
    #expect(try await client.readReply().status == 200)
    #expect(try await client.exchange("GET /pattern?bytes=4 HTTP/1.1\r\nHost: e\r\n\r\n").text == "0123")
    await client.close()
  }

  @Test func aGuestThatReadsTheBodyAsksAWaitingClientForIt() async throws {
    let client = try await edge().connect()
    try await client.send("POST /request HTTP/1.1\r\nHost: e\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
    let head = try await client.readHead()
    #expect(head.status == 100)
    #expect(head.fields.isEmpty)
    try await client.send("0123")
    let report = GuestReport(text: try await client.readReply().text)
    #expect(report["length"] == "4")
    #expect(report["is_pattern"] == "1")
    await client.close()
  }

  @Test func aGuestThatDoesNotReadTheBodyAnswersAWaitingClientAnyway() async throws {
    let client = try await edge().connect()
    try await client.send("POST /ends HTTP/1.1\r\nHost: e\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
    let reply = try await client.readReply()
    #expect(reply.status == 200)
    if reply.informational.isEmpty {
      // Nobody knows whether the body still comes, so nothing else can.
      #expect(reply["connection"] == "close")
      _ = try await client.readEnd()
    } else {
      // The guest took its time, and the client was asked for the body.
      let next = try await client.exchange("0123GET /pattern?bytes=4 HTTP/1.1\r\nHost: e\r\n\r\n")
      #expect(next.text == "0123")
      await client.close()
    }
  }

  @Test func a10ClientIsServedOnceUnlessItAsksForMore() async throws {
    let client = try await edge().connect()
    let first = try await client.exchange("GET /ends HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    #expect(first.head.version == "HTTP/1.0")
    #expect(first["connection"] == "keep-alive")
    let last = try await client.exchange("GET /ends HTTP/1.0\r\n\r\n")
    #expect(last["connection"] == "close")
    _ = try await client.readEnd()
  }

  @Test func anUpgradeThatTheEdgeDoesNotKnowIsAnOrdinaryRequest() async throws {
    let client = try await edge().connect()
    let reply = try await client.exchange(
      "GET /ends HTTP/1.1\r\nHost: e\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
    #expect(reply.status == 200)
    #expect(reply.informational.isEmpty)
    await client.close()
  }

  @Test func aClientThatClosesOnlyItsSendingSideStillGetsItsResponse() async throws {
    let client = try await SharedEdges.edge("limits").connect()
    try await client.send("GET /sleep?ms=100 HTTP/1.1\r\nHost: e\r\n\r\n")
    try await client.closeOutput()
    #expect(try await client.readReply().text == "slept\n")
  }

  @Test func aClientThatLeavesWithinARequestDisturbsNobody() async throws {
    let edge = try await SharedEdges.edge("limits")
    for _ in 0..<5 {
      let client = try await edge.connect()
      try await client.send("GET /sleep?ms=200 HTTP/1.1\r\nHost: e\r\n\r\n")
      await client.connection.reset()
    }
    #expect(try await edge.get("/sleep?ms=1").text == "slept\n")
  }

  @Test func aUnixSocketIsListenedToAndRemovedAtTheEnd() async throws {
    let path = "/tmp/fastlike-\(UInt32.random(in: 0...UInt32.max)).socket"
    try await withFastlike("hello", ["--bind", "unix:\(path)"]) { edge in
      let client = RawHTTP(try await RawConnection.open(unixSocket: path))
      #expect(try await client.exchange("GET / HTTP/1.1\r\nHost: e\r\n\r\n").text == "Hello from the edge\n")
      await client.close()
      #expect(edge.child.output.contains("fastlike: serving hello on unix:\(path)\n"))
      try await edge.stop()
      #expect(!Places.exists(path))
    }
  }
}
