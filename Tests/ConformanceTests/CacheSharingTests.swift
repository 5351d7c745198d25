import Foundation
import Testing

/// Requests that share what is in the cache, through a caching proxy.
@Suite("Conformance: sharing the cache", .timeLimit(.minutes(5)))
struct CacheSharingTests {
  private func edge() async throws -> FastlikeProcess { try await SharedEdges.edge("cached") }

  /// Sends so many requests at once and gives their responses.
  private func several(_ count: Int, _ target: String, _ edge: FastlikeProcess) async throws -> [HTTPReply] {
    try await withThrowingTaskGroup(of: HTTPReply.self) { group in
      for _ in 0..<count { group.addTask { try await edge.get(target) } }
      var replies: [HTTPReply] = []
      for try await reply in group { replies.append(reply) }
      return replies
    }
  }

  private func outcomes(_ replies: [HTTPReply]) -> [String: Int] {
    Dictionary(grouping: replies) { "\($0.status) \($0["x-cache"] ?? "-")" }.mapValues(\.count)
  }

  @Test func theSecondRequestIsAHit() async throws {
    let edge = try await edge()
    let first = try await edge.get("/hello/hit")
    #expect(first["x-cache"] == "miss")
    let second = try await edge.get("/hello/hit")
    #expect(second["x-cache"] == "hit")
    #expect(second["content-length"] == "18")
    #expect(second.text == "hello from origin\n")
    #expect(try await SharedEdges.origin().seen("/hello/hit").count == 1)
  }

  @Test func requestsThatComeTogetherAreOneForTheOrigin() async throws {
    let (edge, origin) = (try await edge(), try await SharedEdges.origin())
    async let replies = several(40, "/gated/together", edge)
    try await eventually("the origin gets the request") { !origin.seen("/gated/together").isEmpty }
    // What comes later waits as well.
    async let late = several(10, "/gated/together", edge)
    try await Task.sleep(for: .milliseconds(200))
    origin.open(gate: "together")
    let all = try await replies + late
    #expect(outcomes(all) == ["200 miss": 1, "200 hit": 49])
    #expect(all.allSatisfy { $0.text == "through the gate\n" })
    #expect(origin.seen("/gated/together").count == 1)
  }

  @Test func waitersReadAlongWhileTheObjectIsWritten() async throws {
    let (edge, origin) = (try await edge(), try await SharedEdges.origin())
    let leader = try await edge.connect()
    try await leader.send("GET /first_half/along HTTP/1.1\r\nHost: e\r\n\r\n")
    #expect(try await leader.readHead()["x-cache"] == "miss")
    #expect(try await leader.readText() == "first half ")
    let follower = try await edge.connect()
    try await follower.send("GET /first_half/along HTTP/1.1\r\nHost: e\r\n\r\n")
    #expect(try await follower.readHead()["x-cache"] == "hit")
    #expect(try await follower.readText() == "first half ")
    origin.open(gate: "along")
    for client in [leader, follower] {
      #expect(try await client.readText() == "second half")
      #expect(try await client.readText() == nil)
      await client.close()
    }
    #expect(origin.seen("/first_half/along").count == 1)
  }

  @Test func aReaderThatLeavesDoesNotDisturbTheOthers() async throws {
    let (edge, origin) = (try await edge(), try await SharedEdges.origin())
    let leader = try await edge.connect()
    try await leader.send("GET /first_half/leaves HTTP/1.1\r\nHost: e\r\n\r\n")
    _ = try await leader.readHead()
    let (stays, leaves) = (try await edge.connect(), try await edge.connect())
    for client in [stays, leaves] {
      try await client.send("GET /first_half/leaves HTTP/1.1\r\nHost: e\r\n\r\n")
      _ = try await client.readHead()
      #expect(try await client.readText() == "first half ")
    }
    await leaves.connection.reset()
    origin.open(gate: "leaves")
    #expect(try await stays.readText() == "second half")
    #expect(try await stays.readText() == nil)
    for client in [leader, stays] { await client.close() }
  }

  @Test(arguments: ["trap", "cancel"])
  func aLeaderThatFailsHandsItsDutyToOneWaiter(_ failure: String) async throws {
    let (edge, origin) = (try await edge(), try await SharedEdges.origin())
    let path = "/gated/leader-\(failure)"
    async let leader = edge.get(path + "?fail=\(failure)")
    try await eventually("the origin gets the request") { origin.seen(path).count == 1 }
    async let followers = several(10, path, edge)
    try await Task.sleep(for: .milliseconds(200))
    origin.open(gate: "leader-\(failure)")
    #expect(try await leader.status == 500)
    #expect(outcomes(try await followers) == ["200 miss": 1, "200 hit": 9])
    #expect(origin.seen(path).count == 2)
  }

