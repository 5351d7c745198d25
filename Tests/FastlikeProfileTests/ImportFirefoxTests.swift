import Foundation
import Testing

@testable import FastlikeProfile

struct FirefoxProfileImporterTests {
  private static func batch(_ text: String) throws -> NativeSampleBatch {
    try FirefoxProfileImporter().importSamples(from: Array(text.utf8))
  }

  private func stacks(_ batch: NativeSampleBatch) -> [[String]] {
    batch.events.map { event in event.stack.map { batch.stacks.framesLeafFirst(of: $0).map(\.name) } ?? [] }
  }

  private static let strings = #"["leaf", "main", "libhost.so", "perf-7.map", "do_syscall_64"]"#
  private static let frameTables = """
    "frameTable": {"length": 3, "func": [0, 1, 2], "category": [2, 1, 0], "inlineDepth": [1, 0, 0]},
    "funcTable": {"length": 3, "name": [0, 1, 4], "resource": [1, 0, -1]},
    "resourceTable": {"length": 2, "name": [2, 3], "type": [1, 1]}
    """
  private static let meta = """
    "startTime": 1700000000000.5, "interval": 2, "sampleUnits": {"time": "ms", "threadCPUDelta": "µs"},
    "categories": [{"name": "Kernel", "color": "orange", "subcategories": ["Other"]}, {"name": "User"}, {"name": "JIT"}]
    """
  private static let samples = """
    "samples": {"length": 4, "stack": [1, null, 2, 1], "time": [1, 1.5, 2.25, 3], "weight": null,
      "weightType": "samples", "threadCPUDelta": [0, 5, null, 7]}
    """

  /// The same profile in the shapes of four versions of the processed format.
  private static let versions = [
    // Everything in the thread, ids as numbers.
    """
    {"meta": {"preprocessedProfileVersion": 46, \(meta)}, "libs": [],
     "threads": [{"name": "t", "pid": 77, "tid": 78, "stringArray": \(strings), \(frameTables),
       "stackTable": {"length": 3, "frame": [1, 0, 2], "prefix": [null, 0, 0]}, \(samples)}]}
    """,
    // Shared strings.
    """
    {"meta": {"preprocessedProfileVersion": 56, \(meta)}, "shared": {"stringArray": \(strings)},
     "threads": [{"pid": "77", "tid": 78, \(frameTables),
       "stackTable": {"length": 3, "frame": [1, 0, 2], "prefix": [null, 0, 0]}, \(samples)}]}
    """,
    // Shared tables, after the threads.
    """
    {"meta": {"preprocessedProfileVersion": 63, \(meta)}, "threads": [{"pid": "77", "tid": "78", \(samples)}],
     "shared": {"stringArray": \(strings), \(frameTables),
       "stackTable": {"length": 3, "frame": [1, 0, 2], "prefix": [null, 0, 0]}}}
    """,
    // Distances instead of indices, an id that was used again.
    """
    {"meta": {"preprocessedProfileVersion": 70, \(meta)}, "shared": {"stringArray": \(strings), \(frameTables),
       "stackTable": {"length": 3, "frame": [1, 0, 2], "prefixOffset": [0, 1, 2]}},
     "threads": [{"pid": "77.1", "tid": "78.2", \(samples)}]}
    """,
  ]

  @Test(arguments: versions.indices) func allVersionsOfTheProcessedFormatGiveTheSameSamples(version: Int) throws {
    let batch = try Self.batch(Self.versions[version])
    #expect(stacks(batch) == [["leaf", "main"], ["do_syscall_64", "main"], ["leaf", "main"]])
    #expect(batch.events.allSatisfy { $0.processID == 77 && $0.threadID == 78 && $0.clock == .realtime })
    #expect(batch.events[1].timestampNanos == 1_700_000_000_002_750_000)
    // Two milliseconds an interval where the profile does not tell, else microseconds.
    #expect(batch.events.map(\.weightNanos) == [2_000_000, 2_000_000, 7000])
  }

