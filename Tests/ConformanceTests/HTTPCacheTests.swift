import Testing

/// `fastly_http_cache`: a guest that does its own caching, as libraries do.
@Suite("Conformance: the HTTP cache's hostcalls", .timeLimit(.minutes(5)))
struct HTTPCacheTests {
  private func report(
    _ test: String, _ name: String = "", _ response: String = "", _ more: [(String, String)] = []
  ) async throws -> GuestReport {
    let target = name.isEmpty ? test : cachedTarget(test, name, response, more)
    return try await SharedEdges.edge("http_cache").report(target)
  }

  private func cached(_ name: String, _ response: String, _ more: [(String, String)] = []) async throws -> GuestReport {
    try await report("/cached", "guest-\(name)", response, more)
  }

  private func count(_ name: String) async throws -> Int {
    try await SharedEdges.origin().counted("guest-\(name)")
  }

  // MARK: Storing and finding

  @Test func aMissIsStoredAndReadBackAndTheNextIsAHit() async throws {
    let response = "cc=max-age=600,stale-while-revalidate=5,stale-if-error=7&keys=one+two&vary=Accept&age=3"
    let miss = try await cached("miss", response)
    #expect(miss["cacheable"] == "1")
    #expect(miss["state"] == "8")
    #expect(miss["action"] == "0")
    #expect(miss["copy_state"] == "3")
    #expect(miss["state_after"] == "0")
    #expect(miss["hits"] == "0")
    #expect(miss["body"] == "guest-miss 1")
    let hit = try await cached("miss", response)
    #expect(hit["state"] == "3")
    #expect(hit["answer"] == "found")
    #expect(hit["body"] == "guest-miss 1")
    #expect(hit["max_age"] == "600")
    #expect(hit["swr"] == "5")
    #expect(hit["sie"] == "7")
    #expect(hit["hits"] == "1")
    #expect(hit["length"] == "12")
    #expect(hit["sensitive"] == "0")
    #expect(hit["vary"] == "accept")
    #expect(hit["keys"]?.hasSuffix(" one two") == true)
    #expect(hit["keys"]?.prefix { $0 != " " }.count == 64)
    #expect(hit["close"] == "ok")
    #expect(try await count("miss") == 1)
  }

  @Test func aPlainInsertIsFoundAfterwards() async throws {
    let first = try await cached("plain", "cc=max-age=600", [("after", "insert_plain"), ("vary", "accept,user-agent")])
    #expect(first["fetched"] == "200")
    let second = try await cached("plain", "cc=max-age=600")
    #expect(second["body"] == "guest-plain 1")
    // In the guest's own words.
    #expect(second["vary"] == "accept,user-agent")
  }

  @Test("RFC 9110 §14, §13: what is found is adjusted for the request, if asked for")
  func whatIsFoundIsAdjusted() async throws {
    let response = "cc=max-age=600&etag=one"
    _ = try await cached("adjusted", response)
    let range = [("header", "range"), ("value", "bytes=0-4"), ("show", "content-range")]
    let part = try await cached("adjusted", response, range)
    #expect(part["status"] == "206")
    #expect(part["body"] == "guest")
    #expect(part["header.content-range"] == "bytes 0-4/16")
    let whole = try await cached("adjusted", response, range + [("whole", "1")])
    #expect(whole["status"] == "200")
    #expect(whole["body"] == "guest-adjusted 1")
    let known = try await cached("adjusted", response, [("header", "if-none-match"), ("value", "\"one\"")])
    #expect(known["status"] == "304")
    #expect(known["body_length"] == "0")
  }

  // MARK: Revalidation

