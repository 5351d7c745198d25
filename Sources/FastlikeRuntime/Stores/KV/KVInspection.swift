import ComputeABI
import Foundation
import GRDB

/// How much a KV store holds.
struct KVSummary: Sendable, Equatable {
  var name: String
  var keyCount: Int
  /// Bytes of the values.
  var byteCount: Int
}

/// One key of a KV store with all but its value.
struct KVKeyFacts: Sendable, Equatable {
  var key: [UInt8]
  var byteCount: Int
  var metadata: String?
  var generation: UInt64
  /// Nanoseconds until it vanishes; nil is never.
  var timeLeft: UInt64?
}

/// A page of keys, in the order of their bytes.
struct KVKeyPage: Sendable, Equatable {
  var keys: [KVKeyFacts] = []
  var hasMore = false
}

/// Looking at a storage from outside, beside the requests.
protocol KVInspecting: Sendable {
  /// Where the entries are, in a few words.
  var place: String { get }
  /// The stores that hold something, by name. Throws where they cannot be read.
  func summaries() async throws -> [KVSummary]
  func keys(of store: String, _ query: KVListQuery) async throws -> KVKeyPage
}

extension KVTable {
  func summary(name: String) -> KVSummary {
    KVSummary(name: name, keyCount: entryCount, byteCount: valueByteCount)
  }

  func keys(_ query: KVListQuery, now: UInt64) -> KVKeyPage {
    let page = list(query, now: now)
    return KVKeyPage(keys: page.keys.compactMap { facts(of: $0, now: now) }, hasMore: page.hasMore)
  }
}

extension KVMemory {
  var place: String { "in memory" }

  func summaries() async throws -> [KVSummary] {
    withTables { tables, _ in tables.map { $0.value.summary(name: $0.key) }.sorted { $0.name < $1.name } }
  }

  func keys(of store: String, _ query: KVListQuery) async throws -> KVKeyPage {
    withTables { tables, now in tables[store]?.keys(query, now: now) ?? KVKeyPage() }
  }
}

extension KVDatabase {
  var place: String { directory + "/" + KVDatabase.fileName }

  func summaries() async throws -> [KVSummary] {
    try await read { db, _ in
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT name, count(entries.store), coalesce(sum(entries.size), 0)
          FROM stores LEFT JOIN entries ON entries.store = stores.id GROUP BY stores.id ORDER BY name
          """)
      return rows.map { KVSummary(name: $0[0], keyCount: $0[1], byteCount: $0[2]) }
    }
  }

  func keys(of store: String, _ query: KVListQuery) async throws -> KVKeyPage {
    try await read { db, now in
      let end = query.upperBound
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT key, size, metadata, generation, expires FROM entries JOIN stores ON stores.id = entries.store
          WHERE stores.name = ? AND key >= ? AND (? IS NULL OR key < ?) AND (expires IS NULL OR expires > ?)
          ORDER BY key LIMIT ?
          """,
        arguments: [
          store, Data(query.lowerBound), end.map { Data($0) }, end.map { Data($0) }, Int64(now), query.pageLength + 1,
        ])
      let facts = try rows.map { row in
        KVKeyFacts(
          key: try row.withUnsafeData(atIndex: 0) { $0.map(Array.init) ?? [] }, byteCount: row[1], metadata: row[2],
          generation: UInt64(bitPattern: row[3] as Int64),
          timeLeft: (row[4] as Int64?).map { UInt64(max(0, $0 - Int64(now))) })
      }
      return KVKeyPage(keys: Array(facts.prefix(query.pageLength)), hasMore: facts.count > query.pageLength)
    }
  }
}
