import Foundation
import Testing

@testable import FastlikeProfile

struct PerfScriptImporterTests {
  private func batch(_ text: String, _ importer: PerfScriptImporter = PerfScriptImporter()) throws -> NativeSampleBatch
  {
    try importer.importSamples(from: Array(text.utf8))
  }

  private func only(_ text: String, _ importer: PerfScriptImporter = PerfScriptImporter()) throws -> NativeSampleEvent {
    let batch = try batch(text, importer)
    #expect(batch.events.count == 1)
    #expect(batch.unknownLines == 0)
    return try #require(batch.events.first)
  }

  private func stack(_ batch: NativeSampleBatch, _ event: Int = 0) -> [StackFrame] {
    batch.events[event].stack.map { batch.stacks.framesLeafFirst(of: $0) } ?? []
  }

  private static let frames =
    "\t            11d7 leaf+0x27 (/opt/app/trivial)\n\t            10a5 main+0x35 (/opt/app/trivial)\n\n"

  /// A header line of each layout, and what is to be read from it.
  struct Layout: CustomStringConvertible, Sendable {
    var header: String
    var process: Int32?
    var thread: Int32?
    var weight: Int64 = 10_101_010
    var nanos: Int64 = 7_131_330_612_000
    var description: String { header }
  }

  private static let layouts = [
    Layout(header: "trivial 12306  7131.330612:   10101010 cpu-clock:pppH: ", thread: 12306),
    Layout(header: "trivial 12306/12307  7131.330612:   10101010 cpu-clock:pppH: ", process: 12306, thread: 12307),
    Layout(header: "trivial 12786 [000]  7131.330612:   10101010 cpu-clock:pppH: ", thread: 12786),
    Layout(header: "trivial  2083/2083  [000]  7131.330612:   10101010 cpu-clock: ", process: 2083, thread: 2083),
    Layout(header: "swapper     0 [000]  7131.330612:    1001001 cpu-clock:pppH: ", thread: 0, weight: 1_001_001),
    Layout(header: "my worker 12800  7131.330612:   10101010 cpu-clock:u: ", thread: 12800),
    Layout(header: "trivial 12804  7131.330612:   10000000 task-clock: ", thread: 12804, weight: 10_000_000),
    Layout(header: "trivial 12810  7131.330612:   10101010   cpu-clock: ", thread: 12810),
    Layout(header: "trivial 12306/12306  7131.330612: cpu-clock:pppH: ", process: 12306, thread: 12306, weight: 0),
    Layout(header: "trivial 12306  7131.330612: ", process: 12306, weight: 0),
    Layout(header: "         trivial 12306  7131.330612: ", process: 12306, weight: 0),
    Layout(
      header: "trivial 12306  7131.330612461:   10101010 cpu-clock:pppH: ", thread: 12306, nanos: 7_131_330_612_461),
    Layout(header: "trivial  2111  7131.330612:    2500000 cycles:ppp: ", thread: 2111, weight: 0),
    Layout(header: "x 1 [2] 3.4: y 5/6 [001]  7131.330612:   10101010 cpu-clock: ", process: 5, thread: 6),
    Layout(header: "kworker/0:1 (a) 17  7131.330612:   10101010 cpu-clock: ", thread: 17),
    Layout(header: ":-1    -1 [001]  7131.330612:   10101010 cpu-clock: "),
    Layout(header: "  7131.330612: cpu-clock: ", weight: 0),
  ]

  @Test(arguments: layouts) func everyHeaderLayoutIsRead(layout: Layout) throws {
    let event = try only(layout.header + "\n" + Self.frames)
    #expect(event.processID == layout.process)
    #expect(event.threadID == layout.thread)
    #expect(event.timestampNanos == layout.nanos)
    #expect(event.weightNanos == layout.weight)
    #expect(event.clock == .monotonic)
    #expect(event.stack != nil)
  }

  @Test func wholeStacksAreKeptLeafFirst() throws {
    let batch = try batch("trivial 1/1 1.5: 1 cpu-clock: \n" + Self.frames)
    #expect(stack(batch).map(\.name) == ["leaf", "main"])
    #expect(stack(batch).map(\.module) == ["trivial", "trivial"])
    #expect(stack(batch).allSatisfy { $0.kind == .host })
  }

  @Test func equalStacksAreInternedOnce() throws {
    let sample = "trivial 1/1 1.5: 1 cpu-clock: \n" + Self.frames
    let batch = try batch(sample + sample + sample)
    #expect(batch.events.count == 3)
    #expect(batch.stacks.frames.count == 2)
    #expect(batch.stacks.nodes.count == 2)
  }

