internal import GRDB

/// Where each trace of an archive is, and what can be searched for. It holds nothing that the segments do not, so a damaged
/// one is made anew, and its writes need not wait for the disk.
final class ArchiveIndex: Sendable {
  /// A trace in a segment.
  struct Record {
    var head: ArchiveRecordHead
    var offset: Int64
    var bytes: Int
  }

  /// Where a record is.
  struct Place: Equatable {
    var segment: Int64
    var offset: Int64
  }

  private static let version = 1
  private let database: DatabaseQueue

  private init(_ database: DatabaseQueue) { self.database = database }

  // MARK: - Opening

  /// Opens the index of a folder for writing, making it anew when it is missing or damaged.
  static func open(in directory: ArchiveDirectory) throws(TraceArchiveError) -> ArchiveIndex {
    let name = ArchiveDirectory.indexName
    switch directory.occupant(of: name) {
    case .nothing: break
    case .other: throw .unusable(path: directory.path + "/" + name, reason: "is no regular file")
    case .file:
      directory.restrict(name)
      if let index = try? connect(directory), (try? index.prepare()) == true { return index }
      for suffix in ["", "-journal", "-wal", "-shm"] { directory.remove(name + suffix) }
    }
    // SQLite gives its journals the mode of the file that it finds.
    _ = try directory.makeFile(name)
    do {
      let index = try connect(directory)
      guard try index.prepare() else { throw DatabaseError(message: "not usable") }
      return index
    } catch {
      throw .unusable(path: directory.path + "/" + name, reason: "the index cannot be made")
    }
  }

  /// Opens the index of a folder for reading alone; nil when it is missing or not readable.
  static func openReadOnly(in directory: ArchiveDirectory) -> ArchiveIndex? {
    guard directory.occupant(of: ArchiveDirectory.indexName) == .file,
      let index = try? connect(directory, isReadOnly: true),
      (try? index.database.read { try Int.fetchOne($0, sql: "PRAGMA user_version") }) == version,
      (try? index.count()) != nil
    else { return nil }
    return index
  }

  /// An index in memory.
  static func temporary() throws -> ArchiveIndex {
    let index = ArchiveIndex(try DatabaseQueue())
    _ = try index.prepare()
    return index
  }