  @Test("RFC 9111 §4.3: a 304 becomes an update of what is stored")
  func aNotModifiedBecomesAnUpdate() async throws {
    let response = "cc=max-age=0;max-age=600&etag=one"
    _ = try await cached("updated", response)
    let second = try await cached("updated", response, [("show", "x-checked,cache-control")])
    // Found and stale, and to be updated.
    #expect(second["state"] == "13")
    #expect(second["if_none_match"] == "\"one\"")
    #expect(second["fetched"] == "304")
    #expect(second["action"] == "1")
    #expect(second["status"] == "200")
    #expect(second["body"] == "guest-updated 1")
    #expect(second["header.x-checked"] == "yes")
    #expect(second["header.cache-control"] == "max-age=600")
    #expect(try await cached("updated", response)["state"] == "3")
    #expect(try await count("updated") == 2)
  }

  @Test func anUpdateWithoutReadingBackCounts() async throws {
    let response = "cc=max-age=0;max-age=600&etag=one"
    _ = try await cached("quiet", response)
    #expect(try await cached("quiet", response, [("after", "update")])["update"] == "ok")
    #expect(try await cached("quiet", response)["body"] == "guest-quiet 1")
  }

  @Test("RFC 5861 §3: within its window one guest refreshes what all use")
  func oneRefreshesWhatAllUse() async throws {
    let response = "cc=max-age=0,stale-while-revalidate=600;max-age=600"
    _ = try await cached("window", response)
    let stale = try await cached("window", response)
    #expect(stale["state"] == "15")
    #expect(stale["body"] == "guest-window 1")
    #expect(try await cached("window", response)["body"] == "guest-window 2")
  }

  @Test("RFC 5861 §4: a guest may choose what is stale when it can get nothing else")
  func aGuestMayChooseWhatIsStale() async throws {
    let response = "cc=max-age=0&status=200;503"
    _ = try await cached("chosen", response, [("sie", "600")])
    let second = try await cached("chosen", response, [("after", "stale")])
    #expect(second["state"] == "29")
    #expect(second["choose_stale"] == "ok")
    #expect(second["status"] == "200")
    #expect(second["body"] == "guest-chosen 1")
    #expect(second["state_after"] == "23")
    // Nothing has changed in the cache.
    #expect(try await cached("chosen", response, [("after", "stale")])["state"] == "29")
  }

  @Test func whatMayNotBeUsedCannotBeChosen() async throws {
    let response = "cc=max-age=0&etag=one"
    _ = try await cached("unchosen", response)
    #expect(try await cached("unchosen", response, [("after", "stale")])["choose_stale"] == "!badf")
  }

  // MARK: What is not stored

  @Test("RFC 9111 §5.2.2.7: private is given up, and the next one tries again")
  func privateIsGivenUp() async throws {
    for number in 1...2 {
      let report = try await cached("private", "cc=private")
      #expect(report["action"] == "2")
      #expect(report["abandon"] == "ok")
      #expect(report["body"] == "guest-private \(number)")
    }
  }

  @Test func whatIsRecordedAsUncacheableIsPassed() async throws {
    let first = try await cached("recorded", "cc=max-age=600&cookie=a")
    #expect(first["action"] == "3")
    #expect(first["record"] == "ok")
    // A guest that asks again at once tries once more; later ones know.
    try await eventually("the knowledge has settled") {
      try await Task.sleep(for: .milliseconds(100))
      return try await cached("recorded", "cc=max-age=600&cookie=a")["answer"] == "passed"
    }
    #expect(try await cached("recorded", "cc=max-age=600&cookie=a")["state"] == "0")
  }

  // MARK: Collapsing

  @Test("RFC 9111 §4: guests wait for the one that fetches, and read along")
  func guestsWaitForTheOneThatFetches() async throws {
    let origin = try await SharedEdges.origin()
    let bodies = try await withThrowingTaskGroup(of: GuestReport.self) { group in
      for _ in 0..<5 { group.addTask { try await cached("crowd", "cc=max-age=600&gate=guest-crowd") } }
      try await eventually("the origin is asked") { origin.counted("guest-crowd") > 0 }
      origin.open(gate: "guest-crowd")
      return try await group.reduce(into: []) { $0.append($1["body"] ?? "none") }
    }
    #expect(bodies == Array(repeating: "guest-crowd 1", count: 5))
    #expect(try await count("crowd") == 1)
  }