  @Test func aCommandWithBlanksAndDigitsIsNoObstacle() throws {
    let event = try only("a 7 (b) [3] 99/100  7131.5: 1 cpu-clock: \n" + Self.frames)
    #expect(event.processID == 99)
    #expect(event.threadID == 100)
  }

  @Test func aSampleWithoutCallChainHasItsFrameOnTheSameLine() throws {
    let line =
      "       my worker 12781  7149.033627:   10101010 cpu-clock:pppH:      55a596cbf1d7 leaf+0x27 (/opt/app/trivial)\n"
    let batch = try batch(line + line)
    #expect(batch.events.count == 2)
    #expect(batch.events[0].threadID == 12781)
    #expect(stack(batch, 1).map(\.name) == ["leaf"])
    #expect(batch.unknownLines == 0)
  }

  @Test func inlinedFunctionsBelongToTheModuleOfTheFunctionAroundThem() throws {
    let batch = try batch(
      """
      trivial 1/1 1.5: 1 cpu-clock:\u{20}
      \t            11d7 inner+0x27 (inlined)
      \t            11d7 leaf+0x27 (/opt/app/trivial)
      \t            1213 middle+0x23 (/opt/app/trivial)

      """)
    #expect(stack(batch).map(\.name) == ["inner", "leaf", "middle"])
    #expect(stack(batch).map(\.isInlined) == [true, false, false])
    #expect(stack(batch).map(\.module) == ["trivial", "trivial", "trivial"])
  }

  @Test func sourceLinesBetweenFramesAreSkipped() throws {
    let batch = try batch(
      "trivial 1/1 1.5: 1 cpu-clock: \n\t 1145 leaf+0xc (/opt/trivial)\n  t.c:2\n\t 11b3 main+0x2b (/opt/trivial)\n  ??:0\n\n"
    )
    #expect(stack(batch).map(\.name) == ["leaf", "main"])
    #expect(batch.unknownLines == 0)
  }