  @Test func anObjectThatBreaksOffIsFetchedAnew() async throws {
    let edge = try await edge()
    let broken = try await edge.get("/hello/broken?fail=abandon")
    #expect(broken.text == "hell")
    #expect(broken.ending == .cutOff)
    let whole = try await edge.get("/hello/broken")
    #expect(whole["x-cache"] == "miss")
    #expect(whole.text == "hello from origin\n")
  }

  @Test func aStaleObjectIsServedWhileOneRequestFetchesItAnew() async throws {
    let (edge, origin) = (try await edge(), try await SharedEdges.origin())
    let path = "/gated/stale"
    origin.open(gate: "stale")
    #expect(try await edge.get(path + "?max_age=1&swr=60000")["x-cache"] == "miss")
    #expect(try await edge.get(path + "?max_age=60000")["x-cache"] == "stale")
    try await eventually("the object is fresh again") { try await edge.get(path)["x-cache"] == "hit" }
    #expect(origin.seen(path).count == 2)
  }

  @Test func requestsThatDifferInAVariedHeaderDoNotShare() async throws {
    let (edge, origin) = (try await edge(), try await SharedEdges.origin())
    for language in ["en", "de", "en"] {
      _ = try await edge.get("/hello/varied?vary=x-lang", headers: "X-Lang: \(language)\r\n")
    }
    #expect(origin.seen("/hello/varied").count == 2)
  }

  @Test func whatWasNotUsedForLongestMakesRoom() async throws {
    try await withFastlike("core_cache", ["--cache-size", "4MiB"]) { edge in
      for key in ["a", "b", "c"] {
        let filled = try await edge.report("/fill?key=\(key)&mib=1")
        #expect(filled["fill"] == "ok")
      }
      #expect(try await edge.report("/find?key=a")["state"] == "found+usable")
      #expect(try await edge.report("/fill?key=d&mib=1")["fill"] == "ok")
      #expect(try await edge.report("/find?key=a")["state"] == "found+usable")
      #expect(try await edge.report("/find?key=b")["state"] == "nothing")
      #expect(try await edge.report("/fill?key=huge&mib=5")["fill"] == "!limitexceeded")
      #expect(try await edge.report("/find?key=huge")["state"] == "nothing")
      #expect(try await edge.report("/fill?key=e&mib=1")["fill"] == "ok")
    }
  }

  @Test func theCacheSurvivesAReload() async throws {
    try await withFastlike("core_cache", ["--reload"]) { edge in
      _ = try await edge.report("/insert?key=kept&body=kept")
      edge.child.signal(SIGHUP)
      try await eventually("the service is loaded again") { edge.child.errors.contains("fastlike: reloaded") }
      #expect(try await edge.report("/find?key=kept")["body"] == "kept")
    }
  }

  // MARK: Traces

  /// What a request's trace says of its look-up.
  private struct Lookup: Decodable {
    struct Label: Decodable {
      let kind: String
      let name: String
    }
    struct Span: Decodable {
      let name: String
      let labels: [Int]?
      let tagSlots: [Int]
    }
    struct Time: Decodable {
      let blockedNanos: [String: Int]
    }

    let reqId: Int
    let labels: [Label]
    let spans: [Span]
    let time: Time

    static var decoder: JSONDecoder {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      return decoder
    }

    private var span: Span? { spans.first { $0.name == "fastly_cache.transaction_lookup" } }
    var outcomes: [String] { (span?.labels ?? []).map { labels[$0] }.filter { $0.kind == "cache" }.map(\.name) }
    var leader: Int { span?.tagSlots.first ?? 0 }
  }

  private struct Bundle: Decodable {
    let traces: [Lookup]
  }

  @Test func aTraceTellsWhatALookUpCameToAndForWhomItWaited() async throws {
    let origin = try await SharedEdges.origin()
    let flags = ["--profile-ui", "127.0.0.1:0", "--backend", "origin=127.0.0.1:\(origin.port)"]
    try await withFastlike("cached", flags) { edge in
      async let leader = edge.get("/gated/traced")
      try await eventually("the origin gets the request") { !origin.seen("/gated/traced").isEmpty }
      async let follower = edge.get("/gated/traced")
      try await Task.sleep(for: .milliseconds(200))
      origin.open(gate: "traced")
      _ = try await (leader, follower)
      var lookups: [Lookup] = []
      try await eventually("both traces are finished") {
        let bundle = Data(try await edge.page("api/traces.json").body)
        lookups = try Lookup.decoder.decode(Bundle.self, from: bundle).traces
        return lookups.count == 2
      }
      let first = try #require(lookups.first { $0.outcomes == ["miss"] })
      let second = try #require(lookups.first { $0.outcomes == ["hit", "collapsed"] })
      #expect(first.leader == 0)
      #expect(second.leader == first.reqId)
      #expect(second.time.blockedNanos["cache"] ?? 0 > 0)
    }
  }
}
