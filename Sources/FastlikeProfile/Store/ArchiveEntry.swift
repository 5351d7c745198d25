/// What an archive tells of a trace without reading the whole of it.
public struct ArchiveEntry: Sendable, Hashable, Identifiable {
  public var id: UInt64
  /// The start in nanoseconds since 1970.
  public var wallStartUnixNanos: Int64
  /// Nanoseconds from start to end.
  public var wallNanos: Int64
  public var method: String
  /// Without query and user.
  public var url: RedactedURL
  /// 0 when no response was sent.
  public var status: Int
  public var outcome: TraceOutcome
  public var moduleID: String
  public var moduleName: String
  /// The number of hostcalls that were kept.
  public var spanCount: Int
  /// The number of backend calls that were kept.
  public var backendCallCount: Int
  /// See ``RequestTrace/isTruncated``.
  public var isTruncated: Bool
  /// Bytes of the record in the archive.
  public var recordBytes: Int

  init(_ head: ArchiveRecordHead, recordBytes: Int) {
    id = head.id
    wallStartUnixNanos = head.start
    wallNanos = head.wall
    method = PrintableText.method(head.method)
    url = RedactedURL(scheme: head.scheme, host: head.host, path: head.path)
    status = head.status
    outcome = TraceOutcome(wireName: head.outcome)
    moduleID = PrintableText.bounded(head.module, to: TraceLabel.maximumBytes)
    moduleName = PrintableText.bounded(head.name, to: TraceLabel.maximumBytes)
    spanCount = head.spans
    backendCallCount = head.calls
    isTruncated = head.cut
    self.recordBytes = recordBytes
  }
}

/// What to look for in an archive. All that is set must be true of a trace.
public struct ArchiveQuery: Sendable, Hashable {
  /// Starts at or after it, in nanoseconds since 1970.
  public var since: Int64?
  /// Starts before it, in nanoseconds since 1970.
  public var until: Int64?
  /// A part of the request's path.
  public var path: String?
  /// The beginning of the request's path.
  public var pathPrefix: String?
  /// The request's route.
  public var route: TraceRoutePattern?
  /// The response's status.
  public var status: ClosedRange<Int>?
  /// One of these outcomes; nil for any.
  public var outcomes: Set<TraceOutcome>?
  /// ``ModuleIdentifier`` of the guest.
  public var moduleID: String?
  /// Lasted at least so many nanoseconds.
  public var minimumWallNanos: Int64?
  /// Lasted at most so many nanoseconds.
  public var maximumWallNanos: Int64?
  /// Which come first.
  public var order: Order
  /// Most entries; at least 1.
  public var limit: Int
  /// So many entries are left out at the beginning.
  public var offset: Int

  public enum Order: String, Sendable, CaseIterable {
    case newestFirst = "newest"
    case slowestFirst = "slowest"
  }

  public init(
    since: Int64? = nil, until: Int64? = nil, path: String? = nil, pathPrefix: String? = nil,
    route: TraceRoutePattern? = nil, status: ClosedRange<Int>? = nil, outcomes: Set<TraceOutcome>? = nil,
    moduleID: String? = nil, minimumWallNanos: Int64? = nil, maximumWallNanos: Int64? = nil,
    order: Order = .newestFirst, limit: Int = 100, offset: Int = 0
  ) {
    self.since = since
    self.until = until
    self.path = path
    self.pathPrefix = pathPrefix
    self.route = route
    self.status = status
    self.outcomes = outcomes
    self.moduleID = moduleID
    self.minimumWallNanos = minimumWallNanos
    self.maximumWallNanos = maximumWallNanos
    self.order = order
    self.limit = max(1, limit)
    self.offset = max(0, offset)
  }
}

/// How much an archive holds. The oldest traces give way.
public struct ArchiveLimits: Sendable, Hashable {
  /// Most traces.
  public var traces: Int
  /// Most bytes of the segments. The index takes about 200 bytes a trace beside them.
  public var bytes: Int64
  /// Most traces that wait to be written; more are dropped and counted.
  public var waiting: Int
  /// A segment is closed when it has reached so many bytes. Space is freed by segments.
  public var segmentBytes: Int64

  /// - Parameters:
  ///   - traces: 100,000 by default, at least 1.
  ///   - bytes: 1 GiB by default, at least 64 KiB.
  ///   - waiting: 512 by default, at least 1.
  ///   - segmentBytes: 16 MiB by default; never more than an eighth of `bytes`.
  public init(traces: Int = 100_000, bytes: Int64 = 1 << 30, waiting: Int = 512, segmentBytes: Int64 = 16 << 20) {
    self.traces = max(1, traces)
    self.bytes = max(64 << 10, bytes)
    self.waiting = max(1, waiting)
    self.segmentBytes = min(max(4 << 10, segmentBytes), self.bytes / 8)
  }
}

/// Counters of an open archive.
public struct ArchiveStatistics: Sendable, Hashable {
  /// Traces that were written.
  public var written = 0
  /// Traces that were dropped because too many waited, or because the archive was closed.
  public var dropped = 0
  /// Traces that could not be written, and those larger than a whole archive may be.
  public var failed = 0
  /// Traces that gave way to newer ones.
  public var evicted = 0
  /// Records that were found in segments without being in the index, at the opening.
  public var recovered = 0
  /// Bytes that are no whole record, found and skipped at the opening: the torn end of a write in a crash.
  public var skippedBytes: Int64 = 0
  /// Why the last write failed.
  public var lastFailure: String?

  public init() {}
}

/// Why an archive cannot be opened or read.
public enum TraceArchiveError: Error, Equatable, CustomStringConvertible {
  /// The folder or a file in it cannot be used.
  case unusable(path: String, reason: String)
  /// Another process writes into this folder.
  case inUse(path: String)
  /// The archive was closed.
  case closed
  /// A record's bytes are not those that were written.
  case damaged(segment: String, offset: Int64)

  public var description: String {
    switch self {
    case .unusable(let path, let reason): "trace archive \(path): \(reason)"
    case .inUse(let path): "trace archive \(path): another process writes into it; choose another folder"
    case .closed: "trace archive: closed"
    case .damaged(let segment, let offset): "trace archive: \(segment): the record at byte \(offset) is damaged"
    }
  }
}
