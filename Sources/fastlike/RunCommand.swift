import ArgumentParser
import FastlikeRuntime
import FastlikeServer

/// `fastlike run APP.wasm -- ARGS`.
struct RunCommand: ActionCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Runs a program once, as a test runner, and exits with its code.",
    discussion: "Everything behind the program goes to it as arguments; fastlike's own flags stand before it.")

  @Argument(help: ArgumentHelp("The compiled program, binary or text (.wat).", valueName: "app.wasm"))
  var module: String?

  @Argument(help: "The program's arguments.")
  var arguments: [String] = []

  @OptionGroup(title: "Service") var service: ServiceArguments
  @OptionGroup(title: "Execution") var execution: ExecutionArguments

  func options(in environment: FlagEnvironment) throws -> RunOptions {
    guard let module else { throw ProgramFile.missing }
    var options = RunOptions(module: module)
    options.arguments = arguments
    options.service = try service.options(in: environment)
    options.execution = try execution.options(in: environment)
    return options
  }

  func action(in environment: FlagEnvironment) throws -> CommandAction {
    let options = try options(in: environment)
    try ProgramFile.check(options.module)
    return { try await UnusableConfiguration.telling { try await Server.run(options) } }
  }
}
