import ComputeABI
import NIOCore
import Synchronization
import Testing

@testable import FastlikeRuntime

/// The store with its lock, its wake-ups and its room, on a clock that stands until it is moved.
@Suite struct CacheStoreTests {
  private final class Clock: Sendable {
    let nanoseconds = Atomic<UInt64>(1_000)
  }

  private final class Count: Sendable {
    private let value = Atomic<Int>(0)
    var current: Int { value.load(ordering: .relaxed) }
    func increment() { value.wrappingAdd(1, ordering: .relaxed) }
  }

  private let clock = Clock()
  private let key = CacheKey(.core, Array("key".utf8))
  private var query: CacheQuery { CacheQuery(key) }

  private func store(capacity: Int = 1 << 20) -> CacheStore {
    CacheStore(capacity: capacity) { [clock] in clock.nanoseconds.load(ordering: .relaxed) }
  }

  private func attributes(maxAge: UInt64 = 100, swr: UInt64 = 0, keys: String = "", length: UInt64? = nil)
    -> CacheAttributes
  {
    var attributes = CacheAttributes()
    attributes.lifetime = CacheLifetime(maxAge: maxAge, staleWhileRevalidate: swr)
    attributes.surrogateKeys = SurrogateKeys(parsing: keys.utf8) ?? SurrogateKeys()
    attributes.length = length
    return attributes
  }

  private func obligation(_ store: CacheStore) throws -> CacheObligation {
    guard case .settled(let finding) = store.lookup(query, owner: 1, wake: {}) else { throw Missing() }
    return try #require(finding.obligation)
  }

  private func ticket(_ store: CacheStore, owner: UInt64 = 2, wake: @escaping @Sendable () -> Void = {}) throws
    -> CacheTicket
  {
    guard case .waiting(let ticket) = store.lookup(query, owner: owner, wake: wake) else { throw Missing() }
    return ticket
  }

  private struct Missing: Error {}

  private func text(_ object: CachedObject?) -> String? {
    object?.body.complete.map { $0.chunks.map { String(buffer: $0) }.joined() }
  }

  @Test func `what is written is found`() throws {
    let store = store()
    let writer = try store.insert(attributes(), for: query)
    writer.write(ByteBuffer(string: "hel"))
    writer.write(ByteBuffer(string: "lo"))
    #expect(store.find(query).knownLength == nil)
    writer.finish()
    let finding = store.find(query)
    #expect(text(finding.object) == "hello")
    #expect(finding.knownLength == 5)
    #expect(finding.state == [.found, .usable])
  }

  @Test func `waiters are woken once, with the object and the leader's number`() throws {
    let store = store()
    let obligation = try obligation(store)
    let woken = Count()
    let ticket = try ticket(store) { woken.increment() }
    #expect(ticket.finding == nil)
    let writer = try obligation.insert(attributes())
    #expect(woken.current == 1)
    #expect(ticket.finding?.leader == 1)
    #expect(ticket.finding?.object?.number == writer.object.number)
    #expect(ticket.finding?.obligation == nil)
    writer.finish()
    #expect(woken.current == 1)
  }

  @Test func `an obligation that is let go of promotes one waiter`() throws {
    let store = store()
    var obligation: CacheObligation? = try obligation(store)
    let (first, second) = (try ticket(store, owner: 2), try ticket(store, owner: 3))
    #expect(obligation?.isOpen == true)
    obligation = nil
    #expect(first.finding?.obligation != nil)
    #expect(second.finding == nil)
  }

  @Test func `a waiter that was promoted and goes passes the obligation on`() throws {
    let store = store()
    let obligation = try obligation(store)
    let (first, second) = (try ticket(store, owner: 2), try ticket(store, owner: 3))
    obligation.cancel()
    store.cancel(first)
    #expect(second.finding?.obligation != nil)
  }

  @Test func `an obligation is fulfilled once`() throws {
    let store = store()
    let obligation = try obligation(store)
    _ = try obligation.insert(attributes())
    #expect(throws: CacheRefusal.ended) { _ = try obligation.insert(attributes()) }
    #expect(!obligation.isOpen)
  }

  @Test func `an update keeps the body and needs one`() throws {
    let store = store()
    let first = try obligation(store)
    #expect(throws: CacheRefusal.nothingToUpdate) { try first.update(attributes()) }
    #expect(first.isOpen)
    let writer = try first.insert(attributes(swr: 50))
    writer.write(ByteBuffer(string: "body"))
    writer.finish()
    clock.nanoseconds.store(1_100, ordering: .relaxed)
    #expect(store.find(query).state == [.found, .usable, .stale])
    let second = try obligation(store)
    try second.update(attributes())
    #expect(store.find(query).state == [.found, .usable])
    #expect(text(store.find(query).object) == "body")
  }

