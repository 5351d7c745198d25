/// A CPU profile of guests in the making, for scraping: sampled stacks of requests, summed up.
///
/// Stacks begin at the guest's own root, without the synthetic frames of ``PprofEncoder``, and have the labels `method`
/// and `path`.
public struct GuestCPUProfile {
  /// Samples that are looked at; more are counted in ``dropped``.
  public static let maximumSamples = 1_000_000

  private struct Key: Hashable {
    let stack: [UInt64]
    let method: String
    let path: String
  }

  /// The samples of one request.
  public struct Part: Sendable {
    let moduleName: String
    let moduleID: String
    let method: String
    let path: String
    let stacks: StackProfile

    /// nil for a request without samples.
    public init?(_ trace: RequestTrace) {
      guard !trace.guestStacks.samples.isEmpty else { return nil }
      moduleName = trace.moduleName.isEmpty ? trace.moduleID : trace.moduleName
      moduleID = trace.moduleID
      method = trace.method
      path = trace.url.path
      stacks = trace.guestStacks
    }

    /// The number of samples.
    public var count: Int { stacks.samples.count }
  }

  private var profile = PprofProfile(
    types: [("samples", "count"), ("cpu", "nanoseconds")].map { PprofProfile.SampleType(type: $0, unit: $1) },
    standard: "cpu")
  private var order: [Key] = []
  private var totals: [Key: (count: Int64, nanos: Int64)] = [:]
  private var taken = 0
  /// Samples beyond ``maximumSamples``.
  public private(set) var dropped = 0

  public init() {}

  /// Adds the samples of a request.
  public mutating func add(_ part: Part) {
    guard taken < Self.maximumSamples else {
      dropped += part.count
      return
    }
    taken += part.count
    let name = part.moduleName.isEmpty ? "guest" : part.moduleName
    profile.beginTrace(mapping: (name, part.moduleID), labels: [])
    var locations: [UInt32: [UInt64]] = [:]
    for sample in part.stacks.samples where Int(sample.stack) < part.stacks.table.nodes.count {
      let stack = locations[sample.stack] ?? profile.locations(of: sample.stack, in: part.stacks.table)
      locations[sample.stack] = stack
      let key = Key(stack: stack, method: part.method, path: part.path)
      if totals[key] == nil { order.append(key) }
      let weight = min(max(0, sample.weightNanos), Interval.bound)
      totals[key, default: (0, 0)].count += 1
      totals[key, default: (0, 0)].nanos &+= weight
    }
  }

  /// - Parameters:
  ///   - unixNanos: When the collecting began.
  ///   - durationNanos: For how long it went on.
  /// - Returns: The gzipped profile.
  public mutating func finish(unixNanos: Int64, durationNanos: Int64) -> [UInt8] {
    for key in order {
      guard let total = totals[key] else { continue }
      profile.sample(
        stack: key.stack, values: [total.count, total.nanos],
        labels: [(key: "method", value: key.method), (key: "path", value: key.path)])
    }
    if order.isEmpty { profile.comment("no request with sampled stacks finished meanwhile") }
    if dropped > 0 { profile.comment("samples beyond the cap: \(dropped)") }
    // Samples stand for the CPU time since the one before, which varies; readers want one number.
    let counted = totals.values.reduce((count: Int64(0), nanos: Int64(0))) {
      ($0.count + $1.count, $0.nanos &+ $1.nanos)
    }
    let period = counted.count > 0 ? counted.nanos / counted.count : 0
    let bytes = profile.finish(unixNanos: unixNanos, durationNanos: durationNanos, period: period)
    return Gzip.compress(bytes) ?? bytes
  }
}
