import ComputeABI
import Testing

@testable import FastlikeRuntime

@Suite struct ConfigurationFlagValuesTests {
  private func problem(_ read: () throws -> Any) -> String {
    do {
      return "no error, but \(try read())"
    } catch {
      return "\(error)"
    }
  }

  // MARK: Backends

  @Test func aBackendIsANameAndAnAddress() throws {
    let backend = try FlagValues.backend("api=origin.test:8080", flag: "--backend")
    #expect(backend == BackendDefinition(name: "api", host: "origin.test", port: 8080, usesTLS: false))
  }

  @Test(arguments: [
    ("api=origin.test", "origin.test", 80, false, ""),
    ("api=http://origin.test", "origin.test", 80, false, ""),
    ("api=https://origin.test", "origin.test", 443, true, ""),
    ("api=https://origin.test:8443/base/v1/", "origin.test", 8443, true, "/base/v1"),
    ("api=origin.test:81/", "origin.test", 81, false, ""),
    ("api=wss://origin.test/socket", "origin.test", 443, true, "/socket"),
    ("api=[::1]:8080", "::1", 8080, false, ""),
    ("api=https://[2001:db8::7]", "2001:db8::7", 443, true, ""),
    ("api=::1", "::1", 80, false, ""),
    ("api=HTTP://10.0.0.1:9", "10.0.0.1", 9, false, ""),
  ])
  func theAddressOfABackendHasDefaults(
    value: String, host: String, port: UInt16, usesTLS: Bool, pathPrefix: String
  ) throws {
    let backend = try FlagValues.backend(value, flag: "--backend")
    let expected = BackendDefinition(name: "api", host: host, port: port, usesTLS: usesTLS, pathPrefix: pathPrefix)
    #expect(backend == expected)
  }

  @Test(arguments: ["origin.test:8080", "=origin.test:8080", "http://origin.test:8080"])
  func aBackendWithoutANameIsTheCatchAll(value: String) throws {
    let backend = try FlagValues.backend(value, flag: "-b")
    #expect(backend.name == "")
    #expect(backend.host == "origin.test")
    #expect(backend.port == 8080)
  }

  @Test func anEqualsSignInAPathDoesNotEndAName() throws {
    let backend = try FlagValues.backend("http://origin.test/a=b", flag: "--backend")
    #expect(backend.name == "")
    #expect(backend.pathPrefix == "/a=b")
  }

  @Test(arguments: [("@0", 0, ComputeABI.BackendHealth.unhealthy), ("@35", 35, .healthy), ("@100", 100, .healthy)])
  func theReliabilityOfABackendSetsItsHealth(suffix: String, percent: UInt8, health: ComputeABI.BackendHealth) throws {
    let backend = try FlagValues.backend("api=https://origin.test/base" + suffix, flag: "--backend")
    #expect(backend.reliabilityPercent == percent)
    #expect(backend.health == health)
    #expect(backend.pathPrefix == "/base")
  }

  @Test func aBackendWithoutReliabilityHasUnknownHealth() throws {
    let backend = try FlagValues.backend("api=origin.test", flag: "--backend")
    #expect(backend.reliabilityPercent == nil)
    #expect(backend.health == .unknown)
  }

  @Test(arguments: [
    ("api=", "has no host"),
    ("api=origin.test:0", "a port that is not a number from 1 to 65535"),
    ("api=origin.test:65536", "a port that is not a number from 1 to 65535"),
    ("api=origin.test:", "a port that is not a number from 1 to 65535"),
    ("api=ftp://origin.test", "must begin with http:// or https://"),
    ("api=[::1", "a [ without ]"),
    ("api=[origin.test]:80", "an IPv6 address in its brackets"),
    ("api=origin test", "other characters than letters, digits"),
    ("api=origin.test/a b", "percent-encoded"),
    ("api=origin.test@101", "@0 to @100"),
  ])
  func aBackendThatCannotBeReadIsExplained(value: String, part: String) {
    let problem = problem { try FlagValues.backend(value, flag: "--backend") }
    #expect(problem.hasPrefix("--backend api: "))
    #expect(problem.contains(part))
  }

