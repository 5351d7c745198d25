import ComputeABI

/// How far one request and its response have come on a connection, and what an end at that point means.
///
/// A pure state machine: the connection tells it what happens and carries out the outcome it returns.
struct ExchangeState {
  /// Why an exchange cannot go on.
  enum Interruption {
    /// The peer closed the connection.
    case closed
    /// The connection broke; the error says what `send_error_detail` shows when nothing was answered yet.
    case lost(SendError)
    /// The first byte, or the next one, did not come in time.
    case timedOut
    /// What came is not a valid response.
    case invalidResponse(ResponseParser.Failure)
    /// The writer of the request body broke off.
    case requestBodyBroken
  }

  enum Outcome: Equatable {
    /// Send the request again on a new connection.
    case retry
    /// There will be no response.
    case failed(SendError)
    /// The response's body breaks off.
    case bodyFailed(BodyError)
  }

  private enum Response {
    case awaited
    case headBegun
    case headRead
  }

  /// Whether the connection served a request before.
  let isReused: Bool
  /// Whether the method may be repeated without asking (RFC 9110 §9.2.2).
  let isIdempotent: Bool
  /// Whether every byte of the request was written.
  private(set) var isRequestSent = false
  private var response = Response.awaited

  init(isReused: Bool, method: String) {
    self.isReused = isReused
    isIdempotent = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"].contains(method)
  }

  /// Whether no byte of a response came yet.
  var isAwaitingFirstByte: Bool { response == .awaited }

  /// Bytes of a response came. Returns whether they are the first since the request, or since an informational response.
  mutating func receivedBytes() -> Bool {
    guard response == .awaited else { return false }
    response = .headBegun
    return true
  }

  /// An informational response was read and the final one is waited for again.
  mutating func receivedInformational() { response = .awaited }

  mutating func receivedHead() { response = .headRead }

  mutating func requestSent() { isRequestSent = true }

  /// The response is complete. Returns whether the connection may serve another request: not while the request's body is
  /// still on its way, because its rest would be taken for the next request.
  func keepsConnection(responsePersists: Bool) -> Bool { responsePersists && isRequestSent }

  /// - Parameter isBodyIntact: Whether the request's body can be read from its start again.
  func outcome(of interruption: Interruption, isBodyIntact: Bool) -> Outcome {
    switch response {
    case .awaited:
      switch interruption {
      case .closed, .lost:
        // The peer closed an idle connection before it saw the request, most likely (RFC 9112 §9.3.1).
        if isReused, isIdempotent, isBodyIntact { return .retry }
        if case .lost(let error) = interruption { return .failed(error) }
        return .failed(SendError(.connectionTerminated))
      case .requestBodyBroken: return .failed(SendError(.connectionTerminated))
      case .timedOut: return .failed(SendError(.httpResponseTimeout))
      case .invalidResponse(let failure): return .failed(SendError(failure))
      }
    case .headBegun:
      switch interruption {
      case .closed: return .failed(SendError(.httpIncompleteResponse))
      case .lost(let error):
        return .failed(error.tag == .connectionTerminated ? SendError(.httpIncompleteResponse) : error)
      case .timedOut: return .failed(SendError(.httpResponseTimeout))
      case .invalidResponse(let failure): return .failed(SendError(failure))
      case .requestBodyBroken: return .failed(SendError(.connectionTerminated))
      }
    case .headRead:
      switch interruption {
      case .closed: return .bodyFailed(.incomplete)
      case .lost, .requestBodyBroken: return .bodyFailed(.connectionLost)
      case .timedOut: return .bodyFailed(.betweenBytesTimeout)
      case .invalidResponse(let failure): return .bodyFailed(failure == .incomplete ? .incomplete : .malformed)
      }
    }
  }
}
