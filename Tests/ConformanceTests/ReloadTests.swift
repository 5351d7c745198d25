import Foundation
import Testing

/// New versions of a program that is being served.
@Suite("Conformance: reload", .timeLimit(.minutes(5)))
struct ReloadTests {
  private func put(_ text: String, at path: String) throws {
    try replaceFile(path, with: Data(TextModule.answering(text).utf8))
  }

  private func waitFor(_ text: String, from edge: FastlikeProcess) async throws {
    try await eventually("\(text) is served") { try await edge.get("/").text == text }
  }

  @Test func aSignalLoadsTheNewVersion() async throws {
    let path = try temporaryFile("app.wat", TextModule.answering("version 1"))
    try await withFastlike(path, ["-reload"]) { edge in
      try await waitFor("version 1", from: edge)
      try put("version 2", at: path)
      // Not before the signal.
      #expect(try await edge.get("/").text == "version 1")
      edge.child.signal(SIGHUP)
      try await waitFor("version 2", from: edge)
      #expect(edge.child.errors.contains("fastlike: reloaded app ("))
    }
  }

  @Test func aBrokenVersionKeepsTheOldOneAndSaysWhy() async throws {
    let path = try temporaryFile("app.wat", TextModule.answering("version 1"))
    try await withFastlike(path, ["--reload"]) { edge in
      for broken in ["(module", TextModule.unknownImports(isCalled: false), "nonsense"] {
        let before = edge.child.errors.count
        try replaceFile(path, with: Data(broken.utf8))
        edge.child.signal(SIGHUP)
        try await eventually("the refusal") { edge.child.errors.dropFirst(before).contains("\n") }
        try await eventually("the reason") {
          edge.child.errors.dropFirst(before).contains("fastlike: not reloaded, the old version goes on: \(path): ")
        }
        #expect(try await edge.get("/").text == "version 1")
      }
      try put("version 2", at: path)
      edge.child.signal(SIGHUP)
      try await waitFor("version 2", from: edge)
    }
  }

  @Test func aChangeOfTheFileIsNoticed() async throws {
    let path = try temporaryFile("app.wat", TextModule.answering("version 1"))
    try await withFastlike(path, ["--watch"]) { edge in
      try await waitFor("version 1", from: edge)
      try put("version 2", at: path)
      try await waitFor("version 2", from: edge)
      try replaceFile(path, with: Data("(module".utf8))
      try await eventually("the refusal") { edge.child.errors.contains("not reloaded, the old version goes on") }
      #expect(try await edge.get("/").text == "version 2")
      try put("version 3", at: path)
      try await waitFor("version 3", from: edge)
    }
  }

  @Test func aChangeOfAFileOfTheConfigurationIsNoticed() async throws {
    let items = try temporaryFile("items.json", #"{"key": "old"}"#)
    try await withFastlike("stores", ["--watch", "-d", "store=\(items)"]) { edge in
      #expect(try await edge.report("/dictionary")["value"] == "old")
      try replaceFile(items, with: Data(#"{"key": "new"}"#.utf8))
      try await eventually("the new value") { try await edge.report("/dictionary")["value"] == "new" }
    }
  }

  @Test func requestsUnderWayFinishOnTheVersionTheyBeganWith() async throws {
    let guest = try Data(contentsOf: URL(fileURLWithPath: try Places.guest("requests")))
    let path = try temporaryFile("app.wasm", "")
    try replaceFile(path, with: guest)
    try await withOrigin { origin in
      try await withFastlike(path, ["--reload", "-b", "origin=127.0.0.1:\(origin.port)"]) { edge in
        let client = try await edge.connect()
        try await client.send("GET /send?path=/gated/reload HTTP/1.1\r\nHost: e\r\n\r\n")
        try await eventually("the request is under way") { !origin.seen("/gated/reload").isEmpty }
        let hello = try Data(contentsOf: URL(fileURLWithPath: try Places.guest("hello")))
        try replaceFile(path, with: hello)
        edge.child.signal(SIGHUP)
        try await waitFor("Hello from the edge\n", from: edge)
        origin.open(gate: "reload")
        // The old version reports on the send; the new one has nothing to say but hello.
        #expect(GuestReport(text: try await client.readReply().text)["body"] == "through the gate\\n")
        await client.close()
      }
    }
  }

  @Test func reloadsLoseNoRequest() async throws {
    let path = try temporaryFile("app.wat", TextModule.answering("version 0"))
    try await withFastlike(path, ["--reload"]) { edge in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<4 {
          group.addTask {
            let client = try await edge.connect()
            for _ in 0..<50 {
              let reply = try await client.exchange("GET / HTTP/1.1\r\nHost: e\r\n\r\n")
              #expect(reply.status == 200)
              #expect(reply.text.hasPrefix("version "))
            }
            await client.close()
          }
        }
        for version in 1...5 {
          try put("version \(version)", at: path)
          edge.child.signal(SIGHUP)
          try await Task.sleep(for: .milliseconds(20))
        }
        try await group.waitForAll()
      }
    }
  }
}