  @Test func wasmFramesAreKnownByTheirModule() throws {
    let batch = try batch(
      """
      app 1/1 1.5: 1 cpu-clock:\u{20}
      \t    7feb7d21e00c leaf+0xc (/tmp/perf-13011.map)
      \t    7feb7d21e041 foo::bar::h0123456789abcdef+0x21 (/tmp/perf-13011.map)
      \t    7feb7d21e081 wasm[0]::function[2]+0x21 (/tmp/perf-13011.map)
      \t    7feb7d21e19f wasm[0]::array_to_wasm_trampoline[2]+0x5a (/tmp/perf-13011.map)
      \t              8c jitted+0xc (/opt/jitted-13026-0.so)
      \t              8c wasm[0]::function[7]::named+0xc (/opt/app.cwasm)
      \t              8c call_unchecked (/opt/lib (x)/libhost.so (deleted))
      \t              8c do_syscall_64 ([kernel.kallsyms])
      \t              8c ext4_write ([ext4])
      \t              8c clock_gettime ([vdso])

      """)
    #expect(
      stack(batch).map(\.name) == [
        "leaf", "foo::bar", "wasm[0]::function[2]", "wasm[0]::array_to_wasm_trampoline[2]", "jitted", "named",
        "call_unchecked", "do_syscall_64", "ext4_write", "clock_gettime",
      ])
    #expect(
      stack(batch).map(\.kind) == [.guest, .guest, .guest, .host, .guest, .guest, .host, .kernel, .kernel, .host])
    #expect(stack(batch)[0].module == "")
    #expect(stack(batch)[6].module == "libhost.so")
  }

  @Test func symbolsWithParenthesesKeepThem() throws {
    let batch = try batch(
      "a 1/1 1.5: 1 cpu-clock: \n\t 1 operator()(int) const+0x1 (/opt/a)\n\t 2 <T as F<(A, B)>>::call+0x1fb (/opt/a)\n\n"
    )
    #expect(stack(batch).map(\.name) == ["operator()(int) const", "<T as F<(A, B)>>::call"])
  }

  @Test func unresolvedFramesBecomeTheirAddress() throws {
    let batch = try batch("a 1/1 1.5: 1 cpu-clock: \n\t 1040 [unknown] (libfoo.so)\n\t 1145\n\t 11b3 main (/opt/a)\n\n")
    #expect(stack(batch).map(\.name) == ["0x1040", "0x1145", "main"])
    #expect(stack(batch).map(\.module) == ["libfoo.so", "", "a"])
  }

  @Test func theJunkAtTheEndOfAFramePointerChainIsDropped() throws {
    let batch = try batch("a 1/1 1.5: 1 cpu-clock: \n\t 1 leaf (/opt/a)\n\t 1040000000 [unknown] ([unknown])\n\n")
    #expect(stack(batch).map(\.name) == ["leaf"])
  }

  @Test func aPerfMapNamesWhatPerfCouldNot() throws {
    let map = try PerfMap(Array("0x1000 19 leaf\n".utf8))
    let batch = try batch(
      "a 1/1 1.5: 1 cpu-clock: \n\t 100c [unknown] (/tmp/perf-7.map)\n\n", PerfScriptImporter(perfMap: map))
    #expect(stack(batch).map(\.name) == ["leaf"])
    #expect(stack(batch).map(\.kind) == [.guest])
  }

  @Test func unixTimesAreToldByTheirSize() throws {
    let event = try only("trivial 1/1 1795434333.741615: 1 cpu-clock: \n" + Self.frames)
    #expect(event.clock == .realtime)
    #expect(event.timestampNanos == 1_795_434_333_741_615_000)
  }

  @Test func theClockAndTheMeaningOfALoneNumberCanBeGiven() throws {
    let text = "trivial 12306  7131.330612: 1 cpu-clock: \n" + Self.frames
    let event = try only(text, PerfScriptImporter(clock: .realtime, loneNumber: .process))
    #expect(event.clock == .realtime)
    #expect(event.processID == 12306)
    #expect(event.threadID == nil)
  }

  @Test func tracepointsAndCountedEventsAreNoSamples() throws {
    let batch = try batch(
      "sleep  2057 [001]  8318.724196: sched:sched_switch: prev_comm=a prev_pid=1 1.2: x\n\t 1 f (/opt/a)\n\n"
        + "sleep  2057 [001]  8318.8:          1 page-faults: \n\t 1 f (/opt/a)\n\n"
        + "sleep 2057/2057 8318.9: PERF_RECORD_COMM exec: sleep:2057/2057\n"
        + "a 1/1 8319.5: 1 cpu-clock: \n" + Self.frames)
    #expect(batch.events.count == 1)
    #expect(batch.unknownLines == 0)
  }

  @Test func commentsAreSkipped() throws {
    _ = try only("# ========\n# captured on : now\n#\na 1/1 8319.5: 1 cpu-clock: \n" + Self.frames)
  }

  @Test func unknownLinesAreCountedAndTheirNumbersTold() throws {
    let batch = try batch("what is this\na 1/1 8319.5: 1 cpu-clock: \n" + Self.frames + "garbage\n\tmore of it\n")
    #expect(batch.events.count == 1)
    #expect(batch.unknownLines == 2)
    #expect(batch.unknownLineNumbers == [1, 6])
  }

  @Test func windowsLineEndsAndAMissingLastOneDoNotMatter() throws {
    let batch = try batch(
      "a 1/1 1.5: 1 cpu-clock: \r\n\t 1 leaf (/opt/a)\r\n\r\na 1/1 1.6: 1 cpu-clock: \n\t 1 leaf (/opt/a)")
    #expect(batch.events.count == 2)
    #expect(batch.stacks.nodes.count == 1)
  }

  @Test func emptyInputHasNoSamples() {
    #expect(throws: NativeSampleError.noNativeSamples) { try batch("") }
    #expect(throws: NativeSampleError.noNativeSamples) { try batch("\n\n# nothing\n") }
  }

  @Test func inputThatIsSomethingElseIsRefusedWithItsLine() {
    #expect(throws: NativeSampleError.malformed(line: 2, reason: "not a line of perf script")) {
      try batch("\nhello\n")
    }
  }

  @Test func relativeTimesAreRefused() throws {
    let error = #expect(throws: NativeSampleError.self) { try batch("a 1     0.000000: 1 cpu-clock: \n" + Self.frames) }
    #expect(try #require(error).description.contains("--reltime"))
  }

  @Test func samplesWithoutTimeAreRefused() throws {
    let error = #expect(throws: NativeSampleError.self) { try batch("a  2072   10101010 cpu-clock: \n" + Self.frames) }
    #expect(try #require(error).description.contains("--per-thread"))
  }

  @Test func callChainsWithoutSamplesAreRefused() {
    #expect(throws: NativeSampleError.self) { try batch("\n" + Self.frames) }
  }

  @Test func aLineWithoutEndIsCountedAndNotKept() throws {
    let long = String(repeating: "x", count: PerfScriptParser.maximumLineBytes + 1)
    let batch = try batch(long + "\na 1/1 8319.5: 1 cpu-clock: \n" + Self.frames)
    #expect(batch.unknownLineNumbers == [1])
    #expect(batch.events.count == 1)
  }

  @Test func deepStacksKeepTheirInnermostFrames() throws {
    let chain = (0..<600).map { "\t 1 f\($0) (/opt/a)\n" }.joined()
    let batch = try batch("a 1/1 1.5: 1 cpu-clock: \n" + chain + "\n")
    #expect(stack(batch).count == StackTable.Builder.maximumDepth)
    #expect(stack(batch).first?.name == "f0")
  }

  @Test func limitsAreErrorsThatNameThem() {
    let sample = "a 1/1 1.5: 1 cpu-clock: \n" + Self.frames
    for limits in [
      NativeImportLimits(bytes: 100), NativeImportLimits(samples: 1), NativeImportLimits(functions: 1),
      NativeImportLimits(stackNodes: 1),
    ] {
      #expect(throws: NativeSampleError.self) { try batch(sample + sample, PerfScriptImporter(limits: limits)) }
    }
  }

  @Test func aFileIsReadInPieces() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("perf-\(UUID().uuidString).txt").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let sample = "a 1/1 1.5: 1 cpu-clock: \n" + Self.frames
    let count = (3 << 20) / sample.utf8.count
    try Data(String(repeating: sample, count: count).utf8).write(to: URL(fileURLWithPath: path))
    let batch = try NativeProfileFormat.importSamples(atPath: path)
    #expect(batch.events.count == count)
    #expect(batch.unknownLines == 0)
  }

  @Test func aMissingFileIsNamed() throws {
    let error = #expect(throws: NativeInputError.self) {
      try PerfScriptImporter().importSamples(atPath: "/nowhere/perf.txt")
    }
    #expect(try #require(error).description.hasPrefix("/nowhere/perf.txt: "))
  }
}

