/// Writes Firefox Profiler's *processed* format, version 63: newer versions are not read by Perfetto, and the viewer
/// upgrades older ones.
///
/// Every request is a process of its own, so that several stand side by side. Its main thread carries the hostcalls,
/// the suspensions, the backend calls (as network requests, for the waterfall) and the stacks sampled in the process;
/// stacks of an external profiler come as further threads, and the guest's memory as a counter. Times are milliseconds
/// from `meta.startTime`, with all digits of a nanosecond.
public enum FirefoxProfileEncoder {
  /// The version of the processed format.
  public static let formatVersion = 63

  /// One trace.
  public static func encode(_ trace: RequestTrace) -> [UInt8] { encode([trace]) }

  /// Many traces on one clock.
  public static func encode(_ traces: [RequestTrace]) -> [UInt8] {
    let batch = ExportBatch(traces)
    let size = traces.reduce(16_384) {
      $0 + $1.spans.count * 130 + $1.blocked.count * 90 + $1.backendCalls.count * 1600
        + ($1.guestStacks.samples.count + $1.nativeStacks.samples.count) * 24
    }
    var json = JSONByteWriter(reserving: size)
    var file = FirefoxProfileFile()
    json.beginObject()
    writeMeta(batch, to: &json)
    json.field("libs", literal: "[]")
    json.field("pages", literal: "[]")
    json.field("profilerOverhead", literal: "[]")
    json.key("threads")
    json.beginArray()
    for exported in batch.traces { file.writeThreads(of: exported, to: &json) }
    // A profile without a thread is not opened at all.
    if batch.traces.isEmpty { file.writeEmptyThread(to: &json) }
    json.endArray()
    json.array("counters", of: file.memoryCounters) { json, counter in
      json.value(encoded: counter)
    }
    json.key("shared")
    file.shared.write(to: &json)
    json.endObject()
    return json.bytes
  }

