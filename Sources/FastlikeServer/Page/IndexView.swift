import FastlikeProfile
import Foundation

/// An instant as the page shows it: the time of day in UTC, which a script turns into the reader's own.
struct PageInstant {
  /// `14:03:22.123`
  let clock: String
  /// RFC 3339, for machines.
  let full: String

  init(unixNanoseconds: Int64) {
    let date = Date(timeIntervalSince1970: Double(unixNanoseconds) / 1e9)
    full = Date.ISO8601FormatStyle(includingFractionalSeconds: true).format(date)
    clock = full.split(separator: "T").last.map { String($0.dropLast()) } ?? full
  }
}

/// A finished request in the list.
struct RequestRow {
  let id: UInt64
  let instant: PageInstant
  let method: String
  let path: String
  let status: String
  /// The class of the status for its colour: `s2` to `s5`, `s0` for anything else.
  let statusKind: String
  /// nil for a normal end.
  let ending: String?
  let wall: String
  let bar: Bar
  /// The owner of the most time: `backend 94 %`.
  let most: String
  let hostcalls: String
  let backends: String
  /// nil when no backend call failed.
  let failures: String?
  /// nil when nothing was dropped.
  let dropped: String?

  init(_ trace: RequestTrace) {
    id = trace.id
    instant = PageInstant(unixNanoseconds: trace.wallStartUnixNanos)
    method = trace.method
    path = trace.url.path.isEmpty ? "/" : trace.url.path
    status = trace.status > 0 ? String(trace.status) : "–"
    statusKind = Self.kind(ofStatus: trace.status)
    ending = trace.outcome == .normal ? nil : trace.outcome.wireName
    wall = Figures.milliseconds(trace.wallNanos)
    bar = Bar(of: trace.time)
    most =
      trace.time.owners.first
      .map { "\($0.owner.rawValue) \(Figures.share($0.nanoseconds, of: trace.time.total))" } ?? ""
    hostcalls = Figures.count(trace.spans.count + trace.droppedSpans)
    backends = Figures.count(trace.backendCalls.count + trace.droppedBackendCalls)
    let failed = trace.backendCalls.count { $0.outcome == .networkError || $0.outcome == .syntheticFailure }
    failures = failed == 0 ? nil : Figures.count(failed)
    dropped = trace.drops == 0 ? nil : Figures.count(trace.drops)
  }

  /// A request of which only the archive's index was read.
  init(_ entry: ArchiveEntry) {
    id = entry.id
    instant = PageInstant(unixNanoseconds: entry.wallStartUnixNanos)
    method = entry.method
    path = entry.url.path.isEmpty ? "/" : entry.url.path
    status = entry.status > 0 ? String(entry.status) : "–"
    statusKind = Self.kind(ofStatus: entry.status)
    ending = entry.outcome == .normal ? nil : entry.outcome.wireName
    wall = Figures.milliseconds(entry.wallNanos)
    bar = Bar(pieces: [], text: "on the request's page")
    most = ""
    hostcalls = Figures.count(entry.spanCount)
    backends = Figures.count(entry.backendCallCount)
    failures = nil
    dropped = entry.isTruncated ? "some" : nil
  }

  static func kind(ofStatus status: Int) -> String {
    (200...599).contains(status) ? "s\(status / 100)" : "s0"
  }
}

/// A request that is running.
struct InFlightRow {
  let id: UInt64
  let method: String
  let path: String
  let elapsed: String
  let doing: String

  init(_ request: InFlightRequest, now: Int64) {
    id = request.id
    method = request.method
    path = request.url.path.isEmpty ? "/" : request.url.path
    elapsed = Figures.milliseconds(now - request.wallStartUnixNanos)
    let place = request.hostcall ?? "the guest runs"
    let wait: String? =
      switch request.blockedOn {
      case nil: nil
      case .queue: "waiting for its turn"
      case .timer: "asleep"
      case .other: "suspended"
      case .some(let cause): "waiting for \(cause == .store ? "a store" : "the \(cause.name)")"
      }
    doing = wait.map { request.hostcall == nil ? $0 : "\(place): \($0)" } ?? place
  }
}

/// A row of the totals.
struct RouteRow {
  let method: String
  let path: String
  /// The list of this route's requests.
  let link: String
  let count: String
  /// nil when there are none.
  let errors: String?
  let median: String
  let p95: String
  let p99: String
  let total: String
  /// Bytes of the guest's memory at its largest; nil where it was not recorded.
  let memory: String?
  /// The flame graph of this route's requests.
  let flame: String

  init(_ route: RouteTotals) {
    method = route.method
    path = route.path.isEmpty ? "/" : route.path
    link = "?path=" + RequestFilter.encode(route.path)
    count = Figures.count(route.count)
    errors = route.errors == 0 ? nil : Figures.count(route.errors)
    median = Figures.milliseconds(route.median)
    p95 = Figures.milliseconds(route.p95)
    p99 = Figures.milliseconds(route.p99)
    total = Figures.milliseconds(route.total)
    memory = route.peakMemory.map(Figures.bytes)
    flame = "flame?weight=hostcall&route=" + RequestFilter.encode("\(route.method) \(path)")
  }
}

/// The filter's form.
struct FilterForm {
  struct Choice {
    let value: String
    let title: String
    let isChosen: Bool
  }

  let pathPart: String
  let statusText: String
  let minimum: String
  let outcomes: [Choice]
  let modules: [Choice]
  let orders: [Choice]
  let isNarrow: Bool
  /// Whether the archive is asked.
  let isArchive: Bool

