import Testing

@testable import FastlikeProfile

/// What the encoders share: lanes, phases, the breakdown of the wall time, and their behaviour on odd traces.
struct ExportTimelineTests {
  private static let ownFormats = TraceExportFormat.allCases.filter { $0 != .json }

  @Test func intervalsThatOverlapGetDifferentLanes() {
    let lanes = Lanes([
      Interval(start: 0, end: 10), Interval(start: 2, end: 5), Interval(start: 5, end: 20),
      Interval(start: 10, end: 11),
    ])
    #expect(lanes.indices == [0, 1, 1, 0])
    #expect(lanes.count == 2)
  }

  @Test func lanesDoNotDependOnTheOrderOfTheIntervals() {
    let lanes = Lanes([Interval(start: 5, end: 9), Interval(start: 0, end: 5), Interval(start: 1, end: 2)])
    #expect(lanes.indices == [0, 0, 1])
  }

  @Test func phasesFollowEachOtherAndFillTheCall() {
    for call in TraceFixture.overlapping.traces[0].backendCalls + [TraceFixture.originCall()] {
      let phases = BackendPhases(of: call)
      var cursor = call.started
      for (_, interval) in phases.segments {
        #expect(interval.start == cursor)
        cursor = interval.end
      }
      #expect(cursor == call.ended)
    }
  }

  @Test func phasesThatRacedAreCutToFollowEachOther() {
    let call = BackendCall(
      name: "b", started: 100, dns: .init(start: 90, duration: 50), connect: .init(start: 120, duration: 40),
      tls: .init(start: 150, duration: 1000), requestSent: 5000, firstByte: 20, totalNanos: 200)
    let phases = BackendPhases(of: call)
    #expect(phases.dns == Interval(start: 100, end: 140))
    #expect(phases.connect == Interval(start: 140, end: 160))
    #expect(phases.tls == Interval(start: 160, end: 300))
    #expect(phases.sendEnd == 300 && phases.firstByte == 300)
  }

  /// Its last phase, by what is known of it.
  private func lastPhase(_ change: (inout BackendCall) -> Void) -> BackendPhases.Name? {
    var call = BackendCall(name: "b", url: RedactedURL("http://b.example/"), started: 100, totalNanos: 200)
    change(&call)
    return BackendPhases(of: call).segments.last?.name
  }