  @Test func `a hard purge removes, a soft one makes stale`() throws {
    let store = store()
    try store.insert(attributes(keys: "a b"), for: query).finish()
    #expect(store.purge(surrogateKey: "c", soft: false) == 0)
    #expect(store.purge(surrogateKey: "a", soft: true) == 1)
    #expect(store.find(query).state == [.found, .usable, .stale])
    #expect(store.purge(surrogateKey: "b", soft: false) == 1)
    #expect(store.find(query).object == nil)
  }

  @Test func `an object whose writer goes is not found again`() throws {
    let store = store()
    var writer: CacheWriter? = try store.insert(attributes(), for: query)
    let object = try #require(store.find(query).object)
    writer?.write(ByteBuffer(string: "half"))
    writer = nil
    #expect(object.body.hasFailed)
    #expect(store.find(query).object == nil)
  }

  @Test func `an object whose length is not the promised one is not found again`() throws {
    let store = store()
    for text in ["abcd", "abcdef"] {
      let writer = try store.insert(attributes(length: 5), for: query)
      #expect(store.find(query).knownLength == 5)
      writer.write(ByteBuffer(string: text))
      writer.finish()
      #expect(store.find(query).object == nil)
    }
  }

  // MARK: Room

  private func fill(_ store: CacheStore, _ name: String, _ byteCount: Int) throws {
    let writer = try store.insert(attributes(), for: CacheQuery(CacheKey(.core, Array(name.utf8))))
    writer.write(ByteBuffer(repeating: 0x61, count: byteCount))
    writer.finish()
  }

  private func holds(_ store: CacheStore, _ name: String) -> Bool {
    store.find(CacheQuery(CacheKey(.core, Array(name.utf8)))).object != nil
  }

  @Test func `what was not used for longest makes room for what is written`() throws {
    let store = store(capacity: 100_000)
    for name in ["a", "b", "c"] { try fill(store, name, 30_000) }
    #expect(holds(store, "a"))
    try fill(store, "d", 30_000)
    #expect(holds(store, "a") && !holds(store, "b") && holds(store, "c") && holds(store, "d"))
    #expect(store.listing().evictedCount == 1)
    #expect(store.budget.heldBytes <= 100_000)
  }

  @Test func `an object with a length beyond the cache's size is refused`() throws {
    let store = store(capacity: 100_000)
    let attributes = attributes(length: 100_001)
    #expect(throws: CacheRefusal.noRoom) { _ = try store.insert(attributes, for: query) }
  }

  @Test func `a body that outgrows the cache breaks off and leaves it`() throws {
    let store = store(capacity: 100_000)
    let writer = try store.insert(attributes(), for: query)
    #expect(writer.write(ByteBuffer(repeating: 0x61, count: 60_000)))
    #expect(!writer.write(ByteBuffer(repeating: 0x61, count: 60_000)))
    #expect(writer.object.body.hasFailed)
    #expect(store.find(query).object == nil)
  }

  @Test func `all bytes are given back`() throws {
    let store = store()
    try fill(store, "a", 1000)
    let obligation = try obligation(store)
    _ = try obligation.insert(attributes())
    #expect(store.purgeAll(soft: false) >= 1)
    #expect(store.listing().objectCount == 0)
    #expect(store.budget.heldBytes == 0)
  }

  @Test func `small objects are bounded too`() throws {
    let store = store(capacity: 100_000)
    for number in 0..<1000 { try fill(store, "\(number)", 0) }
    #expect(store.listing().objectCount <= 100_000 / CachedObject.overhead)
    #expect(holds(store, "999"))
  }

  // MARK: Listing

  @Test func `the listing tells what is there, the last used first`() throws {
    let store = store()
    try fill(store, "a", 10)
    let writer = try store.insert(attributes(keys: "k"), for: query)
    let listing = store.listing()
    #expect(listing.objects.map { String(decoding: $0.key, as: UTF8.self) } == ["key", "a"])
    #expect(listing.objects.map(\.bodyBytes) == [0, 10])
    #expect(listing.objects[0].surrogateKeys == ["k"])
    #expect(listing.objects[0].keyDigest.count == 16)
    #expect(store.listing(limit: 1).objects.count == 1)
    #expect(store.remove(object: listing.objects[1].id))
    #expect(!store.remove(object: listing.objects[1].id))
    writer.finish()
  }
}
