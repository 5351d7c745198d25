import CTimestamp
import ComputeABI
import NIOCore
import Synchronization

/// The cache of the process: one for all requests, event loops and versions of the service.
///
/// How to use it, for the modules on top of it (the core cache's hostcalls, the HTTP cache):
///
/// - A look-up is ``find(_:)`` (never waits, never obliges) or ``lookup(_:owner:wake:)`` (a transaction). The latter gives a
///   ``CacheFinding`` at once, or a ``CacheTicket`` of one who waits: keep it, look at ``CacheTicket/finding`` when woken, and
///   ``cancel(_:)`` it at the end of the request if it was not taken.
/// - A finding says what may be used (``CacheFinding/object``, ``CacheFinding/freshness``) and carries a
///   ``CacheObligation`` where this request is the one to bring the next object. Others wait for it, so it has to end:
///   ``CacheObligation/insert(_:)`` (waiters are woken now and read along), ``CacheObligation/update(_:)``,
///   ``CacheObligation/recordUncacheable(_:)``, ``CacheObligation/chooseStale()`` or ``CacheObligation/cancel()``. The last is also what
///   happens when it is let go of.
/// - An insertion gives a ``CacheWriter``: bytes, or a whole ``BodyPipe``, go in; `finish` or `abandon` ends it. Bodies never
///   wait for their readers, since the cache's size bounds them.
/// - Bodies are read through ``CachedBodyReader/pipe(_:_:on:)`` from any event loop, or at once when they are complete
///   (``CachedBody/complete``).
///
/// The store locks inside for the time of one look-up or change. No closure of a caller runs under the lock.
public final class CacheStore: Sendable {
  /// Bytes that the cache may hold unless `--cache-size` says otherwise.
  public static let defaultCapacity = 256 << 20

  private struct State {
    var table = CacheTable()
    var tickets: [UInt64: CacheTicket] = [:]
    var lastSweep: UInt64 = 0

    /// The tickets of settled waiters, which leave the line.
    mutating func take(_ settled: [CacheTable.Settled]) -> [(ticket: CacheTicket, answer: CacheTable.Answer)] {
      settled.compactMap { settled in tickets.removeValue(forKey: settled.waiter).map { ($0, settled.answer) } }
    }
  }

  private static let sweepPause: UInt64 = 60 * 1_000_000_000

  private let state = Mutex(State())
  let budget: CacheBudget
  private let clock: @Sendable () -> UInt64
  private let lastObject = Atomic<UInt64>(0)
  private let lastTicket = Atomic<UInt64>(0)
  private let evicted = Atomic<UInt64>(0)

  /// - Parameters:
  ///   - capacity: Bytes that the cache may hold.
  ///   - clock: Nanoseconds since some time, never going back.
  init(
    capacity: Int = CacheStore.defaultCapacity, clock: @escaping @Sendable () -> UInt64 = { ctimestamp_monotonic() }
  ) {
    budget = CacheBudget(limit: capacity)
    self.clock = clock
  }

  var now: UInt64 { clock() }

  // MARK: Looking up

  /// What may be used of an object now.
  func find(_ query: CacheQuery) -> CacheFinding {
    let now = now
    return finding(state.withLock { $0.table.lookup(query, .plain, owner: 0, now: now) })
  }

  /// Looks up as a transaction: what may be used, or the obligation to bring it, or both, or a wait for whoever has it.
  ///
  /// - Parameters:
  ///   - owner: The number of the asking request.
  ///   - wake: Called once, on any thread, when the ticket is settled; never for an answer that is there at once.
  func lookup(_ query: CacheQuery, owner: UInt64, wake: @escaping @Sendable () -> Void) -> CacheAnswer {
    ask(query, .transaction, owner: owner, wake: wake)
  }

  /// The obligation to replace an object, whatever is there of it; with ``CacheReplacement/inTurn`` perhaps after a wait.
  func replace(
    _ query: CacheQuery, _ replacement: CacheReplacement, owner: UInt64, wake: @escaping @Sendable () -> Void
  ) -> CacheAnswer {
    ask(query, replacement.access, owner: owner, wake: wake)
  }

