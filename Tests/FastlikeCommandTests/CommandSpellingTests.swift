import ArgumentParser
import FastlikeRuntime
import Testing

@testable import fastlike

@Suite struct CommandSpellingTests {
  @Test(arguments: [
    (["app.wasm"], ["serve", "--", "app.wasm"]),
    (["serve", "app.wasm"], ["serve", "--", "app.wasm"]),
    (["app.wasm", "-backend", "a=b:1"], ["serve", "--backend=a=b:1", "--", "app.wasm"]),
    (["--backend=a=b:1", "app.wasm"], ["serve", "--backend=a=b:1", "--", "app.wasm"]),
    (
      ["-b", "a=b:1", "-d=w=w.json", "app.wasm"],
      ["serve", "--backend=a=b:1", "--dictionary=w=w.json", "--", "app.wasm"]
    ),
    (["-C", "fastly.toml", "app.wasm"], ["serve", "--config=fastly.toml", "--", "app.wasm"]),
    (["-Cfastly.toml", "app.wasm"], ["serve", "--config=fastly.toml", "--", "app.wasm"]),
    (
      ["-C", "demo", "--addr", "127.0.0.1:0", "app.wasm"],
      ["serve", "--config=demo", "--addr=127.0.0.1:0", "--", "app.wasm"]
    ),
    (["-v", "serve", "app.wasm"], ["serve", "-v", "--", "app.wasm"]),
    (["-wasm", "app.wasm"], ["serve", "--wasm=app.wasm"]),
    (["--", "-odd.wasm"], ["serve", "--", "-odd.wasm"]),
    (["serve", "demo"], ["serve", "--", "demo"]),
    ([], ["serve"]),
  ])
  func aSpellingHasOneMeaning(arguments: [String], normalized: [String]) throws {
    #expect(try CommandSpelling.normalized(arguments) == normalized)
  }

  @Test(arguments: [
    (["-v"], 1), (["-vvv"], 3), (["-v", "-v"], 2), (["-v", "2"], 2), (["-v=0"], 0), (["-v", "0"], 0),
  ])
  func theLevelOfVerbosityIsCountedOrGiven(arguments: [String], level: Int) throws {
    let expected = ["serve"] + Array(repeating: "-v", count: level) + ["--", "app.wasm"]
    #expect(try CommandSpelling.normalized(arguments + ["app.wasm"]) == expected)
  }

  @Test(arguments: [
    ("-reload", "--reload"), ("--reload=true", "--reload"), ("-reload=false", "--no-reload"),
    ("--no-reload", "--no-reload"), ("--no-reload=false", "--reload"), ("--no-epoch", "--no-epoch"),
    ("-no-module-cache", "--no-module-cache"), ("-watch", "--watch"),
  ])
  func aSwitchCanBeTurnedOnAndOff(argument: String, normalized: String) throws {
    #expect(try CommandSpelling.normalized([argument]) == ["serve", normalized])
  }

  @Test(arguments: [
    ["run", "-C", "f.toml", "t.wasm", "-test.v", "--backend", "x"],
    ["run", "-C", "f.toml", "t.wasm", "--", "-test.v", "--backend", "x"],
    ["run", "-C", "f.toml", "--", "t.wasm", "-test.v", "--backend", "x"],
    ["-C", "f.toml", "run", "t.wasm", "-test.v", "--backend", "x"],
  ])
  func whatFollowsAProgramUnderTestIsItsOwn(arguments: [String]) throws {
    let expected = ["run", "--config=f.toml", "--", "t.wasm", "-test.v", "--backend", "x"]
    #expect(try CommandSpelling.normalized(arguments) == expected)
  }

  @Test(arguments: [
    (["--help"], ["--help"]), (["-h"], ["--help"]), (["run", "-help"], ["run", "--help"]),
    (["help", "run"], ["help", "run"]), (["--version"], ["version"]), (["-version"], ["version"]),
  ])
  func helpAndVersionCanBeAskedForAnyhow(arguments: [String], normalized: [String]) throws {
    #expect(try CommandSpelling.normalized(arguments) == normalized)
  }

  @Test(arguments: CommandSpelling.unavailableFlags.map(\.name))
  func aFlagOfALaterVersionIsRefusedInsteadOfIgnored(name: String) throws {
    for arguments in [["-\(name)", "1", "app.wasm"], ["app.wasm", "--\(name)=1"]] {
      let error = try #require(throws: ConfigurationError.self) { try CommandSpelling.normalized(arguments) }
      #expect(error.description == "--\(name): is not available in this version")
    }
  }

  @Test func aSubcommandOfALaterVersionIsRefused() {
    #expect(throws: ConfigurationError.self) { try CommandSpelling.normalized(["adapt", "in.wasm"]) }
    #expect(throws: Never.self) { try CommandSpelling.normalized(["serve", "adapt"]) }
  }

  @Test func everyFlagOfTheHelpIsInTheTable() {
    let known = CommandSpelling.flags.flatMap { [$0.name] + ($0.isNegatable ? ["no-\($0.name)"] : []) }
    for help in [
      ServeCommand.helpMessage(), RunCommand.helpMessage(), DemoCommand.helpMessage(), AbiCommand.helpMessage(),
    ] {
      for match in help.matches(of: /(?:^|[ ,\/])--([a-z][a-z_-]*)/.anchorsMatchLineEndings()) {
        #expect(known.contains(String(match.1)))
      }
    }
  }
}