  init(_ filter: RequestFilter, traces: [RequestTrace]) {
    pathPart = filter.path
    statusText = filter.status
    minimum = filter.minimum
    isNarrow = filter.isNarrow
    isArchive = filter.isArchive
    let known = TraceOutcome.allCases.filter { $0 != .unrecognized }.map(\.wireName)
    outcomes =
      [Choice(value: "", title: "any", isChosen: filter.outcome.isEmpty)]
      + ([RequestFilter.anyError] + known).map {
        Choice(value: $0, title: $0 == RequestFilter.anyError ? "any error" : $0, isChosen: $0 == filter.outcome)
      }
    var names: [String: String] = [:]
    for trace in traces where names[trace.moduleID] == nil && !trace.moduleID.isEmpty {
      names[trace.moduleID] = trace.moduleName
    }
    if !filter.module.isEmpty, names[filter.module] == nil { names[filter.module] = "" }
    modules =
      [Choice(value: "", title: "any", isChosen: filter.module.isEmpty)]
      + names.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map { id, name in
        Choice(
          value: id, title: name.isEmpty ? id : "\(name) (\(id.prefix(8)))", isChosen: id == filter.module)
      }
    orders = RequestFilter.Order.allCases.map {
      Choice(value: $0.rawValue, title: $0.title, isChosen: $0 == filter.order)
    }
  }
}

/// The parts of the index that change while requests come and go.
struct IndexState {
  let summary: String
  let inFlight: [InFlightRow]
  let hasInFlight: Bool
  let routes: [RouteRow]
  let hasRoutes: Bool
  /// How many routes are not shown; nil when all are.
  let hiddenRoutes: String?

  init(
    traces: [RequestTrace], running: [InFlightRequest], statistics: ProfileStore.Statistics, mode: ProfileMode,
    now: Int64
  ) {
    var parts = ["\(Figures.count(statistics.completed, "request")) finished"]
    if traces.count < statistics.completed { parts.append("the last \(Figures.count(traces.count)) are kept") }
    if statistics.sampledOut > 0 { parts.append("\(Figures.count(statistics.sampledOut)) left out by sampling") }
    parts.append("profile mode \(mode.rawValue)")
    summary = parts.joined(separator: " · ")
    inFlight = running.map { InFlightRow($0, now: now) }
    hasInFlight = !inFlight.isEmpty
    let totals = RouteTotals.routes(of: traces)
    routes = totals.prefix(RouteTotals.shown).map(RouteRow.init)
    hasRoutes = !routes.isEmpty
    hiddenRoutes =
      totals.count > RouteTotals.shown ? Figures.count(totals.count - RouteTotals.shown, "more route") : nil
  }
}

/// The list of requests.
struct IndexView {
  let title = "Requests"
  let base = ""
  let state: IndexState
  let form: FilterForm
  let problems: [String]
  let rows: [RequestRow]
  let hasRows: Bool
  /// `1–200 of 512`
  let range: String
  let newer: String?
  let older: String?
  /// Most rows.
  let limit: Int
  /// Whether the newest request belongs at the top, so that a script may put it there.
  let growsAtTop: Bool
  /// What leads to the archive, or back; nil without an archive.
  let otherSource: String?

  /// What is kept in memory.
  /// - Parameter traces: All that are kept, newest first.
  init(filter: RequestFilter, traces: [RequestTrace], state: IndexState, hasArchive: Bool = false) {
    let found = filter.select(traces)
    let shown = found.dropFirst(filter.offset).prefix(filter.limit)
    self.state = state
    form = FilterForm(filter, traces: traces)
    problems = filter.problems
    rows = shown.map(RequestRow.init)
    hasRows = !rows.isEmpty
    let last = filter.offset + shown.count
    let of = found.count == traces.count ? "" : ", \(Figures.count(traces.count)) in all"
    range =
      shown.isEmpty
      ? "none of \(Figures.count(traces.count))"
      : "\(Figures.count(filter.offset + 1))–\(Figures.count(last)) of \(Figures.count(found.count))\(of)"
    newer = filter.offset > 0 ? filter.link(offset: max(0, filter.offset - filter.limit)) : nil
    older = last < found.count ? filter.link(offset: last) : nil
    limit = filter.limit
    growsAtTop = filter.order == .newest && filter.offset == 0
    otherSource = hasArchive ? filter.linkToOtherSource : nil
  }

  /// What the archive has.
  /// - Parameters:
  ///   - entries: One more than the filter's limit, if there are that many.
  ///   - traces: All that are kept in memory, newest first, for the filter's form.
  init(filter: RequestFilter, entries: [ArchiveEntry], traces: [RequestTrace], state: IndexState) {
    self.state = state
    form = FilterForm(filter, traces: traces)
    problems = filter.problems + filter.archiveProblems
    rows = entries.prefix(filter.limit).map(RequestRow.init)
    hasRows = !rows.isEmpty
    let last = filter.offset + rows.count
    range =
      rows.isEmpty
      ? "none in the archive"
      : "\(Figures.count(filter.offset + 1))–\(Figures.count(last)) in the archive"
    newer = filter.offset > 0 ? filter.link(offset: max(0, filter.offset - filter.limit)) : nil
    older = entries.count > filter.limit ? filter.link(offset: last) : nil
    limit = filter.limit
    growsAtTop = false
    otherSource = filter.linkToOtherSource
  }
}