struct PerfMapTests {
  @Test func linesWithAndWithoutPrefixAreRead() throws {
    let map = try PerfMap(Array("0x7feb7d21e000 19 leaf\n7feb7d21e020 0x10 foo bar\n".utf8))
    #expect(map.count == 2)
    #expect(map.name(at: 0x7feb_7d21_e018) == "leaf")
    #expect(map.name(at: 0x7feb_7d21_e019) == nil)
    #expect(map.name(at: 0x7feb_7d21_e020) == "foo bar")
    #expect(map.name(at: 0x7feb_7d21_e030) == nil)
    #expect(map.name(at: 0) == nil)
  }

  @Test func laterLinesOverrideEarlierOnes() throws {
    let map = try PerfMap(Array("1000 100 old\n1040 10 new\n1048 4 newest\n".utf8))
    #expect(map.name(at: 0x103F) == "old")
    #expect(map.name(at: 0x1040) == "new")
    #expect(map.name(at: 0x1049) == "newest")
    #expect(map.name(at: 0x104C) == "new")
    #expect(map.name(at: 0x1050) == "old")
  }

  @Test func unknownLinesAreCounted() throws {
    let map = try PerfMap(Array("what\n1000 10 f\n1000 zz g\n".utf8))
    #expect(map.count == 1)
    #expect(map.unknownLineNumbers == [1, 3])
  }

  @Test func aFileThatIsNoMapIsRefusedWithItsLine() {
    #expect(throws: NativeSampleError.self) { try PerfMap(Array("hello world\n".utf8)) }
  }

  @Test func anEmptyFileIsAnEmptyMap() throws {
    #expect(try PerfMap([]).count == 0)
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func lookupsAgreeWithTheLastLineThatCoversAnAddress(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let functions = (0..<60).map { _ in
      (start: UInt64.random(in: 0..<200, using: &generator), size: UInt64.random(in: 1..<40, using: &generator))
    }
    let text = functions.enumerated().map { index, function in
      "\(String(function.start, radix: 16)) \(String(function.size, radix: 16)) f\(index)\n"
    }
    let map = try PerfMap(Array(text.joined().utf8))
    for address in UInt64(0)..<260 {
      let last = functions.lastIndex { $0.start <= address && address < $0.start + $0.size }
      #expect(map.name(at: address) == last.map { "f\($0)" }, "seed \(seed), address \(address)")
    }
  }
}
