import FastlikeProfile
import Testing

@testable import FastlikeServer

@Suite("Page: why it took that long")
struct PageExplanationTests {
  private func sentence(_ trace: RequestTrace) -> String { Explanation(of: trace).sentence }

  private func wait(_ cause: BlockCause, in hostcall: String, label: UInt32 = 0) -> RequestTrace {
    PageTrace.make(
      wall: 10_000_000, spans: [PageTrace.span(hostcall, 0, 9_000_000, blocked: 8_000_000, label: label)],
      blocked: [BlockedInterval(start: 1_000_000, duration: 8_000_000, cause: cause, inHostcall: true)])
  }

  @Test func oneSlowBackendIsNamedWithItsFirstByte() {
    #expect(
      sentence(PageTrace.slow())
        == "400 ms of 426 ms were spent waiting for backend origin (first byte after 401 ms).")
  }

  @Test func aSlowHandshakeIsTheReason() {
    var trace = PageTrace.slow()
    trace.backendCalls[0].tls = .init(start: 4_000_000, duration: 300_000_000)
    #expect(sentence(trace).hasSuffix("backend origin (the TLS handshake took 300 ms)."))
  }

  @Test func aSlowBodyIsTheReason() {
    var trace = PageTrace.slow()
    trace.backendCalls[0].firstByte = 12_000_000
    #expect(sentence(trace).hasSuffix("backend origin (its body took 392 ms to come)."))
  }

  @Test func callsAtOnceAreToldFromCallsInARow() {
    var trace = PageTrace.slow()
    var second = trace.backendCalls[0]
    second.name = "orders"
    second.totalNanos = 300_000_000
    trace.backendCalls.append(second)
    #expect(
      sentence(trace).hasSuffix(
        "waiting for 2 backend calls, some of them at once; the slowest, to origin, took 402 ms."))
    trace.backendCalls[0].totalNanos = 90_000_000
    trace.backendCalls[1].started = 100_000_000
    #expect(
      sentence(trace).hasSuffix(
        "waiting for 2 backend calls, one after the other; the slowest, to orders, took 300 ms."))
  }

  @Test func aFailedCallSaysWhy() {
    var trace = PageTrace.slow()
    trace.backendCalls[0].outcome = .networkError
    trace.backendCalls[0].failure = .connectionRefused
    #expect(sentence(trace).hasSuffix("backend origin, which failed after 402 ms: connection_refused."))
    #expect(Explanation(of: trace).remarks == ["Backend origin failed after 402 ms: connection_refused."])
  }

  @Test func theGuestsOwnComputingIsNamedWithItsFunction() {
    var stacks = StackTable.Builder()
    let stack = stacks.intern(leafFirst: [StackFrame(name: "digest"), StackFrame(name: "main")]) ?? 0
    var trace = PageTrace.quick()
    trace.guestStacks = StackProfile(
      table: stacks.finish(),
      samples: [StackSample(relativeNanos: 1, stack: stack), StackSample(relativeNanos: 2, stack: stack)])
    #expect(
      sentence(trace) == "2.90 ms of 3.00 ms were the guest's own computing; 100 % of the samples are in digest.")
  }

  @Test func aStoreIsNamed() {
    #expect(
      sentence(wait(.store, in: "fastly_kv_store.lookup", label: 2))
        == "8.00 ms of 10.0 ms were spent waiting for a store, longest in fastly_kv_store.lookup (sessions).")
  }

  @Test func aSlowReaderIsTheClient() {
    #expect(
      sentence(wait(.client, in: "fastly_http_resp.send_downstream"))
        == "8.00 ms of 10.0 ms were spent waiting for the client to take the response.")
  }

  @Test func sleepIsNoMystery() {
    #expect(sentence(wait(.timer, in: "fastly_http_req.send")).contains("the guest was asleep, as it asked"))
  }

  @Test func withoutASingleCauseTheLargestAreListed() {
    let trace = PageTrace.make(
      wall: 10_000_000, setup: 3_000_000,
      spans: [PageTrace.span("fastly_http_req.send", 3_000_000, 3_000_000)])
    #expect(sentence(trace) == "No single cause in 10.0 ms: guest 4.00 ms, setup 3.00 ms, host 3.00 ms.")
  }

  @Test func anUnusualEndComesFirst() {
    var trace = PageTrace.slow()
    trace.outcome = .trap
    trace.status = 500
    let explanation = Explanation(of: trace)
    #expect(explanation.sentence == "The guest trapped or exited with a failure after 426 ms; the client got 500.")
    #expect(explanation.remarks.first?.contains("backend origin") == true)
  }

  @Test(arguments: TraceOutcome.allCases)
  func everyOutcomeHasASentence(outcome: TraceOutcome) {
    var trace = PageTrace.slow()
    trace.outcome = outcome
    #expect(sentence(trace).hasSuffix("."))
  }

  @Test func aStreamedResponseIsMentioned() {
    var trace = PageTrace.slow()
    trace.headerFlushNanos = 5_000_000
    #expect(
      Explanation(of: trace).remarks == ["The client had the response's head after 5.00 ms; the rest was streaming."])
  }
}
