import CTimestamp
import Synchronization

/// The rate counters and penalty boxes of edge rate limiting, for the whole process: requests on every loop, and before and
/// after a reload, count together.
///
/// Counting is in slots of one second: the last N seconds are the present second, which is still running, and the N - 1
/// before it. An entry without an increment for a minute is forgotten. When there is no room for another entry it is not
/// counted, so limits err on the side of letting requests through.
final class RateCounters: Sendable {
  /// The windows in seconds over which rates are asked.
  static let windows: Set<UInt32> = [1, 10, 60]
  /// The durations in seconds over which counts are asked.
  static let durations: Set<UInt32> = [10, 20, 30, 40, 50, 60]
  /// The longest name of a counter or box, and the longest entry, in bytes.
  static let maximumNameBytes = 1024
  /// Most entries of all counters together, and of all boxes.
  static let defaultCapacity = 1 << 16

  private let state: Mutex<RateCounterState>
  private let now: @Sendable () -> UInt64

  /// - Parameters:
  ///   - capacity: Most entries of all counters together, and of all boxes.
  ///   - now: Seconds of a clock that does not go back.
  init(
    capacity: Int = RateCounters.defaultCapacity,
    now: @escaping @Sendable () -> UInt64 = { ctimestamp_monotonic() / 1_000_000_000 }
  ) {
    state = Mutex(RateCounterState(capacity: capacity))
    self.now = now
  }

  func increment(counter: String, entry: [UInt8], by delta: UInt32) {
    state.withLock { $0.increment(.init(name: counter, entry: entry), by: delta, at: now()) }
  }

  /// Increments per second over the last `window` seconds, rounded down.
  func rate(counter: String, entry: [UInt8], window: UInt32) -> UInt32 {
    count(counter: counter, entry: entry, duration: window) / max(1, window)
  }

  /// The sum of the increments of the last `duration` seconds.
  func count(counter: String, entry: [UInt8], duration: UInt32) -> UInt32 {
    state.withLock { $0.count(.init(name: counter, entry: entry), duration: duration, at: now()) }
  }

  /// Puts an entry into a box, or sets its time anew. The time is brought between one minute and one hour and rounded
  /// down to whole minutes.
  func penalize(box: String, entry: [UInt8], seconds: UInt32) {
    state.withLock { $0.penalize(.init(name: box, entry: entry), seconds: seconds, at: now()) }
  }

  func isPenalized(box: String, entry: [UInt8]) -> Bool {
    state.withLock { $0.isPenalized(.init(name: box, entry: entry), at: now()) }
  }

  /// Whether the entry is to be refused. One that is in the box is, and is not counted; another is counted, and put into
  /// the box when its rate is now above the limit.
  func check(
    counter: String, entry: [UInt8], adding delta: UInt32, window: UInt32, limit: UInt32, box: String, seconds: UInt32
  ) -> Bool {
    let counted = RateCounterState.Key(name: counter, entry: entry)
    let penalized = RateCounterState.Key(name: box, entry: entry)
    return state.withLock { state in
      let now = now()
      if state.isPenalized(penalized, at: now) { return true }
      state.increment(counted, by: delta, at: now)
      guard state.count(counted, duration: window, at: now) / max(1, window) > limit else { return false }
      state.penalize(penalized, seconds: seconds, at: now)
      return true
    }
  }
}

/// What ``RateCounters`` guards. Times are seconds.
private struct RateCounterState {
  struct Key: Hashable {
    var name: String
    var entry: [UInt8]
  }

  private let capacity: Int
  private var tallies: [Key: RateTally] = [:]
  /// The second in which each penalty is over.
  private var penalties: [Key: UInt64] = [:]
  /// When idle entries were last looked for; it takes long, so once a second must do.
  private var lastSweep: UInt64?

  init(capacity: Int) { self.capacity = capacity }

  mutating func increment(_ key: Key, by delta: UInt32, at now: UInt64) {
    guard delta > 0 else { return }
    // Asked in this order, a key is hashed once unless there is no room.
    if tallies.count >= capacity, tallies[key] == nil {
      sweep(at: now)
      if tallies.count >= capacity { return }
    }
    tallies[key, default: RateTally()].add(delta, at: now)
  }

  func count(_ key: Key, duration: UInt32, at now: UInt64) -> UInt32 {
    tallies[key]?.sum(ofLast: UInt64(duration), at: now) ?? 0
  }

  mutating func penalize(_ key: Key, seconds: UInt32, at now: UInt64) {
    if penalties.count >= capacity, penalties[key] == nil {
      sweep(at: now)
      if penalties.count >= capacity { return }
    }
    penalties[key] = now + UInt64(min(max(seconds, 60), 3600) / 60 * 60)
  }

  func isPenalized(_ key: Key, at now: UInt64) -> Bool { (penalties[key] ?? 0) > now }

  private mutating func sweep(at now: UInt64) {
    if lastSweep == now { return }
    lastSweep = now
    tallies = tallies.filter { !$0.value.isIdle(at: now) }
    penalties = penalties.filter { $0.value > now }
  }
}

/// The increments of one entry in the last minute.
private struct RateTally {
  private struct Slot {
    var second: UInt64
    var count: UInt32
  }

  private static let kept: UInt64 = 60
  /// Oldest first, only seconds that had increments.
  private var slots: [Slot] = []

  mutating func add(_ delta: UInt32, at now: UInt64) {
    if let last = slots.indices.last, slots[last].second == now {
      let (sum, overflow) = slots[last].count.addingReportingOverflow(delta)
      slots[last].count = overflow ? .max : sum
    } else {
      slots.removeAll { $0.second + RateTally.kept <= now }
      slots.append(Slot(second: now, count: delta))
    }
  }

  /// Stays at the greatest number rather than wrap.
  func sum(ofLast seconds: UInt64, at now: UInt64) -> UInt32 {
    let recent = slots.reversed().prefix { $0.second + seconds > now }
    return UInt32(clamping: recent.reduce(UInt64(0)) { $0 + UInt64($1.count) })
  }

  func isIdle(at now: UInt64) -> Bool { (slots.last?.second ?? 0) + RateTally.kept <= now }
}
