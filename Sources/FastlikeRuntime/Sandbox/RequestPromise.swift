import FastlikeProfile
import NIOCore

/// What a sandbox may take of further requests: the numbers of the platform's public documentation and of the other hosts.
enum SandboxReuse {
  /// Promises that one sandbox may ask for, fulfilled or not.
  static let maximumPromises = 5
  /// Sandboxes of the process that may wait for a request at the same time.
  static let maximumWaiting = 5
  /// Milliseconds that a promise stays open, also the most that a guest can ask for.
  static let maximumWaitMilliseconds: UInt64 = 10_000
}

/// A guest's wait for another request in the same sandbox (`next_request`).
///
/// It is open until a request is assigned, its time is over, or its guest gives it up. An assigned request belongs to the
/// guest once it is taken; one that is never taken is served by a new sandbox, so that its client does not notice.
final class RequestPromise {
  private enum State {
    case open
    case assigned(ServedRequest)
    /// There will be no request.
    case empty
  }

  let service: Service
  private let loop: LoopState
  private let waker: Waker
  private var state: State
  private var timeout: Scheduled<Void>?

  /// A promise that waits on its loop; `milliseconds` is its time.
  init(of service: Service, on loop: LoopState, milliseconds: UInt64, waking waker: Waker) {
    self.service = service
    self.loop = loop
    self.waker = waker
    state = .open
    let bound = NIOLoopBound(self, eventLoop: loop.eventLoop)
    timeout = loop.eventLoop.scheduleTask(in: .milliseconds(Int64(milliseconds))) { bound.value.giveUp() }
  }

  /// A promise that nobody will fulfil.
  init(emptyOf service: Service, on loop: LoopState, waking waker: Waker) {
    self.service = service
    self.loop = loop
    self.waker = waker
    state = .empty
  }

  /// Whether it is known whether there is a request.
  var isSettled: Bool { if case .open = state { false } else { true } }

  /// Gives the request to the guest, which may take it at once or in a while.
  func assign(_ request: ServedRequest) {
    timeout?.cancel()
    // The loop has taken it out of those that wait.
    state = .assigned(request)
    request.trace?.suspend(cause: .queue)
    waker.wake()
  }

  /// The guest takes the request, or learns that there is none.
  func take() -> ServedRequest? {
    guard case .assigned(let request) = state else { return nil }
    state = .empty
    request.trace?.resume()
    return request
  }

  /// There will be no request for this guest; one that was assigned gets a sandbox of its own.
  func giveUp() {
    timeout?.cancel()
    switch state {
    case .open:
      loop.removeWaiting(self)
      state = .empty
      waker.wake()
    case .assigned(let request):
      state = .empty
      request.trace?.resume()
      service.start(request, on: loop)
    case .empty: break
    }
  }
}
