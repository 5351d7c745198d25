import Foundation
import Testing

/// The command line: what it answers, and that every mistake is one line.
@Suite("Conformance: command line", .timeLimit(.minutes(5)))
struct CommandTests {
  /// Arguments, where APP stands for a program that works, and what the complaint names.
  struct Mistake: Sendable, CustomTestStringConvertible {
    var arguments: [String]
    var named: [String]

    init(_ arguments: String, _ named: String...) {
      self.arguments = arguments.split(separator: " ").map(String.init)
      self.named = named
    }

    var testDescription: String { arguments.joined(separator: " ") }
  }

  static let mistakes = [
    Mistake("", "APP.wasm"),
    Mistake("run", "APP.wasm"),
    Mistake("missing.wasm", "missing.wasm", "no such file"),
    Mistake("/", "cannot be read"),
    Mistake("--nope APP", "--nope"),
    Mistake("serve APP APP", "Unexpected argument"),
    Mistake("--bind nowhere APP", "--bind", "nowhere", "HOST:PORT"),
    Mistake("--bind 127.0.0.1:99999 APP", "--bind", "65535"),
    Mistake("-addr=::1:80 APP", "--bind"),
    Mistake("-b a= APP", "--backend", "NAME=HOST:PORT"),
    Mistake("-b a=ftp://x APP", "--backend a"),
    Mistake("-b a=x@101 APP", "--backend a", "@0 to @100"),
    Mistake("-b a=x:1 -b a=x:2 APP", "--backend", "twice"),
    Mistake("-override-host = APP", "--override-host", "NAME=HOST"),
    Mistake("-d store APP", "--dictionary", "NAME=FILE"),
    Mistake("--config-store =x APP", "--config-store"),
    Mistake("--logger stdout APP", "--logger", "reserved"),
    Mistake("--profile nonsense APP", "--profile", "off"),
    Mistake("--max-wall soon APP", "--max-wall", "100ms"),
    Mistake("--max-vcpu -1s APP", "--max-vcpu"),
    Mistake("--no-epoch --max-vcpu 1s APP", "--max-vcpu", "--no-epoch"),
    Mistake("--unknown-import-behavior ignore APP", "--unknown-import-behavior", "link-error or trap"),
    Mistake("--module-cache x --no-module-cache APP", "--module-cache", "--no-module-cache"),
    Mistake("--cache-size 1MB APP", "--cache-size", "64KiB"),
    Mistake("adapt APP", "adapt", "not available"),
  ]

