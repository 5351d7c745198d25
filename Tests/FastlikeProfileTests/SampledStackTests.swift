import Testing

@testable import FastlikeProfile

/// What a sampler tells of a request, from the recorder to the formats.
struct SampledStackTests {
  private static let leaf = StackFrame(name: "shop::price", module: "shop", file: "price.rs", line: 7)
  private static let root = StackFrame(name: "main", module: "shop")
  private static let hostcall = StackFrame(name: "fastly_kv_store.lookup", module: "fastlike", kind: .host)

  private func recorder() -> TraceRecorder {
    TraceRecorder(id: 1, head: TraceHead(moduleID: "0", method: "GET", url: RedactedURL("/")), hostcalls: .empty)
  }

  private func sampled() -> RequestTrace {
    let recorder = recorder()
    let frames = [Self.leaf, Self.root, Self.hostcall].map { recorder.internGuestFrame($0) }
    recorder.guestStack(leafFirst: [frames[0], frames[1]], weightNanos: 1_000_000, monotonicNanos: 0)
    recorder.guestStack(leafFirst: [frames[2], frames[1]], weightNanos: 500_000, isGuestCPU: false)
    recorder.memoryGrew(from: 65_536, to: 131_072, stack: [Self.leaf, Self.root])
    return recorder.finish()
  }

  @Test func timeInHostcallsIsNotTheGuestsOwn() {
    let trace = sampled()
    #expect(trace.guestStacks.samples.map(\.weightNanos) == [1_000_000, 500_000])
    #expect(trace.nativeCPUNanos == 1_000_000)
  }

  @Test func aSampleFromBeforeTheTraceCountsAtItsStart() {
    #expect(sampled().guestStacks.samples.first?.relativeNanos == 0)
  }

  @Test func growthsBeyondTheCapAreCounted() {
    let recorder = recorder()
    for size in 0..<(MemoryGrowth.cap + 3) { recorder.memoryGrew(from: size, to: size + 1, stack: []) }
    let trace = recorder.finish()
    #expect(trace.memoryGrowth.count == MemoryGrowth.cap)
    #expect(trace.droppedMemoryGrowth == 3)
    #expect(trace.isTruncated)
  }

  @Test func theNativeFormatKeepsSourcesAndGrowths() throws {
    let trace = sampled()
    let decoded = try #require(try NativeJSONDecoder.decode(NativeJSONEncoder.encode(trace)).first)
    #expect(decoded.guestStacks == trace.guestStacks)
    #expect(decoded.memoryGrowth == trace.memoryGrowth)
    #expect(decoded.memoryGrowth.first?.stack == ["shop::price", "main"])
  }

  @Test func theFirefoxProfilerIsToldWhereAFunctionBegins() throws {
    let shared = try ExportJSON(FirefoxProfileEncoder.encode([sampled()]))["shared"]
    let strings = shared["stringArray"].array.map { $0.string ?? "" }
    let name = try #require(strings.firstIndex(of: "shop::price"))
    let function = try #require(shared["funcTable"]["name"].array.firstIndex { $0.int == name })
    #expect(shared["funcTable"]["lineNumber"].array[function].int == 7)
    let source = try #require(shared["funcTable"]["source"].array[function].int)
    #expect(shared["sources"]["filename"].array[source].int.map { strings[$0] } == "price.rs")
  }
}
