import FastlikeProfile
import Foundation

/// Which finished requests are listed, in which order, and how many: what stands behind the `?` of the index, of its
/// events and of its JSON.
struct RequestFilter: Equatable {
  enum Order: String, CaseIterable {
    case newest
    case slowest
    case hostcalls
    case backends

    var title: String {
      switch self {
      case .newest: "newest first"
      case .slowest: "slowest first"
      case .hostcalls: "most hostcalls first"
      case .backends: "most backend calls first"
      }
    }
  }

  /// Most rows of one answer.
  static let limits = 1...1000
  static let defaultLimit = 200
  /// Most requests, the newest, that are added up in a flame graph or compared: those of an archive are read for it.
  var analysed: Int { isArchive ? Self.limits.upperBound : 10_000 }
  private static let archive = "archive"
  /// Outcome that stands for every request that failed or was answered with a server error.
  static let anyError = "error"

  /// A part of the path; empty for all.
  var path = ""
  /// `404`, `5xx` or `500-503`; empty for all.
  var status = ""
  /// ``TraceOutcome/wireName`` or ``anyError``; empty for all.
  var outcome = ""
  /// ``RequestTrace/moduleID``; empty for all.
  var module = ""
  /// Least wall time in milliseconds, as it was written; empty for all.
  var minimum = ""
  /// A ``TraceRoutePattern``, as it was written; empty for all.
  var route = ""
  /// Starts at or after it, as it was written; empty for all.
  var since = ""
  /// Starts before it, as it was written; empty for all.
  var until = ""
  var order = Order.newest
  var limit = RequestFilter.defaultLimit
  /// So many rows are left out at the beginning.
  var offset = 0
  /// Whether all that the archive has is meant, and not only what is kept in memory.
  var isArchive = false
  /// What could not be understood and has no effect, one line each.
  private(set) var problems: [String] = []

  private var statuses: ClosedRange<Int>?
  private var minimumNanoseconds: Int64 = 0
  private var routePattern: TraceRoutePattern?
  private var sinceNanoseconds: Int64?
  private var untilNanoseconds: Int64?

  /// Every request.
  init() {}

  /// - Parameter query: What follows the `?`, as browsers send forms. Names that are not known are left out.
  init(query: String) {
    for (name, value) in Self.fields(of: query) where !value.isEmpty {
      switch name {
      case "path": path = value
      case "status":
        status = value
        statuses = Self.statuses(value)
        if statuses == nil { reject(name, "a status like 404, a class like 5xx, or a range like 500-503") }
      case "outcome":
        outcome = value
        let isKnown = value == Self.anyError || TraceOutcome.allCases.contains { $0.wireName == value }
        if !isKnown {
          outcome = ""
          reject(name, ([Self.anyError] + TraceOutcome.allCases.map(\.wireName)).joined(separator: ", "))
        }
      case "module": module = value
      case "min":
        minimum = value
        if let milliseconds = Double(value), (0...1e12).contains(milliseconds) {
          minimumNanoseconds = Int64(milliseconds * 1_000_000)
        } else {
          reject(name, "a number of milliseconds")
        }
      case "route":
        route = value
        routePattern = TraceRoutePattern(value)
        if routePattern == nil { reject(name, TraceRoutePattern.allowed) }
      case "since":
        since = value
        sinceNanoseconds = instant(value, name)
      case "until":
        until = value
        untilNanoseconds = instant(value, name)
      case "sort":
        if let known = Order(rawValue: value) {
          order = known
        } else {
          reject(name, Order.allCases.map(\.rawValue).joined(separator: ", "))
        }
      case "from":
        isArchive = value == Self.archive
        if !isArchive { reject(name, Self.archive) }
      case "limit":
        if let number = Int(value), Self.limits.contains(number) {
          limit = number
        } else {
          reject(name, "a number from \(Self.limits.lowerBound) to \(Self.limits.upperBound)")
        }
      case "offset":
        if let number = Int(value), number >= 0 {
          offset = number
        } else {
          reject(name, "a number of rows")
        }
      default: continue
      }
    }
  }

  private mutating func reject(_ name: String, _ allowed: String) {
    problems.append("\(name): allowed is \(allowed)")
  }

  /// What a form must send along to mean the same requests, but for the route.
  var hiddenFields: [(String, String)] {
    fields.filter { $0.0 != "route" && !$0.1.isEmpty } + (isArchive ? [("from", Self.archive)] : [])
  }

  private mutating func instant(_ value: String, _ name: String) -> Int64? {
    let found = TraceInstant.parse(value, now: TraceInstant.now)
    if found == nil { reject(name, TraceInstant.allowed) }
    return found
  }

  /// Whether only some requests are meant.
  var isNarrow: Bool { fields.contains { !$0.1.isEmpty } }

