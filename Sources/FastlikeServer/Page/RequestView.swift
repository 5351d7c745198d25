import FastlikeProfile

/// The page of one request.
struct RequestView {
  struct LegendRow {
    let kind: String
    let meaning: String
    let time: String
    let share: String
    /// How often and how long at most; nil for what is no suspension.
    let waits: String?
  }

  struct ExportLink {
    let address: String
    let title: String
    let use: String
  }

  let title: String
  let base = "../"
  let id: UInt64
  let instant: PageInstant
  let method: String
  let path: String
  /// nil when not known.
  let host: String?
  let status: String
  let statusKind: String
  /// nil for a normal end.
  let ending: String?
  let wall: String
  /// What else is known of the request: `http/1.1`, the module, the size of the response.
  /// nil when nothing is.
  let facts: String?
  let sentence: String
  let remarks: [String]
  /// What was dropped, kind by kind.
  let drops: [String]
  let isTruncated: Bool
  let notes: [String]
  let bar: Bar
  let legend: [LegendRow]
  let waterfall: Waterfall
  let hostcalls: [HostcallRow]
  let hasHostcalls: Bool
  let hostcallSummary: String
  let backends: [BackendRow]
  let hasBackends: Bool
  let guestFunctions: [FunctionRow]
  let hasGuestFunctions: Bool
  let growths: [GrowthRow]
  let hasGrowths: Bool
  /// How many growths are not shown; nil when all are.
  let hiddenGrowths: String?
  let nativeFunctions: [FunctionRow]
  let hasNativeFunctions: Bool
  /// nil in other modes than deep.
  let deep: DeepView?
  let exports: [ExportLink]
  /// The ids of the neighbours in the list; nil at its ends.
  let newer: UInt64?
  let older: UInt64?
  /// Whether viewers on other sites cannot fetch from here, because they have no token.
  let needsToken: Bool

  /// - Parameters:
  ///   - ids: The ids of all kept requests, newest first.
  init(_ trace: RequestTrace, ids: [UInt64] = [], needsToken: Bool = false) {
    let row = RequestRow(trace)
    let explanation = Explanation(of: trace)
    title = "\(trace.method) \(row.path)"
    id = trace.id
    instant = row.instant
    method = row.method
    path = row.path
    let origin = trace.url.scheme.isEmpty ? trace.url.host : "\(trace.url.scheme)://\(trace.url.host)"
    host = trace.url.host.isEmpty ? nil : origin
    status = row.status
    statusKind = row.statusKind
    ending = row.ending
    wall = Figures.duration(trace.wallNanos)
    facts = Self.facts(of: trace)
    sentence = explanation.sentence
    remarks = explanation.remarks
    drops = Self.drops(of: trace)
    isTruncated = !drops.isEmpty
    notes = trace.notes.map(\.text)
    bar = row.bar
    legend = Self.legend(of: trace)
    waterfall = Waterfall(of: trace)
    hostcalls = HostcallGroup.groups(of: trace).map { HostcallRow($0, of: trace) }
    hasHostcalls = !hostcalls.isEmpty
    hostcallSummary =
      "\(Figures.count(trace.spans.count + trace.droppedSpans, "call")), "
      + "\(Figures.duration(trace.hostcallNanos)) with \(Figures.duration(trace.time.blockedInHostcalls)) of waiting"
    backends = trace.backendCalls.enumerated().map { BackendRow($1, number: $0 + 1, of: trace) }
    hasBackends = !backends.isEmpty
    guestFunctions = FunctionRow.rows(of: trace.guestStacks)
    hasGuestFunctions = !guestFunctions.isEmpty
    growths = GrowthRow.rows(of: trace)
    hasGrowths = !growths.isEmpty
    let hidden = trace.memoryGrowth.count - growths.count + trace.droppedMemoryGrowth
    hiddenGrowths = hidden > 0 ? Figures.count(hidden, "more growth") : nil
    nativeFunctions = FunctionRow.rows(of: trace.nativeStacks)
    hasNativeFunctions = !nativeFunctions.isEmpty
    deep = trace.deep.map(DeepView.init)
    exports = TraceExportFormat.allCases.map {
      ExportLink(address: "\(trace.id)\($0.pageSuffix)", title: $0.pageTitle, use: $0.pageUse)
    }
    let place = ids.firstIndex(of: trace.id)
    newer = place.flatMap { $0 > 0 ? ids[$0 - 1] : nil }
    older = place.flatMap { $0 + 1 < ids.count ? ids[$0 + 1] : nil }
    self.needsToken = needsToken
  }

