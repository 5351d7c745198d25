import FastlikeProfile

/// The hostcalls of one name in one request.
struct HostcallGroup {
  /// Most labels that are shown of a group.
  private static let shownLabels = 4

  let name: String
  var count = 0
  var totalNanoseconds: Int64 = 0
  var blockedNanoseconds: Int64 = 0
  var maximumNanoseconds: Int64 = 0
  /// How many returned a status other than 0.
  var refusals = 0
  private var labels: [UInt32] = []

  var hostNanoseconds: Int64 { totalNanoseconds - blockedNanoseconds }

  private init(name: String) { self.name = name }

  /// The groups with the most time first.
  static func groups(of trace: RequestTrace) -> [HostcallGroup] {
    var groups: [UInt16: HostcallGroup] = [:]
    for span in trace.spans {
      var group = groups[span.hostcall] ?? HostcallGroup(name: trace.name(of: span))
      group.count += 1
      group.totalNanoseconds += span.duration
      group.blockedNanoseconds += span.blocked
      group.maximumNanoseconds = max(group.maximumNanoseconds, span.duration)
      if span.status != 0 { group.refusals += 1 }
      for label in [span.label0, span.label1] where label != 0 && !group.labels.contains(label) {
        // One more than is shown tells that there are more.
        if group.labels.count <= shownLabels { group.labels.append(label) }
      }
      groups[span.hostcall] = group
    }
    return groups.values.sorted { ($1.totalNanoseconds, $0.name) < ($0.totalNanoseconds, $1.name) }
  }

  /// What the calls touched: names of stores, backends and so on.
  func touched(in trace: RequestTrace) -> String {
    let names = labels.prefix(Self.shownLabels).compactMap { trace.label($0)?.name }.filter { !$0.isEmpty }
    return names.joined(separator: ", ") + (labels.count > Self.shownLabels ? ", …" : "")
  }
}

/// A row of the table of hostcalls.
struct HostcallRow {
  let name: String
  let touched: String
  let calls: String
  let total: String
  let waited: String
  let average: String
  let maximum: String
  /// nil when every call returned 0.
  let refusals: String?

  init(_ group: HostcallGroup, of trace: RequestTrace) {
    name = group.name
    touched = group.touched(in: trace)
    calls = Figures.count(group.count)
    total = Figures.milliseconds(group.totalNanoseconds)
    waited = Figures.milliseconds(group.blockedNanoseconds)
    average = Figures.milliseconds(group.totalNanoseconds / Int64(max(1, group.count)))
    maximum = Figures.milliseconds(group.maximumNanoseconds)
    refusals = group.refusals == 0 ? nil : Figures.count(group.refusals)
  }
}

/// A row of the table of backend calls. Times are milliseconds; nil where a phase did not happen or was not seen.
struct BackendRow {
  let number: Int
  let name: String
  let method: String
  let url: String
  let variant: String
  let status: String
  let ending: String
  let hasFailed: Bool
  let started: String
  let dns: String?
  let connect: String?
  let tls: String?
  let sent: String?
  let firstByte: String?
  let receiving: String?
  let total: String
  let sentBytes: String
  let receivedBytes: String
  let connection: String
  let bar: Bar

  init(_ call: BackendCall, number: Int, of trace: RequestTrace) {
    self.number = number
    name = call.name
    method = call.method
    url = call.url.description
    variant = call.variant.rawValue
    status = call.status > 0 ? String(call.status) : "–"
    ending = call.failure.map { "\(call.outcome.wireName): \($0.rawValue)" } ?? call.outcome.wireName
    hasFailed = call.outcome != .ok
    started = Figures.milliseconds(call.started)
    dns = call.dns.map { Figures.milliseconds($0.duration) }
    connect = call.connect.map { Figures.milliseconds($0.duration) }
    tls = call.tls.map { Figures.milliseconds($0.duration) }
    sent = call.requestSentNanos.map(Figures.milliseconds)
    firstByte = call.ttfbNanos.map(Figures.milliseconds)
    receiving = call.ttfbNanos.map { Figures.milliseconds(call.totalNanos - $0) }
    total = Figures.milliseconds(call.totalNanos)
    sentBytes = Figures.bytes(call.requestHeaderBytes + call.requestBodyBytes)
    receivedBytes = Figures.bytes(call.responseHeaderBytes + call.responseBodyBytes)
    var facts: [String] = []
    if let version = call.httpVersion { facts.append(version.rawValue) }
    if let isReused = call.reusedConnection { facts.append(isReused ? "reused" : "new") }
    if let peer = call.peerAddress { facts.append(peer) }
    if call.isDynamic { facts.append("dynamic") }
    if call.isCollapsed { facts.append("shared with another request") }
    connection = facts.joined(separator: ", ")
    bar = Waterfall.bar(of: call, until: trace.extent)
  }
}

