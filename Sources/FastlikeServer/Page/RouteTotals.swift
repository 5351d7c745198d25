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
  /// Bytes of the guest's linear memory at its largest; nil where it was not recorded.
  let peakMemory: Int64?

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
        median: Percentile.of(times, 50), p95: Percentile.of(times, 95), p99: Percentile.of(times, 99),
        total: times.reduce(0) { $0 &+ $1 }, peakMemory: traces.compactMap { $0.deep?.heapAggregates.max }.max())
    }
    .sorted { ($1.total, $0.path, $0.method) < ($0.total, $1.path, $1.method) }
  }
}