  private static func facts(of trace: RequestTrace) -> String? {
    var facts: [String] = []
    if let version = trace.httpVersion { facts.append(version.rawValue) }
    if trace.status > 0 { facts.append("\(Figures.bytes(trace.responseBytes)) of body sent") }
    if let flush = trace.headerFlushNanos { facts.append("head sent after \(Figures.duration(flush))") }
    if trace.hijackedNanos != nil { facts.append("connection taken over") }
    if let fuel = trace.guestFuel { facts.append("\(Figures.count(Int(fuel))) fuel") }
    if let cpu = trace.tellingCPUNanos { facts.append("\(Figures.duration(cpu)) of CPU by sampling") }
    let module = trace.moduleName.isEmpty ? trace.moduleID : "\(trace.moduleName) (\(trace.moduleID))"
    if !module.isEmpty { facts.append(module) }
    return facts.isEmpty ? nil : facts.joined(separator: " · ")
  }

  private static func legend(of trace: RequestTrace) -> [LegendRow] {
    trace.time.owners.map { owner, nanoseconds in
      let waits = owner.cause.map { cause in trace.blocked.filter { $0.cause == cause } } ?? []
      let longest = waits.reduce(0) { max($0, $1.duration) }
      return LegendRow(
        kind: owner.rawValue, meaning: owner.meaning, time: Figures.duration(nanoseconds),
        share: Figures.share(nanoseconds, of: trace.time.total),
        waits: waits.isEmpty
          ? nil : "\(Figures.count(waits.count, "wait")), the longest \(Figures.duration(longest))")
    }
  }

  private static func drops(of trace: RequestTrace) -> [String] {
    [
      (trace.droppedSpans, "hostcall"), (trace.droppedBackendCalls, "backend call"),
      (trace.droppedBlockedIntervals, "suspension"), (trace.droppedGuestSamples, "stack sample"),
      (trace.deep?.heapSamplesDropped ?? 0, "memory sample"),
    ].filter { $0.0 > 0 }.map { Figures.count($0.0, $0.1) }
  }
}

extension TraceExportFormat {
  /// What follows a request's id in the address of its export.
  var pageSuffix: String {
    switch self {
    case .json: ".json"
    case .firefox: ".firefox.json"
    case .chrome: ".chrome.json"
    case .pprof: ".pprof"
    case .perfetto: ".perfetto"
    case .speedscope: ".speedscope.json"
    case .collapsed: ".collapsed.txt"
    case .har: ".har"
    }
  }

  fileprivate var pageTitle: String {
    switch self {
    case .json: "native JSON"
    case .firefox: "Firefox Profiler"
    case .chrome: "Chrome trace"
    case .pprof: "pprof"
    case .perfetto: "Perfetto"
    case .speedscope: "speedscope"
    case .collapsed: "collapsed stacks"
    case .har: "HAR"
    }
  }

  fileprivate var pageUse: String {
    switch self {
    case .json: "everything, and what fastlike itself reads back"
    case .firefox: "for profiler.firefox.com"
    case .chrome: "trace events, for chrome://tracing"
    case .pprof: "for go tool pprof"
    case .perfetto: "for ui.perfetto.dev and trace_processor"
    case .speedscope: "for speedscope.app"
    case .collapsed: "for flamegraph.pl and inferno"
    case .har: "the backend calls, for browsers' network panels"
    }
  }
}
