import Crypto
import Foundation
import GRDB

/// Seeds in a file that remembers what earlier ones did.
extension KVDatabase {
  /// Brings in what a seed says, as ``KVSeedRule`` has it, in one transaction.
  func adopt(_ seed: KVStoreSeed, store name: String, overwrites: Bool, now: UInt64, _ db: Database) throws {
    guard !seed.items.isEmpty else { return }
    let whole = digest(of: seed)
    // A reload that brings the same seed again must not undo what requests have written since.
    if hasAdopted(whole, for: name) { return }
    let isKnown =
      try Data.fetchOne(db, sql: "SELECT seed FROM stores WHERE name = ?", arguments: [name]) == whole
    if isKnown, !overwrites { return noteAdopted(whole, for: name) }
    try inTransaction(db) {
      let store = try makeNumber(of: name, db)
      let isNew = try isUntouched(store, db)
      for (key, item) in seed.items {
        let name = Array(key.utf8)
        if isNew {
          try plant(item, for: name, after: nil, store: store, now: now, db)
        } else {
          try adopt(item, for: name, store: store, overwrites: overwrites, now: now, db)
        }
      }
      if !isKnown, !isNew { try removeLeftOver(by: seed, store: store, now: now, db) }
      try db.execute(sql: "UPDATE stores SET seed = ? WHERE id = ?", arguments: [whole, store])
    }
    noteAdopted(whole, for: name)
  }

  private func adopt(
    _ item: KVStoreSeed.Item, for key: [UInt8], store: Int64, overwrites: Bool, now: UInt64, _ db: Database
  ) throws {
    let name = Data(key)
    let record = try db.cachedStatement(sql: "SELECT digest, generation FROM seeded WHERE store = ? AND key = ?")
    let known = try Row.fetchOne(record, arguments: [store, name])
    let digest = digest(of: item)
    let present = try livingHead(key, store: store, now: now, db)?.generation
    let isWritten = KVSeedRule.writes(
      seeded: known.map { UInt64(bitPattern: $0[1] as Int64) }, isUnchanged: known.map { $0[0] as Data } == digest,
      present: present, overwrites: overwrites)
    if isWritten { try plant(item, for: key, after: present, store: store, now: now, db) }
  }

  /// Writes what the seed says, and remembers that.
  private func plant(
    _ item: KVStoreSeed.Item, for key: [UInt8], after present: UInt64?, store: Int64, now: UInt64, _ db: Database
  ) throws {
    let generation = nextKVGeneration(after: present ?? 0, now: now)
    try write(
      item.value, metadata: item.metadata, for: key, generation: generation, expires: nil, store: store, db)
    let statement = try db.cachedStatement(
      sql: "INSERT OR REPLACE INTO seeded (store, key, digest, generation) VALUES (?, ?, ?, ?)")
    try statement.execute(
      arguments: [store, Data(key), digest(of: item), Int64(bitPattern: generation)])
  }

  /// Whether neither requests nor seeds have ever written to a store, so that nothing need be compared.
  private func isUntouched(_ store: Int64, _ db: Database) throws -> Bool {
    try Bool.fetchOne(
      db,
      sql: """
        SELECT NOT EXISTS (SELECT 1 FROM entries WHERE store = ?1) AND NOT EXISTS (SELECT 1 FROM seeded WHERE store = ?1)
        """, arguments: [store]) ?? false
  }

  /// Removes entries that an earlier seed made, that nobody has changed, and that the seed does not have any more.
  private func removeLeftOver(by seed: KVStoreSeed, store: Int64, now: UInt64, _ db: Database) throws {
    let names = Set(seed.items.keys.map { Data($0.utf8) })
    let records = try Row.fetchAll(db, sql: "SELECT key, generation FROM seeded WHERE store = ?", arguments: [store])
    for record in records {
      let name: Data = record[0]
      guard !names.contains(name) else { continue }
      let present = try livingHead(Array(name), store: store, now: now, db)?.generation
      if KVSeedRule.removes(seeded: UInt64(bitPattern: record[1] as Int64), present: present) {
        _ = try delete(Array(name), store: store, now: now, db)
      }
      try db.execute(sql: "DELETE FROM seeded WHERE store = ? AND key = ?", arguments: [store, name])
    }
  }

  private func digest(of item: KVStoreSeed.Item) -> Data {
    var hash = SHA256()
    hash.update(data: Data((item.metadata.map { "m\($0.utf8.count):\($0)" } ?? "-").utf8))
    hash.update(data: item.value)
    return Data(hash.finalize())
  }

  private func digest(of seed: KVStoreSeed) -> Data {
    var hash = SHA256()
    for key in seed.items.keys.sorted() {
      guard let item = seed.items[key] else { continue }
      hash.update(data: Data("\(key.utf8.count):\(key)".utf8))
      hash.update(data: digest(of: item))
    }
    return Data(hash.finalize())
  }
}
