import ComputeABI
import Testing

@testable import FastlikeRuntime

/// The rules of one store's entries, in memory and on disk.
@Suite struct KVStoreTests {
  @Test(arguments: KVStorageKind.allCases)
  func `an insert overwrites value and metadata`(kind: KVStorageKind) async throws {
    let store = try KVTestStore(kind)
    #expect(await store.insert("k", "one", KVInsertOptions(metadata: "m")) == .ok)
    #expect(await store.entry("k")?.metadata == "m")
    #expect(await store.insert("k", "two") == .ok)
    #expect(await store.value("k") == "two")
    #expect(await store.entry("k")?.metadata == nil)
  }

  @Test(arguments: KVStorageKind.allCases)
  func `a key that exists cannot be added`(kind: KVStorageKind) async throws {
    let store = try KVTestStore(kind)
    #expect(await store.insert("k", "one", KVInsertOptions(mode: .add)) == .ok)
    #expect(await store.insert("k", "two", KVInsertOptions(mode: .add)) == .preconditionFailed)
    #expect(await store.value("k") == "one")
  }

  @Test(arguments: KVStorageKind.allCases)
  func `appending and prepending join bytes and create what is missing`(kind: KVStorageKind) async throws {
    let store = try KVTestStore(kind)
    #expect(await store.insert("k", "b", KVInsertOptions(mode: .append)) == .ok)
    #expect(await store.insert("k", "c", KVInsertOptions(mode: .append)) == .ok)
    #expect(await store.insert("k", "a", KVInsertOptions(mode: .prepend)) == .ok)
    #expect(await store.value("k") == "abc")
  }

