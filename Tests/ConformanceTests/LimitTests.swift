import Foundation
import Testing

/// Guests that go too far break only themselves.
@Suite("Conformance: limits", .timeLimit(.minutes(5)))
struct LimitTests {
  private func edge() async throws -> FastlikeProcess { try await SharedEdges.edge("limits") }

  @Test(arguments: ["/grow", "/grow?touch=1"])
  func memoryGrowsTo128MebibytesAndNoFurther(_ path: String) async throws {
    let report = try await edge().report(path)
    let pages = try #require(report["pages_after"].flatMap(Int.init))
    // Grown by 16 pages of 64 KiB at a time, so that up to 15 pages stay below the cap of 2048.
    #expect((2033...2048).contains(pages))
    #expect(report["one_more"] == "-1")
    #expect(report["nothing_more"] == "1")
  }

  @Test func allocatingWithinTheLimitWorksAndBeyondItFailsTheRequest() async throws {
    #expect(try await edge().get("/allocate?mib=16").text == "allocated 16\n")
    #expect(try await edge().get("/allocate?mib=150").status == 500)
    #expect(try await edge().get("/allocate?mib=1").status == 200)
  }

  @Test(arguments: ["/recurse", "/recurse_without_frames", "/out_of_bounds"])
  func aStackThatIsFullOrAnAddressOutOfBoundsFailsTheRequestOnly(_ path: String) async throws {
    #expect(try await edge().get(path).status == 500)
    #expect(try await edge().get("/sleep?ms=1").text == "slept\n")
  }

  @Test func aHundredThousandHandlesOfEachKindAreNoTrouble() async throws {
    #expect(try await edge().report("/many_handles?count=100000").lines == ["last=ok", "made=100000"])
  }

  @Test func aGuestThatFillsABodyForEverIsRefusedAndTheHostGoesOn() async throws {
    try await withFastlike("limits") { edge in
      _ = try await edge.get("/hostcall_loop")
      #expect(edge.child.errors.contains("The guest was answered limitexceeded"))
      #expect(try await edge.get("/sleep?ms=1").text == "slept\n")
    }
  }

  @Test func endlessLoopsDoNotKeepOthersFromBeingServed() async throws {
    try await withFastlike("limits") { edge in
      // More of them than there are event loops.
      var looping: [RawHTTP] = []
      for _ in 0..<(2 * ProcessInfo.processInfo.activeProcessorCount) {
        let client = try await edge.connect()
        try await client.send("GET /loop HTTP/1.1\r\nHost: e\r\n\r\n")
        looping.append(client)
      }
      for _ in 0..<4 { #expect(try await edge.get("/sleep?ms=1").text == "slept\n") }
      #expect(edge.child.poll == nil)
      edge.child.signal(SIGKILL)
      for client in looping { await client.close() }
    }
  }

  @Test func aWallClockLimitStopsLoopsAndSleepers() async throws {
    try await withFastlike("limits", ["--max-wall", "1s"]) { edge in
      async let loop = edge.get("/loop")
      async let sleeper = edge.get("/sleep?ms=60000")
      for reply in [try await loop, try await sleeper] {
        #expect(reply.status == 500)
        #expect(reply.text == "fastlike: the guest was stopped: the time limit was reached\n")
      }
      #expect(try await edge.get("/sleep?ms=1").text == "slept\n")
      #expect(try await edge.get("/loop_after_response").text == "early\n")
      try await eventually("the guest behind its response is stopped") {
        edge.child.errors.split(separator: "\n").filter { $0.hasSuffix("the time limit was reached") }.count == 3
      }
    }
  }

  @Test func aProcessorTimeLimitStopsLoopsAndNotSleepers() async throws {
    try await withFastlike("limits", ["-max-vcpu=400ms"]) { edge in
      let reply = try await edge.get("/loop")
      #expect(reply.status == 500)
      #expect(reply.text == "fastlike: the guest was stopped: the CPU time limit was reached\n")
      #expect(try await edge.get("/sleep?ms=300").text == "slept\n")
    }
  }

  @Test func limitsCanComeFromTheEnvironmentAndFlagsWin() async throws {
    try await withFastlike("limits", environment: ["FASTLIKE_MAX_WALL": "200ms"]) { edge in
      let reply = try await edge.get("/loop")
      #expect(reply.status == 500)
    }
    try await withFastlike("limits", ["--max-wall", "none"], environment: ["FASTLIKE_MAX_WALL": "50ms"]) { edge in
      let reply = try await edge.get("/sleep?ms=500")
      #expect(reply.text == "slept\n")
    }
  }
}
