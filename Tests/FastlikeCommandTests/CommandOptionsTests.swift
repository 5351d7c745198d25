import ArgumentParser
import FastlikeProfile
import FastlikeRuntime
import Testing

@testable import fastlike

@Suite struct CommandOptionsTests {
  private func serve(_ arguments: String..., environment: [String: String] = [:]) throws -> ServeOptions {
    let command = try Fastlike.parseAsRoot(CommandSpelling.normalized(arguments))
    return try #require(command as? ServeCommand).options(in: FlagEnvironment(environment))
  }

  private func run(_ arguments: String...) throws -> RunOptions {
    let command = try Fastlike.parseAsRoot(CommandSpelling.normalized(arguments))
    return try #require(command as? RunCommand).options(in: FlagEnvironment())
  }

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

  @Test func aProgramAloneIsServedWithTheDefaults() throws {
    #expect(try serve("app.wasm") == ServeOptions(module: "app.wasm"))
    #expect(ServeOptions(module: "").addresses == [.tcp(host: "127.0.0.1", port: 7676)])
  }

  @Test func theFlagsOfBothHostsAreUnderstoodTogether() throws {
    let options = try serve(
      "-bind", "localhost:8000", "-backend", "api=localhost:8080@50", "app.wasm", "-override-host", "api=www.test",
      "-d", "words=w.json", "-config-store", "more=m.json", "-logger", "audit=a.log", "-geo", "geo.json",
      "-compliance-region", "us", "-fake-fastly-key", "k", "-reload", "-v", "2", "--log-stdout", "--log-stderr",
      "-C", "fastly.toml", "--unknown-import-behavior", "trap", "--profile=off")
    var expected = ServeOptions(module: "app.wasm")
    expected.addresses = [.tcp(host: "localhost", port: 8000)]
    expected.service.manifest = "fastly.toml"
    expected.service.backends = [try FlagValues.backend("api=localhost:8080@50", flag: "")]
    expected.service.overrideHosts = [HostOverride(backend: "api", host: "www.test")]
    expected.service.configStores = [
      NamedFile(name: "words", path: "w.json"), NamedFile(name: "more", path: "m.json"),
    ]
    expected.service.loggers = [LoggerOption(name: "audit", path: "a.log")]
    expected.service.geoFile = "geo.json"
    expected.service.complianceRegion = "us"
    expected.service.fastlyKeys = ["k"]
    expected.reloadsOnSignal = true
    expected.execution.verbosity = 2
    expected.execution.logsStandardOutput = true
    expected.execution.logsStandardError = true
    expected.execution.unknownImports = .trap
    expected.execution.tracing.mode = .off
    #expect(options == expected)
  }

  @Test func theFlagsOfThisProgramAreUnderstood() throws {
    let options = try serve(
      "app.wasm", "--watch", "--module-cache", "cache", "--max-wall", "30s", "--max-vcpu", "50ms", "--addr", ":0",
      "--addr", "unix:/run/edge.sock", "--cache-size", "64MiB")
    #expect(options.reloadsOnChange)
    #expect(options.execution.cacheSize == 64 << 20)
    #expect(options.execution.moduleCache == .directory("cache"))
    #expect(options.execution.maximumWallTime == .seconds(30))
    #expect(options.execution.maximumCPUTime == .milliseconds(50))
    #expect(options.addresses == [.tcp(host: "", port: 0), .unix(path: "/run/edge.sock")])
    #expect(try serve("app.wasm", "--no-module-cache").execution.moduleCache == .disabled)
    #expect(try serve("app.wasm", "--no-epoch").execution.usesEpochClock == false)
    #expect(options.execution.readThrough == .explicit)
    #expect(try serve("app.wasm", "--readthrough", "off").execution.readThrough == .off)
    #expect(throws: (any Error).self) { try serve("app.wasm", "--readthrough", "always") }
  }

  @Test func tlsIsForEveryTCPAddressThatDoesNotSayOtherwise() throws {
    let options = try serve(
      "app.wasm", "--tls", "--tls-name", "app.test", "--bind", ":1", "--bind", "http://:2", "--bind", "unix:/a")
    #expect(options.addresses == [.tls(host: "", port: 1), .tcp(host: "", port: 2), .unix(path: "/a")])
    #expect(options.tls.certificate == .development(names: ["app.test"]))
    #expect(try serve("app.wasm", "--tls").addresses == [.tls(host: "127.0.0.1", port: 7676)])
    #expect(try serve("app.wasm", "--bind", "https://:3").addresses == [.tls(host: "", port: 3)])
    #expect(try serve("app.wasm", "--no-tls", environment: ["FASTLIKE_TLS": "1"]).addresses == [.standard])
  }

