import NIOCore

/// One deadline that moves often and passes seldom.
///
/// Each exchange sets and clears deadlines several times, and taking a task out of an event loop's queue costs a search
/// through it. So the task stays where it is and looks, when it runs, whether there is still a deadline and how far away
/// it is. Confined to its event loop.
final class ConnectionTimer: NIOScheduledCallbackHandler {
  private let eventLoop: any EventLoop
  private var deadline: NIODeadline?
  private var scheduled: (at: NIODeadline, callback: NIOScheduledCallback)?
  /// Called when a deadline has passed.
  var onFire: (() -> Void)?

  init(eventLoop: any EventLoop) { self.eventLoop = eventLoop }

  /// Replaces the deadline.
  func set(_ delay: TimeAmount) {
    let deadline = NIODeadline.now() + delay
    self.deadline = deadline
    if let scheduled {
      if scheduled.at <= deadline { return }
      self.scheduled = nil
      scheduled.callback.cancel()
    }
    schedule(deadline)
  }

  func clear() { deadline = nil }

  /// Ends the timer for good.
  func invalidate() {
    deadline = nil
    onFire = nil
    scheduled?.callback.cancel()
    scheduled = nil
  }

  func handleScheduledCallback(eventLoop: some EventLoop) {
    scheduled = nil
    guard let deadline else { return }
    if deadline <= .now() {
      self.deadline = nil
      onFire?()
    } else {
      schedule(deadline)
    }
  }

  private func schedule(_ deadline: NIODeadline) {
    // Scheduling fails only on a loop that has shut down, where nothing is left to time.
    guard let callback = try? eventLoop.assumeIsolated().scheduleCallback(at: deadline, handler: self) else { return }
    scheduled = (deadline, callback)
  }
}
