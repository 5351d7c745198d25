import ArgumentParser
import FastlikeRuntime
import Foundation

/// `fastlike purge`.
struct PurgeCommand: ActionCommand {
  static let configuration = CommandConfiguration(
    commandName: "purge", abstract: "Purges what a running server has cached under a surrogate key.",
    discussion: """
      fastlike purge article-12 --server http://127.0.0.1:6060
      fastlike purge article-12 --soft

      The server is one that was started with --profile-ui. A soft purge makes objects stale; others remove them.
      """)

  @Flag(
    name: .customLong("soft"), help: "Make the objects stale, so that they are revalidated, rather than remove them.")
  var isSoft = false

  @Option(
    name: .customLong("server"),
    help: ArgumentHelp(
      "The profile page of the server, such as http://127.0.0.1:6060 (default: FASTLIKE_PROFILE_UI).", valueName: "url")
  )
  var server: String?

  @Option(
    name: .customLong("token"),
    help: ArgumentHelp("The page's token (default: FASTLIKE_PROFILE_AUTH).", valueName: "token"))
  var token: String?

  @Argument(help: ArgumentHelp("The surrogate key.", valueName: "key"))
  var key: String

  func action(in environment: FlagEnvironment) throws -> CommandAction {
    guard CacheStore.isSurrogateKey(key) else {
      throw ConfigurationError(place: "KEY", problem: "is not allowed; write 1 to 1024 visible ASCII characters")
    }
    let (client, key, isSoft) = (try page(in: environment), key, isSoft)
    return {
      let count = try await PurgeCommand.purge(key, soft: isSoft, at: client)
      let objects = count == 1 ? "1 object" : "\(count) objects"
      print(isSoft ? "\(objects) made stale" : "\(objects) removed")
      return Fastlike.ExitCodes.success
    }
  }

  private func page(in environment: FlagEnvironment) throws -> TracePageClient {
    var source = TraceSourceArguments()
    source.token = token
    if let server { return try source.page(server, "--server", environment) }
    if let page = try environment.value(nil, "profile-ui", { try source.page($0, $1, environment) }) { return page }
    throw ConfigurationError(
      place: "purge", problem: "which server? Give --server http://HOST:PORT of its profile page")
  }

  /// - Returns: How many objects had the key.
  static func purge(_ key: String, soft: Bool, at client: TracePageClient) async throws -> Int {
    // What is not a letter or a digit is escaped, so that no character has a meaning in a query.
    let escaped = key.utf8.map { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: String(UnicodeScalar(byte))
      default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }
    }
    let answer = try await client.post("/api/purge?key=\(escaped.joined())&soft=\(soft ? 1 : 0)")
    try TraceSource.check(answer, from: client)
    guard let report = try? JSONDecoder().decode(Report.self, from: Data(answer.body)) else {
      throw TraceSourceError.noPage(client.name)
    }
    return report.objects
  }

  private struct Report: Decodable {
    let objects: Int
  }
}
