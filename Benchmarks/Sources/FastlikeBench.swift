import ArgumentParser

/// Measures speed and memory of a release build.
@main
struct FastlikeBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fastlike-bench", abstract: "Measures speed and memory, and prints the table.",
    subcommands: [MeasureCommand.self, ImportSamplesCommand.self], defaultSubcommand: MeasureCommand.self)
}
