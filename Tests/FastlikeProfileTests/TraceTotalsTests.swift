import Testing

@testable import FastlikeProfile

struct TraceTotalsTests {
  private func totals(of traces: [RequestTrace]) -> TraceTotals {
    var totals = TraceTotals(names: TraceFixture.hostcalls)
    for trace in traces { totals.add(trace) }
    return totals
  }

  private func hostcall(_ name: String, in totals: TraceTotals) -> TraceTotals.Hostcall {
    totals.hostcalls[Int(TraceFixture.hostcalls.index(of: name))]
  }

  @Test func requestsAreCountedByOutcomeAndClassOfStatus() {
    let totals = totals(of: [TraceFixture.normalTrace(), TraceFixture.overlappingTrace(), TraceFixture.trapTrace()])
    #expect(
      totals.requests == [
        TraceTotals.Ending(outcome: .normal, statusClass: 2): 2, TraceTotals.Ending(outcome: .trap, statusClass: 5): 1,
      ])
    #expect(totals.duration.count == 3)
  }

  @Test func aRequestWithoutAResponseHasNoClassOfStatus() {
    #expect(totals(of: [TraceFixture.cancelledTrace()]).requests.keys.map(\.statusClass) == [0])
  }

  @Test func everyNanosecondHasAnOwnerInTheSumsToo() {
    let traces = TraceFixture.allCases.flatMap(\.traces)
    let totals = totals(of: traces)
    #expect(totals.time.total == traces.reduce(0) { $0 + $1.time.total })
    #expect(totals.duration.sum == traces.reduce(0) { $0 + $1.wallNanos })
  }

  @Test func hostcallsAreSummedUpByName() {
    let totals = totals(of: [TraceFixture.normalTrace(), TraceFixture.normalTrace()])
    let lookup = hostcall("fastly_kv_store.lookup", in: totals)
    #expect(lookup == TraceTotals.Hostcall(calls: 2, failures: 0, nanos: 1_800_000, blockedNanos: 1_600_000))
    #expect(hostcall("wasi_snapshot_preview1.fd_write", in: self.totals(of: [TraceFixture.trapTrace()])).failures == 1)
  }

  @Test func aTraceWithAnotherTableIsCountedByItsNames() {
    var trace = TraceFixture.normalTrace()
    trace.hostcalls = HostcallNameTable(names: TraceFixture.hostcalls.names.dropFirst().reversed())
    trace.spans = [Span(hostcall: trace.hostcalls.index(of: "fastly_http_req.send"), start: 0, duration: 5)]
    #expect(hostcall("fastly_http_req.send", in: totals(of: [trace])).nanos == 5)
  }

  @Test func whatCapsKeptOutIsCounted() {
    let totals = totals(of: [TraceFixture.droppedTrace()])
    #expect(totals.dropped.spans == 7)
    #expect(totals.dropped.backendCalls == 2)
    #expect(totals.dropped.heapSamples == 5)
    #expect(totals.hostcallNanosBeyondCap == 140_000)
  }

  @Test func callsAreCountedByBackendOutcomeAndPhase() throws {
    let totals = totals(of: [TraceFixture.normalTrace(), TraceFixture.overlappingTrace()])
    let origin = try #require(totals.backends["origin"])
    #expect(origin.calls == [.ok: 2, .cancelled: 1])
    #expect(origin.receivedBytes == 5360)
    #expect(totals.phases[.tls]?.count == 1)
    #expect(totals.phases[.dns]?.sum == 500_000)
  }

  @Test func backendsThatGuestsMakeUpAreBounded() {
    var trace = TraceFixture.normalTrace()
    trace.backendCalls = (0..<500).map { BackendCall(name: "made up \($0)", totalNanos: 1, outcome: .ok) }
    var totals = totals(of: [trace])
    #expect(totals.backends.count == TraceTotals.maximumBackends + 1)
    #expect(totals.backends[TraceTotals.otherBackends]?.calls[.ok] == 400)
    var others = TraceTotals(names: TraceFixture.hostcalls)
    trace.backendCalls = (500..<600).map { BackendCall(name: "made up \($0)", totalNanos: 1, outcome: .ok) }
    others.add(trace)
    totals.merge(others)
    #expect(totals.backends.count == TraceTotals.maximumBackends + 1)
    #expect(totals.backends[TraceTotals.otherBackends]?.calls[.ok] == 500)
  }

  @Test func partsAddUpToTheWhole() {
    let traces = TraceFixture.allCases.flatMap(\.traces)
    var sum = TraceTotals(names: TraceFixture.hostcalls)
    for trace in traces { sum.merge(totals(of: [trace])) }
    #expect(sum == totals(of: traces))
  }

  @Test func theStoreCountsWhatSamplingLeavesOut() throws {
    var settings = ProfileStoreSettings()
    settings.sampling.oneIn = 1000
    let store = ProfileStore(settings: settings, hostcalls: TraceFixture.hostcalls, countsTotals: true)
    for id in 1...50 {
      var trace = TraceFixture.normalTrace()
      trace.id = UInt64(id)
      store.complete(trace)
    }
    let totals = try #require(store.totals)
    #expect(totals.duration.count == 50)
    #expect(store.statistics.sampledOut > 0)
    #expect(ProfileStore().totals == nil)
  }

  @Test func durationsAreCountedUpToTheEndOfTheirBucket() {
    var histogram = DurationHistogram()
    for nanos in [-1, 0, 100_000, 100_001, 30_000_000_000, 30_000_000_001] as [Int64] { histogram.add(nanos) }
    #expect(histogram.counts.first == 3)
    #expect(histogram.counts[1] == 1)
    #expect(histogram.counts.suffix(2) == [1, 1])
    #expect(histogram.count == 6)
  }
}
