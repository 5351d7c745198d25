import ComputeABI

/// How far one request and its response have come on a stream of HTTP/2, and what an end at that point means.
///
/// A pure state machine, like ``ExchangeState`` for HTTP/1.1: the stream tells it what happens and carries out the outcome.
struct HTTP2StreamState {
  /// Why an exchange cannot go on.
  enum Interruption {
    /// The connection was closed.
    case closed
    /// The connection broke; the error says what `send_error_detail` shows when nothing was answered yet.
    case lost(SendError)
    /// The first byte, or the next one, did not come in time.
    case timedOut
    /// The peer ended the stream with this code (RFC 9113 §6.4).
    case reset(code: UInt32)
    /// The peer goes away and has not looked at the stream (RFC 9113 §6.8).
    case unprocessed(code: UInt32)
    /// What came breaks the protocol.
    case violation(SendError)
    /// The writer of the request body broke off.
    case requestBodyBroken
  }

  /// What a block of headers is.
  enum Block: Equatable {
    case informational
    case head
    case trailers
  }

  /// `REFUSED_STREAM`: the peer did nothing with the request (RFC 9113 §8.7).
  private static let refusedStream: UInt32 = 7

  /// Whether the connection was open before this request came.
  let isReused: Bool
  /// Whether the method may be repeated without asking (RFC 9110 §9.2.2).
  let isIdempotent: Bool
  private(set) var hasHead = false

  init(isReused: Bool, method: String) {
    self.isReused = isReused
    isIdempotent = ExchangeState(isReused: isReused, method: method).isIdempotent
  }

  /// A block came; `status` is that of its head, nil where it has none.
  ///
  /// - Returns: What the block is; nil where none like it may come now.
  mutating func received(status: UInt16?, endsStream: Bool) -> Block? {
    guard !hasHead else { return status == nil && endsStream ? .trailers : nil }
    guard let status, status != 101 else { return nil }
    if status < 200 { return endsStream ? nil : .informational }
    hasHead = true
    return .head
  }

  /// - Parameter canRepeat: Whether the request can be sent again: its body is as it was, and it was not tried too often.
  func outcome(of interruption: Interruption, canRepeat: Bool) -> ExchangeState.Outcome {
    if hasHead { return .bodyFailed(bodyError(of: interruption)) }
    switch interruption {
    case .closed, .lost:
      if isReused, isIdempotent, canRepeat { return .retry }
      if case .lost(let error) = interruption { return .failed(error) }
      return .failed(SendError(.connectionTerminated))
    case .timedOut: return .failed(SendError(.httpResponseTimeout))
    case .reset(let code):
      if code == Self.refusedStream, canRepeat { return .retry }
      return .failed(SendError(http2: .reset, code: code))
    case .unprocessed(let code):
      return canRepeat ? .retry : .failed(SendError(http2: .goAway, code: code))
    case .violation(let error): return .failed(error)
    case .requestBodyBroken: return .failed(SendError(.connectionTerminated))
    }
  }

  private func bodyError(of interruption: Interruption) -> BodyError {
    switch interruption {
    case .closed: .incomplete
    case .timedOut: .betweenBytesTimeout
    case .violation(let error): error.tag == .httpIncompleteResponse ? .incomplete : .malformed
    case .lost, .reset, .unprocessed, .requestBodyBroken: .connectionLost
    }
  }
}
