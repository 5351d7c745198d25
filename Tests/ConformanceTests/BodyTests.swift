import Testing

/// Bodies as guests write, read, append and end them (`fastly_http_body`).
@Suite("Conformance: bodies", .timeLimit(.minutes(5)))
struct BodyTests {
  @Test func aBodyTakesWritesAtBothEndsAndGivesThemBackInOrder() async throws {
    let report = try await SharedEdges.edge("bodies").report("/write")
    #expect(
      report.text == """
        back=6
        front=6
        back_again=4
        empty=0
        read_nothing=
        read_some=sta
        read_all=rt middle end
        read_at_end=
        write_after_end=4
        read_more=more
        bad_end=!inval

        """)
  }

  @Test func theLengthOfABodyIsKnownUntilAStreamIsInIt() async throws {
    let edge = try await SharedEdges.edge("bodies")
    let sized = GuestReport(text: try await edge.send("POST", "/known_length", body: "0123456789").text)
    #expect(sized.lines == ["empty=0", "five=5", "three=3", "appended=5", "downstream=10"])
    let client = try await edge.connect()
    try await client.send("POST /known_length HTTP/1.1\r\nHost: e\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    let chunked = GuestReport(text: try await client.readReply().text)
    #expect(chunked["downstream"] == "!none")
    await client.close()
  }

  @Test func appendingMovesContentAndTrailersAndUsesTheSourceUp() async throws {
    let report = try await SharedEdges.edge("bodies").report("/append")
    #expect(
      report.lines == [
        "append=ok", "source_is_gone=!badf", "content=one two", "trailer=yes", "to_itself=!badf",
        "missing_source=!badf", "missing_destination=!badf",
      ])
  }

  @Test func aClosedOrAbandonedBodyIsGone() async throws {
    let report = try await SharedEdges.edge("bodies").report("/ends")
    #expect(
      report.lines == [
        "close=ok", "close_twice=!badf", "read_closed=!badf", "write_closed=!badf", "abandon=ok", "abandon_twice=!badf",
      ])
  }

  @Test func everyCallOnAMissingBodyIsABadHandle() async throws {
    let report = try await SharedEdges.edge("bodies").report("/misuse")
    #expect(report.lines.count == 8)
    #expect(report.names(with: "!badf").count == 8)
  }

  @Test func aStreamingBodyIsWriteOnly() async throws {
    let report = try await SharedEdges.edge("bodies").report("/streaming_misuse")
    #expect(
      report.lines == [
        "front=!badf", "read=!badf", "known_length=!none", "trailer_names=!inval", "append_stream_to_plain=!badf",
        "respond_with_stream=!badf", "write_empty=0",
      ])
  }

  // MARK: Trailers

  @Test func trailersCanBeReadOnceTheBodyIs() async throws {
    let report = try await SharedEdges.edge("bodies").report("/trailers")
    #expect(
      report.text == """
        append=ok
        append_again=ok
        append_other=ok
        bad_name=!error
        bad_value=!error
        long_name=!inval
        names_early=!again
        value_early=!again
        values_early=!again
        names=x-one,x-two
        value=1
        values=1,2
        missing_value=!inval
        missing_values=
        names_tiny=!buflen,6,-1,

        """)
  }

  @Test func theClientsTrailersReachTheGuest() async throws {
    let client = try await SharedEdges.edge("bodies").connect()
    try await client.send(
      "POST /request_trailers HTTP/1.1\r\nHost: e\r\nTransfer-Encoding: chunked\r\n\r\n"
        + "5\r\n01234\r\n0\r\nX-Sum: abc\r\nX-Sum: def\r\nX-Other: 1\r\n\r\n")
    let report = GuestReport(text: try await client.readReply().text)
    #expect(
      report.lines == [
        "names_early=!again", "length=5", "names=x-sum,x-other", "trailer.x-sum=abc,def", "trailer.x-other=1",
      ])
    await client.close()
  }

  @Test func theGuestsTrailersReachTheClient() async throws {
    let reply = try await SharedEdges.edge("bodies").get("/response_trailers")
    #expect(reply.text == "content\n")
    #expect(reply.trailers.map { "\($0.name): \($0.value)" } == ["x-checksum: abc", "x-checksum: def"])
  }

  // MARK: The client's body

  @Test func aRequestBodyArrivesWholeInReadsOfAtMostTheSizeAskedFor() async throws {
    let body = String(repeating: "0123456789abcdef", count: 20_000)
    let reply = try await SharedEdges.edge("bodies").send("POST", "/request?limit=1000", body: body)
    let report = GuestReport(text: reply.text)
    #expect(report["end"] == "ok")
    #expect(report["length"] == "320000")
    #expect(report["largest_read"] == "1000")
    #expect(report["is_pattern"] == "1")
  }

  @Test func aReadGivesWhatIsThereAndDoesNotWaitForMore() async throws {
    let client = try await SharedEdges.edge("bodies").connect()
    try await client.send("POST /echo HTTP/1.1\r\nHost: e\r\nTransfer-Encoding: chunked\r\n\r\n")
    let head = try await client.readHead()
    #expect(head.status == 200)
    // Each piece comes back before the next is sent: neither the edge nor the guest waits for more.
    for piece in ["first", "second", "third"] {
      try await client.sendChunk(piece)
      #expect(try await client.readText() == piece)
    }
    try await client.send("0\r\n\r\n")
    #expect(try await client.readText() == nil)
    await client.close()
  }

  @Test func aRequestBodyThatBreaksOffIsIncompleteForTheGuest() async throws {
    let client = try await SharedEdges.edge("bodies").connect()
    try await client.send("POST /request HTTP/1.1\r\nHost: e\r\nContent-Length: 10\r\n\r\n012")
    try await client.closeOutput()
    let report = GuestReport(text: try await client.readReply().text)
    #expect(report["end"] == "!httpincomplete")
    #expect(report["length"] == "3")
    await client.close()
  }

  @Test func aRequestBodyWithABrokenChunkIsInvalidForTheGuest() async throws {
    let client = try await SharedEdges.edge("bodies").connect()
    try await client.send(
      "POST /request HTTP/1.1\r\nHost: e\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n0123\r\n0\r\n\r\n")
    let reply = try await client.readReply()
    #expect(GuestReport(text: reply.text)["end"] == "!httpinvalid")
    #expect(reply["connection"] == "close")
    await client.close()
  }

  @Test func aBodyThatTheGuestPassesOnKeepsItsPiecesAndTrailers() async throws {
    let client = try await SharedEdges.edge("bodies").connect()
    try await client.send(
      "POST /forward HTTP/1.1\r\nHost: e\r\nTransfer-Encoding: chunked\r\n\r\n"
        + "5\r\n01234\r\n3\r\n567\r\n0\r\nX-Sum: abc\r\n\r\n")
    let reply = try await client.readReply()
    #expect(reply.text == "01234567")
    #expect(reply.trailers.map(\.value) == ["abc"])
    await client.close()
  }

  @Test func aBodyAppendedToAStreamFlowsBetweenTheWrites() async throws {
    let reply = try await SharedEdges.edge("bodies").send("POST", "/append_to_stream", body: "middle")
    #expect(reply.text == "before middle after")
    #expect(reply.ending == .complete)
  }
}
