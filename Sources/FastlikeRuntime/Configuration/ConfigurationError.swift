/// A mistake in a flag, an environment variable or a file: one line that names the place and what is allowed there.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A flag (`--backend`), a variable (`FASTLIKE_BACKEND`), or a file with line and key
  /// (`fastly.toml:12: local_server.backends.api.url`).
  public var place: String
  /// What is wrong and what would be right, without a final period.
  public var problem: String

  public init(place: String, problem: String) {
    self.place = place
    self.problem = problem
  }

  /// The place and the problem on one line.
  public var description: String {
    String((place + ": " + problem).map { $0.isNewline ? " " : $0 })
  }
}

/// A value as it is shown in an error: quoted, on one line, and cut off after 80 characters.
func quoted(_ value: String) -> String {
  let shown = value.count > 80 ? value.prefix(80) + "…" : value[...]
  let escaped = shown.unicodeScalars.map { scalar in
    scalar.value < 0x20 || scalar.value == 0x7F ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
  }
  return "\"" + escaped.joined() + "\""
}
