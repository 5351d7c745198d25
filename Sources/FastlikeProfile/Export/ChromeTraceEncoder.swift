/// Writes the Chrome trace event format, for Perfetto's page, speedscope and Firefox Profiler.
///
/// Every request is a process. Its rows: the request itself with queue, setup and lifecycle; the hostcalls; the
/// suspensions; the sampled stacks; the backend calls. Slices on one row must nest, so calls that overlap go to
/// different rows, and an arrow leads from the hostcall to the call that it started. Times are microseconds from the
/// start of the earliest request; the wall clock's anchor is in `otherData`, because readers hold times as doubles.
public enum ChromeTraceEncoder {
  /// One trace.
  public static func encode(_ trace: RequestTrace) -> [UInt8] { encode([trace]) }

  /// Many traces on one clock.
  public static func encode(_ traces: [RequestTrace]) -> [UInt8] {
    let batch = ExportBatch(traces)
    let size = traces.reduce(4096) {
      $0 + $1.spans.count * 220 + $1.blocked.count * 160 + $1.backendCalls.count * 2048 + 2048
        + ($1.guestStacks.samples.count + $1.nativeStacks.samples.count) * 24
    }
    var json = JSONByteWriter(reserving: size)
    json.beginObject()
    json.field("displayTimeUnit", "ms")
    json.key("otherData")
    json.beginObject()
    json.field("generator", "fastlike")
    json.field("start_unix_nanos", String(batch.unixNanos))
    json.endObject()
    json.key("traceEvents")
    json.beginArray()
    var rows = ExportRowNumbers()
    for exported in batch.traces {
      var process = ChromeProcess(exported, rows: rows)
      process.write(to: &json)
      rows = process.rows
    }
    json.endArray()
    json.endObject()
    return json.bytes
  }
}

/// Numbers for processes, threads, arrows and nodes of stacks that are unique in a file: some viewers look threads up
/// by their number alone, and Firefox Profiler keeps one table for the nodes of all profiles.
struct ExportRowNumbers {
  private var row = 0
  private var flow = 0
  private var node = 0

  mutating func nextRow() -> Int {
    row += 1
    return row
  }

  mutating func nextFlow() -> Int {
    flow += 1
    return flow
  }

  /// The first of so many numbers in a row.
  mutating func nextNodes(_ count: Int) -> Int {
    node += count
    return node - count + 1
  }
}

/// The events of one request.
private struct ChromeProcess {
  var rows: ExportRowNumbers
  private let exported: ExportedTrace
  private let trace: RequestTrace
  private let process: Int

  init(_ exported: ExportedTrace, rows: ExportRowNumbers) {
    self.exported = exported
    trace = exported.trace
    var rows = rows
    process = rows.nextRow()
    self.rows = rows
  }

  mutating func write(to json: inout JSONByteWriter) {
    beginMetadata("process_name", row: process, to: &json)
    json.field("name", exported.heading)
    end(&json)
    beginMetadata("process_labels", row: process, to: &json)
    json.field("labels", "\(trace.outcome.wireName), status \(trace.status)")
    end(&json)
    beginMetadata("process_sort_index", row: process, to: &json)
    json.field("sort_index", process)
    end(&json)
    writeRequest(to: &json)
    let hostcallRows = writeHostcalls(to: &json)
    writeBlocked(to: &json)
    for group in exported.sampleGroups { writeSamples(group, to: &json) }
    writeCalls(hostcallRows: hostcallRows, to: &json)
    writeMemory(to: &json)
  }

  // MARK: - Rows

