import Foundation
import Testing

/// What traces tell of the HTTP cache: which calls it made, and what was waited for.
@Suite("Conformance: the HTTP cache in traces", .timeLimit(.minutes(5)))
struct CacheTraceTests {
  /// Runs the test with a process that has a page and an origin of its own.
  private func withPage(_ body: (FastlikeProcess, Origin) async throws -> Void) async throws {
    try await withOrigin { origin in
      let flags = ["--backend", "origin=127.0.0.1:\(origin.port)", "--profile-ui", "127.0.0.1:0"]
      try await withFastlike("http_cache", flags) { edge in try await body(edge, origin) }
    }
  }

  /// The trace of the process's request with this number.
  private func trace(_ number: Int, _ edge: FastlikeProcess) async throws -> [String: Any] {
    var found: [String: Any]?
    try await eventually("trace \(number)") {
      let reply = try await edge.page("r/\(number).json")
      guard reply.status == 200 else { return false }
      let document = try JSONSerialization.jsonObject(with: Data(reply.body)) as? [String: Any]
      found = (document?["traces"] as? [[String: Any]])?.first ?? document
      return found != nil
    }
    return try #require(found)
  }

  private func calls(_ trace: [String: Any]) -> [[String: Any]] { trace["backend_calls"] as? [[String: Any]] ?? [] }

  private func variants(_ trace: [String: Any]) -> [String] { calls(trace).map { $0["variant"] as? String ?? "" } }

  @Test func aHitHasNoBackendCallAndARevalidationSaysThatItIsOne() async throws {
    try await withPage { edge, _ in
      let response = "cc=max-age=0,stale-if-error=600;max-age=600&etag=one"
      for _ in 1...3 { _ = try await edge.report(cachedTarget("/send", "name", response)) }
      #expect(variants(try await trace(1, edge)) == ["send_v2"])
      #expect(variants(try await trace(2, edge)) == ["cache_revalidate"])
      #expect(calls(try await trace(2, edge)).first?["status"] as? Int == 304)
      #expect(variants(try await trace(3, edge)).isEmpty)
    }
  }

  @Test func whatIsFetchedBehindAResponseIsACallOfTheCaches() async throws {
    try await withPage { edge, _ in
      let response = "cc=max-age=0,stale-while-revalidate=600"
      for _ in 1...2 { _ = try await edge.report(cachedTarget("/send", "name", response)) }
      #expect(variants(try await trace(2, edge)) == ["cache_fetch"])
    }
  }

  @Test func whoWaitsForAnotherRequestsFetchWaitsForTheCache() async throws {
    try await withPage { edge, origin in
      let target = cachedTarget("/send", "name", "cc=max-age=600&gate=name")
      async let leader = edge.report(target)
      try await eventually("the origin is asked") { origin.counted("name") == 1 }
      async let follower = edge.report(target)
      // The page lists the follower while it waits.
      try await Task.sleep(for: .milliseconds(200))
      origin.open(gate: "name")
      let bodies = try await [leader["body"], follower["body"]]
      #expect(bodies == ["name 1", "name 1"])
      let (first, second) = (try await trace(1, edge), try await trace(2, edge))
      #expect(calls(first).first?["collapsed"] as? Bool != true)
      let call = try #require(calls(second).first)
      #expect(call["collapsed"] as? Bool == true)
      #expect(call["outcome"] as? String == "ok")
      let waits = second["blocked"] as? [[String: Any]] ?? []
      #expect(waits.contains { $0["cause"] as? String == "cache" })
    }
  }
}
