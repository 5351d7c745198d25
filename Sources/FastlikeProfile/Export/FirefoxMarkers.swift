/// The marker table of one thread. Columns are collected first, since the format wants each in one piece.
struct FirefoxMarkerTable {
  private struct Row {
    let name: Int
    let start: Int64
    /// `Int64.min` for an instant.
    let end: Int64
    let category: FirefoxCategory
  }

  private var rows: [Row] = []
  private var data: JSONByteWriter

  init(reserving count: Int) {
    rows.reserveCapacity(count)
    data = JSONByteWriter(reserving: count * 80)
    data.beginArray()
  }

  /// A stretch of time, with the members of its payload written by `payload` behind what `opening` begins.
  mutating func interval(
    _ name: Int, _ category: FirefoxCategory, _ start: Int64, _ end: Int64, _ opening: [UInt8],
    _ payload: (inout JSONByteWriter) -> Void = { _ in }
  ) {
    rows.append(Row(name: name, start: start, end: end, category: category))
    data.value(encoded: opening)
    payload(&data)
    data.endObject()
  }

  mutating func instant(
    _ name: Int, _ category: FirefoxCategory, _ instant: Int64, _ opening: [UInt8],
    _ payload: (inout JSONByteWriter) -> Void = { _ in }
  ) {
    interval(name, category, instant, Int64.min, opening, payload)
  }

  /// The beginning of a payload: an object that is still open.
  static func opening(_ type: String) -> [UInt8] {
    var json = JSONByteWriter()
    json.beginObject()
    json.field("type", type)
    return json.bytes
  }

  static func opening(_ type: FirefoxMarkerType) -> [UInt8] { opening(type.rawValue) }

  /// The value of the key `markers`.
  mutating func write(to json: inout JSONByteWriter) {
    data.endArray()
    json.beginObject()
    json.field("length", rows.count)
    json.array("name", rows.lazy.map(\.name))
    json.array("startTime", of: rows) { $0.value(milliseconds: $1.start) }
    json.array("endTime", of: rows) { json, row in
      if row.end == Int64.min { json.null() } else { json.value(milliseconds: row.end) }
    }
    // 0 is an instant, 1 a stretch with both of its ends.
    json.array("phase", of: rows) { $0.value($1.end == Int64.min ? Int64(0) : 1) }
    json.array("category", rows.lazy.map(\.category.rawValue))
    json.key("data")
    json.value(encoded: data.bytes)
    json.endObject()
  }
}

/// The markers of one request, in nanoseconds from the profile's start.
struct FirefoxMarkers {
  private let exported: ExportedTrace
  private let trace: RequestTrace
  private(set) var table: FirefoxMarkerTable

  init(of exported: ExportedTrace, strings: inout FirefoxSharedTables) {
    self.exported = exported
    trace = exported.trace
    table = FirefoxMarkerTable(
      reserving: 16 + exported.spans.count + exported.blocked.count + exported.calls.count * 3)
    addRequest(&strings)
    addHostcalls(&strings)
    addBlocked(&strings)
    for index in exported.calls.indices { addCall(index, &strings) }
    addDeepMetrics(&strings)
  }

  private func instant(_ nanos: Int64) -> Int64 { exported.offset + Interval.bounded(nanos) }

  private mutating func add(
    _ name: Int, _ category: FirefoxCategory, _ interval: Interval, _ opening: [UInt8],
    _ payload: (inout JSONByteWriter) -> Void = { _ in }
  ) {
    table.interval(
      name, category, exported.offset + interval.start, exported.offset + interval.end, opening, payload)
  }

  // MARK: - The request

