import ComputeABI
import Foundation
import GRDB

/// The operations of one store, each within the transaction of its caller.
extension KVDatabase {
  /// An entry without its value.
  struct Head {
    var content: Int64
    var size: Int
    var generation: UInt64
    var expires: Int64?
  }

  private func head(_ key: [UInt8], store: Int64, _ db: Database) throws -> Head? {
    let statement = try db.cachedStatement(
      sql: "SELECT content, size, generation, expires FROM entries WHERE store = ? AND key = ?")
    return try Row.fetchOne(statement, arguments: [store, Data(key)]).map { row in
      Head(content: row[0], size: row[1], generation: UInt64(bitPattern: row[2] as Int64), expires: row[3])
    }
  }

  /// The entry's head, unless it has expired.
  func livingHead(_ key: [UInt8], store: Int64, now: UInt64, _ db: Database) throws -> Head? {
    guard let head = try head(key, store: store, db) else { return nil }
    if let expires = head.expires, expires <= Int64(now) { return nil }
    return head
  }

  func lookup(_ key: [UInt8], store: Int64, now: UInt64, _ db: Database) throws -> KVEntry? {
    let statement = try db.cachedStatement(
      sql: """
        SELECT contents.value, entries.metadata, entries.generation, entries.expires
        FROM entries JOIN contents ON contents.id = entries.content
        WHERE entries.store = ? AND entries.key = ? AND (entries.expires IS NULL OR entries.expires > ?)
        """)
    let rows = try Row.fetchCursor(statement, arguments: [store, Data(key), Int64(now)])
    guard let row = try rows.next() else { return nil }
    return KVEntry(
      value: try row.withUnsafeData(atIndex: 0) { $0.map(Array.init) ?? [] }, metadata: row[1],
      generation: UInt64(bitPattern: row[2] as Int64), expires: (row[3] as Int64?).map { UInt64($0) })
  }

  /// Writes an entry; refusals are those of ``KVInsertOptions/refusal(of:existing:)``.
  func insert(
    _ value: [UInt8], for key: [UInt8], _ options: KVInsertOptions, store: Int64, now: UInt64, _ db: Database
  ) throws -> KVError {
    let existing = try livingHead(key, store: store, now: now, db)
    if let refusal = options.refusal(of: value.count, existing: existing.map { ($0.generation, $0.size) }) {
      return refusal
    }
    var joined = value
    if let existing, options.isJoining {
      let old = try Data.fetchOne(db, sql: "SELECT value FROM contents WHERE id = ?", arguments: [existing.content])
      joined = options.value(value, joining: old.map(Array.init))
    }
    try write(
      joined, metadata: options.metadata, for: key,
      generation: nextKVGeneration(
        after: existing?.generation ?? 0, now: now),
      expires: options.timeToLive.map { Int64(now) + Int64($0) * 1_000_000_000 }, store: store, db)
    return .ok
  }

  /// Writes an entry whatever was there.
  func write(
    _ value: [UInt8], metadata: String?, for key: [UInt8], generation: UInt64, expires: Int64?, store: Int64,
    _ db: Database
  ) throws {
    let (name, bytes) = (Data(key), Data(value))
    let content: Int64
    if let old = try head(key, store: store, db) {
      content = old.content
      let statement = try db.cachedStatement(sql: "UPDATE contents SET value = ? WHERE id = ?")
      try statement.execute(arguments: [bytes, content])
    } else {
      let statement = try db.cachedStatement(sql: "INSERT INTO contents (value) VALUES (?)")
      try statement.execute(arguments: [bytes])
      content = db.lastInsertedRowID
    }
    let statement = try db.cachedStatement(
      sql: """
        INSERT INTO entries (store, key, content, size, generation, expires, metadata) VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (store, key) DO UPDATE SET size = excluded.size, generation = excluded.generation,
          expires = excluded.expires, metadata = excluded.metadata
        """)
    try statement.execute(
      arguments: [store, name, content, value.count, Int64(bitPattern: generation), expires, metadata])
  }

  /// Whether there was something to delete.
  func delete(_ key: [UInt8], store: Int64, now: UInt64, _ db: Database) throws -> Bool {
    let existed = try livingHead(key, store: store, now: now, db) != nil
    let statement = try db.cachedStatement(sql: "DELETE FROM entries WHERE store = ? AND key = ?")
    try statement.execute(arguments: [store, Data(key)])
    return existed
  }

  func list(_ query: KVListQuery, store: Int64, now: UInt64, _ db: Database) throws -> KVPage {
    var page = KVPage(of: query)
    let end = query.upperBound
    let statement = try db.cachedStatement(
      sql: """
        SELECT key FROM entries
        WHERE store = ? AND key >= ?\(end == nil ? "" : " AND key < ?") AND (expires IS NULL OR expires > ?)
        ORDER BY key LIMIT ?
        """)
    var arguments: StatementArguments = [store, Data(query.lowerBound)]
    if let end { arguments += [Data(end)] }
    arguments += [Int64(now), query.pageLength + 1]
    let rows = try Row.fetchCursor(statement, arguments: arguments)
    while let row = try rows.next() {
      page.keys.append(try row.withUnsafeData(atIndex: 0) { $0.map(Array.init) ?? [] })
    }
    if page.keys.count > query.pageLength {
      page.keys.removeLast()
      page.hasMore = true
    }
    return page
  }

  /// Deletes some of what has expired; the rest at the next times.
  func sweep(now: UInt64, _ db: Database) throws {
    try db.execute(
      sql: """
        DELETE FROM entries WHERE (store, key) IN (SELECT store, key FROM entries WHERE expires <= ? LIMIT 2048)
        """, arguments: [Int64(now)])
  }
}
