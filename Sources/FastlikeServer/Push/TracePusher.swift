import FastlikeProfile
import FastlikeRuntime
import Foundation
import Logging
import Synchronization

/// Sends bodies to a receiver of spans.
protocol PushTransport: Sendable {
  /// - Throws: When there is no answer.
  func send(_ body: [UInt8]) async throws -> PushAnswer
  func shutdown() async
}

/// Pushes finished requests to a receiver of the OpenTelemetry protocol, off the requests' path.
///
/// Requests wait in a bounded queue until a batch is full or the oldest has waited long enough. A batch is encoded and
/// sent by a task of its own, again after a pause where the receiver is busy or away, while the queue fills; what does not
/// fit is dropped and counted.
final class TracePusher: Sendable {
  private enum Wish {
    /// A batch is full.
    case full
    /// Some time has passed.
    case everything
  }

  private let encoder: OTLPEncoder
  private let transport: any PushTransport
  private let options: TracePushOptions
  private let retry: PushRetry
  private let logger: Logger
  private let queue: PushQueue
  private let counts = Mutex(MetricsSnapshot.Push())
  private let lastWarning = Mutex<ContinuousClock.Instant?>(nil)
  /// When sending has to be over; nil while the process serves.
  private let deadline = Mutex<ContinuousClock.Instant?>(nil)
  private let wishes: AsyncStream<Wish>.Continuation
  private let running = Mutex<(sending: Task<Void, Never>, ticking: Task<Void, Never>)?>(nil)
  private let observation = Mutex<ProfileStore.Observation?>(nil)

  init(
    _ options: TracePushOptions, version: String, transport: any PushTransport, retry: PushRetry = PushRetry(),
    logger: Logger
  ) {
    self.options = options
    self.transport = transport
    self.retry = retry
    self.logger = logger
    encoder = OTLPEncoder(
      resource: options.resource.map { ($0.key, $0.value) } + Self.processAttributes(version), version: version,
      hostcalls: options.hostcalls, format: options.format)
    queue = PushQueue(
      capacity: options.queueSize, batchSize: options.batchSize, hostcallSpans: encoder.hostcalls)
    let (stream, wishes) = AsyncStream<Wish>.makeStream(bufferingPolicy: .bufferingNewest(1))
    self.wishes = wishes
    let sending = Task { [self] in
      for await wish in stream { await send(onlyFull: wish == .full) }
    }
    let ticking = Task { [wishes, delay = options.delay] in
      while !Task.isCancelled {
        try? await Task.sleep(for: delay)
        wishes.yield(.everything)
      }
    }
    running.withLock { $0 = (sending, ticking) }
  }

  private static func processAttributes(_ version: String) -> [(key: String, value: String)] {
    [
      ("process.pid", "\(ProcessInfo.processInfo.processIdentifier)"), ("host.name", ProcessInfo.processInfo.hostName),
      ("telemetry.sdk.name", "fastlike"), ("telemetry.sdk.language", "swift"), ("telemetry.sdk.version", version),
    ]
  }

  /// Pushes what a store keeps from now on.
  func follow(_ store: ProfileStore) {
    let observation = store.observeFinished { [queue, wishes] request in
      guard request.isSampled, queue.put(request) else { return }
      wishes.yield(.full)
    }
    self.observation.withLock { $0 = observation }
  }

  /// What became of the spans so far.
  var statistics: MetricsSnapshot.Push {
    var statistics = counts.withLock { $0 }
    let queued = queue.counts
    statistics.waiting = queued.waiting
    statistics.overflowed += queued.overflowed
    return statistics
  }

  /// Gives ``statistics`` to those who need nothing else of it.
  var readStatistics: @Sendable () -> MetricsSnapshot.Push { { [self] in statistics } }

  /// Takes nothing more in, and sends what waits for as long as the options allow.
  func stop() async {
    observation.withLock { $0 = nil }
    queue.close()
    deadline.withLock { $0 = .now + options.flushTime }
    let tasks = running.withLock { $0 }
    tasks?.ticking.cancel()
    wishes.yield(.everything)
    wishes.finish()
    let impatience = Task { [flushTime = options.flushTime] in
      try await Task.sleep(for: flushTime)
      tasks?.sending.cancel()
    }
    await tasks?.sending.value
    impatience.cancel()
    queue.dropAll()
    await transport.shutdown()
    let lost = statistics.overflowed + statistics.failed
    if lost > 0 { logger.warning("--otlp: \(lost) spans were not sent in all") }
  }

  // MARK: Sending

  private func send(onlyFull: Bool) async {
    var isFirst = true
    while !Task.isCancelled {
      // After a full batch another may be full; when time has passed, what came meanwhile waits for its own time.
      let requests = queue.take(onlyFull: onlyFull || (!isFirst && !isEnding))
      guard !requests.isEmpty else { return }
      isFirst = false
      await send(encoder.encode(requests.map(\.trace)))
    }
  }

  private var isEnding: Bool { deadline.withLock { $0 != nil } }

  private func send(_ batch: OTLPEncoder.Batch) async {
    var attempt = 0
    while true {
      attempt += 1
      let answer: PushAnswer?
      var reason: String
      do {
        let answered = try await transport.send(batch.bytes)
        if (200..<300).contains(answered.status) { return count(batch, answered) }
        answer = answered
        reason = "it answers \(answered.status)"
      } catch {
        answer = nil
        reason = PushFailure.reason(error)
      }
      counts.withLock { $0.failedRequests += 1 }
      let pause = retry.pause(afterAttempt: attempt, answer: answer, jitter: .random(in: 0...1))
      guard let pause, await waits(pause) else {
        counts.withLock { $0.failed += batch.spans }
        return warn("\(reason); \(batch.spans) spans are dropped")
      }
      reason += "; trying again"
      if attempt == 1 { warn(reason) }
    }
  }

  private func count(_ batch: OTLPEncoder.Batch, _ answer: PushAnswer) {
    let rejected = min(Int(clamping: encoder.rejectedSpans(in: answer.body)), batch.spans)
    counts.withLock { counts in
      counts.sent += batch.spans - rejected
      counts.rejected += rejected
    }
    if rejected > 0 { warn("it does not take \(rejected) spans") }
  }

  /// Waits, unless the end comes before that is over.
  private func waits(_ pause: Duration) async -> Bool {
    if let deadline = deadline.withLock({ $0 }), .now + pause > deadline { return false }
    return (try? await Task.sleep(for: pause)) != nil
  }

  /// Says what is wrong with the receiver, once a minute at most.
  private func warn(_ problem: String) {
    let now = ContinuousClock.now
    let isDue = lastWarning.withLock { last in
      if let last, now - last < .seconds(60) { return false }
      last = now
      return true
    }
    guard isDue else { return }
    logger.warning("--otlp \(RedactedURL(options.endpoint)): \(problem)")
  }
}
