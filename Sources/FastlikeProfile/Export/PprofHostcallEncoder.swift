/// Writes ``TraceTotals`` as a profile of hostcalls: for each how often it was called, how long it took, and how long the
/// guest was suspended in it.
public enum PprofHostcallEncoder {
  /// - Parameters:
  ///   - totals: The sums now.
  ///   - earlier: Sums of the same process, to write what was added since; nil writes all.
  ///   - unixNanos: When the counting began.
  ///   - durationNanos: For how long it went on.
  ///   - compressed: Whether the file is gzipped, as is usual.
  public static func encode(
    _ totals: TraceTotals, since earlier: TraceTotals? = nil, unixNanos: Int64, durationNanos: Int64,
    compressed: Bool = true
  ) -> [UInt8] {
    let types = [("calls", "count"), ("time", "nanoseconds"), ("blocked", "nanoseconds")]
    var profile = PprofProfile(types: types.map { PprofProfile.SampleType(type: $0, unit: $1) }, standard: "time")
    profile.beginTrace(mapping: ("hostcalls", ""), labels: [])
    for (index, name) in totals.names.names.enumerated() {
      var hostcall = totals.hostcalls[index]
      if let earlier, index < earlier.hostcalls.count { hostcall = hostcall.since(earlier.hostcalls[index]) }
      guard hostcall.calls > 0 else { continue }
      // The module above the function, so that a flame graph groups them.
      let module = totals.names.module(at: UInt16(index))
      let stack = module.isEmpty ? [name] : [name, String(module)]
      profile.sample(
        stack: stack.map { profile.location(named: $0) },
        values: [Int64(clamping: hostcall.calls), hostcall.nanos, hostcall.blockedNanos], labels: [])
    }
    let beyondCap = totals.hostcallNanosBeyondCap - (earlier?.hostcallNanosBeyondCap ?? 0)
    let dropped = totals.dropped.spans - (earlier?.dropped.spans ?? 0)
    if dropped > 0 {
      profile.sample(
        stack: [profile.location(named: "hostcalls beyond the cap")], values: [Int64(dropped), beyondCap, 0], labels: []
      )
    }
    let bytes = profile.finish(unixNanos: unixNanos, durationNanos: durationNanos)
    return compressed ? Gzip.compress(bytes) ?? bytes : bytes
  }
}
