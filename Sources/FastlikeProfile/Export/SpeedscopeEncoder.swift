/// Writes speedscope's own format. Each request gives several profiles, which its page offers side by side: the request
/// with its hostcalls and suspensions over time, one for each row of backend calls (those that overlap cannot share
/// one), and one for each sampled thread. Values are nanoseconds from the request's start.
public enum SpeedscopeEncoder {
  /// One trace.
  public static func encode(_ trace: RequestTrace) -> [UInt8] { encode([trace]) }

  /// Many traces, one after the other in the list of profiles.
  public static func encode(_ traces: [RequestTrace]) -> [UInt8] {
    let batch = ExportBatch(traces)
    var file = SpeedscopeFile(reserving: traces.reduce(4096) { $0 + ($1.spans.count + $1.blocked.count) * 110 + 4096 })
    for exported in batch.traces {
      addTime(exported, to: &file)
      addCalls(exported, to: &file)
      for group in exported.sampleGroups {
        file.sampled("\(exported.heading): \(group.name)", group)
      }
    }
    // A file without a profile is not opened at all.
    if traces.isEmpty { file.evented("no requests", end: 0, []) }
    return file.finish(name: batch.traces.count == 1 ? batch.traces[0].heading : "\(batch.traces.count) requests")
  }

  /// The request, around queue, setup, hostcalls with their suspensions, and suspensions between hostcalls. What is
  /// inside of nothing else is the guest.
  private static func addTime(_ exported: ExportedTrace, to file: inout SpeedscopeFile) {
    let trace = exported.trace
    let queue = Interval(start: 0, duration: trace.time.queue).clipped(to: exported.wall)
    let setup = Interval(start: queue.end, duration: trace.time.setup).clipped(to: exported.wall)
    var items = [("queue", queue), ("setup", setup)].filter { !$0.1.isEmpty }.map { SpeedscopeFile.Item($0.0, $0.1) }
    var inside: [Int: [SpeedscopeFile.Item]] = [:]
    for (index, blocked) in trace.blocked.enumerated() {
      let item = SpeedscopeFile.Item("blocked:\(blocked.cause.name)", exported.blocked[index])
      if blocked.inHostcall, let span = exported.span(at: item.interval.start) {
        inside[span, default: []].append(item)
      } else {
        items.append(item)
      }
    }
    for (index, span) in trace.spans.enumerated() {
      let name = "hostcall:\(trace.hostcalls.names[exported.hostcallSlot(of: span)])"
      items.append(SpeedscopeFile.Item(name, exported.spans[index], children: inside[index] ?? []))
    }
    items.sort { $0.interval.start < $1.interval.start }
    let lanes = Lanes(items.map(\.interval))
    for lane in 0..<max(1, lanes.count) {
      let own = items.indices.lazy.filter { lanes.indices[$0] == lane }.map { items[$0] }
      let title = lane == 0 ? exported.heading : "\(exported.heading): overlapping (\(lane + 1))"
      let end = own.reduce(exported.wall.end) { max($0, $1.interval.end) }
      let request = SpeedscopeFile.Item("request", Interval(start: 0, end: end), children: Array(own))
      file.evented(title, end: end, lane == 0 ? [request] : Array(own))
    }
  }

  private static func addCalls(_ exported: ExportedTrace, to file: inout SpeedscopeFile) {
    let calls = exported.trace.backendCalls
    let lanes = Lanes(exported.calls.map(\.interval))
    let order = calls.indices.sorted { exported.calls[$0].interval.start < exported.calls[$1].interval.start }
    for lane in 0..<lanes.count {
      let items = order.filter { lanes.indices[$0] == lane }
        .map { index in
          SpeedscopeFile.Item(
            "backend:\(calls[index].name)", exported.calls[index].interval,
            children: exported.calls[index].segments.map { .init("phase:\($0.name.rawValue)", $0.interval) })
        }
      let end = items.reduce(exported.wall.end) { max($0, $1.interval.end) }
      let title = "\(exported.heading): backend calls" + (lane == 0 ? "" : " (\(lane + 1))")
      file.evented(title, end: end, items)
    }
  }
}

/// The profiles written so far, and the frames that they name.
private struct SpeedscopeFile {
  /// A named stretch of time, with others inside of it in the order of their start.
  struct Item {
    let name: String
    let interval: Interval
    let children: [Item]

    init(_ name: String, _ interval: Interval, children: [Item] = []) {
      self.name = name
      self.interval = interval
      self.children = children
    }
  }

