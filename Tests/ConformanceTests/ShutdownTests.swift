import Foundation
import Testing

/// The end of the process, and how clients see it.
@Suite("Conformance: shutdown", .timeLimit(.minutes(5)))
struct ShutdownTests {
  @Test(arguments: [SIGTERM, SIGINT])
  func requestsInFlightFinishAndTheExitCodeIsZero(_ signal: Int32) async throws {
    try await withOrigin { origin in
      try await withFastlike("requests", ["-b", "origin=127.0.0.1:\(origin.port)"]) { edge in
        let busy = try await edge.connect()
        try await busy.send("GET /relay?path=/gated/end HTTP/1.1\r\nHost: e\r\n\r\n")
        let idle = try await edge.connect()
        _ = try await idle.exchange("GET /getters HTTP/1.1\r\nHost: e\r\n\r\n")
        try await eventually("the request is under way") { !origin.seen("/gated/end").isEmpty }
        edge.child.signal(signal)
        // The idle connection ends at once, and nobody new is let in.
        _ = try await idle.readEnd()
        try await eventually("nobody listens") { (try? await RawConnection.open(port: edge.port).close()) == nil }
        #expect(edge.child.poll == nil)
        origin.open(gate: "end")
        let reply = try await busy.readReply()
        #expect(reply.text == "through the gate\n")
        #expect(reply["connection"] == "close")
        #expect(try await edge.child.wait() == .exited(0))
      }
    }
  }

  @Test func aStreamUnderWayIsWrittenToItsEnd() async throws {
    try await withOrigin { origin in
      try await withFastlike("requests", ["-b", "origin=127.0.0.1:\(origin.port)"]) { edge in
        let client = try await edge.connect()
        try await client.send("GET /relay?path=/first_half/end HTTP/1.1\r\nHost: e\r\n\r\n")
        _ = try await client.readHead()
        let first = try await client.readText()
        #expect(first == "first half ")
        edge.child.signal(SIGTERM)
        try await eventually("nobody listens") { (try? await RawConnection.open(port: edge.port).close()) == nil }
        origin.open(gate: "end")
        #expect(try await client.readText() == "second half")
        #expect(try await client.readText() == nil)
        #expect(try await edge.child.wait() == .exited(0))
      }
    }
  }

  @Test func aSecondSignalEndsAtOnce() async throws {
    try await withOrigin { origin in
      try await withFastlike("requests", ["-b", "origin=127.0.0.1:\(origin.port)"]) { edge in
        let client = try await edge.connect()
        try await client.send("GET /relay?path=/gated/never HTTP/1.1\r\nHost: e\r\n\r\n")
        try await eventually("the request is under way") { !origin.seen("/gated/never").isEmpty }
        edge.child.signal(SIGTERM)
        try await eventually("nobody listens") { (try? await RawConnection.open(port: edge.port).close()) == nil }
        #expect(edge.child.poll == nil)
        edge.child.signal(SIGTERM)
        #expect(try await edge.child.wait(within: .seconds(5)) == .exited(0))
        await client.close()
      }
    }
  }

  @Test func anIdleServerEndsWithoutAWord() async throws {
    try await withFastlike("hello") { edge in
      let ending = try await edge.stop()
      #expect(ending == .exited(0))
      #expect(!edge.child.errors.contains("error"))
      #expect(edge.child.output == "fastlike: serving hello on http://127.0.0.1:\(edge.port)\n")
    }
  }
}
