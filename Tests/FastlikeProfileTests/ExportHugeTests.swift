import Testing

@testable import FastlikeProfile

/// A trace at its caps: nothing is lost, and files stay of a size that a page can load.
struct ExportHugeTests {
  private static let trace = TraceFixture.hugeTrace()
  private static let spans = TraceLimits.defaultSpanCap
  private static let calls = TraceLimits.defaultBackendCallCap

  @Test func firefoxHasAMarkerForEverySpanAndThreeForEveryCall() throws {
    let bytes = FirefoxProfileEncoder.encode(Self.trace)
    #expect(bytes.count < 6 << 20)
    let thread = try #require(try ExportJSON(bytes)["threads"].array.first)
    let types = Dictionary(grouping: thread["markers"]["data"].array.compactMap { $0["type"].string }) { $0 }
      .mapValues(\.count)
    #expect(types["Hostcall"] == Self.spans)
    #expect(types["Suspended"] == Self.trace.blocked.count)
    #expect(types["BackendCall"] == Self.calls)
    #expect(types["Network"] == 2 * Self.calls)
  }

  @Test func chromeHasASliceForEverySpanAndCallOnFewRows() throws {
    let bytes = ChromeTraceEncoder.encode(Self.trace)
    #expect(bytes.count < 6 << 20)
    let events = try ExportJSON(bytes)["traceEvents"].array
    let categories = Dictionary(grouping: events.filter { $0["ph"].string == "X" }.compactMap { $0["cat"].string }) {
      $0
    }
    .mapValues(\.count)
    #expect(categories["hostcall"] == Self.spans)
    #expect(categories["backend"] == Self.calls)
    #expect(events.count { $0["name"].string == "thread_name" } == 5)
  }

  @Test func pprofAddsUpWhatIsAlike() throws {
    let file = try ExportPprofFile(PprofEncoder.encode(Self.trace, compressed: false))
    #expect(file.total("calls") == Int64(Self.spans))
    #expect(file.total("wall") == Self.trace.wallNanos)
    #expect(file.samples.count < 32)
    #expect(PprofEncoder.encode(Self.trace).count < 4096)
  }

  /// Samples are written in batches, and the tables after the last one.
  @Test func pprofIsOneProfileHoweverManySamplesThereAre() throws {
    var table = StackTable.Builder()
    var trace = TraceFixture.normalTrace()
    let samples = (0..<10_000)
      .compactMap { index in
        table.intern(leafFirst: [StackFrame(name: "function \(index)", module: "app.wasm")])
          .map { StackSample(relativeNanos: Int64(index), stack: $0, weightNanos: 1) }
      }
    trace.nativeStacks = StackProfile(table: table.finish(), samples: samples)
    let file = try ExportPprofFile(PprofEncoder.encode(trace, compressed: false))
    #expect(file.total("native_samples") == Int64(samples.count))
    #expect(file.total("wall") == trace.wallNanos)
    #expect(Set(file.samples.compactMap(\.stack.first)).count > samples.count)
  }

  @Test func perfettoHasTwoEventsForEverySlice() throws {
    let bytes = PerfettoEncoder.encode(Self.trace)
    #expect(bytes.count < 3 << 20)
    let file = try ExportPerfettoFile(bytes)
    let begins = file.events.count { $0.kind == .begin }
    #expect(begins == file.events.count { $0.kind == .end })
    #expect(begins >= Self.spans + Self.calls + Self.trace.blocked.count)
  }

  @Test func speedscopeAndHARHaveAll() throws {
    let speedscope = try ExportJSON(SpeedscopeEncoder.encode(Self.trace))
    let events = speedscope["profiles"].array.reduce(0) { $0 + $1["events"].array.count }
    #expect(events >= 2 * (Self.spans + Self.calls))
    #expect(try ExportJSON(HAREncoder.encode(Self.trace))["log"]["entries"].array.count == Self.calls)
  }

  @Test func collapsedStacksAreAFewLines() {
    let lines = CollapsedStackEncoder.encode(Self.trace).split(separator: UInt8(ascii: "\n"))
    #expect(lines.count < 16)
  }
}
