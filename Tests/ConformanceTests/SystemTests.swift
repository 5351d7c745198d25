import Foundation
import Testing

/// What guests find of a system around them: WASI, and the facts on their sandbox (`fastly_compute_runtime`).
@Suite("Conformance: the guest's system", .timeLimit(.minutes(5)))
struct SystemTests {
  private func wasi() async throws -> FastlikeProcess { try await SharedEdges.edge("wasi") }

  @Test func theArgumentsAreTheProgramsNameOnly() async throws {
    #expect(try await wasi().report("/args").lines == ["arg0=compute-app"])
  }

  @Test func theEnvironmentIsThePlatformsAndNotTheHosts() async throws {
    try await withFastlike("wasi", environment: ["CONFORMANCE_SECRET": "visible"]) { edge in
      let variables = try await edge.report("/env").values("env")
      let named = variables.filter { !$0.hasPrefix("FASTLY_TRACE_ID=") }
      #expect(
        named.sorted() == [
          "FASTLY_CACHE_GENERATION=0", "FASTLY_CUSTOMER_ID=0000000000000000000000", "FASTLY_HOSTNAME=localhost",
          "FASTLY_IS_STAGING=0", "FASTLY_POP=XXX", "FASTLY_REGION=Somewhere",
          "FASTLY_SERVICE_ID=0000000000000000000000", "FASTLY_SERVICE_VERSION=0",
        ])
      let first = try await edge.report("/env?name=FASTLY_TRACE_ID")["FASTLY_TRACE_ID"]
      let second = try await edge.report("/env?name=FASTLY_TRACE_ID")["FASTLY_TRACE_ID"]
      #expect(first?.count == 32)
      #expect(first != second)
    }
  }

  @Test func clocksGoForwardAndUnknownOnesAreInvalid() async throws {
    let report = try await wasi().report("/clocks")
    #expect(report["monotonic_is_steady"] == "1")
    let seconds = try #require(report["realtime_seconds"].flatMap(Int.init))
    #expect(abs(seconds - Int(Date().timeIntervalSince1970)) < 60)
    #expect(report["clock_0_errno"] == "0")
    #expect(report["clock_1_errno"] == "0")
    #expect(report["clock_4_errno"] == "28")
  }

  @Test func randomBytesDiffer() async throws {
    let report = try await wasi().report("/random")
    #expect(report["differs"] == "1")
    #expect(report["large"] == "100000")
    #expect(report["none_errno"] == "0")
  }

  @Test func standardInputIsEmpty() async throws {
    #expect(try await wasi().report("/stdin").lines == ["errno=0", "text="])
  }

  @Test func aSleepIsAsLongAsItShouldBe() async throws {
    let report = try await wasi().report("/sleep?ms=20")
    #expect(report.lines == ["relative_long_enough=1", "absolute_long_enough=1", "past_is_immediate=1"])
    let timers = try await wasi().report("/timers")
    #expect(timers["first_of_two"] == "1")
    #expect(timers["none_errno"] == "28")
  }

  @Test func manyGuestsSleepAtTheSameTime() async throws {
    let edge = try await wasi()
    // One after the other these would take 40 s, which is longer than any of them is waited for.
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<40 { group.addTask { try await edge.get("/sleep?ms=500").status } }
      for try await status in group { #expect(status == 200) }
    }
  }

  @Test func thereIsNoFileSystem() async throws {
    let report = try await wasi().report("/descriptors")
    for descriptor in 0...2 { #expect(report["fdstat_\(descriptor)_errno"] == "0") }
    for name in ["fdstat_3", "fdstat_9", "prestat_3", "close_9", "open"] { #expect(report[name + "_errno"] == "8") }
  }

  @Test func exitingEndsTheGuestAtOnce() async throws {
    #expect(try await wasi().get("/exit?code=0").status == 200)
    #expect(try await wasi().get("/exit?code=7").status == 500)
  }

  // MARK: The sandbox

  @Test func aSandboxHasAnIdHostNameAndVersion() async throws {
    let edge = try await SharedEdges.edge("compute_runtime")
    let first = try await edge.report("/facts")
    #expect(first["hostname"] == "localhost")
    #expect(first["hostname_tiny"] == "!buflen,9,")
    #expect(first["service_version"] == "0")
    #expect(first["sandbox_id"]?.count == 32)
    #expect(first["trace_id"]?.count == 32)
    #expect(try await edge.report("/facts")["sandbox_id"] != first["sandbox_id"])
  }

  @Test func computingCountsAsProcessorTimeAndSleepingDoesNot() async throws {
    let report = try await SharedEdges.edge("compute_runtime").report("/vcpu?busy=10&sleep=200")
    #expect(report["worked_ms"].flatMap(Int.init).map { $0 >= 10 } == true)
    #expect(report["sleep_is_free"] == "1")
  }

  @Test func theHeapIsCountedInMebibytes() async throws {
    let report = try await SharedEdges.edge("compute_runtime").report("/heap")
    #expect(report.lines == ["before=1", "grown=1", "after=11"])
  }
}
