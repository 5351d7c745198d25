import ArgumentParser
import FastlikeRuntime
import FastlikeServer
import Foundation

/// `fastlike [serve] APP.wasm`.
struct ServeCommand: ActionCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Serves a program on a local address until it is interrupted.")

  @Argument(help: ArgumentHelp("The compiled program, binary or text (.wat).", valueName: "app.wasm"))
  var module: String?

  @Option(name: .customLong("wasm"), help: .hidden)
  var legacyModule: String?

  @Flag(name: .customLong("reload"), inversion: .prefixedNo, help: "Load the program again on SIGHUP.")
  var reloadsOnSignal: Bool?

  @Flag(name: .customLong("watch"), inversion: .prefixedNo, help: "Load the program again when its file changes.")
  var reloadsOnChange: Bool?

  @OptionGroup(title: "Listening") var listening: ListeningArguments
  @OptionGroup(title: "Service") var service: ServiceArguments
  @OptionGroup(title: "Execution") var execution: ExecutionArguments

  func options(in environment: FlagEnvironment) throws -> ServeOptions {
    if let module, let legacyModule, module != legacyModule {
      throw ConfigurationError(place: "--wasm", problem: "contradicts the program \(module); give one of them")
    }
    guard let module = module ?? legacyModule else { throw ProgramFile.missing }
    var options = ServeOptions(module: module)
    (options.addresses, options.tls) = try listening.options(in: environment)
    options.service = try service.options(in: environment)
    options.execution = try execution.options(in: environment)
    options.reloadsOnSignal = try environment.boolean(reloadsOnSignal, "reload") ?? false
    options.reloadsOnChange = try environment.boolean(reloadsOnChange, "watch") ?? false
    return options
  }

  func action(in environment: FlagEnvironment) throws -> CommandAction {
    let options = try options(in: environment)
    try ProgramFile.check(options.module)
    return {
      try await UnusableConfiguration.telling { try await Server.serve(options) }
      return Fastlike.ExitCodes.success
    }
  }
}

/// The program's file, as far as the command line is concerned with it.
enum ProgramFile {
  static let missing = ConfigurationError(
    place: "APP.wasm", problem: "is missing: write fastlike APP.wasm, or fastlike --help for everything else")

  /// Throws unless there is a file that can be read.
  static func check(_ path: String) throws {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw ConfigurationError(place: path, problem: "there is no such file; give the compiled program (.wasm or .wat)")
    }
    guard !isDirectory.boolValue, FileManager.default.isReadableFile(atPath: path) else {
      throw ConfigurationError(place: path, problem: "cannot be read; give the compiled program (.wasm or .wat)")
    }
  }
}
