import Logging
import NIOCore
import NIOPosix

/// What one event loop has for itself: its connections to backends and the sandboxes that run on it.
final class LoopState {
  let eventLoop: any EventLoop
  let connector: any BackendConnecting
  private var runs: [ObjectIdentifier: SandboxRun] = [:]
  private var sweep: RepeatedTask?

  init(eventLoop: any EventLoop, connector: any BackendConnecting) {
    self.eventLoop = eventLoop
    self.connector = connector
  }

  /// Keeps a run alive until ``remove(_:)``, and looks after its limits.
  func add(_ run: SandboxRun) {
    runs[ObjectIdentifier(run)] = run
    guard sweep == nil, run.hasWallLimit else { return }
    let bound = NIOLoopBound(self, eventLoop: eventLoop)
    let pause = TimeAmount.milliseconds(200)
    sweep = eventLoop.scheduleRepeatedTask(initialDelay: pause, delay: pause) { task in
      let state = bound.value
      for run in state.runs.values { run.checkWallLimit() }
      if state.runs.isEmpty {
        task.cancel()
        state.sweep = nil
      }
    }
  }

  func remove(_ run: SandboxRun) { runs[ObjectIdentifier(run)] = nil }

  var count: Int { runs.count }
}

/// The loops' states, each made when its loop first serves a request and used on its thread only.
///
/// NIO's thread-specific variable is made to be shared, and each thread sees its own value; hence `@unchecked Sendable`.
final class LoopStates: @unchecked Sendable {
  private let current = ThreadSpecificVariable<LoopState>()
  private let logger: Logger

  init(logger: Logger) { self.logger = logger }

  func state(on eventLoop: any EventLoop) -> LoopState {
    if let state = current.currentValue { return state }
    let state = LoopState(eventLoop: eventLoop, connector: BackendConnector(eventLoop: eventLoop, logger: logger))
    current.currentValue = state
    return state
  }

  func shutdown(on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
    eventLoop.submit { self.current.currentValue?.connector.shutdown() }
  }
}