  private func writeRequest(to json: inout JSONByteWriter) {
    name(row: process, "request", to: &json)
    beginSlice(head("X", exported.title, "request"), row: process, exported.wall, to: &json)
    json.field("request", String(trace.id))
    json.field("module", trace.moduleID)
    json.field("module_name", trace.moduleName)
    json.field("status", trace.status)
    json.field("outcome", trace.outcome.wireName)
    json.field("response_bytes", trace.responseBytes)
    json.field("start_unix_nanos", String(trace.wallStartUnixNanos))
    json.field("queue_ns", trace.time.queue)
    json.field("setup_ns", trace.time.setup)
    json.field("guest_ns", trace.time.guest)
    json.field("host_ns", trace.time.host)
    for cause in BlockCause.allCases where trace.time.blocked[cause] != 0 {
      json.field(cause.exportKey, trace.time.blocked[cause])
    }
    end(&json)
    let queue = Interval(start: 0, duration: trace.time.queue).clipped(to: exported.wall)
    let setup = Interval(start: queue.end, duration: trace.time.setup).clipped(to: exported.wall)
    for (name, interval) in [("queue", queue), ("setup", setup)] where !interval.isEmpty {
      beginSlice(head("X", name, "request"), row: process, interval, to: &json)
      end(&json)
    }
    writeInstants(to: &json)
    writeDeep(to: &json)
  }

  private func writeInstants(to json: inout JSONByteWriter) {
    if let flushed = trace.headerFlushNanos { instant("header_flush", at: flushed, to: &json) }
    if let hijacked = trace.hijackedNanos { instant("hijack", at: hijacked, to: &json) }
    for (name, count) in exported.drops {
      beginInstant(name, at: 0, to: &json)
      json.field("count", count)
      end(&json)
    }
    instant("outcome.\(trace.outcome.wireName)", at: exported.wall.end, to: &json)
    for note in trace.notes {
      beginInstant("note", at: exported.wall.end, to: &json)
      json.field("text", note.text)
      end(&json)
    }
  }

  private func writeDeep(to json: inout JSONByteWriter) {
    guard let deep = trace.deep else { return }
    beginInstant("deep_metrics", at: exported.wall.end, to: &json)
    json.field("body_read_bytes", deep.bodyReadBytes)
    json.field("body_write_bytes", deep.bodyWriteBytes)
    json.field("cache_lookups", deep.cacheLookups)
    json.field("cache_inserts", deep.cacheInserts)
    json.field("cache_hits", deep.cacheHits)
    json.field("cache_misses", deep.cacheMisses)
    json.field("cache_stale", deep.cacheStale)
    json.array("store_access", of: deep.storeAccess) { json, access in
      json.value("\(access.kind.rawValue) \(access.name): \(access.count)")
    }
    for (key, headers) in [
      ("request_headers" as StaticString, deep.requestHeaders), ("response_headers", deep.responseHeaders),
    ] {
      json.array(key, of: headers) { json, header in
        json.value("\(header.name): \(header.count) × \(header.bytes) bytes")
      }
    }
    end(&json)
  }

  /// - Returns: The row of each span.
  private mutating func writeHostcalls(to json: inout JSONByteWriter) -> [Int] {
    let lanes = Lanes(exported.spans)
    let laneRows = nameRows(lanes.count, "hostcalls", to: &json)
    var heads = [[UInt8]?](repeating: nil, count: trace.hostcalls.names.count)
    for (index, span) in trace.spans.enumerated() {
      let slot = exported.hostcallSlot(of: span)
      let head = heads[slot] ?? head("X", trace.hostcalls.names[slot], "hostcall")
      heads[slot] = head
      beginSlice(head, row: laneRows[lanes.indices[index]], exported.spans[index], to: &json)
      json.field("status", Int64(span.status))
      if span.blocked > 0 { json.field("blocked_ns", span.blocked) }
      if span.label0 != 0 || span.label1 != 0 { json.array("touches", exported.labels(of: span)) }
      if span.tags != .zero { json.array("tags", (0..<4).lazy.map { Int(span.tags[$0]) }) }
      end(&json)
    }
    return lanes.indices.map { laneRows[$0] }
  }

