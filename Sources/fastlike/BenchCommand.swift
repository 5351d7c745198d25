import ArgumentParser
import FastlikeProfile
import FastlikeRuntime
import FastlikeServer
import Foundation
import Synchronization

/// `fastlike bench APP.wasm --requests FILE`.
struct BenchCommand: ActionCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Runs a program again and again without a network, and tells what it takes.",
    discussion: """
      fastlike bench app.wasm --requests requests.http
      fastlike bench app.wasm --requests requests.http --budget budget.toml
      fastlike bench new.wasm --against old.wasm --requests requests.http --fail-if-slower

      The file holds requests as text, separated by lines of ###:

        GET /items?page=2
        Accept: text/html

        ### weight=3
        POST /cart

        {"item": 1}

      Backends are configured as for serving and are really asked. Log endpoints write as they do there.
      """)

  @Argument(help: ArgumentHelp("The compiled program, binary or text (.wat).", valueName: "app.wasm"))
  var module: String?

  @Option(name: .customLong("requests"), help: ArgumentHelp("The file of requests.", valueName: "file"))
  var requests: String?

  @Option(
    name: .customLong("against"),
    help: ArgumentHelp(
      "Another program, such as the one before a change: both run in turns and are compared.", valueName: "file.wasm"))
  var against: String?

  @Option(
    name: .customLong("time"), help: ArgumentHelp("How long each program runs (default: 5s).", valueName: "time"))
  var time: String?

  @Option(
    name: .customLong("iterations"),
    help: ArgumentHelp("Instead of a time: how many requests each program gets.", valueName: "count"))
  var iterations: String?

  @Option(
    name: .customLong("warm-up"),
    help: ArgumentHelp("How long each program runs before anything is counted (default: 1s).", valueName: "time"))
  var warmUp: String?

  @Option(
    name: .customLong("concurrency"),
    help: ArgumentHelp("Requests at the same time on each loop (default: 1).", valueName: "count"))
  var concurrency: String?

  @Option(
    name: .customLong("loops"), help: ArgumentHelp("Event loops, each a thread (default: 1).", valueName: "count"))
  var loops: String?

  @Option(
    name: [.customLong("output"), .customShort("o")],
    help: ArgumentHelp(
      "Keep the traces: in a file FILE.json, or in an archive's folder. With --against, of the first program.",
      valueName: "place"))
  var output: String?

  @Option(
    name: .customLong("budget"),
    help: ArgumentHelp("Hold the requests against a budget, as trace check does.", valueName: "budget.toml"))
  var budget: String?

  @OptionGroup(title: "Report") var report: BudgetReportArguments

  @Flag(name: .customLong("fail-if-slower"), help: "Exit with 1 when the program is slower than the one of --against.")
  var failsIfSlower = false

  @Flag(name: .customLong("force"), help: "Replace the file of the traces if there is one.")
  var isForced = false

  @OptionGroup(title: "Service") var service: ServiceArguments
  @OptionGroup(title: "Execution") var execution: ExecutionArguments

  func options(in environment: FlagEnvironment) throws -> BenchOptions {
    guard let module else { throw ProgramFile.missing }
    guard let requests else {
      throw ConfigurationError(place: "--requests", problem: "is needed: a file with requests such as GET /items")
    }
    for path in [module] + [against].compactMap({ $0 }) { try ProgramFile.check(path) }
    if failsIfSlower, against == nil {
      throw ConfigurationError(place: "--fail-if-slower", problem: "needs --against FILE.wasm to compare with")
    }
    var options = BenchOptions(
      module: module, requests: try BenchRequests.load(path: requests, flag: "--requests"))
    options.other = against
    if time != nil, iterations != nil {
      throw ConfigurationError(place: "--time", problem: "contradicts --iterations; give one of them")
    }
    if let time { options.length = .time(try Self.duration(time, "--time", .milliseconds(100)...(.seconds(3600)))) }
    if let iterations { options.length = .requests(try Self.number(iterations, "--iterations", 1...1_000_000)) }
    if let warmUp { options.warmUp = try Self.duration(warmUp, "--warm-up", .zero...(.seconds(600))) }
    if let concurrency { options.concurrency = try Self.number(concurrency, "--concurrency", 1...1000) }
    if let loops { options.loops = try Self.number(loops, "--loops", 1...64) }
    options.service = try service.options(in: environment)
    options.execution = try execution.options(in: environment)
    if options.execution.tracing.mode == .off {
      throw ConfigurationError(place: "--profile", problem: "off records nothing to look at; write trace or deep")
    }
    return options
  }

  func action(in environment: FlagEnvironment) throws -> CommandAction {
    let options = try options(in: environment)
    let budget = try budget.map { try BudgetFile.load(path: $0, flag: "--budget") }
    let budgetOutput = try report.output(in: environment)
    let keep = try output.map { try BenchTraces($0, isForced: isForced) }
    let failsIfSlower = failsIfSlower
    return {
      let tallies = BenchTallies(options, budget: budget.map(budgetOutput.applicable), keep: try keep?.open())
      let result = try await Server.bench(options) { tallies.add($1, of: $0) }
      let contents = tallies.take()
      try contents.keep?.finish()
      print(BenchText(options: options, result: result, routes: contents.routes.map { $0.finish() }).text)
      var code = Fastlike.ExitCodes.success
      if let report = contents.budget?.finish() {
        print("")
        code = try budgetOutput.give(report)
      }
      if contents.sets.count == 2 {
        // The other program is the one before.
        let comparison = TraceComparison(before: contents.sets[1].finish(), after: contents.sets[0].finish())
        print("\n" + ComparisonText(comparison).text)
        if failsIfSlower, comparison.verdict == .slower { code = Fastlike.ExitCodes.failure }
      }
      return code
    }
  }

  private static func number(_ text: String, _ flag: String, _ range: ClosedRange<Int>) throws -> Int {
    guard let number = Int(text), range.contains(number) else {
      throw ConfigurationError(
        place: flag,
        problem:
          "\"\(TraceText.printable(text, limit: 40))\" is not allowed; write a number from \(range.lowerBound) to "
          + "\(range.upperBound)")
    }
    return number
  }

  private static func duration(_ text: String, _ flag: String, _ range: ClosedRange<Duration>) throws -> Duration {
    let duration = try FlagValues.duration(text, flag: flag)
    guard range.contains(duration) else {
      throw ConfigurationError(
        place: flag,
        problem: "\"\(TraceText.printable(text, limit: 40))\" is not allowed; write a time from \(range.lowerBound) to "
          + "\(range.upperBound)")
    }
    return duration
  }
}