  @Test func aCertificateOfItsOwnIsGivenWithItsKey() throws {
    let options = try serve(
      "app.wasm", "--tls-cert", "c.pem", "--tls-key", "k.pem", "--tls-client-ca", "ca.pem", "--tls-client-auth",
      "required")
    #expect(options.addresses == [.tls(host: "127.0.0.1", port: 7676)])
    #expect(options.tls.certificate == .files(certificate: "c.pem", key: "k.pem"))
    #expect(options.tls.clientAuthorities == "ca.pem")
    #expect(options.tls.clientAuthentication == .required)
    #expect(problem("app.wasm", "--tls-cert", "c.pem").hasPrefix("--tls-cert: needs its key"))
    #expect(problem("app.wasm", "--tls-key", "k.pem").hasPrefix("--tls-key: needs the certificate"))
    #expect(problem("app.wasm", "--tls-client-auth", "optional").hasPrefix("--tls-client-auth: needs the authorities"))
    #expect(
      problem("app.wasm", "--tls-cert", "c", "--tls-key", "k", "--tls-name", "a.test").hasPrefix("--tls-name: names"))
  }

  @Test func theLegacySpellingOfTheProgramIsUnderstood() throws {
    #expect(try serve("-wasm", "app.wasm").module == "app.wasm")
    #expect(problem("-wasm", "app.wasm", "other.wasm").hasPrefix("--wasm: contradicts the program other.wasm"))
  }

  @Test func theArgumentsOfAProgramUnderTestAreItsOwn() throws {
    let options = try run("run", "-backend", "api=localhost:1", "t.wasm", "--", "--list", "-v", "--", "x")
    #expect(options.module == "t.wasm")
    #expect(options.arguments == ["--list", "-v", "--", "x"])
    #expect(options.service.backends.map(\.name) == ["api"])
    #expect(options.execution.verbosity == 0)
  }

  @Test func aVariableStandsForAFlag() throws {
    let options = try serve(
      "app.wasm",
      environment: [
        "FASTLIKE_BIND": ":1,:2", "FASTLIKE_BACKEND": "a=a.test,b=b.test", "FASTLIKE_CONFIG": "f.toml",
        "FASTLIKE_WATCH": "1", "FASTLIKE_NO_EPOCH": "yes", "FASTLIKE_VERBOSE": "3", "FASTLIKE_MAX_WALL": "1s",
        "FASTLIKE_NO_MODULE_CACHE": "true", "FASTLIKE_PROFILE": "off", "FASTLIKE_GEO": "",
      ])
    #expect(options.addresses == [.tcp(host: "", port: 1), .tcp(host: "", port: 2)])
    #expect(options.service.backends.map(\.name) == ["a", "b"])
    #expect(options.service.manifest == "f.toml")
    #expect(options.reloadsOnChange)
    #expect(!options.execution.usesEpochClock)
    #expect(options.execution.verbosity == 3)
    #expect(options.execution.maximumWallTime == .seconds(1))
    #expect(options.execution.moduleCache == .disabled)
    #expect(options.execution.tracing.mode == .off)
    #expect(options.service.geoFile == nil)
  }

  @Test func aFlagWinsOverItsVariable() throws {
    let options = try serve(
      "app.wasm", "--bind", ":9", "--no-watch", "-v", "--max-wall", "none", "--module-cache", "m", "-b", "c=c.test",
      environment: [
        "FASTLIKE_BIND": ":1", "FASTLIKE_WATCH": "1", "FASTLIKE_VERBOSE": "3", "FASTLIKE_MAX_WALL": "1s",
        "FASTLIKE_NO_MODULE_CACHE": "1", "FASTLIKE_BACKEND": "a=a.test",
      ])
    #expect(options.addresses == [.tcp(host: "", port: 9)])
    #expect(!options.reloadsOnChange)
    #expect(options.execution.verbosity == 1)
    #expect(options.execution.maximumWallTime == nil)
    #expect(options.execution.moduleCache == .directory("m"))
    #expect(options.service.backends.map(\.name) == ["c"])
  }

  @Test func aMistakeInAVariableNamesTheVariable() {
    #expect(
      problem("app.wasm", environment: ["FASTLIKE_MAX_WALL": "soon"]).hasPrefix("FASTLIKE_MAX_WALL: \"soon\" is not "))
    #expect(problem("app.wasm", environment: ["FASTLIKE_WATCH": "maybe"]).hasPrefix("FASTLIKE_WATCH: \"maybe\""))
  }

  @Test func aMistakeInAFlagNamesTheFlag() {
    #expect(problem("app.wasm", "-bind", "8000").hasPrefix("--bind: \"8000\" is not allowed; write HOST:PORT"))
    #expect(
      problem("app.wasm", "--profile", "all")
        == "--profile: \"all\" is not allowed; write one of off, trace, native, combined, deep"
    )
    #expect(problem("app.wasm", "--profile=guest,dir").contains("guest is not available in this version"))
    #expect(problem("app.wasm", "--unknown-import-behavior", "x").contains("write link-error or trap"))
    #expect(problem("app.wasm", "-backends", "x").contains("--backends"))
    #expect(problem("app.wasm", "--bind").contains("--bind"))
    #expect(problem("app.wasm", "other.wasm").contains("other.wasm"))
  }

  @Test func aMissingProgramIsExplained() {
    #expect(problem().hasPrefix("APP.wasm: is missing: write fastlike APP.wasm"))
    #expect(problem("run").hasPrefix("APP.wasm: is missing"))
    #expect(problem("/nonexistent/app.wasm").hasPrefix("/nonexistent/app.wasm: there is no such file"))
    #expect(problem("/").hasPrefix("/: cannot be read"))
  }

  @Test func aNameThatIsGivenTwiceIsAMistake() {
    #expect(
      problem("app.wasm", "-b", "a=x.test", "-b", "a=y.test")
        == "--backend: the name \"a\" is given twice; give each name once")
    #expect(problem("app.wasm", "-b", "x.test", "-b", "y.test").contains("the catch-all backend is given twice"))
    #expect(problem("app.wasm", "-d", "a=x", "-config-store", "a=y").contains("the name \"a\" is given twice"))
  }

  @Test func settingsThatContradictEachOtherAreRefused() {
    #expect(problem("app.wasm", "--module-cache", "m", "--no-module-cache").hasPrefix("--module-cache: contradicts"))
    #expect(problem("app.wasm", "--max-vcpu", "1s", "--no-epoch").hasPrefix("--max-vcpu: needs the epoch clock"))
  }

  @Test func storesHaveFlagsAndVariables() throws {
    let options = try serve(
      "-kv", "a", "--kv", "b=b.json", "-secret-store", "s=s.json", "-acl", "l=l.json", "--kv-dir", "kv", "--kv-reseed",
      "app.wasm"
    ).service
    #expect(options.kvStores == [KVStoreOption(name: "a"), KVStoreOption(name: "b", path: "b.json")])
    #expect(options.secretStores == [NamedFile(name: "s", path: "s.json")])
    #expect(options.accessControlLists == [NamedFile(name: "l", path: "l.json")])
    #expect(options.kvDirectory == "kv")
    #expect(options.reseedsKVStores)
    let variables = ["FASTLIKE_KV": "a,b=b.json", "FASTLIKE_KV_DIR": "kv", "FASTLIKE_KV_RESEED": "1"]
    let other = try serve("app.wasm", environment: variables).service
    #expect(other.kvStores == options.kvStores)
    #expect(other.kvDirectory == "kv")
    #expect(other.reseedsKVStores)
    #expect(problem("--kv", "a", "--kv", "a", "app.wasm").contains("--kv: the name \"a\" is given twice"))
    #expect(problem("--secret-store", "a b=x", "app.wasm").contains("--secret-store: a name has 1 to 255"))
  }

  @Test func theDemoListensWhereItIsTold() throws {
    let command = try Fastlike.parseAsRoot(CommandSpelling.normalized(["demo", "-bind", ":0", "-v"]))
    let options = try #require(command as? DemoCommand).options(in: FlagEnvironment())
    #expect(options.addresses == [.tcp(host: "", port: 0)])
    #expect(options.execution.verbosity == 1)
  }

  @Test func wrongUsageHasExitCodeTwoAndHelpHasZero() async {
    #expect(await Fastlike.execute(["--adapt", "app.wasm"], environment: FlagEnvironment()) == 2)
    #expect(await Fastlike.execute(["--nonsense"], environment: FlagEnvironment()) == 2)
    #expect(await Fastlike.execute(["--help"], environment: FlagEnvironment()) == 0)
    #expect(await Fastlike.execute(["run", "--help"], environment: FlagEnvironment()) == 0)
    #expect(await Fastlike.execute(["version"], environment: FlagEnvironment()) == 0)
  }
}
