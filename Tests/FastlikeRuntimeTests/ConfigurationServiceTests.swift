import Testing

@testable import FastlikeRuntime

@Suite struct ConfigurationServiceTests {
  private func load(_ folder: ManifestFolder, _ configure: (inout ServiceOptions) throws -> Void) throws
    -> ServiceConfiguration
  {
    var options = ServiceOptions()
    try configure(&options)
    return try ServiceConfiguration.load(options, workingDirectory: folder.path, environment: [:])
  }

  private func backend(_ value: String) throws -> BackendDefinition {
    try FlagValues.backend(value, flag: "--backend")
  }

  @Test func aFlagReplacesWhatTheManifestSaysUnderTheSameName() throws {
    let folder = try ManifestFolder([
      "fastly.toml": """
      [local_server.backends]
      api.url = "https://file.test"
      other.url = "https://other.test"
      [local_server.config_stores]
      words = {format = "inline-toml", contents = {from = "file"}}
      """, "words.json": #"{"from": "flag"}"#,
    ])
    let service = try load(folder) {
      $0.manifest = "fastly.toml"
      $0.backends = [try backend("api=flag.test:81")]
      $0.configStores = [NamedFile(name: "words", path: "words.json")]
    }
    #expect(service.backends["api"]?.host == "flag.test")
    #expect(service.backends["other"]?.host == "other.test")
    #expect(service.configStores["words"]?.value(for: "from") == "flag")
    #expect(service.files.map { $0.split(separator: "/").last } == ["fastly.toml", "words.json"])
    #expect(service.warnings.isEmpty)
  }

  @Test func theCatchAllBackendTakesUnknownNames() throws {
    let service = try load(ManifestFolder()) {
      $0.backends = [try backend("api=api.test"), try backend("rest.test")]
    }
    #expect(service.backend(named: "api")?.host == "api.test")
    #expect(service.backend(named: "unknown")?.host == "rest.test")
    #expect(service.backends.keys.sorted() == ["api"])
  }

  @Test func anOverrideHostGoesToItsBackend() throws {
    let service = try load(ManifestFolder()) {
      $0.backends = [try backend("api=api.test"), try backend("rest.test")]
      $0.overrideHosts = [
        HostOverride(backend: "api", host: "www.test"), HostOverride(backend: "", host: "all.test"),
      ]
    }
    #expect(service.backends["api"]?.overrideHost == "www.test")
    #expect(service.catchAllBackend?.overrideHost == "all.test")
  }

  @Test func anOverrideHostForABackendThatIsNotThereIsAMistake() throws {
    let named = try #require(throws: ConfigurationError.self) {
      try load(ManifestFolder()) {
        $0.backends = [try backend("api=api.test")]
        $0.overrideHosts = [HostOverride(backend: "web", host: "www.test")]
      }
    }
    #expect(named.description == "--override-host: there is no backend \"web\"; there are \"api\"")
    let catchAll = try #require(throws: ConfigurationError.self) {
      try load(ManifestFolder()) { $0.overrideHosts = [HostOverride(backend: "", host: "www.test")] }
    }
    #expect(catchAll.description.contains("there is no catch-all backend"))
  }

  @Test func backendsOfTheDeploymentWithoutALocalAddressAreWarnedOf() throws {
    let folder = try ManifestFolder([
      "fastly.toml": """
      [local_server.backends]
      api.url = "http://api.test"
      [setup.backends.api]
      address = "api.example"
      [setup.backends.web]
      address = "web.example"
      [[backends]]
      name = "web"
      [[backends]]
      name = "old"
      """
    ])
    let missing = try load(folder) { $0.manifest = "fastly.toml" }
    #expect(
      missing.warnings == [
        "fastly.toml:7: backends[0]: the backend \"web\" has no [local_server.backends] entry, so requests to it fail here",
        "fastly.toml:9: backends[1]: the backend \"old\" has no [local_server.backends] entry, so requests to it fail here",
      ])
    let given = try load(folder) {
      $0.manifest = "fastly.toml"
      $0.backends = [try backend("web=web.test"), try backend("old=old.test")]
    }
    #expect(given.warnings.isEmpty)
  }

  @Test func aServiceWithoutBackendsIsWarnedOf() throws {
    let bare = try load(ManifestFolder()) { _ in }
    #expect(bare.warnings.count == 1)
    #expect(bare.warnings.first?.hasPrefix("no backends: give --backend NAME=HOST:PORT or --config FILE") == true)
    let beside = try load(ManifestFolder(["fastly.toml": ""])) { _ in }
    #expect(beside.warnings.first?.hasSuffix("--config fastly.toml, which is here") == true)
  }

  @Test func geolocationLoggersRegionAndKeysComeFromFlags() throws {
    let folder = try ManifestFolder(["geo.json": #"{"192.0.2.0/24": {"city": "Basel"}}"#])
    let service = try load(folder) {
      $0.geoFile = "geo.json"
      $0.loggers = [LoggerOption(name: "audit", path: "logs/audit.log"), LoggerOption(name: "plain")]
      $0.complianceRegion = "us-eu"
      $0.fastlyKeys = ["k"]
    }
    #expect(service.geoLocation.lookup(try #require(IPAddress("192.0.2.9"))) == #"{"city":"Basel"}"#)
    #expect(service.logDestination(of: "audit") == .file(folder.path + "/logs/audit.log"))
    #expect(service.logDestination(of: "plain") == .standardOutput)
    #expect(service.logDestination(of: "never mentioned") == .standardOutput)
    #expect(service.complianceRegion == "us-eu")
    #expect(service.fastlyKeys == ["k"])
  }

  @Test func theDefaultsAreThoseOfAnEmptyService() throws {
    let service = try load(ManifestFolder()) { _ in }
    #expect(service.complianceRegion == "none")
    #expect(service.backend(named: "any") == nil)
    #expect(service.geoLocation.lookup(try #require(IPAddress("127.0.0.1"))) == GeoLocation.loopbackRecord)
  }

  @Test func aStoreFileThatCannotBeReadNamesTheStore() throws {
    let error = try #require(throws: ConfigurationError.self) {
      try load(ManifestFolder()) { $0.configStores = [NamedFile(name: "words", path: "no.json")] }
    }
    #expect(error.description == "config store \"words\": cannot read \"no.json\": there is no such file")
  }
}
