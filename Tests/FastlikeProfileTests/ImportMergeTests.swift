import Testing

@testable import FastlikeProfile

struct NativeSampleMergerTests {
  private func trace(
    _ id: UInt64, start: Int64, wall: Int64, process: Int32 = 7, module: String = "m", blocked: [BlockedInterval] = []
  ) -> RequestTrace {
    RequestTrace(
      id: id, moduleID: module, moduleName: "app.wasm", processID: process, wallStartUnixNanos: 1_000_000 + start,
      monotonicStartNanos: UInt64(start), wallNanos: wall, blocked: blocked)
  }

  private func batch(_ events: [(time: Int64, process: Int32?, thread: Int32?)]) -> NativeSampleBatch {
    var stacks = StackTable.Builder()
    let stack = stacks.intern(leafFirst: [
      StackFrame(name: "leaf"), StackFrame(name: "main", module: "host", kind: .host),
    ])
    return NativeSampleBatch(
      events: events.map {
        NativeSampleEvent(
          timestampNanos: $0.time, clock: .monotonic, processID: $0.process, threadID: $0.thread, stack: stack,
          weightNanos: 10)
      }, stacks: stacks.finish())
  }

  private func blocked(_ start: Int64, _ end: Int64) -> BlockedInterval {
    BlockedInterval(start: start, duration: end - start, cause: .backend, inHostcall: true)
  }

  @Test func samplesWithinTheWindowAreAttachedEndsIncluded() {
    var traces = [trace(1, start: 1000, wall: 100)]
    let report = NativeSampleMerger()
      .merge(batch([(999, 7, 7), (1000, 7, 7), (1050, 7, 8), (1100, 7, 7), (1101, 7, 7)]), into: &traces)
    #expect(report.attached == 3)
    #expect(report.outsideWindow == 2)
    #expect(traces[0].nativeStacks.samples.map(\.relativeNanos) == [0, 50, 100])
    #expect(traces[0].nativeStacks.samples.map(\.thread) == [7, 8, 7])
    #expect(report.changedTraces == [1])
  }

