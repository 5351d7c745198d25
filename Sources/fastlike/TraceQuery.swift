import FastlikeProfile
import FastlikeRuntime
import Foundation

/// Which requests are listed, drawn or compared.
struct TraceQuery: Sendable, Equatable {
  /// What a page lists at once.
  static let limits = 1...1000
  static let defaultLimit = 50
  /// How many requests are looked at where they are taken together.
  static let setLimits = 1...1_000_000
  static let defaultSetLimit = 10_000
  /// Stands for every request that failed or was answered with a server error.
  static let anyError = "error"

  /// A part of the path; empty for all.
  var path = ""
  /// nil for all.
  var route: TraceRoutePattern?
  /// nil for all.
  var status: ClosedRange<Int>?
  /// A word of ``TraceOutcome`` or ``anyError``; empty for all.
  var outcome = ""
  /// A module's id; empty for all.
  var module = ""
  /// Least wall time in milliseconds.
  var minimum = 0.0
  /// Starts at or after it, in nanoseconds since 1970; nil for all.
  var since: Int64?
  /// Starts before it, in nanoseconds since 1970; nil for all.
  var until: Int64?
  var limit = TraceQuery.defaultLimit

  // MARK: Flags

  /// `404`, `5xx` or `500-503`.
  static func status(_ text: String, flag: String) throws -> ClosedRange<Int> {
    if let one = Int(text), (0...999).contains(one) { return one...one }
    if text.count == 3, text.lowercased().hasSuffix("xx"), let digit = text.first?.wholeNumberValue {
      return digit * 100...digit * 100 + 99
    }
    let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    if ends.count == 2, let low = ends[0], let high = ends[1], low <= high { return low...high }
    throw refusal(text, flag, "a status like 404, a class like 5xx, or a range like 500-503")
  }

  static func outcome(_ text: String, flag: String) throws -> String {
    let words = [anyError] + TraceOutcome.allCases.map(\.wireName)
    guard words.contains(text) else { throw refusal(text, flag, "one of " + words.joined(separator: ", ")) }
    return text
  }

  static func minimum(_ text: String, flag: String) throws -> Double {
    guard let number = Double(text), (0...1e12).contains(number) else {
      throw refusal(text, flag, "a number of milliseconds")
    }
    return number
  }

  static func limit(_ text: String, flag: String, in limits: ClosedRange<Int> = TraceQuery.limits) throws -> Int {
    guard let number = Int(text), limits.contains(number) else {
      throw refusal(text, flag, "a number from \(limits.lowerBound) to \(limits.upperBound)")
    }
    return number
  }

  static func route(_ text: String, flag: String) throws -> TraceRoutePattern {
    guard let pattern = TraceRoutePattern(text) else { throw refusal(text, flag, TraceRoutePattern.allowed) }
    return pattern
  }

  static func instant(_ text: String, flag: String) throws -> Int64 {
    guard let instant = TraceInstant.parse(text, now: TraceInstant.now) else {
      throw refusal(text, flag, TraceInstant.allowed)
    }
    return instant
  }

  private static func refusal(_ text: String, _ flag: String, _ allowed: String) -> ConfigurationError {
    ConfigurationError(
      place: flag, problem: "\"\(TraceText.printable(text, limit: 80))\" is not allowed; write \(allowed)")
  }

  // MARK: Questions

  /// Whether a request is meant, the limit aside.
  func matches(_ trace: RequestTrace) -> Bool {
    if !path.isEmpty, !trace.url.path.contains(path) { return false }
    if let route, !route.matches(TraceRoute(of: trace)) { return false }
    if let status, !status.contains(trace.status) { return false }
    if outcome == Self.anyError {
      if !trace.isError { return false }
    } else if !outcome.isEmpty, trace.outcome.wireName != outcome {
      return false
    }
    if !module.isEmpty, trace.moduleID != module { return false }
    if let since, trace.wallStartUnixNanos < since { return false }
    if let until, trace.wallStartUnixNanos >= until { return false }
    return Double(trace.wallNanos) >= minimum * 1_000_000
  }

  /// What stands behind the `?` of a page's listing.
  var text: String { (["limit=\(limit)"] + filters).joined(separator: "&") }

  /// The fields of a page's address that say which requests are meant.
  var filters: [String] {
    var fields: [String] = []
    if !path.isEmpty { fields.append("path=" + Self.encode(path)) }
    if let status {
      let isOne = status.lowerBound == status.upperBound
      fields.append("status=" + (isOne ? "\(status.lowerBound)" : "\(status.lowerBound)-\(status.upperBound)"))
    }
    if !outcome.isEmpty { fields.append("outcome=" + Self.encode(outcome)) }
    if !module.isEmpty { fields.append("module=" + Self.encode(module)) }
    if minimum > 0 { fields.append("min=\(minimum)") }
    if let route { fields.append("route=" + Self.encode(route.description)) }
    if let since { fields.append("since=" + Self.encode(Self.text(of: since))) }
    if let until { fields.append("until=" + Self.encode(Self.text(of: until))) }
    return fields
  }

  /// What an archive is asked; the answers together are what is meant. An archive searches by outcome alone, so server
  /// errors of requests that ended normally are a question of their own.
  var archiveQueries: [ArchiveQuery] {
    var query = ArchiveQuery(
      since: since, until: until, path: path.isEmpty ? nil : path, route: route, status: status,
      moduleID: module.isEmpty ? nil : module,
      minimumWallNanos: minimum > 0 ? Int64(minimum * 1_000_000) : nil, limit: limit)
    guard outcome == Self.anyError else {
      if !outcome.isEmpty { query.outcomes = [TraceOutcome(wireName: outcome)] }
      return [query]
    }
    var failures = query
    failures.outcomes = Set(TraceOutcome.allCases).subtracting([.normal])
    let serverErrors = 500...999
    guard status?.overlaps(serverErrors) ?? true else { return [failures] }
    query.status = status?.clamped(to: serverErrors) ?? serverErrors
    return [failures, query]
  }

  private static func text(of instant: Int64) -> String {
    let date = Date(timeIntervalSince1970: Double(instant) / 1e9)
    return Date.ISO8601FormatStyle(includingFractionalSeconds: true).format(date)
  }

  private static func encode(_ text: String) -> String {
    let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/".utf8)
    return text.utf8.reduce(into: "") { encoded, byte in
      if plain.contains(byte) {
        encoded.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        encoded += String(format: "%%%02X", Int(byte))
      }
    }
  }
}
