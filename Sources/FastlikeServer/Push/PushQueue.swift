import FastlikeProfile
import Synchronization

/// Finished requests that wait to be pushed. Putting one in is all that happens where a request ends.
final class PushQueue: Sendable {
  /// Most hostcalls of all waiting requests, which bounds the memory that they keep.
  static let maximumHostcalls = 1_000_000

  private struct Waiting {
    let request: ProfileStore.FinishedRequest
    let spans: Int
  }

  private struct State {
    var waiting: [Waiting] = []
    var spans = 0
    var hostcalls = 0
    var overflowed = 0
    var isClosed = false
  }

  private let state = Mutex(State())
  private let capacity: Int
  private let batchSize: Int
  private let hostcallSpans: Int

  /// - Parameters:
  ///   - capacity: Most spans that wait.
  ///   - batchSize: Spans of a batch, about: a request is in one batch as a whole.
  ///   - hostcallSpans: Most hostcalls of a request that become spans.
  init(capacity: Int, batchSize: Int, hostcallSpans: Int) {
    self.capacity = capacity
    self.batchSize = batchSize
    self.hostcallSpans = hostcallSpans
  }

  /// - Returns: Whether a batch is full now that was not before.
  func put(_ request: ProfileStore.FinishedRequest) -> Bool {
    let size = request.size
    let spans = 1 + size.backendCalls + min(size.hostcalls, hostcallSpans)
    return state.withLock { state in
      // An empty queue takes everything, so that no request is too large.
      let hasRoom =
        state.spans + spans <= capacity && state.hostcalls + size.hostcalls <= Self.maximumHostcalls
        || state.waiting.isEmpty
      guard !state.isClosed, hasRoom else {
        state.overflowed += spans
        return false
      }
      let before = state.spans
      state.waiting.append(Waiting(request: request, spans: spans))
      state.spans += spans
      state.hostcalls += size.hostcalls
      return before < batchSize && state.spans >= batchSize
    }
  }

  /// The oldest requests, as many as make a batch; empty when there are none.
  /// - Parameter isFull: Whether only a full batch is wanted.
  func take(onlyFull isFull: Bool) -> [ProfileStore.FinishedRequest] {
    state.withLock { state in
      guard !isFull || state.spans >= batchSize else { return [] }
      var count = 0
      var spans = 0
      while count < state.waiting.count, spans < batchSize {
        spans += state.waiting[count].spans
        state.hostcalls -= state.waiting[count].request.size.hostcalls
        count += 1
      }
      let taken = state.waiting.prefix(count).map(\.request)
      state.waiting.removeFirst(count)
      state.spans -= spans
      return taken
    }
  }

  /// Takes nothing more in.
  func close() { state.withLock { $0.isClosed = true } }

  /// Forgets what waits, and counts it.
  func dropAll() {
    state.withLock { state in
      state.overflowed += state.spans
      state.waiting = []
      state.spans = 0
      state.hostcalls = 0
    }
  }

  /// Spans that wait, and spans that were dropped.
  var counts: (waiting: Int, overflowed: Int) { state.withLock { ($0.spans, $0.overflowed) } }
}
