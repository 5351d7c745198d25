import ArgumentParser
import FastlikeProfile
import FastlikeRuntime
import Foundation
import Testing

@testable import fastlike

@Suite struct TraceCommandTests {
  /// The line that wrong usage gives.
  private func problem(_ arguments: String..., environment: [String: String] = [:]) -> String {
    do {
      _ = try Fastlike.parse(arguments, environment: FlagEnvironment(environment))
      return "no error"
    } catch let error as ConfigurationError {
      return error.description
    } catch {
      return Fastlike.message(for: error)
    }
  }

  private func source(_ arguments: String..., environment: [String: String] = [:]) throws -> TraceSource {
    let command = try Fastlike.parseAsRoot(CommandSpelling.normalized(["trace", "list"] + arguments))
    return try #require(command as? TraceListCommand).source.source(in: FlagEnvironment(environment))
  }

  private func execute(_ arguments: String...) async -> Int32 {
    await Fastlike.execute(arguments, environment: FlagEnvironment())
  }

  @Test(arguments: [
    (["trace", "list", "--json"], ["trace", "list", "--json"]),
    (["trace", "-dir", "d", "show", "12"], ["trace", "show", "--dir=d", "--", "12"]),
    (
      ["trace", "export", "1", "2", "--format", "har", "-o", "-", "3"],
      ["trace", "export", "--format=har", "--output=-", "--", "1", "2", "3"]
    ),
    (["trace", "export", "list"], ["trace", "export", "--", "list"]),
    (["trace", "show", "-h"], ["trace", "show", "--help"]), (["trace", "--help"], ["trace", "--help"]),
    (["trace"], ["trace"]), (["serve", "trace"], ["serve", "--", "trace"]),
  ])
  func aCommandOfTracesHasTwoWords(arguments: [String], normalized: [String]) throws {
    #expect(try CommandSpelling.normalized(arguments) == normalized)
  }

