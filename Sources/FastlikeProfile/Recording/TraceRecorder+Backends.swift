/// A backend call of one recorder, or none when the cap was reached.
public struct BackendCallToken: Sendable, Hashable {
  fileprivate let index: Int32

  /// Stands for a call that is not recorded; every use is without effect.
  public static let none = BackendCallToken(index: -1)
}

struct BackendCallState {
  var isComplete = false
  var isObserved = false
}

extension TraceRecorder {
  /// A send begins. It stays ``BackendOutcome/incomplete`` until ``finishBackendCall(_:outcome:status:failure:)``.
  /// - Parameters:
  ///   - name: The backend's configured name.
  ///   - pendingID: The guest's handle of the pending request; 0 for a synchronous send.
  ///   - startedAt: When it began, in monotonic nanoseconds; now by default.
  public func backendCall(
    to name: String, method: String, url: RedactedURL, variant: BackendVariant, pendingID: UInt32 = 0,
    isDynamic: Bool = false, startedAt: UInt64? = nil
  ) -> BackendCallToken {
    guard details.pointee.facts.wallEnd == nil else { return .none }
    guard details.pointee.backendCalls.count < limits.backendCalls else {
      details.pointee.facts.droppedBackendCalls += 1
      return .none
    }
    details.pointee.backendCalls.append(
      BackendCall(
        name: name, method: method, url: url, variant: variant, pendingID: pendingID,
        started: startedAt.map { offset(ofMonotonic: $0) } ?? now, isDynamic: isDynamic))
    details.pointee.backendStates.append(BackendCallState())
    return BackendCallToken(index: Int32(details.pointee.backendCalls.count - 1))
  }

  /// Changes what is recorded of a call: phases, bytes, peer. Without effect after ``finish()``.
  public func updateBackendCall(_ token: BackendCallToken, _ change: (inout BackendCall) -> Void) {
    guard !isFinished, token.index >= 0 else { return }
    change(&details.pointee.backendCalls[Int(token.index)])
  }

  /// Gives a phase between two instants of the monotonic clock, for use in ``updateBackendCall(_:_:)``; nil unless
  /// both are known.
  public func phase(from start: UInt64?, to end: UInt64?) -> BackendCall.Phase? {
    guard let start, let end else { return nil }
    let offset = offset(ofMonotonic: start)
    return BackendCall.Phase(start: offset, duration: self.offset(ofMonotonic: end) - offset)
  }

  /// The last byte of the response came, or the call failed. The first call for a token counts.
  /// - Parameters:
  ///   - status: The response's status; 0 without a response.
  ///   - endedAt: When it ended, in monotonic nanoseconds; now by default.
  public func finishBackendCall(
    _ token: BackendCallToken, outcome: BackendOutcome, status: Int = 0, failure: BackendFailure? = nil,
    endedAt: UInt64? = nil
  ) {
    guard !isFinished, token.index >= 0, !details.pointee.backendStates[Int(token.index)].isComplete else { return }
    let index = Int(token.index)
    details.pointee.backendStates[index].isComplete = true
    details.pointee.backendCalls[index].outcome = outcome
    if status != 0 { details.pointee.backendCalls[index].status = status }
    if let failure { details.pointee.backendCalls[index].failure = failure }
    let end = endedAt.map { offset(ofMonotonic: $0) } ?? now
    details.pointee.backendCalls[index].totalNanos = max(0, end - details.pointee.backendCalls[index].started)
  }

  /// The `traceparent` that the backend of a call gets; nil where traces are not joined to others.
  public func traceparent(of token: BackendCallToken) -> String? {
    head.context?.traceparent(ofCall: token.index >= 0 ? Int(token.index) : nil)
  }

  /// The guest asked for the call's response: polled, waited, selected, or used it through async I/O.
  public func observeBackendCall(_ token: BackendCallToken) {
    guard !isFinished, token.index >= 0 else { return }
    details.pointee.backendStates[Int(token.index)].isObserved = true
  }

  /// Calls that the guest asked for and that are still running: what a grace period after the request could wait for.
  public var awaitedBackendCalls: Int {
    if details.pointee.backendCalls.isEmpty { return 0 }
    return zip(details.pointee.backendCalls, details.pointee.backendStates).count {
      !$1.isComplete && ($1.isObserved || $0.pendingID == 0)
    }
  }

  /// Settles what is still open when the trace closes.
  func sweepBackendCalls() {
    let end = details.pointee.facts.wallEnd ?? now
    var orphaned = 0
    var incomplete = 0
    for index in details.pointee.backendCalls.indices {
      let state = details.pointee.backendStates[index]
      let wasAskedFor = state.isObserved || details.pointee.backendCalls[index].pendingID == 0
      if !state.isComplete {
        details.pointee.backendCalls[index].totalNanos = max(0, end - details.pointee.backendCalls[index].started)
      }
      if !wasAskedFor {
        details.pointee.backendCalls[index].outcome = .orphaned
        orphaned += 1
      } else if !state.isComplete {
        details.pointee.backendCalls[index].outcome = .incomplete
        incomplete += 1
      }
    }
    if orphaned > 0 {
      note(TraceNote("backend calls whose response nobody asked for", count: orphaned))
    }
    if incomplete > 0 { note(TraceNote("backend calls still running at the request's end", count: incomplete)) }
  }
}