  @Test func aGuestDoesNotWaitForItself() async throws {
    let report = try await report("/self", "guest-self", "cc=max-age=600")
    #expect(report["first"] == "8")
    #expect(report["second"] == "0")
    #expect(report["body"] == "guest-self 1")
    #expect(report["third"] == "3")
    #expect(report["begun"] == "from")
    #expect(report["length"] == "!none")
    #expect(report["rest"] == " the guest")
  }

  // MARK: Suggestions

  @Test func theSuggestedKeyHasThirtyTwoBytes() async throws {
    let first = try await report("/key?path=/a%3Fb")
    #expect(first["small"] == "!buflen,32,")
    #expect(first["status"] == "ok")
    #expect(first["key"]?.count == 64)
    #expect(try await report("/key?path=/a%3Fb&method=HEAD&header=accept&value=x")["key"] == first["key"])
    #expect(try await report("/key?path=/a%3Fc")["key"] != first["key"])
  }

  @Test func optionsAreSuggestedAsFarAsTheyAreAskedFor() async throws {
    let control = "max-age=60, stale-while-revalidate=7, stale-if-error=8"
    let report = try await report(
      "/suggested", "guest-suggested", "",
      [
        ("response", "cache-control"), ("response_value", control), ("response2", "vary"),
        ("response_value2", "Accept, X-A"),
      ])
    #expect(report["action"] == "0")
    #expect(report["short"] == "!buflen")
    // Everything but the length, which is not known, and sensitivity.
    #expect(report["short_mask"] == "158")
    #expect(report["short_vary"] == "10")
    #expect(report["short_keys"] == "64")
    #expect(report["none"] == "ok")
    #expect(report["none_mask"] == "0")
    #expect(report["none_age"] == "55")
    #expect(report["max_age"] == "60")
    #expect(report["swr"] == "7")
    #expect(report["sie"] == "8")
    #expect(report["original"] == "200")
  }

  @Test("Platform: a response that says nothing is suggested to be fresh for an hour")
  func anHourIsSuggested() async throws {
    #expect(try await report("/suggested", "guest-silent", "")["max_age"] == "3600")
  }

  // MARK: Misuse

  @Test(arguments: ["insert", "abandon", "record"])
  func aDutyEndsOnce(end: String) async throws {
    let report = try await report("/ended", "guest-ended-\(end)", "", [("end", end)])
    for call in ["insert", "stream_back", "update", "update_fresh", "record", "choose_stale", "abandon"] {
      #expect(report[call] == "!badf", "\(call)")
    }
    #expect(report["state"] == "0")
    #expect(report["found"] == "!none")
  }

  @Test func aClosedEntryIsNone() async throws {
    let report = try await report("/ended", "guest-ended-close", "", [("end", "close")])
    #expect(report["state"] == "!badf")
    #expect(report["found"] == "!badf")
  }

  @Test func argumentsAreChecked() async throws {
    let report = try await report("/misuse", "guest-misuse", "")
    #expect(report["key_0"] == "!inval")
    #expect(report["key_31"] == "!inval")
    #expect(report["key_32"] == "ok")
    #expect(report["key_33"] == "!inval")
    #expect(report["unknown_option"] == "!inval")
    #expect(report["plain_lookup"] == "ok")
    #expect(report["plain_state"] == "0")
    #expect(report["plain_found"] == "!none")
    #expect(report["unknown_write_option"] == "!inval")
    #expect(report["bad_response"] == "!badf")
    #expect(report["bad_vary"] == "!error")
    #expect(report["bad_pointer"] == "!inval")
    #expect(report["no_update"] == "!badf")
    #expect(report["still_obliged"] == "8")
  }

  @Test func everyFunctionKnowsABadHandle() async throws {
    let report = try await report("/bad_handles")
    #expect(report.names(with: "!badf").count == 26)
    #expect(report.lines.count == 26)
  }
}
