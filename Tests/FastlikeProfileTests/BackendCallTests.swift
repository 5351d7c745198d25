import Testing

@testable import FastlikeProfile

struct BackendCallTests {
  private func recorder(cap: Int = TraceLimits.defaultBackendCallCap) -> TraceRecorder {
    TraceRecorder(
      id: 1, head: TraceHead(moduleID: "m", method: "GET", url: RedactedURL("/")), hostcalls: TraceSamples.hostcalls,
      limits: TraceLimits(backendCalls: cap))
  }

  private func call(_ recorder: TraceRecorder, pendingID: UInt32 = 0) -> BackendCallToken {
    recorder.backendCall(
      to: "origin", method: "GET", url: RedactedURL("http://o.test/"), variant: .send, pendingID: pendingID)
  }

  @Test func aCallKeepsItsPhasesAndOutcome() throws {
    let recorder = recorder()
    let token = call(recorder)
    let start = recorder.details.pointee.facts.start.arrival
    recorder.updateBackendCall(token) {
      $0.dns = recorder.phase(from: start + 10, to: start + 30)
      $0.connect = recorder.phase(from: start + 30, to: nil)
      $0.responseBodyBytes = 12
    }
    recorder.finishBackendCall(token, outcome: .ok, status: 204)
    recorder.finishBackendCall(token, outcome: .networkError, failure: .h2Error)
    let call = try #require(recorder.finish().backendCalls.first)
    #expect(call.dns == BackendCall.Phase(start: 10, duration: 20))
    #expect(call.connect == nil)
    #expect(call.outcome == .ok)
    #expect(call.status == 204)
    #expect(call.failure == nil)
    #expect(call.responseBodyBytes == 12)
  }

  @Test func phasesAreTakenFromTheCallsStart() {
    let call = BackendCall(name: "b", started: 100, requestSent: 150, firstByte: 400, totalNanos: 500)
    #expect(call.requestSentNanos == 50)
    #expect(call.ttfbNanos == 300)
    #expect(call.ended == 600)
  }

  @Test func anAsynchronousCallThatNobodyAskedForIsOrphaned() {
    let recorder = recorder()
    let token = call(recorder, pendingID: 3)
    recorder.finishBackendCall(token, outcome: .ok, status: 200)
    let trace = recorder.finish()
    #expect(trace.backendCalls.map(\.outcome) == [.orphaned])
    #expect(trace.notes.map(\.text) == ["backend calls whose response nobody asked for: 1"])
  }

  @Test func aCallThatWasAskedForAndStillRunsIsIncomplete() {
    let recorder = recorder()
    let token = call(recorder, pendingID: 3)
    recorder.observeBackendCall(token)
    #expect(recorder.awaitedBackendCalls == 1)
    let trace = recorder.finish()
    #expect(trace.backendCalls.map(\.outcome) == [.incomplete])
    #expect(trace.notes.map(\.text) == ["backend calls still running at the request's end: 1"])
  }

  @Test func aCallMayEndBetweenTheEndAndTheFinish() {
    let recorder = recorder()
    let token = call(recorder)
    recorder.end()
    #expect(recorder.awaitedBackendCalls == 1)
    recorder.finishBackendCall(token, outcome: .ok, status: 200)
    #expect(recorder.awaitedBackendCalls == 0)
    #expect(recorder.finish().backendCalls.map(\.outcome) == [.ok])
  }

  @Test func updatesAfterTheFinishAreIgnored() {
    let recorder = recorder()
    let token = call(recorder)
    let trace = recorder.finish()
    recorder.updateBackendCall(token) { $0.status = 500 }
    recorder.finishBackendCall(token, outcome: .ok, status: 200)
    recorder.observeBackendCall(token)
    #expect(recorder.finish() == trace)
  }

