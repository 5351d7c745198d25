import Foundation
import Testing

/// Samples of a profiler outside, in the text that `perf script` writes.
@Suite("Conformance: imported samples", .timeLimit(.minutes(5)))
struct SampleImportTests {
  private struct Trace: Decodable {
    struct Stacks: Decodable {
      struct Frame: Decodable {
        var name: String
        var module: String?
      }
      var frames: [Frame]
      var samples: [[String: Int64]]
    }
    var process_id: Int
    var monotonic_start_nanos: Int64
    var wall_nanos: Int64
    var native_stacks: Stacks?
  }

  private func trace(_ source: [String]) async throws -> Trace {
    var text = ""
    try await eventually("the trace is there") {
      let shown = try await fastlike(["trace", "show", "1", "--json"] + source)
      text = shown.output
      return shown.status == .exited(0)
    }
    return try JSONDecoder().decode(Trace.self, from: Data(text.utf8))
  }

  /// One sample within the request, one long after it, one of another process.
  private func perfText(for trace: Trace) -> String {
    let inside = trace.monotonic_start_nanos + trace.wall_nanos / 2
    let samples: [(process: Int, time: Int64)] = [
      (trace.process_id, inside), (trace.process_id, inside + 60_000_000_000), (trace.process_id + 1, inside),
    ]
    return samples.map { sample in
      let fraction = String(sample.time % 1_000_000_000)
      let padded = String(repeating: "0", count: 9 - fraction.count) + fraction
      return """
        NIO-ELT-0-#1 \(sample.process)/\(sample.process)  \(sample.time / 1_000_000_000).\(padded):    1000000 cpu-clock:pppH: \n\
        \t              8c _RNvCs1_4shop5price+0xc (/tmp/jitted-\(sample.process)-7.so)
        \t             1f2 wasm[0]::function[3]::_start+0x2 (/tmp/jitted-\(sample.process)-8.so)


        """
    }.joined()
  }

  @Test func samplesJoinTheRequestsOfARunningServer() async throws {
    try await withFastlike("hello", ["--profile-ui", "127.0.0.1:0"]) { edge in
      #expect(try await edge.get("/").status == 200)
      let source = ["--server", try edge.server]
      let file = try temporaryFile("perf.txt", perfText(for: try await trace(source)))
      let finished = try await fastlike(["trace", "import-perf", file] + source)
      #expect(finished.status == .exited(0))
      #expect(
        finished.output == """
          1  attached to 1 request
          1  outside of any request
          1  of other processes

          """)
      let stacks = try #require(try await trace(source).native_stacks)
      #expect(stacks.samples.count == 1)
      #expect(stacks.frames.map(\.name).sorted() == ["_start", "shop::price"])
      #expect(stacks.frames.allSatisfy { $0.module == "hello" })
    }
  }

  @Test func samplesJoinTheRequestsOfAnArchive() async throws {
    let folder = try Places.newFolder() + "/archive"
    try await withFastlike("hello", ["--profile-dir", folder]) { edge in
      #expect(try await edge.get("/").status == 200)
      try await edge.stop()
    }
    let source = ["--dir", folder]
    let file = try temporaryFile("perf.txt", perfText(for: try await trace(source)))
    let finished = try await fastlike(["trace", "import-perf", file, "--json"] + source)
    #expect(finished.status == .exited(0))
    #expect(finished.output.contains(#""attached" : 1"#))
    #expect(try await trace(source).native_stacks?.samples.count == 1)
  }

  @Test func aFileWithoutSamplesIsRefusedInOneLine() async throws {
    let file = try temporaryFile("perf.txt", "# nothing\n")
    try await withFastlike("hello", ["--profile-ui", "127.0.0.1:0"]) { edge in
      let finished = try await fastlike(["trace", "import-perf", file, "--server", try edge.server])
      #expect(finished.status == .exited(1))
      #expect(finished.complaints.count == 1)
      #expect(finished.errors.contains("no native samples in input"))
    }
  }
}
