import ArgumentParser
import CTimestamp
import FastlikeProfile
import Foundation

/// Importing a large `perf script` text and joining its samples to traces.
enum SampleImportBenchmark {
  static let all = [
    Benchmark(
      name: "import", title: "1,000,000 perf samples of 8 frames, joined to 256 traces",
      metrics: [
        Metric("import and merge", .nanoseconds, target: .atMost(5e9)),
        Metric("merge alone", .nanoseconds),
        Metric("peak memory", .bytes, target: .atMost(500e6)),
      ], measure: measure)
  ]

  /// In a process of its own, whose memory holds nothing else.
  @Sendable
  private static func measure(_ workbench: Workbench) async throws -> [Double] {
    let program = Bundle.main.executablePath ?? CommandLine.arguments[0]
    let output = try await ChildCommand.runAside(program, [ImportSamplesCommand.name])
    let values = output.split { $0.isWhitespace }.compactMap { Double($0) }
    guard values.count == 3 else { throw BenchmarkFailure("the import did not give its figures") }
    return values
  }
}

/// The import itself: prints the nanoseconds of import and merge, those of the merge, and the peak of memory in bytes.
struct ImportSamplesCommand: ParsableCommand {
  static let name = "import-samples"
  static let configuration = CommandConfiguration(commandName: name, shouldDisplay: false)

  func run() throws {
    let store = ProfileStore()
    for index in 0..<PerfText.requests { store.complete(PerfText.request(index)) }
    var parser = PerfScriptImporter().makeParser()
    var text = PerfText()
    var time: UInt64 = 0
    // Writing the text is not part of the import, so only the parser's time counts.
    while let piece = text.nextPiece() {
      let begin = ctimestamp_monotonic()
      try parser.feed(piece)
      time += ctimestamp_monotonic() - begin
    }
    let begin = ctimestamp_monotonic()
    let batch = try parser.finish()
    let mergeBegin = ctimestamp_monotonic()
    let report = NativeSampleMerger().merge(batch, into: store)
    let end = ctimestamp_monotonic()
    guard batch.events.count == PerfText.samples, report.changedTraces.count == PerfText.requests,
      report.attached == PerfText.samples - PerfText.samplesOutside
    else { throw BenchmarkFailure("not every sample found its trace: \(report)") }
    print(time + end - begin, end - mergeBegin, Self.peakMemory())
  }

  private static func peakMemory() -> Int {
    #if os(Linux)
      // What getrusage tells would include the parent's memory, which this process began with.
      return ProcessFacts.of(ProcessInfo.processInfo.processIdentifier).peakResident
    #else
      var usage = rusage()
      getrusage(RUSAGE_SELF, &usage)
      return usage.ru_maxrss
    #endif
  }
}
