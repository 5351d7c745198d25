import Testing

@testable import FastlikeRuntime

/// The rules of look-ups, obligations and collapsing, without clock and threads.
@Suite struct CacheTableTests {
  private static let budget = CacheBudget(limit: 1 << 30)
  private let key = CacheKey(.core, Array("key".utf8))

  private func object(
    _ number: UInt64, vary: String? = nil, maxAge: UInt64 = 100, swr: UInt64 = 0, sie: UInt64 = 0, keys: String = "",
    uncacheable: Bool = false
  ) throws -> CachedObject {
    var attributes = CacheAttributes()
    attributes.lifetime = CacheLifetime(maxAge: maxAge, staleWhileRevalidate: swr, staleIfError: sie)
    if let vary { attributes.varyRule = try #require(VaryRule(parsing: vary.utf8)) }
    attributes.surrogateKeys = try #require(SurrogateKeys(parsing: keys.utf8))
    let body = CachedBody(promisedLength: nil, budget: CacheTableTests.budget)
    body.finish()
    // What it gives back at its end was never taken, which the tests' budget does not mind.
    return CachedObject(
      number: number, key: key, attributes: attributes, isUncacheable: uncacheable, body: body, storedAt: 0,
      budget: CacheTableTests.budget)
  }

  private func query(_ headers: [(String, String)] = []) -> CacheQuery { CacheQuery(key, headers: HeaderList(headers)) }

  /// The number of the object, whether there is a duty, and whom to wait for: `1`, `1+duty`, `duty`, `wait 7`, `nothing`.
  private func text(_ answer: CacheTable.Answer) -> String {
    switch answer {
    case .wait(let leader): return "wait \(leader)"
    case .settled(let object, let freshness, let duty):
      let usable = freshness == .expired ? nil : object
      let parts = [usable.map { "\($0.number) \(freshness)" }, duty.map { _ in "duty" }].compactMap(\.self)
      return parts.isEmpty ? "nothing" : parts.joined(separator: " + ")
    }
  }

  private func duty(_ answer: CacheTable.Answer) throws -> CacheTable.Duty {
    guard case .settled(_, _, let duty?) = answer else { throw Missing() }
    return duty
  }

  private struct Missing: Error {}

  // MARK: Look-ups

  @Test func `a plain look-up of nothing finds nothing and leaves nothing behind`() {
    var table = CacheTable()
    #expect(text(table.lookup(query(), .plain, owner: 1, now: 0)) == "nothing")
    #expect(table.keyCount == 0)
  }

  @Test func `the first transaction has the duty and the others wait for it`() {
    var table = CacheTable()
    #expect(text(table.lookup(query(), .transaction, owner: 7, now: 0)) == "duty")
    #expect(text(table.lookup(query(), .transaction, owner: 8, now: 0)) == "wait 7")
    #expect(text(table.lookup(query(), .plain, owner: 9, now: 0)) == "nothing")
  }

  @Test func `a fresh object is found by all, and counted`() throws {
    var table = CacheTable()
    let object = try object(1)
    _ = table.insert(object, for: HeaderList(), fulfilling: nil, now: 0)
    #expect(text(table.lookup(query(), .plain, owner: 1, now: 99)) == "1 fresh")
    #expect(text(table.lookup(query(), .transaction, owner: 1, now: 99)) == "1 fresh")
    #expect(object.hitCount == 2)
  }

  @Test func `a stale object is found by all, and the first transaction has the duty`() throws {
    var table = CacheTable()
    _ = table.insert(try object(1, swr: 50), for: HeaderList(), fulfilling: nil, now: 0)
    #expect(text(table.lookup(query(), .plain, owner: 1, now: 100)) == "1 stale")
    #expect(text(table.lookup(query(), .transaction, owner: 1, now: 100)) == "1 stale + duty")
    #expect(text(table.lookup(query(), .transaction, owner: 2, now: 100)) == "1 stale")
  }

  @Test func `an object beyond its windows is not found, and revalidated by whoever has the duty`() throws {
    var table = CacheTable()
    _ = table.insert(try object(1), for: HeaderList(), fulfilling: nil, now: 0)
    #expect(text(table.lookup(query(), .plain, owner: 1, now: 100)) == "nothing")
    let answer = table.lookup(query(), .transaction, owner: 1, now: 100)
    #expect(text(answer) == "duty")
    #expect(try duty(answer).present?.number == 1)
    #expect(text(table.lookup(query(), .transaction, owner: 2, now: 100)) == "wait 1")
  }

  @Test func `an object that may be used in case of an error comes with the duty, and others wait`() throws {
    var table = CacheTable()
    _ = table.insert(try object(1, sie: 50), for: HeaderList(), fulfilling: nil, now: 0)
    #expect(text(table.lookup(query(), .plain, owner: 1, now: 100)) == "nothing")
    #expect(text(table.lookup(query(), .transaction, owner: 1, now: 100)) == "1 staleIfError + duty")
    #expect(text(table.lookup(query(), .transaction, owner: 2, now: 100)) == "wait 1")
  }

  @Test func `nobody waits where it is known that there is nothing to store`() throws {
    var table = CacheTable()
    let answer = table.lookup(query(), .transaction, owner: 1, now: 0)
    table.enqueue(20, query(), .transaction, owner: 2)
    let marker = try object(1, uncacheable: true)
    let settled = table.insert(marker, for: HeaderList(), fulfilling: try duty(answer), now: 0).settled
    #expect(settled.map { text($0.answer) } == ["1 fresh"])
    #expect(text(table.lookup(query(), .transaction, owner: 3, now: 0)) == "1 fresh")
    #expect(text(table.lookup(query(), .plain, owner: 3, now: 0)) == "nothing")
    #expect(text(table.lookup(query(), .transaction, owner: 3, now: 100)) == "duty")
  }

  // MARK: Waiters

  @Test func `an insertion settles all who wait for it`() throws {
    var table = CacheTable()
    let answer = table.lookup(query(), .transaction, owner: 1, now: 0)
    for waiter in 20..<23 as Range<UInt64> { table.enqueue(waiter, query(), .transaction, owner: waiter) }
    let settled = table.insert(try object(1), for: HeaderList(), fulfilling: try duty(answer), now: 0).settled
    #expect(settled.map(\.waiter) == [20, 21, 22])
    #expect(settled.map { text($0.answer) } == ["1 fresh", "1 fresh", "1 fresh"])
  }

  @Test func `giving the duty back promotes exactly one waiter, the first`() throws {
    var table = CacheTable()
    let answer = table.lookup(query(), .transaction, owner: 1, now: 0)
    for waiter in 20..<23 as Range<UInt64> { table.enqueue(waiter, query(), .transaction, owner: waiter) }
    let settled = table.cancel(try duty(answer), now: 0)
    #expect(settled.map(\.waiter) == [20])
    #expect(settled.map { text($0.answer) } == ["duty"])
    #expect(text(table.lookup(query(), .transaction, owner: 9, now: 0)) == "wait 20")
  }

  @Test func `a duty ends once`() throws {
    var table = CacheTable()
    let answer = table.lookup(query(), .transaction, owner: 1, now: 0)
    table.enqueue(20, query(), .transaction, owner: 2)
    #expect(table.cancel(try duty(answer), now: 0).count == 1)
    #expect(table.cancel(try duty(answer), now: 0).isEmpty)
  }

  @Test func `a waiter that goes is not settled`() throws {
    var table = CacheTable()
    let answer = table.lookup(query(), .transaction, owner: 1, now: 0)
    table.enqueue(20, query(), .transaction, owner: 2)
    table.enqueue(21, query(), .transaction, owner: 3)
    table.dequeue(20, of: key)
    #expect(table.cancel(try duty(answer), now: 0).map(\.waiter) == [21])
  }

  @Test func `nothing is left of a key when the last duty is given back`() throws {
    var table = CacheTable()
    let answer = table.lookup(query(), .transaction, owner: 1, now: 0)
    _ = table.cancel(try duty(answer), now: 0)
    #expect(table.keyCount == 0)
  }

  @Test func `choosing the stale object gives it to those who wait, and the next look-up has the duty`() throws {
    var table = CacheTable()
    let stored = try object(1, sie: 50)
    _ = table.insert(stored, for: HeaderList(), fulfilling: nil, now: 0)
    let answer = table.lookup(query(), .transaction, owner: 1, now: 100)
    table.enqueue(20, query(), .transaction, owner: 2)
    table.enqueue(21, query(), .transaction, owner: 3)
    let settled = table.chooseStale(try duty(answer), stored, now: 100)
    #expect(settled.map { text($0.answer) } == ["1 staleIfError", "1 staleIfError"])
    #expect(text(table.lookup(query(), .transaction, owner: 4, now: 100)) == "1 staleIfError + duty")
  }

  // MARK: Variants

  @Test func `each variant is found by its own requests`() throws {
    var table = CacheTable()
    let english = HeaderList([("lang", "en")])
    _ = table.insert(try object(1, vary: "lang"), for: english, fulfilling: nil, now: 0)
    _ = table.insert(try object(2, vary: "lang"), for: HeaderList([("lang", "de")]), fulfilling: nil, now: 0)
    #expect(text(table.lookup(query([("lang", "en")]), .plain, owner: 1, now: 0)) == "1 fresh")
    #expect(text(table.lookup(query([("lang", "de")]), .plain, owner: 1, now: 0)) == "2 fresh")
    #expect(text(table.lookup(query(), .plain, owner: 1, now: 0)) == "nothing")
    #expect(table.variantCount(of: key) == 2)
  }

  @Test func `of several rules the one stored last counts`() throws {
    var table = CacheTable()
    _ = table.insert(try object(1), for: HeaderList(), fulfilling: nil, now: 0)
    _ = table.insert(try object(2, vary: "lang"), for: HeaderList([("lang", "en")]), fulfilling: nil, now: 0)
    #expect(text(table.lookup(query([("lang", "en")]), .plain, owner: 1, now: 0)) == "2 fresh")
    #expect(text(table.lookup(query([("lang", "fr")]), .plain, owner: 1, now: 0)) == "1 fresh")
    _ = table.insert(try object(3), for: HeaderList(), fulfilling: nil, now: 0)
    #expect(text(table.lookup(query([("lang", "en")]), .plain, owner: 1, now: 0)) == "3 fresh")
  }

  @Test func `requests that differ under the newest rule do not wait for each other`() throws {
    var table = CacheTable()
    _ = table.insert(try object(1, vary: "lang"), for: HeaderList([("lang", "en")]), fulfilling: nil, now: 0)
    #expect(text(table.lookup(query([("lang", "de")]), .transaction, owner: 1, now: 0)) == "duty")
    #expect(text(table.lookup(query([("lang", "fr")]), .transaction, owner: 2, now: 0)) == "duty")
    #expect(text(table.lookup(query([("lang", "de")]), .transaction, owner: 3, now: 0)) == "wait 1")
  }

  @Test func `waiters whom a new rule parts get duties of their own`() throws {
    var table = CacheTable()
    let answer = table.lookup(query([("lang", "en")]), .transaction, owner: 1, now: 0)
    table.enqueue(20, query([("lang", "en")]), .transaction, owner: 2)
    table.enqueue(21, query([("lang", "de")]), .transaction, owner: 3)
    table.enqueue(22, query([("lang", "de")]), .transaction, owner: 4)
    let stored = try object(1, vary: "lang")
    let english = HeaderList([("lang", "en")])
    let settled = table.insert(stored, for: english, fulfilling: try duty(answer), now: 0).settled
    #expect(settled.map(\.waiter) == [20, 21])
    #expect(settled.map { text($0.answer) } == ["1 fresh", "duty"])
    #expect(text(table.lookup(query([("lang", "de")]), .transaction, owner: 5, now: 0)) == "wait 3")
  }

  // MARK: Replacing

  @Test func `replacing at once needs no turn and leaves the object to others`() throws {
    var table = CacheTable()
    _ = table.insert(try object(1), for: HeaderList(), fulfilling: nil, now: 0)
    let answer = table.lookup(query(), .replaceNow, owner: 1, now: 0)
    #expect(text(answer) == "1 fresh + duty")
    #expect(text(table.lookup(query(), .replaceNow, owner: 2, now: 0)) == "1 fresh + duty")
    #expect(text(table.lookup(query(), .plain, owner: 3, now: 0)) == "1 fresh")
    _ = table.insert(try object(2), for: HeaderList(), fulfilling: try duty(answer), now: 0)
    #expect(text(table.lookup(query(), .plain, owner: 3, now: 0)) == "2 fresh")
  }

  @Test func `a forced miss takes the object away, and others wait for the next one`() throws {
    var table = CacheTable()
    _ = table.insert(try object(1), for: HeaderList(), fulfilling: nil, now: 0)
    let answer = table.lookup(query(), .replaceForcingMiss, owner: 7, now: 0)
    #expect(text(answer) == "1 fresh + duty")
    #expect(text(table.lookup(query(), .plain, owner: 2, now: 0)) == "nothing")
    #expect(text(table.lookup(query(), .transaction, owner: 2, now: 0)) == "wait 7")
    #expect(table.objectCount == 0)
  }

  @Test func `replacing in turn waits for whoever is at it`() throws {
    var table = CacheTable()
    _ = table.insert(try object(1), for: HeaderList(), fulfilling: nil, now: 0)
    let answer = table.lookup(query(), .replaceInTurn, owner: 7, now: 0)
    #expect(text(answer) == "1 fresh + duty")
    #expect(text(table.lookup(query(), .replaceInTurn, owner: 8, now: 0)) == "wait 7")
    #expect(text(table.lookup(query(), .transaction, owner: 9, now: 0)) == "1 fresh")
    table.enqueue(20, query(), .replaceInTurn, owner: 8)
    let settled = table.insert(try object(2), for: HeaderList(), fulfilling: try duty(answer), now: 0).settled
    #expect(settled.map { text($0.answer) } == ["2 fresh + duty"])
  }

  // MARK: Removing

  @Test func `objects are found by surrogate key until they are removed`() throws {
    var table = CacheTable()
    _ = table.insert(try object(1, vary: "lang", keys: "a b"), for: HeaderList(), fulfilling: nil, now: 0)
    _ = table.insert(try object(2, keys: "b"), for: HeaderList(), fulfilling: nil, now: 0)
    #expect(table.objects(withSurrogateKey: "b").map(\.number) == [1, 2])
    #expect(table.remove(1)?.number == 1)
    #expect(table.objects(withSurrogateKey: "a").isEmpty)
    #expect(table.objects(withSurrogateKey: "b").map(\.number) == [2])
    #expect(table.remove(1) == nil)
  }

  @Test func `a duty survives the removal of the object`() throws {
    var table = CacheTable()
    _ = table.insert(try object(1, swr: 50), for: HeaderList(), fulfilling: nil, now: 0)
    _ = table.lookup(query(), .transaction, owner: 7, now: 100)
    _ = table.remove(1)
    #expect(text(table.lookup(query(), .transaction, owner: 8, now: 100)) == "wait 7")
  }

  @Test func `what was not used for longest makes room first`() throws {
    var table = CacheTable()
    for number in 1..<4 as Range<UInt64> {
      let headers = HeaderList([("n", "\(number)")])
      _ = table.insert(try object(number, vary: "n"), for: headers, fulfilling: nil, now: 0)
    }
    _ = table.lookup(query([("n", "1")]), .plain, owner: 1, now: 0)
    #expect(table.evict(byteCount: 1).map(\.number) == [2])
    #expect(table.objects.map(\.number) == [1, 3])
  }

  @Test func `what is in use does not make room`() throws {
    var table = CacheTable()
    let used = try object(1)
    _ = table.insert(used, for: HeaderList(), fulfilling: nil, now: 0)
    #expect(table.evict(byteCount: 1).isEmpty)
    #expect(used.number == 1)
  }
}