  private static func connect(_ directory: ArchiveDirectory, isReadOnly: Bool = false) throws -> ArchiveIndex {
    var configuration = Configuration()
    configuration.label = "trace-archive"
    configuration.readonly = isReadOnly
    configuration.busyMode = .timeout(5)
    if !isReadOnly { configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = OFF") } }
    return ArchiveIndex(
      try DatabaseQueue(path: directory.path + "/" + ArchiveDirectory.indexName, configuration: configuration))
  }

  /// Makes the tables, or checks those that are there: a crash of the system can leave any page behind.
  /// - Returns: Whether the index can be used.
  private func prepare() throws -> Bool {
    try database.write { db in
      switch try Int.fetchOne(db, sql: "PRAGMA user_version") {
      case 0:
        guard try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM sqlite_master") == 0 else { return false }
        try db.execute(sql: Self.schema)
        return true
      case Self.version:
        _ = try db.makeStatement(sql: "SELECT \(Self.columns), seq FROM trace")
        _ = try db.makeStatement(sql: "SELECT number, indexed FROM segment")
        return try String.fetchOne(db, sql: "PRAGMA integrity_check(1)") == "ok"
      default: return false
      }
    }
  }

  private static let columns = """
    id, start, wall, method, scheme, host, path, status, outcome, module, name, spans, calls, cut, segment, offset, bytes
    """

  private static let schema = """
    CREATE TABLE segment (number INTEGER PRIMARY KEY, indexed INTEGER NOT NULL);
    CREATE TABLE trace (
      seq INTEGER PRIMARY KEY, id INTEGER NOT NULL, start INTEGER NOT NULL, wall INTEGER NOT NULL,
      method TEXT NOT NULL, scheme TEXT NOT NULL, host TEXT NOT NULL, path TEXT NOT NULL, status INTEGER NOT NULL,
      outcome TEXT NOT NULL, module TEXT NOT NULL, name TEXT NOT NULL, spans INTEGER NOT NULL, calls INTEGER NOT NULL,
      cut INTEGER NOT NULL, segment INTEGER NOT NULL, offset INTEGER NOT NULL, bytes INTEGER NOT NULL,
      UNIQUE (id, start));
    CREATE INDEX trace_start ON trace (start);
    CREATE INDEX trace_wall ON trace (wall);
    CREATE INDEX trace_segment ON trace (segment);
    PRAGMA user_version = \(version);
    """

  func close() throws { try database.close() }

  // MARK: - Writing

  /// Adds the records of a segment, which is in the index up to `indexed` bytes then. A trace that is there already moves.
  func commit(_ rows: [Record], segment: Int64, indexed: Int64) throws {
    try database.write { db in
      let insert = try db.cachedStatement(
        sql: """
          INSERT OR REPLACE INTO trace (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
          """)
      for row in rows {
        let head = row.head
        try insert.execute(arguments: [
          Int64(bitPattern: head.id), head.start, head.wall, head.method, head.scheme, head.host, head.path,
          head.status, head.outcome, head.module, head.name, head.spans, head.calls, head.cut, segment, row.offset,
          row.bytes,
        ])
      }
      try db.execute(
        sql: "INSERT OR REPLACE INTO segment (number, indexed) VALUES (?, ?)", arguments: [segment, indexed])
    }
  }

  /// Forgets a segment.
  /// - Returns: How many traces went with it.
  func remove(segment: Int64) throws -> Int {
    try database.write { db in
      try db.execute(sql: "DELETE FROM segment WHERE number = ?", arguments: [segment])
      try db.execute(sql: "DELETE FROM trace WHERE segment = ?", arguments: [segment])
      return db.changesCount
    }
  }

  /// Forgets the oldest traces beyond a number.
  /// - Returns: How many.
  func evict(keeping limit: Int) throws -> Int {
    try database.write { db in
      let excess = (try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM trace") ?? 0) - limit
      guard excess > 0 else { return 0 }
      try db.execute(
        sql: "DELETE FROM trace WHERE seq IN (SELECT seq FROM trace ORDER BY seq LIMIT ?)", arguments: [excess])
      return excess
    }
  }

  // MARK: - Reading

  func count() throws -> Int { try database.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM trace") ?? 0 } }

  /// The largest id; 0 when there is none.
  func lastID() throws -> UInt64 {
    let last = try database.read { try Int64.fetchOne($0, sql: "SELECT MAX(id) FROM trace") }
    return UInt64(max(0, last ?? 0))
  }

  /// How far each segment is in the index.
  func segments() throws -> [Int64: Int64] {
    try database.read { db in
      var found: [Int64: Int64] = [:]
      for row in try Row.fetchAll(db, sql: "SELECT number, indexed FROM segment") {
        found[integer(row, "number")] = integer(row, "indexed")
      }
      return found
    }
  }

  /// Segments that hold no trace (any more), but for one.
  func emptySegments(except active: Int64) throws -> [Int64] {
    try database.read {
      try Int64.fetchAll(
        $0,
        sql: """
          SELECT number FROM segment WHERE number <> ? AND NOT EXISTS (SELECT 1 FROM trace WHERE segment = number)
          """, arguments: [active])
    }
  }

  /// The newest record of an id.
  func place(of id: UInt64) throws -> Place? {
    try database.read { db in
      try Row.fetchOne(
        db, sql: "SELECT segment, offset FROM trace WHERE id = ? ORDER BY start DESC, seq DESC LIMIT 1",
        arguments: [Int64(bitPattern: id)]
      )
      .map { Place(segment: integer($0, "segment"), offset: integer($0, "offset")) }
    }
  }

  func search(_ query: ArchiveQuery) throws -> [ArchiveEntry] {
    var conditions: [String] = []
    var arguments = StatementArguments()
    func require(_ condition: String, _ value: (any DatabaseValueConvertible)?) {
      guard let value else { return }
      conditions.append(condition)
      arguments += [value]
    }
    require("start >= ?", query.since)
    require("start < ?", query.until)
    require("instr(path, ?) > 0", query.path)
    require("instr(path, ?) = 1", query.pathPrefix)
    if let route = query.route {
      require("method = ?", route.method)
      // A request without a path counts as one for "/".
      let path = "CASE path WHEN '' THEN '/' ELSE path END"
      require(route.isPrefix ? "instr(\(path), ?) = 1" : "\(path) = ?", route.path.isEmpty ? nil : route.path)
    }
    require("status >= ?", query.status?.lowerBound)
    require("status <= ?", query.status?.upperBound)
    require("module = ?", query.moduleID)
    require("wall >= ?", query.minimumWallNanos)
    require("wall <= ?", query.maximumWallNanos)
    if let outcomes = query.outcomes {
      let names = outcomes.map(\.wireName).sorted()
      conditions.append("outcome IN (" + names.map { _ in "?" }.joined(separator: ", ") + ")")
      arguments += StatementArguments(names)
    }
    let filter = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
    let order = query.order == .newestFirst ? "start DESC, seq DESC" : "wall DESC, seq DESC"
    arguments += [query.limit, query.offset]
    let sql = "SELECT \(Self.columns) FROM trace \(filter) ORDER BY \(order) LIMIT ? OFFSET ?"
    return try database.read { [arguments] db in
      try Row.fetchAll(db, sql: sql, arguments: arguments).map { ArchiveEntry($0) }
    }
  }
}

/// A number of a row; 0 for what is none. The file may have been changed by others, and the library stops the program
/// at values of the wrong type that are asked for directly.
private func integer(_ row: Row, _ column: String) -> Int64 {
  let value: DatabaseValue? = row[column]
  return value.flatMap { Int64.fromDatabaseValue($0) } ?? 0
}

extension ArchiveEntry {
  fileprivate init(_ row: Row) {
    func text(_ column: String) -> String {
      let value: DatabaseValue? = row[column]
      return value.flatMap { String.fromDatabaseValue($0) } ?? ""
    }
    self.init(
      ArchiveRecordHead(
        id: UInt64(bitPattern: integer(row, "id")), start: integer(row, "start"), wall: integer(row, "wall"),
        method: text("method"), scheme: text("scheme"), host: text("host"), path: text("path"),
        status: Int(integer(row, "status")), outcome: text("outcome"), module: text("module"), name: text("name"),
        spans: Int(integer(row, "spans")), calls: Int(integer(row, "calls")), cut: integer(row, "cut") != 0),
      recordBytes: Int(integer(row, "bytes")))
  }
}
