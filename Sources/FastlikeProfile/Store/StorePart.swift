internal import Foundation
internal import Synchronization

/// One of the parts of a ``ProfileStore``: the requests of some threads begin and end in it, so that threads neither wait for each
/// other nor pass memory between them.
///
/// Recorders are used again for the requests that begin, when nobody else has them. The traces of short requests are packed some at
/// a time: a busy thread runs through much more code for each request than its processor has room for, and fetches what packs a
/// trace once for all of them.
final class StorePart: Sendable {
  fileprivate struct Contents: ~Copyable {
    var ring = TraceRing()
    var counts = Counts()
    /// Recorders of requests that ended, which somebody may still hold.
    var spare = RecorderStack()
    var running = RunningRecorders()
    /// Recorders of requests that finished whose traces are not in the ring yet, the newest on top.
    var closed = RecorderStack()
  }

  struct Counts: Sendable {
    /// Requests that finished, whether their traces are kept or not.
    var completed = 0
    /// Traces that gave way to newer ones.
    var evicted = 0
    /// Requests whose recorder went away unfinished.
    var abandoned = 0
  }

  /// Most recorders that wait for a request. They hold what they recorded before until then, or until somebody reads the store.
  fileprivate static let maximumSpareRecorders = 32
  /// So many traces are packed at once.
  private static let maximumClosedRecorders = 8

  let shared: StoreShared
  private let contents = Mutex(Contents())
  private let totals: TraceTotalsCounter?
  private let distance = CacheLineDistance()

  init(shared: StoreShared, countsTotals: Bool) {
    self.shared = shared
    totals = countsTotals ? TraceTotalsCounter(names: shared.hostcalls) : nil
  }

  // MARK: - Recording

  /// - Parameter putHead: Puts the request's head.
  @inline(__always)
  func begin(
    module: TracedModule, httpVersion: HTTPVersion?, arrivedAt: MonotonicInstant?, putHead: (inout RecordedHead) -> Void
  ) -> TraceRecorder {
    let id = shared.newID()
    let start = RecordingStart(after: arrivedAt, scale: shared.clockScale)
    let backendCap = shared.backendCap
    var released: PackedTrace?
    let recorder = contents.withLock { contents in
      let recorder: TraceRecorder
      if let spare = contents.spare.popUnshared() {
        released = spare.restart(
          id: id, start: start, module: module, httpVersion: httpVersion, backendCap: backendCap, in: self)
        recorder = spare
      } else {
        recorder = newRecorder(id: id, facts: RecordedFacts(start: start, module: module, httpVersion: httpVersion))
      }
      putHead(&recorder.details.pointee.head)
      contents.running.insert(recorder)
      return recorder
    }
    // A trace can be large: it is let go of behind the lock.
    withExtendedLifetime(released) {}
    return recorder
  }

  @inline(never)
  private func newRecorder(id: UInt64, facts: RecordedFacts) -> TraceRecorder {
    TraceRecorder(
      id: id, facts: facts, hostcalls: shared.hostcalls, mode: shared.mode, limits: shared.limits, in: self)
  }

  /// A recording is closed: it moves from running to finished.
  func complete(_ recorder: TraceRecorder) {
    guard shared.keeps(wallNanos: recorder.wallNanos, isError: recorder.isError) else { return leaveOut(recorder) }
    let settled: Settled? = contents.withLock { contents in
      contents.running.remove(recorder)
      recorder.place = shared.nextPlace()
      contents.closed.push(recorder)
      guard contents.closed.count >= Self.maximumClosedRecorders || !recorder.isShort || shared.hasObservers else {
        return nil
      }
      return settle(&contents, observes: shared.hasObservers)
    }
    // What gives way is let go of behind the lock: a trace can be large.
    if let observed = settled?.observed { shared.tellObservers(observed) }
  }

  /// Sampling does not keep the trace of a finished request.
  @inline(never)
  private func leaveOut(_ recorder: TraceRecorder) {
    totals?.add(recorder)
    contents.withLock { contents in
      contents.running.remove(recorder)
      contents.counts.completed += 1
      contents.spare(recorder)
    }
  }

  /// What ``settle(_:observes:)`` leaves to be done behind the lock.
  private struct Settled: Sendable {
    /// The newest trace, if it is to be told of.
    var observed: TraceRing.Entry?
    /// What gave way and takes some time to be let go of.
    var released: [TraceRing.Entry]
  }

  /// Packs what finished, and takes out what gives way to it.
  @inline(never)
  private func settle(_ contents: inout Contents, observes: Bool) -> Settled {
    contents.closed.reverse()
    while let recorder = contents.closed.pop() {
      totals?.add(recorder)
      contents.counts.completed += 1
      contents.ring.append(recorder, place: recorder.place)
      contents.spare(recorder)
    }
    return Settled(
      observed: observes ? contents.ring.last : nil, released: contents.evict(before: shared.oldestPlace))
  }

