import Foundation
import Testing

/// Guests' stacks, sampled while they serve requests.
@Suite("Conformance: CPU samples", .timeLimit(.minutes(5)))
struct SamplingTests {
  /// Three functions of which one takes seven tenths of the time, one two and one one; each round calls a hostcall.
  private static let spinning = """
    (module
      (import "fastly_abi" "init" (func $init (param i64) (result i32)))
      (memory (export "memory") 1)
      \(spin("seventy"))
      \(spin("twenty"))
      \(spin("ten"))
      (func $work (local $rounds i32)
        (local.set $rounds (i32.const 300))
        (loop $again
          (drop (call $seventy (i32.const 700000)))
          (drop (call $twenty (i32.const 200000)))
          (drop (call $ten (i32.const 100000)))
          (drop (call $init (i64.const 1)))
          (local.set $rounds (i32.sub (local.get $rounds) (i32.const 1)))
          (br_if $again (local.get $rounds))))
      (func (export "_start") (call $work)))
    """

  private static func spin(_ name: String) -> String {
    """
    (func $\(name) (param $n i32) (result i32) (local $x i32)
      (loop $again
        (local.set $x (i32.add (i32.mul (local.get $x) (i32.const 1664525)) (i32.const 1013904223)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br_if $again (local.get $n)))
      (local.get $x))
    """
  }

  private struct Trace: Decodable {
    struct Stacks: Decodable {
      struct Frame: Decodable {
        var name: String
        var kind: String
      }
      struct Sample: Decodable {
        var stack: Int
        var weight_nanos: Int64?
      }
      var frames: [Frame]
      var nodes: [[Int]]
      var samples: [Sample]
    }
    var guest_stacks: Stacks?
    private var stacks: Stacks { guest_stacks ?? Stacks(frames: [], nodes: [], samples: []) }
    var stackNames: [[String]] { stacks.samples.map { names(of: $0.stack) } }

    /// Nanoseconds by the innermost function.
    var selfTime: [String: Int64] {
      stacks.samples.reduce(into: [:]) { times, sample in
        let frame = stacks.frames[stacks.nodes[sample.stack][0]]
        times[frame.name, default: 0] += sample.weight_nanos ?? 0
      }
    }

    private func names(of stack: Int) -> [String] {
      var names: [String] = []
      var node = stack
      while node >= 0 {
        names.append(stacks.frames[stacks.nodes[node][0]].name)
        node = stacks.nodes[node][1]
      }
      return names
    }
  }

  /// Serves the guest, asks for it so many times, and gives the traces.
  private func traces(_ flags: [String], requests: Int, headers: String = "") async throws -> [Trace] {
    let module = try temporaryFile("spinning.wat", Self.spinning)
    return try await withFastlike(module, flags + ["--profile-ui", "127.0.0.1:0"]) { edge in
      for _ in 0..<requests { #expect(try await edge.get("/", headers: headers).status == 200) }
      var traces: [Trace] = []
      for id in 1...requests {
        var text = ""
        try await eventually("trace \(id) is there") {
          let shown = try await fastlike(["trace", "show", "\(id)", "--json", "--server", try edge.server])
          text = shown.output
          return shown.status == .exited(0)
        }
        traces.append(try JSONDecoder().decode(Trace.self, from: Data(text.utf8)))
      }
      return traces
    }
  }

  @Test func functionsGetTheirShareOfTheTime() async throws {
    let traces = try await traces(["--profile-cpu", "5000"], requests: 4)
    var times: [String: Int64] = [:]
    for trace in traces { times.merge(trace.selfTime) { $0 + $1 } }
    let total = Double(times.values.reduce(0, +))
    let shares = ["seventy": 0.7, "twenty": 0.2, "ten": 0.1]
    for (name, share) in shares {
      let measured = Double(times[name] ?? 0) / total
      #expect(abs(measured - share) < 0.03, "\(name) has \(measured) of the time: \(times)")
    }
    #expect(traces[0].stackNames.contains { $0.prefix(2) == ["seventy", "work"] })
  }

  @Test func aClientOfALoopbackEdgeCanAskForSamples() async throws {
    let traces = try await traces([], requests: 1, headers: "Fastlike-Profile: cpu\r\n")
    #expect(traces[0].selfTime["seventy"] ?? 0 > 0)
  }

  @Test func nothingIsSampledUnlessAskedFor() async throws {
    let traces = try await traces([], requests: 1)
    #expect(traces[0].stackNames.isEmpty)
  }

  @Test func aGrowthOfMemoryHasTheStackThatItCameFrom() async throws {
    let module = try temporaryFile(
      "growing.wat",
      """
      (module
        (import "fastly_abi" "init" (func $init (param i64) (result i32)))
        (memory (export "memory") 1)
        (func $take (drop (memory.grow (i32.const 4))) (drop (call $init (i64.const 1))))
        (func $work (drop (call $init (i64.const 1))) (call $take))
        (func (export "_start") (call $work)))
      """)
    try await withFastlike(module, ["--profile-cpu", "--profile-ui", "127.0.0.1:0"]) { edge in
      #expect(try await edge.get("/").status == 200)
      var shown = ""
      try await eventually("the trace is there") {
        shown = try await fastlike(["trace", "show", "1", "--server", try edge.server]).output
        return shown.contains("Request 1")
      }
      #expect(shown.contains("64 to 320 KiB  take < work"))
    }
  }

  @Test func aSymbolFileOfAnotherProgramIsRefused() async throws {
    let module = try temporaryFile("one.wat", Self.spinning)
    let other = try temporaryFile("other.wat", TextModule.trapping)
    let finished = try await fastlike(["serve", "--bind", "127.0.0.1:0", "--symbols", other, module])
    #expect(finished.status == .exited(1))
    #expect(finished.errors.contains("--symbols takes the same build before it was stripped"))
  }
}
