/// Something that is measured of every request, or of those that do it: what two sets of requests are compared by.
public struct TraceFigure: Sendable, Hashable {
  /// The tables of a comparison.
  public enum Family: String, Sendable, CaseIterable {
    /// Of the whole request.
    case request
    /// The wall time of one route.
    case route
    /// One hostcall, by name.
    case hostcall
    /// Round trips to one backend.
    case backend
    /// One function of the guest, without those it calls.
    case function
    /// What is counted: the same on every machine when the guest does the same.
    case count

    /// The heading of its table.
    public var title: String {
      switch self {
      case .request: "Whole requests"
      case .route: "Routes"
      case .hostcall: "Hostcalls"
      case .backend: "Backends"
      case .function: "Functions"
      case .count: "Counts"
      }
    }
  }

  public enum Unit: String, Sendable {
    case nanoseconds
    case samples
    case bytes
    /// A number of something.
    case number
  }

  public let family: Family
  /// `wall`, or the name of the route, the hostcall, the backend, the function.
  public let name: String

  public init(_ family: Family, _ name: String) {
    self.family = family
    self.name = name
  }
}

extension TraceFigure {
  static let wall = TraceFigure(.request, "wall")
  static let guest = TraceFigure(.request, "guest")
  static let host = TraceFigure(.request, "host")
  static let waiting = TraceFigure(.request, "waiting")
  static let start = TraceFigure(.request, "queue and setup")
  static let cpu = TraceFigure(.request, "CPU by samples")
  static let errors = TraceFigure(.count, "errors")
  static let hostcalls = TraceFigure(.count, "hostcalls")
  static let backendCalls = TraceFigure(.count, "backend calls")
  static let backendBytes = TraceFigure(.count, "backend bytes")
  static let fuel = TraceFigure(.count, "fuel")
  static let responseBytes = TraceFigure(.count, "response bytes")
  static let memory = TraceFigure(.count, "peak memory")

  /// What the values of a figure are.
  public var unit: Unit {
    guard family == .count else { return .nanoseconds }
    return [.backendBytes, .responseBytes, .memory].contains(self) ? .bytes : .number
  }
}
