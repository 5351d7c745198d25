import ArgumentParser
import FastlikeProfile
import FastlikeRuntime
import Foundation

/// `fastlike trace diff`.
struct TraceDiffCommand: ActionCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Compares two sets of requests: is it faster, slower, or is there no evidence?",
    discussion: """
      fastlike trace diff before.json after.json
      fastlike trace diff "traces?module=1f0c6a5d9b3e2748" "traces?module=93ab1c5d7e8f0246"
      fastlike trace diff --server :6060 "?until=10m" "?since=10m" --flame diff.svg

      A set is a page's address, an archive's folder or an exported file, with what is meant of it behind a question \
      mark: \(TraceSetName.fields.joined(separator: ", ")). Without a place it is that of --server, --dir or --file. \
      Docs/comparison.md tells how the verdict is found.
      """)

  @OptionGroup(title: "Source") var source: TraceSourceArguments

  @Option(
    name: .customLong("seed"),
    help: ArgumentHelp("The beginning of the random draws; the same gives the same (default: 1).", valueName: "number"))
  var seed: String?

  @Option(
    name: .customLong("threshold"),
    help: ArgumentHelp("A change of time that does not count, in percent (default: 2).", valueName: "percent"))
  var threshold: String?

  @Option(
    name: .customLong("flame"),
    help: ArgumentHelp("Also draw the difference as a flame graph, as SVG.", valueName: "file"))
  var flame: String?

  @Option(
    name: .customLong("weight"),
    help: ArgumentHelp(
      "What the flame graph's widths stand for: cpu, hostcall or blocked (default: cpu).", valueName: "weight"))
  var weight: String?

  @Flag(name: .customLong("force"), help: "Replace the flame graph's file if there is one.")
  var isForced = false

  @Flag(name: .customLong("fail-if-slower"), help: "Exit with 1 when the median request became slower.")
  var failsIfSlower = false

  @Flag(name: .customLong("json"), help: "Print a JSON object instead of tables.")
  var json = false

  @Argument(help: ArgumentHelp("The requests before.", valueName: "a"))
  var before: String

  @Argument(help: ArgumentHelp("The requests after.", valueName: "b"))
  var after: String

  func action(in environment: FlagEnvironment) throws -> CommandAction {
    func set(_ text: String, _ place: String) throws -> TraceSetName {
      try TraceSetName(
        text, place: place, otherwise: { try source.source(in: environment) },
        page: { try source.page($0, place, environment) })
    }
    let sets = (try set(before, "A"), try set(after, "B"))
    let options = try options()
    let weight = try weight.map { try TraceFlameCommand.word($0, flag: "--weight") } ?? FlameWeight.cpu
    let destination = try flame.map {
      try TraceExportDestination($0, isForced: isForced, isTerminal: false, flag: "--flame")
    }
    let (json, failsIfSlower) = (json, failsIfSlower)
    return {
      let first = try await TraceSetContents(of: sets.0, weight)
      let second = try await TraceSetContents(of: sets.1, weight)
      let comparison = TraceComparison(before: first.set, after: second.set, options: options)
      if let destination {
        let difference = FlameDifference(before: first.flame, after: second.flame)
        try destination.write(difference.svg(title: "\(weight.title): \(sets.0.text) and \(sets.1.text)"))
      }
      print(json ? String(decoding: comparison.json(), as: UTF8.self) : ComparisonText(comparison).text)
      return failsIfSlower && comparison.verdict == .slower ? Fastlike.ExitCodes.failure : Fastlike.ExitCodes.success
    }
  }

  private func options() throws -> TraceComparison.Options {
    var options = TraceComparison.Options()
    if let seed {
      guard let number = UInt64(seed) else {
        throw ConfigurationError(place: "--seed", problem: "is not allowed; write a whole number")
      }
      options.seed = number
    }
    if let threshold {
      guard let percent = Double(threshold), (0...1000).contains(percent) else {
        throw ConfigurationError(place: "--threshold", problem: "is not allowed; write percents from 0 to 1000")
      }
      options.threshold = percent / 100
    }
    return options
  }
}

/// The requests of a set, read once for all that is made of them.
private struct TraceSetContents {
  let set: TraceSet
  let flame: FlameTree.Builder

  init(of name: TraceSetName, _ weight: FlameWeight) async throws {
    var set = TraceSet.Builder(name: name.text)
    var flame = FlameTree.Builder(weight: weight)
    let coverage = try await name.source.forEach(name.query) {
      set.add($0)
      flame.add($0)
    }
    guard coverage.requests > 0 else { throw TraceSourceError.noRequests(name.text) }
    coverage.report(on: name.source)
    self.set = set.finish()
    self.flame = flame
  }
}
