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

  /// Names a word by its number; 0 is not shown.
  private final class Numbers: GuestFrameNames {
    func frame(of word: UInt) -> StackFrame? { word == 0 ? nil : StackFrame(name: "f\(word)") }
  }

  @Test(arguments: [1, 63, 64, 65, 200]) func stacksOfWordsAreNamedWhenTheTraceIsRead(count: Int) {
    let recorder = recorder()
    let names = Numbers()
    for number in 1...count {
      recorder.guestStack(leafFirst: [UInt(number), 0, 1000], namedBy: names, weightNanos: Int64(number))
    }
    recorder.guestStack(leafFirst: [0], namedBy: names, weightNanos: 1)
    let trace = recorder.finish()
    let stacks = trace.guestStacks
    // What cannot be named is not the guest's time either.
    #expect(trace.nativeCPUNanos == Int64(count * (count + 1) / 2))
    #expect(stacks.samples.map(\.weightNanos) == (1...count).map(Int64.init))
    #expect(
      stacks.samples.map { stacks.table.framesLeafFirst(of: $0.stack).map(\.name) }
        == (1...count).map { ["f\($0)", "f1000"] })
  }

  @Test func stacksOfBothKindsStayInTheirOrder() {
    let recorder = recorder()
    recorder.guestStack(leafFirst: [7], namedBy: Numbers())
    recorder.guestStack(leafFirst: [recorder.internGuestFrame(Self.leaf)])
    recorder.guestStack(leafFirst: [8], namedBy: Numbers())
    let stacks = recorder.finish().guestStacks
    #expect(
      stacks.samples.map { stacks.table.framesLeafFirst(of: $0.stack).map(\.name) } == [
        ["f7"], ["shop::price"], ["f8"],
      ])
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
