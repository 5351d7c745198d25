import Testing

/// Bodies that flow while both ends are at work, and what happens when one of them leaves.
@Suite("Conformance: streaming", .timeLimit(.minutes(5)))
struct StreamingTests {
  @Test func aStreamedResponseReachesTheClientBeforeItsEnd() async throws {
    let client = try await SharedEdges.edge("responses").connect()
    try await client.send("GET /streaming?chunks=3&pause=50 HTTP/1.1\r\nHost: e\r\n\r\n")
    let head = try await client.readHead()
    #expect(head["transfer-encoding"] == "chunked")
    // Three writes are three chunks: each was sent when the guest made it.
    for number in 0..<3 { #expect(try await client.readText() == "chunk \(number)\n") }
    #expect(try await client.readText() == nil)
    await client.close()
  }

  @Test func aBackendsResponseFlowsThroughWhileTheBackendStillSends() async throws {
    let origin = try await SharedEdges.origin()
    let client = try await SharedEdges.edge("requests").connect()
    try await client.send("GET /relay?path=/first_half/relay HTTP/1.1\r\nHost: e\r\n\r\n")
    let head = try await client.readHead()
    #expect(head.status == 200)
    #expect(try await client.readText() == "first half ")
    origin.open(gate: "relay")
    #expect(try await client.readText() == "second half")
    #expect(try await client.readText() == nil)
    await client.close()
  }

  @Test func aDrippingBackendIsPassedOnToItsLastDrop() async throws {
    let reply = try await SharedEdges.edge("requests").get("/relay?path=/drip%3Fcount%3D4")
    #expect(reply.text == "drip 0\ndrip 1\ndrip 2\ndrip 3\n")
    #expect(reply.ending == .complete)
  }

  @Test func theClientsBodyFlowsToTheBackendWhileTheClientStillSends() async throws {
    let client = try await SharedEdges.edge("proxy").connect()
    try await client.send("POST /echo_lines HTTP/1.1\r\nHost: e\r\nTransfer-Encoding: chunked\r\n\r\n")
    try await client.sendChunk("one\n")
    #expect(try await client.readHead().status == 200)
    #expect(try await client.readText() == "one\n")
    try await client.sendChunk("two\n")
    #expect(try await client.readText() == "two\n")
    try await client.send("0\r\n\r\n")
    #expect(try await client.readText() == nil)
    await client.close()
  }

  @Test(arguments: ["/streaming", "/streaming_v2"])
  func aGuestCanTalkWithABackendInBothDirectionsAtOnce(_ path: String) async throws {
    let report = try await SharedEdges.edge("requests").report(path + "?path=/echo_lines")
    #expect(
      report.text == """
        status=200
        echo_0=line 0\\n
        write_1=ok
        echo_1=line 1\\n
        write_2=ok
        echo_2=line 2\\n
        close=ok
        rest_body=
        rest_body_length=0
        rest_body_end=ok

        """)
  }

  @Test func aLargeResponseArrivesWhole() async throws {
    let reply = try await SharedEdges.edge("bodies").get("/pattern?bytes=1000000&chunk=30000")
    #expect(reply.ending == .complete)
    #expect(reply.body.count == 1_000_000)
    #expect(reply.body.suffix(16) == Array("0123456789abcdef".utf8)[...])
  }

  @Test func aLargeUploadArrivesWhole() async throws {
    let report = try await SharedEdges.edge("requests").report("/upload?path=/upload&bytes=1000000&chunk=30000")
    #expect(report["write"] == "ok")
    #expect(report["body"] == "received 1000000\\n")
  }

