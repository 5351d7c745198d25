import Testing

/// Sandboxes that serve several requests one after the other (`next_request`).
@Suite("Conformance: further requests in a sandbox", .timeLimit(.minutes(5)))
struct ReuseTests {
  /// Reports of requests on one client connection, and so on one event loop.
  private func reports(_ targets: [String], of edge: FastlikeProcess) async throws -> [GuestReport] {
    let client = try await edge.connect()
    var reports: [GuestReport] = []
    for target in targets {
      let reply = try await client.exchange("GET \(target) HTTP/1.1\r\nHost: e\r\n\r\n")
      reports.append(GuestReport(text: reply.text))
    }
    await client.close()
    return reports
  }

  @Test func aSandboxThatAsksTakesTheNextRequest() async throws {
    try await withFastlike("reuse") { edge in
      let client = try await edge.connect()
      var reports: [GuestReport] = []
      for body in ["", "two", "three"] {
        let reply = try await client.exchange(
          "POST /turn HTTP/1.1\r\nHost: e\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        reports.append(GuestReport(text: reply.text))
      }
      await client.close()
      #expect(reports.map { $0["turn"] } == ["1", "2", "3"])
      #expect(reports.map { $0["body"] } == ["", "two", "three"])
      #expect(Set(reports.map { $0["sandbox"] }).count == 1)
      #expect(Set(reports.map { $0["request_id"] }).count == 3)
      #expect(reports.allSatisfy { $0["request_id"] == $0["id_of_handle"] && $0["is_present"] == "1" })
    }
  }

  @Test func aSandboxServesAtMostSixRequests() async throws {
    try await withFastlike("reuse") { edge in
      let turns = try await reports(Array(repeating: "/turn", count: 8), of: edge).map { $0["turn"] }
      #expect(turns == ["1", "2", "3", "4", "5", "6", "1", "2"])
    }
  }

  @Test func aSandboxThatDoesNotAskEndsWithItsRequest() async throws {
    try await withFastlike("reuse") { edge in
      let turns = try await reports(["/last", "/last", "/turn", "/last", "/turn"], of: edge).map { $0["turn"] }
      #expect(turns == ["1", "1", "1", "2", "1"])
    }
  }

  @Test(arguments: ["/leave", "/abandon"])
  func aRequestThatItsSandboxDoesNotTakeIsServedByAnother(_ path: String) async throws {
    try await withFastlike("reuse") { edge in
      let reports = try await reports([path, "/turn"], of: edge)
      #expect(reports.map { $0["turn"] } == ["1", "1"])
      #expect(Set(reports.map { $0["sandbox"] }).count == 2)
    }
  }

  @Test func promisesAnswerTheirMisuse() async throws {
    try await withFastlike("reuse") { edge in
      let report = try await edge.report("/promises")
      #expect(report["wait_of_none"] == "!badf")
      #expect(report["abandon_of_none"] == "!badf")
      #expect(report["reserved_bit"] == "!inval")
      #expect(report["second"] == "!limitexceeded")
      #expect(report["wait_before_the_response"] == "!unsupported")
      #expect(report["is_ready"] == "0")
      #expect(report["abandon_again"] == "!badf")
    }
  }

  @Test func aPromiseEndsWithItsTime() async throws {
    try await withFastlike("reuse") { edge in
      #expect(try await edge.report("/short")["short"] == "!none")
      let many = try await edge.report("/many")
      #expect(many.lines.suffix(2) == ["is_ready=1", "wait=!none"])
    }
  }

  @Test func aTrapFailsOnlyTheRequestThatTheGuestHasTaken() async throws {
    try await withFastlike("reuse") { edge in
      let client = try await edge.connect()
      let first = try await client.exchange("GET /turn HTTP/1.1\r\nHost: e\r\n\r\n")
      let second = try await client.exchange("GET /trap HTTP/1.1\r\nHost: e\r\n\r\n")
      let third = try await client.exchange("GET /turn HTTP/1.1\r\nHost: e\r\n\r\n")
      await client.close()
      #expect([first.status, second.status, third.status] == [200, 500, 200])
      #expect(GuestReport(text: third.text)["turn"] == "1")
    }
  }

  @Test func eachRequestHasATraceOfItsOwn() async throws {
    try await withFastlike("reuse", ["--profile-ui", "127.0.0.1:0"]) { edge in
      let reports = try await reports(["/turn", "/turn?x=1", "/last"], of: edge)
      #expect(reports.map { $0["turn"] } == ["1", "2", "3"])
      var output = ""
      try await eventually("three traces are listed") {
        output = try await fastlike(["trace", "list", "--server", try edge.server]).output
        let lines = output.split(separator: "\n")
        return lines.count { $0.contains("/turn") } == 2 && lines.count { $0.contains("/last") } == 1
      }
    }
  }

  @Test func aProgramThatIsRunOnceGetsNoOtherRequest() async throws {
    let finished = try await fastlikeRun(try Places.guest("reuse"))
    #expect(finished.status == .exited(0))
  }
}
