import Testing

@testable import FastlikeProfile

/// The structural rules of Chrome's trace events, and the losses that no viewer reports.
struct ExportChromeTests {
  private struct Slice {
    let row: Int
    let start: Int64
    let end: Int64
    let name: String
    let category: String
  }

  private func events(_ fixture: TraceFixture) throws -> [ExportJSON] {
    try ExportJSON(ChromeTraceEncoder.encode(fixture.traces))["traceEvents"].array
  }

  private func slices(of events: [ExportJSON]) throws -> [Slice] {
    try events.filter { $0["ph"].string == "X" }
      .map { event in
        let start = try #require(event["ts"].nanosOfMicroseconds)
        return Slice(
          row: try #require(event["tid"].int), start: start,
          end: start + (try #require(event["dur"].nanosOfMicroseconds)), name: try #require(event["name"].string),
          category: try #require(event["cat"].string))
      }
  }

  @Test(arguments: TraceFixture.allCases)
  func everyEventHasWhatViewersAskFor(fixture: TraceFixture) throws {
    for event in try events(fixture) {
      #expect(event["name"].string?.isEmpty == false)
      #expect(event["cat"].string?.isEmpty == false)
      #expect(event["pid"].int.map { $0 > 0 } == true)
      #expect(event["tid"].int.map { $0 > 0 } == true)
      #expect(event["ts"].double != nil)
      #expect(event["args"].isObject)
      #expect(["X", "i", "C", "M", "s", "f", "P"].contains(event["ph"].string))
    }
  }

  @Test(arguments: TraceFixture.allCases)
  func slicesOfOneRowNest(fixture: TraceFixture) throws {
    let rows = Dictionary(grouping: try slices(of: events(fixture)), by: \.row)
    for slices in rows.values {
      var open: [Slice] = []
      for slice in slices.sorted(by: { ($0.start, -$0.end) < ($1.start, -$1.end) }) {
        while let last = open.last, last.end <= slice.start { open.removeLast() }
        if let last = open.last { #expect(slice.end <= last.end, "\(slice.name) sticks out of \(last.name)") }
        open.append(slice)
      }
    }
  }

  @Test(arguments: TraceFixture.allCases)
  func everyRowAndProcessIsNamedAndOfOneProcess(fixture: TraceFixture) throws {
    let events = try events(fixture)
    let named = events.filter { $0["name"].string == "thread_name" }.compactMap { $0["tid"].int }
    #expect(Set(named).count == named.count)
    let used = Set(events.filter { $0["ph"].string != "M" }.compactMap { $0["tid"].int })
    #expect(used.isSubset(of: named))
    #expect(events.count { $0["name"].string == "process_name" } == fixture.traces.count)
  }

  @Test(arguments: TraceFixture.allCases)
  func everyArrowBindsToSlicesAtBothEnds(fixture: TraceFixture) throws {
    let events = try events(fixture)
    let slices = try slices(of: events)
    let starts = events.filter { $0["ph"].string == "s" }
    let ends = events.filter { $0["ph"].string == "f" }
    #expect(starts.compactMap { $0["id"].int } == ends.compactMap { $0["id"].int })
    #expect(Set(starts.compactMap { $0["id"].int }).count == starts.count)
    #expect(ends.allSatisfy { $0["bp"].string == "e" })
    for (flow, category) in starts.map({ ($0, "hostcall") }) + ends.map({ ($0, "backend") }) {
      let instant = try #require(flow["ts"].nanosOfMicroseconds)
      #expect(
        slices.contains {
          $0.row == flow["tid"].int && $0.category == category && $0.start <= instant && instant < $0.end
        })
    }
  }

  @Test func callsThatOverlapAreOnDifferentRows() throws {
    let calls = try slices(of: events(.overlapping)).filter { $0.category == "backend" }
    #expect(calls.count == 4)
    for (index, call) in calls.enumerated() {
      for other in calls[(index + 1)...] where other.start < call.end && call.start < other.end {
        #expect(call.row != other.row)
      }
    }
    // The fourth begins after the first has ended and takes its row.
    #expect(Set(calls.map(\.row)).count == 3)
  }

  @Test func everyCallThatAHostcallStartedHasAnArrow() throws {
    #expect(try events(.overlapping).count { $0["ph"].string == "s" } == 4)
  }

  @Test func theFileHasNoTopLevelSamplesAndKeepsTheWallClock() throws {
    let file = try ExportJSON(ChromeTraceEncoder.encode(TraceFixture.stacks.traces))
    #expect(file["samples"].isNull && file["stackFrames"].isNull)
    #expect(file["otherData"]["start_unix_nanos"].string == String(TraceFixture.wallStart))
  }

  @Test func sampledStacksAreAProfileWithOneMoreSampleToCloseTheLast() throws {
    let chunks = try events(.stacks).filter { $0["name"].string == "ProfileChunk" }.map { $0["args"]["data"] }
    #expect(chunks.count == 3)
    for chunk in chunks {
      var known: Set<Int> = []
      for node in chunk["cpuProfile"]["nodes"].array {
        let id = try #require(node["id"].int)
        #expect(id > 0)
        if let parent = node["parent"].int { #expect(known.contains(parent)) } else { #expect(known.isEmpty) }
        known.insert(id)
        #expect(node["callFrame"]["functionName"].string?.isEmpty == false)
      }
      let samples = chunk["cpuProfile"]["samples"].array.compactMap(\.int)
      #expect(samples.allSatisfy(known.contains))
      // The second node is the idle one.
      #expect(samples.last == known.min().map { $0 + 1 })
      #expect(chunk["timeDeltas"].array.count == samples.count)
      #expect(chunk["timeDeltas"].array.allSatisfy { $0.int.map { $0 >= 0 } == true })
    }
    #expect(try events(.stacks).count { $0["name"].string == "Profile" } == 3)
  }

  /// Firefox Profiler keeps one table of nodes for the whole file: a later profile would rename the earlier one's.
  @Test func nodesOfAllProfilesHaveDifferentNumbers() throws {
    let traces = TraceFixture.stacks.traces + TraceFixture.stacks.traces
    let events = try ExportJSON(ChromeTraceEncoder.encode(traces))["traceEvents"].array
    let nodes = events.filter { $0["name"].string == "ProfileChunk" }
      .flatMap { $0["args"]["data"]["cpuProfile"]["nodes"].array.compactMap { $0["id"].int } }
    #expect(nodes == Array(1...nodes.count))
  }

  @Test func aProfileHasOnlyTheNodesOfItsSamples() throws {
    let chunks = try events(.stacks).filter { $0["name"].string == "ProfileChunk" }
    let names = chunks.map { chunk in
      chunk["args"]["data"]["cpuProfile"]["nodes"].array.compactMap { $0["callFrame"]["functionName"].string }
    }
    #expect(names.last == ["(root)", "(idle)", "serve", "tcp_sendmsg"])
  }

  @Test func anArrowComesBeforeThePhasesOfItsCall() throws {
    let events = try events(.normal)
    let call = try #require(events.firstIndex { $0["ph"].string == "X" && $0["cat"].string == "backend" })
    let arrow = try #require(events.firstIndex { $0["ph"].string == "f" })
    let phase = try #require(events.firstIndex { $0["cat"].string == "backend.phase" })
    #expect(call < arrow && arrow < phase)
  }

  @Test func aGuestThatWaitsIsNotDrawnAsRunning() throws {
    let chunk = try #require(try events(.stacks).first { $0["name"].string == "ProfileChunk" })
    let samples = chunk["args"]["data"]["cpuProfile"]["samples"].array.compactMap(\.int)
    // Four samples; a suspension begins behind the first and behind the last; one closes the file.
    #expect(samples.count { $0 == 2 } >= 2)
    #expect(samples.dropFirst().first == 2)
  }

  @Test func memoryIsOneSeries() throws {
    let counters = try events(.deep).filter { $0["ph"].string == "C" }
    #expect(counters.compactMap { $0["args"]["bytes"].int } == [17, 32, 64, 60].map { $0 * 65_536 })
    #expect(counters.allSatisfy { $0["args"].keys == ["bytes"] })
  }

  @Test func lifecycleAndDropsAreInstants() throws {
    let names = try events(.dropped).filter { $0["ph"].string == "i" }.compactMap { $0["name"].string }
    #expect(Set(names).isSuperset(of: ["dropped_spans", "dropped_backend_calls", "outcome.normal"]))
    let normal = try events(.normal).filter { $0["ph"].string == "i" }
    #expect(normal.first { $0["name"].string == "header_flush" }?["ts"].nanosOfMicroseconds == 9_020_000)
  }

  @Test func aHostcallThatTheTableLacksIsUnknown() throws {
    #expect(
      try slices(of: events(.dropped)).filter { $0.category == "hostcall" }.map(\.name) == [
        "fastly_kv_store.lookup", "unknown",
      ])
  }
}
