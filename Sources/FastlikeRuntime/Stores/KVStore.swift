import CTimestamp
import ComputeABI
import Foundation
import Synchronization

/// One entry of a KV store.
struct KVEntry: Sendable, Equatable {
  var value: [UInt8]
  var metadata: String?
  /// Changes with each write of the key.
  var generation: UInt64
  /// When it vanishes, on the clock of ``KVStores``; nil is never.
  var expires: UInt64?
}

/// What an insert asks for besides its value.
struct KVInsertOptions: Sendable, Equatable {
  var mode = KVInsertMode.overwrite
  var metadata: String?
  /// Seconds.
  var timeToLive: UInt32?
  /// The generation that an entry must still have to be written over.
  var generation: UInt64?
}

/// Which keys a listing gives.
struct KVListQuery: Sendable, Equatable {
  static let defaultLimit: UInt32 = 1000
  /// Keys on one page, whatever the guest asks for: a page stays within the memory of a guest.
  static let maximumLimit = 10_000

  var prefix: String?
  /// The key behind which the listing goes on.
  var after: [UInt8]?
  var limit = KVListQuery.defaultLimit
}

/// The entries of one KV store: a value without clock or lock.
///
/// Keys are bytes, since text compares equal where its bytes differ. An expired entry is as one that is missing, and goes
/// when it is touched or when room is needed.
struct KVTable: Sendable {
  /// The platform's limit of one value.
  static let maximumValueBytes = 25 << 20
  /// The platform's limit of one entry's metadata.
  static let maximumMetadataBytes = 2000
  /// What an entry costs besides its bytes, so that empty ones are bounded too.
  private static let entryOverhead = 256

  private var entries: [[UInt8]: KVEntry] = [:]
  /// The keys in order, made when a listing needs them and kept until a key comes or goes.
  private var sortedKeys: [[UInt8]]?
  private var lastGeneration: UInt64 = 0
  /// Bytes that the entries hold, keys and overhead included.
  private(set) var byteCount = 0

  init() {}

  /// A store as the configuration describes it.
  init(seed: KVStoreSeed, now: UInt64) {
    for (key, item) in seed.items {
      store(
        KVEntry(value: item.value, metadata: item.metadata, generation: nextGeneration(now), expires: nil),
        for: Array(key.utf8))
    }
  }

