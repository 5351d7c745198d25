import ComputeABI

/// The entries of one KV store in memory: a value without clock or lock.
///
/// Keys are bytes, since text compares equal where its bytes differ. An expired entry is as one that is missing, and goes
/// when it is touched or when room is needed.
struct KVTable: Sendable {
  /// What an entry costs besides its bytes, so that empty ones are bounded too.
  private static let entryOverhead = 256

  private var entries: [[UInt8]: KVEntry] = [:]
  private var sortedKeys = SortedKeys()
  private var lastGeneration: UInt64 = 0
  /// The seed that was applied last, and the generations that its entries got.
  private var seed = KVStoreSeed()
  private var seedGenerations: [[UInt8]: UInt64] = [:]
  /// Bytes that the entries hold, keys and overhead included.
  private(set) var byteCount = 0

  init() {}

  mutating func perform(_ operation: KVOperation, now: UInt64, room: Int) -> KVOutcome {
    switch operation {
    case .lookup(let key): lookup(key, now: now).map { .entry($0) } ?? .done(.notFound)
    case .insert(let key, let value, let options): .done(insert(value, for: key, options, now: now, room: room))
    case .delete(let key): .done(delete(key, now: now) ? .ok : .notFound)
    case .list(let query): .page(list(query, now: now))
    }
  }

  private mutating func lookup(_ key: [UInt8], now: UInt64) -> KVEntry? {
    guard let entry = entries[key] else { return nil }
    if KVTable.isExpired(entry, now) {
      remove(key)
      return nil
    }
    return entry
  }

  /// Writes an entry.
  ///
  /// - Parameter room: Bytes by which the table may grow.
  /// - Returns: `ok`, what ``KVInsertOptions/refusal(of:existing:)`` says, or `internalError` where there is no room.
  private mutating func insert(
    _ value: [UInt8], for key: [UInt8], _ options: KVInsertOptions, now: UInt64, room: Int
  ) -> KVError {
    let existing = lookup(key, now: now)
    if let refusal = options.refusal(of: value.count, existing: existing.map { ($0.generation, $0.value.count) }) {
      return refusal
    }
    let entry = KVEntry(
      value: options.value(value, joining: existing?.value), metadata: options.metadata,
      generation: nextKVGeneration(after: lastGeneration, now: now),
      expires: options.timeToLive.map { now + UInt64($0) * 1_000_000_000 })
    guard KVTable.size(key, entry) - (existing.map { KVTable.size(key, $0) } ?? 0) <= room else {
      return .internalError
    }
    lastGeneration = entry.generation
    store(entry, for: key)
    return .ok
  }

  private mutating func delete(_ key: [UInt8], now: UInt64) -> Bool {
    guard lookup(key, now: now) != nil else { return false }
    remove(key)
    return true
  }

  /// The keys that a query asks for, in the order of their bytes, and whether more of them follow.
  func list(_ query: KVListQuery, now: UInt64) -> KVPage {
    var page = KVPage(of: query)
    let end = query.upperBound
    sortedKeys.forEach(from: query.lowerBound) { key in
      if let end, !key.lexicographicallyPrecedes(end) { return false }
      guard let entry = entries[key], !KVTable.isExpired(entry, now) else { return true }
      if page.keys.count == query.pageLength {
        page.hasMore = true
        return false
      }
      page.keys.append(key)
      return true
    }
    return page
  }

  /// Lets go of everything that has expired.
  mutating func sweep(now: UInt64) {
    for (key, entry) in entries where KVTable.isExpired(entry, now) { remove(key) }
  }

  // MARK: Looking from outside

  var entryCount: Int { entries.count }

  var valueByteCount: Int { entries.values.reduce(0) { $0 + $1.value.count } }

  func facts(of key: [UInt8], now: UInt64) -> KVKeyFacts? {
    entries[key].map { entry in
      KVKeyFacts(
        key: key, byteCount: entry.value.count, metadata: entry.metadata, generation: entry.generation,
        timeLeft: entry.expires.map { $0 > now ? $0 - now : 0 })
    }
  }

  // MARK: Seeds

  /// Brings in what a seed says, as ``KVSeedRule`` has it.
  mutating func adopt(_ seed: KVStoreSeed, overwrites: Bool, now: UInt64) {
    guard seed != self.seed, !seed.items.isEmpty else { return }
    if entries.isEmpty, seedGenerations.isEmpty { return fill(with: seed, now: now) }
    for (key, item) in seed.items {
      let name = Array(key.utf8)
      let isWritten = KVSeedRule.writes(
        seeded: seedGenerations[name], isUnchanged: self.seed.items[key] == item,
        present: lookup(name, now: now)?.generation, overwrites: overwrites)
      if isWritten { store(seedEntry(item, for: name, now: now), for: name) }
    }
    for key in self.seed.items.keys where seed.items[key] == nil {
      let name = Array(key.utf8)
      guard let seeded = seedGenerations.removeValue(forKey: name) else { continue }
      if KVSeedRule.removes(seeded: seeded, present: lookup(name, now: now)?.generation) { remove(name) }
    }
    self.seed = seed
  }

  /// The same for a new table, whose keys can be sorted at once.
  private mutating func fill(with seed: KVStoreSeed, now: UInt64) {
    for (key, item) in seed.items {
      let name = Array(key.utf8)
      let entry = seedEntry(item, for: name, now: now)
      entries[name] = entry
      byteCount += KVTable.size(name, entry)
    }
    sortedKeys = SortedKeys(entries.keys)
    self.seed = seed
  }

  private mutating func seedEntry(_ item: KVStoreSeed.Item, for key: [UInt8], now: UInt64) -> KVEntry {
    lastGeneration = nextKVGeneration(after: lastGeneration, now: now)
    seedGenerations[key] = lastGeneration
    return KVEntry(value: item.value, metadata: item.metadata, generation: lastGeneration, expires: nil)
  }

  // MARK: Parts

  private static func isExpired(_ entry: KVEntry, _ now: UInt64) -> Bool { entry.expires.map { $0 <= now } ?? false }

  private static func size(_ key: [UInt8], _ entry: KVEntry) -> Int {
    key.count + entry.value.count + (entry.metadata?.utf8.count ?? 0) + entryOverhead
  }

  private mutating func store(_ entry: KVEntry, for key: [UInt8]) {
    byteCount += KVTable.size(key, entry)
    if let old = entries.updateValue(entry, forKey: key) {
      byteCount -= KVTable.size(key, old)
    } else {
      sortedKeys.insert(key)
    }
  }

  private mutating func remove(_ key: [UInt8]) {
    guard let old = entries.removeValue(forKey: key) else { return }
    byteCount -= KVTable.size(key, old)
    sortedKeys.remove(key)
  }
}
