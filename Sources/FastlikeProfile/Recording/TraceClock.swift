internal import CTimestamp
internal import Foundation
internal import Synchronization

/// Monotonic nanoseconds for less than a system call costs.
///
/// The processor's counter is calibrated once against the system's monotonic clock. Where the counter's rate is not
/// constant, or two calibrations disagree, every reading comes from the system. The result is comparable with
/// `ctimestamp_monotonic()`: because the system's clock is steered while the counter is not, the pair they are
/// compared at is renewed about every second.
public enum TraceClock {
  /// The rate of the counter, fixed for the process.
  struct Calibration: Sendable {
    /// Nanoseconds for one tick, scaled by 2^32; 0 when the counter is not to be trusted.
    var scale: UInt64
  }

  static let calibration = calibrate()

  /// Calibrates if nobody has yet, which takes a few milliseconds. A host calls it at its start.
  public static func prepare() { _ = calibration.scale }

  /// Whether the processor's counter is in use.
  public static var usesCycleCounter: Bool { calibration.scale != 0 }

  /// Monotonic nanoseconds.
  public static func now() -> UInt64 {
    let scale = calibration.scale
    guard scale != 0 else { return ctimestamp_monotonic() }
    let before = Anchor.sequence.load(ordering: .acquiring)
    let anchorCycles = Anchor.cycles.load(ordering: .relaxed)
    let anchorNanos = Anchor.nanos.load(ordering: .relaxed)
    atomicMemoryFence(ordering: .acquiring)
    // An odd or changed sequence is a renewal in progress: the system's clock is right meanwhile.
    guard before & 1 == 0, Anchor.sequence.load(ordering: .relaxed) == before else { return ctimestamp_monotonic() }
    let elapsed = nanoseconds(cycles: ctimestamp_cycles(), since: anchorCycles, scale: scale)
    guard before != 0, elapsed < 1_000_000_000 else { return renewAnchor() }
    return anchorNanos &+ UInt64(elapsed)
  }

  /// The wall clock at an instant of the monotonic one that is not long past, in nanoseconds since 1970.
  static func unixNanos(atMonotonic instant: UInt64) -> Int64 {
    if Int64(bitPattern: instant &- UnixOffset.takenAt.load(ordering: .acquiring)).magnitude < 1_000_000_000 {
      return Int64(bitPattern: instant) &+ UnixOffset.nanos.load(ordering: .relaxed)
    }
    return Int64(bitPattern: instant) &+ renewUnixOffset()
  }

  /// What the wall clock is ahead of the monotonic one: taken once a second, because the wall clock is set now and then.
  private enum UnixOffset {
    /// At first an instant that is long past for every other.
    static let takenAt = Atomic<UInt64>(1 << 63)
    static let nanos = Atomic<Int64>(0)
  }

