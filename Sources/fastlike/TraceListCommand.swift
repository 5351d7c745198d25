import ArgumentParser
import FastlikeRuntime
import Foundation

/// `fastlike trace list`.
struct TraceListCommand: ActionCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists finished requests, newest first, and where most of each one's time went.")

  @OptionGroup(title: "Source") var source: TraceSourceArguments

  @OptionGroup(title: "Which requests") var filter: TraceFilterArguments

  @Option(
    name: .customLong("limit"),
    help: ArgumentHelp("Most requests, up to 1000 (default: 50).", valueName: "count"))
  var limit: String?

  @Flag(name: .customLong("json"), help: "Print a JSON object instead of a table.")
  var json = false

  func query() throws -> TraceQuery {
    var query = try filter.query()
    query.limit = try limit.map { try TraceQuery.limit($0, flag: "--limit") } ?? query.limit
    return query
  }

  func action(in environment: FlagEnvironment) throws -> CommandAction {
    let (source, query, json) = (try source.source(in: environment), try query(), json)
    return {
      let list = TraceList(traces: try await source.summaries(query))
      print(json ? try list.json() : list.text(in: .current))
      return Fastlike.ExitCodes.success
    }
  }
}

/// The list of requests as it is printed.
struct TraceList {
  /// Longer paths are cut, so that a row stays a line.
  private static let pathWidth = 48

  var traces: [TraceSummary]

  /// A table for people.
  func text(in zone: TimeZone) -> String {
    guard !traces.isEmpty else { return "no requests" }
    var table = TraceTable(columns: [
      .number("id"), .text("time"), .text("method"), .text("path"), .number("status"), .text("outcome"), .number("ms"),
      .text("most time"),
    ])
    table.rows = traces.map { trace in
      [
        String(trace.id), TraceText.instant(unixNanos: trace.wallStartUnixNanos, in: zone),
        TraceText.printable(trace.method, limit: 16), TraceText.printable(trace.path, limit: Self.pathWidth),
        trace.status > 0 ? String(trace.status) : TraceText.none, TraceText.printable(trace.outcome, limit: 24),
        TraceText.milliseconds(trace.wallNanos), Self.largest(of: trace),
      ]
    }
    return table.lines().joined(separator: "\n")
  }

  /// An object with an array of objects, whose keys are those of a page's `/api/traces`.
  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(TraceListingFile(traces: traces)), as: UTF8.self)
  }

  private static func largest(of trace: TraceSummary) -> String {
    guard let owner = trace.time?.owners.first else { return TraceText.none }
    return "\(TraceText.printable(owner.name, limit: 16)) \(TraceText.share(owner.nanoseconds, of: trace.wallNanos))"
  }
}
