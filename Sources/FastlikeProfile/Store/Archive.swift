internal import Dispatch
internal import Synchronization

/// Keeps finished traces across restarts, in a folder: segments that are only ever appended to, and an index to search in.
///
/// ```swift
/// let archive = try TraceArchive(directory: "traces")
/// store.reserveIDs(through: archive.lastTraceID)
/// let observation = store.observe { archive.append($0) }
/// ```
///
/// Appending hands a trace to a queue and returns. What comes while the queue is full is dropped and counted, so neither a slow
/// disk nor a full one ever delays a request. Reading is for any thread, but not for one that must not wait.
///
/// # Security
/// The folder is made for its owner alone (0700), files are 0600, symbolic links in the place of the folder or of a file in
/// it are not followed, and one process at a time writes.
public final class TraceArchive: Sendable {
  /// What is done with a folder.
  public enum Access: String, Sendable {
    case readWrite
    /// Changes nothing, and works while another process writes.
    case readOnly
  }

  private struct Intake {
    var waiting: [RequestTrace] = []
    var isScheduled = false
    var isClosed = false
  }

  /// Where the archive is.
  public let path: String
  /// How much it holds.
  public let limits: ArchiveLimits
  /// What is done with the folder.
  public let access: Access
  /// The largest id of a trace at the opening; 0 when there was none. See ``ProfileStore/reserveIDs(through:)``.
  public let lastTraceID: UInt64
  /// Where records are encoded and written. Tests suspend it.
  let queue = DispatchQueue(label: "trace-archive", qos: .utility)

  private let directory: ArchiveDirectory
  private let index: ArchiveIndex
  private let intake = Mutex(Intake())
  private let counters: Mutex<ArchiveStatistics>
  private let totalBytes: Mutex<Int64>
  /// nil when only reading, and when closed.
  private let writer: Mutex<ArchiveWriter?>

  /// Opens the archive of a folder, making what is not there.
  /// - Throws: ``TraceArchiveError``. Damaged contents are no error; see ``ArchiveStatistics/skippedBytes``.
  public init(directory path: String, limits: ArchiveLimits = ArchiveLimits(), access: Access = .readWrite) throws {
    directory = try ArchiveDirectory(path: path, isWritable: access == .readWrite)
    self.path = directory.path
    self.limits = limits
    self.access = access
    var statistics = ArchiveStatistics()
    var writer: ArchiveWriter?
    switch access {
    case .readWrite:
      index = try ArchiveIndex.open(in: directory)
      do {
        writer = try ArchiveWriter(directory, index, limits, &statistics)
      } catch {
        throw TraceArchiveError.unusable(path: directory.path, reason: "the index cannot be written")
      }
    case .readOnly:
      if let found = ArchiveIndex.openReadOnly(in: directory) {
        index = found
      } else {
        index = try Self.scan(directory, &statistics)
      }
    }
    lastTraceID = try index.lastID()
    totalBytes = Mutex(writer?.totalBytes ?? 0)
    self.writer = Mutex(writer)
    counters = Mutex(statistics)
  }

  /// An index in memory for a folder whose own cannot be read.
  private static func scan(_ directory: ArchiveDirectory, _ statistics: inout ArchiveStatistics) throws -> ArchiveIndex
  {
    let index = try ArchiveIndex.temporary()
    for number in directory.segments() {
      guard let file = directory.openFile(ArchiveDirectory.segmentName(number)), ArchiveSegment(file).isKnown else {
        continue
      }
      _ = try ArchiveWriter.update(index, number, file, from: nil, &statistics)
    }
    return index
  }

  // MARK: - Writing

  /// Hands a finished trace over to be written. A trace that is in the archive already is replaced, as after joining
  /// native samples to it. Never waits for the disk.
  /// - Returns: Whether it was accepted; false when ``ArchiveLimits/waiting`` are waiting or the archive does not write.
  @discardableResult
  public func append(_ trace: RequestTrace) -> Bool {
    let (isAccepted, isFirst) = intake.withLock { intake in
      guard access == .readWrite, !intake.isClosed, intake.waiting.count < limits.waiting else { return (false, false) }
      intake.waiting.append(trace)
      defer { intake.isScheduled = true }
      return (true, !intake.isScheduled)
    }
    if !isAccepted { counters.withLock { $0.dropped += 1 } }
    if isFirst { queue.async { self.drain() } }
    return isAccepted
  }

  private func drain() {
    while true {
      let batch = intake.withLock { intake -> [RequestTrace] in
        let batch = intake.waiting
        intake.waiting = []
        if batch.isEmpty { intake.isScheduled = false }
        return batch
      }
      if batch.isEmpty { return }
      let change = writer.withLock { writer -> (statistics: ArchiveStatistics, bytes: Int64) in
        var change = ArchiveStatistics()
        writer?.write(batch, &change)
        return (change, writer?.totalBytes ?? 0)
      }
      totalBytes.withLock { $0 = change.bytes }
      counters.withLock { $0.add(change.statistics) }
    }
  }

  /// Waits until all that was appended is written and on the disk.
  public func flush() {
    queue.sync {
      drain()
      writer.withLock { $0?.synchronize() }
    }
  }

  /// Writes what waits and closes the archive: traces are dropped from here on, and reading throws. A second call is without
  /// effect.
  public func close() {
    let isOpen = intake.withLock { intake in
      defer { intake.isClosed = true }
      return !intake.isClosed
    }
    guard isOpen else { return }
    flush()
    writer.withLock { $0 = nil }
    // A search that is going on keeps it open a moment longer.
    try? index.close()
    directory.unlock()
  }

  // MARK: - Reading

  /// Traces that a query describes, without what waits to be written.
  /// - Throws: ``TraceArchiveError``
  public func search(_ query: ArchiveQuery = ArchiveQuery()) throws -> [ArchiveEntry] {
    try read { try index.search(query) }
  }

  /// The whole trace of an id, the newest if there are several; nil when there is none (any more).
  /// - Throws: ``TraceArchiveError``
  public func trace(id: UInt64) throws -> RequestTrace? {
    guard let place = try read({ try index.place(of: id) }) else { return nil }
    let name = ArchiveDirectory.segmentName(place.segment)
    // The segment may go between the two looks.
    guard let file = directory.openFile(name) else { return nil }
    guard let bytes = ArchiveSegment(file).record(at: place.offset), let parts = ArchiveRecord.parts(bytes),
      let trace = try? NativeJSONDecoder.decode(parts.payload).first, trace.id == id
    else { throw TraceArchiveError.damaged(segment: name, offset: place.offset) }
    return trace
  }

  /// The number of traces, without those that wait to be written.
  /// - Throws: ``TraceArchiveError``
  public var count: Int { get throws { try read { try index.count() } } }

  /// Bytes of the segments; 0 for an archive that is only read.
  public var bytes: Int64 { totalBytes.withLock { $0 } }

  /// Counters since the opening.
  public var statistics: ArchiveStatistics { counters.withLock { $0 } }

  private func read<Value>(_ body: () throws -> Value) throws -> Value {
    guard !intake.withLock({ $0.isClosed }) else { throw TraceArchiveError.closed }
    do {
      return try body()
    } catch {
      throw TraceArchiveError.unusable(path: path + "/" + ArchiveDirectory.indexName, reason: "cannot be read")
    }
  }
}

extension ArchiveStatistics {
  fileprivate mutating func add(_ other: ArchiveStatistics) {
    written += other.written
    dropped += other.dropped
    failed += other.failed
    evicted += other.evicted
    recovered += other.recovered
    skippedBytes += other.skippedBytes
    lastFailure = other.lastFailure ?? lastFailure
  }
}
