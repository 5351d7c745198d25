import ComputeABI
import Foundation
import GRDB
import Synchronization
import Testing

@testable import FastlikeRuntime

/// What a file adds to the rules: it outlives the process, and it can fail.
@Suite struct KVDatabaseTests {
  private static func perform(_ operation: KVOperation, on database: KVDatabase) async -> KVOutcome {
    await withCheckedContinuation { waiting in
      database.enqueue(operation, on: "s") { waiting.resume(returning: $0) }
    }
  }

  @Test func `what was written is there when the file is opened again`() async throws {
    let store = try KVTestStore(.disk)
    #expect(await store.insert("k", "v", KVInsertOptions(metadata: "m", timeToLive: 9)) == .ok)
    let before = await store.entry("k")
    store.storage.close()
    let again = try KVDatabase(directory: store.folder, logger: silentLogger, clock: { 1 })
    #expect(await Self.perform(.lookup(bytes("k")), on: again).entry == before)
    again.close()
  }

  @Test func `a seed is known again after a restart, and what it made follows it`() async throws {
    func seed(_ value: String) -> [String: KVStoreSeed] {
      ["s": KVStoreSeed(items: ["a": .init(value: bytes(value)), "b": .init(value: bytes(value))])]
    }
    let store = try KVTestStore(.disk)
    store.storage.adopt(seed("1"), overwrites: false)
    #expect(await store.insert("a", "own") == .ok)
    store.storage.close()
    let again = try KVDatabase(directory: store.folder, logger: silentLogger)
    again.adopt(seed("2"), overwrites: false)
    #expect(await Self.perform(.lookup(bytes("a")), on: again).entry?.value == bytes("own"))
    #expect(await Self.perform(.lookup(bytes("b")), on: again).entry?.value == bytes("2"))
    again.close()
    let third = try KVDatabase(directory: store.folder, logger: silentLogger)
    third.adopt(seed("2"), overwrites: true)
    #expect(await Self.perform(.lookup(bytes("a")), on: third).entry?.value == bytes("2"))
    third.close()
  }

  @Test func `operations take effect in the order in which they were started`() async throws {
    let store = try KVTestStore(.disk)
    let opened = KVStore(name: "s", storage: store.storage)
    let seen = Mutex<[String]>([])
    for number in 0..<100 {
      opened.enqueue(.insert(bytes("k"), value: bytes("\(number)"), KVInsertOptions())) { _ in }
      opened.enqueue(.lookup(bytes("k"))) { outcome in
        seen.withLock { $0.append(String(decoding: outcome.entry?.value ?? [], as: UTF8.self)) }
      }
    }
    _ = await store.entry("k")
    #expect(seen.withLock { $0 } == (0..<100).map(String.init))
  }

  @Test func `the file is the user's alone`() throws {
    let store = try KVTestStore(.disk)
    let path = store.folder + "/" + KVDatabase.fileName
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    #expect(mode == 0o600)
  }

  @Test func `a full disk gives errors, one line, and works again when there is room`() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fastlike-kv-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let lines = LoggedLines()
    let database = try KVDatabase(
      directory: folder.path, logger: lines.logger, maximumPages: 40)
    let large = [UInt8](repeating: 1, count: 100_000)
    let insert = { (key: String) in KVOperation.insert(bytes(key), value: large, KVInsertOptions()) }
    #expect(await Self.perform(insert("a"), on: database) == .done(.ok))
    #expect(await Self.perform(insert("b"), on: database) == .done(.internalError))
    #expect(await Self.perform(insert("c"), on: database) == .done(.internalError))
    #expect(await Self.perform(.lookup(bytes("a")), on: database).entry?.value == large)
    #expect(await Self.perform(.delete(bytes("a")), on: database) == .done(.ok))
    #expect(await Self.perform(insert("b"), on: database) == .done(.ok))
    let written = lines.all
    #expect(written.count == 1)
    #expect(written.first?.contains("\(folder.path): database or disk is full") == true)
    database.close()
  }

  @Test func `a folder that cannot be used gives errors and a line`() async throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("fastlike-kv-\(UUID().uuidString)")
    try Data().write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let lines = LoggedLines()
    let storages = KVStorages(logger: lines.logger)
    let storage = storages.storage(in: file.path + "/kv")
    #expect(storage.perform(.lookup(bytes("k")), on: "s") == .done(.internalError))
    #expect(lines.all.count == 1)
  }

  @Test func `a file of another version is left as it is`() throws {
    let store = try KVTestStore(.disk)
    store.storage.close()
    let queue = try DatabaseQueue(path: store.folder + "/" + KVDatabase.fileName)
    try queue.write { try $0.execute(sql: "PRAGMA user_version = 7") }
    try queue.close()
    let error = try #require(throws: DatabaseError.self) {
      try KVDatabase(directory: store.folder, logger: silentLogger)
    }
    #expect(error.reason.contains("version 7"))
  }

  @Test func `what has expired leaves the file`() async throws {
    let store = try KVTestStore(.disk)
    for key in ["a", "b", "c"] { #expect(await store.insert(key, "v", KVInsertOptions(timeToLive: 1)) == .ok) }
    store.clock.now += 2_000_000_000
    let database = try #require(store.storage as? KVDatabase)
    let count = { @Sendable () async throws -> Int? in
      try await database.read { db, _ in try Int.fetchOne(db, sql: "SELECT count(*) FROM contents") }
    }
    #expect(try await count() == 3)
    // The look for what has expired comes once in so many writes.
    for _ in 0..<1100 { #expect(await store.insert("d", "v") == .ok) }
    #expect(try await count() == 1)
  }
}

@Suite struct SortedKeysTests {
  private func listed(_ keys: SortedKeys, from bound: [UInt8] = []) -> [[UInt8]] {
    var found: [[UInt8]] = []
    keys.forEach(from: bound) {
      found.append($0)
      return true
    }
    return found
  }

  @Test func `keys are in order however they came, and go`() {
    var keys = SortedKeys()
    let names = (0..<3000).map { bytes("\($0)") }
    for name in names.shuffled() { keys.insert(name) }
    keys.insert(names[7])
    let sorted = names.sorted { $0.lexicographicallyPrecedes($1) }
    #expect(listed(keys) == sorted)
    #expect(listed(SortedKeys(names)) == sorted)
    #expect(listed(keys, from: bytes("77")) == sorted.filter { !$0.lexicographicallyPrecedes(bytes("77")) })
    for name in names.dropFirst(10).shuffled() { keys.remove(name) }
    keys.remove(bytes("missing"))
    #expect(listed(keys) == names.prefix(10).sorted { $0.lexicographicallyPrecedes($1) })
  }

  @Test func `an empty list has nothing to visit`() {
    var keys = SortedKeys()
    keys.remove([1])
    #expect(listed(keys).isEmpty)
    #expect(listed(SortedKeys([]), from: [1]).isEmpty)
  }
}
