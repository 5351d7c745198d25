/// The requests of one route taken together.
public struct RouteSummary: Sendable, Hashable {
  public let route: TraceRoute
  /// How many requests there are.
  public let count: Int
  /// How many failed or were answered with a server error.
  public let errors: Int
  /// Nanoseconds of wall time below which half, 95 and 99 of 100 requests are, by nearest rank.
  public let wall: (median: Int64, p95: Int64, p99: Int64)
  /// Nanoseconds of wall time of all of them.
  public let totalWall: Int64
  /// Nanoseconds in which the guest ran, of the request in the middle.
  public let medianGuest: Int64
  /// Hostcalls of all of them.
  public let hostcalls: Int
  /// Backend calls of all of them.
  public let backendCalls: Int
  /// Bytes of the guest's linear memory at its largest; nil where it was not recorded.
  public let peakMemory: Int64?

  public static func == (left: RouteSummary, right: RouteSummary) -> Bool {
    left.route == right.route && left.count == right.count && left.errors == right.errors && left.wall == right.wall
      && left.totalWall == right.totalWall && left.medianGuest == right.medianGuest
      && left.hostcalls == right.hostcalls && left.backendCalls == right.backendCalls
      && left.peakMemory == right.peakMemory
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(route)
    hasher.combine(totalWall)
  }
}

extension RouteSummary {
  /// Adds requests up one by one; memory is two numbers a request.
  public struct Builder: Sendable {
    private struct Tally: Sendable {
      var walls: [Int64] = []
      var guests: [Int64] = []
      var total: Int64 = 0
      var errors = 0
      var hostcalls = 0
      var backendCalls = 0
      var peakMemory: Int64?
    }

    private var tallies: [TraceRoute: Tally] = [:]

    public init() {}

    public mutating func add(_ trace: RequestTrace) {
      var tally = tallies.removeValue(forKey: TraceRoute(of: trace)) ?? Tally()
      tally.walls.append(trace.wallNanos)
      tally.guests.append(trace.time.guest)
      tally.total.add(max(0, trace.wallNanos))
      if trace.isError { tally.errors += 1 }
      tally.hostcalls += trace.spans.count + trace.droppedSpans
      tally.backendCalls += trace.backendCalls.count + trace.droppedBackendCalls
      if let memory = trace.deep?.heapAggregates.max, memory > 0 {
        tally.peakMemory = max(tally.peakMemory ?? 0, memory)
      }
      tallies[TraceRoute(of: trace)] = tally
    }

    /// The routes with the most wall time first.
    public func finish() -> [RouteSummary] {
      tallies.map { route, tally in
        let walls = tally.walls.sorted()
        return RouteSummary(
          route: route, count: walls.count, errors: tally.errors,
          wall: (Percentile.of(walls, 50), Percentile.of(walls, 95), Percentile.of(walls, 99)),
          totalWall: tally.total, medianGuest: Percentile.of(tally.guests.sorted(), 50), hostcalls: tally.hostcalls,
          backendCalls: tally.backendCalls, peakMemory: tally.peakMemory)
      }
      .sorted {
        ($1.totalWall, $0.route.path, $0.route.method) < ($0.totalWall, $1.route.path, $1.route.method)
      }
    }
  }

  /// The routes of these requests, those with the most wall time first.
  public static func routes(of traces: some Sequence<RequestTrace>) -> [RouteSummary] {
    var builder = Builder()
    for trace in traces { builder.add(trace) }
    return builder.finish()
  }
}
