import ArgumentParser
import FastlikeRuntime

/// `fastlike trace`. It records nothing itself: it reads what a server or an archive has, and adds samples to it.
struct TraceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace", abstract: "Reads recorded requests from a running server or from an archive folder.",
    discussion: """
      fastlike trace list --server http://127.0.0.1:6060 --status 5xx
      fastlike trace show 12 --dir traces
      fastlike trace export 12 13 --dir traces --format firefox --output slow.json
      fastlike trace flame --dir traces --route /items --output items.svg
      fastlike trace diff before.json after.json
      fastlike trace check budget.toml --dir traces
      """,
    subcommands: [
      TraceListCommand.self, TraceShowCommand.self, TraceExportCommand.self, TraceFlameCommand.self,
      TraceDiffCommand.self, TraceCheckCommand.self, TraceImportCommand.self,
    ])
}

/// The flags that say where traces are read from.
struct TraceSourceArguments: ParsableArguments {
  @Option(
    name: .customLong("server"),
    help: ArgumentHelp(
      "Read from the profile page of a running server, such as http://127.0.0.1:6060 (default: FASTLIKE_PROFILE_UI).",
      valueName: "url"))
  var server: String?

  @Option(
    name: .customLong("dir"),
    help: ArgumentHelp(
      "Read from the folder that --profile-dir named (default: FASTLIKE_PROFILE_DIR).", valueName: "folder"))
  var directory: String?

  @Option(
    name: .customLong("file"),
    help: ArgumentHelp("Read from a file that trace export --format json wrote.", valueName: "file"))
  var file: String?

  @Option(
    name: .customLong("token"),
    help: ArgumentHelp("The page's token (default: FASTLIKE_PROFILE_AUTH).", valueName: "token"))
  var token: String?

  /// A flag wins over the variables; of these, the server's page, which finds what is archived too.
  func source(in environment: FlagEnvironment) throws -> TraceSource {
    let given = [("--server", server), ("--dir", directory), ("--file", file)].filter { $0.1 != nil }.map(\.0)
    if given.count > 1 {
      throw ConfigurationError(place: given[0], problem: "contradicts \(given[1]); leave one of them away")
    }
    if let other = given.first, other != "--server", token != nil {
      throw ConfigurationError(
        place: "--token", problem: "opens a page, and \(other) reads none; leave one of them away")
    }
    if let file { return .file(try FlagValues.path(file, flag: "--file")) }
    if let server { return .page(try page(server, "--server", environment)) }
    if let directory { return .archive(try FlagValues.path(directory, flag: "--dir")) }
    if let page = try environment.value(nil, "profile-ui", { try page($0, $1, environment) }) { return .page(page) }
    if let path = try environment.value(nil, "profile-dir", FlagValues.path) { return .archive(path) }
    throw ConfigurationError(
      place: "trace",
      problem: "where from? Give --server http://HOST:PORT of a profile page, --dir of an archive, or --file")
  }

  func page(_ text: String, _ place: String, _ environment: FlagEnvironment) throws -> TracePageClient {
    let token =
      try token.map { try FlagValues.token($0, flag: "--token") }
      ?? environment.value(nil, "profile-auth", FlagValues.token)
    let (host, port) = try TracePageClient.address(text, place: place)
    return TracePageClient(host: host, port: port, token: token ?? "")
  }
}

/// Reads an id from the command line.
enum TraceID {
  static func read(_ text: String) throws -> UInt64 {
    guard let id = UInt64(text), id > 0, String(id) == text else {
      throw ConfigurationError(
        place: "ID", problem: "\"\(TraceText.printable(text, limit: 40))\" is not allowed; write a number from the list"
      )
    }
    return id
  }
}