  private static func writeMeta(_ batch: ExportBatch, to json: inout JSONByteWriter) {
    let groups = batch.traces.flatMap(\.sampleGroups)
    let threads = max(1, batch.traces.reduce(0) { $0 + 1 + $1.sampleGroups.count { !$0.isGuest } })
    let hostcallsNest = batch.traces.allSatisfy { Lanes($0.spans).count <= 1 }
    json.key("meta")
    json.beginObject()
    json.field("interval", milliseconds: interval(of: groups))
    json.field("startTime", milliseconds: batch.unixNanos)
    json.field("preprocessedProfileVersion", formatVersion)
    json.field("version", 31)
    json.field("processType", 0)
    json.field("product", "fastlike")
    json.field("importedFrom", "fastlike")
    json.field("stackwalk", 1)
    json.field("debug", false)
    json.field("symbolicated", true)
    json.field("usesOnlyOneStackType", true)
    json.field("sourceCodeIsNotOnSearchfox", true)
    json.field("keepProfileThreadOrder", true)
    // By default, threads that used little CPU are hidden.
    json.array("initialVisibleThreads", 0..<threads)
    json.field("initialSelectedThreads", literal: "[0]")
    json.field("sampleUnits", literal: #"{"time":"ms","eventDelay":"ms","threadCPUDelta":"ns"}"#)
    json.field("extensions", literal: #"{"length":0,"baseURL":[],"id":[],"name":[]}"#)
    FirefoxCategory.writeAll(to: &json)
    FirefoxMarkerType.writeAll(hostcallsNest: hostcallsNest, to: &json)
    json.endObject()
  }

  /// Nanoseconds between samples: their mean distance, within reason, since the viewer pads the time range by it.
  private static func interval(of groups: [SampleGroup]) -> Int64 {
    var gaps: Int64 = 0
    var span: Int64 = 0
    for group in groups {
      guard let first = group.samples.first, let last = group.samples.last else { continue }
      gaps += Int64(group.samples.count - 1)
      span = min(Interval.bound, span + (last.relativeNanos - first.relativeNanos))
    }
    return gaps > 0 ? min(max(span / gaps, 1000), 1_000_000) : 10_000
  }
}

/// The parts of a profile that grow with every trace.
private struct FirefoxProfileFile {
  var shared = FirefoxSharedTables()
  private(set) var memoryCounters: [[UInt8]] = []
  private var threadCount = 0

  /// A sampled stack in the shared tables; nil while the guest was suspended.
  private struct Sample {
    let instant: Int64
    let stack: Int?
    let cpu: Int64
  }

  mutating func writeThreads(of exported: ExportedTrace, to json: inout JSONByteWriter) {
    var markers = FirefoxMarkers(of: exported, strings: &shared).table
    let main = threadCount
    let guest = exported.sampleGroups.first(where: \.isGuest)
    writeThread("request \(exported.trace.id)", of: exported.title, isMain: true, exported, guest, &markers, to: &json)
    for group in exported.sampleGroups where !group.isGuest {
      var noMarkers = FirefoxMarkerTable(reserving: 0)
      writeThread(group.name, of: exported.title, isMain: false, exported, group, &noMarkers, to: &json)
    }
    addMemoryCounter(of: exported, mainThread: main)
  }

  mutating func writeEmptyThread(to json: inout JSONByteWriter) {
    let nothing = ExportedTrace(RequestTrace(id: 0), number: 1, offset: 0)
    var noMarkers = FirefoxMarkerTable(reserving: 0)
    writeThread("no requests", of: "fastlike", isMain: true, nothing, nil, &noMarkers, to: &json)
  }

  private mutating func writeThread(
    _ name: String, of processName: String, isMain: Bool, _ exported: ExportedTrace, _ group: SampleGroup?,
    _ markers: inout FirefoxMarkerTable, to json: inout JSONByteWriter
  ) {
    threadCount += 1
    json.beginObject()
    json.field("processType", "default")
    json.field("processStartupTime", milliseconds: exported.offset)
    json.field("processShutdownTime", literal: "null")
    json.field("registerTime", milliseconds: exported.offset)
    json.field("unregisterTime", literal: "null")
    json.field("pausedRanges", literal: "[]")
    json.field("name", name)
    json.field("isMainThread", isMain)
    json.field("processName", processName)
    // Has to be a text.
    json.field("pid", String(exported.number))
    json.field("tid", threadCount)
    json.field("showMarkersInTimeline", true)
    json.key("samples")
    writeSamples(of: group, exported, to: &json)
    json.key("markers")
    markers.write(to: &json)
    json.endObject()
  }

  private mutating func writeSamples(of group: SampleGroup?, _ exported: ExportedTrace, to json: inout JSONByteWriter) {
    var samples: [Sample] = []
    if let group {
      let stacks = shared.add(group.table)
      samples = group.ticks(suspendedAt: exported.blocked, resuming: true)
        .map { tick in
          Sample(instant: exported.offset + tick.nanos, stack: tick.stack.map { stacks[Int($0)] }, cpu: tick.cpu)
        }
    }
    json.beginObject()
    json.field("length", samples.count)
    json.array("stack", of: samples) { json, sample in
      if let stack = sample.stack { json.value(Int64(stack)) } else { json.null() }
    }
    json.array("time", of: samples) { $0.value(milliseconds: $1.instant) }
    json.field("weight", literal: "null")
    json.field("weightType", "samples")
    // Without it every stretch between two samples counts as busy, suspensions included.
    if group != nil { json.array("threadCPUDelta", of: samples) { $0.value($1.cpu) } }
    json.endObject()
  }

  /// A counter holds differences, of which the viewer ignores the first, and it draws ramps: so an empty first row, and
  /// before each change a row without one.
  private mutating func addMemoryCounter(of exported: ExportedTrace, mainThread: Int) {
    guard let samples = exported.trace.deep?.heapSamples, let first = samples.first else { return }
    var rows: [(instant: Int64, change: Int64)] = [(Interval.bounded(first.relativeNanos), 0)]
    var level: Int64 = 0
    for sample in samples {
      let instant = max(Interval.bounded(sample.relativeNanos), rows[rows.count - 1].instant)
      let size = min(max(0, sample.memoryBytes), Interval.bound)
      if rows.count > 1 { rows.append((instant, 0)) }
      rows.append((instant, size - level))
      level = size
    }
    rows.append((max(exported.end, rows[rows.count - 1].instant), 0))
    var json = JSONByteWriter(reserving: 1024 + rows.count * 24)
    json.beginObject()
    json.field("name", "memory")
    json.field("category", "Memory")
    json.field("description", "The guest's linear memory")
    json.field("pid", String(exported.number))
    json.field("mainThreadIndex", mainThread)
    json.key("samples")
    json.beginObject()
    json.field("length", rows.count)
    json.array("time", of: rows) { $0.value(milliseconds: exported.offset + $1.instant) }
    json.array("count", of: rows) { $0.value($1.change) }
    json.endObject()
    json.field("display", literal: Self.memoryDisplay)
    json.endObject()
    memoryCounters.append(json.bytes)
  }

  private static let memoryDisplay =
    #"{"graphType":"line-accumulated","unit":"bytes","color":"orange","markerSchemaLocation":"timeline-memory","#
    + #""sortWeight":20,"label":"Guest memory","tooltipRows":["#
    + #"{"type":"value","source":"accumulated","format":{"unit":"bytes"},"label":"Size"},"#
    + #"{"type":"value","source":"count-range","format":{"unit":"bytes"},"label":"Range in view"}]}"#
}