  @Test(arguments: KVStorageKind.allCases)
  func `each write gives another generation, and never 1337`(kind: KVStorageKind) async throws {
    let store = try KVTestStore(kind)
    var seen: Set<UInt64> = []
    store.clock.now = 1335
    for _ in 0..<4 {
      #expect(await store.insert("k", "") == .ok)
      seen.insert(try #require(await store.entry("k")).generation)
    }
    #expect(seen == [1335, 1336, 1338, 1339])
  }

  @Test(arguments: KVStorageKind.allCases)
  func `an entry of another generation is not written over`(kind: KVStorageKind) async throws {
    let store = try KVTestStore(kind)
    #expect(await store.insert("k", "one", KVInsertOptions(generation: 5)) == .ok)
    let generation = try #require(await store.entry("k")).generation
    #expect(await store.insert("k", "two", KVInsertOptions(generation: generation + 1)) == .preconditionFailed)
    #expect(await store.insert("k", "three", KVInsertOptions(generation: generation)) == .ok)
    #expect(await store.value("k") == "three")
  }

  @Test(arguments: KVStorageKind.allCases)
  func `an expired entry is gone from look-ups, listings and deletions`(kind: KVStorageKind) async throws {
    let store = try KVTestStore(kind)
    #expect(await store.insert("k", "v", KVInsertOptions(timeToLive: 2)) == .ok)
    store.clock.now = 2_000_000_000
    #expect(await store.value("k") == "v")
    store.clock.now += 1
    #expect(await store.list().keys.isEmpty)
    #expect(await store.value("k") == nil)
    #expect(await store.insert("k", "new", KVInsertOptions(mode: .add, timeToLive: 1)) == .ok)
    store.clock.now += 1_000_000_000
    #expect(await store.delete("k") == .notFound)
  }

  @Test(arguments: KVStorageKind.allCases)
  func `values and metadata beyond the platform's limits are refused`(kind: KVStorageKind) async throws {
    let store = try KVTestStore(kind)
    let large = [UInt8](repeating: 0, count: KVLimits.valueBytes)
    let tooLarge = await store.perform(.insert(bytes("k"), value: large + [0], KVInsertOptions()))
    #expect(tooLarge == .done(.payloadTooLarge))
    #expect(await store.perform(.insert(bytes("k"), value: large, KVInsertOptions())) == .done(.ok))
    #expect(await store.insert("k", "x", KVInsertOptions(mode: .append)) == .payloadTooLarge)
    #expect(await store.insert("m", "", KVInsertOptions(metadata: String(repeating: "m", count: 2000))) == .ok)
    #expect(await store.insert("m", "", KVInsertOptions(metadata: String(repeating: "m", count: 2001))) == .badRequest)
  }

  @Test(arguments: KVStorageKind.allCases)
  func `keys are told apart by their bytes`(kind: KVStorageKind) async throws {
    let store = try KVTestStore(kind)
    #expect(await store.insert("\u{e9}", "composed") == .ok)
    #expect(await store.insert("e\u{301}", "decomposed") == .ok)
    #expect(await store.value("\u{e9}") == "composed")
  }

  @Test(arguments: KVStorageKind.allCases)
  func `deleting tells whether there was something`(kind: KVStorageKind) async throws {
    let store = try KVTestStore(kind)
    #expect(await store.insert("k", "v") == .ok)
    #expect(await store.delete("k") == .ok)
    #expect(await store.delete("k") == .notFound)
    #expect(await store.perform(.delete([1]), on: "other") == .done(.notFound))
  }

  @Test(arguments: KVStorageKind.allCases)
  func `stores of other names have entries of their own`(kind: KVStorageKind) async throws {
    let store = try KVTestStore(kind)
    #expect(await store.insert("k", "v") == .ok)
    #expect(await store.perform(.lookup(bytes("k")), on: "other") == .done(.notFound))
    #expect(await store.perform(.list(KVListQuery()), on: "other") == .page(KVPage(limit: 1000)))
  }

  // MARK: Listings

  @Test(arguments: KVStorageKind.allCases)
  func `a listing goes on behind its cursor, in the order of bytes`(kind: KVStorageKind) async throws {
    let store = try KVTestStore(kind)
    for key in ["b/2", "a", "b/1", "B", "b/3", "b0"] { #expect(await store.insert(key, "") == .ok) }
    let all = await store.list()
    #expect(all.json == bytes(#"{"data":["B","a","b/1","b/2","b/3","b0"],"meta":{"limit":1000}}"#))
    let first = await store.list(KVListQuery(prefix: "b/", limit: 2))
    #expect(
      first.json == bytes(#"{"data":["b/1","b/2"],"meta":{"limit":2,"prefix":"b/","next_cursor":"Yi8y"}}"#))
    let cursor = try #require(KVPage.key(fromCursor: "Yi8y"))
    let second = await store.list(KVListQuery(prefix: "b/", after: cursor, limit: 2))
    #expect(second.json == bytes(#"{"data":["b/3"],"meta":{"limit":2,"prefix":"b/"}}"#))
    #expect(await store.list(KVListQuery(prefix: "b/", after: bytes("a"))).keys.count == 3)
  }

  @Test(arguments: KVStorageKind.allCases)
  func `keys that come and go change the next listing`(kind: KVStorageKind) async throws {
    let store = try KVTestStore(kind)
    #expect(await store.insert("a", "") == .ok)
    #expect(await store.list().keys == [bytes("a")])
    #expect(await store.insert("b", "") == .ok)
    #expect(await store.delete("a") == .ok)
    #expect(await store.list().keys == [bytes("b")])
  }

  @Test(arguments: KVStorageKind.allCases)
  func `a limit of 0 is the default, and a cursor past the end lists nothing`(kind: KVStorageKind) async throws {
    let store = try KVTestStore(kind)
    #expect(await store.insert("a", "") == .ok)
    #expect(await store.list(KVListQuery(limit: 0)).limit == 1000)
    #expect(await store.list(KVListQuery(after: bytes("z"))).keys.isEmpty)
    #expect(KVPage.key(fromCursor: "not base64!") == nil)
  }

  @Test(arguments: KVStorageKind.allCases)
  func `keys are quoted as JSON asks for`(kind: KVStorageKind) async throws {
    let store = try KVTestStore(kind)
    #expect(await store.insert("\"\\\u{1}é", "") == .ok)
    #expect(await store.list().json == bytes(#"{"data":["\"\\\u0001é"],"meta":{"limit":1000}}"#))
  }

  // MARK: Memory

  @Test func `all stores in memory together hold no more than the limit, once what has expired is gone`() {
    let clock = TestClock()
    let storage = KVMemory(byteLimit: 4096, clock: { clock.now })
    func insert(_ store: String, _ options: KVInsertOptions = KVInsertOptions()) -> KVOutcome? {
      storage.perform(.insert([1], value: [UInt8](repeating: 0, count: 3000), options), on: store)
    }
    #expect(insert("a", KVInsertOptions(timeToLive: 1)) == .done(.ok))
    #expect(insert("b") == .done(.internalError))
    clock.now += 1_000_000_000
    #expect(insert("b") == .done(.ok))
    #expect(insert("b") == .done(.ok))
  }
}

/// What seeds do to stores.
@Suite struct KVSeedTests {
  private func seed(_ items: [String: String]) -> KVStoreSeed {
    KVStoreSeed(items: items.mapValues { KVStoreSeed.Item(value: bytes($0), metadata: "m") })
  }

  @Test(arguments: KVStorageKind.allCases)
  func `a seed fills a store with values and metadata`(kind: KVStorageKind) async throws {
    let store = try KVTestStore(kind, seed: seed(["a": "1", "b": "2"]))
    #expect(await store.entry("a")?.metadata == "m")
    #expect(await store.list().keys == [bytes("a"), bytes("b")])
  }

  @Test(arguments: KVStorageKind.allCases)
  func `a seed never writes over what requests have written or deleted`(kind: KVStorageKind) async throws {
    let store = try KVTestStore(kind, seed: seed(["written": "1", "deleted": "1", "left": "1", "gone": "1"]))
    #expect(await store.insert("written", "own") == .ok)
    #expect(await store.insert("new", "own") == .ok)
    #expect(await store.delete("deleted") == .ok)
    let changed = seed(["written": "2", "deleted": "2", "left": "2", "new": "2", "more": "2"])
    store.storage.adopt(["s": changed], overwrites: false)
    #expect(await store.value("written") == "own")
    #expect(await store.value("new") == "own")
    #expect(await store.value("deleted") == nil)
    // What nobody has touched follows the seed.
    #expect(await store.value("left") == "2")
    #expect(await store.value("more") == "2")
    #expect(await store.value("gone") == nil)
  }

  @Test(arguments: KVStorageKind.allCases)
  func `a seed without items changes nothing`(kind: KVStorageKind) async throws {
    let store = try KVTestStore(kind, seed: seed(["a": "1"]))
    store.storage.adopt(["s": KVStoreSeed()], overwrites: true)
    #expect(await store.value("a") == "1")
    store.storage.adopt(["s": seed(["b": "2"])], overwrites: false)
    #expect(await store.list().keys == [bytes("b")])
  }

  @Test(arguments: KVStorageKind.allCases)
  func `a seed that overwrites does so when it changes, and no more than once`(kind: KVStorageKind) async throws {
    let store = try KVTestStore(kind, seed: seed(["k": "1"]))
    #expect(await store.insert("k", "own") == .ok)
    store.storage.adopt(["s": seed(["k": "2"])], overwrites: true)
    #expect(await store.value("k") == "2")
    #expect(await store.insert("k", "own") == .ok)
    store.storage.adopt(["s": seed(["k": "2"])], overwrites: true)
    #expect(await store.value("k") == "own")
  }
}
