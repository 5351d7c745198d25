import ArgumentParser
import FastlikeProfile
import FastlikeRuntime
import Foundation

/// `fastlike trace flame`.
struct TraceFlameCommand: ActionCommand {
  static let configuration = CommandConfiguration(
    commandName: "flame", abstract: "Draws where the time of many requests went, as a flame graph.",
    discussion: """
      fastlike trace flame --dir traces --route "/items/*" --output items.svg
      fastlike trace flame 12 13 --weight blocked --output two.svg
      fastlike trace flame --since 10m --format collapsed > stacks.txt

      Without ids all requests that the flags mean are added up, the newest first.
      """)

  /// What is written.
  enum Format: String, CaseIterable {
    case svg
    /// For flamegraph.pl, inferno and speedscope.
    case collapsed
    case json
  }

  @OptionGroup(title: "Source") var source: TraceSourceArguments

  @OptionGroup(title: "Which requests") var filter: TraceFilterArguments

  @Option(
    name: .customLong("limit"),
    help: ArgumentHelp("Most requests (default: \(TraceQuery.defaultSetLimit)).", valueName: "count"))
  var limit: String?

  @Option(
    name: .customLong("weight"),
    help: ArgumentHelp(
      "What widths stand for: cpu, time in hostcalls (hostcall), or waiting (blocked) (default: cpu).",
      valueName: "weight"))
  var weight: String?

  @Option(
    name: .customLong("format"),
    help: ArgumentHelp("One of svg, collapsed, json (default: svg).", valueName: "format"))
  var format: String?

  @Option(
    name: [.customLong("output"), .customShort("o")],
    help: ArgumentHelp(
      "The file; - is the standard output, which is used too when it is no terminal.", valueName: "file"))
  var output: String?

  @Flag(name: .customLong("force"), help: "Replace the file if there is one.")
  var isForced = false

  @Argument(help: ArgumentHelp("The requests' numbers in the list; all that the flags mean without.", valueName: "id"))
  var ids: [String] = []

  func action(in environment: FlagEnvironment) throws -> CommandAction {
    let ids = try ids.map(TraceID.read)
    var query = try filter.query()
    query.limit =
      try limit.map { try TraceQuery.limit($0, flag: "--limit", in: TraceQuery.setLimits) }
      ?? TraceQuery.defaultSetLimit
    let weight = try weight.map { try Self.word($0, flag: "--weight") } ?? FlameWeight.cpu
    let format = try format.map { try Self.word($0, flag: "--format") } ?? Format.svg
    let destination = try TraceExportDestination(output, isForced: isForced, isTerminal: isatty(STDOUT_FILENO) == 1)
    let source = try source.source(in: environment)
    return { [query] in
      var builder = FlameTree.Builder(weight: weight)
      if ids.isEmpty {
        let coverage = try await source.forEach(query) { builder.add($0) }
        guard coverage.requests > 0 else { throw TraceSourceError.noRequests(source.name) }
        coverage.report(on: source)
      } else {
        for id in ids { builder.add(try await source.trace(id).trace) }
      }
      let tree = builder.finish()
      if tree.isEmpty { Fastlike.note("\(source.name): \(weight.hint)") }
      try destination.write(Self.encode(tree, as: format, title: Self.title(weight, ids: ids, query)))
      return Fastlike.ExitCodes.success
    }
  }

  static func encode(_ tree: FlameTree, as format: Format, title: String) -> [UInt8] {
    switch format {
    case .svg: FlameSVG.document(of: tree, title: title)
    case .collapsed: tree.collapsed()
    case .json: tree.json()
    }
  }

  /// What is drawn, in one line.
  static func title(_ weight: FlameWeight, ids: [UInt64], _ query: TraceQuery) -> String {
    if let only = ids.first, ids.count == 1 { return "\(weight.title) of request \(only)" }
    if !ids.isEmpty { return "\(weight.title) of \(TraceText.count(ids.count, "request"))" }
    return weight.title + (query.route.map { " of \($0)" } ?? " of all requests")
  }

  /// A word of a flag that has a few.
  static func word<Word: RawRepresentable & CaseIterable>(_ text: String, flag: String) throws -> Word
  where Word.RawValue == String {
    guard let word = Word(rawValue: text) else {
      let words = Word.allCases.map(\.rawValue).joined(separator: ", ")
      throw ConfigurationError(
        place: flag, problem: "\"\(TraceText.printable(text, limit: 80))\" is not allowed; write one of \(words)")
    }
    return word
  }
}

extension TraceSource.Coverage {
  /// Says on the standard error what could not be read.
  func report(on source: TraceSource) {
    if unreadable > 0 {
      Fastlike.note("\(source.name): \(TraceText.count(unreadable, "request")) could not be read and are left out")
    }
  }
}
