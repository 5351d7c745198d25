import Foundation
import Testing

/// Files of stores: what is wrong with them, and what happens when they change while a service runs.
@Suite("Conformance: files of stores", .timeLimit(.minutes(5)))
struct StoreFileTests {
  // MARK: Mistakes

  @Test(arguments: [
    (#"{"a": "x""#, "-d", ":1: not JSON: "),
    ("{\n  \"a\": \"1\",\n  \"a\": \"2\"\n}", "-d", ":3: not JSON: the key \"a\" is there twice"),
    ("{\n  \"a\": 5\n}", "--config-store", ":2: a: must be a string, not an integer"),
    ("[1]", "--kv", "must be an object, not an array"),
    ("{\n\n  \"a?\": \"x\"}", "--kv", ":3: \"a?\": a key has 1 to 1024 bytes"),
    ("{\"a\": {\"data\": \"x\",\n  \"file\": \"y\"}}", "--kv", ":2: a.file: duplicates data"),
    ("{\"a\": {\"file\": \"missing\"}}", "--kv", ":1: a.file: cannot read \"missing\""),
    ("{\"a b\": \"x\"}", "--secret-store", ":1: \"a b\": a name has 1 to 255"),
    (
      "{\"entries\": [\n {\"prefix\": \"10.0.0.0/33\", \"action\": \"BLOCK\"}]}", "--acl",
      ":2: entries[0].prefix: must be"
    ),
    ("{\"entries\": [\n {\"prefix\": \"10.0.0.0/8\"}]}", "--acl", ":2: entries[0]: action is missing"),
    ("{\"localhost\": {}}", "--geo", ":1: localhost: the key must be an IP address"),
  ])
  func aMistakeIsOneLineWithFileAndPlace(_ content: String, flag: String, part: String) async throws {
    let file = try temporaryFile("store.json", content)
    let result = try await fastlikeRun(
      try temporaryFile("app.wat", TextModule.empty), flags: [flag, flag == "--geo" ? file : "s=\(file)"])
    #expect(result.status == .exited(2))
    #expect(result.complaints.count == 1)
    let line = try #require(result.complaints.first)
    #expect(line.contains(file))
    #expect(line.contains(part))
  }

  @Test func aKeyThatIsTooLongIsAMistake() async throws {
    let file = try temporaryFile("store.json", #"{"\#(String(repeating: "k", count: 1025))": "x"}"#)
    let result = try await fastlikeRun(try temporaryFile("app.wat", TextModule.empty), flags: ["--kv", "s=\(file)"])
    #expect(result.status == .exited(2))
    #expect(result.complaints.count == 1)
  }

  // MARK: Changes

  private func change(_ path: String, _ content: String) throws { try replaceFile(path, with: Data(content.utf8)) }

  @Test func aChangedFileIsReadAgainWithoutBeingAsked() async throws {
    let file = try temporaryFile("items.json", #"{"key": "one"}"#)
    try await withFastlike("stores", ["-d", "store=\(file)"]) { edge in
      #expect(try await edge.report("/dictionary")["value"] == "one")
      try change(file, #"{"key": "two"}"#)
      try await eventually("the new value") { try await edge.report("/dictionary")["value"] == "two" }
      #expect(edge.child.errors.contains("fastlike: read again: \(file)"))
    }
  }

  @Test func aBrokenFileKeepsItsLastGoodContentAndOthersGoOn() async throws {
    let first = try temporaryFile("first.json", #"{"key": "one"}"#)
    let second = try temporaryFile("second.json", #"{"key": "one"}"#)
    try await withFastlike("stores", ["-d", "first=\(first)", "-d", "second=\(second)"]) { edge in
      try change(first, "{\n  \"key\": 2\n}")
      try await eventually("the reason") {
        edge.child.errors.contains(
          "fastlike: \(first):2: key: must be a string, not an integer; what was read before goes on")
      }
      #expect(try await edge.report("/dictionary?name=first")["value"] == "one")
      try change(second, #"{"key": "two"}"#)
      try await eventually("the other's value") {
        try await edge.report("/dictionary?name=second")["value"] == "two"
      }
      #expect(try await edge.report("/dictionary?name=first")["value"] == "one")
      try FileManager.default.removeItem(atPath: first)
      try await eventually("the other reason") { edge.child.errors.contains("there is no such file") }
      #expect(try await edge.report("/dictionary?name=first")["value"] == "one")
      try change(first, #"{"key": "three"}"#)
      try await eventually("the mended value") {
        try await edge.report("/dictionary?name=first")["value"] == "three"
      }
    }
  }

  @Test func everyKindOfFileIsWatchedAndTheManifestOnlyWhenAsked() async throws {
    let folder = try Places.newFolder()
    let (secrets, list, geo, seed) = ("secrets.json", "acl.json", "geo.json", "kv.json")
    try change("\(folder)/\(secrets)", #"{"token": "one"}"#)
    try change("\(folder)/\(list)", #"{"entries": [{"prefix": "10.0.0.0/8", "action": "ALLOW"}]}"#)
    let text = """
      [local_server.secret_stores]
      keys = {file = "\(secrets)", format = "json"}
      [local_server.acls]
      list = "\(list)"
      """
    try change("\(folder)/fastly.toml", text)
    try await withFastlike("protection", ["-C", "\(folder)/fastly.toml"]) { edge in
      try change("\(folder)/\(secrets)", #"{"token": "two"}"#)
      try change("\(folder)/\(list)", #"{"entries": [{"prefix": "10.0.0.0/8", "action": "BLOCK"}]}"#)
      try change("\(folder)/fastly.toml", "broken")
      try await eventually("the new secret") { try await edge.report("/secret")["plaintext"] == "two" }
      try await eventually("the new list") {
        try await edge.report("/acl?ip=10.1.1.1")["entry"]?.contains("BLOCK") == true
      }
      #expect(!edge.child.errors.contains("not reloaded"))
      #expect(!edge.child.errors.contains("two"))
    }
    try change("\(folder)/\(geo)", #"{"192.0.2.1": {"city": "One"}}"#)
    try await withFastlike("lookups", ["--geo", "\(folder)/\(geo)"]) { edge in
      try change("\(folder)/\(geo)", #"{"192.0.2.1": {"city": "Two"}}"#)
      try await eventually("the new record") {
        try await edge.report("/geo?ip=192.0.2.1")["record"] == #"{"city":"Two"}"#
      }
    }
    try change("\(folder)/\(seed)", #"{"left": "one", "written": "one"}"#)
    try await withFastlike("kv", ["--kv", "s=\(folder)/\(seed)"]) { edge in
      let answer = try await edge.send("POST", "/put?key=written", body: "own").text
      #expect(answer == "ok")
      try change("\(folder)/\(seed)", #"{"left": "two", "written": "two"}"#)
      try await eventually("the new seed") { try await edge.get("/get?key=left").text == "two" }
      #expect(try await edge.get("/get?key=written").text == "own")
    }
  }

  // MARK: Seeds

  @Test func aSeedIsLoadedOnceUnlessItIsToOverwrite() async throws {
    let folder = try Places.newFolder()
    let seed = try temporaryFile(
      "kv.json", #"{"a": "seed", "b": {"body": "seed", "metadata": "m"}, "c": {"file": "\#(folder)/value"}}"#)
    try change(folder + "/value", "from a file")
    let flags = ["--kv", "s=\(seed)", "--kv-dir", folder + "/kv"]
    try await withFastlike("kv", flags) { edge in
      let found = try await edge.get("/get?key=b")
      #expect(found.text == "seed")
      #expect(found["x-metadata"] == "m")
      #expect(try await edge.get("/get?key=c").text == "from a file")
      #expect(try await edge.send("POST", "/put?key=a", body: "own").text == "ok")
      try await edge.stop()
    }
    try await withFastlike("kv", flags) { edge in
      let value = try await edge.get("/get?key=a").text
      #expect(value == "own")
      try await edge.stop()
    }
    try await withFastlike("kv", flags + ["--kv-reseed"]) { edge in
      let value = try await edge.get("/get?key=a").text
      #expect(value == "seed")
    }
  }

  @Test func aStoreWithoutAFileIsEmpty() async throws {
    try await withFastlike("kv", ["--kv", "s"]) { edge in
      let listed = try await edge.get("/list").text
      #expect(listed == #"{"data":[],"meta":{"limit":1000}}"#)
    }
  }
}
