import ArgumentParser
import FastlikeRuntime
import Foundation

/// The program. It reads the command line, hands plain options to the server, and turns what went wrong into one line.
@main
struct Fastlike: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fastlike",
    abstract: "Runs Fastly Compute programs on this machine and shows what every request did.",
    discussion: """
      fastlike APP.wasm -b api=localhost:8080   serve with one backend
      fastlike APP.wasm -C fastly.toml          serve with a manifest
      fastlike run APP.wasm -- ARGS             run once, as a test runner
      fastlike bench APP.wasm --requests FILE   run many times, and tell what it takes
      fastlike trace list --dir FOLDER          look at what was recorded

      A flag has one or two dashes and stands before or after the program, for run only before it. FASTLIKE_ and its \
      name in capitals (FASTLIKE_MAX_WALL for --max-wall) is the variable for it; several values are separated by \
      commas. A flag wins over the variable, and both win over fastly.toml.

      Exit codes: 0 success, 1 failure, 2 wrong usage or a mistake in a file of the configuration; run exits \
      with the program's own code.
      """,
    subcommands: [
      ServeCommand.self, RunCommand.self, BenchCommand.self, TraceCommand.self, PurgeCommand.self, AbiCommand.self,
      DemoCommand.self,
      VersionCommand.self,
    ],
    defaultSubcommand: ServeCommand.self)

  /// Exit codes other than those of the guest.
  enum ExitCodes {
    static let success: Int32 = 0
    static let failure: Int32 = 1
    static let usage: Int32 = 2
  }

  static func main() async {
    let environment = FlagEnvironment(ProcessInfo.processInfo.environment)
    Foundation.exit(await execute(Array(CommandLine.arguments.dropFirst()), environment: environment))
  }

  /// Does what the arguments say and returns the exit code.
  static func execute(_ arguments: [String], environment: FlagEnvironment) async -> Int32 {
    let action: CommandAction
    do {
      action = try parse(arguments, environment: environment)
    } catch let error as ConfigurationError {
      report(error.description)
      return ExitCodes.usage
    } catch {
      guard exitCode(for: error) != .success else {
        print(fullMessage(for: error))
        return ExitCodes.success
      }
      report(message(for: error))
      return ExitCodes.usage
    }
    do {
      return try await action()
    } catch let error as UnusableConfiguration {
      report(error.mistake.description)
      return ExitCodes.usage
    } catch {
      report("\(error)")
      return ExitCodes.failure
    }
  }

  /// The action that the arguments ask for. Throws ``ConfigurationError`` or an error of the argument parser, which a
  /// request for help is too.
  static func parse(_ arguments: [String], environment: FlagEnvironment) throws -> CommandAction {
    var command = try parseAsRoot(CommandSpelling.normalized(arguments))
    if let command = command as? any ActionCommand { return try command.action(in: environment) }
    try command.run()
    return { ExitCodes.success }
  }

  /// A remark beside what a command prints.
  static func note(_ message: String) { report(message) }

  /// Writes one line to the standard error.
  private static func report(_ message: String) {
    let line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
    FileHandle.standardError.write(Data("fastlike: \(line)\n".utf8))
  }
}

/// The work of a command after its flags were understood; it returns the exit code.
typealias CommandAction = @Sendable () async throws -> Int32

/// A mistake in the files that describe a service. It is wrong usage, though it is found when the service is loaded.
struct UnusableConfiguration: Error {
  let mistake: ConfigurationError

  /// Runs a service; the mistakes in its files are thrown as ``UnusableConfiguration``.
  static func telling<Result>(_ run: () async throws -> Result) async throws -> Result {
    do {
      return try await run()
    } catch let mistake as ConfigurationError {
      throw UnusableConfiguration(mistake: mistake)
    }
  }
}

/// A subcommand of ``Fastlike``.
protocol ActionCommand: ParsableCommand {
  /// Checks the flags and the variables. What is thrown here is wrong usage; what the action throws is a failure, unless it
  /// is an ``UnusableConfiguration``.
  func action(in environment: FlagEnvironment) throws -> CommandAction
}
