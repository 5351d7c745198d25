import Testing

/// Header fields of requests and responses (`fastly_http_req`, `fastly_http_resp`).
@Suite("Conformance: headers", .timeLimit(.minutes(5)))
struct HeaderTests {
  private static let kinds = ["request", "response"]

  @Test(arguments: kinds)
  func fieldsAreInsertedAppendedReadAndRemovedWhateverTheirCase(_ kind: String) async throws {
    let report = try await SharedEdges.edge("headers").report("/\(kind)/basic")
    #expect(
      report.text == """
        insert=ok
        append=ok
        append_new=ok
        empty_value=ok
        high_bytes=ok
        value=first
        value_other_case=first
        values=first,second
        value_empty=
        value_high=\\xe9\\t\\xff
        missing_value=!inval
        missing_values=
        names=x-one,x-two,x-empty,x-high
        insert_replaces=ok
        values_replaced=third
        remove=ok
        remove_missing=!inval
        removed=!inval

        """)
  }

  @Test(arguments: kinds)
  func valuesComePageByPageWithACursor(_ kind: String) async throws {
    let report = try await SharedEdges.edge("headers").report("/\(kind)/cursors")
    #expect(
      report.text == """
        value_fits=ok,1,a
        value_empty_buffer=!buflen,1,
        values_all=ok,14,-1,a|bbbbbbbb|cc
        values_exact=ok,14,-1,a|bbbbbbbb|cc
        values_one_short=ok,11,2,a|bbbbbbbb
        values_only_first=ok,2,1,a
        values_too_small=!buflen,9,-1,
        values_no_buffer=!buflen,2,-1,
        values_from_second=ok,12,-1,bbbbbbbb|cc
        values_from_last=ok,3,-1,cc
        values_past_end=ok,0,-1,
        values_far_past_end=ok,0,-1,
        values_missing=ok,0,-1,
        names_too_small=!buflen,7,-1,
        names_exact=ok,7,-1,x-list
        names_past_end=ok,0,-1,
        values_step_by_step=a,bbbbbbbb,cc

        """)
  }

  @Test(arguments: kinds)
  func aListOfValuesReplacesAllOrNothing(_ kind: String) async throws {
    let report = try await SharedEdges.edge("headers").report("/\(kind)/values_set")
    #expect(
      report.text == """
        set=ok
        values=a,b,c
        set_again=ok
        values_again=d
        unterminated=ok
        values_unterminated=e
        one_bad=!error
        values_unchanged=e
        set_empty_values=ok
        empty_values=,
        set_none=ok
        none=!inval
        set_bad_name=!error

        """)
  }

  @Test(arguments: kinds)
  func namesAreTokensAndValuesHoldNoControlCharacters(_ kind: String) async throws {
    let report = try await SharedEdges.edge("headers").report("/\(kind)/invalid")
    let badNames = ["empty", "space", "colon", "newline", "high_byte", "nul", "slash"]
    for name in badNames {
      for call in ["insert", "append", "get", "remove"] { #expect(report["\(call)_name_\(name)"] == "!error") }
    }
    for value in ["nul", "carriage_return", "newline", "delete", "control"] {
      for call in ["insert", "append"] { #expect(report["\(call)_value_\(value)"] == "!error") }
    }
    for value in ["tab", "high_byte", "spaces"] {
      for call in ["insert", "append"] { #expect(report["\(call)_value_\(value)"] == "ok") }
    }
    #expect(report["insert_name_every_token_sign"] == "ok")
    #expect(report["get_name_every_token_sign"] == "v")
  }

  @Test(arguments: kinds)
  func aNameHasAtMost65535Bytes(_ kind: String) async throws {
    let report = try await SharedEdges.edge("headers").report("/\(kind)/limits")
    #expect(report["longest_name"] == "ok")
    #expect(report["longest_name_value"] == "v")
    #expect(report.names(with: "!inval").filter { $0.hasSuffix("long_name") }.count == 6)
    #expect(report["long_value_length"] == "100000")
  }

  @Test(arguments: kinds)
  func hundredsOfFieldsAreKept(_ kind: String) async throws {
    let report = try await SharedEdges.edge("headers").report("/\(kind)/many?count=300")
    #expect(report.lines == ["last=ok", "added=300", "names=300"])
  }

  @Test func everyCallOnAMissingMessageIsABadHandle() async throws {
    let report = try await SharedEdges.edge("headers").report("/bad_handle")
    #expect(report.lines.count == 14)
    #expect(report.lines.allSatisfy { $0.contains("=!badf") })
  }

  // MARK: From and to the wire

  @Test func theGuestSeesTheClientsFieldsInOrderWithEveryByte() async throws {
    let client = try await SharedEdges.edge("headers").connect()
    let head = "GET /echo?q=1 HTTP/1.1\r\nHost: edge.example\r\nX-Zeta: 1\r\nx-alpha:  2 \r\nX-ZETA: 3\r\nX-High: "
    try await client.send(Array(head.utf8) + [0xE9] + Array("\r\nX-Empty:\r\nCookie: a=b; c=d\r\n\r\n".utf8))
    #expect(
      try await client.readReply().text == """
        method=GET
        uri=http://edge.example/echo?q=1
        version=2
        header.host=edge.example
        header.x-zeta=1
        header.x-zeta=3
        header.x-alpha=2
        header.x-high=\\xe9
        header.x-empty=
        header.cookie=a=b; c=d

        """)
    await client.close()
  }

  @Test(arguments: [8192, 10])
  func originalNamesKeepOrderSpellingAndRepetition(_ capacity: Int) async throws {
    let report = try await SharedEdges.edge("headers").report(
      "/original?capacity=\(capacity)", headers: "X-Zeta: 1\r\nx-alpha: 2\r\nX-ZETA: 3\r\n")
    #expect(
      report.text == """
        count=4
        names=Host,X-Zeta,x-alpha,X-ZETA
        handle_count=4
        handle_names=Host,X-Zeta,x-alpha,X-ZETA
        own_request_count=!error
        bad_handle_count=!badf
        count_after_insert=4

        """)
  }

  @Test func theResponsesFieldsReachTheClientAsTheGuestWroteThem() async throws {
    let reply = try await SharedEdges.edge("headers").get("/wire")
    let sent = reply.head.fields.map { "\($0.name): \($0.value)" }.filter { !$0.hasPrefix("date: ") }
    #expect(
      sent == [
        "Set-Cookie: a=1", "set-cookie: b=2; Path=/", "X-Upper: 1", "x-empty: ", "x-high: \u{E9}", "x-list: one",
        "x-list: two", "content-length: 5",
      ])
    #expect(reply["date"]?.hasSuffix(" GMT") == true)
  }

  @Test func aLargeFieldReachesTheClient() async throws {
    let reply = try await SharedEdges.edge("headers").get("/large?bytes=60000")
    #expect(reply["x-large"]?.count == 60_000)
  }

  @Test func anAbsoluteTargetIsTheGuestsUriAndItsAuthorityTheHost() async throws {
    let client = try await SharedEdges.edge("headers").connect()
    let reply = try await client.exchange("GET http://other.example/echo HTTP/1.1\r\nHost: edge.example\r\n\r\n")
    let report = GuestReport(text: reply.text)
    #expect(report["uri"] == "http://other.example/echo")
    #expect(report["header.host"] == "other.example")
    await client.close()
  }
}