  @Test func aCallThatWasNeverSentDidNotWaitForAResponse() {
    #expect(lastPhase { _ in } == .queue)
    #expect(lastPhase { $0.dns = .init(start: 110, duration: 20) } == .queue)
    #expect(lastPhase { $0.connect = .init(start: 110, duration: 20) } == .send)
    #expect(lastPhase { $0.reusedConnection = true } == .send)
    #expect(lastPhase { $0.requestSent = 150 } == .wait)
    #expect(lastPhase { $0.isCollapsed = true } == .wait)
    #expect(
      lastPhase {
        $0.url = RedactedURL("https://b.example/")
        $0.connect = .init(start: 110, duration: 20)
      } == .queue)
  }

  @Test func everyIntervalTakesTheFirstFreeLane() {
    var state: UInt64 = 7
    func random(_ bound: Int64) -> Int64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int64(state >> 33) % bound
    }
    var start: Int64 = 0
    let intervals = (0..<500).map { _ in
      start += random(4)
      return Interval(start: start, duration: random(40))
    }
    var ends: [Int64] = []
    let expected = intervals.map { interval in
      let lane = ends.firstIndex { $0 <= interval.start } ?? ends.count
      if lane == ends.count { ends.append(0) }
      ends[lane] = interval.end
      return lane
    }
    #expect(Lanes(intervals).indices == expected)
    #expect(Lanes(intervals).count == ends.count)
  }

  @Test(arguments: TraceFixture.allCases)
  func theBreakdownIsTheWallTime(fixture: TraceFixture) {
    for exported in ExportBatch(fixture.traces).traces {
      let parts = WallBreakdown(of: exported).parts
      #expect(parts.reduce(0) { $0 + $1.nanos } == exported.trace.wallNanos)
      #expect(parts.allSatisfy { $0.nanos >= 0 })
    }
  }

  @Test func timeBeyondTheCapsIsOwnedByTheRequest() throws {
    let exported = try #require(ExportBatch(TraceFixture.dropped.traces).traces.first)
    let parts = Dictionary(
      WallBreakdown(of: exported).parts.map { ($0.owner, $0.nanos) }, uniquingKeysWith: { first, _ in first })
    #expect(parts[.hostcallsBeyondCap] == 100_000)
    #expect(parts[.blocked(.store)] == 60_000)
    #expect(parts[.blocked(.timer)] == 5000)
  }

  @Test func aTraceWithoutAnAccountIsBrokenDownByItsSpans() throws {
    var trace = TraceFixture.normalTrace()
    trace.time = TimeAccount()
    let exported = try #require(ExportBatch([trace]).traces.first)
    let parts = WallBreakdown(of: exported).parts
    #expect(parts.reduce(0) { $0 + $1.nanos } == trace.wallNanos)
    #expect(parts.contains { $0.owner == .guest && $0.nanos == 2_580_000 })
  }

  @Test func samplesThatClaimMoreThanTheGuestsTimeAreShrunk() throws {
    var trace = TraceFixture.stacksTrace()
    for index in trace.guestStacks.samples.indices { trace.guestStacks.samples[index].weightNanos = 1_000_000_000 }
    let exported = try #require(ExportBatch([trace]).traces.first)
    #expect(WallBreakdown(of: exported).parts.reduce(0) { $0 + $1.nanos } == trace.wallNanos)
  }

  /// Files may hold anything; the encoders must neither trap nor break their own formats.
  private static var hostile: RequestTrace {
    var trace = TraceFixture.stacksTrace()
    trace.wallNanos = .max
    trace.wallStartUnixNanos = .min
    trace.headerFlushNanos = .max
    trace.hijackedNanos = .min
    trace.time.queue = .max
    trace.time.setup = .max
    trace.spans += [
      Span(hostcall: .max, start: .max, duration: .max, blocked: .max, label0: .max, label1: .max),
      Span(hostcall: 0, start: .min, duration: .min, blocked: .min),
      Span(hostcall: 1, start: 0, duration: 5_000_000_000),
    ]
    trace.backendCalls += [
      BackendCall(
        name: "", method: "", started: .max, dns: .init(start: .min, duration: .max), requestSent: .min,
        firstByte: .max, totalNanos: .max, status: -1, requestHeaderBytes: .min, outcome: .unrecognized),
      BackendCall(name: "\u{1F980} \"x\"", started: .min, totalNanos: .min, outcome: .cancelled),
    ]
    trace.blocked += [
      BlockedInterval(start: .max, duration: .max, cause: .timer, inHostcall: true),
      BlockedInterval(start: .min, duration: .max, cause: .queue, inHostcall: false),
    ]
    trace.guestStacks.samples += [
      StackSample(relativeNanos: .max, stack: .max, weightNanos: .max),
      StackSample(relativeNanos: .min, stack: 0, weightNanos: .max),
    ]
    var deep = DeepMetrics()
    deep.addHeapSample(relativeNanos: .max, memoryBytes: .max)
    deep.addHeapSample(relativeNanos: .min, memoryBytes: .min)
    trace.deep = deep
    return trace
  }

  @Test(arguments: ownFormats)
  func impossibleInstantsGiveAWellFormedFile(format: TraceExportFormat) throws {
    let traces = [Self.hostile, TraceFixture.normalTrace()]
    let bytes = format.encode(traces)
    switch format {
    case .firefox, .chrome, .speedscope, .har, .json: _ = try ExportJSON(bytes)
    case .pprof: _ = try ExportPprofFile(GzipInput.decompress(bytes, limit: 1 << 20))
    case .perfetto: _ = try ExportPerfettoFile(bytes)
    case .collapsed: #expect(!bytes.isEmpty)
    }
  }

  @Test func numbersAreExactAndTextsAreEscaped() throws {
    var json = JSONByteWriter()
    json.beginArray()
    for nanos: Int64 in [0, 1, 10, 1_000_000, 1_500_000, -250_001, .max, .min] { json.value(milliseconds: nanos) }
    json.value(microsecondsFrom: 0, to: 1_234_567)
    json.value("a\"\\\n\u{1}é")
    json.endArray()
    let numbers = "0,0.000001,0.00001,1,1.5,-0.250001,9223372036854.775807,-9223372036854.775808,1234.56689453125"
    #expect(String(decoding: json.bytes, as: UTF8.self) == "[\(numbers),\"a\\\"\\\\\\u000a\\u0001é\"]")
  }

  /// Some readers add and subtract doubles, others round to nanoseconds: both must see slices that meet.
  @Test func microsecondsAreExactForReadersThatAddAndForThoseThatRound() throws {
    for start: Int64 in [0, 1, 999, 68_770, 984_898, 61_386_404, 123_984_608_001, -250_001] {
      for length: Int64 in [0, 1, 499, 500, 501, 1000, 1_637_453, 60_974_670, 86_400_000_000_777] {
        let numbers = try [(0, start), (start, start + length), (0, start + length)]
          .map { from, to in
            var json = JSONByteWriter()
            json.value(microsecondsFrom: from, to: to)
            return try #require(Double(String(decoding: json.bytes, as: UTF8.self)))
          }
        #expect(numbers[0] + numbers[1] == numbers[2])
        #expect(numbers[2] - numbers[0] == numbers[1])
        #expect(numbers.map { Int64(($0 * 1000).rounded()) } == [start, length, start + length])
      }
    }
  }
}