  private mutating func writeBlocked(to json: inout JSONByteWriter) {
    let lanes = Lanes(exported.blocked)
    let laneRows = nameRows(lanes.count, "suspended", to: &json)
    let heads = BlockCause.allCases.map { head("X", "blocked: \($0.name)", "blocked") }
    for (index, interval) in trace.blocked.enumerated() {
      let row = laneRows[lanes.indices[index]]
      beginSlice(heads[Int(interval.cause.rawValue)], row: row, exported.blocked[index], to: &json)
      if !interval.inHostcall { json.field("in_hostcall", false) }
      end(&json)
    }
  }

  private mutating func writeCalls(hostcallRows: [Int], to json: inout JSONByteWriter) {
    let lanes = Lanes(exported.calls.map(\.interval))
    let laneRows = nameRows(lanes.count, "backend calls", to: &json)
    let heads = BackendPhases.Name.allCases.map { (name: $0, head: head("X", $0.rawValue, "backend.phase")) }
    let phaseHeads = Dictionary(uniqueKeysWithValues: heads.map { ($0.name, $0.head) })
    let flowHeads = (from: head("s", "backend call", "backend"), to: head("f", "backend call", "backend"))
    for (index, call) in trace.backendCalls.enumerated() {
      let phases = exported.calls[index]
      let row = laneRows[lanes.indices[index]]
      beginSlice(head("X", "\(call.name) \(call.method)", "backend"), row: row, phases.interval, to: &json)
      writeArguments(of: call, to: &json)
      end(&json)
      // An arrow from the hostcall that was open at the call's start. Its ends must lie inside of slices that last, and
      // it comes before the phases: at one instant, Perfetto takes the slice that it has seen last.
      if !phases.interval.isEmpty, let span = exported.span(at: phases.interval.start) {
        let flow = rows.nextFlow()
        begin(flowHeads.from, row: hostcallRows[span], at: phases.interval.start, to: &json)
        json.field("id", flow)
        json.field("args", literal: "{}")
        json.endObject()
        begin(flowHeads.to, row: row, at: phases.interval.start, to: &json)
        json.field("id", flow)
        json.field("bp", "e")
        json.field("args", literal: "{}")
        json.endObject()
      }
      for (name, interval) in phases.segments {
        guard let head = phaseHeads[name] else { continue }
        beginSlice(head, row: row, interval, to: &json)
        end(&json)
      }
    }
  }

  private func writeArguments(of call: BackendCall, to json: inout JSONByteWriter) {
    json.field("backend", call.name)
    json.field("method", call.method)
    json.field("url", call.url.description)
    json.field("variant", call.variant.rawValue)
    json.field("status", call.status)
    json.field("outcome", call.outcome.wireName)
    if let failure = call.failure { json.field("failure", failure.rawValue) }
    if let version = call.httpVersion { json.field("http_version", version.rawValue) }
    if let reused = call.reusedConnection { json.field("connection_reused", reused) }
    if let peer = call.peerAddress { json.field("peer", peer) }
    if call.pendingID != 0 { json.field("pending_id", Int64(call.pendingID)) }
    if call.isDynamic { json.field("dynamic", true) }
    if call.isCollapsed { json.field("collapsed", true) }
    json.field("request_header_bytes", call.requestHeaderBytes)
    json.field("request_body_bytes", call.requestBodyBytes)
    json.field("response_header_bytes", call.responseHeaderBytes)
    json.field("response_body_bytes", call.responseBodyBytes)
  }

  private func writeMemory(to json: inout JSONByteWriter) {
    let head = head("C", "memory", "memory")
    for sample in trace.deep?.heapSamples ?? [] {
      begin(head, row: process, at: Interval.bounded(sample.relativeNanos), to: &json)
      json.key("args")
      json.beginObject()
      json.field("bytes", sample.memoryBytes)
      end(&json)
    }
  }

