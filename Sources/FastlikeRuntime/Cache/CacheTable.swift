/// What is in the cache and who fetches what: the rules of look-ups, obligations and collapsing, as a value without clock,
/// lock or wake-ups.
///
/// Each key has vary rules, the one stored last first, and each rule has variants. A variant holds an object, and at most
/// one obligation: the duty of one request to bring the next object, for which the others wait. Whatever changes a key
/// has its waiters looked up again in the order of their arrival, so that one who is left waiting has something to wait
/// for, and of those who wait for nothing exactly one gets the duty.
struct CacheTable {
  /// How a look-up is meant.
  enum Access: Sendable {
    /// Only what is usable now.
    case plain
    /// What is usable, or the duty to bring it, or a wait.
    case transaction
    /// The present object and the right to replace it, without waiting.
    case replaceNow
    /// As ``replaceNow``, and the present object is gone for everybody from here on.
    case replaceForcingMiss
    /// As ``replaceNow``, once nobody else is replacing it.
    case replaceInTurn
  }

  /// A duty to bring an object, and where it is filed.
  struct Duty: Sendable {
    let number: UInt64
    let query: CacheQuery
    let rule: VaryRule
    let variant: CacheVariant
    /// What it replaces or revalidates, usable or not.
    let present: CachedObject?
  }

  /// What a look-up comes to.
  enum Answer: Sendable {
    /// - Parameters:
    ///   - object: What may be used as `freshness` says; nil for nothing.
    ///   - duty: What the asker has to do, if anything.
    case settled(object: CachedObject?, freshness: CacheLifetime.Freshness, duty: Duty?)
    /// Another request brings the object.
    case wait(leader: UInt64)
  }

  /// A waiter that waits no more.
  struct Settled: Sendable {
    let waiter: UInt64
    let answer: Answer
  }

  /// What a change leaves for its caller, to be done without a lock: objects to let go of, and waiters to tell.
  struct Consequences: Sendable {
    var removed: [CachedObject] = []
    var settled: [Settled] = []
  }

  private struct Obligation {
    let number: UInt64
    /// The request that has it.
    let owner: UInt64
  }

  private struct Slot {
    var node: Int?
    var obligation: Obligation?
    var isEmpty: Bool { node == nil && obligation == nil }
  }

  private struct Rule {
    let rule: VaryRule
    var slots: [CacheVariant: Slot] = [:]
  }

  private struct Waiter {
    let number: UInt64
    let query: CacheQuery
    let access: Access
    let owner: UInt64
  }

  private struct Entry {
    /// The one stored last first.
    var rules: [Rule] = []
    var waiters: [Waiter] = []

    func index(of rule: VaryRule) -> Int? { rules.firstIndex { $0.rule == rule } }
  }

  private var entries: [CacheKey: Entry] = [:]
  private var nodes = CacheNodes()
  private var lastNumber: UInt64 = 0

  init() {}

  // MARK: Looking up

  /// Looks up without waiting in line: ``Answer/wait(leader:)`` leaves no trace in the table.
  ///
  /// - Parameter owner: The asking request, for those who will wait for it.
  mutating func lookup(_ query: CacheQuery, _ access: Access, owner: UInt64, now: UInt64) -> Answer {
    guard entries[query.key] != nil else {
      if case .plain = access { return .settled(object: nil, freshness: .expired, duty: nil) }
      if case .replaceNow = access { return .settled(object: nil, freshness: .expired, duty: duty(query, .none)) }
      return .settled(object: nil, freshness: .expired, duty: oblige(query, .none, owner: owner, present: nil))
    }
    return match(query, access, owner: owner, now: now)
  }

  /// What is there for a request.
  private struct Survey {
    /// What suits it best: fresh, or else stale in its window, or else useful when fetching fails, or else to revalidate.
    var best: (object: CachedObject, node: Int, rule: VaryRule, freshness: CacheLifetime.Freshness)?
    /// Who brings an object that will suit it, as far as one can know.
    var obliged: (rule: VaryRule, owner: UInt64)?
    /// The rule under which the last object was stored.
    var newest = VaryRule.none

    var isUsable: Bool { best.map { $0.freshness.rank <= 1 } ?? false }
  }

  private func survey(_ query: CacheQuery, now: UInt64) -> Survey {
    var survey = Survey()
    guard let entry = entries[query.key] else { return survey }
    if let first = entry.rules.first { survey.newest = first.rule }
    for rule in entry.rules {
      guard let slot = rule.slots[rule.rule.variant(of: query.headers)] else { continue }
      if survey.obliged == nil, let obligation = slot.obligation { survey.obliged = (rule.rule, obligation.owner) }
      guard let node = slot.node else { continue }
      let object = nodes[node]
      let freshness = object.freshness(at: now)
      if let best = survey.best, best.freshness.rank <= freshness.rank { continue }
      if object.isForgotten(at: now) { continue }
      survey.best = (object, node, rule.rule, freshness)
      if freshness == .fresh { break }
    }
    return survey
  }