  @Test func wholeStacksAreAttachedAndTheGuestsModuleIsNamed() {
    var traces = [trace(1, start: 1000, wall: 100)]
    NativeSampleMerger().merge(batch([(1050, 7, 7)]), into: &traces)
    #expect(
      traces[0].nativeSamples == [
        NativeSample(
          relativeNanos: 50, function: "leaf",
          stack: [StackFrame(name: "leaf", module: "app.wasm"), StackFrame(name: "main", module: "host", kind: .host)])
      ])
    #expect(traces[0].nativeCPUNanos == 10)
  }

  @Test func otherProcessesAreCountedAndNotAttached() {
    var traces = [trace(1, start: 1000, wall: 100)]
    let events = batch([(1050, 8, 8), (1050, 7, 0), (1050, 7, 9)])
    let report = NativeSampleMerger().merge(events, into: &traces)
    #expect(report.otherProcess == 2)
    #expect(report.attached == 1)
  }

  @Test func aProcessCanBeAskedFor() {
    var traces = [trace(1, start: 1000, wall: 100, process: 7), trace(2, start: 1000, wall: 100, process: 9)]
    let report = NativeSampleMerger(processID: 9).merge(batch([(1050, 7, 7), (1050, 9, 9)]), into: &traces)
    #expect(report.otherProcess == 1)
    #expect(report.changedTraces == [2])
  }

  @Test func tracesOfAnotherModuleGetNothing() {
    var traces = [trace(1, start: 1000, wall: 100, module: "old"), trace(2, start: 1000, wall: 100, module: "new")]
    let report = NativeSampleMerger(moduleID: "new").merge(batch([(1050, 7, 7)]), into: &traces)
    #expect(report.changedTraces == [2])
    #expect(traces[0].nativeStacks.isEmpty)
  }

  @Test func samplesThatNameNoProcessAreTakenAndCountedUnlessRefused() {
    var traces = [trace(1, start: 1000, wall: 100)]
    let report = NativeSampleMerger().merge(batch([(1050, nil, 5)]), into: &traces)
    #expect(report.attached == 1)
    #expect(report.unknownProcess == 1)
    let refusing = NativeSampleMerger(acceptsUnknownProcess: false).merge(batch([(1050, nil, 5)]), into: &traces)
    #expect(refusing.otherProcess == 1)
  }

  @Test func overlappingRequestsAreAmbiguousWhileBothRun() {
    var traces = [trace(1, start: 1000, wall: 100), trace(2, start: 1050, wall: 100)]
    let report = NativeSampleMerger().merge(batch([(1060, 7, nil)]), into: &traces)
    #expect(report.ambiguous == 1)
    #expect(report.attached == 0)
  }

  @Test func theRequestThatIsNotSuspendedHasTheSample() {
    var traces = [
      trace(1, start: 1000, wall: 100, blocked: [blocked(20, 60)]),
      trace(2, start: 1010, wall: 100, blocked: [blocked(0, 5), blocked(60, 80)]),
    ]
    let report = NativeSampleMerger().merge(batch([(1030, 7, 7), (1075, 7, 7), (1012, 7, 7)]), into: &traces)
    #expect(report.attached == 3)
    #expect(traces[0].nativeStacks.samples.map(\.relativeNanos) == [12, 75])
    #expect(traces[1].nativeStacks.samples.map(\.relativeNanos) == [20])
  }

  @Test func aLoneRequestHasTheSamplesOfItsSuspensionsToo() {
    var traces = [trace(1, start: 1000, wall: 100, blocked: [blocked(20, 60)])]
    #expect(NativeSampleMerger().merge(batch([(1030, 7, 7)]), into: &traces).attached == 1)
  }

  @Test func threadsDecideBetweenRequestsThatRunAtOnce() {
    var traces = [trace(1, start: 1000, wall: 100), trace(2, start: 1050, wall: 100)]
    let report = NativeSampleMerger()
      .merge(batch([(1010, 7, 11), (1060, 7, 11), (1060, 7, 12), (1120, 7, 12), (1070, 7, 13)]), into: &traces)
    #expect(report.attached == 4)
    #expect(report.ambiguous == 1)
    #expect(traces[0].nativeStacks.samples.map(\.relativeNanos) == [10, 60])
    #expect(traces[1].nativeStacks.samples.map(\.relativeNanos) == [10, 70])
  }

  @Test func bothClocksAreJoined() {
    var traces = [trace(1, start: 1000, wall: 100)]
    var events = batch([(1050, 7, 7), (1_001_060, 7, 7)])
    events.events[1].clock = .realtime
    #expect(NativeSampleMerger().merge(events, into: &traces).attached == 2)
    #expect(traces[0].nativeStacks.samples.map(\.relativeNanos) == [50, 60])
  }

  @Test func samplesWithoutAStackAreCounted() {
    var traces = [trace(1, start: 1000, wall: 100)]
    var events = batch([(1050, 7, 7)])
    events.events[0].stack = nil
    #expect(NativeSampleMerger().merge(events, into: &traces).withoutStack == 1)
  }

  @Test func earlierSamplesAreKept() {
    var traces = [trace(1, start: 1000, wall: 100)]
    NativeSampleMerger().merge(batch([(1050, 7, 7)]), into: &traces)
    NativeSampleMerger().merge(batch([(1020, 7, 7)]), into: &traces)
    #expect(traces[0].nativeStacks.samples.map(\.relativeNanos) == [20, 50])
    #expect(traces[0].nativeStacks.table.nodes.count == 2)
    #expect(traces[0].nativeCPUNanos == 20)
  }

  @Test func tracesOfAStoreAreReplaced() {
    let store = ProfileStore()
    store.complete(trace(1, start: 1000, wall: 100))
    store.complete(trace(2, start: 5000, wall: 100))
    let report = NativeSampleMerger().merge(batch([(1050, 7, 7)]), into: store)
    #expect(report.attached == 1)
    #expect(store.trace(id: 1)?.nativeStacks.samples.count == 1)
    #expect(store.trace(id: 2)?.nativeStacks.isEmpty == true)
  }

  @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64]) func theJoinAgreesWithComparingEachSampleToEachTrace(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var traces = (1...30).map { id in
      let wall = Int64.random(in: 0...300, using: &generator)
      var intervals: [BlockedInterval] = []
      var at: Int64 = 0
      while at < wall, Bool.random(using: &generator) {
        let start = Int64.random(in: at...wall, using: &generator)
        let end = Int64.random(in: start...(wall + 10), using: &generator)
        intervals.append(blocked(start, end))
        at = end + 1
      }
      return trace(
        UInt64(id), start: .random(in: 1...1500, using: &generator), wall: wall,
        process: .random(in: 7...8, using: &generator), blocked: intervals)
    }
    let events = batch(
      (0..<500).map { _ in (.random(in: 0...2000, using: &generator), .random(in: 6...8, using: &generator), nil) })
    var expected = NativeMergeReport()
    for event in events.events {
      let open = traces.filter {
        $0.processID == event.processID
          && (Int64($0.monotonicStartNanos)...(Int64($0.monotonicStartNanos) + $0.wallNanos)).contains(
            event.timestampNanos)
      }
      let running = open.filter { trace in
        let at = event.timestampNanos - Int64(trace.monotonicStartNanos)
        return !trace.blocked.contains { $0.start < at && at < $0.end }
      }
      if event.processID == 6 {
        expected.otherProcess += 1
      } else if open.isEmpty {
        expected.outsideWindow += 1
      } else if open.count == 1 || running.count == 1 {
        expected.attached += 1
      } else {
        expected.ambiguous += 1
      }
    }
    let report = NativeSampleMerger().merge(events, into: &traces)
    #expect(report.attached == expected.attached, "seed \(seed)")
    #expect(report.otherProcess == expected.otherProcess, "seed \(seed)")
    #expect(report.outsideWindow == expected.outsideWindow, "seed \(seed)")
    #expect(report.ambiguous == expected.ambiguous, "seed \(seed)")
    #expect(traces.reduce(0) { $0 + $1.nativeStacks.samples.count } == report.attached, "seed \(seed)")
  }
}