  private func ask(
    _ query: CacheQuery, _ access: CacheTable.Access, owner: UInt64, wake: @escaping @Sendable () -> Void
  ) -> CacheAnswer {
    let now = now
    let (answer, ticket): (CacheTable.Answer, CacheTicket?) = state.withLock { state in
      let answer = state.table.lookup(query, access, owner: owner, now: now)
      guard case .wait(let leader) = answer else { return (answer, nil) }
      let number = lastTicket.wrappingAdd(1, ordering: .relaxed).newValue
      let ticket = CacheTicket(number: number, key: query.key, leader: leader, wake: wake)
      state.table.enqueue(number, query, access, owner: owner)
      state.tickets[number] = ticket
      return (answer, ticket)
    }
    return ticket.map { .waiting($0) } ?? .settled(finding(answer))
  }

  /// Gives up a ticket. An obligation that it has got goes to the next one in line.
  func cancel(_ ticket: CacheTicket) {
    state.withLock { state in
      guard state.tickets.removeValue(forKey: ticket.number) != nil else { return }
      state.table.dequeue(ticket.number, of: ticket.key)
    }
    ticket.cancel()?.obligation?.cancel()
  }

  private func finding(_ answer: CacheTable.Answer, leader: UInt64? = nil) -> CacheFinding {
    guard case .settled(let object, let freshness, let duty) = answer else { return CacheFinding() }
    return CacheFinding(
      object: object, freshness: freshness, obligation: duty.map { CacheObligation($0, in: self) },
      knownLength: object?.body.knownLength, leader: leader)
  }

  // MARK: Storing

  /// Stores an object regardless of who else does. Its variant is that of the query's headers.
  ///
  /// Throws when its body cannot have room.
  func insert(_ attributes: CacheAttributes, for query: CacheQuery) throws(CacheRefusal) -> CacheWriter {
    try insert(attributes, for: query, fulfilling: nil)
  }

  func insert(_ attributes: CacheAttributes, for query: CacheQuery, fulfilling duty: CacheTable.Duty?)
    throws(CacheRefusal) -> CacheWriter
  {
    guard attributes.length ?? 0 <= UInt64(budget.limit) else { throw .noRoom }
    let length = attributes.length.map { Int($0) }
    let body = CachedBody(promisedLength: length, budget: budget)
    let object = try makeObject(attributes, query.key, body, hits: 0)
    place(object, for: query.headers, fulfilling: duty)
    return CacheWriter(object: object, store: self)
  }

  /// Stores new attributes with the body of an older object.
  func renew(_ old: CachedObject, _ attributes: CacheAttributes, fulfilling duty: CacheTable.Duty)
    throws(CacheRefusal) -> CachedObject
  {
    let object = try makeObject(attributes, old.key, old.body, hits: old.hitCount)
    place(object, for: duty.query.headers, fulfilling: duty)
    return object
  }

  func recordUncacheable(_ attributes: CacheAttributes, fulfilling duty: CacheTable.Duty) throws(CacheRefusal) {
    let body = CachedBody(promisedLength: nil, budget: budget)
    body.finish()
    let object = try makeObject(attributes, duty.query.key, body, hits: 0, isUncacheable: true)
    place(object, for: duty.query.headers, fulfilling: duty)
  }

  private func makeObject(
    _ attributes: CacheAttributes, _ key: CacheKey, _ body: CachedBody, hits: UInt64, isUncacheable: Bool = false
  ) throws(CacheRefusal) -> CachedObject {
    guard reserve(CachedObject.charge(key: key, attributes)) else { throw .noRoom }
    return CachedObject(
      number: lastObject.wrappingAdd(1, ordering: .relaxed).newValue, key: key, attributes: attributes,
      isUncacheable: isUncacheable, body: body, storedAt: now, hits: hits, budget: budget)
  }

