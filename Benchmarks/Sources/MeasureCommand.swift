import ArgumentParser
import Foundation

/// Runs the benchmarks one after the other and prints each one's figures as soon as it has them.
struct MeasureCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "measure", abstract: "Runs the benchmarks and prints the table.",
    discussion: """
      Each run of a benchmark takes less than 15 seconds and uses this machine's loopback addresses only. The reference \
      is Go fastlike on a quiet machine with two cores, so the ratios hold where this one is quiet and has two.

      Benchmarks: \(Catalogue.all.map(\.name).joined(separator: ", "))
      """)

  @Argument(help: ArgumentHelp("The release build of fastlike.", valueName: "fastlike"))
  var server: String

  @Argument(help: ArgumentHelp("The folder of the built guests.", valueName: "guests"))
  var guests: String

  @Option(help: ArgumentHelp("Only the benchmarks whose name begins so. May be repeated.", valueName: "name"))
  var only: [String] = []

  @Option(help: ArgumentHelp("How often each is measured; the table shows median and range.", valueName: "count"))
  var runs = 3

  @Option(help: ArgumentHelp("Write the results to a file, too.", valueName: "file"))
  var json: String?

  @Option(help: ArgumentHelp("A big guest, for the time from start to first response.", valueName: "file.wasm"))
  var module: String?

  @Option(help: ArgumentHelp("The Go SDK's hello world, for requests/s and memory.", valueName: "file.wasm"))
  var goHello: String?

  func validate() throws {
    guard (1...99).contains(runs) else { throw ValidationError("--runs \(runs): give a number from 1 to 99") }
    for prefix in only where Catalogue.matching(prefix).isEmpty {
      let names = Catalogue.all.map(\.name).joined(separator: ", ")
      throw ValidationError("--only \(prefix): no benchmark's name begins so; there are \(names)")
    }
    let files = [("fastlike", server), ("guests", guests), ("--module", module), ("--go-hello", goHello)]
    for (flag, path) in files {
      guard let path, !FileManager.default.fileExists(atPath: path) else { continue }
      throw ValidationError("\(flag) \(path): there is no such file or folder")
    }
  }

  func run() async throws {
    let workbench = try Workbench(server: server, guests: guests, module: module, goHello: goHello)
    let interruption = Interruption { workbench.remove() }
    defer {
      interruption.cancel()
      workbench.remove()
    }
    let machine = MachineFacts.now(generator: workbench.loadGenerator)
    print(machine.description + "\n\n" + ResultTable.header)
    var results: [BenchmarkResult] = []
    for benchmark in Catalogue.all where isWanted(benchmark) {
      let result = await measure(benchmark, on: workbench)
      results.append(result)
      print(ResultTable.rows(of: result))
      fflush(nil)
    }
    if let json { try ResultFile(machine: machine, benchmarks: results).write(to: json) }
    if results.contains(where: { $0.failure != nil }) { throw ExitCode.failure }
  }

  private func isWanted(_ benchmark: Benchmark) -> Bool {
    only.isEmpty || only.contains { benchmark.name.hasPrefix($0) }
  }

  private func measure(_ benchmark: Benchmark, on workbench: Workbench) async -> BenchmarkResult {
    var result = BenchmarkResult(benchmark)
    defer { Self.showProgress("") }
    do {
      for run in 1...runs {
        Self.showProgress("\(benchmark.name): run \(run) of \(runs)")
        result.add(try await benchmark.measure(workbench))
      }
    } catch let skipped as Skipped {
      result.skipped = skipped.reason
    } catch {
      result.failure = "\(error)"
    }
    return result
  }

  private static func showProgress(_ text: String) {
    guard isatty(STDERR_FILENO) == 1 else { return }
    FileHandle.standardError.write(Data("\r\u{1B}[K\(text)".utf8))
  }
}
