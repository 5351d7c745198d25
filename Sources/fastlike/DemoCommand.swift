import ArgumentParser
import FastlikeRuntime
import FastlikeServer

/// `fastlike demo`.
struct DemoCommand: ActionCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Serves a demonstration program with an origin of its own and prints what to open.")

  @Option(
    name: [.customLong("bind"), .customLong("addr")],
    help: ArgumentHelp(
      "Where to listen, as for serve. May be repeated (default: \(BindAddress.standard)).", valueName: "address"))
  var addresses: [String] = []

  @OptionGroup(title: "Execution") var execution: ExecutionArguments

  func options(in environment: FlagEnvironment) throws -> DemoOptions {
    var options = DemoOptions()
    options.addresses = try BindAddresses.read(addresses, in: environment)
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