  private mutating func addRequest(_ strings: inout FirefoxSharedTables) {
    let trace = trace
    add(strings.string("request"), .request, exported.wall, FirefoxMarkerTable.opening(.request)) { json in
      json.field("request", String(trace.id))
      json.field("method", trace.method)
      json.field("url", trace.url.description)
      json.field("status", trace.status)
      json.field("outcome", trace.outcome.wireName)
      json.field("module", trace.moduleID)
      json.field("moduleName", trace.moduleName)
      json.field("responseBytes", trace.responseBytes)
      json.field("queue", milliseconds: trace.time.queue)
      json.field("setup", milliseconds: trace.time.setup)
      json.field("guest", milliseconds: trace.time.guest)
      json.field("host", milliseconds: trace.time.host)
      for cause in BlockCause.allCases where trace.time.blocked[cause] != 0 {
        json.field(cause.firefoxKey, milliseconds: trace.time.blocked[cause])
      }
    }
    let queue = Interval(start: 0, duration: trace.time.queue).clipped(to: exported.wall)
    let setup = Interval(start: queue.end, duration: trace.time.setup).clipped(to: exported.wall)
    for (name, interval) in [("queue", queue), ("setup", setup)] where !interval.isEmpty {
      add(strings.string(name), .request, interval, FirefoxMarkerTable.opening(.stage)) { json in
        json.field("request", String(trace.id))
      }
    }
    let event = FirefoxMarkerTable.opening(.event)
    for (name, nanos) in [("header_flush", trace.headerFlushNanos), ("hijack", trace.hijackedNanos)] {
      if let nanos { table.instant(strings.string(name), .request, instant(nanos), event) }
    }
    for (name, count) in exported.drops {
      table.instant(strings.string(name), .request, exported.offset, event) { $0.field("count", count) }
    }
    let end = exported.offset + exported.wall.end
    table.instant(strings.string("outcome"), .request, end, event) { $0.field("text", trace.outcome.wireName) }
    for note in trace.notes {
      table.instant(strings.string("note"), .request, end, event) { $0.field("text", note.text) }
    }
  }

  private mutating func addHostcalls(_ strings: inout FirefoxSharedTables) {
    let opening = FirefoxMarkerTable.opening(.hostcall)
    let labels = exported.labels.map { JSONByteWriter.encoded($0) }
    var names = [Int](repeating: -1, count: trace.hostcalls.names.count)
    for (index, span) in trace.spans.enumerated() {
      let slot = exported.hostcallSlot(of: span)
      if names[slot] < 0 { names[slot] = strings.string(trace.hostcalls.names[slot]) }
      add(names[slot], .hostcall, exported.spans[index], opening) { json in
        json.field("status", Int64(span.status))
        if span.blocked > 0 { json.field("blocked", milliseconds: span.blocked) }
        if span.label0 != 0 || span.label1 != 0 {
          json.key("touches")
          json.beginArray()
          for label in [span.label0, span.label1] where label > 0 && Int(label) < labels.count {
            json.value(encoded: labels[Int(label)])
          }
          json.endArray()
        }
        if span.tags != .zero { json.array("tags", (0..<4).lazy.map { Int(span.tags[$0]) }) }
      }
    }
  }

  private mutating func addBlocked(_ strings: inout FirefoxSharedTables) {
    let opening = FirefoxMarkerTable.opening(.suspended)
    let names = BlockCause.allCases.map { strings.string("blocked: \($0.name)") }
    for (index, interval) in trace.blocked.enumerated() {
      add(names[Int(interval.cause.rawValue)], .suspended, exported.blocked[index], opening) { json in
        if interval.inHostcall { json.field("inHostcall", "yes") }
      }
    }
  }

  // MARK: - Backend calls

  private mutating func addCall(_ index: Int, _ strings: inout FirefoxSharedTables) {
    let call = trace.backendCalls[index]
    let phases = exported.calls[index]
    let name = strings.string("backend \(call.name)")
    add(name, .backend, phases.interval, FirefoxMarkerTable.opening(.backendCall)) { json in
      json.field("backend", call.name)
      json.field("method", call.method)
      json.field("url", call.url.description)
      json.field("variant", call.variant.rawValue)
      json.field("status", call.status)
      json.field("outcome", call.outcome.wireName)
      if let failure = call.failure { json.field("failure", failure.rawValue) }
      if let reused = call.reusedConnection { json.field("connection", reused ? "reused" : "new") }
      if let peer = call.peerAddress { json.field("peer", peer) }
      if call.pendingID != 0 { json.field("pendingID", Int64(call.pendingID)) }
      if call.isDynamic { json.field("isDynamic", "yes") }
      if call.isCollapsed { json.field("isCollapsed", "yes") }
      json.field("requestHead", call.requestHeaderBytes)
      json.field("requestBody", call.requestBodyBytes)
      json.field("responseHead", call.responseHeaderBytes)
      json.field("responseBody", call.responseBodyBytes)
    }
    addNetwork(call, phases, id: index + 1, &strings)
  }