/// What is made of the traces of a bench while they come. The loops' threads take turns, and nothing here takes longer
/// than what it is told of.
final class BenchTallies: Sendable {
  struct Contents: Sendable {
    /// Of each program.
    var routes: [RouteSummary.Builder]
    /// Of each program, where there are two.
    var sets: [TraceSet.Builder]
    /// Of the first program.
    var budget: BudgetReport.Builder?
    var keep: BenchTraces.Writer?
  }

  private let contents: Mutex<Contents>

  init(_ options: BenchOptions, budget: Budget?, keep: BenchTraces.Writer?) {
    let programs = [options.module] + [options.other].compactMap { $0 }
    contents = Mutex(
      Contents(
        routes: programs.map { _ in RouteSummary.Builder() },
        sets: programs.count > 1 ? programs.map { TraceSet.Builder(name: $0) } : [],
        budget: budget.map { BudgetReport.Builder($0) }, keep: keep))
  }

  func add(_ trace: RequestTrace, of program: Int) {
    contents.withLock { contents in
      contents.routes[program].add(trace)
      if !contents.sets.isEmpty { contents.sets[program].add(trace) }
      guard program == 0 else { return }
      contents.budget?.add(trace)
      contents.keep?.add(trace)
    }
  }

  func take() -> Contents { contents.withLock { $0 } }
}