  @inline(never)
  private static func renewUnixOffset() -> Int64 {
    let pair = Self.pair(ctimestamp_monotonic) {
      var now = timespec()
      clock_gettime(CLOCK_REALTIME, &now)
      return UInt64(bitPattern: Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec))
    }
    let offset = Int64(bitPattern: pair.inner &- pair.outer)
    UnixOffset.nanos.store(offset, ordering: .relaxed)
    UnixOffset.takenAt.store(pair.outer, ordering: .releasing)
    return offset
  }

  /// Nanoseconds between two readings of the counter; 0 when the second is earlier, as it can be on another core.
  @inlinable @inline(__always)
  static func nanoseconds(cycles: UInt64, since start: UInt64, scale: UInt64) -> Int64 {
    let ticks = Int64(bitPattern: cycles &- start)
    guard ticks > 0 else { return 0 }
    let product = UInt64(ticks).multipliedFullWidth(by: scale)
    return Int64(truncatingIfNeeded: product.high << 32 | product.low >> 32)
  }

  // MARK: - Anchor

  /// A pair of readings taken together, published by a sequence lock: writers make the sequence odd meanwhile.
  private enum Anchor {
    static let sequence = Atomic<UInt64>(0)
    static let cycles = Atomic<UInt64>(0)
    static let nanos = Atomic<UInt64>(0)
  }

  @inline(never)
  private static func renewAnchor() -> UInt64 {
    let now = ctimestamp_monotonic()
    let current = Anchor.sequence.load(ordering: .relaxed)
    guard current & 1 == 0,
      Anchor.sequence.compareExchange(expected: current, desired: current + 1, ordering: .acquiringAndReleasing)
        .exchanged
    else { return now }
    atomicMemoryFence(ordering: .releasing)
    let pair = readPair()
    Anchor.cycles.store(pair.cycles, ordering: .relaxed)
    Anchor.nanos.store(pair.nanos, ordering: .relaxed)
    Anchor.sequence.store(current + 2, ordering: .releasing)
    return pair.nanos
  }

  // MARK: - Calibration

  /// The counter and the monotonic clock, read together.
  static func readPair() -> (cycles: UInt64, nanos: UInt64) {
    let pair = pair(ctimestamp_cycles, ctimestamp_monotonic)
    return (pair.outer, pair.inner)
  }

  /// Reads two clocks as close together as possible: of a few tries the one with the least of the outer clock around it, because
  /// a thread can be interrupted in between.
  private static func pair(_ outer: () -> UInt64, _ inner: () -> UInt64) -> (outer: UInt64, inner: UInt64) {
    var best = (outer: UInt64(0), inner: UInt64(0), width: UInt64.max)
    for _ in 0..<4 {
      let before = outer()
      let reading = inner()
      let width = outer() &- before
      if width < best.width { best = (before &+ width / 2, reading, width) }
    }
    return (best.outer, best.inner)
  }

  private static func calibrate() -> Calibration {
    guard hasInvariantCounter() else { return Calibration(scale: 0) }
    for _ in 0..<3 {
      // One window asleep and one awake: a counter that stops or slows when the core idles shows a difference.
      let asleep = measureScale(sleeping: true)
      let awake = measureScale(sleeping: false)
      let difference = asleep > awake ? asleep - awake : awake - asleep
      if awake > 0, difference < awake / 20_000 { return Calibration(scale: asleep / 2 + awake / 2) }
    }
    return Calibration(scale: 0)
  }

  /// Nanoseconds for one tick, scaled by 2^32, over a window of some milliseconds.
  private static func measureScale(sleeping: Bool) -> UInt64 {
    let start = readPair()
    if sleeping {
      usleep(3000)
    } else {
      while ctimestamp_monotonic() &- start.nanos < 3_000_000 {}
    }
    let end = readPair()
    guard end.cycles > start.cycles, end.nanos > start.nanos else { return 0 }
    return UInt64(Double(end.nanos - start.nanos) / Double(end.cycles - start.cycles) * 4_294_967_296)
  }

  private static func hasInvariantCounter() -> Bool {
    #if arch(arm64)
      return true
    #elseif arch(x86_64) && os(Linux)
      // The kernel watches the counter and stops using it when it misbehaves.
      let source = firstBytes(of: "/sys/devices/system/clocksource/clocksource0/current_clocksource")
      guard ["tsc", "kvm-clock", "hyperv_clocksource_tsc_page"].contains(where: source.hasPrefix) else { return false }
      let processor = firstBytes(of: "/proc/cpuinfo")
      return processor.contains("constant_tsc") && processor.contains("nonstop_tsc")
    #elseif arch(x86_64)
      return true
    #else
      return false
    #endif
  }

  private static func firstBytes(of path: String) -> String {
    guard let file = FileHandle(forReadingAtPath: path) else { return "" }
    defer { try? file.close() }
    return String(decoding: (try? file.read(upToCount: 4096)) ?? Data(), as: UTF8.self)
  }
}

/// An instant of the monotonic clock, with the processor's counter at the same time: what passed since then is known without asking
/// the system.
public struct MonotonicInstant: Sendable, Hashable, BitwiseCopyable {
  /// Nanoseconds, as of `CLOCK_MONOTONIC`.
  public let monotonic: UInt64
  /// The counter; 0 where it is not known.
  let cycles: UInt64

  /// An instant of which the counter is not known.
  public init(monotonic: UInt64) {
    self.monotonic = monotonic
    cycles = 0
  }

  private init(monotonic: UInt64, cycles: UInt64) {
    self.monotonic = monotonic
    self.cycles = cycles
  }

  /// This instant.
  @inline(__always)
  public static var now: MonotonicInstant {
    MonotonicInstant(monotonic: ctimestamp_monotonic(), cycles: ctimestamp_cycles())
  }
}