  @Test func framesKnowTheirKindModuleAndInlining() throws {
    let batch = try Self.batch(Self.versions[2])
    let frames = batch.stacks.framesLeafFirst(of: try #require(batch.events[0].stack))
    #expect(frames[0] == StackFrame(name: "leaf", kind: .guest, isInlined: true))
    #expect(frames[1] == StackFrame(name: "main", module: "libhost.so", kind: .host))
    let kernel = batch.stacks.framesLeafFirst(of: try #require(batch.events[1].stack))
    #expect(kernel[0].kind == .kernel)
  }

  @Test func theMonotonicClockIsPreferredWhereTheProfileTellsIt() throws {
    let text = Self.versions[2].replacing(
      "\"interval\": 2", with: "\"interval\": 2, \"startTimeAsClockMonotonicNanosecondsSinceBoot\": 5000000000")
    let batch = try Self.batch(text)
    #expect(batch.events[0].clock == .monotonic)
    #expect(batch.events[0].timestampNanos == 5_001_000_000)
    let unix = try FirefoxProfileImporter(clock: .realtime).importSamples(from: Array(text.utf8))
    #expect(unix.events[0].clock == .realtime)
  }

  @Test func timeDeltasAreSummed() throws {
    let batch = try Self.batch(
      Self.versions[2].replacing("\"time\": [1, 1.5, 2.25, 3]", with: "\"timeDeltas\": [1, 0.5, 0.75, 0.75]"))
    #expect(batch.events[1].timestampNanos == 1_700_000_000_002_750_000)
  }

  @Test func samplesWithoutCPUTimeOrWeightAreLeftOut() throws {
    let batch = try Self.batch(
      Self.versions[2].replacing("\"weight\": null", with: "\"weight\": [1, 1, 0, 1]")
        .replacing("[0, 5, null, 7]", with: "[0, 5, null, 0]"))
    #expect(batch.events.count == 1)
  }

  /// As Wasmtime's guest profiler writes it: CPU differences of zero, and no ids.
  @Test func aProfileThatTellsNoCPUTimeKeepsItsSamples() throws {
    let batch = try Self.batch(
      Self.versions[2].replacing("[0, 5, null, 7]", with: "[0, 0, 0, 0]")
        .replacing("\"pid\": \"77\", \"tid\": \"78\"", with: "\"pid\": \"0\", \"tid\": \"0\""))
    #expect(batch.events.map(\.weightNanos) == [2_000_000, 2_000_000, 2_000_000])
    #expect(batch.events.allSatisfy { $0.processID == nil && $0.threadID == nil })
  }

  @Test func compressedFilesAreRead() throws {
    let compressed = try #require(Gzip.compress(Array(Self.versions[2].utf8)))
    #expect(NativeProfileFormat.detect(compressed) == .firefox)
    #expect(try FirefoxProfileImporter().importSamples(from: compressed) == Self.batch(Self.versions[2]))
  }

  @Test func cutOffCompressedFilesAreRefused() throws {
    let compressed = try #require(Gzip.compress(Array(Self.versions[2].utf8)))
    for length in [3, 10, 20, compressed.count / 2, compressed.count - 1] {
      #expect(throws: NativeSampleError.self) {
        try FirefoxProfileImporter().importSamples(from: Array(compressed.prefix(length)))
      }
    }
  }

  @Test func whatUnpacksBeyondTheLimitIsRefused() throws {
    let compressed = try #require(Gzip.compress([UInt8](repeating: 0x20, count: 4 << 20)))
    #expect(throws: NativeSampleError.tooLarge(limit: 1 << 20)) {
      try FirefoxProfileImporter(limits: NativeImportLimits(bytes: 1 << 20)).importSamples(from: compressed)
    }
  }

  @Test func geckoProfilesAreRead() throws {
    let thread = """
      {"name": "GeckoMain", "pid": 5, "tid": 6, "stringTable": ["(root)", "main (in libhost.so)", "0x1234 (in libc.so.6)"],
       "frameTable": {"schema": {"location": 0, "line": 4}, "data": [[0], [1], [2, false, 0]]},
       "stackTable": {"schema": {"prefix": 0, "frame": 1}, "data": [[null, 0], [0, 1], [1, 2]]},
       "samples": {"data": [[2, 10.5], [1, 11]], "schema": {"stack": 0, "time": 1}}}
      """
    let batch = try Self.batch(
      """
      {"meta": {"version": 24, "startTime": 1000, "interval": 1}, "threads": [\(thread)],
       "processes": [{"meta": {"version": 24, "startTime": 1500, "interval": 1}, "threads": [\(thread)]}]}
      """)
    #expect(stacks(batch)[0] == ["0x1234", "main", "(root)"])
    #expect(batch.stacks.framesLeafFirst(of: try #require(batch.events[0].stack))[1].module == "libhost.so")
    #expect(batch.events.map(\.timestampNanos) == [1_010_500_000, 1_011_000_000, 1_510_500_000, 1_511_000_000])
  }

  @Test func deepStacksKeepTheirInnermostFrames() throws {
    let depth = 2000
    let names = (0..<depth).map { "\"f\($0)\"" }.joined(separator: ",")
    let all = (0..<depth).map(String.init).joined(separator: ",")
    let prefixes = (["null"] + (0..<(depth - 1)).map(String.init)).joined(separator: ",")
    let batch = try Self.batch(
      """
      {"meta": {"preprocessedProfileVersion": 63, "startTime": 1, "interval": 1},
       "threads": [{"pid": "1", "tid": "1", "samples": {"stack": [\(depth - 1)], "time": [1]}}],
       "shared": {"stringArray": [\(names)], "stackTable": {"frame": [\(all)], "prefix": [\(prefixes)]},
         "frameTable": {"func": [\(all)]}, "funcTable": {"name": [\(all)]}}}
      """)
    #expect(stacks(batch)[0].count == StackTable.Builder.maximumDepth)
    #expect(stacks(batch)[0].first == "f\(depth - 1)")
  }

  @Test(arguments: [
    "{}", "[]", "{\"threads\": 1}", "{\"meta\": {}, \"threads\": [", "{\"threads\": []} x", "nonsense", "",
    "{\"threads\": [{\"samples\": {\"stack\": [5], \"time\": [1]}}]}",
    "{\"threads\": [{\"stackTable\": {\"frame\": [0], \"prefix\": [0]}, \"samples\": {\"stack\": [0], \"time\": [1]}}]}",
  ]) func whatIsNoProfileIsRefusedWithItsPlace(text: String) {
    #expect {
      try Self.batch(text)
    } throws: { error in
      if case NativeSampleError.malformedBytes = error { true } else { false }
    }
  }

  @Test func aProfileWithoutSamplesHasNone() {
    #expect(throws: NativeSampleError.noNativeSamples) { try Self.batch("{\"meta\": {}, \"threads\": []}") }
  }

  @Test func nestingWithoutEndIsRefused() {
    for text in [String(repeating: "[", count: 100_000), "{\"x\":" + String(repeating: "{\"x\":", count: 100_000)] {
      #expect(throws: NativeSampleError.self) { try Self.batch(text) }
      #expect(throws: NativeSampleError.self) { try Self.batch("{\"threads\": " + text) }
    }
  }

  @Test func escapesInNamesAreDecoded() throws {
    let batch = try Self.batch(Self.versions[2].replacing("\"leaf\"", with: #""a\"b\\c\u00e9\ud83d\ude00\n""#))
    #expect(stacks(batch)[0][0] == "a\"b\\cé😀_")
  }
}
