import FastlikeProfile
import FastlikeRuntime
import Logging
import Synchronization
import Testing

@testable import FastlikeServer

/// A receiver that answers from a list, and 200 when that is used up.
private final class ScriptedReceiver: PushTransport {
  struct Away: Error {}

  private struct State {
    var answers: [PushAnswer?]
    var bodies: [[UInt8]] = []
    var isShutDown = false
  }

  private let state: Mutex<State>

  /// - Parameter answers: nil is no answer.
  init(_ answers: [PushAnswer?] = []) { state = Mutex(State(answers: answers)) }

  func send(_ body: [UInt8]) async throws -> PushAnswer {
    let answer = state.withLock { state in
      state.bodies.append(body)
      return state.answers.isEmpty ? PushAnswer(status: 200) : state.answers.removeFirst()
    }
    guard let answer else { throw Away() }
    return answer
  }

  func shutdown() async { state.withLock { $0.isShutDown = true } }

  var bodies: [[UInt8]] { state.withLock { $0.bodies } }
  var isShutDown: Bool { state.withLock { $0.isShutDown } }
}

@Suite("Pushing traces", .timeLimit(.minutes(1)))
struct TracePushTests {
  private static let quick = PushRetry(attempts: 3, firstPause: .milliseconds(1), longestPause: .milliseconds(2))

  private func options(queue: Int = 100, batch: Int = 2, delay: Duration = .seconds(60)) -> TracePushOptions {
    var options = TracePushOptions(endpoint: "http://127.0.0.1:1/v1/traces")
    options.queueSize = queue
    options.batchSize = batch
    options.delay = delay
    options.flushTime = .seconds(5)
    return options
  }

