/// What a ``ProfileStore`` keeps, and where its page listens.
public struct ProfileStoreSettings: Sendable, Hashable, CustomStringConvertible {
  /// Finished traces that are kept by default.
  public static let defaultRetain = 256
  /// How long unfinished backend calls are waited for by default, after the client has its answer.
  public static let defaultAsyncGrace = Duration.milliseconds(100)

  /// Most finished traces that are kept; values below 1 become the default.
  public var retain: Int { didSet { retain = Self.cap(retain, default: Self.defaultRetain) } }
  /// Most backend calls of a trace; values below 1 become the default.
  public var backendCap: Int {
    didSet { backendCap = Self.cap(backendCap, default: TraceLimits.defaultBackendCallCap) }
  }
  /// How long a host waits for ``TraceRecorder/awaitedBackendCalls`` between ``TraceRecorder/end()`` and
  /// ``TraceRecorder/finish()``, never delaying the client. Zero, and anything below, does not wait.
  public var asyncGrace: Duration { didSet { asyncGrace = max(.zero, asyncGrace) } }
  /// The folder of the archive and of the symbol sidecar; empty keeps nothing on disk.
  public var directory: String
  /// The address of the page; empty for no page.
  public var pageAddress: String
  /// The bearer token that the page asks for; empty for none.
  public var pageToken: String
  /// Whether the page may listen beyond this machine without a token.
  public var pageInsecure: Bool
  /// Which traces are kept.
  public var sampling: TraceSampling

  public init(
    retain: Int = ProfileStoreSettings.defaultRetain, backendCap: Int = TraceLimits.defaultBackendCallCap,
    asyncGrace: Duration = ProfileStoreSettings.defaultAsyncGrace, directory: String = "", pageAddress: String = "",
    pageToken: String = "", pageInsecure: Bool = false, sampling: TraceSampling = .all
  ) {
    self.retain = Self.cap(retain, default: Self.defaultRetain)
    self.backendCap = Self.cap(backendCap, default: TraceLimits.defaultBackendCallCap)
    self.asyncGrace = max(.zero, asyncGrace)
    self.directory = directory
    self.pageAddress = pageAddress
    self.pageToken = pageToken
    self.pageInsecure = pageInsecure
    self.sampling = sampling
  }

  private static func cap(_ value: Int, default: Int) -> Int { value > 0 ? value : `default` }

  /// Tells everything but the token.
  public var description: String {
    "retain \(retain), backend cap \(backendCap), async grace \(asyncGrace), directory \"\(directory)\", page "
      + "\"\(pageAddress)\" \(pageToken.isEmpty ? "without" : "with") token\(pageInsecure ? ", insecure" : "")"
  }
}

/// Which finished traces are kept under load. Errors and the slowest are worth keeping when the others are sampled.
public struct TraceSampling: Sendable, Hashable {
  /// Keeps every trace.
  public static let all = TraceSampling()

  /// Keeps one of so many; values below 1 count as 1.
  public var oneIn: Int { didSet { oneIn = max(1, oneIn) } }
  /// Keeps every trace that ``RequestTrace/isError``.
  public var keepsErrors: Bool
  /// Keeps a trace that is among so many slowest of the last ``window`` ones.
  public var slowest: Int { didSet { slowest = max(0, slowest) } }
  /// The number of traces after which the slowest are looked for anew.
  public static let window = 4096

  public init(oneIn: Int = 1, keepsErrors: Bool = true, slowest: Int = 16) {
    self.oneIn = max(1, oneIn)
    self.keepsErrors = keepsErrors
    self.slowest = max(0, slowest)
  }
}

/// Decides, trace by trace, what ``TraceSampling`` keeps.
struct TraceSampler: Sendable {
  private var seen = 0
  /// Wall times of the slowest in this window, ascending.
  private var slowest: [Int64] = []

  /// - Parameter isError: As ``RequestTrace/isError``.
  mutating func keeps(wallNanos: Int64, isError: Bool, by sampling: TraceSampling) -> Bool {
    guard sampling.oneIn > 1 else { return true }
    if seen % TraceSampling.window == 0 { slowest.removeAll(keepingCapacity: true) }
    let isChosen = seen % sampling.oneIn == 0
    seen += 1
    let isSlow = takesPlace(wallNanos, among: sampling.slowest)
    return isChosen || isSlow || (sampling.keepsErrors && isError)
  }

  private mutating func takesPlace(_ wall: Int64, among count: Int) -> Bool {
    guard count > 0 else { return false }
    if slowest.count >= count {
      guard let least = slowest.first, wall > least else { return false }
      slowest.removeFirst(slowest.count - count + 1)
    }
    slowest.insert(wall, at: slowest.firstIndex { $0 >= wall } ?? slowest.count)
    return true
  }
}
