internal import Dispatch
internal import Foundation
internal import Synchronization

/// The ticks at which running guests give their event loop back.
///
/// A thread of its own raises the engine's epoch every ``period`` while guests run, and sleeps when none has run for a
/// while, so that an idle server does not wake up. ``Beat/guestRuns()`` is on the path of every request.
public final class EpochClock: Sendable {
  /// Microseconds between two ticks.
  public static let period: UInt32 = 1_000
  /// Ticks without a guest after which the thread sleeps.
  private static let idleTicks = 200

  /// What one event loop tells the clock: each has its own, because processors that count in one place wait for each other.
  public final class Beat: Sendable {
    fileprivate let activity = Atomic<UInt64>(0)
    private let state: State
    // Neither an object in front nor one behind may share the cache lines of the count.
    private let distance = (SIMD16<UInt64>(), UInt8())

    fileprivate init(of state: State) { self.state = state }

    /// A guest is about to run. A guest that runs longer than a time slice says so again at each slice.
    public func guestRuns() {
      activity.wrappingAdd(1, ordering: .sequentiallyConsistent)
      state.unpark()
    }
  }

  fileprivate final class State: Sendable {
    let engine: Engine
    let beats = Mutex<[Beat]>([])
    let isParked = Atomic<Bool>(false)
    let isStopped = Atomic<Bool>(false)
    let wakeUp = DispatchSemaphore(value: 0)

    init(engine: Engine) { self.engine = engine }

    /// The sum of all beats.
    private var activity: UInt64 {
      beats.withLock { $0.reduce(0) { $0 &+ $1.activity.load(ordering: .sequentiallyConsistent) } }
    }

    func run() {
      var seen: UInt64 = .max
      var idle = 0
      while !isStopped.load(ordering: .acquiring) {
        usleep(EpochClock.period)
        engine.incrementEpoch()
        let now = activity
        idle = now == seen ? idle + 1 : 0
        seen = now
        if idle > EpochClock.idleTicks { park(seen) }
      }
    }

    private func park(_ seen: UInt64) {
      isParked.store(true, ordering: .sequentiallyConsistent)
      // A guest that started meanwhile, and a clock that ends, has either seen the flag, and signals, or is seen here.
      let isStale = activity != seen || isStopped.load(ordering: .sequentiallyConsistent)
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
    state.isStopped.store(true, ordering: .sequentiallyConsistent)
    state.unpark()
    state.beats.withLock { $0 = [] }
  }

  /// The beat of one more event loop; it counts as long as the clock runs.
  public func makeBeat() -> Beat {
    let beat = Beat(of: state)
    state.beats.withLock { $0.append(beat) }
    return beat
  }
}
