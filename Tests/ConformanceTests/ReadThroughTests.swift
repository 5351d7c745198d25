import Testing

/// Plain sends through the cache, against origins that count.
@Suite("Conformance: plain sends read through the cache", .timeLimit(.minutes(5)))
struct ReadThroughTests {
  private let shown = ("show", "x-cache,x-cache-hits,age,x-checked,content-range,surrogate-key,etag")

  /// Sends once through the shared process.
  private func send(_ name: String, _ response: String, _ more: [(String, String)] = []) async throws -> GuestReport {
    try await SharedEdges.edge("http_cache").report(cachedTarget("/send", name, response, [shown] + more))
  }

  private func count(_ name: String) async throws -> Int { try await SharedEdges.origin().counted(name) }

  // MARK: Freshness

  @Test("RFC 9111 §4: a fresh response is used without asking the origin")
  func aFreshResponseIsUsed() async throws {
    let first = try await send("fresh", "cc=max-age=600&keys=a")
    #expect(first["body"] == "fresh 1")
    #expect(first["header.x-cache"] == "MISS")
    #expect(first["header.x-cache-hits"] == "0")
    let second = try await send("fresh", "cc=max-age=600&keys=a")
    #expect(second["body"] == "fresh 1")
    #expect(second["body_end"] == "ok")
    #expect(second["header.x-cache"] == "HIT")
    #expect(second["header.x-cache-hits"] == "1")
    #expect(second["header.age"] != "-")
    #expect(second["header.surrogate-key"] == "-")
    #expect(try await count("fresh") == 1)
  }

  @Test("RFC 9111 §4.2.3: the age of a response goes on from where it came")
  func theAgeGoesOn() async throws {
    _ = try await send("aged", "cc=max-age=600&age=100")
    let report = try await send("aged", "cc=max-age=600&age=100")
    #expect(report["header.age"].flatMap(Int.init).map { (100..<160).contains($0) } == true)
    #expect(try await count("aged") == 1)
  }

  @Test("RFC 9111 §4.2.2: a response that says nothing is fetched each time")
  func aResponseThatSaysNothingIsFetched() async throws {
    #expect(try await send("silent", "")["body"] == "silent 1")
    let second = try await send("silent", "")
    #expect(second["body"] == "silent 2")
    #expect(second["header.x-cache"] == "-")
  }