  /// Takes a trace that was recorded elsewhere, in the place of the one of the same id where there is one here.
  func complete(_ trace: RequestTrace) {
    totals?.add(trace)
    guard shared.keeps(wallNanos: trace.wallNanos, isError: trace.isError) else {
      return contents.withLock { $0.counts.completed += 1 }
    }
    let stored = TraceRing.StoredTrace(trace)
    let evicted = contents.withLock { contents in
      var evicted = settle(&contents, observes: false).released
      contents.counts.completed += 1
      if let replaced = contents.ring.replace(stored) { return evicted + [replaced] }
      contents.ring.append(stored, place: shared.nextPlace())
      evicted += contents.evict(before: shared.oldestPlace)
      return evicted
    }
    withExtendedLifetime(evicted) {}
    shared.tellObservers(.trace(stored))
  }

  /// A recorder goes away that was not closed.
  func abandon(_ recorder: TraceRecorder) {
    contents.withLock { contents in
      if contents.running.remove(recorder) { contents.counts.abandoned += 1 }
    }
  }

  // MARK: - Reading

  /// Reads what is kept, without what has given way since somebody looked here last.
  private func read<Result: Sendable>(_ body: (inout Contents) -> Result) -> Result {
    let (result, released, forgotten) = contents.withLock { contents in
      let released = settle(&contents, observes: false).released
      return (body(&contents), released, contents.forgetSpare())
    }
    withExtendedLifetime((released, forgotten)) {}
    return result
  }

  /// The finished trace of an id with its place, unless it gave way to newer ones.
  func entry(id: UInt64) -> (place: UInt64, entry: TraceRing.Entry)? { read { $0.ring.entry(id: id) } }

  /// The newest traces with their places, the newest first.
  func newest(_ limit: Int) -> [(place: UInt64, entry: TraceRing.Entry)] { read { $0.ring.newest(limit) } }

  /// The trace of an entry, which is made once for all who read it.
  func trace(_ entry: TraceRing.Entry, at place: UInt64) -> RequestTrace {
    if case .trace(let stored) = entry { return stored.trace }
    let made = TraceRing.StoredTrace(entry.trace(shared.hostcalls))
    let replaced = contents.withLock { $0.ring.keep(made, at: place) }
    withExtendedLifetime(replaced) {}
    return made.trace
  }

  /// Sums over the requests that finished here; nil where they are not counted.
  var sums: TraceTotals? { totals.map { totals in read { _ in totals.sum } } }

  var count: Int { read { $0.ring.count } }

  var counts: Counts { read { $0.counts } }

  /// Replaces the finished trace of the same id; false where it is not here.
  func replace(_ trace: RequestTrace) -> Bool {
    let stored = TraceRing.StoredTrace(trace)
    let replaced = read { $0.ring.replace(stored) }
    return replaced != nil
  }

  func removeAll() {
    var ring = TraceRing()
    var spare = RecorderStack()
    let settled = contents.withLock { contents in
      let settled = settle(&contents, observes: false)
      swap(&contents.ring, &ring)
      swap(&contents.spare, &spare)
      return settled
    }
    withExtendedLifetime(settled) {}
  }

  /// The requests that are running, with what each does right now.
  var inFlight: [InFlightRequest] {
    contents.withLock { contents in
      var requests: [InFlightRequest] = []
      contents.running.forEach { requests.append($0.inFlight) }
      return requests
    }
  }
}

extension StorePart.Contents {
  /// Has the recorders that nobody else holds let go of what they recorded last.
  fileprivate mutating func forgetSpare() -> [PackedTrace] {
    var forgotten: [PackedTrace] = []
    var others = RecorderStack()
    while let recorder = spare.popUnshared() {
      if let packed = recorder.forget() { forgotten.append(packed) }
      others.push(recorder)
    }
    while let recorder = others.pop() { spare.push(recorder) }
    return forgotten
  }

  /// Keeps a recorder for the requests to come, unless there are many.
  fileprivate mutating func spare(_ recorder: TraceRecorder) {
    if spare.count < StorePart.maximumSpareRecorders { spare.push(recorder) }
  }

  /// - Returns: What gave way and takes some time to be let go of.
  fileprivate mutating func evict(before oldest: UInt64) -> [TraceRing.Entry] {
    var released: [TraceRing.Entry] = []
    while let place = ring.oldestPlace, place < oldest {
      counts.evicted += 1
      if let large = ring.removeOldest() { released.append(large) }
    }
    return released
  }
}

extension TraceRecorder {
  /// What is known of the request while it runs; reads only what does not change meanwhile, and the live word.
  fileprivate var inFlight: InFlightRequest {
    let current = live.pointee.current
    let head = details.pointee.head.parts
    return InFlightRequest(
      id: id, moduleID: details.pointee.facts.module.id, method: head.method, url: head.url,
      wallStartUnixNanos: details.pointee.facts.start.unix,
      hostcall: current.hostcall.map { hostcalls.name(at: $0) }, blockedOn: current.blockedOn)
  }
}

/// As the last field of an object, keeps what lies behind the object out of its cache lines: processors pass a line to and fro when
/// both write to it, also where each writes to another object.
struct CacheLineDistance: Sendable {
  // Processors fetch lines of 64 bytes in pairs.
  private let bytes = (SIMD16<UInt64>(), UInt8())
}