  private mutating func match(_ query: CacheQuery, _ access: Access, owner: UInt64, now: UInt64) -> Answer {
    let survey = survey(query, now: now)
    switch access {
    case .plain:
      guard let best = survey.best, survey.isUsable, !best.object.isUncacheable else {
        return .settled(object: nil, freshness: .expired, duty: nil)
      }
      return found(best.object, best.node, best.freshness, nil)
    case .transaction:
      if let best = survey.best, survey.isUsable {
        guard best.freshness == .stale else { return found(best.object, best.node, .fresh, nil) }
        // The first to come upon a stale object fetches it anew; everybody uses it meanwhile.
        let duty = survey.obliged == nil ? oblige(query, best.rule, owner: owner, present: best.object) : nil
        return found(best.object, best.node, .stale, duty)
      }
      if let obliged = survey.obliged { return .wait(leader: obliged.owner) }
    case .replaceInTurn:
      if let obliged = survey.obliged { return .wait(leader: obliged.owner) }
    case .replaceNow, .replaceForcingMiss: break
    }
    return take(query, access, survey, owner: owner)
  }

  /// Grants the right to bring an object, with what is there of an old one.
  private mutating func take(_ query: CacheQuery, _ access: Access, _ survey: Survey, owner: UInt64) -> Answer {
    let present = survey.best.flatMap { $0.object.isUncacheable ? nil : $0.object }
    let freshness = present == nil ? .expired : survey.best?.freshness ?? .expired
    if case .replaceForcingMiss = access, let best = survey.best { _ = remove(node: best.node) }
    switch (access, survey.obliged) {
    case (.replaceNow, _):
      return .settled(object: present, freshness: freshness, duty: duty(query, survey.newest, present))
    case (.replaceForcingMiss, let obliged?):
      // Others wait for whoever is to bring an object already.
      return .settled(object: present, freshness: freshness, duty: duty(query, obliged.rule, present))
    default:
      let duty = oblige(query, survey.newest, owner: owner, present: present)
      return .settled(object: present, freshness: freshness, duty: duty)
    }
  }

  private mutating func found(
    _ object: CachedObject, _ node: Int, _ freshness: CacheLifetime.Freshness, _ duty: Duty?
  ) -> Answer {
    nodes.touch(node)
    object.countHit()
    return .settled(object: object, freshness: freshness, duty: duty)
  }

  private mutating func duty(_ query: CacheQuery, _ rule: VaryRule, _ present: CachedObject? = nil) -> Duty {
    lastNumber += 1
    return Duty(
      number: lastNumber, query: query, rule: rule, variant: rule.variant(of: query.headers), present: present)
  }

  private mutating func oblige(
    _ query: CacheQuery, _ rule: VaryRule, owner: UInt64, present: CachedObject?
  ) -> Duty {
    let duty = duty(query, rule, present)
    withSlot(query.key, rule, duty.variant) { $0.obligation = Obligation(number: duty.number, owner: owner) }
    return duty
  }

  // MARK: Waiting

  /// Has a look-up that was answered with a wait stand in line.
  mutating func enqueue(_ waiter: UInt64, _ query: CacheQuery, _ access: Access, owner: UInt64) {
    let waiter = Waiter(number: waiter, query: query, access: access, owner: owner)
    entries[query.key, default: Entry()].waiters.append(waiter)
  }

  /// Takes a waiter out of the line; without effect when it has been settled.
  mutating func dequeue(_ waiter: UInt64, of key: CacheKey) {
    entries[key]?.waiters.removeAll { $0.number == waiter }
    prune(key)
  }

  /// Looks up for the waiters of a key again.
  private mutating func settleWaiters(of key: CacheKey, now: UInt64) -> [Settled] {
    guard let waiters = entries[key]?.waiters, !waiters.isEmpty else { return [] }
    entries[key]?.waiters = []
    var left: [Waiter] = []
    var settled: [Settled] = []
    for waiter in waiters {
      switch lookup(waiter.query, waiter.access, owner: waiter.owner, now: now) {
      case .wait: left.append(waiter)
      case let answer: settled.append(Settled(waiter: waiter.number, answer: answer))
      }
    }
    if !left.isEmpty { entries[key, default: Entry()].waiters = left }
    return settled
  }

  // MARK: Storing

  /// Stores an object under its own vary rule, in the place of the one that was there, and ends a duty.
  ///
  /// - Parameter headers: Of the request with which it was fetched.
  mutating func insert(_ object: CachedObject, for headers: HeaderList, fulfilling duty: Duty?, now: UInt64)
    -> Consequences
  {
    var consequences = Consequences()
    if let duty { release(duty) }
    let rule = object.attributes.varyRule
    let variant = rule.variant(of: headers)
    let old = entries[object.key]?.index(of: rule).flatMap { entries[object.key]?.rules[$0].slots[variant]?.node }
    if let old { consequences.removed.append(nodes.remove(old)) }
    let node = nodes.insert(object, CacheNodes.Place(rule: rule, variant: variant))
    withSlot(object.key, rule, variant) { $0.node = node }
    if let index = entries[object.key]?.index(of: rule), index > 0 {
      if let moved = entries[object.key]?.rules.remove(at: index) { entries[object.key]?.rules.insert(moved, at: 0) }
    }
    consequences.settled = settleWaiters(of: object.key, now: now)
    if let duty { prune(duty) }
    return consequences
  }

