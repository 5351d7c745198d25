/// What requests may cost, route by route: what a team's build is held against.
public struct Budget: Sendable, Hashable {
  /// The limits of some routes. A request counts for every rule that means its route.
  public struct Rule: Sendable, Hashable {
    public var route: TraceRoutePattern
    /// At least so many requests must have been seen, or nothing is shown.
    public var leastRequests: Int
    public var limits: [Limit]
    /// Where the rule is written: file and line.
    public var place: String

    public init(route: TraceRoutePattern, leastRequests: Int = 1, limits: [Limit], place: String) {
      self.route = route
      self.leastRequests = max(1, leastRequests)
      self.limits = limits
      self.place = place
    }
  }

  public struct Limit: Sendable, Hashable {
    public var subject: Subject
    /// The bound, in the subject's unit. A value that is equal to it is within.
    public var bound: Double
    /// Where the limit is written: file and line.
    public var place: String

    public init(_ subject: Subject, _ bound: Double, place: String) {
      self.subject = subject
      self.bound = bound
      self.place = place
    }
  }

  /// What is limited.
  public enum Subject: Sendable, Hashable {
    /// Nanoseconds of wall time, below which so many percent of the requests are.
    case wall(percent: Int)
    /// Nanoseconds in which the guest ran, below which so many percent of the requests are.
    case guest(percent: Int)
    /// What the guest executed for one request, in units of fuel.
    case fuel
    /// Hostcalls of one request.
    case hostcalls
    /// Hostcalls of a name in one request.
    case hostcall(String)
    /// Backend calls of one request.
    case backendCalls
    /// Bytes of all backend calls of one request, heads and bodies, in both directions.
    case backendBytes
    /// Bytes of the response's body.
    case responseBytes
    /// Bytes of the guest's linear memory at its largest.
    case memory
    /// The part of all look-ups in the cache that found something usable; a lower bound.
    case cacheHitShare
    /// The part of all requests that failed or were answered with a server error.
    case errorShare

    /// The percentages that can be limited.
    public static let percents = [50, 95, 99]

    /// As it is written in a file.
    public var name: String {
      switch self {
      case .wall(let percent): "wall_p\(percent)"
      case .guest(let percent): "guest_p\(percent)"
      case .fuel: "fuel"
      case .hostcalls: "hostcalls.total"
      case .hostcall(let name): "hostcalls.\(name)"
      case .backendCalls: "backend_calls"
      case .backendBytes: "backend_bytes"
      case .responseBytes: "response_bytes"
      case .memory: "memory"
      case .cacheHitShare: "cache_hit_share"
      case .errorShare: "error_share"
      }
    }

    /// Whether the same program, asked the same, gives the same on every machine: numbers and bytes do, times do not.
    public var isDeterministic: Bool {
      switch self {
      case .wall, .guest: false
      default: true
      }
    }

    /// Whether ``Limit/bound`` is the least and not the most.
    public var isLowerBound: Bool { self == .cacheHitShare }

    /// A value in words.
    func text(_ value: Double) -> String {
      switch self {
      case .wall, .guest: Figures.duration(Int64(min(value, 9e18)))
      case .fuel, .hostcalls, .hostcall, .backendCalls: Figures.count(Int(min(value, 1e15)))
      case .backendBytes, .responseBytes, .memory: Figures.bytes(Int64(min(value, 9e18)))
      case .cacheHitShare, .errorShare: Figures.fixed(value * 100, digits: 1) + " %"
      }
    }

    /// Why nothing was measured.
    var missing: String {
      switch self {
      case .fuel: "not recorded: what guests execute is counted with --fuel"
      case .memory: "not recorded: the memory curve needs --profile deep"
      case .cacheHitShare: "not recorded: no look-up in the cache was seen, or --profile deep was not on"
      case .hostcall: "not known: spans were dropped; raise --profile-spans"
      default: "nothing was recorded"
      }
    }
  }

  public var rules: [Rule]

  public init(rules: [Rule]) { self.rules = rules }

  /// The limits alone that hold on every machine.
  public var deterministic: Budget {
    Budget(
      rules: rules.map { rule in
        var rule = rule
        rule.limits.removeAll { !$0.subject.isDeterministic }
        return rule
      })
  }
}