  @Test(arguments: mistakes)
  func wrongUsageIsOneLineThatNamesTheFlagAndExitsWith2(_ mistake: Mistake) async throws {
    let program = try temporaryFile("app.wat", TextModule.empty)
    let result = try await fastlike(mistake.arguments.map { $0 == "APP" ? program : $0 })
    #expect(result.status == .exited(2))
    #expect(result.output.isEmpty)
    let lines = result.errors.split(separator: "\n")
    #expect(lines.count == 1)
    #expect(result.errors.hasPrefix("fastlike: "))
    for name in mistake.named { #expect(result.errors.contains(name)) }
  }

  @Test func aVariableIsNamedLikeItsFlag() async throws {
    let program = try temporaryFile("app.wat", TextModule.empty)
    let result = try await fastlike([program], environment: ["FASTLIKE_MAX_WALL": "soon"])
    #expect(result.status == .exited(2))
    #expect(result.errors.contains("FASTLIKE_MAX_WALL"))
  }

  @Test(arguments: [
    ("[local_server.backends.x]\nurl = \"http://a\"\ncolour = \"red\"\n", ":3: local_server.backends.x.colour"),
    ("[local_server.backends.x]\nurl = 5\n", ":2: local_server.backends.x.url"),
    ("manifest_version = 9\n", "manifest_version"),
    ("[local_server\n", ":1: not TOML"),
  ])
  func aMistakeInTheManifestIsOneLineThatNamesFileLineAndKey(_ text: String, named: String) async throws {
    let manifest = try temporaryFile("fastly.toml", text)
    let result = try await fastlikeRun(try temporaryFile("app.wat", TextModule.empty), flags: ["-C", manifest])
    #expect(result.status == .exited(2))
    #expect(result.complaints.count == 1)
    #expect(result.errors.contains(manifest))
    #expect(result.errors.contains(named))
  }

  @Test(arguments: [["-C", "missing.toml"], ["-d", "x=missing.json"], ["--geo", "missing.json"]])
  func aMissingFileIsNamed(_ flags: [String]) async throws {
    let result = try await fastlikeRun(try temporaryFile("app.wat", TextModule.empty), flags: flags)
    #expect(result.status == .exited(2))
    #expect(result.complaints.count == 1)
    #expect(result.errors.contains("missing."))
  }

  @Test func anOverrideHostForAnUnknownBackendIsNamed() async throws {
    let program = try temporaryFile("app.wat", TextModule.empty)
    let result = try await fastlikeRun(program, flags: ["-b", "known=localhost:1", "-override-host", "other=x"])
    #expect(result.status == .exited(2))
    #expect(result.errors.contains("\"other\""))
    #expect(result.errors.contains("\"known\""))
  }

  @Test func anAddressInUseIsNamed() async throws {
    let port = try await SharedEdges.edge("hello").port
    let program = try temporaryFile("app.wat", TextModule.empty)
    let result = try await fastlike(
      ["--module-cache", Places.moduleCache, "--bind", "127.0.0.1:\(port)", program])
    #expect(result.status == .exited(1))
    #expect(result.complaints == ["fastlike: cannot listen on 127.0.0.1:\(port): another program listens there"])
  }

  // MARK: Commands

  private struct Function: Decodable {
    var module: String
    var name: String
    var state: String
    var reason: String?
  }

  @Test func theTableOfTheAbiHas411Functions() async throws {
    let result = try await fastlike(["abi", "--json"])
    #expect(result.status == .exited(0))
    let functions = try JSONDecoder().decode([Function].self, from: Data(result.output.utf8))
    #expect(functions.count == 411)
    #expect(Set(functions.map { "\($0.module).\($0.name)" }).count == 411)
    #expect(Set(functions.map(\.state)).isSubset(of: ["implemented", "local answer", "unsupported"]))
    // What is not implemented says why.
    #expect(functions.allSatisfy { ($0.state == "implemented") == ($0.reason == nil) })
    let text = try await fastlike(["abi"])
    #expect(text.output.split(separator: "\n").last?.hasPrefix("411 functions: ") == true)
  }

  @Test func helpAndVersionGoToTheStandardOutput() async throws {
    for arguments in [["--help"], ["-h"], ["help", "serve"], ["run", "--help"], ["--version"], ["version"]] {
      let result = try await fastlike(arguments)
      #expect(result.status == .exited(0))
      #expect(!result.output.isEmpty)
      #expect(result.errors.isEmpty)
    }
  }

  @Test func flagsMayFollowTheProgramAndHaveOneDashOrTwo() async throws {
    let program = try temporaryFile("app.wat", TextModule.answering("served"))
    try await withFastlike(program, ["serve", "-max-wall=5s", "--backend", "a=localhost:1"]) { edge in
      let reply = try await edge.get("/")
      #expect(reply.text == "served")
    }
    let child = try ChildProcess(
      try Places.binary(), [program, "-bind", "127.0.0.1:0", "-no-module-cache", "-b", "localhost:1"])
    try await eventually("it serves") { child.output.contains("fastlike: serving app on http://127.0.0.1:") }
    await child.end()
  }

  @Test(arguments: [
    "[setup.backends.api]\naddress = \"x\"\n", "[[backends]]\nname = \"api\"\n",
    "[local_server.nonsense]\nkey = 1\n",
  ])
  func whatTheManifestSaysInVainIsWarnedOfByKey(_ text: String) async throws {
    let manifest = try temporaryFile("fastly.toml", text)
    let result = try await fastlikeRun(try temporaryFile("app.wat", TextModule.empty), flags: ["-C", manifest])
    #expect(result.status == .exited(0))
    let lines = result.errors.split(separator: "\n")
    #expect(lines.count == 1)
    #expect(result.errors.hasPrefix("fastlike: warning: \(manifest):1: "))
    #expect(result.errors.contains(text.contains("nonsense") ? "local_server.nonsense" : "\"api\""))
  }
}
