import Testing

/// What guests learn of sends that fail (`send_error_detail`).
@Suite("Conformance: backend failures", .timeLimit(.minutes(5)))
struct BackendFailureTests {
  private func edge() async throws -> FastlikeProcess { try await SharedEdges.edge("requests") }

  /// A send that fails, and what the hostcalls with and without detail make of it.
  struct Failure: Sendable, CustomTestStringConvertible {
    var query: String
    var detail: String
    /// What `send` answers, which has no detail.
    var status = "!error"

    var testDescription: String { "\(query): \(detail)" }
  }

  static let failures = [
    Failure(query: "backend=refused", detail: "connection_refused"),
    Failure(query: "backend=nameless", detail: "dns_error"),
    Failure(query: "path=/reset", detail: "connection_terminated"),
    Failure(query: "path=/close", detail: "connection_terminated"),
    Failure(query: "path=/close_in_head", detail: "http_incomplete_response", status: "!httpincomplete"),
    Failure(query: "path=/bad_status", detail: "http_response_status_invalid", status: "!httpinvalid"),
    Failure(query: "path=/not_http", detail: "http_protocol_error", status: "!httpinvalid"),
    Failure(query: "path=/bad_length", detail: "http_protocol_error", status: "!httpinvalid"),
    Failure(query: "path=/two_lengths", detail: "http_protocol_error", status: "!httpinvalid"),
    Failure(query: "path=/upgrade", detail: "http_upgrade_failed"),
    Failure(
      query: "path=/large_header%3Fbytes%3D200000", detail: "http_response_header_section_too_large",
      status: "!httpheadtoolarge"),
    Failure(
      query: "path=/many_headers%3Fcount%3D1001", detail: "http_response_header_section_too_large",
      status: "!httpheadtoolarge"),
    Failure(query: "path=/silent&backend=impatient", detail: "http_response_timeout"),
    Failure(query: "host=bad%5Ehost", detail: "http_request_uri_invalid"),
  ]

  @Test(arguments: failures)
  func aSendWithDetailNamesTheReason(_ failure: Failure) async throws {
    let report = try await edge().report("/send_v2?" + failure.query)
    #expect(report["send"] == "!error")
    #expect(report["detail"] == failure.detail)
  }

  @Test(arguments: failures)
  func aSendWithoutDetailHasAStatusForIt(_ failure: Failure) async throws {
    let report = try await edge().report("/send?" + failure.query)
    #expect(report["send"] == failure.status)
    #expect(report["detail"] == "uninitialized")
  }

  @Test(arguments: ["/send_v3", "/async_v2", "/poll_v2"])
  func everyCallWithDetailNamesTheReason(_ path: String) async throws {
    let report = try await edge().report(path + "?backend=refused")
    #expect(report["send"] == "!error")
    #expect(report["detail"] == "connection_refused")
  }

  @Test func anUnknownNameCarriesTheResolversCode() async throws {
    let report = try await edge().report("/send_v2?backend=nameless")
    // Bit 1 is the response code; 3 is NXDOMAIN, 2 SERVFAIL where the machine has no resolver.
    #expect(report["detail_mask"] == "2")
    #expect(["3", "2"].contains(report["dns_rcode"] ?? ""))
  }

  @Test func anUnknownBackendIsRefusedAtOnceByEverySend() async throws {
    let report = try await edge().report("/misuse")
    for label in ["unknown", "empty", "not_text"] {
      #expect(report.values("\(label)_backend_send") == ["!inval", "!inval"])
      #expect(report["\(label)_backend_async"] == "!inval")
      #expect(report["\(label)_backend_streaming"] == "!inval")
    }
    #expect(report["unknown_backend_detail"] == "destination_not_found")
  }

  @Test func everyCallOnAMissingRequestIsABadHandle() async throws {
    let report = try await edge().report("/misuse")
    #expect(report.names(with: "!badf").count == 16)
    #expect(report["wait_for_body"] == "!badf")
    #expect(report["body_is_intact"] == "content")
  }

  @Test(.enabled(if: isLinux, "the queue of a listening socket overflows silently on Linux only"))
  func aBackendThatNeverAnswersTheConnectionTimesOut() async throws {
    let hole = try BlackHole()
    try await withFastlike("requests", ["-b", "hole=127.0.0.1:\(hole.port)"]) { edge in
      let report = try await edge.report("/send_v2?backend=hole")
      #expect(report["detail"] == "connection_timeout")
    }
  }

  private static var isLinux: Bool {
    #if os(Linux)
      true
    #else
      false
    #endif
  }

  // MARK: Bodies that fail

  @Test(arguments: [
    ("short", "0123456789", "!httpincomplete"), ("short_chunked", "0123456789", "!httpincomplete"),
    ("bad_chunk", "", "!httpinvalid"),
  ])
  func aBodyThatBreaksOffIsReadAsFarAsItCame(_ action: String, body: String, end: String) async throws {
    let report = try await edge().report("/send_v2?path=/" + action)
    #expect(report["send"] == "ok")
    #expect(report["body"] == body)
    #expect(report["body_end"] == end)
  }

  @Test func bytesBehindABodyAreNotPartOfIt() async throws {
    let report = try await edge().report("/send_v2?path=/long")
    #expect(report["body"] == "01234")
    #expect(report["body_end"] == "ok")
  }

  @Test func aLargeHeadWithinTheLimitsIsTaken() async throws {
    #expect(try await edge().report("/send?path=/large_header%3Fbytes%3D100000")["send"] == "ok")
    #expect(try await edge().report("/send?path=/many_headers%3Fcount%3D900")["send"] == "ok")
  }

  // MARK: Requests that are wrong

  @Test func urisAreCheckedWhenTheyAreSet() async throws {
    let report = try await edge().report("/addresses")
    for name in ["absolute", "relative", "no_path", "port", "star", "longest"] {
      #expect(report["set_" + name] == "ok")
    }
    for name in ["empty", "space", "bad_scheme", "newline", "too_long"] { #expect(report["set_" + name] == "!error") }
    #expect(report["get_absolute"] == "http://guest.example/a/b?c=d&e=%20")
    #expect(report["get_empty"] == "https://guest.example:8443/")
    #expect(report["length"] == "65534")
    #expect(report["tiny"] == "!buflen,5,")
    #expect(report["exact"] == "ok,5,/tiny")
  }

  @Test func methodsAreTokensAndVersionsAreKnown() async throws {
    let report = try await edge().report("/getters")
    #expect(report["method"] == "GET")
    #expect(report["uri"] == "/")
    #expect(report["version"] == "2")
    #expect(report["headers"]?.isEmpty == true)
    #expect(report["method_last"] == "custom-method")
    #expect(report["method_tiny"] == "!buflen,13,")
    #expect(report.names(with: "!error") == ["set_method_", "set_method_BAD METHOD", "set_method_BAD\\n"])
    #expect(report["set_version_4"] == "ok")
    #expect(report["set_version_5"] == "!inval")
  }

  @Test func unknownBitsAndValuesOfOptionsAreRefused() async throws {
    let report = try await edge().report("/options")
    #expect(report.names(with: "!inval") == ["override_16", "override_v2_bad", "framing_2"])
    #expect(report["override_15"] == "ok")
    #expect(report["close"] == "ok")
    #expect(report["close_twice"] == "!badf")
  }
}
