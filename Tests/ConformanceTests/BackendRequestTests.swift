import Testing

/// Requests to backends: each way to send, the target on the wire, and the response's way back.
@Suite("Conformance: backend requests", .timeLimit(.minutes(5)))
struct BackendRequestTests {
  private func edge() async throws -> FastlikeProcess { try await SharedEdges.edge("requests") }

  // MARK: Sending

  @Test(arguments: ["/send", "/send_v2", "/send_v3"])
  func aSendWaitsForTheResponse(_ path: String) async throws {
    let report = try await edge().report(path + "?path=/hello&show=x-origin,content-length")
    #expect(
      report.lines == [
        "send=ok", "status=200", "header.x-origin=yes", "header.content-length=18", "body=hello from origin\\n",
        "body_length=18", "body_end=ok",
      ])
  }

  @Test(arguments: ["/async", "/async_v2"])
  func anAsynchronousSendIsWaitedForOnce(_ path: String) async throws {
    let report = try await edge().report(path + "?path=/hello")
    #expect(report["start"] == "ok")
    #expect(report["body"] == "hello from origin\\n")
    #expect(report["wait_again"] == "!badf")
  }

  @Test(arguments: ["/poll", "/poll_v2"])
  func aPollSaysWhetherTheResponseIsThere(_ path: String) async throws {
    let report = try await edge().report(path + "?path=/slow%3Fms%3D1000")
    #expect(report["first_poll"] == "pending")
    #expect(report["body"] == "slow\\n")
    #expect(report["poll_again"] == "!badf")
  }

  @Test(arguments: [("/select", "uninitialized"), ("/select_v2", "connection_refused")])
  func aSelectGivesTheRequestsAsTheyFinish(_ path: String, detail: String) async throws {
    let report = try await edge().report(path + "?backends=origin,refused,other&path=/slow%3Fms%3D1000")
    #expect(report["empty"] == "!inval")
    #expect(report["with_bad_handle"] == "!badf")
    #expect(report.values("done").first == "refused")
    #expect(Set(report.values("done")) == ["origin", "refused", "other"])
    #expect(report.values("send") == ["!error", "ok", "ok"])
    #expect(report["detail"] == detail)
    #expect(report.values("body") == ["slow\\n", "slow\\n"])
  }

  @Test func aSendUsesRequestAndBodyUpAndAStreamStaysWritable() async throws {
    let report = try await edge().report("/consumed?path=/upload")
    #expect(
      report.lines == [
        "good_send=ok", "good_request=!badf", "good_body=!badf", "unknown_send=!inval", "unknown_request=!badf",
        "unknown_body=!badf", "streaming_request=!badf", "streaming_body=ok", "streaming_body_closed=!badf",
        "streaming_send=ok",
      ])
  }

  @Test func theHostPassesAPendingResponseOnWithTheGuestsEdits() async throws {
    let reply = try await edge().get("/pending_downstream?path=/hello&edit=1")
    #expect(reply.status == 200)
    #expect(reply.text == "hello from origin\n")
    #expect(reply["x-origin"] == "yes")
    #expect(reply["x-any"] == "1")
    #expect(reply["x-response"] == "1")
    #expect(reply["x-error"] == nil)
    #expect(reply["x-appended"] == "by-guest")
  }

  @Test(arguments: [("backend=refused", 502), ("path=/silent&backend=impatient", 504)])
  func aPendingRequestThatFailsBecomesAGatewayError(_ query: String, status: Int) async throws {
    let reply = try await edge().get("/pending_downstream?edit=1&" + query)
    #expect(reply.status == status)
    #expect(reply["x-any"] == "1")
    #expect(reply["x-response"] == nil)
    #expect(reply["x-error"] == "1")
  }

  // MARK: On the wire

  private func wire(_ query: String) async throws -> String {
    try await edge().get("/relay?path=/inspect" + query).text
  }

  @Test func theGuestsUriGivesTargetAndHost() async throws {
    #expect(
      try await wire("%3Fa%3Db&host=guest.example:81") == """
        GET /inspect?a=b HTTP/1.1\r
        host: guest.example:81\r
        cdn-loop: fastlike\r
        \r

        """)
  }

  @Test func theGuestsHostFieldWinsOverItsUri() async throws {
    #expect(try await wire("&header=Host&value=field.example").contains("\r\nHost: field.example\r\n"))
  }

  @Test func theBackendsOverrideHostWinsOverBoth() async throws {
    let text = try await wire("&backend=other&header=Host&value=field.example")
    #expect(text.contains("\r\nHost: override.example\r\n"))
    #expect(!text.contains("field.example"))
  }

  @Test func theBackendsPathIsPutBeforeTheGuests() async throws {
    #expect(try await wire("&backend=prefixed").hasPrefix("GET /prefix/inspect HTTP/1.1\r\n"))
  }

  @Test func fieldsKeepTheirSpellingAndCdnLoopGrows() async throws {
    #expect(try await wire("&header=X-CuStOm&value=v%20%201").contains("\r\nX-CuStOm: v  1\r\n"))
    #expect(try await wire("&header=cdn-loop&value=Fastly").contains("\r\ncdn-loop: Fastly, fastlike\r\n"))
  }

  @Test func connectionFieldsStayOnTheirConnection() async throws {
    let reply = try await edge().send(
      "POST", "/forward?path=/inspect", headers: "Connection: x-hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nX-Keep: 1\r\n",
      body: "content")
    let body = try #require(GuestReport(text: reply.text)["body"])
    #expect(
      body == #"POST /inspect HTTP/1.1\r\nHost: edge.example\r\nX-Keep: 1\r\ncdn-loop: fastlike\r\n"#
        + #"content-length: 7\r\n\r\ncontent"#)
  }

  @Test(arguments: [("GET", false), ("DELETE", false), ("POST", true), ("PURGE", true)])
  func anEmptyBodyIsAnnouncedForMethodsThatUsuallyHaveOne(_ method: String, isAnnounced: Bool) async throws {
    let text = try await wire("&method=" + method)
    #expect(text.hasPrefix(method + " /inspect"))
    #expect(text.contains("\r\ncontent-length: 0\r\n") == isAnnounced)
  }

  @Test func aStreamIsSentInChunks() async throws {
    let report = try await edge().report("/upload?path=/inspect&bytes=5&chunk=5")
    #expect(report["body"]?.contains(#"\r\ntransfer-encoding: chunked\r\n"#) == true)
    #expect(report["body"]?.hasSuffix(#"\r\n\r\n01234"#) == true)
  }

  @Test func trailersGoBothWays() async throws {
    let report = try await edge().report("/trailers?path=/inspect")
    #expect(report["body"]?.hasSuffix(#"contentx-from-guest: 1\r\n"#) == true)
    let back = try await edge().report("/trailers?path=/trailers")
    #expect(
      back.lines == [
        "names_early=!again", "body=content", "body_length=7", "body_end=ok", "names=x-from-origin",
        "x-from-origin=yes",
      ])
  }

  // MARK: Responses

  @Test(arguments: [404, 500, 999])
  func aBackendsErrorStatusIsAResponse(_ status: Int) async throws {
    let report = try await edge().report("/send_v2?path=/status/\(status)")
    #expect(report["send"] == "ok")
    #expect(report["status"] == "\(status)")
  }

  @Test func aBackendsEarlyHintsArePassedOver() async throws {
    #expect(try await edge().report("/send_v2?path=/early")["body"] == "after the hints\\n")
  }

  @Test(arguments: ["gzip", "x-gzip"])
  func aGzipResponseIsDecodedWhereTheGuestAskedForThat(_ coding: String) async throws {
    let report = try await edge().report("/decompress?path=/gzip%3Fcoding%3D\(coding)")
    #expect(report["content_encoding"] == "-")
    #expect(report["content_length"] == "-")
    #expect(report["known_length"] == "!none")
    #expect(report["body"] == CompressedText.plain.split(separator: "\n").map { $0 + "\\n" }.joined())
    #expect(report["body_end"] == "ok")
    #expect(report.names(with: "!inval") == ["mask_2", "mask_3"])
  }

  @Test func otherCodingsAndPlainResponsesAreLeftAlone() async throws {
    let other = try await edge().report("/decompress?path=/gzip%3Fcoding%3Dgzip,gzip")
    #expect(other["content_encoding"] == "gzip,gzip")
    #expect(other["body_length"] == "\(CompressedText.gzip.count)")
    let plain = try await edge().report("/decompress?path=/hello")
    #expect(plain["body"] == "hello from origin\\n")
    let unasked = try await edge().report("/send?path=/gzip&show=content-encoding")
    #expect(unasked["header.content-encoding"] == "gzip")
    #expect(unasked["body_length"] == "\(CompressedText.gzip.count)")
  }

  @Test func aGzipResponseThatBreaksOffIsAnError() async throws {
    #expect(try await edge().report("/decompress?path=/gzip_short")["body_end"] == "!error")
  }

  @Test func theBackendsAddressIsKnownWhereTheCacheIsPassed() async throws {
    let report = try await edge().report("/destination?path=/hello")
    #expect(report["default_ip"] == "!none")
    #expect(report["default_port"] == "!none")
    #expect(report["pass_octets"] == "7f000001")
    #expect(report["pass_port_known"] == "1")
  }

  @Test func theTypicalProxyPassesEverythingOn() async throws {
    let edge = try await SharedEdges.edge("proxy")
    let reply = try await edge.send("PUT", "/inspect?x=1", headers: "X-Foo: 1\r\n", body: "content")
    #expect(reply.text.hasPrefix("PUT /inspect?x=1 HTTP/1.1\r\nHost: edge.example\r\n"))
    #expect(reply.text.contains("\r\nX-Foo: 1\r\n"))
    #expect(reply.text.hasSuffix("\r\n\r\ncontent"))
    let head = try await edge.send("HEAD", "/hello")
    #expect(head.status == 200)
    #expect(head["x-origin"] == "yes")
    #expect(head.body.isEmpty)
  }
}
