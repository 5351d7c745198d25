import Testing

/// Waiting for whichever of several things is ready first (`fastly_async_io`).
@Suite("Conformance: waiting for several things", .timeLimit(.minutes(5)))
struct AsyncIOTests {
  private func edge() async throws -> FastlikeProcess { try await SharedEdges.edge("async_io") }

  @Test func anEmptyListWaitsForTheTimeoutOnly() async throws {
    let report = try await edge().report("/timeout?ms=30")
    #expect(report.lines == ["nothing_but_time=none", "time_passed=1", "nothing_and_no_time=!inval"])
  }

  @Test func missingHandlesAndBadListsAreRefused() async throws {
    let report = try await edge().report("/misuse")
    #expect(
      report.lines == [
        "bad_handle=!badf", "bad_handle_last=!badf", "invalid_handle=!badf", "is_ready_bad_handle=!badf",
        "list_out_of_bounds=!inval",
      ])
  }

  @Test func aBodyWithBytesOrAtItsEndIsReady() async throws {
    let report = try await edge().report("/plain_body")
    #expect(report.lines == ["content=1", "empty=1", "both=0", "content_is_intact=content"])
  }

  @Test func theClientsBodyIsReadyWhenAPieceOfItIsThere() async throws {
    let client = try await edge().connect()
    try await client.send(
      "POST /client_body HTTP/1.1\r\nHost: e\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n")
    // The guest waits for the body: that is what asks the client for it.
    #expect(try await client.readHead().status == 100)
    try await client.sendChunk("one")
    try await client.send("0\r\n\r\n")
    let report = GuestReport(text: try await client.readReply().text)
    #expect(report.lines == ["end=ok", "waited=1", "pieces=one"])
    await client.close()
  }

  @Test func aPendingRequestIsReadyWithItsResponse() async throws {
    let origin = try await SharedEdges.origin()
    let edge = try await edge()
    async let waiting = edge.report("/pending?path=/gated/async_io")
    try await eventually("the request is under way") { !origin.seen("/gated/async_io").isEmpty }
    // Time for the guest to find nothing ready.
    try await Task.sleep(for: .milliseconds(500))
    origin.open(gate: "async_io")
    let report = try await waiting
    #expect(
      report.lines == [
        "at_once=0", "soon=none", "later=0", "then=1", "send=ok", "status=200", "body=through the gate\\n",
        "body_length=17", "body_end=ok", "after_wait=!badf",
      ])
  }

  @Test func aPendingRequestIsReadyWithItsFailure() async throws {
    let report = try await edge().report("/pending?backend=refused")
    #expect(report["later"] == "0")
    #expect(report["then"] == "1")
    #expect(report["send"] == "!error")
    #expect(report["detail"] == "connection_refused")
  }

  @Test func theFirstOfSeveralRequestsWins() async throws {
    let origin = try await SharedEdges.origin()
    let edge = try await edge()
    let report = try await edge.report("/race?backends=origin,other,refused&path=/gated/race")
    // Nothing but the refusal comes while the gate is shut.
    #expect(report["first"] == "refused")
    #expect(report["with_ready_body"] != "none")
    origin.open(gate: "race")
  }

  @Test func aStreamWithRoomIsReady() async throws {
    let report = try await edge().report("/streaming")
    #expect(report.lines == ["room=1", "select=0"])
  }
}
