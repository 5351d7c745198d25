import ArgumentParser
import FastlikeRuntime

/// `fastlike version`, and `--version`.
struct VersionCommand: ActionCommand {
  static let configuration = CommandConfiguration(commandName: "version", abstract: "Prints the version.")

  func action(in environment: FlagEnvironment) throws -> CommandAction {
    {
      print("fastlike \(FastlikeVersion.current)")
      return Fastlike.ExitCodes.success
    }
  }
}
