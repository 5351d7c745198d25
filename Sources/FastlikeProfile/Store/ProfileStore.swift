internal import CTimestamp

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

  private let shared: StoreShared
  private let parts: [StorePart]
  /// The same, for what is done for each request: references that need not be counted.
  private let lanes: [Unmanaged<StorePart>]
  /// Threads that finish requests at the same time, one of them in each part.
  private static let partCount = 8

  /// What is recorded.
  public var mode: ProfileMode { shared.mode }
  /// The names of the host's hostcalls.
  public var hostcalls: HostcallNameTable { shared.hostcalls }

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
    let shared = StoreShared(
      settings: settings, mode: mode, hostcalls: hostcalls, limits: limits, firstID: firstID)
    self.shared = shared
    parts = (0..<Self.partCount).map { _ in StorePart(shared: shared, countsTotals: countsTotals) }
    lanes = parts.map { Unmanaged.passUnretained($0) }
  }

  /// The part for what begins on this thread.
  private var lane: Unmanaged<StorePart> { lanes[Int(ctimestamp_thread_number()) % Self.partCount] }

  // MARK: - Recording

  /// Assigns an id and registers the request as running. Finishing the recorder completes it; a recorder that goes
  /// away unfinished takes the request out again.
  /// - Returns: nil when the mode is ``ProfileMode/off``.
  public func begin(_ head: TraceHead) -> TraceRecorder? {
    guard mode.includesTrace else { return nil }
    let arrival = head.arrivedAt.map { MonotonicInstant(monotonic: $0) }
    return begin(head.module, head.method, head.url, head.httpVersion, arrival, head.context)
  }

  @inline(never)
  private func begin(
    _ module: TracedModule, _ method: String, _ url: RedactedURL, _ httpVersion: HTTPVersion?,
    _ arrivedAt: MonotonicInstant?, _ context: TraceContext?
  ) -> TraceRecorder {
    lane._withUnsafeGuaranteedRef { part in
      part.begin(module: module, httpVersion: httpVersion, arrivedAt: arrivedAt) {
        $0.put(method: method, url: url, context: context)
      }
    }
  }

  /// As ``begin(_:)``, for a host that serves many requests: what a trace keeps of these texts is copied, and no reference to them
  /// is counted.
  /// - Parameters:
  ///   - method: See ``TraceHead/method``.
  ///   - target: The request's target, of which a ``RedactedURL`` is kept.
  ///   - httpVersion: See ``TraceHead/httpVersion``.
  ///   - arrivedAt: When the request arrived; nil when it has not waited.
  ///   - context: See ``TraceHead/context``.
  public func begin(
    module: TracedModule, method: String, target: String, httpVersion: HTTPVersion? = nil,
    arrivedAt: MonotonicInstant? = nil, context: TraceContext? = nil
  ) -> TraceRecorder? {
    guard mode.includesTrace else { return nil }
    guard RedactedURL.isPlainPath(target) else {
      return begin(module, method, RedactedURL(target), httpVersion, arrivedAt, context)
    }
    return lane._withUnsafeGuaranteedRef { part in
      part.begin(module: module, httpVersion: httpVersion, arrivedAt: arrivedAt) {
        $0.put(method: method, plainPath: target, context: context)
      }
    }
  }

  /// Takes a finished trace that was recorded elsewhere, evicting the oldest one when there are more than ``retain``.
  /// Recorders of ``begin(_:)`` hand over theirs themselves.
  public func complete(_ trace: RequestTrace) {
    shared.reserveIDs(through: trace.id)
    // One that is there already is replaced where it is.
    let holder = parts.first { $0.entry(id: trace.id) != nil }
    (holder ?? lane.takeUnretainedValue()).complete(trace)
  }

  /// Makes ids start after those that an archive has.
  public func reserveIDs(through last: UInt64) { shared.reserveIDs(through: last) }

  // MARK: - Reading

  /// The finished trace of an id; nil when there is none (any more).
  ///
  /// Complexity: O(1)
  public func trace(id: UInt64) -> RequestTrace? {
    for part in parts {
      if let found = part.entry(id: id) { return part.trace(found.entry, at: found.place) }
    }
    return nil
  }

  /// The newest finished traces, newest first; all of them for a limit below 1.
  public func recent(_ limit: Int = 0) -> [RequestTrace] {
    newest(limit).map { $0.part.trace($0.entry, at: $0.place) }
  }

  /// The ids of ``recent(_:)``, without making the traces.
  public func recentIDs(_ limit: Int = 0) -> [UInt64] { newest(limit).map(\.entry.id) }

  private func newest(_ limit: Int) -> [(part: StorePart, place: UInt64, entry: TraceRing.Entry)] {
    let found = parts.flatMap { part in part.newest(limit).map { (part: part, place: $0.place, entry: $0.entry) } }
      .sorted { $0.place > $1.place }
    return limit < 1 ? found : Array(found.prefix(limit))
  }

  /// The requests that are running, in the order of their ids, with what each does right now.
  public func inFlight() -> [InFlightRequest] {
    parts.flatMap(\.inFlight).sorted { $0.id < $1.id }
  }

  /// The number of finished traces that are kept.
  public var count: Int { parts.reduce(0) { $0 + $1.count } }

  /// Counters over the store's lifetime.
  public var statistics: Statistics {
    var statistics = Statistics()
    statistics.sampledOut = shared.sampledOut
    for counts in parts.map(\.counts) {
      statistics.completed += counts.completed
      statistics.evicted += counts.evicted
      statistics.abandoned += counts.abandoned
    }
    return statistics
  }

  /// Sums over all requests that finished, those included that sampling left out; nil where they are not counted.
  public var totals: TraceTotals? {
    parts.compactMap(\.sums).reduce(nil) { sum, part in
      guard var sum else { return part }
      sum.merge(part)
      return sum
    }
  }

  /// Replaces finished traces by changed ones of the same id, as joining native samples does. Traces that are gone
  /// stay gone.
  /// - Returns: How many were replaced.
  @discardableResult
  public func replace(_ traces: some Sequence<RequestTrace>) -> Int {
    traces.reduce(0) { replaced, trace in parts.contains { $0.replace(trace) } ? replaced + 1 : replaced }
  }

  /// Forgets all finished traces.
  public func removeAll() { for part in parts { part.removeAll() } }

  // MARK: - Watching

  /// A request that finished; its trace is made when it is asked for.
  public struct FinishedRequest: Sendable {
    private let entry: TraceRing.Entry
    private let hostcalls: HostcallNameTable

    init(_ entry: TraceRing.Entry, hostcalls: HostcallNameTable) {
      self.entry = entry
      self.hostcalls = hostcalls
    }

    /// The trace's id.
    public var id: UInt64 { entry.id }
    /// How many hostcalls and backend calls the trace has.
    public var size: (hostcalls: Int, backendCalls: Int) { entry.size }
    /// Whether stacks of the guest were sampled.
    public var hasGuestSamples: Bool { entry.hasGuestSamples }
    /// Whether the trace is one that is to be pushed; those without a place in a distributed trace are.
    public var isSampled: Bool { entry.isSampled }
    /// The trace. Making it takes some microseconds, each time.
    public var trace: RequestTrace { entry.trace(hostcalls) }
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
    let key = shared.addObserver(observer)
    return Observation { [weak shared] in shared?.removeObserver(key) }
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
    get { shared.settings }
    set { updateSettings { $0 = newValue } }
  }

  /// Changes settings in one step.
  public func updateSettings(_ change: (inout ProfileStoreSettings) -> Void) {
    shared.updateSettings(change)
    // A smaller number gives memory back now, and not with the next request.
    _ = count
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
    get { settings.asyncGrace }
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
