import FastlikeRuntime

/// The `FASTLIKE_*` variables, which stand for flags that are not given. An empty variable counts as not set.
struct FlagEnvironment: Sendable {
  private let variables: [String: String]

  init(_ variables: [String: String] = [:]) { self.variables = variables }

  /// The variables of OpenTelemetry's specification, which have names of their own.
  var openTelemetry: [String: String] { variables.filter { $0.key.hasPrefix("OTEL_") } }

  /// The variable that stands for a flag: `FASTLIKE_MAX_WALL` for `max-wall`.
  static func variable(for flag: String) -> String {
    "FASTLIKE_" + flag.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
  }

  /// A variable of another program's; nil when it is not set.
  func foreign(_ variable: String) -> String? { variables[variable].flatMap { $0.isEmpty ? nil : $0 } }

  private func lookup(_ flag: String) -> (value: String, place: String)? {
    let place = Self.variable(for: flag)
    guard let value = variables[place], !value.isEmpty else { return nil }
    return (value, place)
  }

  /// The value of a flag, or of its variable, as `read` understands it.
  func value<Value>(
    _ given: String?, _ flag: String, _ read: (_ value: String, _ place: String) throws -> Value
  ) throws -> Value? {
    if let given { return try read(given, "--\(flag)") }
    return try lookup(flag).map { try read($0.value, $0.place) }
  }

  /// The values of a flag that may be repeated, or those of its variable, which are separated by commas.
  func values<Value>(
    _ given: [String], _ flag: String, _ read: (_ value: String, _ place: String) throws -> Value
  ) throws -> [Value] {
    if !given.isEmpty { return try given.map { try read($0, "--\(flag)") } }
    guard let (value, place) = lookup(flag) else { return [] }
    return try value.split(separator: ",").map { try read(String($0), place) }
  }

  /// Whether a flag is on: by itself, by its variable, or by the variable of its `--no-` form.
  func boolean(_ given: Bool?, _ flag: String) throws -> Bool? {
    if let given { return given }
    if let (value, place) = lookup(flag) { return try FlagValues.boolean(value, flag: place) }
    return try lookup("no-" + flag).map { try !FlagValues.boolean($0.value, flag: $0.place) }
  }
}
