import ArgumentParser
import FastlikeProfile
import FastlikeRuntime
import FastlikeServer
import Foundation
import Testing

@testable import fastlike

@Suite struct BenchCommandTests {
  private let folder: TraceFolder
  private let module: String
  private let requests: String

  init() throws {
    folder = try TraceFolder()
    module = folder.file("app.wat")
    requests = folder.file("requests.http")
    try Data("(module (memory (export \"memory\") 1) (func (export \"_start\")))".utf8)
      .write(to: URL(fileURLWithPath: module))
    try Data("GET /a\n\n### weight=3\nGET /b\n".utf8).write(to: URL(fileURLWithPath: requests))
  }

  private func options(_ arguments: String...) throws -> BenchOptions {
    let line = ["bench", module, "--requests", requests] + arguments
    let command = try Fastlike.parseAsRoot(CommandSpelling.normalized(line))
    return try #require(command as? BenchCommand).options(in: FlagEnvironment())
  }

  private func problem(_ arguments: [String]) -> String {
    do {
      _ = try Fastlike.parse(["bench"] + arguments, environment: FlagEnvironment())
      return "no error"
    } catch {
      return (error as? ConfigurationError)?.description ?? Fastlike.message(for: error)
    }
  }

  @Test func flagsBecomeOptions() throws {
    let plain = try options()
    #expect(plain.requests.map(\.weight) == [1, 3])
    #expect(plain.length == .time(.seconds(5)))
    #expect(plain.other == nil)
    let full = try options(
      "--iterations", "100", "--warm-up", "0s", "--concurrency", "8", "--loops", "2", "--against", module, "--profile",
      "deep", "-b", "api=localhost:1")
    #expect(full.length == .requests(100))
    #expect(full.warmUp == .zero)
    #expect(full.concurrency == 8)
    #expect(full.loops == 2)
    #expect(full.other == module)
    #expect(full.execution.tracing.mode == .deep)
  }

  @Test func wrongUsageIsOneLineThatSaysWhatIsRight() {
    #expect(problem([]).hasPrefix("APP.wasm: is missing"))
    #expect(problem([module]).hasPrefix("--requests: is needed"))
    let start = [module, "--requests", requests]
    #expect(problem([module, "--requests", "none.http"]).hasPrefix("--requests: none.http: cannot be read"))
    #expect(
      problem(start + ["--iterations", "0"]).hasPrefix("--iterations: \"0\" is not allowed; write a number from 1"))
    #expect(problem(start + ["--time", "1ms"]).hasPrefix("--time: \"1ms\" is not allowed; write a time from"))
    #expect(problem(start + ["--time", "1s", "--iterations", "5"]).hasPrefix("--time: contradicts --iterations"))
    #expect(problem(start + ["--profile", "off"]).hasPrefix("--profile: off records nothing"))
    #expect(problem(start + ["--fail-if-slower"]).hasPrefix("--fail-if-slower: needs --against"))
    #expect(problem(start + ["--against", "none.wasm"]).hasPrefix("none.wasm: there is no such file"))
    #expect(problem(start + ["--budget", "none.toml"]).hasPrefix("--budget: cannot read \"none.toml\""))
  }

  @Test func everyFlagOfTheHelpIsInTheTable() {
    let known = CommandSpelling.flags.map(\.name)
    let negated = CommandSpelling.flags.filter(\.isNegatable).map { "no-" + $0.name }
    for match in BenchCommand.helpMessage().matches(of: /(?:^|[ ,\/])--([a-z][a-z_-]*)/.anchorsMatchLineEndings()) {
      #expect((known + negated).contains(String(match.1)), "\(match.1)")
    }
  }

  @Test func theTableHasALineForEachRoute() throws {
    let result = BenchResult(requests: [30], nanoseconds: [2_000_000_000], lost: 1)
    let routes = RouteSummary.routes(of: [TraceSample.slow(), TraceSample.slow(), TraceSample.bare(id: 1, path: "/b")])
    let text = BenchText(options: try options(), result: result, routes: [routes]).text
    #expect(text.hasPrefix("\(module): 30 requests in 2.0 s, 15 a second, 1 at a time\n"))
    #expect(text.contains("GET /slow         2       0    426 ms   426 ms   426 ms"))
    #expect(text.hasSuffix("\n1 request left no trace"))
  }

  @Test func tracesInAnArchiveGetIdsOfTheirOwn() throws {
    for _ in 0..<2 {
      var writer = try BenchTraces(folder.archive, isForced: false).open()
      writer.add(TraceSample.bare(id: 1))
      writer.add(TraceSample.bare(id: 2))
      try writer.finish()
    }
    let archive = try TraceArchive(directory: folder.archive, access: .readOnly)
    #expect(try archive.search().map(\.id).sorted() == [1, 2, 3, 4])
  }
}
