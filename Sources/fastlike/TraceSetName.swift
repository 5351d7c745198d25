import FastlikeProfile
import FastlikeRuntime
import Foundation

/// One of two sets of requests, as it is named on the command line: `SOURCE?FIELD=VALUE&…`.
///
/// The source is a page's address, the folder of an archive, or a file of an export; without one it is that of the flags
/// and variables. The fields are those of a page's address: `?module=…`, `traces?route=/items&since=1h`, `before.json`.
struct TraceSetName: Sendable, Equatable {
  /// As it was written.
  let text: String
  let source: TraceSource
  let query: TraceQuery

  static let fields = ["path", "route", "status", "outcome", "module", "min", "since", "until", "limit"]

  /// - Parameters:
  ///   - place: What stands for it in errors, such as `A`.
  ///   - otherwise: The source of a text that has none.
  init(_ text: String, place: String, otherwise: () throws -> TraceSource, page: (String) throws -> TracePageClient)
    throws
  {
    self.text = text
    let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let location = parts[0]
    if location.isEmpty {
      guard parts.count == 2 else {
        throw ConfigurationError(
          place: place, problem: "is empty; write a folder, a file, http://HOST:PORT, or ?FIELD=VALUE")
      }
      source = try otherwise()
    } else if location.contains("://") {
      source = .page(try page(location))
    } else {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: location, isDirectory: &isFolder) else {
        throw ConfigurationError(
          place: place,
          problem:
            "\(TraceText.printable(location)): there is no such folder or file; write an archive's folder, a file "
            + "of trace export, http://HOST:PORT, or ?FIELD=VALUE")
      }
      source = isFolder.boolValue ? .archive(location) : .file(location)
    }
    query = try Self.query(parts.count == 2 ? parts[1] : "", place: place)
  }

  private static func query(_ text: String, place: String) throws -> TraceQuery {
    var query = TraceQuery()
    query.limit = TraceQuery.defaultSetLimit
    for field in text.split(separator: "&") {
      let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      let flag = "\(place) \(TraceText.printable(name, limit: 40))"
      guard fields.contains(name), parts.count == 2, let value = parts[1].removingPercentEncoding, !value.isEmpty else {
        throw ConfigurationError(
          place: flag, problem: "is not allowed; write FIELD=VALUE with one of \(fields.joined(separator: ", "))")
      }
      switch name {
      case "path": query.path = value
      case "route": query.route = try TraceQuery.route(value, flag: flag)
      case "status": query.status = try TraceQuery.status(value, flag: flag)
      case "outcome": query.outcome = try TraceQuery.outcome(value, flag: flag)
      case "module": query.module = value
      case "min": query.minimum = try TraceQuery.minimum(value, flag: flag)
      case "since": query.since = try TraceQuery.instant(value, flag: flag)
      case "until": query.until = try TraceQuery.instant(value, flag: flag)
      default: query.limit = try TraceQuery.limit(value, flag: flag, in: TraceQuery.setLimits)
      }
    }
    return query
  }
}