  @Test func theErrorOfABackendShowsNeitherPasswordNorQuery() {
    let withPassword = problem { try FlagValues.backend("api=http://me:hunter2@origin.test", flag: "--backend") }
    #expect(withPassword.contains("must not hold a user name or password"))
    #expect(!withPassword.contains("hunter2"))
    let withQuery = problem { try FlagValues.backend("api=http://origin.test/?token=t0ps", flag: "--backend") }
    #expect(withQuery.contains("without query"))
    #expect(!withQuery.contains("t0ps"))
  }

  @Test func anOverrideHostBelongsToABackendOrToTheCatchAll() throws {
    #expect(
      try FlagValues.overrideHost("api=www.test:81", flag: "f") == HostOverride(backend: "api", host: "www.test:81"))
    #expect(try FlagValues.overrideHost("www.test", flag: "f") == HostOverride(backend: "", host: "www.test"))
    #expect(problem { try FlagValues.overrideHost("api= ", flag: "--override-host") }.contains("write NAME=HOST"))
  }

  // MARK: Stores and endpoints

  @Test func aStoreIsANameAndAFile() throws {
    let file = try FlagValues.namedFile("words=data/a=b.json", flag: "--dictionary")
    #expect(file == NamedFile(name: "words", path: "data/a=b.json"))
  }

  @Test(arguments: ["words", "words=", "=words.json", ""])
  func aStoreWithoutNameOrFileIsRefused(value: String) {
    let problem = problem { try FlagValues.namedFile(value, flag: "--dictionary") }
    #expect(problem == "--dictionary: \"\(value)\" is not allowed; write NAME=FILE.json")
  }

  @Test func aLoggerMayHaveAFile() throws {
    #expect(try FlagValues.logger("audit", flag: "--logger") == LoggerOption(name: "audit"))
    #expect(try FlagValues.logger("audit=a.log", flag: "--logger") == LoggerOption(name: "audit", path: "a.log"))
  }

  @Test(arguments: ["stdout", "STDERR=x", "fst_managed_x", "Fst_Managed_", "", "=file", "audit="])
  func aLoggerWithAReservedOrMissingNameIsRefused(value: String) {
    #expect(problem { try FlagValues.logger(value, flag: "--logger") }.hasPrefix("--logger: "))
    #expect(throws: ConfigurationError.self) { try FlagValues.logger(value, flag: "--logger") }
  }

  @Test func aRefusedFastlyKeyIsNotShown() {
    let problem = problem { try FlagValues.fastlyKey("sec\u{1}ret", flag: "--fake-fastly-key") }
    #expect(problem.hasPrefix("--fake-fastly-key: "))
    #expect(!problem.contains("ret"))
  }

  // MARK: Addresses and times

  @Test(arguments: [
    ("127.0.0.1:7676", BindAddress.tcp(host: "127.0.0.1", port: 7676)),
    ("localhost:0", .tcp(host: "localhost", port: 0)),
    (":8080", .tcp(host: "", port: 8080)),
    ("[::1]:8080", .tcp(host: "::1", port: 8080)),
    ("unix:/run/edge.sock", .unix(path: "/run/edge.sock")),
    ("https://127.0.0.1:8443", .tls(host: "127.0.0.1", port: 8443)),
    ("https://[::1]:0", .tls(host: "::1", port: 0)),
  ])
  func anAddressToListenOnIsReadAndDescribed(value: String, address: BindAddress) throws {
    #expect(try FlagValues.bindAddress(value, flag: "--bind") == address)
    #expect(address.description == value)
  }

  @Test(arguments: [
    "8080", "localhost", "localhost:", "localhost:65536", "::1:80", "[::1:80", "a b:80", "unix:", "", "https://x",
    "ftp://x:1",
  ])
  func anAddressThatCannotBeListenedOnIsRefused(value: String) {
    #expect(throws: ConfigurationError.self) { try FlagValues.bindAddress(value, flag: "--bind") }
  }

  @Test func anAddressThatDoesNotSayIsSecureWhereTLSIsTheRule() throws {
    #expect(try FlagValues.bindAddress(":1", flag: "--bind", isSecure: true) == .tls(host: "", port: 1))
    #expect(try FlagValues.bindAddress("http://:1", flag: "--bind", isSecure: true) == .tcp(host: "", port: 1))
    #expect(try FlagValues.bindAddress("unix:/a", flag: "--bind", isSecure: true) == .unix(path: "/a"))
  }

  @Test func aCertificateNameIsADNSNameOrAnAddress() throws {
    #expect(try FlagValues.certificateName("App.test", flag: "--tls-name") == "app.test")
    #expect(try FlagValues.certificateName("*.app.test", flag: "--tls-name") == "*.app.test")
    #expect(try FlagValues.certificateName("0:0::1", flag: "--tls-name") == "::1")
    for value in ["", "a..b", "-a.test", "a b", "*.*.test", "https://app.test"] {
      #expect(throws: ConfigurationError.self) { try FlagValues.certificateName(value, flag: "--tls-name") }
    }
  }

  @Test(arguments: [
    ("100ms", Duration.milliseconds(100)), ("2s", .seconds(2)), ("3", .seconds(3)), ("1.5s", .milliseconds(1500)),
    ("50us", .microseconds(50)), ("50µs", .microseconds(50)), ("7ns", .nanoseconds(7)), ("2m", .seconds(120)),
    ("0", .zero), ("0.1", .milliseconds(100)),
  ])
  func aTimeHasAUnitOrIsInSeconds(value: String, duration: Duration) throws {
    #expect(try FlagValues.duration(value, flag: "--max-wall") == duration)
  }

  @Test(arguments: ["", "s", "-1s", "1h", "1.2.3", ".5s", "1e3", "ten", "99999999999999999999", "1 s"])
  func aTimeThatCannotBeReadIsRefused(value: String) {
    #expect(throws: ConfigurationError.self) { try FlagValues.duration(value, flag: "--max-wall") }
  }

  @Test func aLimitOfZeroOrNoneIsNoLimit() throws {
    #expect(try FlagValues.limit("0s", flag: "--max-wall") == nil)
    #expect(try FlagValues.limit("none", flag: "--max-wall") == nil)
    #expect(try FlagValues.limit("50ms", flag: "--max-wall") == .milliseconds(50))
  }

  @Test(arguments: [
    ("65536", 65_536), ("65536B", 65_536), ("64KiB", 65_536), ("64MiB", 64 << 20), ("1GiB", 1 << 30),
    ("1024GiB", 1 << 40),
  ])
  func aSizeIsInBytesOrHasABinaryUnit(value: String, byteCount: Int) throws {
    #expect(try FlagValues.size(value, flag: "--cache-size") == byteCount)
  }

  @Test(arguments: [
    "", "MiB", "64 MiB", "64MB", "64mib", "1.5GiB", "-1MiB", "63KiB", "0", "1025GiB", "99999999999999999999",
  ])
  func aSizeThatCannotBeReadOrIsOutOfRangeIsRefused(value: String) {
    #expect(
      problem { try FlagValues.size(value, flag: "--cache-size") }
        .hasSuffix("is not allowed; write a size from 64KiB to 1024GiB, such as 64MiB"))
  }

  // MARK: Modes

  @Test func aProfileModeOfALaterVersionIsNotTakenForAMistake() {
    #expect(
      problem { try FlagValues.profile("guest,out,1ms", flag: "--profile") }
        == "--profile: guest is not available in this version; write one of off, trace, native, combined, deep")
    #expect(
      problem { try FlagValues.profile("tracing", flag: "--profile") }
        == "--profile: \"tracing\" is not allowed; write one of off, trace, native, combined, deep")
  }

  @Test func anErrorStaysOnOneLineAndCutsLongValues() {
    let problem = problem {
      try FlagValues.bindAddress("a\nb" + String(repeating: "x", count: 500), flag: "--bind")
    }
    #expect(!problem.contains("\n"))
    #expect(problem.count < 300)
    #expect(problem.contains("a\\u{a}b"))
  }
}
