import ComputeABI
import FastlikeProfile

/// `fastly_erl`. Counters and boxes exist as soon as they are named; entries are keys and so in no trace.
extension Sandbox {
  private func counterName(_ bytes: GuestBytes) throws(Status) -> String {
    let name = try bounded(bytes).string()
    trace?.label(.rateCounter, name)
    return name
  }

  private func boxName(_ bytes: GuestBytes) throws(Status) -> String {
    let name = try bounded(bytes).string()
    trace?.label(.penaltyBox, name)
    return name
  }

  private func bounded(_ bytes: GuestBytes) throws(Status) -> GuestBytes {
    guard bytes.count <= RateCounters.maximumNameBytes else { throw .inval }
    return bytes
  }

  func erlCheckRate(
    rateCounter: GuestBytes, entry: GuestBytes, delta: UInt32, window: UInt32, limit: UInt32, penaltyBox: GuestBytes,
    ttl: UInt32
  ) throws(Status) -> Bool {
    guard RateCounters.windows.contains(window) else { throw .inval }
    return service.rateCounters.check(
      counter: try counterName(rateCounter), entry: try bounded(entry).array(), adding: delta, window: window,
      limit: limit, box: try boxName(penaltyBox), seconds: ttl)
  }

  func erlRatecounterIncrement(rateCounter: GuestBytes, entry: GuestBytes, delta: UInt32) throws(Status) {
    service.rateCounters.increment(
      counter: try counterName(rateCounter), entry: try bounded(entry).array(), by: delta)
  }

  func erlRatecounterLookupRate(rateCounter: GuestBytes, entry: GuestBytes, window: UInt32) throws(Status) -> UInt32 {
    guard RateCounters.windows.contains(window) else { throw .inval }
    return service.rateCounters.rate(
      counter: try counterName(rateCounter), entry: try bounded(entry).array(), window: window)
  }

  func erlRatecounterLookupCount(
    rateCounter: GuestBytes, entry: GuestBytes, duration: UInt32
  ) throws(Status) -> UInt32 {
    guard RateCounters.durations.contains(duration) else { throw .inval }
    return service.rateCounters.count(
      counter: try counterName(rateCounter), entry: try bounded(entry).array(), duration: duration)
  }

  func erlPenaltyboxAdd(penaltyBox: GuestBytes, entry: GuestBytes, ttl: UInt32) throws(Status) {
    service.rateCounters.penalize(
      box: try boxName(penaltyBox), entry: try bounded(entry).array(), seconds: ttl)
  }

  func erlPenaltyboxHas(penaltyBox: GuestBytes, entry: GuestBytes) throws(Status) -> Bool {
    service.rateCounters.isPenalized(box: try boxName(penaltyBox), entry: try bounded(entry).array())
  }
}
