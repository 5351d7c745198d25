/// What a receiver of spans answered.
struct PushAnswer: Sendable {
  var status: Int
  /// What `Retry-After` asks for, as far as it is a number of seconds.
  var retryAfter: Duration?
  var body: [UInt8] = []

  /// Statuses after which the protocol allows to try again (OTLP specification, "Retryable Response Codes").
  var isTemporary: Bool { [429, 502, 503, 504].contains(status) }
}

/// When a request to a receiver is made again.
struct PushRetry: Sendable {
  /// Most requests for one batch.
  var attempts = 6
  /// The pause after the first failure; it doubles with each.
  var firstPause = Duration.seconds(1)
  /// The longest pause, whatever the receiver asks for.
  var longestPause = Duration.seconds(30)

  /// The pause before the next request; nil when there is none.
  /// - Parameters:
  ///   - attempt: How many requests failed.
  ///   - answer: What was answered to the last one; nil when there was no answer.
  ///   - jitter: A random share from 0 to 1, so that not everybody comes back at once.
  func pause(afterAttempt attempt: Int, answer: PushAnswer?, jitter: Double) -> Duration? {
    guard attempt < attempts, answer?.isTemporary ?? true else { return nil }
    if let asked = answer?.retryAfter { return min(max(.zero, asked), longestPause) }
    let doubled = firstPause * (1 << min(attempt - 1, 16))
    return min(doubled, longestPause) * (0.5 + jitter / 2)
  }
}
