import Testing

/// What guests learn of backends that misbehave in HTTP/2.
@Suite("Conformance: backends that fail over HTTP/2", .timeLimit(.minutes(5)))
struct HTTP2BackendFailureTests {
  private func withRequests(
    settings: [String] = [], _ body: (HTTP2Origin, FastlikeProcess) async throws -> Void
  ) async throws {
    try await withHTTP2Origin { origin in
      let manifest = try HTTP2BackendTests.manifest(origin, settings: settings)
      try await withFastlike("requests", ["-C", manifest]) { try await body(origin, $0) }
    }
  }

  @Test func theFrameAndCodeOfAPeersFarewellAreTold() async throws {
    try await withRequests { _, edge in
      let reset = try await edge.report("/send_v2?path=/reset%3Fcode=2")
      #expect(reset["send"] == "!error")
      #expect(reset["detail"] == "h2_error")
      #expect(reset["detail_mask"] == "16")
      #expect(reset["h2_error_frame"] == "3")
      #expect(reset["h2_error"] == "2")
      let refused = try await edge.report("/send_v2?path=/refused_always")
      #expect(refused["h2_error"] == "7")
      let goAway = try await edge.report("/send_v2?path=/goaway_error")
      #expect(goAway["detail"] == "h2_error")
      #expect(goAway["h2_error_frame"] == "7")
      #expect(goAway["h2_error"] == "11")
    }
  }

  @Test(arguments: [
    ("bad_status", "http_response_status_invalid"), ("bad_field", "http_protocol_error"),
    ("upgrade", "http_upgrade_failed"), ("large_head", "http_response_header_section_too_large"),
    ("bad_frame", "http_protocol_error"), ("long_frame", "http_protocol_error"),
    ("bad_headers", "http_protocol_error"), ("zero_window", "http_protocol_error"), ("http1", "http_protocol_error"),
    ("close", "connection_terminated"),
  ])
  func aFailureBeforeTheResponseHasItsTag(_ action: String, _ tag: String) async throws {
    try await withRequests { _, edge in
      let report = try await edge.report("/send_v2?path=/\(action)")
      #expect(report["detail"] == tag)
      // The next request is not harmed.
      #expect(try await edge.report("/send_v2?path=/hello")["body"] == "hello over h2\\n")
    }
  }

  @Test(arguments: ["reset_in_body", "close_in_body"])
  func aBodyThatBreaksOffIsNoWholeBody(_ action: String) async throws {
    try await withRequests { origin, edge in
      origin.open(gate: "gate")
      let report = try await edge.report("/send_v2?path=/\(action)/gate")
      #expect(report["send"] == "ok")
      #expect(report["body_end"] != "ok")
    }
  }

  @Test(arguments: ["short_length", "long_length"])
  func aBodyThatIsNotAsLongAsAnnouncedIsNoWholeBody(_ action: String) async throws {
    try await withRequests { _, edge in
      let report = try await edge.report("/send_v2?path=/\(action)")
      // The head may have come before the violation, or with it.
      #expect(report["send"] != "ok" || report["body_end"] != "ok")
      #expect(try await edge.report("/send_v2?path=/hello")["body"] == "hello over h2\\n")
    }
  }

  @Test func timeoutsCountForEachStream() async throws {
    try await withRequests(settings: ["first_byte_timeout_ms = 300", "between_bytes_timeout_ms = 300"]) {
      origin, edge in
      let client = try await edge.connect()
      let silent = try await client.exchange("GET /send_v2?path=/silent HTTP/1.1\r\nHost: e\r\n\r\n")
      #expect(GuestReport(text: silent.text)["detail"] == "http_response_timeout")
      let halting = try await client.exchange("GET /send_v2?path=/silent_in_body HTTP/1.1\r\nHost: e\r\n\r\n")
      #expect(GuestReport(text: halting.text)["body"] == "0123456789")
      #expect(GuestReport(text: halting.text)["body_end"] != "ok")
      // The connection goes on, and the peer was told of both.
      let last = try await client.exchange("GET /send_v2?path=/count HTTP/1.1\r\nHost: e\r\n\r\n")
      await client.close()
      #expect(GuestReport(text: last.text)["body"] == "connection 1 request 3")
      #expect(origin.seen.prefix(2).allSatisfy { $0.isReset })
    }
  }

  @Test func aGuestThatLeavesResetsItsStreamOnly() async throws {
    try await withRequests { origin, edge in
      let client = try await edge.connect()
      let trap = try await client.exchange("GET /upload_abandoned?path=/upload HTTP/1.1\r\nHost: e\r\n\r\n")
      #expect(trap.status == 200)
      let last = try await client.exchange("GET /send_v2?path=/count HTTP/1.1\r\nHost: e\r\n\r\n")
      await client.close()
      #expect(GuestReport(text: last.text)["body"] == "connection 1 request 2")
      #expect(origin.seen.first?.isReset == true)
    }
  }
}