  @Test func aGuestWaitsForAClientThatDoesNotRead() async throws {
    try await withFastlike("bodies") { edge in
      let client = try await edge.connect()
      try await client.connection.setReading(false)
      try await client.send("GET /write_until_failure HTTP/1.1\r\nHost: e\r\n\r\n")
      // Another request is served meanwhile, and afterwards the guest has still not come to an end.
      #expect(try await edge.get("/ends").status == 200)
      #expect(!edge.child.output.contains("write_until_failure"))
      await client.connection.reset()
      try await eventually("the guest's write fails") {
        edge.child.output.contains("bodies :: write_until_failure=!error\n")
      }
    }
  }

  @Test func theWritesOfAGuestFailWhenItsClientIsGone() async throws {
    try await withFastlike("bodies") { edge in
      let client = try await edge.connect()
      try await client.send("GET /write_until_failure HTTP/1.1\r\nHost: e\r\n\r\n")
      #expect(try await client.readHead().status == 200)
      #expect(try await client.readText() != nil)
      await client.close()
      try await eventually("the guest's write fails") {
        edge.child.output.contains("bodies :: write_until_failure=!error\n")
      }
      #expect(try await edge.get("/ends").status == 200)
    }
  }

  @Test func anAbandonedStreamIsCutOffForTheClient() async throws {
    let reply = try await SharedEdges.edge("bodies").get("/abandon")
    #expect(reply.text == "the first half\n")
    #expect(reply.ending == .cutOff)
  }

  @Test func anAbandonedUploadNeverLooksComplete() async throws {
    let origin = try await SharedEdges.origin()
    let report = try await SharedEdges.edge("requests").report("/upload_abandoned?path=/upload/abandoned")
    #expect(report["abandon"] == "ok")
    #expect(report["send"] == "!error")
    #expect(!origin.seen("/upload/abandoned").contains { $0.isComplete })
  }

  @Test func anUploadWhoseClientLeavesIsBrokenOffForTheBackend() async throws {
    let origin = try await SharedEdges.origin()
    let client = try await SharedEdges.edge("proxy").connect()
    try await client.send("POST /upload/left HTTP/1.1\r\nHost: e\r\nTransfer-Encoding: chunked\r\n\r\n")
    try await client.sendChunk("the first half")
    try await eventually("the origin gets the request") { !origin.seen("/upload/left").isEmpty }
    await client.connection.reset()
    try await eventually("the origin notices") { origin.seen("/upload/left").contains { $0.isBroken } }
  }

  @Test(arguments: ["short", "short_chunked"])
  func aBackendsBodyThatBreaksOffIsCutOffForTheClientToo(_ action: String) async throws {
    let reply = try await SharedEdges.edge("requests").get("/relay?path=/\(action)")
    #expect(reply.status == 200)
    #expect(reply.text == "0123456789")
    #expect(reply.ending == .cutOff)
  }

  @Test func aResetOfTheBackendWithinItsBodyCutsTheClientOff() async throws {
    let origin = try await SharedEdges.origin()
    let client = try await SharedEdges.edge("requests").connect()
    try await client.send("GET /relay?path=/reset_in_body/seen HTTP/1.1\r\nHost: e\r\n\r\n")
    #expect(try await client.readHead().status == 200)
    #expect(try await client.readText() == "0123456789")
    origin.open(gate: "seen")
    #expect(try await client.readBody() == .cutOff)
    await client.close()
  }

  @Test func silenceWithinABackendsBodyEndsAtTheBetweenBytesTimeout() async throws {
    let edge = try await SharedEdges.edge("requests")
    let report = try await edge.report("/send_v2?path=/silent_in_body&backend=halting")
    #expect(report["body"] == "0123456789")
    #expect(report["body_end"] == "!error")
    let reply = try await edge.get("/relay?path=/silent_in_body&backend=halting")
    #expect(reply.text == "0123456789")
    #expect(reply.ending == .cutOff)
  }

  @Test func aBodyWithoutALengthEndsWithTheBackendsConnection() async throws {
    let reply = try await SharedEdges.edge("requests").get("/relay?path=/until_close")
    #expect(reply.text == "0123456789")
    #expect(reply.ending == .complete)
  }
}
