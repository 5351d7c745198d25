/// Writes Perfetto's own trace format: a `perfetto.protos.Trace`, which is a plain row of packets. Smaller than the
/// Chrome format, with exact nanoseconds, and sampled stacks as such.
///
/// Every request is a process with a track for each row. Backend calls that overlap get tracks of their own, and an
/// arrow leads from the hostcall to the call that it started. The clock starts with the earliest request; a clock
/// snapshot ties it to the wall clock.
public enum PerfettoEncoder {
  /// One trace.
  public static func encode(_ trace: RequestTrace) -> [UInt8] { encode([trace]) }

  /// Many traces on one clock.
  public static func encode(_ traces: [RequestTrace]) -> [UInt8] {
    let batch = ExportBatch(traces)
    let size = traces.reduce(4096) {
      $0 + $1.spans.count * 110 + $1.blocked.count * 60 + $1.backendCalls.count * 800
        + ($1.guestStacks.samples.count + $1.nativeStacks.samples.count) * 32
    }
    var stream = PerfettoStream(reserving: size)
    var rows = ExportRowNumbers()
    for exported in batch.traces {
      var process = PerfettoProcess(exported, rows: rows)
      process.write(to: &stream)
      rows = process.rows
    }
    return stream.finish(unixNanos: batch.unixNanos)
  }
}

/// The packets of one request.
private struct PerfettoProcess {
  var rows: ExportRowNumbers
  private let exported: ExportedTrace
  private let trace: RequestTrace
  private let process: Int
  private var nextRank = 0

  init(_ exported: ExportedTrace, rows: ExportRowNumbers) {
    self.exported = exported
    trace = exported.trace
    var rows = rows
    process = rows.nextRow()
    self.rows = rows
  }

  mutating func write(to stream: inout PerfettoStream) {
    stream.processTrack(UInt64(process), pid: process, name: exported.heading)
    writeRequest(to: &stream)
    let calls = Lanes(exported.calls.map(\.interval))
    var flows: [Int: [UInt64]] = [:]
    let flowOfCall = exported.calls.map { phases -> UInt64? in
      guard let span = exported.span(at: phases.interval.start) else { return nil }
      let flow = UInt64(rows.nextFlow())
      flows[span, default: []].append(flow)
      return flow
    }
    writeHostcalls(flows: flows, to: &stream)
    writeBlocked(to: &stream)
    for group in exported.sampleGroups { writeSamples(group, to: &stream) }
    writeCalls(calls, flowOfCall: flowOfCall, to: &stream)
    writeMemory(to: &stream)
  }

  private mutating func track(_ name: String, isCounter: Bool = false, to stream: inout PerfettoStream) -> UInt64 {
    let uuid = UInt64(rows.nextRow())
    stream.track(uuid, parent: UInt64(process), name: name, rank: nextRank, isCounter: isCounter)
    nextRank += 1
    return uuid
  }

  private mutating func tracks(_ count: Int, _ title: String, to stream: inout PerfettoStream) -> [UInt64] {
    (0..<count).map { track($0 == 0 ? title : "\(title) (\($0 + 1))", to: &stream) }
  }

  private func instant(_ nanos: Int64) -> Int64 { exported.offset + Interval.bounded(nanos) }

  // MARK: - Rows

  private mutating func writeRequest(to stream: inout PerfettoStream) {
    let track = track("request", to: &stream)
    let deep = trace.deep
    stream.begin(track, at: instant(0), exported.title, category: "request") { event in
      event.annotate("request", String(trace.id))
      event.annotate("module", trace.moduleID)
      event.annotate("module_name", trace.moduleName)
      event.annotate("status", Int64(trace.status))
      event.annotate("outcome", trace.outcome.wireName)
      event.annotate("response_bytes", trace.responseBytes)
      event.annotate("queue_ns", trace.time.queue)
      event.annotate("setup_ns", trace.time.setup)
      event.annotate("guest_ns", trace.time.guest)
      event.annotate("host_ns", trace.time.host)
      for cause in BlockCause.allCases where trace.time.blocked[cause] != 0 {
        event.annotate(cause.exportKey.description, trace.time.blocked[cause])
      }
      if let deep {
        event.annotate("body_read_bytes", deep.bodyReadBytes)
        event.annotate("body_write_bytes", deep.bodyWriteBytes)
        event.annotate("cache_lookups", Int64(deep.cacheLookups))
        event.annotate("cache_inserts", Int64(deep.cacheInserts))
        event.annotate("cache_hits", Int64(deep.cacheHits))
        event.annotate("cache_misses", Int64(deep.cacheMisses))
        event.annotate("cache_stale", Int64(deep.cacheStale))
        for access in deep.storeAccess {
          event.annotate("store_access.\(access.kind.rawValue) \(access.name)", Int64(access.count))
        }
      }
    }
    let queue = Interval(start: 0, duration: trace.time.queue).clipped(to: exported.wall)
    let setup = Interval(start: queue.end, duration: trace.time.setup).clipped(to: exported.wall)
    for (name, interval) in [("queue", queue), ("setup", setup)] where !interval.isEmpty {
      stream.begin(track, at: instant(interval.start), name, category: "request")
      stream.end(track, at: instant(interval.end))
    }
    stream.end(track, at: instant(exported.wall.end))
    // On a track of their own: an instant on the track of slices could be later than the slice that is open there.
    let lifecycle = self.track("lifecycle", to: &stream)
    for (name, nanos) in [("header_flush", trace.headerFlushNanos), ("hijack", trace.hijackedNanos)] {
      if let nanos { stream.instant(lifecycle, at: instant(nanos), name, category: "lifecycle") }
    }
    for (name, count) in exported.drops {
      stream.instant(lifecycle, at: instant(0), name, category: "lifecycle") { $0.annotate("count", Int64(count)) }
    }
    let end = instant(exported.wall.end)
    stream.instant(lifecycle, at: end, "outcome.\(trace.outcome.wireName)", category: "lifecycle")
    for note in trace.notes {
      stream.instant(lifecycle, at: end, "note", category: "lifecycle") { $0.annotate("text", note.text) }
    }
  }