  /// What says which requests are meant, as it was written.
  private var fields: [(String, String)] {
    [
      ("path", path), ("status", status), ("outcome", outcome), ("module", module), ("min", minimum), ("route", route),
      ("since", since), ("until", until),
    ]
  }

  func matches(_ trace: RequestTrace) -> Bool {
    if !path.isEmpty, !trace.url.path.contains(path) { return false }
    if let statuses, !statuses.contains(trace.status) { return false }
    if outcome == Self.anyError {
      if !trace.isError { return false }
    } else if !outcome.isEmpty, trace.outcome.wireName != outcome {
      return false
    }
    if !module.isEmpty, trace.moduleID != module { return false }
    if let routePattern, !routePattern.matches(TraceRoute(of: trace)) { return false }
    if let sinceNanoseconds, trace.wallStartUnixNanos < sinceNanoseconds { return false }
    if let untilNanoseconds, trace.wallStartUnixNanos >= untilNanoseconds { return false }
    return trace.wallNanos >= minimumNanoseconds
  }

  /// The requests that are meant, in order, before paging.
  /// - Parameter traces: Newest first.
  func select(_ traces: [RequestTrace]) -> [RequestTrace] {
    let found = isNarrow ? traces.filter(matches) : traces
    // Sorting is stable, so equal ones stay newest first.
    switch order {
    case .newest: return found
    case .slowest: return found.sorted { $0.wallNanos > $1.wallNanos }
    case .hostcalls:
      return found.sorted { $0.spans.count + $0.droppedSpans > $1.spans.count + $1.droppedSpans }
    case .backends:
      return found.sorted {
        $0.backendCalls.count + $0.droppedBackendCalls > $1.backendCalls.count + $1.droppedBackendCalls
      }
    }
  }

  /// The same requests from another row on, as a relative link.
  func link(offset: Int) -> String {
    var fields = fields
    if isArchive { fields.append(("from", Self.archive)) }
    if order != .newest { fields.append(("sort", order.rawValue)) }
    if limit != Self.defaultLimit { fields.append(("limit", String(limit))) }
    if offset > 0 { fields.append(("offset", String(offset))) }
    return "?" + fields.filter { !$0.1.isEmpty }.map { "\($0.0)=\(Self.encode($0.1))" }.joined(separator: "&")
  }

  /// The same question to the archive or, from there, to what is kept in memory, as a relative link.
  var linkToOtherSource: String {
    var other = self
    other.isArchive.toggle()
    return other.link(offset: 0)
  }

  /// The same question as an archive takes it. It has fewer orders, and no errors but outcomes.
  /// - Parameter limit: Most entries.
  func archiveQuery(limit: Int) -> ArchiveQuery {
    var query = ArchiveQuery(
      since: sinceNanoseconds, until: untilNanoseconds, path: path.isEmpty ? nil : path,
      route: routePattern, status: statuses,
      moduleID: module.isEmpty ? nil : module,
      minimumWallNanos: minimumNanoseconds > 0 ? minimumNanoseconds : nil,
      order: order == .slowest ? .slowestFirst : .newestFirst, limit: limit, offset: offset)
    if outcome == Self.anyError {
      query.outcomes = Set(TraceOutcome.allCases).subtracting([.normal])
    } else if !outcome.isEmpty {
      query.outcomes = [TraceOutcome(wireName: outcome)]
    }
    return query
  }

  /// What an archive cannot do of this.
  var archiveProblems: [String] {
    var lines: [String] = []
    if order != .newest, order != .slowest { lines.append("sort: the archive knows newest and slowest") }
    if outcome == Self.anyError {
      lines.append("outcome: in the archive, error means every outcome but normal; for server errors use status 5xx")
    }
    return lines
  }

  /// A text as it may stand in a query.
  static func encode(_ text: String) -> String {
    var allowed = CharacterSet(charactersIn: "a"..."z")
    allowed.formUnion(CharacterSet(charactersIn: "A"..."Z"))
    allowed.formUnion(CharacterSet(charactersIn: "0"..."9"))
    allowed.insert(charactersIn: "-._~/")
    return text.addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
  }

  /// The fields of a query, decoded.
  static func fields(of query: String) -> [(name: String, value: String)] {
    query.split(separator: "&").prefix(32).map { field in
      let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (decode(parts[0]), parts.count > 1 ? String(decode(parts[1]).prefix(512)) : "")
    }
  }

  private static func decode(_ text: Substring) -> String {
    let spaced = text.replacing("+", with: " ")
    return (spaced.removingPercentEncoding ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private static func statuses(_ text: String) -> ClosedRange<Int>? {
    if let one = Int(text) { return (0...999).contains(one) ? one...one : nil }
    if text.count == 3, text.lowercased().hasSuffix("xx"), let digit = text.first?.wholeNumberValue {
      return digit * 100...digit * 100 + 99
    }
    let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard ends.count == 2, let low = ends[0], let high = ends[1], low >= 0, low <= high else { return nil }
    return low...high
  }
}
