import ArgumentParser
import FastlikeProfile
import FastlikeRuntime
import Foundation

/// `fastlike trace export`.
struct TraceExportCommand: ActionCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Writes requests in the format of a viewer, several into one file.")

  @OptionGroup(title: "Source") var source: TraceSourceArguments

  @Option(
    name: .customLong("format"),
    help: ArgumentHelp(
      "One of \(TraceExportFormat.allCases.map(\.rawValue).joined(separator: ", ")) (default: json).",
      valueName: "format"))
  var format: String?

  @Option(
    name: [.customLong("output"), .customShort("o")],
    help: ArgumentHelp(
      "The file; - is the standard output, which is used too when it is no terminal.", valueName: "file"))
  var output: String?

  @Flag(name: .customLong("force"), help: "Replace the file if there is one.")
  var isForced = false

  @Argument(help: ArgumentHelp("The requests' numbers in the list.", valueName: "id"))
  var ids: [String]

  func action(in environment: FlagEnvironment) throws -> CommandAction {
    let ids = try ids.map(TraceID.read)
    let format = try format.map { try Self.format($0, flag: "--format") } ?? .json
    let destination = try TraceExportDestination(output, isForced: isForced, isTerminal: isatty(STDOUT_FILENO) == 1)
    let source = try source.source(in: environment)
    return {
      var found: [(trace: RequestTrace, native: [UInt8])] = []
      for id in ids { found.append(try await source.trace(id)) }
      try destination.write(Self.encode(found, as: format))
      return Fastlike.ExitCodes.success
    }
  }

  static func format(_ text: String, flag: String) throws -> TraceExportFormat {
    guard let format = TraceExportFormat(rawValue: text) else {
      let names = TraceExportFormat.allCases.map(\.rawValue).joined(separator: ", ")
      throw ConfigurationError(
        place: flag, problem: "\"\(TraceText.printable(text, limit: 80))\" is not allowed; write one of \(names)")
    }
    return format
  }

  /// One trace in the native schema is passed on as it came, with what a newer server may have put into it.
  static func encode(_ found: [(trace: RequestTrace, native: [UInt8])], as format: TraceExportFormat) -> [UInt8] {
    guard found.count == 1, let only = found.first else { return format.encode(found.map(\.trace)) }
    return format == .json ? only.native : format.encode(only.trace)
  }
}

/// Where an export goes.
enum TraceExportDestination: Sendable, Equatable {
  case standardOutput
  case file(String, isForced: Bool, flag: String = "--output")

  /// - Parameters:
  ///   - output: The flag's value.
  ///   - flag: The flag, for errors.
  /// - Throws: `ConfigurationError` when a terminal would get it, or a file is in its place.
  init(_ output: String?, isForced: Bool, isTerminal: Bool, flag: String = "--output") throws {
    switch output {
    case nil where isTerminal:
      throw ConfigurationError(
        place: flag, problem: "is needed, since the standard output is a terminal; write a file, or - for it")
    case nil, "-":
      self = .standardOutput
    case let path?:
      guard !path.isEmpty else { throw ConfigurationError(place: flag, problem: "is empty; write a file") }
      var isFolder: ObjCBool = false
      let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      if exists, isFolder.boolValue {
        throw ConfigurationError(place: flag, problem: "\(path) is a folder; write a file")
      }
      if exists, !isForced { throw TraceExportDestination.exists(path, flag) }
      self = .file(path, isForced: isForced, flag: flag)
    }
  }

  /// Nothing is seen under the file's name before all of it is there.
  /// - Throws: `ConfigurationError`
  func write(_ bytes: [UInt8]) throws {
    guard case .file(let path, let isForced, let flag) = self else {
      return try FileHandle.standardOutput.write(contentsOf: Data(bytes))
    }
    let place = URL(fileURLWithPath: path)
    let temporary = place.deletingLastPathComponent()
      .appendingPathComponent(".\(UUID().uuidString).part")
    defer { try? FileManager.default.removeItem(at: temporary) }
    do {
      try Data(bytes).write(to: temporary, options: .withoutOverwriting)
    } catch {
      throw ConfigurationError(place: flag, problem: "\(path): cannot be written; is its folder there?")
    }
    if isForced {
      if rename(temporary.path, place.path) == 0 { return }
      throw ConfigurationError(place: flag, problem: "\(path): cannot be replaced")
    }
    // Unlike renaming, a link never takes the place of a file that came meanwhile.
    if link(temporary.path, place.path) == 0 { return }
    if errno == EEXIST { throw Self.exists(path, flag) }
    throw ConfigurationError(place: flag, problem: "\(path): cannot be written; --force does without a link")
  }

  private static func exists(_ path: String, _ flag: String) -> ConfigurationError {
    ConfigurationError(place: flag, problem: "\(path) is there already; add --force to replace it")
  }
}