  private struct Frame: Hashable {
    let name: String
    let file: String
    /// At which the function begins; 0 when not known.
    var line: UInt32 = 0
  }

  private var profiles: JSONByteWriter
  private var frames = Interned<Frame, Int>()

  init(reserving capacity: Int) {
    profiles = JSONByteWriter(reserving: capacity)
    profiles.beginArray()
  }

  /// Equal names must be one frame, or readers take them for different functions.
  private mutating func frame(_ name: String, file: String = "", line: UInt32 = 0) -> Int {
    frames.number(of: Frame(name: name.isEmpty ? "unknown" : name, file: file, line: line))
  }

  /// - Parameter items: In the order of their start, without overlaps.
  mutating func evented(_ name: String, end: Int64, _ items: [Item]) {
    begin("evented", name, unit: "nanoseconds", end: end)
    profiles.key("events")
    profiles.beginArray()
    var cursor: Int64 = 0
    for item in items { write(item, within: Interval(start: 0, end: end), &cursor) }
    profiles.endArray()
    profiles.endObject()
  }

  /// Events have to be in the order of time and close what was opened last, so items are cut to what is around them.
  private mutating func write(_ item: Item, within outer: Interval, _ cursor: inout Int64) {
    let interval = item.interval.clipped(to: Interval(start: max(cursor, outer.start), end: outer.end))
    let frame = frame(item.name)
    event("O", frame, at: interval.start)
    cursor = interval.start
    for child in item.children { write(child, within: interval, &cursor) }
    event("C", frame, at: interval.end)
    cursor = interval.end
  }

  private mutating func event(_ type: String, _ frame: Int, at instant: Int64) {
    profiles.beginObject()
    profiles.field("type", type)
    profiles.field("frame", frame)
    profiles.field("at", instant)
    profiles.endObject()
  }

  /// Weights are CPU time, or the number of samples when one of them does not tell its time.
  mutating func sampled(_ name: String, _ group: SampleGroup) {
    let weights = group.samples.map { group.isWeighted ? $0.weightNanos : 1 }
    let total = weights.reduce(Int64(0)) { min(Interval.bound, $0 + $1) }
    begin("sampled", name, unit: group.isWeighted ? "nanoseconds" : "none", end: total)
    let frameIndices = group.table.frames.map {
      frame($0.name, file: $0.file.isEmpty ? $0.module : $0.file, line: $0.line)
    }
    var stacks: [UInt32: [UInt8]] = [:]
    profiles.key("samples")
    profiles.beginArray()
    for sample in group.samples {
      let stack = stacks[sample.stack] ?? Self.stack(sample.stack, in: group.table, frameIndices)
      stacks[sample.stack] = stack
      profiles.value(encoded: stack)
    }
    profiles.endArray()
    profiles.array("weights", of: weights) { $0.value($1) }
    profiles.endObject()
  }

  /// Frame indices from the root on.
  private static func stack(_ stack: UInt32, in table: StackTable, _ frameIndices: [Int]) -> [UInt8] {
    var indices: [Int] = []
    var index = Int(stack)
    while index >= 0, index < table.nodes.count {
      indices.append(frameIndices[Int(table.nodes[index].frame)])
      index = Int(table.nodes[index].parent)
    }
    var json = JSONByteWriter()
    json.beginArray()
    for index in indices.reversed() { json.value(Int64(index)) }
    json.endArray()
    return json.bytes
  }

  private mutating func begin(_ type: String, _ name: String, unit: String, end: Int64) {
    profiles.beginObject()
    profiles.field("type", type)
    profiles.field("name", name)
    profiles.field("unit", unit)
    profiles.field("startValue", 0)
    profiles.field("endValue", end)
  }

  mutating func finish(name: String) -> [UInt8] {
    profiles.endArray()
    var json = JSONByteWriter(reserving: profiles.bytes.count + frames.values.count * 64 + 256)
    json.beginObject()
    json.field("$schema", "https://www.speedscope.app/file-format-schema.json")
    json.field("exporter", "fastlike")
    json.field("name", name)
    json.field("activeProfileIndex", 0)
    json.key("shared")
    json.beginObject()
    json.array("frames", of: frames.values) { json, frame in
      json.beginObject()
      json.field("name", frame.name)
      if !frame.file.isEmpty { json.field("file", frame.file) }
      if frame.line > 0 { json.field("line", Int64(frame.line)) }
      json.endObject()
    }
    json.endObject()
    json.key("profiles")
    json.value(encoded: profiles.bytes)
    json.endObject()
    return json.bytes
  }
}
