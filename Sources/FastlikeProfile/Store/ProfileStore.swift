internal import Synchronization

/// Keeps finished traces, newest first, and knows the requests that are running. Safe to use from any thread.
///
/// A host without profiling has no store.
public final class ProfileStore: Sendable {
  /// Counters over the store's lifetime.
  public struct Statistics: Sendable, Hashable {
    /// Traces that were finished.
    public var completed = 0
    /// Of these, the ones that sampling left out.
    public var sampledOut = 0
    /// Of these, the ones that gave way to newer ones.
    public var evicted = 0
    /// Requests whose recorder went away unfinished.
    public var abandoned = 0
  }

  private struct State {
    var settings: ProfileStoreSettings
    /// As given, with the settings' cap of backend calls.
    var limits: TraceLimits
    var completed: TraceRing
    var nextID: UInt64
    var sampler = TraceSampler()
    var statistics = Statistics()
    var observers: [UInt64: @Sendable (FinishedRequest) -> Void] = [:]
    var nextObserver: UInt64 = 0
  }

  /// What is recorded.
  public let mode: ProfileMode
  /// The names of the host's hostcalls.
  public let hostcalls: HostcallNameTable
  private let state: Mutex<State>
  private let running = RunningRequests()
  private let counter: TraceTotalsCounter?

  /// - Parameters:
  ///   - mode: What recorders of ``begin(_:)`` record; ``ProfileMode/off`` makes ``begin(_:)`` give none.
  ///   - limits: Caps of a trace. The one of backend calls comes from the settings.
  ///   - firstID: The id of the first trace.
  ///   - countsTotals: Whether ``totals`` are counted, which costs some nanoseconds for each hostcall at a request's end.
  public init(
    settings: ProfileStoreSettings = ProfileStoreSettings(), mode: ProfileMode = .trace,
    hostcalls: HostcallNameTable = .empty, limits: TraceLimits = TraceLimits(), firstID: UInt64 = 1,
    countsTotals: Bool = false
  ) {
    self.mode = mode
    self.hostcalls = hostcalls
    var limits = limits
    limits.backendCalls = settings.backendCap
    counter = countsTotals ? TraceTotalsCounter(names: hostcalls) : nil
    state = Mutex(
      State(settings: settings, limits: limits, completed: TraceRing(capacity: settings.retain), nextID: firstID))
    TraceClock.prepare()
  }

  // MARK: - Recording

  /// Assigns an id and registers the request as running. Finishing the recorder completes it; a recorder that goes
  /// away unfinished takes the request out again.
  /// - Returns: nil when the mode is ``ProfileMode/off``.
  public func begin(_ head: TraceHead) -> TraceRecorder? {
    guard mode.includesTrace else { return nil }
    let (id, limits) = state.withLock { state in
      let id = state.nextID
      state.nextID += 1
      return (id, state.limits)
    }
    let recorder = TraceRecorder(
      id: id, head: head, hostcalls: hostcalls, mode: mode, limits: limits, store: self)
    running.enter(recorder)
    return recorder
  }

  /// Takes a finished trace that was recorded elsewhere, evicting the oldest one when there are more than ``retain``.
  /// Recorders of ``begin(_:)`` hand over theirs themselves.
  public func complete(_ trace: RequestTrace) {
    counter?.add(SummedRequest(trace), id: trace.id)
    complete(TraceRing.Entry(trace), wallNanos: trace.wallNanos, isError: trace.isError)
  }

  /// Moves a closed recording from running to finished.
  func complete(_ recorder: TraceRecorder) {
    _ = running.leave(recorder)
    counter?.add(recorder.summed, id: recorder.id)
    complete(.recording(recorder), wallNanos: recorder.wallNanos, isError: recorder.isError)
  }

  private func complete(_ entry: TraceRing.Entry, wallNanos: Int64, isError: Bool) {
    // What gives way is let go of behind the lock: a trace is large.
    let (observers, evicted) = state.withLock { state -> ([@Sendable (FinishedRequest) -> Void], TraceRing.Entry?) in
      state.statistics.completed += 1
      guard state.sampler.keeps(wallNanos: wallNanos, isError: isError, by: state.settings.sampling) else {
        state.statistics.sampledOut += 1
        return ([], nil)
      }
      let evicted = state.completed.append(entry)
      if let evicted, evicted.id != entry.id { state.statistics.evicted += 1 }
      return (state.observers.isEmpty ? [] : Array(state.observers.values), evicted)
    }
    withExtendedLifetime(evicted) {}
    for observer in observers { observer(FinishedRequest(entry)) }
  }

  /// A recorder goes away that was not closed.
  func abandon(_ recorder: TraceRecorder) {
    if running.leave(recorder) { state.withLock { $0.statistics.abandoned += 1 } }
  }

  /// Makes ids start after those that an archive has.
  public func reserveIDs(through last: UInt64) {
    state.withLock { $0.nextID = max($0.nextID, last + 1) }
  }

  // MARK: - Reading

  /// The finished trace of an id; nil when there is none (any more).
  ///
  /// Complexity: O(1)
  public func trace(id: UInt64) -> RequestTrace? { state.withLock { $0.completed[id] }?.trace }

  /// The newest finished traces, newest first; all of them for a limit below 1.
  public func recent(_ limit: Int = 0) -> [RequestTrace] {
    state.withLock { $0.completed.newest(limit) }.map(\.trace)
  }

  /// The requests that are running, in the order of their ids, with what each does right now.
  public func inFlight() -> [InFlightRequest] { running.snapshot(hostcalls).sorted { $0.id < $1.id } }

  /// The number of finished traces that are kept.
  public var count: Int { state.withLock { $0.completed.count } }