/// The functions in which samples were taken.
struct FunctionRow {
  /// Most functions that are shown.
  static let shown = 20

  let function: String
  let module: String
  let samples: String
  let share: String

  /// The functions that were innermost most often.
  static func rows(of profile: StackProfile) -> [FunctionRow] {
    var counts: [StackFrame: Int] = [:]
    for sample in profile.samples {
      if let leaf = profile.table.leaf(of: sample.stack) { counts[leaf, default: 0] += 1 }
    }
    let ranked = counts.sorted { ($1.value, $0.key.name) < ($0.value, $1.key.name) }
    return ranked.prefix(shown).map { frame, count in
      FunctionRow(
        function: frame.name, module: frame.module, samples: Figures.count(count),
        share: Figures.share(Int64(count), of: Int64(profile.samples.count)))
    }
  }
}

/// What only the deep mode records.
struct DeepView {
  struct HeaderRow {
    let name: String
    let count: Int
    let size: String

    init(_ header: HeaderSummary) {
      name = header.name
      count = header.count
      size = Figures.bytes(Int64(header.bytes))
    }
  }

  struct StoreRow {
    let kind: String
    let name: String
    let uses: String
  }

  let bodies: String
  let cache: String
  /// nil without samples.
  let memory: String?
  let requestHeaders: [HeaderRow]
  let responseHeaders: [HeaderRow]
  let hasHeaders: Bool
  let stores: [StoreRow]
  let hasStores: Bool

  init(_ deep: DeepMetrics) {
    bodies = "\(Figures.bytes(deep.bodyReadBytes)) read, \(Figures.bytes(deep.bodyWriteBytes)) written"
    let isCacheUsed = deep.cacheLookups > 0 || deep.cacheInserts > 0
    cache =
      !isCacheUsed
      ? "not used"
      : "\(Figures.count(deep.cacheLookups, "lookup")): \(Figures.count(deep.cacheHits, "hit")), "
        + "\(deep.cacheMisses == 1 ? "1 miss" : Figures.count(deep.cacheMisses) + " misses"), "
        + "\(Figures.count(deep.cacheStale)) stale; \(Figures.count(deep.cacheInserts, "insert"))"
    let heap = deep.heapAggregates
    memory =
      deep.heapSamples.isEmpty
      ? nil
      : "\(Figures.bytes(heap.min)) at least, \(Figures.bytes(heap.max)) at most, \(Figures.bytes(heap.final)) at the end"
    requestHeaders = deep.requestHeaders.map(HeaderRow.init)
    responseHeaders = deep.responseHeaders.map(HeaderRow.init)
    hasHeaders = !requestHeaders.isEmpty || !responseHeaders.isEmpty
    stores = deep.storeAccess.map {
      StoreRow(kind: $0.kind.rawValue, name: $0.name, uses: Figures.count($0.count))
    }
    hasStores = !stores.isEmpty
  }
}

/// A row of the table of the guest's memory growth.
struct GrowthRow {
  /// Most growths, and most functions of each, that are shown.
  static let shown = 20
  private static let shownFunctions = 6

  let instant: String
  let sizes: String
  let stack: String

  static func rows(of trace: RequestTrace) -> [GrowthRow] {
    trace.memoryGrowth.prefix(shown).map { growth in
      GrowthRow(
        instant: Figures.milliseconds(growth.relativeNanos),
        sizes: "\(Figures.bytes(growth.fromBytes)) → \(Figures.bytes(growth.toBytes))",
        stack: growth.stack.isEmpty
          ? "after the last hostcall" : growth.stack.prefix(shownFunctions).joined(separator: " ← "))
    }
  }
}
