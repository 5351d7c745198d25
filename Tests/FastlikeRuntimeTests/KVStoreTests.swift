import ComputeABI
import FastlikeProfile
import Synchronization
import Testing

@testable import FastlikeRuntime

/// A time that a test moves on.
private final class TestClock: Sendable {
  private let nanoseconds = Mutex<UInt64>(1)

  var now: UInt64 {
    get { nanoseconds.withLock { $0 } }
    set { nanoseconds.withLock { $0 = newValue } }
  }
}

/// The rules of one store's entries.
@Suite struct KVStoreTests {
  private let clock = TestClock()
  private let store: KVStore

  init() {
    let clock = clock
    store = KVStores(clock: { clock.now }).open("s", seed: KVStoreSeed())
  }

  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  private func insert(_ key: String, _ value: String, _ options: KVInsertOptions = KVInsertOptions()) -> KVError {
    store.insert(bytes(value), for: bytes(key), options)
  }

  private func entry(_ key: String) -> KVEntry? { store.lookup(bytes(key)) }

  private func value(_ key: String) -> String? { entry(key).map { String(decoding: $0.value, as: UTF8.self) } }

  @Test func `an insert overwrites value and metadata`() {
    #expect(insert("k", "one", KVInsertOptions(metadata: "m")) == .ok)
    #expect(entry("k")?.metadata == "m")
    #expect(insert("k", "two") == .ok)
    #expect(value("k") == "two")
    #expect(entry("k")?.metadata == nil)
  }

  @Test func `a key that exists cannot be added`() {
    #expect(insert("k", "one", KVInsertOptions(mode: .add)) == .ok)
    #expect(insert("k", "two", KVInsertOptions(mode: .add)) == .preconditionFailed)
    #expect(value("k") == "one")
  }

  @Test func `appending and prepending join bytes and create what is missing`() {
    #expect(insert("k", "b", KVInsertOptions(mode: .append)) == .ok)
    #expect(insert("k", "c", KVInsertOptions(mode: .append)) == .ok)
    #expect(insert("k", "a", KVInsertOptions(mode: .prepend)) == .ok)
    #expect(value("k") == "abc")
  }

