import ComputeABI
import Testing

@testable import FastlikeRuntime

@Suite struct BackendExchangeStateTests {
  private func newState(reused: Bool = false, method: String = "GET") -> ExchangeState {
    ExchangeState(isReused: reused, method: method)
  }

  @Test(arguments: ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"])
  func aStaleConnectionMeansARetryForIdempotentMethods(method: String) {
    let state = newState(reused: true, method: method)
    #expect(state.outcome(of: .closed, isBodyIntact: true) == .retry)
    #expect(state.outcome(of: .lost(SendError(.connectionTerminated)), isBodyIntact: true) == .retry)
  }

  @Test func nothingIsRepeatedThatMayHaveHadAnEffectOrCannotBeReadAgain() {
    let terminated = ExchangeState.Outcome.failed(SendError(.connectionTerminated))
    #expect(newState(reused: true, method: "POST").outcome(of: .closed, isBodyIntact: true) == terminated)
    #expect(newState(reused: true, method: "PUT").outcome(of: .closed, isBodyIntact: false) == terminated)
    #expect(newState(reused: false).outcome(of: .closed, isBodyIntact: true) == terminated)
  }

  @Test func theFirstByteEndsTheChanceOfARetry() {
    var state = newState(reused: true)
    let (first, second) = (state.receivedBytes(), state.receivedBytes())
    #expect(first && !second)
    let incomplete = ExchangeState.Outcome.failed(SendError(.httpIncompleteResponse))
    #expect(state.outcome(of: .closed, isBodyIntact: true) == incomplete)
    #expect(state.outcome(of: .lost(SendError(.connectionTerminated)), isBodyIntact: true) == incomplete)
  }

  @Test func aTimeoutBeforeTheHeadIsAResponseTimeout() {
    var state = newState(reused: true)
    #expect(state.outcome(of: .timedOut, isBodyIntact: true) == .failed(SendError(.httpResponseTimeout)))
    _ = state.receivedBytes()
    #expect(state.outcome(of: .timedOut, isBodyIntact: true) == .failed(SendError(.httpResponseTimeout)))
  }

  @Test func whatHappensBehindTheHeadBreaksTheBody() {
    var state = newState(reused: true)
    _ = state.receivedBytes()
    state.receivedHead()
    #expect(state.outcome(of: .closed, isBodyIntact: true) == .bodyFailed(.incomplete))
    #expect(
      state.outcome(of: .lost(SendError(.connectionTerminated)), isBodyIntact: true) == .bodyFailed(.connectionLost))
    #expect(state.outcome(of: .timedOut, isBodyIntact: true) == .bodyFailed(.betweenBytesTimeout))
    #expect(state.outcome(of: .invalidResponse(.malformed), isBodyIntact: true) == .bodyFailed(.malformed))
    #expect(state.outcome(of: .invalidResponse(.incomplete), isBodyIntact: true) == .bodyFailed(.incomplete))
  }

  @Test func afterAnInformationalResponseTheFinalOneIsAwaited() {
    var state = newState()
    _ = state.receivedBytes()
    state.receivedInformational()
    #expect(state.isAwaitingFirstByte)
    let isFirst = state.receivedBytes()
    #expect(isFirst)
  }

  @Test func aConnectionIsKeptOnlyWhenTheWholeRequestWasSent() {
    var state = newState()
    #expect(!state.keepsConnection(responsePersists: true))
    state.requestSent()
    #expect(state.keepsConnection(responsePersists: true))
    #expect(!state.keepsConnection(responsePersists: false))
  }

  @Test(arguments: [(0, 10), (50, 5), (90, 1), (100, 0)] as [(UInt8, Int)])
  func unreliableBackendsFailTheirShareOfSends(percent: UInt8, failures: Int) {
    var simulator = ReliabilitySimulator()
    var backend = BackendDefinition(name: "a", host: "h", port: 80, usesTLS: false)
    backend.reliabilityPercent = percent
    let outcomes = (0..<10).map { _ in simulator.nextSendFails(to: backend) }
    #expect(outcomes.count { $0 } == failures)
  }

  @Test func failuresOfUnreliableBackendsAreSpreadEvenly() {
    var simulator = ReliabilitySimulator()
    var backend = BackendDefinition(name: "a", host: "h", port: 80, usesTLS: false)
    backend.reliabilityPercent = 50
    let outcomes = (0..<4).map { _ in simulator.nextSendFails(to: backend) }
    #expect(outcomes == [false, true, false, true])
    backend.reliabilityPercent = nil
    let failsWithoutShare = simulator.nextSendFails(to: backend)
    #expect(!failsWithoutShare)
  }
}
