import ComputeABI
import Foundation
import GRDB
import Logging
import Synchronization

/// KV stores in a SQLite file, which outlive the process.
///
/// All operations run on the one queue of the file's writer, look-ups too, so that they take effect in the order in which
/// they were started; no event loop ever waits for the disk. Each operation is one transaction.
///
/// What was acknowledged survives the end of the process in any way, SIGKILL included: a committed transaction has been handed
/// to the operating system (`write` to the write-ahead log), and only a crash of that system or a loss of power can lose it.
/// That needs no `synchronous = FULL`, which would add a wait for the disk to each write; with `NORMAL`, SQLite waits for the
/// disk only at checkpoints, and even a power cut loses the last writes at most and never damages the file.
final class KVDatabase: KVStorage {
  static let fileName = "kv.sqlite"
  /// Stands in the file; another number is from a version that keeps its data otherwise.
  static let version = 1
  /// Writes between two looks for what has expired.
  private static let sweepInterval = 1024

  let directory: String
  let reports: KVFailureReports
  private let writer: any DatabaseWriter
  private let clock: @Sendable () -> UInt64
  private let state = Mutex(State())

  struct State {
    /// The stores' numbers in the file.
    var numbers: [String: Int64] = [:]
    /// The digests of the seeds that this process has brought in, by store.
    var seeds: [String: Data] = [:]
    var writes = 0
    var isClosed = false
  }

  /// Opens the file in a folder, making both where they are missing. Where it cannot be written, it is opened for reading.
  ///
  /// - Parameters:
  ///   - clock: Nanoseconds since 1970.
  ///   - maximumPages: The most pages of 4 KiB that the file may have, for tests of a full disk.
  init(
    directory: String, logger: Logger, maximumPages: Int? = nil,
    clock: @escaping @Sendable () -> UInt64 = { UInt64(Date().timeIntervalSince1970 * 1e9) }
  ) throws {
    self.directory = directory
    self.clock = clock
    reports = KVFailureReports(directory: directory, logger: logger)
    let path = directory + "/" + Self.fileName
    var configuration = Configuration()
    configuration.label = "fastlike.kv"
    // Another process may write to the same folder.
    configuration.busyMode = .timeout(5)
    configuration.prepareDatabase { db in
      try db.execute(sql: "PRAGMA cache_size = -16384")
      if let maximumPages, !db.configuration.readonly {
        try db.execute(sql: "PRAGMA max_page_count = \(maximumPages)")
      }
    }
    do {
      try Self.makeFile(path, in: directory)
      let pool = try DatabasePool(path: path, configuration: configuration)
      try pool.writeWithoutTransaction { db in
        try db.execute(sql: "PRAGMA synchronous = NORMAL")
        try db.inTransaction(.immediate) {
          try Self.prepare(db)
          return .commit
        }
      }
      writer = pool
    } catch let error as DatabaseError where error.isAboutPermission {
      configuration.readonly = true
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      try queue.read { try Self.check($0) }
      writer = queue
      reports.failed(error.reason)
    }
  }

