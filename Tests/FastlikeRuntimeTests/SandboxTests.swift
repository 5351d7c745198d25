import ComputeABI
import FastlikeProfile
import Testing

@testable import FastlikeRuntime

/// What becomes of a guest, whatever it does.
@Suite struct SandboxTests {
  private func module(_ body: String) -> String {
    #"(module (memory (export "memory") 1) \#(body))"#
  }

  @Test func `a guest that sends nothing gives an empty 200`() async throws {
    let outcome = try await GuestHarness().run(module(#"(func (export "_start"))"#))
    #expect(outcome.status == 200)
    #expect(outcome.body.isEmpty)
    #expect(outcome.trace.outcome == .normal)
  }

  @Test func `a trap gives a 500 that names the reason and the function`() async throws {
    let outcome = try await GuestHarness().run(module(#"(func $oops (export "_start") unreachable)"#))
    #expect(outcome.status == 500)
    #expect(outcome.body.contains("unreachable"))
    #expect(outcome.body.contains("at oops"))
    #expect(outcome.trace.outcome == .trap)
  }

  @Test func `an endless loop ends at the time limit`() async throws {
    var harness = GuestHarness()
    harness.settings.maximumWallNanoseconds = 200_000_000
    let outcome = try await harness.run(module(#"(func (export "_start") (loop $l (br $l)))"#))
    #expect(outcome.status == 500)
    #expect(outcome.trace.outcome == .limitExceeded)
  }

  @Test func `an endless loop ends at the limit of CPU time`() async throws {
    var harness = GuestHarness()
    harness.settings.maximumCPUNanoseconds = 50_000_000
    let outcome = try await harness.run(module(#"(func (export "_start") (loop $l (br $l)))"#))
    #expect(outcome.status == 500)
    #expect(outcome.trace.outcome == .limitExceeded)
  }

  @Test func `a start section that loops ends like any guest`() async throws {
    var harness = GuestHarness()
    harness.settings.maximumWallNanoseconds = 200_000_000
    let outcome = try await harness.run(
      module(#"(func $loop (loop $l (br $l))) (start $loop) (func (export "_start"))"#))
    #expect(outcome.status == 500)
  }

  @Test func `the parts of a trace's time are its whole`() async throws {
    let sleep = """
      (module
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "_start") (local $i i32)
          (i64.store (i32.const 24) (i64.const 5000000))
          (i32.store (i32.const 16) (i32.const 1))
          (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))
          (loop $l
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $l (i32.lt_u (local.get $i) (i32.const 1000000))))))
      """
    let trace = try await GuestHarness().run(sleep).trace
    let time = trace.time
    #expect(time.queue + time.setup + time.guest + time.host + time.blocked.total == trace.wallNanos)
    // The alarm is set a little before the guest counts as waiting.
    #expect(time.blocked[.timer] > 4_000_000)
    #expect(time.guest > 0)
  }

  @Test func `the query of a request is in no trace`() async throws {
    var harness = GuestHarness()
    harness.requestHead.uri = "/path?secret=canary"
    harness.requestHead.headers.append("x-canary", "canary")
    let trace = try await harness.run(module(#"(func (export "_start"))"#)).trace
    #expect(!String(decoding: NativeJSONEncoder.encode(trace), as: UTF8.self).contains("canary"))
  }
}