  /// Sampled stacks, as the events of V8's profiler: the only form that all viewers draw as a flame graph.
  private mutating func writeSamples(_ group: SampleGroup, to json: inout JSONByteWriter) {
    let row = rows.nextRow()
    name(row: row, group.name, to: &json)
    let ticks = group.ticks(suspendedAt: exported.blocked)
    let nodes = StackNodeNumbers(group, &rows)
    let id = "0x" + String(row, radix: 16)
    // Whole microseconds, of which each difference is taken, so that roundings do not add up.
    let start = (exported.offset + (ticks.first?.nanos ?? 0)) / 1000
    begin(head("P", "Profile", Self.profilerCategory), row: row, at: ticks.first?.nanos ?? 0, to: &json)
    json.field("id", id)
    json.key("args")
    json.beginObject()
    json.key("data")
    json.beginObject()
    json.field("startTime", start)
    json.endObject()
    end(&json)
    begin(head("P", "ProfileChunk", Self.profilerCategory), row: row, at: ticks.first?.nanos ?? 0, to: &json)
    json.field("id", id)
    json.key("args")
    json.beginObject()
    json.key("data")
    json.beginObject()
    json.key("cpuProfile")
    json.beginObject()
    nodes.write(to: &json)
    // Readers take a sample to last until the next, so one more closes the last.
    json.array("samples", ticks.map { nodes.number(of: $0.stack) } + [nodes.idle])
    json.endObject()
    let closing = max(exported.wall.end, (ticks.last?.nanos ?? 0) + 1000)
    var previous = start
    json.array("timeDeltas", of: ticks.map(\.nanos) + [closing]) { json, nanos in
      let instant = (exported.offset + nanos) / 1000
      json.value(instant - previous)
      previous = instant
    }
    json.endObject()
    end(&json)
  }

  private static let profilerCategory = "disabled-by-default-v8.cpu_profiler"

  // MARK: - Events

  /// The beginning of an event that is the same for many: an object that is still open.
  private func head(_ phase: String, _ name: String, _ category: String) -> [UInt8] {
    var json = JSONByteWriter(reserving: 128)
    json.beginObject()
    json.field("ph", phase)
    json.field("name", name.isEmpty ? "unknown" : name)
    json.field("cat", category)
    json.field("pid", process)
    return json.bytes
  }

  private func begin(_ head: [UInt8], row: Int, at instant: Int64, to json: inout JSONByteWriter) {
    json.value(encoded: head)
    json.field("tid", row)
    json.field("ts", microsecondsFrom: 0, to: exported.offset + instant)
  }

  /// Opens a slice's arguments; ``end(_:)`` closes both.
  private func beginSlice(_ head: [UInt8], row: Int, _ interval: Interval, to json: inout JSONByteWriter) {
    begin(head, row: row, at: interval.start, to: &json)
    json.field("dur", microsecondsFrom: exported.offset + interval.start, to: exported.offset + interval.end)
    json.key("args")
    json.beginObject()
  }

  private func beginInstant(_ name: String, at instant: Int64, to json: inout JSONByteWriter) {
    begin(head("i", name, "lifecycle"), row: process, at: Interval.bounded(instant), to: &json)
    json.field("s", "p")
    json.key("args")
    json.beginObject()
  }

  private func instant(_ name: String, at instant: Int64, to json: inout JSONByteWriter) {
    beginInstant(name, at: instant, to: &json)
    end(&json)
  }

  private func beginMetadata(_ name: String, row: Int, to json: inout JSONByteWriter) {
    json.value(encoded: head("M", name, "__metadata"))
    json.field("tid", row)
    json.field("ts", 0)
    json.key("args")
    json.beginObject()
  }

  private func end(_ json: inout JSONByteWriter) {
    json.endObject()
    json.endObject()
  }

  private func name(row: Int, _ name: String, to json: inout JSONByteWriter) {
    beginMetadata("thread_name", row: row, to: &json)
    json.field("name", name)
    end(&json)
    beginMetadata("thread_sort_index", row: row, to: &json)
    json.field("sort_index", row)
    end(&json)
  }

  private mutating func nameRows(_ count: Int, _ title: String, to json: inout JSONByteWriter) -> [Int] {
    var found: [Int] = []
    for lane in 0..<count {
      let row = rows.nextRow()
      name(row: row, lane == 0 ? title : "\(title) (\(lane + 1))", to: &json)
      found.append(row)
    }
    return found
  }
}