  /// Counters over the store's lifetime.
  public var statistics: Statistics { state.withLock { $0.statistics } }

  /// Sums over all requests that finished, those included that sampling left out; nil where they are not counted.
  public var totals: TraceTotals? { counter?.sum }

  /// Replaces finished traces by changed ones of the same id, as joining native samples does. Traces that are gone
  /// stay gone.
  /// - Returns: How many were replaced.
  @discardableResult
  public func replace(_ traces: some Sequence<RequestTrace>) -> Int {
    state.withLock { state in
      traces.reduce(into: 0) { replaced, trace in if state.completed.replace(trace) { replaced += 1 } }
    }
  }

  /// Forgets all finished traces.
  public func removeAll() { state.withLock { $0.completed.removeAll() } }

  // MARK: - Watching

  /// A request that finished; its trace is made when it is asked for.
  public struct FinishedRequest: Sendable {
    private let entry: TraceRing.Entry
    fileprivate init(_ entry: TraceRing.Entry) { self.entry = entry }
    /// The trace's id.
    public var id: UInt64 { entry.id }
    /// How many hostcalls and backend calls the trace has.
    public var size: (hostcalls: Int, backendCalls: Int) { entry.size }
    /// Whether stacks of the guest were sampled.
    public var hasGuestSamples: Bool { entry.hasGuestSamples }
    /// Whether the trace is one that is to be pushed; those without a place in a distributed trace are.
    public var isSampled: Bool { entry.context?.isSampled ?? true }
    /// The trace. Making it takes some microseconds, once.
    public var trace: RequestTrace { entry.trace }
  }

  /// Keeps an observer of ``ProfileStore/observe(_:)`` until it is cancelled or goes away.
  public final class Observation: Sendable {
    private let onCancel: @Sendable () -> Void
    init(onCancel: @escaping @Sendable () -> Void) { self.onCancel = onCancel }
    deinit { onCancel() }
    /// Ends the observation.
    public func cancel() { onCancel() }
  }

  /// Calls `observer` with every trace that is kept from now on, on the thread that finished it: it must be quick.
  /// - Returns: The observation; it ends when this goes away.
  public func observe(_ observer: @escaping @Sendable (RequestTrace) -> Void) -> Observation {
    observeFinished { observer($0.trace) }
  }

  /// As ``observe(_:)``, without making the trace: for those who look at it later, on a thread of theirs.
  public func observeFinished(_ observer: @escaping @Sendable (FinishedRequest) -> Void) -> Observation {
    let key = state.withLock { state in
      state.nextObserver += 1
      state.observers[state.nextObserver] = observer
      return state.nextObserver
    }
    return Observation { [weak self] in self?.state.withLock { $0.observers[key] = nil } }
  }

  /// The traces that are kept from now on, for a live page. A slow reader misses the oldest ones.
  /// - Parameter buffering: Most traces that wait for the reader.
  public func completions(buffering: Int = 64) -> AsyncStream<RequestTrace> {
    AsyncStream(bufferingPolicy: .bufferingNewest(max(1, buffering))) { continuation in
      let observation = observe { continuation.yield($0) }
      continuation.onTermination = { _ in observation.cancel() }
    }
  }

  // MARK: - Settings

  /// All settings. A smaller ``ProfileStoreSettings/retain`` evicts at once.
  public var settings: ProfileStoreSettings {
    get { state.withLock { $0.settings } }
    set { updateSettings { $0 = newValue } }
  }

  /// Changes settings in one step.
  public func updateSettings(_ change: (inout ProfileStoreSettings) -> Void) {
    state.withLock { state in
      change(&state.settings)
      state.limits.backendCalls = state.settings.backendCap
      guard state.settings.retain != state.completed.capacity else { return }
      let before = state.completed.count
      state.completed.setCapacity(state.settings.retain)
      state.statistics.evicted += before - state.completed.count
    }
  }

  /// See ``ProfileStoreSettings/retain``.
  public var retain: Int {
    get { settings.retain }
    set { updateSettings { $0.retain = newValue } }
  }

  /// See ``ProfileStoreSettings/backendCap``.
  public var backendCap: Int {
    get { settings.backendCap }
    set { updateSettings { $0.backendCap = newValue } }
  }

  /// See ``ProfileStoreSettings/asyncGrace``.
  public var asyncGrace: Duration {
    get { state.withLock { $0.settings.asyncGrace } }
    set { updateSettings { $0.asyncGrace = newValue } }
  }

  /// See ``ProfileStoreSettings/directory``.
  public var directory: String {
    get { settings.directory }
    set { updateSettings { $0.directory = newValue } }
  }

  /// See ``ProfileStoreSettings/pageAddress``.
  public var pageAddress: String {
    get { settings.pageAddress }
    set { updateSettings { $0.pageAddress = newValue } }
  }

  /// See ``ProfileStoreSettings/pageToken``.
  public var pageToken: String {
    get { settings.pageToken }
    set { updateSettings { $0.pageToken = newValue } }
  }

  /// See ``ProfileStoreSettings/pageInsecure``.
  public var pageInsecure: Bool {
    get { settings.pageInsecure }
    set { updateSettings { $0.pageInsecure = newValue } }
  }
}

/// What a guest instance needs to know of profiling.
public struct ProfileBinding: Sendable {
  /// Where traces go; nil records nothing.
  public let store: ProfileStore?
  /// ``ModuleIdentifier`` of the instance's module.
  public let moduleID: String

  public init(store: ProfileStore?, moduleID: String) {
    self.store = store
    self.moduleID = moduleID
  }

  /// Whether the deep metrics are recorded.
  public var isDeep: Bool { store?.mode.includesDeep ?? false }
}