  /// Ends a duty without an object; the next one in line gets it.
  mutating func cancel(_ duty: Duty, now: UInt64) -> [Settled] {
    guard release(duty) else { return [] }
    // The place is forgotten only afterwards, so that the next duty is filed under the same rule.
    defer { prune(duty) }
    return settleWaiters(of: duty.query.key, now: now)
  }

  /// Ends a duty, and gives those who wait for it the object that they may use because fetching failed.
  mutating func chooseStale(_ duty: Duty, _ object: CachedObject, now: UInt64) -> [Settled] {
    guard release(duty) else { return [] }
    defer { prune(duty) }
    var settled: [Settled] = []
    entries[duty.query.key]?.waiters.removeAll { waiter in
      guard duty.rule.variant(of: waiter.query.headers) == duty.variant else { return false }
      object.countHit()
      settled.append(
        Settled(waiter: waiter.number, answer: .settled(object: object, freshness: .staleIfError, duty: nil)))
      return true
    }
    return settled + settleWaiters(of: duty.query.key, now: now)
  }

  /// Whether the duty had not ended yet.
  @discardableResult
  private mutating func release(_ duty: Duty) -> Bool {
    let key = duty.query.key
    guard let index = entries[key]?.index(of: duty.rule),
      entries[key]?.rules[index].slots[duty.variant]?.obligation?.number == duty.number
    else { return false }
    entries[key]?.rules[index].slots[duty.variant]?.obligation = nil
    return true
  }

  // MARK: Removing

  /// Removes one object; nil when it is not there any more.
  mutating func remove(_ number: UInt64) -> CachedObject? {
    guard let node = nodes.node(of: number) else { return nil }
    return remove(node: node)
  }

  /// Removes all objects, for which `condition` holds.
  mutating func removeAll(where condition: (CachedObject) -> Bool) -> [CachedObject] {
    nodes.indices.filter { condition(nodes[$0]) }.map { remove(node: $0) }
  }

  /// The objects with a surrogate key.
  func objects(withSurrogateKey key: String) -> [CachedObject] {
    nodes.indices(withSurrogateKey: key).map { nodes[$0] }
  }

  /// The objects, the one used last first.
  var objects: [CachedObject] { nodes.indices.map { nodes[$0] } }

  /// Removes the objects that were not used for longest, until they hold so many bytes. Those that somebody uses at the
  /// moment or that are being written are left: removing them would free nothing.
  mutating func evict(byteCount: Int) -> [CachedObject] {
    var freed = 0
    var removed: [CachedObject] = []
    var next = nodes.last
    while freed < byteCount, let node = next {
      next = nodes.previous(node)
      guard nodes.isIdle(node) else { continue }
      freed += nodes[node].byteCount
      removed.append(remove(node: node))
    }
    return removed
  }

  private mutating func remove(node: Int) -> CachedObject {
    let place = nodes.place(of: node)
    let object = nodes.remove(node)
    if let index = entries[object.key]?.index(of: place.rule) {
      entries[object.key]?.rules[index].slots[place.variant]?.node = nil
    }
    prune(object.key, place.rule, place.variant)
    return object
  }

  // MARK: Places

  private mutating func withSlot(
    _ key: CacheKey, _ rule: VaryRule, _ variant: CacheVariant, _ change: (inout Slot) -> Void
  ) {
    let index: Int
    if let known = entries[key]?.index(of: rule) {
      index = known
    } else {
      entries[key, default: Entry()].rules.insert(Rule(rule: rule), at: 0)
      index = 0
    }
    change(&entries[key, default: Entry()].rules[index].slots[variant, default: Slot()])
  }

  private mutating func prune(_ duty: Duty) { prune(duty.query.key, duty.rule, duty.variant) }

  /// Forgets what is empty of a place.
  private mutating func prune(_ key: CacheKey, _ rule: VaryRule, _ variant: CacheVariant) {
    if let index = entries[key]?.index(of: rule) {
      if entries[key]?.rules[index].slots[variant]?.isEmpty ?? false {
        entries[key]?.rules[index].slots[variant] = nil
      }
      if entries[key]?.rules[index].slots.isEmpty ?? false { entries[key]?.rules.remove(at: index) }
    }
    prune(key)
  }

  private mutating func prune(_ key: CacheKey) {
    if let entry = entries[key], entry.rules.isEmpty, entry.waiters.isEmpty { entries[key] = nil }
  }

  // MARK: Facts

  /// For tests and the page: keys that something is known of.
  var keyCount: Int { entries.count }
  var objectCount: Int { nodes.count }

  /// How many variants the key has.
  func variantCount(of key: CacheKey) -> Int {
    entries[key]?.rules.reduce(0) { $0 + $1.slots.values.count { $0.node != nil } } ?? 0
  }
}

extension CacheLifetime.Freshness {
  /// The less the better.
  fileprivate var rank: Int {
    switch self {
    case .fresh: 0
    case .stale: 1
    case .staleIfError: 2
    case .expired: 3
    }
  }
}
