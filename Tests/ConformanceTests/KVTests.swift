import Foundation
import Testing

/// KV stores in memory and on disk, through `fastly_kv_store`, `fastly_object_store` and `fastly_kv`.
@Suite("Conformance: KV stores", .timeLimit(.minutes(5)))
struct KVTests {
  enum Storage: CaseIterable, Sendable {
    case memory, disk
  }

  private func withStore(
    _ storage: Storage, _ body: (FastlikeProcess) async throws -> Void
  ) async throws {
    let manifest = try temporaryFile("fastly.toml", "[local_server.kv_stores]\ns = []\n")
    let flags = storage == .disk ? ["--kv-dir", try Places.newFolder() + "/kv"] : []
    try await withFastlike("kv", ["-C", manifest] + flags, body)
  }

  @Test(arguments: Storage.allCases)
  func insertsHaveModesAndDeletionsAreNoFailures(_ storage: Storage) async throws {
    try await withStore(storage) { edge in
      let lines = try await edge.report("/modes").lines
      #expect(
        lines == [
          "mode_2=ok", "value_2=0", "mode_3=ok", "value_3=10", "mode_1=precondition_failed", "value_1=10", "mode_0=ok",
          "value_0=3", "unknown_mode=!inval", "delete=ok", "delete_again=ok", "gone=not_found",
        ])
    }
  }

  @Test(arguments: Storage.allCases)
  func anInsertMayAskForAGeneration(_ storage: Storage) async throws {
    try await withStore(storage) { edge in
      let lines = try await edge.report("/generations").lines
      #expect(
        lines == [
          "first=ok", "other=precondition_failed", "same=ok", "has_changed=1", "value=three", "wait_v1=ok",
          "generation_v1=0", "failure_v1=ok",
        ])
    }
  }

  @Test(arguments: Storage.allCases)
  func metadataThatDoesNotFitCanBeAskedForAgain(_ storage: Storage) async throws {
    try await withStore(storage) { edge in
      let lines = try await edge.report("/metadata").lines
      #expect(
        lines == [
          "insert=ok", "too_small=!buflen", "needed=8", "body_untouched=1", "metadata=about it", "consumed=!badf",
          "empty=!inval", "not_text=!inval", "longest=ok", "too_long=bad_request",
        ])
    }
  }

  @Test(arguments: Storage.allCases)
  func anEntryVanishesWhenItsTimeIsOver(_ storage: Storage) async throws {
    try await withStore(storage) { edge in
      let lines = try await edge.report("/time_to_live").lines
      #expect(
        lines == [
          "insert=ok", "at_once=here", "later=not_found", "delete=ok",
        ])
    }
  }

  @Test(arguments: Storage.allCases)
  func listingsGoPageByPage(_ storage: Storage) async throws {
    try await withStore(storage) { edge in
      for key in ["b/2", "a", "b/1", "c", "b/3"] {
        let answer = try await edge.send("POST", "/put?key=\(key)", body: "x").text
        #expect(answer == "ok")
      }
      let all = #"{"data":["a","b/1","b/2","b/3","c"],"meta":{"limit":1000}}"#
      #expect(try await edge.get("/list").text == all)
      #expect(try await edge.get("/list?mode=1").text == all)
      #expect(try await edge.get("/list?limit=0").text == all)
      #expect(
        try await edge.get("/list?prefix=b/&limit=2").text
          == #"{"data":["b/1","b/2"],"meta":{"limit":2,"prefix":"b/","next_cursor":"Yi8y"}}"#)
      #expect(
        try await edge.get("/list?prefix=b/&limit=2&cursor=Yi8y").text
          == #"{"data":["b/3"],"meta":{"limit":2,"prefix":"b/"}}"#)
      #expect(try await edge.get("/list?cursor=%21").text == "bad_request")
      #expect(try await edge.get("/list?cursor=").text == "!inval")
      #expect(try await edge.get("/list?prefix=").text == "!inval")
      #expect(try await edge.get("/list?mode=7").text == "!inval")
    }
  }

  @Test(arguments: Storage.allCases)
  func operationsTakeEffectInTheOrderOfTheirStarts(_ storage: Storage) async throws {
    try await withStore(storage) { edge in
      let lines = try await edge.report("/order").lines
      #expect(
        lines == [
          "select=0", "is_ready=1", "last=not_found", "after=two", "before=one", "second=ok", "first=ok",
          "deletion=ok", #"listing={"data":[],"meta":{"limit":1000,"prefix":"order"}}"#,
        ])
    }
  }

  @Test func keysStoresAndHandlesThatAreNoneAreRefused() async throws {
    try await withStore(.memory) { edge in
      let report = try await edge.report("/misuse")
      #expect(report["unknown_store"] == "!inval")
      #expect(report["name_not_text"] == "!inval")
      let keys = ["empty", "long", "dot", "dots", "mark", "not_text"]
      for key in keys {
        for operation in ["lookup", "insert", "delete"] { #expect(report["\(operation)_\(key)"] == "!inval") }
      }
      let rest = report.lines.filter { $0.hasPrefix("bad_") || $0.hasPrefix("other_") || $0.hasPrefix("body_") }
      #expect(rest.count == 11)
      #expect(rest.allSatisfy { $0.hasSuffix("=!badf") })
    }
  }

  @Test(arguments: Storage.allCases)
  func theOlderModulesUseTheSameData(_ storage: Storage) async throws {
    try await withStore(storage) { edge in
      let older = try await edge.report("/object_store").lines
      #expect(
        older == [
          "unknown_store=!inval", "insert=ok", "lookup=one", "insert_async=ok", "lookup_async=two", "consumed=!badf",
          "delete=ok", "delete_missing=!none", "missing=ok", "missing_untouched=1", "bad_key=!error",
          "bad_store=!badf", "as_file=!unsupported",
        ])
      let first = try await edge.report("/first_form").lines
      #expect(
        first == [
          "insert=1", "lookup=one", "missing=ok", "missing_untouched=1", "bad_store=!badf",
        ])
      #expect(try await edge.get("/get?key=first").text == "one")
    }
  }

  @Test(arguments: Storage.allCases)
  func aBodyIsStoredAsItComes(_ storage: Storage) async throws {
    try await withStore(storage) { edge in
      let large = String(repeating: "0123456789", count: 100_000)
      let answer = try await edge.send("POST", "/put?key=large", body: large).text
      #expect(answer == "ok")
      #expect(try await edge.get("/get?key=large").text == large)
    }
  }

  // MARK: On disk

  @Test func whatWasWrittenIsThereAfterARestart() async throws {
    let folder = try Places.newFolder()
    // Relative to the manifest.
    let manifest = try temporaryFile("fastly.toml", "[local_server]\nkv_path = \"kept\"\nkv_stores.s = []\n")
    try await withFastlike("kv", ["-C", manifest]) { edge in
      let answer = try await edge.send("POST", "/put?key=a", body: "kept").text
      #expect(answer == "ok")
      try await edge.stop()
    }
    let kept = URL(fileURLWithPath: manifest).deletingLastPathComponent().path + "/kept"
    #expect(Places.exists(kept + "/kv.sqlite"))
    try await withFastlike("kv", ["-C", manifest]) { edge in
      let value = try await edge.get("/get?key=a").text
      #expect(value == "kept")
    }
    try await withFastlike("kv", ["-C", manifest, "--kv-dir", folder]) { edge in
      let value = try await edge.get("/get?key=a").text
      #expect(value == "not_found")
    }
  }

  @Test func aKilledProcessLosesNothingThatItAcknowledged() async throws {
    let flags = ["-C", try temporaryFile("fastly.toml", "[local_server.kv_stores]\ns = []\n")]
    let folder = try Places.newFolder()
    var first = 0
    for round in 0..<3 {
      var acknowledged = first - 1
      try await withFastlike("kv", flags + ["--kv-dir", folder]) { edge in
        acknowledged =
          try await acknowledgedWrites(of: edge, from: first, killedAfter: 2_000 * (round + 1)) ?? acknowledged
      }
      #expect(acknowledged > first)
      try await withFastlike("kv", flags + ["--kv-dir", folder]) { edge in
        for number in [first, (first + acknowledged) / 2, acknowledged] {
          #expect(try await edge.get("/get?key=key-\(number)").text == "value-\(number)")
        }
        var cursor = ""
        var keys: Set<String> = []
        repeat {
          let page = try await edge.get("/list?limit=1000\(cursor)").text
          let listed = try #require(try JSONSerialization.jsonObject(with: Data(page.utf8)) as? [String: Any])
          keys.formUnion(try #require(listed["data"] as? [String]))
          let next = (listed["meta"] as? [String: Any])?["next_cursor"] as? String
          cursor = next.map { "&cursor=" + $0.replacingOccurrences(of: "+", with: "%2B") } ?? ""
        } while !cursor.isEmpty
        // One more may have been written and not told.
        #expect(keys.isSuperset(of: (0...acknowledged).map { "key-\($0)" }))
        #expect(keys.count <= acknowledged + 2)
      }
      first = acknowledged + 1
    }
  }

  /// The last write that the client was told of, by a process that is killed when it has told so many bytes.
  private func acknowledgedWrites(
    of edge: FastlikeProcess, from first: Int, killedAfter byteCount: Int
  ) async throws -> Int? {
    let client = try await edge.connect()
    try await client.send("GET /write?from=\(first) HTTP/1.1\r\nHost: e\r\n\r\n")
    _ = try await client.readHead()
    var told: [UInt8] = []
    var isKilled = false
    reading: while true {
      switch try await client.readBody() {
      case .bytes(let bytes): told += bytes
      case .end, .cutOff: break reading
      }
      if told.count > byteCount, !isKilled {
        isKilled = true
        edge.child.signal(SIGKILL)
      }
    }
    try await edge.child.wait()
    await client.close()
    // What is behind the last line end was not told completely.
    return told.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast().last
      .flatMap { Int(String(decoding: $0, as: UTF8.self)) }
  }

  @Test func aFolderThatCannotBeUsedGivesTheGuestAnErrorAndTheUserALine() async throws {
    let folder = try Places.newFolder()
    // A folder of the file's name cannot be opened, not even by root.
    try FileManager.default.createDirectory(atPath: folder + "/kv.sqlite", withIntermediateDirectories: true)
    let manifest = try temporaryFile("fastly.toml", "[local_server.kv_stores]\ns = []\n")
    try await withFastlike("kv", ["-C", manifest, "--kv-dir", folder]) { edge in
      let answer = try await edge.send("POST", "/put", body: "x").text
      #expect(answer == "internal_error")
      #expect(try await edge.get("/get").text == "internal_error")
      let lines = edge.child.errors.split(separator: "\n").filter { $0.contains("KV stores in \(folder)") }
      #expect(lines.count == 1)
    }
  }

  @Test func aFileInPlaceOfTheFolderIsAMistake() async throws {
    let file = try temporaryFile("file", "")
    let ended = try await fastlike(["serve", "--kv-dir", file, try Places.guest("kv")])
    #expect(ended.complaints.count == 1)
    #expect(ended.complaints.first?.contains("is a file, and must be a folder") == true)
  }
}
