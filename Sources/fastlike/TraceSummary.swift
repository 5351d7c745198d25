import FastlikeProfile

/// A line of the list of requests. Its keys are those of a page's listing.
struct TraceSummary: Codable, Sendable, Equatable {
  /// Who a request's nanoseconds belong to.
  struct Time: Codable, Sendable, Equatable {
    var queueNanos: Int64
    var setupNanos: Int64
    var guestNanos: Int64
    var hostNanos: Int64
    /// By the names of `BlockCause`.
    var blockedNanos: [String: Int64]

    private enum CodingKeys: String, CodingKey {
      case queueNanos = "queue_nanos"
      case setupNanos = "setup_nanos"
      case guestNanos = "guest_nanos"
      case hostNanos = "host_nanos"
      case blockedNanos = "blocked_nanos"
    }
  }

  var id: UInt64
  var method: String
  var url: String
  var status: Int
  var outcome: String
  var wallStartUnixNanos: Int64
  var wallNanos: Int64
  var moduleID: String
  var moduleName: String
  var hostcalls: Int
  var backendCalls: Int
  /// nil when it is not known.
  var time: Time?

  private enum CodingKeys: String, CodingKey {
    case id = "req_id"
    case method, url, status, outcome
    case wallStartUnixNanos = "wall_start_unix_nanos"
    case wallNanos = "wall_nanos"
    case moduleID = "module_id"
    case moduleName = "module_name"
    case hostcalls
    case backendCalls = "backend_calls"
    case time
  }
}

extension TraceSummary {
  /// - Parameter trace: The whole of it; nil when it cannot be read (any more).
  init(_ entry: ArchiveEntry, trace: RequestTrace?) {
    self.init(
      id: entry.id, method: entry.method, url: entry.url.description, status: entry.status,
      outcome: entry.outcome.wireName, wallStartUnixNanos: entry.wallStartUnixNanos, wallNanos: entry.wallNanos,
      moduleID: entry.moduleID, moduleName: entry.moduleName,
      hostcalls: trace.map { $0.spans.count + $0.droppedSpans } ?? entry.spanCount,
      backendCalls: trace.map { $0.backendCalls.count + $0.droppedBackendCalls } ?? entry.backendCallCount,
      time: trace.map { Time($0.time) })
  }

  init(_ trace: RequestTrace) {
    self.init(
      id: trace.id, method: trace.method, url: trace.url.description, status: trace.status,
      outcome: trace.outcome.wireName, wallStartUnixNanos: trace.wallStartUnixNanos, wallNanos: trace.wallNanos,
      moduleID: trace.moduleID, moduleName: trace.moduleName, hostcalls: trace.spans.count + trace.droppedSpans,
      backendCalls: trace.backendCalls.count + trace.droppedBackendCalls, time: Time(trace.time))
  }

  /// The path alone.
  var path: String { RedactedURL(url).path }
}

extension TraceSummary.Time {
  init(_ time: TimeAccount) {
    self.init(
      queueNanos: time.queue, setupNanos: time.setup, guestNanos: time.guest, hostNanos: time.host,
      blockedNanos: Dictionary(uniqueKeysWithValues: BlockCause.allCases.map { ($0.name, time.blocked[$0]) }))
  }

  /// The owners that had any time, by their names on the page, the largest first. Waiting for a turn is one owner,
  /// before the start and later.
  var owners: [(name: String, nanoseconds: Int64)] {
    var owners = blockedNanos
    for (name, nanoseconds) in [
      (BlockCause.queue.name, queueNanos), ("setup", setupNanos), ("guest", guestNanos), ("host", hostNanos),
    ] {
      // A file may hold any number.
      owners[name] = owners[name, default: 0].addingReportingOverflow(nanoseconds).partialValue
    }
    return owners.filter { $0.value > 0 }.map { ($0.key, $0.value) }
      .sorted { ($1.nanoseconds, $0.name) < ($0.nanoseconds, $1.name) }
  }
}

/// The list of requests as a file: what is read of a page's, and what is printed.
struct TraceListingFile: Codable {
  var schemaVersion = 1
  var traces: [TraceSummary]

  private enum CodingKeys: String, CodingKey {
    case schemaVersion = "schema_version"
    case traces
  }
}