  private mutating func writeHostcalls(flows: [Int: [UInt64]], to stream: inout PerfettoStream) {
    let lanes = Lanes(exported.spans)
    let tracks = tracks(lanes.count, "hostcalls", to: &stream)
    for (index, span) in trace.spans.enumerated() {
      let track = tracks[lanes.indices[index]]
      let name = trace.hostcalls.names[exported.hostcallSlot(of: span)]
      let interval = exported.spans[index]
      let outgoing = flows[index] ?? []
      stream.begin(track, at: instant(interval.start), name, category: "hostcall", outgoing: outgoing) { event in
        event.annotate("status", Int64(span.status))
        if span.blocked > 0 { event.annotate("blocked_ns", span.blocked) }
        for label in exported.labels(of: span) { event.annotate("touches", label) }
        if span.tags != .zero {
          for tag in 0..<4 { event.annotate(Self.tagNames[tag], Int64(span.tags[tag])) }
        }
      }
      stream.end(track, at: instant(interval.end))
    }
  }

  private static let tagNames = ["tag0", "tag1", "tag2", "tag3"]

  private mutating func writeBlocked(to stream: inout PerfettoStream) {
    let lanes = Lanes(exported.blocked)
    let tracks = tracks(lanes.count, "suspended", to: &stream)
    let names = BlockCause.allCases.map { "blocked: \($0.name)" }
    for (index, interval) in exported.blocked.enumerated() {
      let track = tracks[lanes.indices[index]]
      let name = names[Int(trace.blocked[index].cause.rawValue)]
      stream.begin(track, at: instant(interval.start), name, category: "blocked")
      stream.end(track, at: instant(interval.end))
    }
  }

  private mutating func writeCalls(_ lanes: Lanes, flowOfCall: [UInt64?], to stream: inout PerfettoStream) {
    let tracks = tracks(lanes.count, "backend calls", to: &stream)
    for (index, call) in trace.backendCalls.enumerated() {
      let track = tracks[lanes.indices[index]]
      let phases = exported.calls[index]
      let incoming = flowOfCall[index].map { [$0] } ?? []
      stream.begin(
        track, at: instant(phases.interval.start), "\(call.name) \(call.method)", category: "backend",
        incoming: incoming
      ) { Self.annotate(call, on: &$0) }
      for (name, interval) in phases.segments {
        stream.begin(track, at: instant(interval.start), name.rawValue, category: "backend.phase")
        stream.end(track, at: instant(interval.end))
      }
      stream.end(track, at: instant(phases.interval.end))
    }
  }

  private static func annotate(_ call: BackendCall, on event: inout PerfettoStream.Event) {
    event.annotate("backend", call.name)
    event.annotate("method", call.method)
    event.annotate("url", call.url.description)
    event.annotate("variant", call.variant.rawValue)
    event.annotate("status", Int64(call.status))
    event.annotate("outcome", call.outcome.wireName)
    if let failure = call.failure { event.annotate("failure", failure.rawValue) }
    if let version = call.httpVersion { event.annotate("http_version", version.rawValue) }
    if let reused = call.reusedConnection { event.annotate("connection_reused", reused ? "yes" : "no") }
    if let peer = call.peerAddress { event.annotate("peer", peer) }
    if call.pendingID != 0 { event.annotate("pending_id", Int64(call.pendingID)) }
    if call.isDynamic { event.annotate("dynamic", "yes") }
    if call.isCollapsed { event.annotate("collapsed", "yes") }
    event.annotate("request_header_bytes", call.requestHeaderBytes)
    event.annotate("request_body_bytes", call.requestBodyBytes)
    event.annotate("response_header_bytes", call.responseHeaderBytes)
    event.annotate("response_body_bytes", call.responseBodyBytes)
  }

  private mutating func writeMemory(to stream: inout PerfettoStream) {
    guard let samples = trace.deep?.heapSamples, !samples.isEmpty else { return }
    let track = track("memory", isCounter: true, to: &stream)
    for sample in samples { stream.counter(track, at: instant(sample.relativeNanos), sample.memoryBytes) }
  }

  private mutating func writeSamples(_ group: SampleGroup, to stream: inout PerfettoStream) {
    let thread = rows.nextRow()
    stream.threadTrack(UInt64(thread), pid: process, tid: thread, name: group.name, rank: nextRank)
    nextRank += 1
    var callstacks: [UInt32: UInt64] = [:]
    for sample in group.samples {
      let callstack = callstacks[sample.stack] ?? stream.callstack(sample.stack, in: group.table)
      callstacks[sample.stack] = callstack
      stream.sample(
        callstack: callstack, at: instant(sample.relativeNanos), pid: process, tid: thread,
        isKernel: group.table.leaf(of: sample.stack)?.kind == .kernel)
    }
  }
}
