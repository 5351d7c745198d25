import Testing

/// The hostcalls of the core cache and of purging, one guest at a time.
@Suite("Conformance: core cache", .timeLimit(.minutes(5)))
struct CoreCacheTests {
  private func report(_ target: String, headers: String = "") async throws -> GuestReport {
    try await SharedEdges.edge("core_cache").report(target, headers: headers)
  }

  @Test func whatOneRequestStoresAnotherFinds() async throws {
    #expect(
      try await report("/insert?key=found&body=hello&metadata=m&max_age=60&swr=5&initial_age=2").text == "insert=ok\n")
    let found = try await report("/find?key=found")
    #expect(
      found.lines == [
        "state=found+usable", "length=5", "max_age=60", "swr=5", "age=2", "hits=1", "metadata=ok,1,m", "body=hello",
        "body_length=5", "body_end=ok",
      ])
    #expect(try await report("/find?key=found")["hits"] == "2")
  }

  @Test func whatIsNotThereHasNoProperties() async throws {
    let report = try await report("/find?key=nothing")
    #expect(report["state"] == "nothing")
    #expect(report.names(with: "!none") == ["length", "max_age", "swr", "age", "hits", "body"])
    #expect(report["metadata"] == "!none,0,")
  }

  @Test func anObjectBeyondItsWindowIsNotFound() async throws {
    _ = try await report("/insert?key=old&max_age=1&initial_age=1")
    #expect(try await report("/find?key=old")["state"] == "nothing")
    _ = try await report("/insert?key=old&max_age=1&initial_age=1&swr=60")
    #expect(try await report("/find?key=old")["state"] == "found+usable+stale")
  }

  @Test func aTransactionHasADutyThatEndsOnce() async throws {
    let report = try await report("/transaction?key=transaction")
    #expect(report["miss.state"] == "must")
    #expect(report["miss.length"] == "!none")
    #expect(report["miss.body"] == "!none")
    #expect(report["deadlock"] == "!error")
    #expect(report["update_of_nothing"] == "!badf")
    #expect(report["still_obliged"] == "must")
    #expect(report["cancel"] == "ok")
    #expect(report["cancel_twice"] == "!badf")
    #expect(report["insert_after_cancel"] == "!badf")
    #expect(report["cancelled"] == "nothing")
    #expect(report["close"] == "ok")
    #expect(report["close_twice"] == "!badf")
    #expect(report["again"] == "must")
    #expect(report["headers_in_transaction"] == "!inval")
    #expect(report["insert_twice"] == "!badf")
    #expect(report["inserted"] == "nothing")
    #expect(report["found.state"] == "found+usable")
    #expect(report["found.metadata"] == "ok,4,mark")
    #expect(report["found.body"] == "hello")
    #expect(report["cancel_without_duty"] == "!badf")
    #expect(report["second_body"] == "!badf")
    #expect(report["body_after_close"] == "ok")
    #expect(report["short_buffer"] == "!buflen,4,")
  }

  @Test func aStaleObjectIsRenewedByTheFirstWhoFindsIt() async throws {
    let report = try await report("/update?key=update")
    #expect(report["stale.state"] == "found+usable+stale+must")
    #expect(report["stale.metadata"] == "ok,3,old")
    #expect(report["stale.body"] == "kept")
    #expect(report["other"] == "found+usable+stale")
    #expect(report["plain"] == "found+usable+stale")
    #expect(report["update"] == "ok")
    #expect(report["update_twice"] == "!badf")
    #expect(report["fresh.state"] == "found+usable")
    #expect(report["fresh.metadata"] == "ok,3,new")
    #expect(report["fresh.swr"] == "0")
    #expect(report["fresh.body"] == "kept")
  }

  @Test func aLookUpCanBeWaitedForLater() async throws {
    let report = try await report("/busy?key=busy")
    #expect(
      report.lines == [
        "ready=1", "not_ready=0", "select=1", "first=must", "wait_twice=!badf", "close_busy=ok",
        "close_busy_twice=!badf", "wait_after_close=!badf", "second=found+usable", "while_written=along", "at_the_end=",
        "next=must",
      ])
  }

  @Test func anObjectIsReplacedByEachStrategy() async throws {
    let report = try await report("/replace?key=replace")
    let nothing = ["length", "hits", "age", "max_age", "swr", "body"].map { "nothing." + $0 }
    #expect(report.names(with: "!none") == nothing)
    #expect(report["nothing.metadata"] == "!none,0,")
    #expect(report["insert_twice"] == "!badf")
    #expect(report["state"] == "found+usable+must")
    #expect(report["length"] == "5")
    #expect(report["hits"] == "0")
    #expect(report["age"] == "3")
    #expect(report["max_age"] == "60")
    #expect(report["swr"] == "5")
    #expect(report["metadata"] == "ok,5,first")
    #expect(report["body"] == "first")
    #expect(report["part"] == "ir")
    #expect(report["others"] == "first")
    #expect(report["replaced"] == "second")
    #expect(report["forced.present"] == "second")
    #expect(report["forced.others"] == "nothing")
    #expect(report["waiting"] == "found+usable+must")
    #expect(report["strategy_4"] == "!inval")
    #expect(report["close"] == "ok")
  }

  @Test func rangesIncludeTheirLastByte() async throws {
    let report = try await report("/ranges?key=ranges")
    #expect(
      report.lines == [
        "whole=0123456789", "both=234", "one=3", "from=789", "last=789", "backwards=!inval", "from_beyond=0123456789",
        "to_beyond=0123456789", "last_none=0123456789", "last_too_many=0123456789", "known_length=3",
      ])
  }

  @Test func aBodyIsReadWhileItIsWritten() async throws {
    let report = try await report("/unknown_length?key=unknown")
    #expect(
      report.lines == [
        "length=!none", "body_length=!none", "part=12", "whole=0123456789", "late=3456", "missing.body=3456789",
        "missing.body_length=7", "missing.body_end=!httpincomplete", "length_then=!none", "length_now=10",
      ])
  }

  @Test func aBodyThatIsNotWhatWasPromisedIsAnErrorForItsReaders() async throws {
    let report = try await report("/promises?key=promises")
    #expect(report["kept.state"] == "found+usable")
    #expect(report["kept.length"] == "5")
    #expect(report["kept.body_end"] == "ok")
    #expect(report["kept.after"] == "found+usable")
    #expect(report["short.body"] == "012")
    #expect(report["short.body_end"] == "!httpincomplete")
    #expect(report["short.after"] == "nothing")
    #expect(report["long.body"] == "01234")
    #expect(report["long.body_end"] == "!httpincomplete")
    #expect(report["long.after"] == "nothing")
    #expect(report["abandoned.body"] == "half")
    #expect(report["abandoned.body_end"] == "!error")
    #expect(report["abandoned.after"] == "nothing")
  }

  @Test func trailersAreKept() async throws {
    #expect(
      try await report("/trailers?key=trailers").lines == [
        "early.body=content", "early.trailer=7", "late.body=content", "late.trailer=7", "moved=it was moved",
      ])
  }

  @Test func argumentsBeyondTheirLimitsAreRefused() async throws {
    let report = try await report("/limits?key=limits")
    #expect(report.names(with: "ok") == ["longest_key", "empty_key", "sensitive", "edge_age"])
    #expect(
      report.names(with: "!inval") == [
        "too_long_key", "lookup_too_long_key", "transaction_too_long_key", "busy_too_long_key", "replace_too_long_key",
        "bad_surrogate_key", "long_surrogate_key", "many_surrogate_keys", "long_edge_age",
      ])
    #expect(report.names(with: "!error") == ["empty_vary", "bad_vary"])
    #expect(report.names(with: "!unsupported") == ["service"])
    #expect(report.names(with: "!limitexceeded") == ["huge_length"])
    #expect(report.names(with: "!badf") == ["bad_headers", "lookup_bad_headers"])
  }

  @Test func handlesAndPointersThatAreNoneHaveTheirStatus() async throws {
    let report = try await report("/misuse")
    for line in report.lines {
      let name = line.prefix { $0 != "=" }
      switch name {
      case "bad_pointer", "unknown_bit": #expect(line == "\(name)=!inval")
      case "bad_options": #expect(line == "bad_options=!inval")
      case "metadata", "replace_metadata": #expect(line == "\(name)=!badf,0,")
      default: #expect(line == "\(name)=!badf")
      }
    }
    #expect(report.lines.count == 29)
  }

  // MARK: Variants

  @Test func aVariantIsFoundByRequestsWithTheSameHeaders() async throws {
    for language in ["en", "de"] {
      _ = try await report(
        "/insert?key=vary&vary=x-lang%20x-other&headers=1&body=\(language)", headers: "X-Lang: \(language)\r\n")
    }
    #expect(try await report("/find?key=vary&headers=1", headers: "x-LANG: en\r\n")["body"] == "en")
    #expect(try await report("/find?key=vary&headers=1", headers: "X-Lang: de\r\n")["body"] == "de")
    #expect(try await report("/find?key=vary&headers=1", headers: "X-Lang: fr\r\n")["state"] == "nothing")
    #expect(try await report("/find?key=vary&headers=1", headers: "X-Lang: en\r\nX-Other: 1\r\n")["state"] == "nothing")
    #expect(try await report("/find?key=vary")["state"] == "nothing")
  }

  // MARK: Purging

  @Test func aHardPurgeRemovesWhatHasTheKey() async throws {
    _ = try await report("/insert?key=purged-a&keys=hard-both%20hard-a")
    _ = try await report("/insert?key=purged-b&keys=hard-both")
    #expect(try await report("/purge?key=hard-a").lines == ["purge=ok", "empty=!inval", "space=!inval", "long=!inval"])
    #expect(try await report("/find?key=purged-a")["state"] == "nothing")
    #expect(try await report("/find?key=purged-b")["state"] == "found+usable")
    #expect(try await report("/purge?key=hard-both")["purge"] == "ok")
    #expect(try await report("/find?key=purged-b")["state"] == "nothing")
    #expect(try await report("/purge?key=hard-unknown")["purge"] == "ok")
  }

  @Test func aSoftPurgeMakesStale() async throws {
    _ = try await report("/insert?key=softened&keys=soft")
    #expect(try await report("/purge?key=soft&soft=1")["purge"] == "ok")
    #expect(try await report("/find?key=softened")["state"] == "found+usable+stale")
  }

  @Test func aPurgeAnswersWithJSON() async throws {
    _ = try await report("/insert?key=answered&keys=answer")
    let short = try #require(try await report("/purge?key=answer&capacity=4")["answer"])
    #expect(short.hasPrefix("!buflen,"))
    #expect(try await report("/find?key=answered")["state"] == "found+usable")
    let answer = try #require(try await report("/purge?key=answer&capacity=200")["answer"])
    #expect(answer.contains(#"{"status":"ok","id":""#))
    #expect(try await report("/find?key=answered")["state"] == "nothing")
  }
}
