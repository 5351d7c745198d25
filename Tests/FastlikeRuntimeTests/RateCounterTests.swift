import Synchronization
import Testing

@testable import FastlikeRuntime

/// Counting over seconds, and the times of penalties, on a clock that stands until it is moved.
@Suite struct RateCounterTests {
  private final class Clock: Sendable {
    let seconds = Atomic<UInt64>(1_000)

    func move(to second: UInt64) { seconds.store(second, ordering: .relaxed) }
  }

  private let clock = Clock()
  private let entry: [UInt8] = Array("entry".utf8)

  private func counters(capacity: Int = 100) -> RateCounters {
    RateCounters(capacity: capacity) { [clock] in clock.seconds.load(ordering: .relaxed) }
  }

  @Test func `a rate is the sum of its window per second, rounded down`() {
    let counters = counters()
    counters.increment(counter: "c", entry: entry, by: 25)
    #expect(counters.rate(counter: "c", entry: entry, window: 1) == 25)
    #expect(counters.rate(counter: "c", entry: entry, window: 10) == 2)
    #expect(counters.rate(counter: "c", entry: entry, window: 60) == 0)
  }

  @Test func `the last ten seconds are the present one and nine before it`() {
    let counters = counters()
    counters.increment(counter: "c", entry: entry, by: 3)
    clock.move(to: 1_009)
    counters.increment(counter: "c", entry: entry, by: 4)
    #expect(counters.count(counter: "c", entry: entry, duration: 10) == 7)
    clock.move(to: 1_010)
    #expect(counters.count(counter: "c", entry: entry, duration: 10) == 4)
    #expect(counters.count(counter: "c", entry: entry, duration: 20) == 7)
  }

  @Test func `counters and entries are counted apart`() {
    let counters = counters()
    counters.increment(counter: "c", entry: entry, by: 3)
    #expect(counters.count(counter: "d", entry: entry, duration: 10) == 0)
    #expect(counters.count(counter: "c", entry: [1], duration: 10) == 0)
  }

  @Test func `a sum stays at the greatest number`() {
    let counters = counters()
    for second in 1_000..<1_003 as Range<UInt64> {
      clock.move(to: second)
      for _ in 0..<2 { counters.increment(counter: "c", entry: entry, by: .max) }
    }
    #expect(counters.count(counter: "c", entry: entry, duration: 10) == .max)
  }

  @Test(arguments: [(0, 60), (60, 60), (119, 60), (120, 120), (9_999, 3_600)] as [(UInt32, UInt64)])
  func `a penalty lasts whole minutes, from one to sixty`(seconds: UInt32, lasting: UInt64) {
    let counters = counters()
    counters.penalize(box: "b", entry: entry, seconds: seconds)
    clock.move(to: 1_000 + lasting - 1)
    #expect(counters.isPenalized(box: "b", entry: entry))
    clock.move(to: 1_000 + lasting)
    #expect(!counters.isPenalized(box: "b", entry: entry))
  }

  @Test func `an entry above its limit is refused until its penalty is over, uncounted`() {
    let counters = counters()
    func isRefused() -> Bool {
      counters.check(counter: "c", entry: entry, adding: 1, window: 1, limit: 2, box: "b", seconds: 60)
    }
    #expect((0..<2).map { _ in isRefused() } == [false, false])
    #expect(isRefused())
    #expect(isRefused())
    #expect(counters.count(counter: "c", entry: entry, duration: 10) == 3)
    clock.move(to: 1_060)
    #expect(!isRefused())
  }

  @Test func `a new entry without room is let through, and has room when others are idle`() {
    let counters = counters(capacity: 1)
    counters.increment(counter: "c", entry: entry, by: 1)
    counters.increment(counter: "c", entry: [1], by: 1)
    #expect(counters.count(counter: "c", entry: [1], duration: 10) == 0)
    #expect(counters.count(counter: "c", entry: entry, duration: 10) == 1)
    clock.move(to: 1_060)
    counters.increment(counter: "c", entry: [1], by: 1)
    #expect(counters.count(counter: "c", entry: [1], duration: 10) == 1)
  }
}
