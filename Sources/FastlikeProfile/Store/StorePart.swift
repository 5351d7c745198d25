internal import Foundation
internal import Synchronization

/// One of the parts of a ``ProfileStore``: the requests of some threads begin and end in it, so that threads neither wait for each
/// other nor pass memory between them.
///
/// Recorders are used again for the requests that begin, when nobody else has them. Running recorders are not kept: they take
/// themselves out at the latest in their `deinit`, and wait there for a reader that has the lock, so that what is read under the
/// lock is alive.
final class StorePart: Sendable {
  fileprivate struct Contents: ~Copyable {
    var ring = TraceRing()
    var counts = Counts()
    /// Recorders of requests that ended, which somebody may still hold.
    var spare: [TraceRecorder] = []
    /// The recorders of the requests that are running.
    var running: [Unmanaged<TraceRecorder>?] = []
    /// Places in ``running`` without one.
    var free: [Int32] = []
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

  let shared: StoreShared
  private let contents = Mutex(Contents())
  private let totals: TraceTotalsCounter?
  private let distance = CacheLineDistance()

  init(shared: StoreShared, countsTotals: Bool) {
    self.shared = shared
    totals = countsTotals ? TraceTotalsCounter(names: shared.hostcalls) : nil
  }

  // MARK: - Recording

  func begin(
    _ head: PackedHead, start: RecordingStart, module: TracedModule, httpVersion: HTTPVersion?
  ) -> TraceRecorder {
    let id = shared.newID()
    let limits = shared.limits
    var released: PackedTrace?
    let recorder = contents.withLock { contents in
      let recorder: TraceRecorder
      if let spare = contents.takeSpare() {
        released = spare.restart(
          id: id, head: head, start: start, module: module, httpVersion: httpVersion, limits: limits, in: self)
        recorder = spare
      } else {
        let facts = RecordedFacts(start: start, module: module, httpVersion: httpVersion)
        recorder = TraceRecorder(id: id, head: head, facts: facts, limits: limits, in: self)
      }
      contents.enter(recorder)
      contents.ring.warmUp()
      return recorder
    }
    withExtendedLifetime(released) {}
    return recorder
  }

  /// A recording is closed: it moves from running to finished.
  func complete(_ recorder: TraceRecorder) {
    totals?.add(recorder)
    guard shared.keeps(wallNanos: recorder.wallNanos, isError: recorder.isError) else {
      return contents.withLock { $0.end(recorder) }
    }
    var observed: TraceRing.Entry?
    let released = contents.withLock { contents in
      contents.end(recorder)
      let window = shared.nextPlace()
      contents.ring.append(recorder, place: window.newest)
      if shared.hasObservers { observed = contents.ring.last }
      return contents.evict(before: window.oldest)
    }
    // What gives way is let go of behind the lock: a trace can be large.
    withExtendedLifetime(released) {}
    if let observed { shared.tellObservers(observed) }
  }

  /// Takes a trace that was recorded elsewhere, in the place of the one of the same id where there is one here.
  func complete(_ trace: RequestTrace) {
    totals?.add(trace)
    guard shared.keeps(wallNanos: trace.wallNanos, isError: trace.isError) else {
      return contents.withLock { $0.counts.completed += 1 }
    }
    let stored = TraceRing.StoredTrace(trace)
    let evicted = contents.withLock { contents in
      contents.counts.completed += 1
      if let replaced = contents.ring.replace(stored) { return [replaced] }
      let window = shared.nextPlace()
      contents.ring.append(stored, place: window.newest)
      return contents.evict(before: window.oldest)
    }
    withExtendedLifetime(evicted) {}
    shared.tellObservers(.trace(stored))
  }

  /// A recorder goes away that was not closed.
  func abandon(_ recorder: TraceRecorder) {
    contents.withLock { contents in
      if contents.leave(recorder) { contents.counts.abandoned += 1 }
    }
  }

  // MARK: - Reading

  /// Reads what is kept, without what has given way since somebody looked here last.
  private func read<Result: Sendable>(_ body: (inout Contents) -> Result) -> Result {
    let (result, released, forgotten) = contents.withLock { contents in
      let released = contents.evict(before: shared.window.oldest)
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
  var sums: TraceTotals? { totals?.sum }

  var count: Int { read { $0.ring.count } }

  var counts: Counts { read { $0.counts } }

  /// Replaces the finished trace of the same id; false where it is not here.
  func replace(_ trace: RequestTrace) -> Bool {
    let stored = TraceRing.StoredTrace(trace)
    let replaced = contents.withLock { $0.ring.replace(stored) }
    return replaced != nil
  }

  func removeAll() {
    var ring = TraceRing()
    var spare: [TraceRecorder] = []
    contents.withLock { contents in
      swap(&contents.ring, &ring)
      swap(&contents.spare, &spare)
    }
  }

  /// The requests that are running, with what each does right now.
  var inFlight: [InFlightRequest] {
    contents.withLock { contents in
      contents.running.compactMap { $0?._withUnsafeGuaranteedRef { $0.inFlight } }
    }
  }
}

extension StorePart.Contents {
  /// A recorder that nobody else holds: of those that wait, the youngest is the most likely to be in the caches.
  fileprivate mutating func takeSpare() -> TraceRecorder? {
    var place = spare.count
    while place > 0 {
      place -= 1
      guard isKnownUniquelyReferenced(&spare[place]) else { continue }
      spare.swapAt(place, spare.count - 1)
      return spare.removeLast()
    }
    return nil
  }

  /// Has the recorders that nobody else holds let go of what they recorded last.
  fileprivate mutating func forgetSpare() -> [PackedTrace] {
    spare.indices.compactMap { isKnownUniquelyReferenced(&spare[$0]) ? spare[$0].forget() : nil }
  }

  /// Keeps a recorder for the requests to come; of too many, the oldest goes.
  fileprivate mutating func spare(_ recorder: TraceRecorder) {
    if spare.count >= StorePart.maximumSpareRecorders { spare.removeFirst() }
    spare.append(recorder)
  }

  /// The request of a recorder is over.
  fileprivate mutating func end(_ recorder: TraceRecorder) {
    counts.completed += 1
    leave(recorder)
    spare(recorder)
  }

  fileprivate mutating func enter(_ recorder: TraceRecorder) {
    let unmanaged = Unmanaged.passUnretained(recorder)
    if let place = free.popLast() {
      running[Int(place)] = unmanaged
      recorder.runningPlace = place
    } else {
      running.append(unmanaged)
      recorder.runningPlace = Int32(running.count - 1)
    }
  }

  /// Whether it was there.
  @discardableResult
  fileprivate mutating func leave(_ recorder: TraceRecorder) -> Bool {
    let place = recorder.runningPlace
    guard place >= 0 else { return false }
    recorder.runningPlace = -1
    running[Int(place)] = nil
    free.append(place)
    return true
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

/// Numbers the threads of the process as they come, to spread them over the parts of a store.
enum ThreadNumber {
  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    pthread_key_create(&key, nil)
    return key
  }()
  private static let last = Atomic<Int>(0)

  /// From 1.
  static var current: Int {
    if let known = pthread_getspecific(key) { return Int(bitPattern: known) }
    let number = last.wrappingAdd(1, ordering: .relaxed).newValue
    pthread_setspecific(key, UnsafeRawPointer(bitPattern: number))
    return number
  }
}
