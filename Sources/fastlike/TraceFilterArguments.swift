import ArgumentParser
import FastlikeRuntime

/// The flags that say which requests are meant.
struct TraceFilterArguments: ParsableArguments {
  @Option(
    name: .customLong("path"), help: ArgumentHelp("Only paths that contain this.", valueName: "text"))
  var path: String?

  @Option(
    name: .customLong("route"),
    help: ArgumentHelp(
      "Only this route: /items, /items/* for all paths that begin so, or \"GET /items\".", valueName: "route"))
  var route: String?

  @Option(
    name: .customLong("status"),
    help: ArgumentHelp("Only this status, class or range: 404, 5xx, 500-503.", valueName: "status"))
  var status: String?

  @Option(
    name: .customLong("outcome"),
    help: ArgumentHelp(
      "Only this outcome, such as trap; error is every failure and every server error.", valueName: "word"))
  var outcome: String?

  @Option(name: .customLong("module"), help: ArgumentHelp("Only the module with this id.", valueName: "id"))
  var module: String?

  @Option(
    name: .customLong("min"),
    help: ArgumentHelp("Only requests that took at least so many milliseconds.", valueName: "ms"))
  var minimum: String?

  @Option(
    name: .customLong("since"),
    help: ArgumentHelp(
      "Only requests that began at or after 2026-01-31T09:30:00Z, or so long ago: 90s, 10m, 2h, 1d.",
      valueName: "time"))
  var since: String?

  @Option(name: .customLong("until"), help: ArgumentHelp("Only requests that began before it.", valueName: "time"))
  var until: String?

  /// With the default limit of a list.
  func query() throws -> TraceQuery {
    var query = TraceQuery()
    query.path = path ?? ""
    query.route = try route.map { try TraceQuery.route($0, flag: "--route") }
    query.status = try status.map { try TraceQuery.status($0, flag: "--status") }
    query.outcome = try outcome.map { try TraceQuery.outcome($0, flag: "--outcome") } ?? ""
    query.module = module ?? ""
    query.minimum = try minimum.map { try TraceQuery.minimum($0, flag: "--min") } ?? 0
    query.since = try since.map { try TraceQuery.instant($0, flag: "--since") }
    query.until = try until.map { try TraceQuery.instant($0, flag: "--until") }
    return query
  }
}
