import Testing

@testable import FastlikeProfile

/// Feeds bytes that nobody meant well into every importer. What a seed did can be done again: it is in the test's name.
struct ImportHostileTests {
  private static let seeds: [UInt64] = [21, 22, 23, 24]

  private static let perfScript = """
    # ========
    trivial 12306/12306  7131.330612:   10101010 cpu-clock:pppH:\u{20}
    \t            11d7 inner+0x27 (inlined)
    \t            11d7 leaf+0x27 (/opt/app/trivial)
    \t    7feb7d21e081 wasm[0]::function[2]::x+0x21 (/tmp/perf-13011.map)
    \t      1040000000 [unknown] ([unknown])
      t.c:5

           my worker 12781 [001] 1795434333.741615461:   10101010 cpu-clock:pppH:      55a596cbf1d7 leaf+0x27 (/opt/a b)
    sleep  2057 [001]  8318.724196: sched:sched_switch: prev_comm=sleep prev_pid=2057 ==> next_comm=a

    """
  private static let perfMap = "0x7feb7d21e000 19 leaf\n7feb7d21e020 ffffffffffffffff foo bar\n10 20 baz\n"
  private static let firefox = """
    {"meta": {"preprocessedProfileVersion": 63, "startTime": 1.5e12, "interval": 1, "categories": [{"name": "JIT"}]},
     "libs": [{"name": "l"}], "threads": [{"pid": "77.1", "tid": 5, "samples": {"stack": [1, null, 0], "time": [1, 2, 3]}},
      {"stringTable": ["a (in b)"], "frameTable": {"schema": {"location": 0}, "data": [[0]]}, "stackTable":
       {"schema": {"prefix": 0, "frame": 1}, "data": [[null, 0]]}, "samples": {"schema": {"stack": 0, "time": 1},
       "data": [[0, 1]]}}], "shared": {"stringArray": ["f\\u00e9", "g"], "frameTable": {"func": [0, 1], "inlineDepth": [0, 1],
      "category": [0, null]}, "funcTable": {"name": [0, 1], "resource": [0, -1]}, "resourceTable": {"name": [1]},
      "stackTable": {"frame": [0, 1], "prefixOffset": [0, 1]}}, "processes": []}
    """

  /// Whole, cut, changed, doubled and invented bytes.
  private func mutations(of text: String, seed: UInt64, _ body: ([UInt8]) -> Void) {
    print("ImportHostileTests: seed \(seed)")
    var generator = SeededGenerator(seed: seed)
    let whole = Array(text.utf8)
    for length in 0...whole.count { body(Array(whole.prefix(length))) }
    let telling = Array("0123456789abcdefx:/.[]()\"{},-+ \t\n\r\\".utf8) + [0, 0x7F, 0x80, 0xFF]
    for _ in 0..<300 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...8, using: &generator) {
        let index = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes[index] = telling.randomElement(using: &generator) ?? 0
        case 1: bytes.insert(contentsOf: bytes.suffix(.random(in: 0...40, using: &generator)), at: index)
        case 2: bytes.removeSubrange(index..<min(bytes.count, index + .random(in: 0...20, using: &generator)))
        default: bytes[index] = .random(in: 0...255, using: &generator)
        }
        if bytes.isEmpty { bytes = [0] }
      }
      body(bytes)
    }
    for _ in 0..<100 {
      let count = Int.random(in: 0...400, using: &generator)
      body((0..<count).map { _ in telling.randomElement(using: &generator) ?? 0 })
      body((0..<count).map { _ in .random(in: 0...255, using: &generator) })
    }
  }

  /// Either an error of the importers, or a batch that holds together.
  private func check(_ importer: some NativeSampleImporter, _ bytes: [UInt8], seed: UInt64) {
    do {
      let batch = try importer.importSamples(from: bytes)
      #expect(!batch.events.isEmpty, "seed \(seed)")
      #expect(batch.events.count <= bytes.count, "seed \(seed)")
      #expect(batch.stacks.nodes.count <= bytes.count, "seed \(seed)")
      #expect(StackTable(frames: batch.stacks.frames, nodes: batch.stacks.nodes) != nil, "seed \(seed)")
      #expect(batch.events.allSatisfy { $0.stack.map { Int($0) < batch.stacks.nodes.count } ?? true }, "seed \(seed)")
      #expect(batch.unknownLineNumbers.count <= batch.unknownLines, "seed \(seed)")
      var traces = [RequestTrace(id: 1, processID: 77, monotonicStartNanos: 1, wallNanos: .max)]
      let report = NativeSampleMerger().merge(batch, into: &traces)
      let sum =
        report.attached + report.outsideWindow + report.otherProcess + report.ambiguous + report.withoutStack
      #expect(sum == batch.events.count, "seed \(seed)")
    } catch let error as NativeSampleError {
      #expect(!error.description.isEmpty)
    } catch {
      Issue.record("seed \(seed): an error of another type: \(error)")
    }
  }

  @Test(arguments: seeds) func perfScriptTextNeverCrashesTheImporter(seed: UInt64) {
    mutations(of: Self.perfScript, seed: seed) { check(PerfScriptImporter(), $0, seed: seed) }
  }

  @Test(arguments: seeds) func profilesNeverCrashTheImporter(seed: UInt64) {
    mutations(of: Self.firefox, seed: seed) { check(FirefoxProfileImporter(), $0, seed: seed) }
  }

  @Test(arguments: seeds) func compressedProfilesNeverCrashTheImporter(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let whole = try #require(Gzip.compress(Array(Self.firefox.utf8)))
    for _ in 0..<300 {
      var bytes = Array(whole.prefix(.random(in: 2...whole.count, using: &generator)))
      for _ in 0..<Int.random(in: 0...3, using: &generator) {
        bytes[.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
      }
      check(FirefoxProfileImporter(), bytes, seed: seed)
    }
  }

  @Test(arguments: seeds) func perfMapsNeverCrashTheReader(seed: UInt64) {
    mutations(of: Self.perfMap, seed: seed) { bytes in
      do {
        let map = try PerfMap(bytes)
        for address: UInt64 in [0, 0x10, 0x2F, 0x7feb_7d21_e000, .max] { _ = map.name(at: address) }
      } catch {
        #expect(error is NativeSampleError, "seed \(seed)")
      }
    }
  }

  @Test(arguments: seeds) func textThatComesInAnyPiecesIsReadTheSame(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let bytes = Array(Self.perfScript.utf8)
    let whole = try PerfScriptImporter().importSamples(from: bytes)
    for _ in 0..<50 {
      var parser = PerfScriptImporter().makeParser()
      var start = 0
      while start < bytes.count {
        let end = min(bytes.count, start + .random(in: 1...60, using: &generator))
        try parser.feed(Array(bytes[start..<end]))
        start = end
      }
      #expect(try parser.finish() == whole, "seed \(seed)")
    }
  }

  @Test func manyDistinctAddressesDoNotFillTheMemory() throws {
    let samples = PerfScriptParser.maximumNamedAddresses + 1000
    var parser = PerfScriptImporter().makeParser()
    for index in 0..<samples {
      try parser.feed(Array("a 1/1 1.5: 1 cpu-clock: \n\t \(String(index, radix: 16)) [unknown] (lib)\n\n".utf8))
    }
    let batch = try parser.finish()
    #expect(batch.events.count == samples)
    #expect(batch.stacks.frames.count == PerfScriptParser.maximumNamedAddresses + 1)
    #expect(batch.stacks.frames.last?.name == "[unknown]")
  }
}
