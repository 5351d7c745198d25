import Testing

/// The responses that guests make: status, framing, early hints, and that there is one only.
@Suite("Conformance: responses", .timeLimit(.minutes(5)))
struct ResponseTests {
  private func edge() async throws -> FastlikeProcess { try await SharedEdges.edge("responses") }

  // MARK: Status

  @Test(arguments: [200, 201, 404, 418, 503, 999])
  func everyFinalStatusReachesTheClient(_ status: Int) async throws {
    let reply = try await edge().get("/status/\(status)")
    #expect(reply.status == status)
    #expect(reply.text == "status \(status)\n")
  }

  @Test(arguments: [0, 99, 1000])
  func aStatusOutside100To999IsRefused(_ status: Int) async throws {
    let reply = try await edge().get("/status/\(status)")
    #expect(reply.text == "status_set=!inval\n")
  }

  @Test(arguments: [204, 304])
  func aStatusWithoutBodyHasNone(_ status: Int) async throws {
    let client = try await edge().connect()
    let reply = try await client.exchange("GET /status/\(status) HTTP/1.1\r\nHost: e\r\n\r\n")
    #expect(reply.status == status)
    #expect(reply["transfer-encoding"] == nil)
    // The next response begins right behind the head.
    #expect(try await client.exchange("GET /status/200 HTTP/1.1\r\nHost: e\r\n\r\n").status == 200)
    await client.close()
  }

