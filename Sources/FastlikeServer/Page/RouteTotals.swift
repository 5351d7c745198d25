import FastlikeProfile

/// The finished requests of one method and path taken together.
struct RouteTotals {
  /// Most routes that are shown; a service with ids in its paths has many.
  static let shown = 50

  let method: String
  let path: String
  let count: Int
  let errors: Int
  /// Nanoseconds of wall time below which half, 95 and 99 of 100 requests are, by nearest rank.
  let median: Int64
  let p95: Int64
  let p99: Int64
  /// Nanoseconds of wall time of all of them.
  let total: Int64

  /// The routes of these requests, those with the most wall time first.
  static func routes(of traces: [RequestTrace]) -> [RouteTotals] {
    struct Route: Hashable {
      let method: String
      let path: String
    }
    var members: [Route: [RequestTrace]] = [:]
    for trace in traces { members[Route(method: trace.method, path: trace.url.path), default: []].append(trace) }
    return members.map { route, traces in
      let times = traces.map(\.wallNanos).sorted()
      return RouteTotals(
        method: route.method, path: route.path, count: traces.count, errors: traces.count { $0.isError },
        median: percentile(50, of: times), p95: percentile(95, of: times), p99: percentile(99, of: times),
        total: times.reduce(0) { $0 &+ $1 })
    }
    .sorted { ($1.total, $0.path, $0.method) < ($0.total, $1.path, $1.method) }
  }

  /// - Parameter sorted: Ascending and not empty.
  private static func percentile(_ percent: Int, of sorted: [Int64]) -> Int64 {
    sorted[max(0, (sorted.count * percent + 99) / 100 - 1)]
  }
}
