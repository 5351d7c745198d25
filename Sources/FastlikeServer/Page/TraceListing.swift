import FastlikeProfile
import Foundation

/// The list of requests as JSON, for programs. Its keys, in snake case, are those of the native schema where both have
/// the value.
struct TraceListing: Encodable {
  struct Time: Encodable {
    let queueNanos: Int64
    let setupNanos: Int64
    let guestNanos: Int64
    let hostNanos: Int64
    let blockedNanos: [String: Int64]
  }

  struct Entry: Encodable {
    let reqID: UInt64
    let method: String
    let url: String
    let status: Int
    let outcome: String
    let wallStartUnixNanos: Int64
    let wallNanos: Int64
    let moduleID: String
    let moduleName: String
    let hostcalls: Int
    let backendCalls: Int
    let dropped: Int
    let time: Time
  }

  struct Running: Encodable {
    let reqID: UInt64
    let method: String
    let url: String
    let wallStartUnixNanos: Int64
    let moduleID: String
    let hostcall: String?
    let blockedOn: String?
  }

  let schemaVersion = 1
  let mode: String
  /// Requests that finished since the start.
  let completed: Int
  /// Requests that the filter means, of which ``traces`` is a part.
  let matching: Int
  let offset: Int
  let traces: [Entry]
  let inFlight: [Running]

  /// - Parameter all: All that are kept, newest first.
  init(
    filter: RequestFilter, traces all: [RequestTrace], running: [InFlightRequest], completed: Int, mode: ProfileMode
  ) {
    let found = filter.select(all)
    self.mode = mode.rawValue
    self.completed = completed
    matching = found.count
    offset = filter.offset
    traces = found.dropFirst(filter.offset).prefix(filter.limit).map(Entry.init)
    inFlight = running.map(Running.init)
  }

  func encoded() throws -> Data {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self)
  }
}

extension TraceListing.Entry {
  fileprivate init(_ trace: RequestTrace) {
    reqID = trace.id
    method = trace.method
    url = trace.url.description
    status = trace.status
    outcome = trace.outcome.wireName
    wallStartUnixNanos = trace.wallStartUnixNanos
    wallNanos = trace.wallNanos
    moduleID = trace.moduleID
    moduleName = trace.moduleName
    hostcalls = trace.spans.count + trace.droppedSpans
    backendCalls = trace.backendCalls.count + trace.droppedBackendCalls
    dropped = trace.drops
    time = TraceListing.Time(trace.time)
  }
}

extension TraceListing.Time {
  fileprivate init(_ time: TimeAccount) {
    queueNanos = time.queue
    setupNanos = time.setup
    guestNanos = time.guest
    hostNanos = time.host
    blockedNanos = Dictionary(uniqueKeysWithValues: BlockCause.allCases.map { ($0.name, time.blocked[$0]) })
  }
}

extension TraceListing.Running {
  fileprivate init(_ request: InFlightRequest) {
    reqID = request.id
    method = request.method
    url = request.url.description
    wallStartUnixNanos = request.wallStartUnixNanos
    moduleID = request.moduleID
    hostcall = request.hostcall
    blockedOn = request.blockedOn?.name
  }
}
