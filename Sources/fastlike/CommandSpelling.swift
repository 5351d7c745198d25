import FastlikeRuntime

/// A flag as it is spelled on the command line.
struct FlagSpelling {
  /// Without dashes.
  var name: String
  var short: Character?
  var takesValue: Bool
  /// Whether `--no-NAME` and `--NAME=false` exist.
  var isNegatable = false
  /// The value of a flag that may stand alone; a number behind it is its value, anything else is not.
  var standardNumber: String?

  static func value(_ name: String, short: Character? = nil) -> FlagSpelling {
    FlagSpelling(name: name, short: short, takesValue: true)
  }

  static func plain(_ name: String) -> FlagSpelling { FlagSpelling(name: name, takesValue: false) }

  static func number(_ name: String, standard: String) -> FlagSpelling {
    FlagSpelling(name: name, takesValue: true, standardNumber: standard)
  }

  static func negatable(_ name: String) -> FlagSpelling {
    FlagSpelling(name: name, takesValue: false, isNegatable: true)
  }
}

/// Brings the spellings of both existing hosts' command lines into one form, before the argument parser sees them.
///

// Flags may have one or two dashes, values may follow `=` or a space, flags may stand on either side of the program, and
/// the subcommand may be left out. Doing this here keeps the parser's own grammar plain: it gets the subcommand, then
/// `--flag=value`, then `--` and the positional arguments.
enum CommandSpelling {
  /// Every flag of a subcommand.
  static let flags: [FlagSpelling] = [
    .value("config", short: "C"), .value("backend", short: "b"), .value("override-host"),
    .value("dictionary", short: "d"), .value("config-store"), .value("logger"), .value("geo"),
    .value("kv"), .value("secret-store"), .value("acl"), .value("kv-dir"), .negatable("kv-reseed"),
    .negatable("profile-show-values"),
    .value("compliance-region"), .value("local-pushpin-proxy-port"), .value("fake-fastly-key"), .value("bind"),
    .value("addr"), .value("wasm"),
    .value("profile"), .value("profile-ui"), .value("profile-auth"), .negatable("profile-insecure-ui"),
    .value("profile-retain"), .value("profile-backend-cap"), .value("profile-spans"), .value("profile-async-grace"),
    .value("profile-dir"), .value("otlp"), .value("otlp-hostcalls"), .value("profile-sample"),
    .number("profile-cpu", standard: "\(CPUSampling.standardRate)"), .value("readthrough"),
    .value("symbols"), .value("module-cache"), .value("unknown-import-behavior"),
    .value("max-wall"), .value("max-vcpu"), .value("cache-size"), .plain("no-module-cache"), .plain("json"),
    .plain("help"),
    .plain("version"), .value("server"), .value("dir"), .value("token"), .value("path"), .value("status"),
    .value("outcome"), .value("module"), .value("min"), .value("limit"), .value("format"),
    .value("file"), .value("route"), .value("since"), .value("until"), .value("weight"),
    .value("seed"), .value("threshold"), .value("flame"), .plain("fail-if-slower"),
    .value("junit"), .value("summary"), .plain("deterministic"),
    .value("requests"), .value("against"), .value("time"), .value("iterations"), .value("warm-up"),
    .value("concurrency"), .value("loops"), .value("budget"),
    .value("output", short: "o"), .plain("force"), .plain("soft"),
    .negatable("tls"), .value("tls-name"), .value("tls-cert"), .value("tls-key"), .value("tls-client-ca"),
    .value("tls-client-auth"), .negatable("reload"), .negatable("watch"), .negatable("log-stdout"),
    .negatable("log-stderr"), .negatable("epoch"), .negatable("fuel"),
  ]

  /// Flags of the existing hosts that this version understands but cannot serve. They are refused rather than ignored.
  static let unavailableFlags: [FlagSpelling] = [
    .value("experimental_modules"), .plain("adapt"), .plain("wasm-exceptions"), .plain("wasm-gc"),
    .plain("wasm-cm-gc"),
  ]

  /// Subcommands of the existing hosts that are not there.
  static let unavailableSubcommands = ["adapt"]

  static let subcommands = ["serve", "run", "bench", "abi", "demo", "trace", "purge", "version", "help"]

  /// What must follow a subcommand that does nothing by itself.
  static let nestedSubcommands = ["trace": ["list", "show", "export", "flame", "diff", "check", "import-perf"]]

