public import FastlikeProfile
public import Foundation
import TOMLKit

/// Reads a budget from a TOML file:
///
/// ```toml
/// [[route]]
/// route = "GET /items/*"     # or "*" for all
/// requests = 20              # at least so many must have been seen; 1 by default
/// wall_p95 = "80ms"
/// guest_p50 = "5ms"
/// backend_calls = 2
/// backend_bytes = "64KiB"
/// memory = "16MiB"
/// cache_hit_share = 0.9
///
/// [route.hostcalls]
/// total = 30
/// "fastly_http_req.send" = 1
/// ```
public enum BudgetFile {
  /// - Parameter flag: What named the file, for errors.
  /// - Throws: ``ConfigurationError`` for the first mistake.
  public static func load(
    path: String, flag: String, workingDirectory: String = FileManager.default.currentDirectoryPath
  ) throws -> Budget {
    var files = ConfigurationFiles(directory: workingDirectory, workingDirectory: workingDirectory)
    let text = try files.text(of: path) { ConfigurationError(place: flag, problem: $0) }
    return try parse(text, name: path)
  }

  /// Reads the text of a budget; `name` is the file's name in errors.
  static func parse(_ text: String, name: String) throws -> Budget {
    guard !text.utf8.contains(0) else {
      throw ConfigurationError(place: name, problem: "must be text, but holds a NUL byte")
    }
    let root: ConfigurationValue
    do {
      root = ConfigurationValue(try TOMLTable(string: text))
    } catch let error as TOMLParseError {
      throw ConfigurationError(place: "\(name):\(error.source.begin.line)", problem: "not TOML: \(error.description)")
    }
    let source = ConfigurationSource(name: name, lines: .toml(TOMLLineIndex(text)))
    let table = try ConfigurationEntry(root, source: source).table()
    try table.allowOnly(["route"])
    let routes = try table.required("route", "[[route]] with its limits").elements(of: "an array of tables, [[route]]")
    guard !routes.isEmpty else { throw table.entry.error("route is empty: give [[route]] with its limits") }
    return Budget(rules: try routes.map { try rule(of: $0.table()) })
  }

  private static let numbers: [(key: String, subject: Budget.Subject)] = [
    ("backend_calls", .backendCalls), ("fuel", .fuel),
  ]
  private static let sizes: [(key: String, subject: Budget.Subject)] = [
    ("backend_bytes", .backendBytes), ("response_bytes", .responseBytes), ("memory", .memory),
  ]
  private static let shares: [(key: String, subject: Budget.Subject)] = [
    ("cache_hit_share", .cacheHitShare), ("error_share", .errorShare),
  ]
  private static let times: [(key: String, subject: Budget.Subject)] = Budget.Subject.percents.flatMap {
    [("wall_p\($0)", Budget.Subject.wall(percent: $0)), ("guest_p\($0)", .guest(percent: $0))]
  }
  .sorted { $0.0 < $1.0 }

  private static func rule(of table: ConfigurationTable) throws -> Budget.Rule {
    try table.allowOnly(["route", "requests"] + (times + numbers + sizes + shares).map(\.key) + ["hostcalls"])
    let entry = try table.required("route", TraceRoutePattern.allowed)
    guard let route = TraceRoutePattern(try entry.string()) else {
      throw entry.error("\(quoted(try entry.string())) is not allowed; write \(TraceRoutePattern.allowed)")
    }
    var limits: [Budget.Limit] = []
    func read(
      _ keys: [(key: String, subject: Budget.Subject)], _ value: (ConfigurationEntry) throws -> Double
    ) throws {
      for (key, subject) in keys {
        guard let entry = table[key] else { continue }
        limits.append(Budget.Limit(subject, try value(entry), place: place(of: entry)))
      }
    }
    try read(times, time)
    if let hostcalls = try table["hostcalls"]?.table("a table of names and numbers") {
      for (name, entry) in hostcalls.entries {
        let subject = name == "total" ? Budget.Subject.hostcalls : .hostcall(name)
        guard name == "total" || name.contains(".") else {
          throw entry.error("is no hostcall; write total, or a name with its module such as \"fastly_http_req.send\"")
        }
        limits.append(Budget.Limit(subject, try number(entry), place: place(of: entry)))
      }
    }
    try read(numbers, number)
    try read(sizes, size)
    try read(shares, share)
    guard !limits.isEmpty else { throw table.entry.error("has no limit; write one such as wall_p95 = \"80ms\"") }
    let least = try table["requests"].map { entry in
      let least = try entry.integer()
      guard (1...10_000_000).contains(least) else { throw entry.error("must be from 1 to 10000000, not \(least)") }
      return Int(least)
    }
    return Budget.Rule(route: route, leastRequests: least ?? 1, limits: limits, place: place(of: table.entry))
  }

  /// File and line without the key, which a report names beside it.
  private static func place(of entry: ConfigurationEntry) -> String {
    entry.source.lines.line(of: entry.path).map { "\(entry.source.name):\($0)" } ?? entry.source.name
  }

  private static func time(_ entry: ConfigurationEntry) throws -> Double {
    let text = try entry.string()
    // A bare number of seconds is easily written by somebody who means milliseconds.
    guard text.last?.isLetter == true, let duration = try? FlagValues.duration(text, flag: ""),
      duration > .zero
    else { throw entry.error("\(quoted(text)) is not allowed; write a time such as \"80ms\", \"1.5s\" or \"500us\"") }
    return Double(duration.components.seconds) * 1e9 + Double(duration.components.attoseconds) / 1e9
  }

  private static func number(_ entry: ConfigurationEntry) throws -> Double {
    let number = try entry.integer()
    guard (0...1_000_000_000).contains(number) else { throw entry.error("must be from 0 to 1000000000, not \(number)") }
    return Double(number)
  }

  private static func size(_ entry: ConfigurationEntry) throws -> Double {
    if case .integer = entry.value { return try number(entry) }
    let text = try entry.string()
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let unit: Double? =
      switch text[digits.endIndex...].trimmingPrefix(" ") {
      case "B", "": 1
      case "KiB": 1024
      case "MiB": 1_048_576
      case "GiB": 1_073_741_824
      case "kB": 1e3
      case "MB": 1e6
      case "GB": 1e9
      default: nil
      }
    guard let unit, digits.first != ".", let count = Double(digits), count * unit <= 1e15 else {
      throw entry.error("\(quoted(text)) is not allowed; write bytes as a number, or \"64KiB\", \"1.5MiB\", \"2MB\"")
    }
    return (count * unit).rounded()
  }

  private static func share(_ entry: ConfigurationEntry) throws -> Double {
    let share: Double
    switch entry.value {
    case .integer(let integer): share = Double(integer)
    case .number(let number): share = number
    default: throw entry.error("must be a number from 0 to 1, not \(entry.value.kind)")
    }
    guard (0...1).contains(share) else { throw entry.error("must be from 0 to 1, not \(share)") }
    return share
  }
}
