import Testing

@testable import FastlikeProfile

/// The profiles that collectors fetch.
struct PprofScrapeTests {
  private func totals(_ traces: [RequestTrace]) -> TraceTotals {
    var totals = TraceTotals(names: TraceFixture.hostcalls)
    for trace in traces { totals.add(trace) }
    return totals
  }

  private func cpu(_ traces: [RequestTrace]) throws -> [UInt8] {
    var profile = GuestCPUProfile()
    for trace in traces { if let part = GuestCPUProfile.Part(trace) { profile.add(part) } }
    return profile.finish(unixNanos: 1, durationNanos: 2_000_000_000)
  }

  @Test func hostcallsAreBelowTheirModule() throws {
    let bytes = PprofHostcallEncoder.encode(
      totals([TraceFixture.normalTrace()]), unixNanos: 5, durationNanos: 6, compressed: false)
    let file = try ExportPprofFile(bytes)
    #expect(file.types == ["calls/count", "time/nanoseconds", "blocked/nanoseconds"])
    #expect(file.defaultType == "time")
    let lookup = file.samples.first { $0.stack == ["fastly_kv_store.lookup", "fastly_kv_store"] }
    #expect(lookup?.values == [1, 900_000, 800_000])
    #expect(file.samples.count == 4)
    #expect(file.durationNanos == 6)
  }

  @Test func onlyWhatWasAddedSinceIsWritten() throws {
    let earlier = totals([TraceFixture.normalTrace()])
    let later = totals([TraceFixture.normalTrace(), TraceFixture.trapTrace()])
    let file = try ExportPprofFile(
      PprofHostcallEncoder.encode(later, since: earlier, unixNanos: 0, durationNanos: 0, compressed: false))
    #expect(file.total("calls") == 2)
    #expect(file.total("time") == 22_010)
  }

  @Test func hostcallsBeyondTheCapAreTold() throws {
    let file = try ExportPprofFile(
      PprofHostcallEncoder.encode(
        totals([TraceFixture.droppedTrace()]), unixNanos: 0, durationNanos: 0, compressed: false))
    #expect(file.samples.contains { $0.stack == ["hostcalls beyond the cap"] && $0.values == [7, 140_000, 0] })
  }

  @Test func stacksOfRequestsAreSummedUp() throws {
    let file = try ExportPprofFile(
      GzipInput.decompress(cpu([TraceFixture.stacksTrace(), TraceFixture.stacksTrace()]), limit: 1 << 20))
    #expect(file.types == ["samples/count", "cpu/nanoseconds"])
    #expect(file.defaultType == "cpu")
    #expect(file.samples.map(\.values) == [[2, 500_000], [4, 1_000_000], [2, 500_000]])
    #expect(file.samples[0].stack == ["parse(header: [UInt8]) [app.wasm]", "main [app.wasm]"])
    #expect(file.samples[0].labels.map(\.key) == ["method", "path"])
  }

  @Test func withoutSamplesTheProfileIsEmptyAndSaysWhy() throws {
    let file = try ExportPprofFile(GzipInput.decompress(cpu([TraceFixture.normalTrace()]), limit: 1 << 20))
    #expect(file.samples.isEmpty)
    #expect(file.comments == ["no request with sampled stacks finished meanwhile"])
  }

  @Test(.enabled(if: ExternalReader.pprof.isThere, ExternalReader.pprof.advice))
  func pprofReadsBoth() throws {
    let hostcalls = PprofHostcallEncoder.encode(
      totals(TraceFixture.allCases.flatMap(\.traces)), unixNanos: TraceFixture.wallStart, durationNanos: 1)
    #expect(try ExternalReader.pprof.read(hostcalls, ["-top"]).contains(" fastly_kv_store.lookup"))
    let top = try ExternalReader.pprof.read(cpu([TraceFixture.stacksTrace()]), ["-top"])
    #expect(top.contains("Total samples = 1000us"))
    #expect(top.contains(" parse(header: [UInt8])"))
    #expect(try ExternalReader.pprof.read(cpu([]), ["-raw"]).contains("Samples:"))
  }
}
