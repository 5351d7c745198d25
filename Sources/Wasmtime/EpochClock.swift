internal import Dispatch
internal import Foundation
internal import Synchronization

/// The ticks at which running guests give their event loop back.
///
/// A thread of its own raises the engine's epoch every ``period`` while guests run, and sleeps when none has run for a
/// while, so that an idle server does not wake up. ``guestRuns()`` is on the path of every request and costs two atomic
/// operations.
public final class EpochClock: Sendable {
  /// Microseconds between two ticks.
  public static let period: UInt32 = 1_000
  /// Ticks without a guest after which the thread sleeps.
  private static let idleTicks = 200

  private final class State: Sendable {
    let engine: Engine
    let activity = Atomic<UInt64>(0)
    let isParked = Atomic<Bool>(false)
    let isStopped = Atomic<Bool>(false)
    let wakeUp = DispatchSemaphore(value: 0)

    init(engine: Engine) { self.engine = engine }

    func run() {
      var seen: UInt64 = .max
      var idle = 0
      while !isStopped.load(ordering: .acquiring) {
        usleep(EpochClock.period)
        engine.incrementEpoch()
        let now = activity.load(ordering: .sequentiallyConsistent)
        idle = now == seen ? idle + 1 : 0
        seen = now
        if idle > EpochClock.idleTicks { park(seen) }
      }
    }

    private func park(_ seen: UInt64) {
      isParked.store(true, ordering: .sequentiallyConsistent)
      // A guest that started meanwhile has either seen the flag, and signals, or is seen here.
      let isStale = activity.load(ordering: .sequentiallyConsistent) != seen
      if isStale, isParked.exchange(false, ordering: .sequentiallyConsistent) { return }
      wakeUp.wait()
    }

    func unpark() {
      if isParked.load(ordering: .sequentiallyConsistent),
        isParked.exchange(false, ordering: .sequentiallyConsistent)
      {
        wakeUp.signal()
      }
    }
  }

  private let state: State

  public init(engine: Engine) {
    let state = State(engine: engine)
    self.state = state
    let thread = Thread { state.run() }
    thread.name = "fastlike-epoch"
    thread.start()
  }

  deinit {
    state.isStopped.store(true, ordering: .releasing)
    state.unpark()
  }

  /// A guest is about to run. A guest that runs longer than a time slice says so again at each slice.
  public func guestRuns() {
    state.activity.wrappingAdd(1, ordering: .sequentiallyConsistent)
    state.unpark()
  }
}
