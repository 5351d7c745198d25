import ArgumentParser
import FastlikeProfile
import FastlikeRuntime
import FastlikeServer
import Foundation

/// `fastlike trace import-perf`.
struct TraceImportCommand: ActionCommand {
  static let configuration = CommandConfiguration(
    commandName: "import-perf",
    abstract: "Adds a profiler's samples to the requests of a running server or of an archive.",
    discussion: """
      perf record -k mono -g -p $(pgrep fastlike) -o p.data -- sleep 10
      perf inject --jit -i p.data -o p.jit.data
      perf script -i p.jit.data -F +pid > p.txt
      fastlike trace import-perf p.txt --server http://127.0.0.1:6060

      The server must run with --profile native. Profiles of samply and of the Firefox Profiler are taken too.
      """)

  @OptionGroup(title: "Source") var source: TraceSourceArguments

  @Flag(name: .customLong("json"), help: "Print what became of the samples as JSON.")
  var json = false

  @Argument(help: ArgumentHelp("The text of perf script, or a Firefox profile.", valueName: "file"))
  var file: String

  func action(in environment: FlagEnvironment) throws -> CommandAction {
    let (file, source, json) = (try FlagValues.path(file, flag: "FILE"), try source.source(in: environment), json)
    return {
      let summary = try await SampleImporter(file: file).run(into: source)
      if json {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        print(String(decoding: try encoder.encode(summary), as: UTF8.self))
      } else {
        print(summary.text)
      }
      return summary.attached > 0 ? Fastlike.ExitCodes.success : Fastlike.ExitCodes.failure
    }
  }
}

/// Brings the samples of a file into a place where traces are.
struct SampleImporter {
  /// Most requests of an archive that samples are joined to, the newest.
  static let maximumTraces = 20_000

  let file: String

  /// - Throws: ``TraceSourceError``, `NativeSampleError`, `NativeInputError` or `TraceArchiveError`.
  func run(into source: TraceSource) async throws -> SampleImportSummary {
    switch source {
    case .page(let client): try await upload(to: client)
    case .archive(let path): try merge(intoArchive: path)
    case .file: throw ConfigurationError(place: "--file", problem: "is only read; give --server or --dir")
    }
  }

  private func upload(to client: TracePageClient) async throws -> SampleImportSummary {
    let answer = try await client.post("/api/samples", file: file)
    switch answer.status {
    case 409, 413, 422, 500:
      throw TraceSourceError.unreadable(file, reason: Self.line(answer.body))
    default: try TraceSource.check(answer, from: client)
    }
    guard let summary = try? JSONDecoder().decode(SampleImportSummary.self, from: Data(answer.body)) else {
      throw TraceSourceError.noPage(client.name)
    }
    return summary
  }

  private static func line(_ body: [UInt8]) -> String {
    TraceText.printable(String(decoding: body.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self), limit: 400)
  }

  private func merge(intoArchive path: String) throws -> SampleImportSummary {
    let batch: NativeSampleBatch
    do {
      batch = try NativeProfileFormat.importSamples(atPath: file)
    } catch let error as NativeSampleError {
      throw TraceSourceError.unreadable(file, reason: "\(error)")
    }
    let archive = try TraceArchive(directory: path)
    defer { archive.close() }
    let entries = try archive.search(ArchiveQuery(limit: Self.maximumTraces))
    // A record that is damaged costs only itself.
    var traces = entries.compactMap { (try? archive.trace(id: $0.id)) ?? nil }
    let report = NativeSampleMerger().merge(batch, into: &traces)
    let changed = Set(report.changedTraces)
    for trace in traces where changed.contains(trace.id) {
      if !archive.append(trace) {
        archive.flush()
        _ = archive.append(trace)
      }
    }
    return SampleImportSummary(report, of: batch)
  }
}

extension SampleImportSummary {
  /// A table of what was attached and what was left out, and why.
  var text: String {
    let rows: [(count: Int, meaning: String)] = [
      (attached, "attached to \(TraceText.count(traces, "request"))"),
      (outsideWindow, "outside of any request"),
      (otherProcess, "of other processes"),
      (ambiguous, "ambiguous: several requests ran at that time"),
      (withoutStack, "without a stack"),
    ]
    let width = rows.map { String($0.count).count }.max() ?? 1
    var lines = rows.filter { $0.count > 0 || $0.meaning.hasPrefix("attached") }.map { row in
      let count = String(row.count)
      return String(repeating: " ", count: width - count.count) + count + "  " + row.meaning
    }
    if unknownProcess > 0 {
      lines.append("\(unknownProcess) of the attached name no process: write perf script -F +pid to be sure of them")
    }
    if unknownLines > 0 {
      let places = unknownLineNumbers.map { "\($0)" }.joined(separator: ", ")
      lines.append(
        "\(TraceText.count(unknownLines, "line")) not understood (\(places)\(unknownLineNumbers.count < unknownLines ? ", …" : ""))"
      )
    }
    return lines.joined(separator: "\n")
  }
}
