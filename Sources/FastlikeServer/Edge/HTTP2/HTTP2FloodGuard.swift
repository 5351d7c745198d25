import CTimestamp

/// Counts what a client can send for next to nothing and a server cannot do for nothing. Each kind has an allowance that
/// grows again with time; a client beyond it is cut off with `ENHANCE_YOUR_CALM`.
///
/// The allowances lie far above what browsers, proxies and gRPC clients need. Header blocks have limits of their own
/// (``HTTP2FrameReader``), and so has what waits to be sent to a client that does not read.
struct HTTP2FloodGuard {
  enum Kind: Int, CaseIterable {
    /// Streams that ended before their answer, whoever ended them (CVE-2023-44487, CVE-2025-8671).
    case reset
    case settings
    case ping
    /// DATA without a byte or an end (CVE-2019-9518).
    case emptyData
    case priority
    /// WINDOW_UPDATE beyond two for each DATA that was sent.
    case windowUpdate
    case unknown
  }

  private struct Allowance {
    var burst: Double
    var perSecond: Double
  }

  private static func allowance(of kind: Kind) -> Allowance {
    switch kind {
    case .reset: Allowance(burst: 500, perSecond: 50)
    case .settings: Allowance(burst: 100, perSecond: 10)
    case .ping: Allowance(burst: 1000, perSecond: 100)
    case .emptyData: Allowance(burst: 1000, perSecond: 100)
    case .priority: Allowance(burst: 2000, perSecond: 200)
    case .windowUpdate: Allowance(burst: 5000, perSecond: 500)
    case .unknown: Allowance(burst: 1000, perSecond: 100)
    }
  }

  private var left = Kind.allCases.map { HTTP2FloodGuard.allowance(of: $0).burst }
  private var counted = [UInt64](repeating: 0, count: Kind.allCases.count)

  /// Takes note of one; false where it is one too many.
  ///
  /// - Parameter now: Monotonic nanoseconds.
  mutating func allows(_ kind: Kind, at now: UInt64 = ctimestamp_monotonic()) -> Bool {
    let allowance = Self.allowance(of: kind)
    let place = kind.rawValue
    if counted[place] != 0, now > counted[place] {
      let seconds = Double(now - counted[place]) / 1e9
      left[place] = min(allowance.burst, left[place] + seconds * allowance.perSecond)
    }
    counted[place] = now
    guard left[place] >= 1 else { return false }
    left[place] -= 1
    return true
  }

  /// A frame with body bytes was sent, which a client answers with an update of each of two windows.
  mutating func sentData() {
    let place = Kind.windowUpdate.rawValue
    left[place] = min(left[place] + 2, Self.allowance(of: .windowUpdate).burst)
  }
}
