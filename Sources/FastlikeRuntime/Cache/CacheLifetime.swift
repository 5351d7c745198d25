/// How long an object may be used. All times are nanoseconds; sums that do not fit stay at the greatest number.
public struct CacheLifetime: Sendable, Equatable {
  /// What an object's age allows.
  public enum Freshness: Sendable, Hashable {
    /// It may be used.
    case fresh
    /// It may be used while somebody fetches it anew (RFC 5861 §3).
    case stale
    /// It may be used when fetching it anew fails (RFC 5861 §4).
    case staleIfError
    /// It may only be revalidated.
    case expired
  }

  /// How long an object that can only be revalidated is kept; as long as that it is worth a conditional request.
  static let retention: UInt64 = 600 * 1_000_000_000

  public var maxAge: UInt64 = 0
  /// The age at the time of storing.
  public var initialAge: UInt64 = 0
  public var staleWhileRevalidate: UInt64 = 0
  public var staleIfError: UInt64 = 0

  public init(
    maxAge: UInt64 = 0, initialAge: UInt64 = 0, staleWhileRevalidate: UInt64 = 0, staleIfError: UInt64 = 0
  ) {
    self.maxAge = maxAge
    self.initialAge = initialAge
    self.staleWhileRevalidate = staleWhileRevalidate
    self.staleIfError = staleIfError
  }

  /// The age of an object at a time not before it was stored.
  func age(storedAt: UInt64, now: UInt64) -> UInt64 {
    initialAge.clampedSum(now > storedAt ? now - storedAt : 0)
  }

  /// - Parameter isSoftPurged: Such an object is never fresh, but its windows of stale use stay as they were.
  func freshness(age: UInt64, isSoftPurged: Bool) -> Freshness {
    if !isSoftPurged, age < maxAge { return .fresh }
    if age < maxAge.clampedSum(staleWhileRevalidate) { return .stale }
    if age < maxAge.clampedSum(staleIfError) { return .staleIfError }
    return .expired
  }

  /// Whether nothing is to be done with an object of this age any more.
  func isForgotten(age: UInt64) -> Bool {
    age >= maxAge.clampedSum(max(staleWhileRevalidate, staleIfError)).clampedSum(CacheLifetime.retention)
  }
}

extension UInt64 {
  fileprivate func clampedSum(_ other: UInt64) -> UInt64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