  @Test func responsesAreReadBackAsTheyWereSet() async throws {
    let report = try await edge().report("/getters")
    #expect(report["status"] == "200")
    #expect(report["version"] == "2")
    #expect(report["status_last"] == "999")
    #expect(report["version_last"] == "4")
    #expect(
      report.names(with: "!inval") == [
        "set_status_0", "set_status_99", "set_status_1000", "set_status_65535", "set_version_5", "framing_2",
      ])
    #expect(report["own_dest_ip"] == "!none")
    #expect(report["own_dest_port"] == "!none")
  }

  @Test func everyCallOnAMissingResponseIsABadHandle() async throws {
    let report = try await edge().report("/misuse")
    #expect(report.names(with: "!badf").count == 9)
    #expect(report.names(with: "ok") == ["close_own"])
  }

  // MARK: Framing

  @Test func aBodyOfKnownLengthHasAContentLengthAndAStreamHasChunks() async throws {
    let known = try await edge().get("/own_body?bytes=10")
    #expect(known["content-length"] == "10")
    #expect(known["transfer-encoding"] == nil)
    #expect(known.text == "0123456789")
    let streamed = try await edge().get("/streaming?chunks=1")
    #expect(streamed["content-length"] == nil)
    #expect(streamed["transfer-encoding"] == "chunked")
    #expect(streamed.text == "chunk 0\n")
  }

  @Test(arguments: [
    "mode=automatic&content_length=3", "mode=manual&content_length=3", "mode=manual&content_length=30",
    "mode=manual&content_length=abc", "mode=manual&content_length=7&twice=1", "mode=manual&transfer_encoding=gzip",
    "mode=manual&transfer_encoding=chunked&content_length=7", "mode=manual",
  ])
  func framingThatIsAutomaticOrWrongBecomesTheHosts(_ query: String) async throws {
    let reply = try await edge().get("/framing?" + query)
    #expect(reply.head.values("content-length") == ["7"])
    #expect(reply["transfer-encoding"] == nil)
    #expect(reply.text == "content")
  }

  @Test func validManualFramingIsKept() async throws {
    let chunked = try await edge().get("/framing?mode=manual&transfer_encoding=chunked")
    #expect(chunked["transfer-encoding"] == "chunked")
    #expect(chunked["content-length"] == nil)
    #expect(chunked.text == "content")
    let sized = try await edge().get("/framing?mode=manual&content_length=7&stream=1")
    #expect(sized["content-length"] == "7")
    #expect(sized["transfer-encoding"] == nil)
    #expect(sized.text == "content")
  }

  @Test func aStreamShorterThanItsDeclaredLengthIsCutOffAndALongerOneCut() async throws {
    let short = try await edge().get("/framing?mode=manual&content_length=9&stream=1")
    #expect(short.ending == .cutOff)
    let long = try await edge().get("/framing?mode=manual&content_length=3&stream=1")
    #expect(long.text == "con")
    #expect(long.ending == .complete)
  }

  @Test(arguments: [
    ("/own_body?bytes=10", "10"), ("/framing?mode=manual&content_length=7", "7"), ("/streaming?chunks=3", nil),
  ])
  func aResponseToHEADHasTheHeadOnly(_ path: String, length: String?) async throws {
    let client = try await edge().connect()
    let reply = try await client.exchange("HEAD \(path) HTTP/1.1\r\nHost: e\r\n\r\n", method: "HEAD")
    #expect(reply.status == 200)
    #expect(reply["content-length"] == length)
    let next = try await client.exchange("GET /status/200 HTTP/1.1\r\nHost: e\r\n\r\n")
    #expect(next.text == "status 200\n")
    await client.close()
  }

  @Test func a10ClientGetsNoChunks() async throws {
    let client = try await edge().connect()
    let reply = try await client.exchange("GET /streaming HTTP/1.0\r\n\r\n")
    #expect(reply["transfer-encoding"] == nil)
    #expect(reply["connection"] == "close")
    #expect(reply.text == "chunk 0\nchunk 1\nchunk 2\n")
    #expect(reply.ending == .complete)
  }

  // MARK: Informational responses

  @Test func earlyHintsReachTheClientBeforeTheResponse() async throws {
    let reply = try await edge().get("/early_hints")
    #expect(reply.informational.map(\.status) == [103, 103])
    #expect(
      reply.informational.map { $0.values("link") } == [
        ["</style.css>; rel=preload; as=style", "</app.js>; rel=preload; as=script"],
        ["</late.css>; rel=preload; as=style"],
      ])
    #expect(reply.status == 200)
    #expect(reply.text == "final\n")
  }

  @Test func a10ClientGetsNoEarlyHints() async throws {
    let client = try await edge().connect()
    let reply = try await client.exchange("GET /early_hints HTTP/1.0\r\n\r\n")
    #expect(reply.informational.isEmpty)
    #expect(reply.text == "final\n")
  }

  @Test(arguments: [100, 101, 102])
  func otherInformationalResponsesAreTheHostsOwn(_ status: Int) async throws {
    let reply = try await edge().get("/informational/\(status)")
    #expect(reply.informational.isEmpty)
    let report = GuestReport(text: reply.text)
    #expect(report.lines == ["set_status=ok", "send=!inval", "response_is_gone=!badf"])
  }

  // MARK: One response

  @Test func aSecondResponseIsRefusedAndUsesItsHandlesUp() async throws {
    let edge = try await edge()
    let reply = try await edge.get("/double_send")
    #expect(reply.text == "first\n")
    try await eventually("the guest's log") { edge.child.output.contains("responses :: second_body_is_gone=!badf\n") }
    #expect(edge.child.output.contains("responses :: second_send=!error\n"))
    #expect(edge.child.output.contains("responses :: second_response_is_gone=!badf\n"))
  }

  @Test func aSecondResponseDoesNotDisturbAStream() async throws {
    let reply = try await edge().get("/double_send_streaming")
    #expect(reply.text == "second_send=!error\n")
    #expect(reply.ending == .complete)
  }

  @Test func aGuestCanAskForTheEndOfTheConnection() async throws {
    let client = try await edge().connect()
    #expect(try await client.exchange("GET /keepalive/0 HTTP/1.1\r\nHost: e\r\n\r\n")["connection"] == nil)
    let last = try await client.exchange("GET /keepalive/1 HTTP/1.1\r\nHost: e\r\n\r\n")
    #expect(last["connection"] == "close")
    #expect(last.text == "keepalive_mode_set=ok\n")
    guard case .end = try await client.readEnd() else {
      Issue.record("the connection was reset")
      return
    }
  }
}