  @Test(
    "RFC 9111 §5.2.2, §3: what must not be stored is fetched each time",
    arguments: [
      ("no-store", "cc=no-store"), ("private", "cc=private,max-age=600"), ("cookie", "cc=max-age=600&cookie=a"),
      ("vary-all", "cc=max-age=600&vary=*"), ("no-cache", "cc=no-cache&etag=1"), ("error", "cc=max-age=600&status=500"),
    ])
  func whatMustNotBeStoredIsFetched(name: String, response: String) async throws {
    for number in 1...2 { #expect(try await send(name, response)["body"] == "\(name) \(number)") }
  }

  @Test("Platform: Surrogate-Control is for this cache, and nothing of it goes on")
  func surrogateControlIsForThisCache() async throws {
    for _ in 1...2 { #expect(try await send("surrogate", "cc=no-store&sc=max-age=600")["body"] == "surrogate 1") }
  }

  // MARK: Variants, credentials

  @Test("RFC 9111 §4.1: each variant is stored by itself")
  func eachVariantIsStored() async throws {
    for (language, number) in [("de", 1), ("en", 2), ("de", 1), ("en", 2)] {
      let report = try await send(
        "varied", "cc=max-age=600&vary=Accept-Language", [("header", "accept-language"), ("value", language)])
      #expect(report["body"] == "varied \(number)")
    }
  }

  @Test("RFC 9111 §3.5: a response to credentials is shared only where it says so")
  func credentialsAreNotShared() async throws {
    let credentials = [("header", "authorization"), ("value", "Basic x")]
    for number in 1...2 {
      #expect(try await send("own", "cc=max-age=600", credentials)["body"] == "own \(number)")
      #expect(try await send("shared", "cc=public,max-age=600", credentials)["body"] == "shared 1")
    }
  }

  @Test func responsesOfDifferentBackendsAreNotTakenForEachOther() async throws {
    #expect(try await send("two", "cc=max-age=600")["body"] == "two 1")
    #expect(try await send("two", "cc=max-age=600", [("backend", "other")])["body"] == "two 2")
  }

  // MARK: Revalidation, stale use

  @Test("RFC 9111 §4.3: a stale response is revalidated, and a 304 gives it new fields")
  func aStaleResponseIsRevalidated() async throws {
    let response = "cc=max-age=0,stale-if-error=600;max-age=600&etag=one"
    #expect(try await send("checked", response)["header.x-checked"] == "-")
    let second = try await send("checked", response)
    #expect(second["status"] == "200")
    #expect(second["body"] == "checked 1")
    #expect(second["header.x-checked"] == "yes")
    #expect(second["header.x-cache"] == "HIT")
    // It has become fresh.
    #expect(try await send("checked", response)["body"] == "checked 1")
    #expect(try await count("checked") == 2)
  }

  @Test("RFC 9111 §4.3.3: a full response replaces the stale one")
  func aFullResponseReplacesTheStaleOne() async throws {
    let response = "cc=max-age=0,stale-if-error=600;max-age=600&etag=one;two"
    #expect(try await send("replaced", response)["body"] == "replaced 1")
    #expect(try await send("replaced", response)["body"] == "replaced 2")
    #expect(try await send("replaced", response)["header.etag"] == "\"two\"")
    #expect(try await count("replaced") == 2)
  }

  @Test("RFC 5861 §3: what is stale is used while it is fetched behind")
  func whatIsStaleIsUsedWhileItIsFetched() async throws {
    let response = "cc=max-age=0,stale-while-revalidate=600;max-age=600"
    #expect(try await send("swr", response)["body"] == "swr 1")
    #expect(try await send("swr", response)["body"] == "swr 1")
    try await eventually("the cache has fetched") { try await send("swr", response)["body"] == "swr 2" }
    #expect(try await count("swr") == 2)
  }

  @Test("RFC 5861 §4: what is stale is used when the origin fails", arguments: ["503", "drop"])
  func whatIsStaleIsUsedWhenTheOriginFails(failure: String) async throws {
    let (name, response) = ("sie-\(failure)", "cc=max-age=0,stale-if-error=600&status=200;\(failure)")
    #expect(try await send(name, response)["body"] == "\(name) 1")
    let second = try await send(name, response)
    #expect(second["status"] == "200")
    #expect(second["body"] == "\(name) 1")
    #expect(try await count(name) >= 2)
  }

  @Test func aFailureIsTheGuestsWhereNothingIsStored() async throws {
    let report = try await send("broken", "status=drop")
    #expect(report["send"] == "!error")
    #expect(report["detail"] == "connection_terminated")
  }

  // MARK: Collapsing

  @Test("RFC 9111 §4: concurrent requests make one request to the origin")
  func concurrentRequestsMakeOne() async throws {
    let bodies = try await concurrently(8, "crowd", "cc=max-age=600&gate=crowd")
    #expect(bodies == Array(repeating: "crowd 1", count: 8))
    #expect(try await count("crowd") == 1)
  }

  @Test("Platform: who waited for what cannot be stored asks for itself")
  func whoWaitedInVainAsksForItself() async throws {
    let bodies = try await concurrently(4, "alone", "cc=no-store&gate=alone")
    #expect(Set(bodies).count == 4)
    #expect(try await count("alone") == 4)
  }

  /// The bodies that so many requests get, sorted; the origin's gate opens when it has been asked.
  private func concurrently(_ number: Int, _ name: String, _ response: String) async throws -> [String] {
    let origin = try await SharedEdges.origin()
    return try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<number {
        group.addTask { try await send(name, response)["body"] ?? "none" }
      }
      try await eventually("the origin is asked") { origin.counted(name) > 0 }
      origin.open(gate: name)
      return try await group.reduce(into: []) { $0.append($1) }.sorted()
    }
  }

  // MARK: Ranges, conditions, methods

  @Test("RFC 9110 §14: parts of a stored response, and 416 for what is none")
  func partsOfAStoredResponse() async throws {
    let response = "cc=max-age=600&body=0123456789"
    #expect(try await send("ranged", response)["body"] == "0123456789 1")
    let part = try await send("ranged", response, [("header", "range"), ("value", "bytes=2-4")])
    #expect(part["status"] == "206")
    #expect(part["body"] == "234")
    #expect(part["header.content-range"] == "bytes 2-4/12")
    let none = try await send("ranged", response, [("header", "range"), ("value", "bytes=50-")])
    #expect(none["status"] == "416")
    #expect(none["header.content-range"] == "bytes */12")
    let several = try await send("ranged", response, [("header", "range"), ("value", "bytes=0-1,3-4")])
    #expect(several["status"] == "200")
    #expect(several["body"] == "0123456789 1")
    #expect(try await count("ranged") == 1)
  }

  @Test("RFC 9111 §4.3.2: who has the stored response gets a 304")
  func whoHasTheResponseGetsANotModified() async throws {
    let response = "cc=max-age=600&etag=one"
    _ = try await send("known", response)
    let known = try await send("known", response, [("header", "if-none-match"), ("value", "\"one\"")])
    #expect(known["status"] == "304")
    #expect(known["body_length"] == "0")
    let other = try await send("known", response, [("header", "if-none-match"), ("value", "\"two\"")])
    #expect(other["body"] == "known 1")
    #expect(try await count("known") == 1)
  }

  @Test func aRequestForAPartGoesAsItIsWhereNothingIsStored() async throws {
    _ = try await send("part", "cc=max-age=600", [("header", "range"), ("value", "bytes=0-1")])
    let seen = try await SharedEdges.origin().seen.first { $0.target.hasPrefix("/cached/part?") }
    #expect(seen?.head.lowercased().contains("range: bytes=0-1") == true)
    #expect(try await send("part", "cc=max-age=600")["body"] == "part 2")
  }

  @Test("RFC 9110 §9.3.2: HEAD is answered from a stored GET")
  func headIsAnsweredFromAStoredGet() async throws {
    _ = try await send("headed", "cc=max-age=600&etag=one")
    let report = try await send("headed", "cc=max-age=600&etag=one", [("method", "HEAD")])
    #expect(report["status"] == "200")
    #expect(report["body_length"] == "0")
    #expect(report["header.etag"] == "\"one\"")
    #expect(try await count("headed") == 1)
  }

  @Test("RFC 9111 §4.4: a successful change makes the stored response invalid", arguments: ["POST", "DELETE"])
  func aSuccessfulChangeInvalidates(method: String) async throws {
    let name = "changed-\(method)"
    #expect(try await send(name, "cc=max-age=600")["body"] == "\(name) 1")
    #expect(try await send(name, "cc=max-age=600", [("method", method)])["body"] == "\(name) 2")
    #expect(try await send(name, "cc=max-age=600")["body"] == "\(name) 3")
    #expect(try await send(name, "cc=max-age=600")["body"] == "\(name) 3")
  }

  @Test("RFC 9111 §4.4: a failed change does not")
  func aFailedChangeDoesNotInvalidate() async throws {
    let response = "cc=max-age=600&status=200;500"
    _ = try await send("unchanged", response)
    _ = try await send("unchanged", response, [("method", "POST")])
    #expect(try await send("unchanged", response)["body"] == "unchanged 1")
  }

  // MARK: Overrides

  @Test func passGoesToTheOriginAndStoresNothing() async throws {
    let pass = [("override", "1"), ("ttl", "600")]
    #expect(try await send("passed", "cc=max-age=600", pass)["body"] == "passed 1")
    #expect(try await send("passed", "cc=max-age=600", pass)["body"] == "passed 2")
    #expect(try await send("passed", "cc=max-age=600")["body"] == "passed 3")
    #expect(try await send("passed", "cc=max-age=600", pass)["body"] == "passed 4")
  }

  @Test func aLifetimeOfTheGuestTakesThePlaceOfTheOrigins() async throws {
    for _ in 1...2 {
      let report = try await send("lasting", "cc=no-store", [("override", "2"), ("ttl", "600")])
      #expect(report["override"] == "ok")
      #expect(report["body"] == "lasting 1")
    }
    for number in 1...2 {
      let report = try await send("fleeting", "cc=max-age=600", [("override", "2"), ("ttl", "0")])
      #expect(report["body"] == "fleeting \(number)")
    }
  }

  @Test func aStaleWindowOfTheGuestIsKept() async throws {
    let override = [("override", "6"), ("ttl", "0"), ("swr", "600")]
    #expect(try await send("window", "", override)["body"] == "window 1")
    #expect(try await send("window", "", override)["body"] == "window 1")
    try await eventually("the cache has fetched") { try await count("window") >= 2 }
  }

  @Test(arguments: [("1", true), ("2", true), ("async", true), ("3", false), ("async2", false)])
  func theNewerSendsBypassTheCache(version: String, isStored: Bool) async throws {
    let name = "version-\(version)"
    for number in 1...2 {
      let report = try await send(name, "cc=max-age=600", [("version", version)])
      #expect(report["body"] == "\(name) \(isStored ? 1 : number)")
    }
  }

  @Test func surrogateKeysOfTheGuestMustBeAFieldsValue() async throws {
    let override = [("override", "2"), ("ttl", "60")]
    #expect(try await send("keyed", "", override + [("keys", "one two")])["override"] == "ok")
    #expect(try await send("keyed", "", override + [("keys", "one\ntwo")])["override"] == "!inval")
  }

  @Test func whatIsStoredIsPurgedByItsKeys() async throws {
    let edge = try await SharedEdges.edge("http_cache")
    let override = [("override", "2"), ("ttl", "600"), ("keys", "guest-key")]
    for (key, number) in [("guest-key", 1), ("origin-key", 2), ("no-key", 3)] {
      for _ in 1...2 {
        #expect(try await send("purged", "keys=origin-key", override)["body"] == "purged \(number)")
      }
      #expect(try await edge.report("/purge?key=\(key)")["purge"] == "ok")
    }
    #expect(try await send("purged", "keys=origin-key", override)["body"] == "purged 3")
  }

  // MARK: Bodies

  @Test func aResponseIsPassedOnWhileItIsStored() async throws {
    let edge = try await SharedEdges.edge("http_cache")
    for _ in 1...2 {
      let reply = try await edge.get(cachedTarget("/relay", "relayed", "cc=max-age=600"))
      #expect(reply.text == "relayed 1")
      #expect(reply["content-length"] == "9")
      #expect(reply.ending == .complete)
    }
    #expect(try await count("relayed") == 1)
  }

  // MARK: Settings

  @Test func allIsAsOnThePlatformOrNothingIs() async throws {
    try await withOrigin { origin in
      for (mode, number) in [("platform", 1), ("off", 3)] {
        let flags = ["--backend", "origin=127.0.0.1:\(origin.port)", "--readthrough", mode]
        try await withFastlike("http_cache", flags) { edge in
          for _ in 1...2 { _ = try await edge.report(cachedTarget("/send", "set", "")) }
        }
        #expect(origin.counted("set") == number)
      }
    }
    let command = try await fastlike(["serve", "--readthrough", "always", "x.wasm"])
    #expect(command.errors.contains("explicit, platform or off"))
  }
}
