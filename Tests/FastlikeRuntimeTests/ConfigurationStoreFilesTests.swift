import Testing

@testable import FastlikeRuntime

/// Stores that flags name, and files that are read again while a service runs.
@Suite struct ConfigurationStoreFilesTests {
  private func load(
    _ folder: ManifestFolder, _ change: (inout ServiceOptions) -> Void
  ) throws -> (configuration: ServiceConfiguration, options: ServiceOptions) {
    var options = ServiceOptions()
    change(&options)
    let configuration = try ServiceConfiguration.load(options, workingDirectory: folder.path, environment: [:])
    return (configuration, options)
  }

  @Test func storesComeFromFlags() throws {
    let folder = try ManifestFolder([
      "kv.json": #"{"a": "one", "b": {"body": "two", "metadata": "m"}, "c": {"file": "c.bin"}}"#, "c.bin": "three",
      "secrets.json": #"{"token": "s"}"#, "acl.json": #"{"entries": [{"prefix": "10.0.0.0/8", "action": "block"}]}"#,
    ])
    let configuration = try load(folder) {
      $0.kvStores = [KVStoreOption(name: "full", path: "kv.json"), KVStoreOption(name: "empty")]
      $0.secretStores = [NamedFile(name: "keys", path: "secrets.json")]
      $0.accessControlLists = [NamedFile(name: "list", path: "acl.json")]
      $0.kvDirectory = "kv"
      $0.reseedsKVStores = true
    }.configuration
    #expect(
      configuration.kvStores == [
        "empty": KVStoreSeed(),
        "full": KVStoreSeed(items: [
          "a": .init(value: bytes("one")), "b": .init(value: bytes("two"), metadata: "m"),
          "c": .init(value: bytes("three")),
        ]),
      ])
    #expect(configuration.secretStores["keys"]?.secrets == ["token": bytes("s")])
    let address = try #require(IPAddress("10.1.1.1"))
    #expect(configuration.accessControlLists["list"]?.lookup(address)?.action == "BLOCK")
    #expect(configuration.kvDirectory == folder.path + "/kv")
    #expect(configuration.kvSeedsOverwrite)
    #expect(
      configuration.files.map { String($0.dropFirst(folder.path.count)) }.sorted() == [
        "/acl.json", "/c.bin", "/kv.json", "/secrets.json",
      ])
  }

  @Test func aFlagReplacesTheManifestsStoreOfThatName() throws {
    let folder = try ManifestFolder([
      "fastly.toml": "[local_server]\nkv_path = \"here\"\nkv_stores.s = [{key = \"a\", data = \"manifest\"}]",
      "kv.json": #"{"b": "flag"}"#,
    ])
    let manifest = try load(folder) { $0.manifest = "fastly.toml" }.configuration
    #expect(manifest.kvDirectory == folder.path + "/here")
    let both = try load(folder) {
      $0.manifest = "fastly.toml"
      $0.kvStores = [KVStoreOption(name: "s", path: "kv.json")]
      $0.kvDirectory = "there"
    }.configuration
    #expect(both.kvStores["s"]?.items.keys.sorted() == ["b"])
    #expect(both.kvDirectory == folder.path + "/there")
  }

  @Test func aStoreThatIsBrokenStaysAsItIsServed() throws {
    let folder = try ManifestFolder([
      "fastly.toml": """
      [local_server.config_stores.words]
      format = "json"
      file = "words.json"
      """, "words.json": #"{"a": "one"}"#, "keys.json": #"{"a": "one"}"#,
    ])
    let (first, options) = try load(folder) {
      $0.manifest = "fastly.toml"
      $0.secretStores = [NamedFile(name: "keys", path: "keys.json")]
    }
    #expect(first.manifestFile == folder.path + "/fastly.toml")
    try folder.write("{\n\"a\": 1}", to: "words.json")
    try folder.write(#"{"a": "two"}"#, to: "keys.json")
    // The manifest is read again only with the program.
    try folder.write("broken", to: "fastly.toml")
    let second = try first.readingFilesAgain(options, workingDirectory: folder.path, environment: [:])
    #expect(second.configStores["words"]?.items == ["a": "one"])
    #expect(second.secretStores["keys"]?.secrets == ["a": bytes("two")])
    #expect(second.problems.map(\.description) == ["words.json:2: a: must be a string, not an integer"])
    #expect(Set(second.files) == Set(first.files))
    try folder.write(#"{"a": "three"}"#, to: "words.json")
    let third = try second.readingFilesAgain(options, workingDirectory: folder.path, environment: [:])
    #expect(third.configStores["words"]?.items == ["a": "three"])
    #expect(third.problems.isEmpty)
  }

  @Test(arguments: [
    ("", "NAME, or NAME=FILE.json"), ("=x", "NAME, or NAME=FILE.json"), ("s=", "NAME, or NAME=FILE.json"),
  ])
  func aKVStoreHasANameAndPerhapsAFile(value: String, part: String) throws {
    let error = try #require(throws: ConfigurationError.self) { try FlagValues.kvStore(value, flag: "--kv") }
    #expect(error.description.contains(part))
    #expect(try FlagValues.kvStore("s", flag: "--kv") == KVStoreOption(name: "s"))
    #expect(try FlagValues.kvStore("s=a=b", flag: "--kv") == KVStoreOption(name: "s", path: "a=b"))
  }

  @Test func whatIsBeyondThePlatformsLimitsIsRefused() throws {
    let metadata = String(repeating: "m", count: 2001)
    #expect(
      manifestProblem("[local_server.kv_stores]\ns = [{key = \"a\", data = \"\", metadata = \"\(metadata)\"}]")
        .contains("s[0].metadata: has more than 2000 bytes"))
    let secret = String(repeating: "s", count: 65_537)
    #expect(
      manifestProblem("[local_server.secret_stores]\ns = [{key = \"a\", data = \"\(secret)\"}]")
        .contains("s[0].data: the secret has more than 65536 bytes"))
  }
}

@Suite struct PrefixTableTests {
  @Test func theLongestBlockCountsAndOfEqualOnesTheLast() throws {
    var table = PrefixTable<Int>()
    for (number, text) in ["10.0.0.0/8", "10.1.0.0/16", "10.1.0.0/16", "0.0.0.0/0", "2001:db8::/32"].enumerated() {
      table.insert(number, for: try #require(IPPrefix(text)))
    }
    func lookup(_ text: String) -> Int? { IPAddress(text).flatMap { table.lookup($0) } }
    #expect(lookup("10.1.2.3") == 2)
    #expect(lookup("10.2.2.3") == 0)
    #expect(lookup("192.0.2.1") == 3)
    #expect(lookup("2001:db8:1::") == 4)
    #expect(lookup("2001:db9::") == nil)
  }
}
