import ArgumentParser
import FastlikeRuntime
import FastlikeServer

/// `fastlike demo`.
struct DemoCommand: ActionCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Serves a demonstration program with an origin of its own and prints what to open.")

  @OptionGroup(title: "Listening") var listening: ListeningArguments
  @OptionGroup(title: "Execution") var execution: ExecutionArguments

  func options(in environment: FlagEnvironment) throws -> DemoOptions {
    var options = DemoOptions()
    (options.addresses, options.tls) = try listening.options(in: environment)
    options.execution = try execution.options(in: environment)
    return options
  }

  func action(in environment: FlagEnvironment) throws -> CommandAction {
    let options = try options(in: environment)
    return {
      try await Server.demo(options)
      return Fastlike.ExitCodes.success
    }
  }
}
