internal import Synchronization

/// What the parts of a ``ProfileStore`` share.
final class StoreShared: Sendable {
  private struct State {
    var settings: ProfileStoreSettings
    var sampler = TraceSampler()
    var sampledOut = 0
    var observers: [UInt64: @Sendable (ProfileStore.FinishedRequest) -> Void] = [:]
    var nextObserver: UInt64 = 0
  }

  let mode: ProfileMode
  let hostcalls: HostcallNameTable
  /// As of ``TraceClock/calibration``.
  let clockScale = TraceClock.calibration.scale
  private let state: Mutex<State>
  private let fixedLimits: TraceLimits

  /// What every request changes: in memory of its own, so that the processors do not also pass around what is only read.
  private final class Numbers: Sendable {
    let nextID: Atomic<UInt64>
    let places = Atomic<UInt64>(0)
    private let distance = CacheLineDistance()
    init(firstID: UInt64) { nextID = Atomic(firstID) }
  }

  private let numbers: Numbers
  // What every request looks at, apart from the lock.
  private let retain: Atomic<Int>
  private let currentBackendCap: Atomic<Int>
  private let isSampling: Atomic<Bool>
  private let isObserved = Atomic<Bool>(false)

  init(
    settings: ProfileStoreSettings, mode: ProfileMode, hostcalls: HostcallNameTable, limits: TraceLimits,
    firstID: UInt64
  ) {
    self.mode = mode
    self.hostcalls = hostcalls
    fixedLimits = limits
    numbers = Numbers(firstID: firstID)
    retain = Atomic(settings.retain)
    currentBackendCap = Atomic(settings.backendCap)
    isSampling = Atomic(settings.sampling.oneIn > 1)
    state = Mutex(State(settings: settings))
  }

  // MARK: - Recording

  func newID() -> UInt64 { numbers.nextID.wrappingAdd(1, ordering: .relaxed).oldValue }

  func reserveIDs(through last: UInt64) { numbers.nextID.max(last + 1, ordering: .relaxed) }

  /// As given, with the settings' cap of backend calls.
  var limits: TraceLimits {
    var limits = fixedLimits
    limits.backendCalls = backendCap
    return limits
  }

  /// The settings' cap of backend calls.
  var backendCap: Int { currentBackendCap.load(ordering: .relaxed) }

  /// Whether the trace of a finished request is kept.
  @inline(__always)
  func keeps(wallNanos: Int64, isError: Bool) -> Bool {
    guard isSampling.load(ordering: .relaxed) else { return true }
    return samplingKeeps(wallNanos: wallNanos, isError: isError)
  }

  @inline(never)
  private func samplingKeeps(wallNanos: Int64, isError: Bool) -> Bool {
    state.withLock { state in
      let isKept = state.sampler.keeps(wallNanos: wallNanos, isError: isError, by: state.settings.sampling)
      if !isKept { state.sampledOut += 1 }
      return isKept
    }
  }

  /// The place of one more trace: each that finishes takes the next one.
  func nextPlace() -> UInt64 { numbers.places.wrappingAdd(1, ordering: .relaxed).newValue }

  /// Traces in places before this one gave way.
  var oldestPlace: UInt64 {
    let newest = numbers.places.load(ordering: .relaxed)
    let retain = UInt64(retain.load(ordering: .relaxed))
    return newest < retain ? 0 : newest - retain + 1
  }

  // MARK: - Watching

  /// Whether somebody wants to be told of finished requests.
  var hasObservers: Bool { isObserved.load(ordering: .acquiring) }

  func tellObservers(_ entry: TraceRing.Entry) {
    guard hasObservers else { return }
    let observers = state.withLock { Array($0.observers.values) }
    for observer in observers { observer(ProfileStore.FinishedRequest(entry, hostcalls: hostcalls)) }
  }

  func addObserver(_ observer: @escaping @Sendable (ProfileStore.FinishedRequest) -> Void) -> UInt64 {
    state.withLock { state in
      state.nextObserver += 1
      state.observers[state.nextObserver] = observer
      isObserved.store(true, ordering: .releasing)
      return state.nextObserver
    }
  }

  func removeObserver(_ key: UInt64) {
    // An observer may hold what takes locks when it goes: it is let go of behind this one.
    let removed = state.withLock { state in
      let removed = state.observers.removeValue(forKey: key)
      isObserved.store(!state.observers.isEmpty, ordering: .releasing)
      return removed
    }
    withExtendedLifetime(removed) {}
  }

  // MARK: - Settings and counters

  var settings: ProfileStoreSettings { state.withLock { $0.settings } }

  func updateSettings(_ change: (inout ProfileStoreSettings) -> Void) {
    state.withLock { state in
      change(&state.settings)
      retain.store(state.settings.retain, ordering: .relaxed)
      currentBackendCap.store(state.settings.backendCap, ordering: .relaxed)
      isSampling.store(state.settings.sampling.oneIn > 1, ordering: .relaxed)
    }
  }

  var sampledOut: Int { state.withLock { $0.sampledOut } }
}