  /// The arguments in the parser's form.
  ///
  /// Throws ``ConfigurationError`` for what is not available in this version.
  static func normalized(_ arguments: [String]) throws -> [String] {
    if let first = arguments.first, first.hasPrefix("--generate-completion-script") { return arguments }
    var line = Line(rest: arguments[...])
    while let argument = line.rest.popFirst() {
      if argument == "--" {
        line.positionals += line.rest
        break
      }
      if argument.first == "-", argument.count > 1 {
        try line.readFlag(argument)
      } else if line.subcommand == nil, line.positionals.isEmpty, subcommands.contains(argument) {
        line.subcommand = argument
        if argument == "help" { return ["help"] + line.rest }
      } else if line.subcommand == nil, line.positionals.isEmpty, unavailableSubcommands.contains(argument) {
        throw unavailable(argument)
      } else if let subcommand = line.subcommand, line.nested == nil, let nested = nestedSubcommands[subcommand] {
        guard nested.contains(argument) else {
          throw ConfigurationError(
            place: subcommand, problem: "what of it? Write one of \(nested.joined(separator: ", ")) behind it")
        }
        line.nested = argument
      } else {
        line.positionals.append(argument)
        // What follows a program under test belongs to it; test runners do not write the separator.
        if line.subcommand == "run" {
          if line.rest.first == "--" { line.rest.removeFirst() }
          line.positionals += line.rest
          break
        }
      }
    }
    return line.normalized
  }

  private static func unavailable(_ name: String) -> ConfigurationError {
    ConfigurationError(place: name, problem: "is not available in this version")
  }

  private struct Line {
    var rest: ArraySlice<String>
    var subcommand: String?
    /// One of ``CommandSpelling/nestedSubcommands``.
    var nested: String?
    var flags: [String] = []
    var positionals: [String] = []

    var normalized: [String] {
      let command = [subcommand, nested].compactMap { $0 }
      if flags.contains("--help") { return command + ["--help"] }
      if flags.contains("--version") { return ["version"] }
      return (command.isEmpty ? ["serve"] : command) + flags + (positionals.isEmpty ? [] : ["--"] + positionals)
    }

    /// Reads a flag, and its value from the rest.
    mutating func readFlag(_ argument: String) throws {
      let isLong = argument.hasPrefix("--")
      let body = argument.dropFirst(isLong ? 2 : 1)
      let name = String(body.prefix { $0 != "=" })
      let value = name.count < body.count ? String(body.dropFirst(name.count + 1)) : nil
      if CommandSpelling.unavailableFlags.contains(where: { $0.name == name }) {
        throw CommandSpelling.unavailable("--\(name)")
      }
      if name.allSatisfy({ $0 == "v" }), !isLong { return readVerbosity(name, value) }
      if name == "h", !isLong { return flags.append("--help") }
      let spelling = CommandSpelling.flags.first {
        $0.name == name || (!isLong && name.count == 1 && $0.short == name.first)
      }
      if let spelling { return read(spelling, value: value) }
      if let negated = negated(name) { return read(negated, isNegated: true, value: value) }
      if !isLong, body.first == "C" { return flags.append("--config=\(body.dropFirst())") }
      // The parser says that it does not know it, and what may have been meant.
      flags.append("--\(body)")
    }

    private func negated(_ name: String) -> FlagSpelling? {
      guard name.hasPrefix("no-") else { return nil }
      return CommandSpelling.flags.first { $0.isNegatable && $0.name == name.dropFirst(3) }
    }

    private mutating func read(_ spelling: FlagSpelling, isNegated: Bool = false, value: String?) {
      if let standard = spelling.standardNumber {
        let follows = rest.first.map { !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } } ?? false
        return flags.append("--\(spelling.name)=" + (value ?? (follows ? rest.removeFirst() : standard)))
      }
      guard !spelling.takesValue else {
        let value = value ?? rest.popFirst()
        return flags.append("--\(spelling.name)" + (value.map { "=\($0)" } ?? ""))
      }
      var isOn = !isNegated
      if spelling.isNegatable, value == "false" { isOn.toggle() }
      let isPlain = value == nil || (spelling.isNegatable && (value == "true" || value == "false"))
      flags.append("--\(isOn ? "" : "no-")\(spelling.name)" + (isPlain ? "" : "=\(value ?? "")"))
    }

    /// `-v`, `-vv`, `-v=2`, and `-v 2`, which the parser gets as so many `-v`.
    private mutating func readVerbosity(_ letters: String, _ value: String?) {
      var level = letters.count
      if let value {
        guard let given = Int(value), (0...9).contains(given) else { return flags.append("-v=\(value)") }
        level = given
      } else if level == 1, let next = rest.first, next.count == 1, let given = Int(next) {
        rest.removeFirst()
        level = given
      }
      flags += Array(repeating: "-v", count: level)
    }
  }
}