  @Test func theSecondWordIsOneOfSome() {
    #expect(
      problem("trace", "look").hasPrefix("trace: what of it? Write one of list, show, export, flame, diff, check"))
  }

  @Test func everyFlagOfTheHelpIsInTheTable() {
    let known = CommandSpelling.flags.map(\.name)
    for help in [
      TraceListCommand.helpMessage(), TraceShowCommand.helpMessage(), TraceExportCommand.helpMessage(),
      TraceFlameCommand.helpMessage(), TraceDiffCommand.helpMessage(), TraceCheckCommand.helpMessage(),
    ] {
      for match in help.matches(of: /(?:^|[ ,\/])--([a-z][a-z_-]*)/.anchorsMatchLineEndings()) {
        #expect(known.contains(String(match.1)))
      }
    }
  }

  @Test func theSourceIsAPageOrAFolder() throws {
    let page = TracePageClient(host: "127.0.0.1", port: 6060, token: "")
    #expect(try source("--server", "http://127.0.0.1:6060/") == .page(page))
    #expect(try source("--server", ":6060") == .page(page))
    #expect(try source("--dir", "traces") == .archive("traces"))
    #expect(
      try source("--server", "http://[::1]:1", "--token", "12345678")
        == .page(TracePageClient(host: "::1", port: 1, token: "12345678")))
  }

  @Test func aVariableOfTheServerNamesTheSource() throws {
    let variables = [
      "FASTLIKE_PROFILE_UI": "0.0.0.0:6060", "FASTLIKE_PROFILE_AUTH": "12345678", "FASTLIKE_PROFILE_DIR": "traces",
    ]
    #expect(
      try source(environment: variables) == .page(TracePageClient(host: "127.0.0.1", port: 6060, token: "12345678")))
    #expect(try source("--dir", "other", environment: variables) == .archive("other"))
    #expect(try source(environment: ["FASTLIKE_PROFILE_DIR": "traces"]) == .archive("traces"))
  }

  @Test func wrongUsageIsOneLineThatSaysWhatIsRight() {
    #expect(problem("trace", "list").hasPrefix("trace: where from? Give --server"))
    #expect(problem("trace", "list", "--server", ":1", "--dir", "d").hasPrefix("--server: contradicts --dir"))
    #expect(problem("trace", "list", "--dir", "d", "--token", "12345678").hasPrefix("--token: opens a page"))
    #expect(problem("trace", "show", "--dir", "d", "012").hasPrefix("ID: \"012\" is not allowed"))
    #expect(problem("trace", "list", "--dir", "d", "--outcome", "odd").hasPrefix("--outcome: \"odd\" is not allowed"))
    #expect(problem("trace", "export", "1", "--dir", "d", "--format", "svg").hasPrefix("--format: \"svg\""))
    #expect(problem("trace", "export", "--dir", "d").hasPrefix("Missing expected argument"))
  }

  @Test(arguments: ["https://localhost:6060", "http://user:secret@localhost:6060", "localhost", "http://localhost:0"])
  func anAddressThatIsNotAPagesIsNotRepeated(address: String) {
    #expect(
      problem("trace", "list", "--server", address)
        == "--server: is no page's address; write http://HOST:PORT")
  }

  @Test func theExitCodesTellMistakesFromFailures() async throws {
    let folder = try TraceFolder(TraceSample.slow())
    #expect(await execute("trace", "list") == 2)
    #expect(await execute("trace", "list", "--dir", folder.file("none")) == 1)
    #expect(await execute("trace", "show", "99", "--dir", folder.archive) == 1)
    #expect(await execute("trace", "list", "--server", "127.0.0.1:1") == 1)
  }

  @Test func anExportIsAWholeFileAndReplacesNoneUnasked() async throws {
    let folder = try TraceFolder(TraceSample.slow(), TraceSample.bare(id: 13))
    let file = folder.file("two.json")
    #expect(await execute("trace", "export", "12", "13", "--dir", folder.archive, "--output", file) == 0)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
    #expect(try NativeJSONDecoder.decode(bytes).map(\.id) == [12, 13])
    #expect(await execute("trace", "export", "12", "--dir", folder.archive, "--output", file) == 2)
    #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == bytes)
    #expect(await execute("trace", "export", "12", "--dir", folder.archive, "--output", file, "--force") == 0)
    #expect(try Data(contentsOf: URL(fileURLWithPath: file)) != bytes)
    #expect(try folder.names() == ["archive", "two.json"])
  }

  @Test func aFileThatCameMeanwhileStays() throws {
    let folder = try TraceFolder()
    let destination = try TraceExportDestination(folder.file("x"), isForced: false, isTerminal: false)
    try Data("first".utf8).write(to: URL(fileURLWithPath: folder.file("x")))
    #expect(throws: ConfigurationError.self) { try destination.write([1, 2, 3]) }
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("x"))) == Data("first".utf8))
    #expect(try folder.names() == ["archive", "x"])
  }

  @Test func aTerminalGetsAnExportOnlyWhenItIsAskedFor() throws {
    #expect(try TraceExportDestination(nil, isForced: false, isTerminal: false) == .standardOutput)
    #expect(try TraceExportDestination("-", isForced: false, isTerminal: true) == .standardOutput)
    #expect(throws: ConfigurationError.self) {
      try TraceExportDestination(nil, isForced: false, isTerminal: true)
    }
  }

  @Test(arguments: TraceExportFormat.allCases)
  func anExportIsWhatTheLibraryEncodes(format: TraceExportFormat) {
    let trace = TraceSample.slow()
    let native = NativeJSONEncoder.encode(trace)
    #expect(TraceExportCommand.encode([(trace, native)], as: format) == format.encode(trace))
    #expect(
      TraceExportCommand.encode([(trace, native), (trace, native)], as: format) == format.encode([trace, trace]))
  }
}
