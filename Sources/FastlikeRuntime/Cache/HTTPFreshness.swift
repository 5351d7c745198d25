/// How long a response may be used, in seconds, as its header fields say (RFC 9111 §4.2, RFC 5861) and as the platform reads
/// them: `Surrogate-Control` is for this cache and wins over what is for all.
struct HTTPFreshness: Equatable {
  /// Where a freshness lifetime comes from, in the order in which the sources count.
  enum Source: Equatable {
    case surrogateControl
    case sharedMaxAge
    case maxAge
    case expires
    /// Nothing explicit: the cache's own default.
    case standard
  }

  var lifetime: Int64
  var source: Source
  /// How old the response was when it came.
  var initialAge: Int64
  var staleWhileRevalidate: Int64
  var staleIfError: Int64

  /// Whether the origin said how long the response may be used.
  var isExplicit: Bool { source != .standard }

  /// The lifetime that the platform's suggested options have for a response that says nothing.
  static let standardLifetime: Int64 = 3600

  /// - Parameters:
  ///   - headers: The response's fields.
  ///   - now: When it came, in seconds since 1970.
  ///   - standardLifetime: What holds for a response that says nothing.
  init(of headers: HeaderList, now: Int64, standardLifetime: Int64 = HTTPFreshness.standardLifetime) {
    let surrogate = HTTPCacheDirectives("surrogate-control", in: headers)
    let control = HTTPCacheDirectives("cache-control", in: headers)
    let date = headers.firstValue(of: "date".utf8).flatMap { HTTPDate.seconds($0, now: now) }
    initialAge = HTTPFreshness.initialAge(of: headers, date: date, now: now)
    if let seconds = surrogate.seconds("max-age") {
      (lifetime, source) = (seconds, .surrogateControl)
    } else if let seconds = control.seconds("s-maxage") {
      (lifetime, source) = (seconds, .sharedMaxAge)
    } else if let seconds = control.seconds("max-age") {
      (lifetime, source) = (seconds, .maxAge)
    } else if let expires = headers.firstValue(of: "expires".utf8) {
      // A date that is none, "0" above all, lies in the past (RFC 9111 §5.3).
      let instant = HTTPDate.seconds(expires, now: now)
      (lifetime, source) = (instant.map { max(0, $0 - (date ?? now)) } ?? 0, .expires)
    } else {
      (lifetime, source) = (standardLifetime, .standard)
    }
    // Without an explicit word for this cache, a response that must be validated before each use is stale at once (RFC 9111
    // §5.2.2.4), and one that must be validated when stale is not used so (§5.2.2.2, §5.2.2.8).
    if source != .surrogateControl, control.containsUnqualified("no-cache") {
      lifetime = 0
      if source == .standard { source = .maxAge }
    }
    let mayBeStale = !["no-cache", "must-revalidate", "proxy-revalidate"].contains { control.containsUnqualified($0) }
    func allowance(_ name: String) -> Int64 {
      surrogate.seconds(name) ?? (mayBeStale ? control.seconds(name) : nil) ?? 0
    }
    staleWhileRevalidate = allowance("stale-while-revalidate")
    staleIfError = allowance("stale-if-error")
  }

  /// The larger of what `Age` says and of what the clocks tell (RFC 9111 §4.2.3). `Date` is in whole seconds, so the clocks
  /// tell one second less than the difference.
  private static func initialAge(of headers: HeaderList, date: Int64?, now: Int64) -> Int64 {
    let said = headers.firstValue(of: "age".utf8).flatMap { WireSyntax.decimal(WireSyntax.trimmed($0)) } ?? 0
    let apparent = date.map { max(0, now - $0 - 1) } ?? 0
    return min(max(Int64(said), apparent), HTTPCacheDirectives.longest)
  }
}