  @Test func `each write gives another generation, and never 1337`() throws {
    var seen: Set<UInt64> = []
    clock.now = 1335
    for _ in 0..<4 {
      #expect(insert("k", "") == .ok)
      seen.insert(try #require(entry("k")).generation)
    }
    #expect(seen == [1335, 1336, 1338, 1339])
  }

  @Test func `an entry of another generation is not written over`() throws {
    #expect(insert("k", "one", KVInsertOptions(generation: 5)) == .ok)
    let generation = try #require(entry("k")).generation
    #expect(insert("k", "two", KVInsertOptions(generation: generation + 1)) == .preconditionFailed)
    #expect(insert("k", "three", KVInsertOptions(generation: generation)) == .ok)
    #expect(value("k") == "three")
  }

  @Test func `an expired entry is gone from look-ups, listings and deletions`() {
    #expect(insert("k", "v", KVInsertOptions(timeToLive: 2)) == .ok)
    clock.now = 2_000_000_000
    #expect(value("k") == "v")
    clock.now += 1
    #expect(store.list(KVListQuery()).keys.isEmpty)
    #expect(value("k") == nil)
    #expect(!store.delete(bytes("k")))
  }

  @Test func `values and metadata beyond the platform's limits are refused`() {
    let large = [UInt8](repeating: 0, count: KVTable.maximumValueBytes)
    #expect(store.insert(large + [0], for: bytes("k")) == .payloadTooLarge)
    #expect(store.insert(large, for: bytes("k")) == .ok)
    #expect(insert("k", "x", KVInsertOptions(mode: .append)) == .payloadTooLarge)
    #expect(insert("m", "", KVInsertOptions(metadata: String(repeating: "m", count: 2000))) == .ok)
    #expect(insert("m", "", KVInsertOptions(metadata: String(repeating: "m", count: 2001))) == .badRequest)
  }

  @Test func `keys are told apart by their bytes`() {
    #expect(insert("\u{e9}", "composed") == .ok)
    #expect(insert("e\u{301}", "decomposed") == .ok)
    #expect(value("\u{e9}") == "composed")
  }

  @Test func `deleting tells whether there was something`() {
    #expect(insert("k", "v") == .ok)
    #expect(store.delete(bytes("k")))
    #expect(!store.delete(bytes("k")))
  }

  // MARK: Listings

  @Test func `a listing goes on behind its cursor, in the order of bytes`() throws {
    for key in ["b/2", "a", "b/1", "B", "b/3"] { #expect(insert(key, "") == .ok) }
    let all = store.list(KVListQuery())
    #expect(all.json == bytes(#"{"data":["B","a","b/1","b/2","b/3"],"meta":{"limit":1000}}"#))
    let first = store.list(KVListQuery(prefix: "b/", limit: 2))
    #expect(
      first.json == bytes(#"{"data":["b/1","b/2"],"meta":{"limit":2,"prefix":"b/","next_cursor":"Yi8y"}}"#))
    let cursor = try #require(KVPage.key(fromCursor: "Yi8y"))
    let second = store.list(KVListQuery(prefix: "b/", after: cursor, limit: 2))
    #expect(second.json == bytes(#"{"data":["b/3"],"meta":{"limit":2,"prefix":"b/"}}"#))
  }

  @Test func `keys that come and go change the next listing`() {
    #expect(insert("a", "") == .ok)
    #expect(store.list(KVListQuery()).keys == [bytes("a")])
    #expect(insert("b", "") == .ok)
    #expect(store.delete(bytes("a")))
    #expect(store.list(KVListQuery()).keys == [bytes("b")])
  }

  @Test func `a limit of 0 is the default, and a cursor past the end lists nothing`() {
    #expect(insert("a", "") == .ok)
    #expect(store.list(KVListQuery(limit: 0)).limit == 1000)
    #expect(store.list(KVListQuery(after: bytes("z"))).keys.isEmpty)
    #expect(KVPage.key(fromCursor: "not base64!") == nil)
  }

  @Test func `keys are quoted as JSON asks for`() {
    #expect(insert("\"\\\u{1}é", "") == .ok)
    #expect(store.list(KVListQuery()).json == bytes(#"{"data":["\"\\\u0001é"],"meta":{"limit":1000}}"#))
  }
}

/// The stores of a process.
@Suite struct KVStoresTests {
  @Test func `a seed is loaded once and never overwrites what was written`() {
    let stores = KVStores(clock: { 1 })
    var seed = KVStoreSeed(items: ["k": KVStoreSeed.Item(value: [1], metadata: "m")])
    let store = stores.open("s", seed: seed)
    #expect(store.lookup(Array("k".utf8))?.metadata == "m")
    #expect(store.insert([2], for: Array("k".utf8)) == .ok)
    seed.items["k"]?.value = [3]
    #expect(stores.open("s", seed: seed).lookup(Array("k".utf8))?.value == [2])
  }

  @Test func `stores of other names have entries of their own`() {
    let stores = KVStores(clock: { 1 })
    #expect(stores.open("a", seed: KVStoreSeed()).insert([1], for: [1]) == .ok)
    #expect(stores.open("b", seed: KVStoreSeed()).lookup([1]) == nil)
  }

  @Test func `all stores together hold no more than the limit, once what has expired is gone`() {
    let clock = TestClock()
    let stores = KVStores(byteLimit: 4096, clock: { clock.now })
    let (first, second) = (stores.open("a", seed: KVStoreSeed()), stores.open("b", seed: KVStoreSeed()))
    let value = [UInt8](repeating: 0, count: 3000)
    #expect(first.insert(value, for: [1], KVInsertOptions(timeToLive: 1)) == .ok)
    #expect(second.insert(value, for: [1]) == .internalError)
    clock.now += 1_000_000_000
    #expect(second.insert(value, for: [1]) == .ok)
    #expect(second.insert(value, for: [1]) == .ok)
  }
}