  private func place(_ object: CachedObject, for headers: HeaderList, fulfilling duty: CacheTable.Duty?) {
    let now = now
    let consequences = state.withLock { state in
      var consequences = state.table.insert(object, for: headers, fulfilling: duty, now: now)
      if now &- state.lastSweep > CacheStore.sweepPause {
        state.lastSweep = now
        consequences.removed += state.table.removeAll { $0.isForgotten(at: now) }
      }
      return (consequences.removed, state.take(consequences.settled))
    }
    settle(consequences.1)
  }

  // MARK: The end of obligations

  func cancel(_ duty: CacheTable.Duty) {
    let now = now
    settle(
      state.withLock { state in
        let settled = state.table.cancel(duty, now: now)
        return state.take(settled)
      })
  }

  func chooseStale(_ object: CachedObject, fulfilling duty: CacheTable.Duty) {
    let now = now
    settle(
      state.withLock { state in
        let settled = state.table.chooseStale(duty, object, now: now)
        return state.take(settled)
      })
  }

  /// Tells waiters what they have waited for; the lock is not held.
  private func settle(_ settled: [(ticket: CacheTicket, answer: CacheTable.Answer)]) {
    for (ticket, answer) in settled {
      let finding = finding(answer, leader: ticket.leader)
      // One who has gone meanwhile passes the obligation on.
      if !ticket.settle(finding) { finding.obligation?.cancel() }
    }
  }

  // MARK: Room

  /// Makes room for bytes, by removing objects that were not used for longest. Whether there is room now.
  func reserve(_ byteCount: Int) -> Bool {
    guard byteCount <= budget.limit else { return false }
    while !budget.take(byteCount) {
      let missing = byteCount + budget.heldBytes - budget.limit
      let removed = state.withLock { $0.table.evict(byteCount: max(1, missing)) }
      if removed.isEmpty { return budget.take(byteCount) }
      evicted.wrappingAdd(UInt64(removed.count), ordering: .relaxed)
    }
    return true
  }

  /// Removes an object whose body has failed: the next look-up is a miss.
  func discard(_ object: CachedObject) { _ = state.withLock { $0.table.remove(object.number) } }

  // MARK: Purging and looking from outside

  /// Whether a text may be a surrogate key: 1 to 1,024 bytes of visible ASCII.
  public static func isSurrogateKey(_ text: String) -> Bool { SurrogateKeys.key(text.utf8) != nil }

  /// Purges the objects with a surrogate key. Pending obligations are not touched.
  ///
  /// - Parameter soft: The objects become stale rather than vanish.
  /// - Returns: How many objects were purged.
  @discardableResult
  public func purge(surrogateKey key: String, soft: Bool) -> Int {
    let purged = state.withLock { state in
      let objects = state.table.objects(withSurrogateKey: key)
      if !soft { for object in objects { _ = state.table.remove(object.number) } }
      return objects
    }
    if soft { for object in purged { object.purgeSoftly() } }
    return purged.count
  }

  /// As ``purge(surrogateKey:soft:)``, for all objects.
  @discardableResult
  public func purgeAll(soft: Bool) -> Int {
    let purged = state.withLock { soft ? $0.table.objects : $0.table.removeAll { _ in true } }
    if soft { for object in purged { object.purgeSoftly() } }
    return purged.count
  }

  /// Removes one object by its number; false when it is not there any more.
  @discardableResult
  public func remove(object number: UInt64) -> Bool { state.withLock { $0.table.remove(number) } != nil }

  /// What is in the cache, the object used last first, at most `limit` of them.
  public func listing(limit: Int = 1000) -> CacheListing {
    let now = now
    let (count, rows) = state.withLock { state in
      let objects = state.table.objects
      return (objects.count, objects.prefix(limit).map { ($0, state.table.variantCount(of: $0.key)) })
    }
    return CacheListing(
      objects: rows.map { CacheListing.Row($0.0, variantCount: $0.1, now: now) }, objectCount: count,
      heldBytes: budget.heldBytes, capacity: budget.limit, evictedCount: evicted.load(ordering: .relaxed))
  }
}
