import Testing

/// How guests end, and what their clients see of it.
@Suite("Conformance: endings", .timeLimit(.minutes(5)))
struct EndingTests {
  private func edge() async throws -> FastlikeProcess { try await SharedEdges.edge("responses") }

  @Test(arguments: ["/none", "/exit/0"])
  func aGuestThatSendsNothingAnswersWithAnEmpty200(_ path: String) async throws {
    let reply = try await edge().get(path)
    #expect(reply.status == 200)
    #expect(reply.body.isEmpty)
    #expect(reply.ending == .complete)
  }

  @Test func aTrapBeforeTheResponseIsA500ThatNamesTheReason() async throws {
    let reply = try await edge().get("/trap_before")
    #expect(reply.status == 500)
    #expect(reply.text.contains("unreachable"))
    #expect(reply.text.contains("_start"))
  }

  @Test func anExitWithAFailureStatusIsA500ThatNamesIt() async throws {
    let reply = try await edge().get("/exit/3")
    #expect(reply.status == 500)
    #expect(reply.text == "fastlike: the guest exited with status 3\n")
  }

  @Test(arguments: ["/trap_after_headers", "/exit_after_headers/3", "/streaming_unclosed", "/exit_after_headers/0"])
  func aStreamThatTheGuestDoesNotCloseIsCutOff(_ path: String) async throws {
    let reply = try await edge().get(path)
    #expect(reply.status == 200)
    #expect(reply.text == "the first half\n")
    #expect(reply.ending == .cutOff)
  }

  @Test func a10ClientSeesTheCutAsAReset() async throws {
    let client = try await edge().connect()
    let reply = try await client.exchange("GET /streaming_unclosed HTTP/1.0\r\n\r\n")
    #expect(reply.ending == .cutOff)
  }

  @Test(arguments: ["/trap_after_body", "/exit_after_body/3", "/exit_after_body/0"])
  func aCompleteResponseStaysAsItIsHoweverTheGuestEnds(_ path: String) async throws {
    let reply = try await edge().get(path)
    #expect(reply.status == 200)
    #expect(reply.text == "complete\n")
    #expect(reply.ending == .complete)
  }

  @Test func theConnectionGoesOnAfterATrap() async throws {
    let client = try await edge().connect()
    #expect(try await client.exchange("GET /trap_before HTTP/1.1\r\nHost: e\r\n\r\n").status == 500)
    #expect(try await client.exchange("GET /status/200 HTTP/1.1\r\nHost: e\r\n\r\n").status == 200)
    await client.close()
  }

  @Test func aGuestWorksOnBehindItsResponse() async throws {
    let edge = try await edge()
    let reply = try await edge.get("/after_response?ms=100")
    #expect(reply.text == "early\n")
    try await eventually("the guest's log") { edge.child.output.contains("responses :: after_response=done\n") }
  }

  @Test func aTrapIsLoggedWithItsReasonAndFunctions() async throws {
    try await withFastlike("responses") { edge in
      _ = try await edge.get("/trap_before")
      try await eventually("the log names the trap") { edge.child.errors.contains("the guest trapped: ") }
      let errors = edge.child.errors
      #expect(errors.contains("guest panic: before the response\n"))
      #expect(errors.contains("unreachable"))
      #expect(errors.contains("_start"))
    }
  }

  @Test(arguments: [("/out_of_bounds", "out of bounds"), ("/recurse_without_frames", "stack")])
  func aTrapNamesItsReason(_ path: String, reason: String) async throws {
    let reply = try await SharedEdges.edge("limits").get(path)
    #expect(reply.status == 500)
    #expect(reply.text.contains(reason))
  }

  @Test func requestsThatAGuestLeavesUnderWayStillArrive() async throws {
    let origin = try await SharedEdges.origin()
    let edge = try await SharedEdges.edge("requests")
    #expect(try await edge.get("/fire_and_forget?path=/upload/forgotten&body=x").text == "sent\n")
    try await eventually("the request arrives") { origin.seen("/upload/forgotten").contains { $0.isComplete } }
    #expect(try await edge.get("/trap_while_pending?path=/slow").status == 500)
    #expect(try await edge.get("/send?path=/hello").status == 200)
  }
}