  /// Two markers with one id: the viewer joins them. A first one alone is a call that was still running.
  private mutating func addNetwork(
    _ call: BackendCall, _ phases: BackendPhases, id: Int, _ strings: inout FirefoxSharedTables
  ) {
    let url = call.absoluteURL
    let name = strings.string("Load \(id): \(url)")
    let offset = exported.offset
    let opening = FirefoxMarkerTable.opening("Network")
    let whole = phases.interval
    let isRunning = call.outcome == .incomplete
    func common(_ json: inout JSONByteWriter, _ status: String, _ interval: Interval) {
      json.field("status", status)
      json.field("id", id)
      json.field("URI", url)
      json.field("pri", 0)
      json.field("startTime", milliseconds: offset + interval.start)
      json.field("endTime", milliseconds: offset + interval.end)
    }
    let first = isRunning ? whole : Interval(start: whole.start, end: whole.start)
    add(name, .backend, first, opening) { common(&$0, "STATUS_START", first) }
    guard !isRunning else { return }
    add(name, .backend, whole, opening) { json in
      common(&json, call.outcome == .cancelled ? "STATUS_CANCEL" : "STATUS_STOP", whole)
      json.field("requestStatus", call.outcomeText)
      if call.status > 0 {
        json.field("responseStatus", call.status)
        json.field("count", max(0, call.responseBodyBytes))
      }
      if let version = call.httpVersion { json.field("httpVersion", version.rawValue) }
      Self.writePhases(phases, offset: offset, to: &json)
    }
  }

  /// Phases of a connection are drawn only when the first of them is there, so a call without name look-up gets an
  /// empty one.
  private static func writePhases(_ phases: BackendPhases, offset: Int64, to json: inout JSONByteWriter) {
    if let start = [phases.dns, phases.connect, phases.tls].compactMap({ $0?.start }).first {
      json.field("domainLookupStart", milliseconds: offset + start)
      json.field("domainLookupEnd", milliseconds: offset + (phases.dns?.end ?? start))
      if let connect = phases.connect ?? phases.tls {
        json.field("connectStart", milliseconds: offset + connect.start)
        json.field("tcpConnectEnd", milliseconds: offset + (phases.connect?.end ?? connect.start))
        if let tls = phases.tls { json.field("secureConnectionStart", milliseconds: offset + tls.start) }
        json.field("connectEnd", milliseconds: offset + (phases.tls?.end ?? connect.end))
      }
    }
    if phases.isRequestBegun { json.field("requestStart", milliseconds: offset + phases.sendStart) }
    if let firstByte = phases.firstByte {
      json.field("responseStart", milliseconds: offset + firstByte)
      json.field("responseEnd", milliseconds: offset + phases.interval.end)
    }
  }

  // MARK: - Deep metrics

  private mutating func addDeepMetrics(_ strings: inout FirefoxSharedTables) {
    guard let deep = trace.deep else { return }
    let memory = deep.heapAggregates
    let end = exported.offset + exported.wall.end
    let opening = FirefoxMarkerTable.opening(.deepMetrics)
    table.instant(strings.string("deep metrics"), .request, end, opening) { json in
      json.field("bodyRead", deep.bodyReadBytes)
      json.field("bodyWritten", deep.bodyWriteBytes)
      json.field("cacheLookups", deep.cacheLookups)
      json.field("cacheInserts", deep.cacheInserts)
      json.field("cacheHits", deep.cacheHits)
      json.field("cacheMisses", deep.cacheMisses)
      json.field("cacheStale", deep.cacheStale)
      if !deep.heapSamples.isEmpty {
        json.field("memoryMin", memory.min)
        json.field("memoryMax", memory.max)
        json.field("memoryFinal", memory.final)
      }
      if !deep.storeAccess.isEmpty {
        json.array("stores", of: deep.storeAccess) { json, access in
          json.beginArray()
          json.value(access.kind.rawValue)
          json.value(access.name)
          json.value(Int64(access.count))
          json.endArray()
        }
      }
      Self.writeHeaders("requestHeaders", deep.requestHeaders, to: &json)
      Self.writeHeaders("responseHeaders", deep.responseHeaders, to: &json)
    }
  }

  private static func writeHeaders(_ key: StaticString, _ headers: [HeaderSummary], to json: inout JSONByteWriter) {
    guard !headers.isEmpty else { return }
    json.array(key, of: headers) { json, header in
      json.beginArray()
      json.value(header.name)
      json.value(Int64(header.count))
      json.value(Int64(header.bytes))
      json.endArray()
    }
  }
}
