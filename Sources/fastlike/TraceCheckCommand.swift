import ArgumentParser
import FastlikeProfile
import FastlikeRuntime
import Foundation

/// `fastlike trace check`.
struct TraceCheckCommand: ActionCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Holds requests against a budget; exits with 1 when a limit is broken.",
    discussion: """
      fastlike trace check budget.toml --dir traces
      fastlike trace check budget.toml --file run.json --junit budget.xml

      A budget has limits for each route, such as wall_p95 = "80ms" or backend_calls = 2; Docs/budgets.md lists them.
      """)

  @OptionGroup(title: "Source") var source: TraceSourceArguments

  @OptionGroup(title: "Which requests") var filter: TraceFilterArguments

  @Option(
    name: .customLong("limit"),
    help: ArgumentHelp("Most requests (default: \(TraceQuery.defaultSetLimit)).", valueName: "count"))
  var limit: String?

  @OptionGroup(title: "Report") var report: BudgetReportArguments

  @Argument(help: ArgumentHelp("The budget.", valueName: "budget.toml"))
  var budget: String

  func action(in environment: FlagEnvironment) throws -> CommandAction {
    var query = try filter.query()
    query.limit =
      try limit.map { try TraceQuery.limit($0, flag: "--limit", in: TraceQuery.setLimits) }
      ?? TraceQuery.defaultSetLimit
    let budget = try BudgetFile.load(path: budget, flag: "budget")
    let output = try report.output(in: environment)
    let source = try source.source(in: environment)
    return { [query] in
      var builder = BudgetReport.Builder(output.applicable(budget))
      let coverage = try await source.forEach(query) { builder.add($0) }
      coverage.report(on: source)
      return try output.give(builder.finish())
    }
  }
}

/// The flags that say where the report of a budget goes.
struct BudgetReportArguments: ParsableArguments {
  @Option(
    name: .customLong("junit"),
    help: ArgumentHelp("Also write the report as JUnit's XML, replacing the file.", valueName: "file"))
  var junit: String?

  @Option(
    name: .customLong("summary"),
    help: ArgumentHelp("Add the report as Markdown to a file (default: GITHUB_STEP_SUMMARY).", valueName: "file"))
  var summary: String?

  @Flag(
    name: .customLong("deterministic"),
    help: "Check only what is the same on every machine: numbers, bytes and shares, no times.")
  var isDeterministic = false

  func output(in environment: FlagEnvironment) throws -> BudgetOutput {
    BudgetOutput(
      junit: try junit.map { try FlagValues.path($0, flag: "--junit") },
      summary: try summary.map { try FlagValues.path($0, flag: "--summary") }
        ?? environment.foreign("GITHUB_STEP_SUMMARY"),
      isDeterministic: isDeterministic)
  }
}

/// Where the report of a budget goes.
struct BudgetOutput: Sendable {
  var junit: String?
  var summary: String?
  var isDeterministic = false

  func applicable(_ budget: Budget) -> Budget { isDeterministic ? budget.deterministic : budget }

  /// Prints the table, writes the files, and returns the exit code.
  /// - Throws: `ConfigurationError` when a file cannot be written.
  func give(_ report: BudgetReport) throws -> Int32 {
    print(BudgetText(report).text)
    if let junit {
      try TraceExportDestination.file(junit, isForced: true, flag: "--junit").write(report.junit())
    }
    if let summary { try Self.append(report.markdown(), to: summary) }
    return report.isKept ? Fastlike.ExitCodes.success : Fastlike.ExitCodes.failure
  }

  /// Other steps of a build write to the same file, so nothing of theirs may go.
  private static func append(_ text: String, to path: String) throws {
    let error = ConfigurationError(place: "--summary", problem: "\(path): cannot be written; is its folder there?")
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw error }
    let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    do { try file.write(contentsOf: Data(text.utf8)) } catch { throw error }
  }
}

/// A report as it is printed: what is not kept first.
struct BudgetText {
  let report: BudgetReport

  init(_ report: BudgetReport) { self.report = report }

  var text: String {
    var lines: [String] = []
    if report.isKept {
      lines.append("budget kept: \(TraceText.count(report.lines.count, "limit"))")
    } else {
      lines.append(
        "budget broken: \(report.failures.count) of \(TraceText.count(report.lines.count, "limit")) not kept")
    }
    lines[0] += ", \(TraceText.count(report.requests, "request"))"
    var table = TraceTable(columns: [
      .text(""), .text("route"), .text("what"), .number("measured"), .text("allowed"), .number("requests"),
      .text("same everywhere"),
    ])
    table.rows = (report.failures + report.lines.filter { $0.verdict == .within }).map { line in
      [
        line.verdict == .within ? "ok" : line.verdict == .broken ? "BROKEN" : "UNKNOWN",
        TraceText.printable(line.route.description, limit: 40),
        TraceText.printable(line.limit.subject.name, limit: 44), line.value, line.bound, String(line.requests),
        line.limit.subject.isDeterministic ? "yes" : "no",
      ]
    }
    if !table.rows.isEmpty { lines += table.lines(indent: "  ") }
    lines += report.failures.map { TraceText.printable($0.sentence, limit: 400) }
    return lines.joined(separator: "\n")
  }
}