  private func pusher(_ options: TracePushOptions, _ receiver: ScriptedReceiver) -> (TracePusher, ProfileStore) {
    let store = ProfileStore(hostcalls: PageTrace.hostcalls)
    let pusher = TracePusher(
      options, version: "1", transport: receiver, retry: Self.quick,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    pusher.follow(store)
    return (pusher, store)
  }

  private func eventually(_ condition: () -> Bool) async throws {
    for _ in 0..<1000 where !condition() { try await Task.sleep(for: .milliseconds(10)) }
    #expect(condition())
  }

  @Test func aFullBatchIsSentAtOnce() async throws {
    let receiver = ScriptedReceiver()
    let (pusher, store) = pusher(options(), receiver)
    // A request and its call to a backend.
    store.complete(PageTrace.slow(id: 1))
    try await eventually { receiver.bodies.count == 1 }
    try await eventually { pusher.statistics.sent == 2 }
    await pusher.stop()
    #expect(receiver.isShutDown)
  }

  @Test func whatIsNotFullIsSentWhenItsTimeHasCome() async throws {
    let receiver = ScriptedReceiver()
    let (pusher, store) = pusher(options(batch: 50, delay: .milliseconds(20)), receiver)
    store.complete(PageTrace.quick(id: 1))
    try await eventually { pusher.statistics.sent == 1 }
    await pusher.stop()
  }

  @Test func theEndSendsWhatWaits() async {
    let receiver = ScriptedReceiver()
    let (pusher, store) = pusher(options(batch: 50), receiver)
    for id in 1...3 { store.complete(PageTrace.quick(id: UInt64(id))) }
    #expect(pusher.statistics.waiting == 3)
    await pusher.stop()
    #expect(pusher.statistics.sent == 3)
    #expect(receiver.bodies.count == 1)
    store.complete(PageTrace.quick(id: 4))
    #expect(pusher.statistics.waiting == 0)
  }

  @Test func aBusyOrAbsentReceiverIsAskedAgain() async throws {
    let receiver = ScriptedReceiver([PushAnswer(status: 503), nil])
    let (pusher, store) = pusher(options(), receiver)
    store.complete(PageTrace.slow(id: 1))
    try await eventually { pusher.statistics.sent == 2 }
    #expect(receiver.bodies.count == 3)
    #expect(Set(receiver.bodies).count == 1)
    #expect(pusher.statistics.failedRequests == 2)
    await pusher.stop()
  }

  @Test func whatIsRefusedForGoodIsDroppedAndCounted() async throws {
    let receiver = ScriptedReceiver([PushAnswer(status: 400)])
    let (pusher, store) = pusher(options(), receiver)
    store.complete(PageTrace.slow(id: 1))
    try await eventually { pusher.statistics.failed == 2 }
    #expect(receiver.bodies.count == 1)
    await pusher.stop()
  }

  @Test func aReceiverThatStaysAwayIsGivenUp() async throws {
    let receiver = ScriptedReceiver([nil, nil, nil])
    let (pusher, store) = pusher(options(), receiver)
    store.complete(PageTrace.slow(id: 1))
    try await eventually { pusher.statistics.failed == 2 }
    #expect(receiver.bodies.count == 3)
    await pusher.stop()
  }

  @Test func whatAReceiverDoesNotTakeIsCounted() async throws {
    // partial_success { rejected_spans: 1 }
    let receiver = ScriptedReceiver([PushAnswer(status: 200, body: [0x0A, 0x02, 0x08, 0x01])])
    let (pusher, store) = pusher(options(), receiver)
    store.complete(PageTrace.slow(id: 1))
    try await eventually { pusher.statistics.sent == 1 && pusher.statistics.rejected == 1 }
    await pusher.stop()
  }

  @Test func tracesThatTheirClientDoesNotWantAreNotPushed() async {
    let receiver = ScriptedReceiver()
    let (pusher, store) = pusher(options(), receiver)
    var trace = PageTrace.slow(id: 1)
    trace.context = TraceContext(traceHigh: 1, traceLow: 1, spanID: 1, parentSpanID: 2, flags: 0)
    store.complete(trace)
    await pusher.stop()
    #expect(receiver.bodies.isEmpty)
  }

  // MARK: Queue and retry

  @Test func aFullQueueDropsAndCounts() throws {
    let store = ProfileStore(hostcalls: PageTrace.hostcalls)
    let queue = PushQueue(capacity: 5, batchSize: 4, hostcallSpans: 1)
    let filled = Mutex<[Bool]>([])
    let observation = store.observeFinished { request in
      let isFull = queue.put(request)
      filled.withLock { $0.append(isFull) }
    }
    // Each is three spans: the request, its call, its longest hostcall.
    for id in 1...3 { store.complete(PageTrace.slow(id: UInt64(id))) }
    #expect(queue.counts == (waiting: 3, overflowed: 6))
    store.complete(PageTrace.quick(id: 4))
    #expect(filled.withLock { $0 } == [false, false, false, true])
    #expect(queue.take(onlyFull: true).map(\.id) == [1, 4])
    #expect(queue.take(onlyFull: false).isEmpty)
    queue.close()
    store.complete(PageTrace.quick(id: 5))
    #expect(queue.counts.waiting == 0)
    observation.cancel()
  }

  @Test func anEmptyQueueTakesARequestOfAnySize() {
    let store = ProfileStore(hostcalls: PageTrace.hostcalls)
    let queue = PushQueue(capacity: 1, batchSize: 1, hostcallSpans: 0)
    let observation = store.observeFinished { _ = queue.put($0) }
    store.complete(PageTrace.slow(id: 1))
    #expect(queue.take(onlyFull: true).map(\.id) == [1])
    observation.cancel()
  }

  @Test func pausesDoubleUpToTheLongestAndAreSpread() {
    let retry = PushRetry()
    #expect(retry.pause(afterAttempt: 1, answer: nil, jitter: 1) == .seconds(1))
    #expect(retry.pause(afterAttempt: 1, answer: nil, jitter: 0) == .milliseconds(500))
    #expect(retry.pause(afterAttempt: 4, answer: PushAnswer(status: 502), jitter: 1) == .seconds(8))
    #expect(retry.pause(afterAttempt: 6, answer: nil, jitter: 1) == nil)
    var patient = retry
    patient.attempts = 100
    #expect(patient.pause(afterAttempt: 60, answer: nil, jitter: 1) == .seconds(30))
  }

  @Test func theReceiverMayAskForAPause() {
    let retry = PushRetry()
    let answer = PushAnswer(status: 429, retryAfter: .seconds(7))
    #expect(retry.pause(afterAttempt: 1, answer: answer, jitter: 0) == .seconds(7))
    let greedy = PushAnswer(status: 503, retryAfter: .seconds(86_400))
    #expect(retry.pause(afterAttempt: 1, answer: greedy, jitter: 0) == .seconds(30))
  }

  @Test(arguments: [200, 301, 400, 401, 404, 413, 500, 501])
  func otherStatusesAreFinal(status: Int) {
    #expect(PushRetry().pause(afterAttempt: 1, answer: PushAnswer(status: status), jitter: 0) == nil)
  }
}
