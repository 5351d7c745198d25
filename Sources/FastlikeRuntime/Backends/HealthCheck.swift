import ComputeABI
import DequeModule

/// How a backend's health is probed.
public struct HealthCheck: Sendable, Hashable {
  public var host: String
  public var path = "/"
  public var method = "GET"
  /// The status of a good answer.
  public var expectedStatus: UInt16 = 200
  public var intervalMilliseconds: Int64 = 15_000
  public var timeoutMilliseconds: Int64 = 5_000
  /// Probes that are looked back on.
  public var window = 5
  /// Good probes among them that make the backend healthy.
  public var threshold = 3
  /// Good probes that are taken as given at the start.
  public var initial = 4

  public init(host: String) { self.host = host }
}

/// The last probes of a backend; a pure value.
struct ProbeResults {
  private let window: Int
  private let threshold: Int
  /// The oldest first.
  private var results: Deque<Bool>

  /// Begins with the given good ones, which are the youngest.
  init(_ check: HealthCheck) {
    window = check.window
    threshold = check.threshold
    let initial = min(check.initial, check.window)
    results = Deque(repeatElement(false, count: check.window - initial))
    results.append(contentsOf: repeatElement(true, count: initial))
  }

  var health: BackendHealth { results.count(where: \.self) >= threshold ? .healthy : .unhealthy }

  mutating func record(isGood: Bool) {
    results.append(isGood)
    if results.count > window { results.removeFirst() }
  }
}
