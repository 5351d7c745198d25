import DequeModule
import Logging
import NIOCore
import NIOPosix
import Wasmtime

/// What one event loop has for itself: its connections to backends and the sandboxes that run on it.
final class LoopState {
  let eventLoop: any EventLoop
  let connector: any BackendConnecting
  let probes: HealthProbes
  private var runs: [ObjectIdentifier: SandboxRun] = [:]
  private var sweep: RepeatedTask?
  /// Guests whose time slice is over, in the order of their turns.
  private var runnable: Deque<SandboxRun> = []
  private var isTurnScheduled = false
  /// Sandboxes that could take another request, the youngest last.
  private var waiting: [RequestPromise] = []
  /// Between two turns the loop must come to its sockets. NIO goes on with tasks that are due before it looks at them, so a
  /// turn lies a little ahead.
  private static let pause = TimeAmount.microseconds(20)

  /// This loop's part of the sampler of guest stacks; nil until a guest on it is sampled.
  private(set) var samplerThread: GuestSamplerThread?

  init(eventLoop: any EventLoop, connector: any BackendConnecting) {
    self.eventLoop = eventLoop
    self.connector = connector
    probes = HealthProbes(eventLoop: eventLoop, connector: connector)
  }

  /// What samples guests and has none at present.
  private var idleSamplings: [GuestSampling] = []

  /// What has sampled guests of this module before.
  func takeIdleSampling(of module: PreparedModule) -> GuestSampling? {
    if let index = idleSamplings.lastIndex(where: { $0.module === module }) { return idleSamplings.remove(at: index) }
    // Those of a version of the program that is gone make way, one by one.
    if !idleSamplings.isEmpty { idleSamplings.removeFirst() }
    return nil
  }

  /// Takes it back; the guest has ended.
  func returnSampling(_ sampling: GuestSampling) {
    sampling.follow(nil)
    // It may have ended within a hostcall.
    sampling.guest.hostcalls.end()
    if idleSamplings.count < 64 { idleSamplings.append(sampling) }
  }

  func samplerThread(of sampler: GuestSampler) -> GuestSamplerThread? {
    if samplerThread == nil { samplerThread = GuestSamplerThread(sampler) }
    return samplerThread
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

  /// Gives a computing guest its next turn, after the loop has looked at its sockets and after the guests before it.
  func enqueue(_ run: SandboxRun) {
    runnable.append(run)
    scheduleTurn()
  }

  private func scheduleTurn() {
    guard !isTurnScheduled, !runnable.isEmpty else { return }
    isTurnScheduled = true
    let bound = NIOLoopBound(self, eventLoop: eventLoop)
    eventLoop.scheduleTask(in: LoopState.pause) { bound.value.takeTurn() }
  }

  private func takeTurn() {
    isTurnScheduled = false
    runnable.popFirst()?.takeTurn()
    scheduleTurn()
  }

  func remove(_ run: SandboxRun) { runs[ObjectIdentifier(run)] = nil }

  private var beat: (clock: EpochClock, beat: EpochClock.Beat)?

  /// What tells a clock that guests run on this loop.
  func beat(of clock: EpochClock?) -> EpochClock.Beat? {
    guard let clock else { return nil }
    if let beat, beat.clock === clock { return beat.beat }
    let beat = clock.makeBeat()
    self.beat = (clock, beat)
    return beat
  }

  // MARK: Sandboxes that wait for a request

  func addWaiting(_ promise: RequestPromise) { waiting.append(promise) }

  /// Takes out the youngest that runs this version of the service; its memory is the most likely to be in the caches.
  func takeWaiting(for service: Service) -> RequestPromise? {
    guard let index = waiting.lastIndex(where: { $0.service === service }) else { return nil }
    service.promiseEnded()
    return waiting.remove(at: index)
  }

  func removeWaiting(_ promise: RequestPromise) {
    guard let index = waiting.firstIndex(where: { $0 === promise }) else { return }
    waiting.remove(at: index).service.promiseEnded()
  }

  /// For the end of the process: no request will come any more.
  func shutdown() {
    connector.shutdown()
    probes.shutdown()
    for promise in waiting { promise.giveUp() }
  }
}

/// The loops' states, each made when its loop first serves a request and used on its thread only.
///
/// NIO's thread-specific variable is made to be shared, and each thread sees its own value; hence `@unchecked Sendable`.
final class LoopStates: @unchecked Sendable {
  private let current = ThreadSpecificVariable<LoopState>()
  private let logger: Logger
  private let slots = ConnectionSlots()

  init(logger: Logger) { self.logger = logger }

  func state(on eventLoop: any EventLoop) -> LoopState {
    if let state = current.currentValue { return state }
    let state = LoopState(
      eventLoop: eventLoop, connector: BackendConnector(eventLoop: eventLoop, slots: slots, logger: logger))
    current.currentValue = state
    return state
  }

  func shutdown(on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
    eventLoop.submit { self.current.currentValue?.shutdown() }
  }
}