  mutating func lookup(_ key: [UInt8], now: UInt64) -> KVEntry? {
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
  /// - Returns: `ok`; `preconditionFailed` for a key to add that exists and for another generation; `payloadTooLarge` and
  ///   `badRequest` beyond the limits of value and metadata; `internalError` where there is no room.
  mutating func insert(
    _ value: [UInt8], for key: [UInt8], _ options: KVInsertOptions = KVInsertOptions(), now: UInt64, room: Int = .max
  ) -> KVError {
    if let metadata = options.metadata, metadata.utf8.count > KVTable.maximumMetadataBytes { return .badRequest }
    let existing = lookup(key, now: now)
    if let existing {
      if options.mode == .add { return .preconditionFailed }
      if let expected = options.generation, expected != existing.generation { return .preconditionFailed }
    }
    let kept = [.append, .prepend].contains(options.mode) ? existing?.value ?? [] : []
    guard kept.count + value.count <= KVTable.maximumValueBytes else { return .payloadTooLarge }
    var entry = KVEntry(value: [], metadata: options.metadata, generation: 0, expires: nil)
    let size = KVTable.size(key, entry) + kept.count + value.count
    guard size - (existing.map { KVTable.size(key, $0) } ?? 0) <= room else { return .internalError }
    entry.value = options.mode == .prepend ? value + kept : kept.isEmpty ? value : kept + value
    entry.generation = nextGeneration(now)
    entry.expires = options.timeToLive.map { now + UInt64($0) * 1_000_000_000 }
    store(entry, for: key)
    return .ok
  }

  /// Whether there was something to delete.
  mutating func delete(_ key: [UInt8], now: UInt64) -> Bool {
    guard lookup(key, now: now) != nil else { return false }
    remove(key)
    return true
  }

  /// The keys that a query asks for, in the order of their bytes, and whether more of them follow.
  mutating func list(_ query: KVListQuery, now: UInt64) -> KVPage {
    let keys = sortedKeys ?? entries.keys.sorted { $0.lexicographicallyPrecedes($1) }
    sortedKeys = keys
    let prefix = Array((query.prefix ?? "").utf8)
    let limit = min(Int(query.limit == 0 ? KVListQuery.defaultLimit : query.limit), KVListQuery.maximumLimit)
    var page = KVPage(keys: [], limit: query.limit == 0 ? KVListQuery.defaultLimit : query.limit, prefix: query.prefix)
    var index = KVTable.place(in: keys) { $0.lexicographicallyPrecedes(prefix) }
    if let after = query.after {
      index = max(index, KVTable.place(in: keys) { !after.lexicographicallyPrecedes($0) })
    }
    while index < keys.count, keys[index].starts(with: prefix) {
      if let entry = entries[keys[index]], !KVTable.isExpired(entry, now) {
        if page.keys.count == limit {
          page.hasMore = true
          break
        }
        page.keys.append(keys[index])
      }
      index += 1
    }
    return page
  }

  /// Lets go of everything that has expired.
  mutating func sweep(now: UInt64) {
    for (key, entry) in entries where KVTable.isExpired(entry, now) { remove(key) }
  }

  // MARK: Parts

  /// The index of the first key for which `isBefore` is false; it is true for all keys up to there.
  private static func place(in keys: [[UInt8]], _ isBefore: ([UInt8]) -> Bool) -> Int {
    var (low, high) = (0, keys.count)
    while low < high {
      let middle = (low + high) / 2
      if isBefore(keys[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private static func isExpired(_ entry: KVEntry, _ now: UInt64) -> Bool { entry.expires.map { $0 <= now } ?? false }

  private static func size(_ key: [UInt8], _ entry: KVEntry) -> Int {
    key.count + entry.value.count + (entry.metadata?.utf8.count ?? 0) + entryOverhead
  }

  /// A stamp of nanoseconds that grows with each write. 1337 is not given: guests use it as one that never matches.
  private mutating func nextGeneration(_ now: UInt64) -> UInt64 {
    lastGeneration = max(lastGeneration + 1, now)
    if lastGeneration == 1337 { lastGeneration += 1 }
    return lastGeneration
  }

  private mutating func store(_ entry: KVEntry, for key: [UInt8]) {
    byteCount += KVTable.size(key, entry)
    if let old = entries.updateValue(entry, forKey: key) {
      byteCount -= KVTable.size(key, old)
    } else {
      sortedKeys = nil
    }
  }

  private mutating func remove(_ key: [UInt8]) {
    guard let old = entries.removeValue(forKey: key) else { return }
    byteCount -= KVTable.size(key, old)
    sortedKeys = nil
  }
}

/// One page of a listing.
struct KVPage: Sendable, Equatable {
  var keys: [[UInt8]]
  /// As the guest asked for it, or the default.
  var limit: UInt32
  var prefix: String?
  /// Whether keys follow behind the last one.
  var hasMore = false

  /// The JSON object that a guest reads.
  var json: [UInt8] {
    var text = Array(#"{"data":["#.utf8)
    for (index, key) in keys.enumerated() {
      if index > 0 { text.append(UInt8(ascii: ",")) }
      KVPage.quote(key, into: &text)
    }
    text += Array(#"],"meta":{"limit":\#(limit)"#.utf8)
    if let prefix {
      text += Array(#","prefix":"#.utf8)
      KVPage.quote(Array(prefix.utf8), into: &text)
    }
    if hasMore, let last = keys.last {
      text += Array(#","next_cursor":"\#(Data(last).base64EncodedString())""#.utf8)
    }
    return text + Array("}}".utf8)
  }

  /// The key that a cursor stands for; nil when it is none.
  static func key(fromCursor cursor: String) -> [UInt8]? { Data(base64Encoded: cursor).map { Array($0) } }

  private static func quote(_ bytes: [UInt8], into text: inout [UInt8]) {
    let digits = Array("0123456789abcdef".utf8)
    text.append(UInt8(ascii: "\""))
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
      case 0..<0x20: text += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      default: text.append(byte)
      }
    }
    text.append(UInt8(ascii: "\""))
  }
}

/// The KV stores of the process, in memory: what one request writes, every later one finds, across reloads too.
///
/// A store is filled from its seed once, when it is first opened; a seed that changes later never overwrites what requests
/// have written. One lock guards all stores, so that their bytes are bounded together.
final class KVStores: Sendable {
  /// Bytes that guests may make all stores hold.
  static let defaultByteLimit = 512 << 20

  private let tables = Mutex<[String: KVTable]>([:])
  private let clock: @Sendable () -> UInt64
  private let byteLimit: Int

  /// - Parameter clock: Nanoseconds since some time, never going back.
  init(byteLimit: Int = defaultByteLimit, clock: @escaping @Sendable () -> UInt64 = { ctimestamp_monotonic() }) {
    self.byteLimit = byteLimit
    self.clock = clock
  }

  /// The store of this name, filled from the seed if this is the first time that it is opened.
  func open(_ name: String, seed: KVStoreSeed) -> KVStore {
    tables.withLock { if $0[name] == nil { $0[name] = KVTable(seed: seed, now: clock()) } }
    return KVStore(name: name, stores: self)
  }

  fileprivate func withTable<Result: Sendable>(_ name: String, _ body: (inout KVTable, UInt64) -> Result) -> Result {
    tables.withLock { body(&$0[name, default: KVTable()], clock()) }
  }

  fileprivate func insert(_ value: [UInt8], for key: [UInt8], in name: String, _ options: KVInsertOptions) -> KVError {
    tables.withLock { tables in
      let now = clock()
      func attempt() -> KVError {
        let room = byteLimit - tables.values.reduce(0) { $0 + $1.byteCount }
        return tables[name, default: KVTable()].insert(value, for: key, options, now: now, room: room)
      }
      let first = attempt()
      guard first == .internalError else { return first }
      for name in Array(tables.keys) { tables[name]?.sweep(now: now) }
      return attempt()
    }
  }
}

/// One KV store of the process, as a guest has opened it.
struct KVStore: Sendable {
  let name: String
  private let stores: KVStores

  fileprivate init(name: String, stores: KVStores) {
    self.name = name
    self.stores = stores
  }

  func lookup(_ key: [UInt8]) -> KVEntry? { stores.withTable(name) { $0.lookup(key, now: $1) } }

  /// As ``KVTable/insert(_:for:_:now:room:)``, with the room that all stores of the process leave.
  func insert(_ value: [UInt8], for key: [UInt8], _ options: KVInsertOptions = KVInsertOptions()) -> KVError {
    stores.insert(value, for: key, in: name, options)
  }

  /// Whether there was something to delete.
  func delete(_ key: [UInt8]) -> Bool { stores.withTable(name) { $0.delete(key, now: $1) } }

  func list(_ query: KVListQuery) -> KVPage { stores.withTable(name) { $0.list(query, now: $1) } }
}