  /// The file is the user's alone. SQLite gives its other files the same mode.
  private static func makeFile(_ path: String, in directory: String) throws {
    try? FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw DatabaseError(resultCode: .SQLITE_CANTOPEN, message: String(cString: strerror(errno)))
    }
    Foundation.close(descriptor)
  }

  private static func prepare(_ db: Database) throws {
    guard try Int.fetchOne(db, sql: "PRAGMA user_version") == 0 else { return try check(db) }
    // Whatever a listing or the page needs is in `entries`, so that values are read only when they are asked for.
    try db.execute(
      sql: """
        CREATE TABLE stores (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, seed BLOB);
        CREATE TABLE entries (
          store INTEGER NOT NULL, key BLOB NOT NULL, content INTEGER NOT NULL, size INTEGER NOT NULL,
          generation INTEGER NOT NULL, expires INTEGER, metadata TEXT, PRIMARY KEY (store, key)
        ) WITHOUT ROWID;
        CREATE INDEX entries_expiring ON entries (expires) WHERE expires IS NOT NULL;
        CREATE TABLE contents (id INTEGER PRIMARY KEY, value BLOB NOT NULL);
        CREATE TRIGGER entries_deleted AFTER DELETE ON entries BEGIN DELETE FROM contents WHERE id = old.content; END;
        CREATE TABLE seeded (
          store INTEGER NOT NULL, key BLOB NOT NULL, digest BLOB NOT NULL, generation INTEGER NOT NULL,
          PRIMARY KEY (store, key)
        ) WITHOUT ROWID;
        PRAGMA user_version = \(version);
        """)
  }

  private static func check(_ db: Database) throws {
    let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
    guard found == version else {
      throw DatabaseError(message: "the file is of version \(found), and this program reads version \(version)")
    }
  }

  // MARK: KVStorage

  func perform(_ operation: KVOperation, on store: String) -> KVOutcome? { nil }

  func enqueue(_ operation: KVOperation, on store: String, then done: @escaping @Sendable (KVOutcome) -> Void) {
    // A guest may outlive the server's wish to end.
    guard !state.withLock({ $0.isClosed }) else { return done(.done(.internalError)) }
    writer.asyncWriteWithoutTransaction { [self] db in
      do {
        done(try answer(operation, store, db))
      } catch {
        reports.failed(error)
        done(.done(.internalError))
      }
    }
  }

  func adopt(_ seeds: [String: KVStoreSeed], overwrites: Bool) {
    writer.asyncWriteWithoutTransaction { [self] db in
      for (name, seed) in seeds.sorted(by: { $0.key < $1.key }) {
        do {
          try adopt(seed, store: name, overwrites: overwrites, now: clock(), db)
        } catch {
          reports.failed(error)
        }
      }
    }
  }

  func close() {
    state.withLock { $0.isClosed = true }
    do { try writer.close() } catch { reports.failed(error) }
  }

  // MARK: On the queue

  private func answer(_ operation: KVOperation, _ store: String, _ db: Database) throws -> KVOutcome {
    let now = clock()
    switch operation {
    case .lookup(let key):
      guard let number = try number(of: store, db) else { return .done(.notFound) }
      return try lookup(key, store: number, now: now, db).map { .entry($0) } ?? .done(.notFound)
    case .list(let query):
      guard let number = try number(of: store, db) else { return .page(KVPage(of: query)) }
      return .page(try list(query, store: number, now: now, db))
    case .insert(let key, let value, let options):
      let error = try inTransaction(db) {
        try insert(value, for: key, options, store: try makeNumber(of: store, db), now: now, db)
      }
      try noteWrite(now, db)
      return .done(error)
    case .delete(let key):
      guard let number = try number(of: store, db) else { return .done(.notFound) }
      let existed = try inTransaction(db) { try delete(key, store: number, now: now, db) }
      try noteWrite(now, db)
      return .done(existed ? .ok : .notFound)
    }
  }

  func inTransaction<Value>(_ db: Database, _ body: () throws -> Value) throws -> Value {
    var value: Value?
    try db.inTransaction(.immediate) {
      value = try body()
      return .commit
    }
    guard let value else { throw DatabaseError(message: "the transaction did not run") }
    return value
  }

  private func noteWrite(_ now: UInt64, _ db: Database) throws {
    reports.succeeded()
    let isDue = state.withLock { state in
      state.writes += 1
      return state.writes % Self.sweepInterval == 1
    }
    if isDue { try sweep(now: now, db) }
  }

  /// The number of a store; nil for one that nothing was ever written to.
  func number(of store: String, _ db: Database) throws -> Int64? {
    if let known = state.withLock({ $0.numbers[store] }) { return known }
    let statement = try db.cachedStatement(sql: "SELECT id FROM stores WHERE name = ?")
    guard let number = try Int64.fetchOne(statement, arguments: [store]) else { return nil }
    state.withLock { $0.numbers[store] = number }
    return number
  }

  /// The number of a store, given to it where it has none. A transaction that is rolled back takes a new number with it, so
  /// it is remembered only when it is read again.
  func makeNumber(of store: String, _ db: Database) throws -> Int64 {
    if let known = try number(of: store, db) { return known }
    try db.execute(sql: "INSERT INTO stores (name) VALUES (?)", arguments: [store])
    return db.lastInsertedRowID
  }

  func hasAdopted(_ seed: Data, for store: String) -> Bool { state.withLock { $0.seeds[store] == seed } }

  func noteAdopted(_ seed: Data, for store: String) { state.withLock { $0.seeds[store] = seed } }

  /// For the page: reads beside the queue.
  func read<Value: Sendable>(_ body: @escaping @Sendable (Database, UInt64) throws -> Value) async throws -> Value {
    let now = clock()
    return try await writer.read { try body($0, now) }
  }
}

extension DatabaseError {
  /// Whether the file could not be opened or written because the folder or the disk does not allow it.
  fileprivate var isAboutPermission: Bool {
    switch resultCode {
    case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH: true
    default: false
    }
  }

  /// What went wrong in words; neither statements nor their arguments.
  var reason: String { message ?? "SQLite error \(extendedResultCode.rawValue)" }
}

/// Tells the user that a storage does not work: one line when it begins, not one for each operation that fails.
final class KVFailureReports: Sendable {
  private let directory: String
  private let logger: Logger
  private let present = Mutex<String?>(nil)

  init(directory: String, logger: Logger) {
    self.directory = directory
    self.logger = logger
  }

  func failed(_ error: any Error) { failed((error as? DatabaseError)?.reason ?? "\(type(of: error))") }

  func failed(_ reason: String) {
    let isNew = present.withLock { present in
      defer { present = reason }
      return present != reason
    }
    guard isNew else { return }
    logger.error("KV stores in \(directory): \(reason); what guests ask for fails with a KV error until this is mended")
  }

  /// A write has worked, so the next failure is worth a line again.
  func succeeded() { present.withLock { $0 = nil } }
}
