import Foundation
import Testing

/// Nothing that a request carries gets into the log, however talkative it is.
@Suite("Conformance: privacy", .timeLimit(.minutes(5)))
struct PrivacyTests {
  private static let canary = "C4N4RY"

  /// Runs requests against a process that logs everything, and expects no canary in what it wrote.
  private func expectNoCanary(
    _ guest: String, _ arguments: [String] = [], _ body: (FastlikeProcess) async throws -> Void
  ) async throws {
    try await withFastlike(guest, ["-v=3"] + arguments) { edge in
      try await body(edge)
      try await edge.stop()
      #expect(edge.child.errors.contains("fastlike: request "))
      for line in (edge.child.errors + edge.child.output).split(separator: "\n") {
        #expect(!line.contains(Self.canary), "this line has what nobody should see: \(line)")
      }
    }
  }

  @Test func queryHeadersAndBodiesStayOutOfTheLog() async throws {
    let canary = Self.canary
    try await withOrigin { origin in
      try await expectNoCanary("proxy", ["-b", "origin=127.0.0.1:\(origin.port)"]) { edge in
        let reply = try await edge.send(
          "POST", "/inspect?q=\(canary)query",
          headers: "Authorization: Bearer \(canary)\r\nCookie: s=\(canary)\r\nX-Any: \(canary)\r\n", body: canary)
        // The origin has seen them all.
        #expect(reply.text.components(separatedBy: canary).count == 6)
        _ = try await edge.send("POST", "/short?q=\(canary)", body: canary)
        _ = try await edge.get("/reset?q=\(canary)", headers: "X-Backend: missing\r\nX-Any: \(canary)\r\n")
      }
    }
  }

  @Test func userInformationStaysOutOfTheLog() async throws {
    try await expectNoCanary("hello") { edge in
      let client = try await edge.connect()
      _ = try await client.exchange("GET http://user:\(Self.canary)@host/?q HTTP/1.1\r\nHost: e\r\n\r\n")
      await client.close()
    }
  }

  @Test func refusedRequestsStayOutOfTheLog() async throws {
    let canary = Self.canary
    try await expectNoCanary("hello") { edge in
      for request in [
        "GET /\u{1}\(canary) HTTP/1.1\r\nHost: e\r\n\r\n", "GET / HTTP/1.1\r\nHost: e\r\n\(canary)\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: \(canary) x\r\n\r\n", "\(canary)(\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: e\r\nContent-Length: \(canary)\r\n\r\n",
      ] {
        let client = try await edge.connect()
        let reply = try await client.exchange(request)
        #expect(reply.status == 400)
        #expect(!reply.text.contains(canary))
        await client.close()
      }
      _ = try await edge.get("/")
    }
  }

  @Test func keysAndStoredValuesStayOutOfTheLog() async throws {
    let items = try temporaryFile("items.json", #"{"\#(Self.canary)key": "\#(Self.canary)value"}"#)
    try await expectNoCanary("stores", ["-d", "store=\(items)", "--fake-fastly-key", Self.canary]) { edge in
      let report = try await edge.report("/dictionary?key=\(Self.canary)key")
      #expect(report["value"] == Self.canary + "value")
    }
  }

  @Test func aGuestsTrapShowsNoneOfItsData() async throws {
    try await expectNoCanary("responses") { edge in
      let reply = try await edge.send("POST", "/trap_before?q=\(Self.canary)", body: Self.canary)
      #expect(reply.status == 500)
      #expect(!reply.text.contains(Self.canary))
    }
  }

  @Test func aWrongFlagValueWithASecretIsNotRepeated() async throws {
    let program = try temporaryFile("app.wat", TextModule.empty)
    let result = try await fastlike(["-b", "api=http://user:\(Self.canary)@host:port", program])
    #expect(result.status == .exited(2))
    #expect(!result.errors.contains(Self.canary))
  }
}