  @Test(arguments: [0, 1, 2]) func callsBeyondTheCapAreCounted(cap: Int) {
    let recorder = recorder(cap: cap)
    for _ in 0..<3 {
      let token = call(recorder)
      recorder.updateBackendCall(token) { $0.status = 1 }
      recorder.finishBackendCall(token, outcome: .ok)
    }
    let trace = recorder.finish()
    #expect(trace.backendCalls.count == cap)
    #expect(trace.droppedBackendCalls == 3 - cap)
  }

  @Test func outcomesHaveTheirWireNames() {
    #expect(
      BackendOutcome.allCases.map(\.wireName) == [
        "ok", "network-error", "synthetic-failure", "cancelled", "incomplete", "orphaned", "unrecognized",
      ])
    #expect(BackendOutcome(wireName: "orphaned") == .orphaned)
    #expect(BackendOutcome(wireName: "from the future") == .unrecognized)
  }

  @Test func failuresFollowTheTagsOfTheABI() {
    #expect(BackendFailure(abiTag: 0) == nil)
    #expect(BackendFailure(abiTag: 1) == nil)
    #expect(BackendFailure(abiTag: 2) == .dnsTimeout)
    #expect(BackendFailure(abiTag: 16) == .httpResponseTimeout)
    #expect(BackendFailure(abiTag: 25) == .h2Error)
    #expect(BackendFailure(abiTag: 26) == nil)
  }
}

struct TraceOutcomeTests {
  @Test func outcomesHaveTheirWireNames() {
    #expect(
      TraceOutcome.allCases.map(\.wireName) == [
        "normal", "trap", "panic", "loop-fail", "ctx-canceled", "limit-exceeded", "unrecognized",
      ])
    #expect(TraceOutcome(wireName: "loop-fail") == .loopFail)
    #expect(TraceOutcome(wireName: "from the future") == .unrecognized)
  }

  @Test func causesHaveTheirWireNames() {
    for cause in BlockCause.allCases { #expect(BlockCause(name: cause.name) == cause) }
    #expect(BlockCause(name: "from the future") == .other)
  }
}

struct ResponseObservationTests {
  @Test func informationalResponsesAreNotTheStatus() {
    var response = ResponseObservation()
    response.writeHead(status: 103, at: 1)
    #expect(response.status == 0)
    #expect(response.headerFlushed == nil)
    response.writeHead(status: 404, at: 2)
    response.writeHead(status: 200, at: 3)
    #expect(response.status == 404)
    #expect(response.headerFlushed == 2)
  }

  @Test func aBodyOrAFlushWithoutAHeadMeans200() {
    var written = ResponseObservation()
    written.write(bytes: 5, at: 7)
    written.write(bytes: 6, at: 8)
    #expect(written.status == 200)
    #expect(written.bytesWritten == 11)
    #expect(written.headerFlushed == 7)
    var flushed = ResponseObservation()
    flushed.flush(at: 3)
    #expect(flushed.status == 200)
    #expect(flushed.headerFlushed == 3)
  }

  @Test func aHijackBeforeAnythingCountsAs101() {
    var response = ResponseObservation()
    response.hijack(at: 4)
    response.hijack(at: 5)
    response.write(bytes: 1, at: 6)
    #expect(response.status == 101)
    #expect(response.hijacked == 4)
    #expect(response.headerFlushed == nil)
  }

  @Test func theRecorderKeepsWhatAServerObserved() {
    let recorder = TraceRecorder(
      id: 1, head: TraceHead(moduleID: "", method: "GET", url: RedactedURL()), hostcalls: .empty)
    recorder.setResponse(status: 103, bytes: 0)
    recorder.responseHead(status: 201)
    recorder.responseBody(bytes: 10)
    recorder.responseHijacked()
    #expect(recorder.responseObservation.status == 201)
    let trace = recorder.finish()
    #expect(trace.status == 201)
    #expect(trace.responseBytes == 10)
    #expect(trace.headerFlushNanos != nil)
    #expect(trace.hijackedNanos != nil)
  }
}
