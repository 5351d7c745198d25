import Testing

@testable import FastlikeRuntime

@Suite struct ConfigurationManifestStoresTests {
  // MARK: KV stores

  @Test(arguments: ["kv_stores", "object_stores", "object_store"])
  func aKVStoreIsSeededFromEntries(table: String) throws {
    let text = """
      [local_server.\(table)]
      none = []
      listed = [{key = "a", data = "one", metadata = "m", extra = 1}, {key = "b", file = "b.bin"}]
      [[local_server.\(table).tables]]
      key = "c"
      path = "b.bin"
      """
    let stores = try manifest(text, files: ["b.bin": "two"]).kvStores
    #expect(
      stores == [
        "none": KVStoreSeed(),
        "listed": KVStoreSeed(items: [
          "a": .init(value: Array("one".utf8), metadata: "m"), "b": .init(value: Array("two".utf8)),
        ]),
        "tables": KVStoreSeed(items: ["c": .init(value: Array("two".utf8))]),
      ])
  }

  @Test func aKVStoreIsSeededFromAJSONFile() throws {
    let json = #"{"a": "one", "b": {"file": "b.bin", "metadata": "m"}, "c": {"data": "three"}}"#
    let text = "[local_server.kv_stores]\nmain = {file = \"kv.json\", format = \"json\"}"
    let items = try manifest(text, files: ["kv.json": json, "b.bin": "two"]).kvStores["main"]?.items
    #expect(
      items == [
        "a": .init(value: Array("one".utf8)), "b": .init(value: Array("two".utf8), metadata: "m"),
        "c": .init(value: Array("three".utf8)),
      ])
  }

  @Test(arguments: [
    ("1", "m: must be an array of entries, or a table with file and format, not an integer"),
    ("[1]", "m[0]: must be a table with key, and data or file, not an integer"),
    ("[{data = \"x\"}]", "m[0]: key is missing"),
    ("[{key = 1, data = \"x\"}]", "m[0].key: must be a string"),
    ("[{key = \"a;b\", data = \"x\"}]", "m[0].key: a key has 1 to 1024 bytes"),
    ("[{key = \"a\"}]", "m[0]: must have data or file"),
    ("[{key = \"a\", data = \"x\", file = \"y\"}]", "m[0].file: duplicates data"),
    ("[{key = \"a\", data = 1}]", "m[0].data: must be a string"),
    ("[{key = \"a\", data = \"x\"}, {key = \"a\", data = \"y\"}]", "m[1].key: the key \"a\" is there twice"),
    ("[{key = \"a\", data = \"x\", metadata = 1}]", "m[0].metadata: must be a string"),
    ("[{key = \"a\", file = \"no\"}]", "m[0].file: cannot read \"no\""),
    ("{file = \"kv.json\"}", "m: format is missing"),
    ("{format = \"json\"}", "m: file is missing"),
    ("{file = \"kv.json\", format = \"toml\"}", "m.format: must be \"json\""),
    ("{file = \"kv.json\", format = \"json\"}", "kv.json:1: a: must be a string, or an object with data or file"),
  ])
  func aMistakeInAKVStoreIsExplained(value: String, part: String) {
    let problem = manifestProblem("[local_server.kv_stores]\nm = \(value)", files: ["kv.json": "{\"a\": 1}"])
    #expect(problem.contains(part))
  }

  @Test(arguments: ["a", "a/b", "a..b", "...", "é", String(repeating: "k", count: 1024), ".well-known/x", "\t\t"])
  func aKeyOfAKVStoreMayBe(key: String) {
    #expect(KVStoreSeed.isValid(key: key))
  }

  @Test(arguments: [
    "", ".", "..", "a./b", "../a", "a/.", "a/..", "a\rb", "a\nb", "a#", "a;", "a?", "a^", "a|", " ", "\u{FFFF}",
    ".well-known/acme-challenge", ".well-known/acme-challenge/x", String(repeating: "é", count: 513),
  ])
  func aKeyOfAKVStoreMayNotBe(key: String) {
    #expect(!KVStoreSeed.isValid(key: key))
  }

  // MARK: Secret stores

  @Test func aSecretComesFromTheManifestAFileOrAVariable() throws {
    let text = """
      [local_server.secret_stores]
      keys = [{key = "a", data = "1"}, {key = "b", file = "b.txt"}, {key = "c", env = "C"}, {key = "d", env = "D"}]
      filed = {file = "secrets.json", format = "json"}
      """
    let loaded = try manifest(
      text, files: ["b.txt": "2", "secrets.json": #"{"e": "5"}"#], environment: ["C": "3"])
    #expect(
      loaded.secretStores["keys"]?.secrets
        == ["a": Array("1".utf8), "b": Array("2".utf8), "c": Array("3".utf8), "d": []])
    #expect(loaded.secretStores["filed"]?.secrets == ["e": Array("5".utf8)])
    #expect(loaded.warnings.count == 1)
    #expect(
      loaded.warnings.first
        == "fastly.toml:2: local_server.secret_stores.keys[3].env: the environment has no variable \"D\", so the secret "
        + "is empty")
  }

  @Test(arguments: [
    ("\"a b\" = []", "a name has 1 to 255 of the characters"),
    ("m = [{key = \"a/b\", data = \"x\"}]", "m[0].key: a name has 1 to 255 of the characters"),
    ("m = [{key = \"a\"}]", "m[0]: must have data, file or env"),
    ("m = [{key = \"a\", data = \"x\"}, {key = \"a\", env = \"X\"}]", "m[1].key: the secret \"a\" is there twice"),
    ("m = [{key = \"a\", data = \"x\", env = \"X\"}]", "m[0].env: duplicates data"),
    ("m = {file = \"s.json\", format = \"json\"}", "s.json:1: a: must be a string, not a table"),
  ])
  func aMistakeInASecretStoreIsExplained(line: String, part: String) {
    let problem = manifestProblem("[local_server.secret_stores]\n\(line)", files: ["s.json": "{\"a\": {}}"])
    #expect(problem.contains(part))
  }

  @Test func aDumpOfASecretStoreShowsNoSecret() {
    let store = SecretStoreSeed(secrets: ["name": Array("value".utf8)])
    var text = "\(store) \(String(reflecting: store))"
    dump(store, to: &text)
    #expect(!text.contains("name"))
    #expect(!text.contains("118"))
  }

  // MARK: Access control lists

  @Test func theLongestPrefixOfAnAccessControlListWinsAndOfEqualOnesTheLater() throws {
    let json = """
      {"entries": [
        {"op": "create", "prefix": "10.0.0.0/8", "action": "ALLOW"},
        {"op": "update", "prefix": "10.1.2.3/16", "action": "BLOCK"},
        {"prefix": "10.1.0.0/16", "action": "LATER"},
        {"prefix": "2001:db8::/32", "action": "ALLOW"}
      ]}
      """
    let text = "[local_server.acls]\nshort = \"acl.json\"\nlong = {file = \"acl.json\"}"
    let lists = try manifest(text, files: ["acl.json": json]).accessControlLists
    #expect(lists["short"] == lists["long"])
    let list = try #require(lists["short"])
    let found = list.lookup(try #require(IPAddress("10.1.9.9")))
    #expect(found?.action == "LATER")
    #expect(found?.prefix.description == "10.1.0.0/16")
    #expect(list.lookup(try #require(IPAddress("10.9.9.9")))?.action == "ALLOW")
    #expect(list.lookup(try #require(IPAddress("2001:db8::1")))?.action == "ALLOW")
    #expect(list.lookup(try #require(IPAddress("11.0.0.1"))) == nil)
    #expect(list.lookup(try #require(IPAddress("::ffff:10.1.9.9"))) == nil)
  }

  @Test(arguments: [
    ("[]", "must be an object with entries"), ("{}", "entries is missing"),
    (#"{"entries": [{"action": "ALLOW"}]}"#, "entries[0]: prefix is missing"),
    (
      #"{"entries": [{"prefix": "1.2.3.4", "action": "ALLOW"}]}"#, "entries[0].prefix: must be an address with a length"
    ),
    (#"{"entries": [{"prefix": "1.2.3.4/0", "action": "ALLOW"}]}"#, "entries[0].prefix: must be an address"),
    (#"{"entries": [{"prefix": "1.2.3.4/8"}]}"#, "entries[0]: action is missing"),
  ])
  func aMistakeInAnAccessControlListIsExplained(json: String, part: String) {
    let problem = manifestProblem("[local_server.acls]\na = \"acl.json\"", files: ["acl.json": json])
    #expect(problem.hasPrefix("acl.json:"))
    #expect(problem.contains(part))
  }

  // MARK: Geolocation and devices

  @Test func geolocationIsInlineWithADefaultForLoopback() throws {
    let text = """
      [local_server.geolocation]
      format = "inline-toml"
      [local_server.geolocation.addresses."192.0.2.1"]
      city = "Basel"
      latitude = 47.5
      as_number = 64496
      known = true
      """
    let geo = try manifest(text).geoLocation
    #expect(
      geo.lookup(try #require(IPAddress("192.0.2.1")))
        == #"{"as_number":64496,"city":"Basel","known":true,"latitude":47.5}"#)
    #expect(geo.lookup(try #require(IPAddress("192.0.2.2"))) == nil)
    for loopback in ["127.0.0.1", "127.9.9.9", "::1"] {
      #expect(geo.lookup(try #require(IPAddress(loopback))) == GeoLocation.loopbackRecord)
    }
  }

  @Test func theDefaultRecordIsJSONWithSortedKeys() {
    #expect(
      GeoLocation.loopbackRecord
        == #"{"area_code":415,"as_name":"Fastly, Inc","as_number":54113,"city":"San Francisco","#
        + #""conn_speed":"broadband","conn_type":"wired","continent":"NA","country_code":"US","country_code3":"USA","#
        + #""country_name":"United States of America","latitude":37.77869,"longitude":-122.39557,"metro_code":0,"#
        + #""postal_code":"94107","proxy_description":"?","proxy_type":"?","region":"CA","utc_offset":-700}"#)
  }

  @Test func theDefaultForLoopbackCanBeSwitchedOff() throws {
    let geo = try manifest("[local_server.geolocation]\nuse_default_loopback = false").geoLocation
    #expect(geo.lookup(try #require(IPAddress("127.0.0.1"))) == nil)
  }

  @Test func geolocationFromAFileMayUsePrefixes() throws {
    let json = #"{"198.51.100.0/24": {"n": 1}, "198.51.100.128/25": {"n": 2}, "198.51.100.200": {"n": 3}}"#
    let text = "[local_server.geolocation]\nformat = \"json\"\nfile = \"geo.json\""
    let geo = try manifest(text, files: ["geo.json": json]).geoLocation
    #expect(geo.lookup(try #require(IPAddress("198.51.100.1"))) == #"{"n":1}"#)
    #expect(geo.lookup(try #require(IPAddress("198.51.100.129"))) == #"{"n":2}"#)
    #expect(geo.lookup(try #require(IPAddress("198.51.100.200"))) == #"{"n":3}"#)
    #expect(geo.file?.hasSuffix("/geo.json") == true)
  }

  @Test(arguments: [
    ("format = \"inline-toml\"", "geolocation: addresses is missing"),
    ("format = \"yaml\"", "geolocation.format: must be \"inline-toml\" or \"json\""),
    ("use_default_loopback = 1", "use_default_loopback: must be true or false"),
    ("format = \"inline-toml\"\naddresses = {host = {}}", "addresses.host: the key must be an IP address"),
    ("format = \"inline-toml\"\naddresses = {\"1.2.3.0/24\" = {}}", "the key must be an IP address"),
    ("format = \"inline-toml\"\naddresses = {\"::1\" = 1}", "must be a table, not an integer"),
    ("format = \"inline-toml\"\naddresses = {\"::1\" = {a = []}}", "must be a string, number or boolean, not an array"),
    ("format = \"inline-toml\"\naddresses = {\"::1\" = {a = inf}}", "must be a finite number"),
  ])
  func aMistakeInGeolocationIsExplained(lines: String, part: String) {
    #expect(manifestProblem("[local_server.geolocation]\n\(lines)").contains(part))
  }

  @Test func addressesWithoutAFormatAreIgnoredWithAWarning() throws {
    let loaded = try manifest("[local_server.geolocation]\naddresses = {\"192.0.2.1\" = {}}")
    #expect(loaded.geoLocation.lookup(try #require(IPAddress("192.0.2.1"))) == nil)
    #expect(
      loaded.warnings == [
        "fastly.toml:2: local_server.geolocation.addresses: ignored without format; give format = \"inline-toml\""
      ])
  }

  @Test func aDeviceIsFoundByItsWholeUserAgent() throws {
    let text = """
      [local_server.device_detection]
      format = "inline-toml"
      [local_server.device_detection.user_agents."Agent/1.0 (x)"]
      device = {name = "Phone", is_mobile = true}
      user_agent = {}
      """
    let devices = try manifest(text).deviceDetection
    #expect(devices.lookup("Agent/1.0 (x)") == #"{"device":{"is_mobile":true,"name":"Phone"},"user_agent":{}}"#)
    #expect(devices.lookup("Agent/1.0") == nil)
  }

  @Test func devicesComeFromAFileToo() throws {
    let text = "[local_server.device_detection]\nformat = \"json\"\nfile = \"d.json\""
    let devices = try manifest(text, files: ["d.json": #"{"A": {"b": [1]}}"#]).deviceDetection
    #expect(devices.lookup("A") == #"{"b":[1]}"#)
  }

  @Test func aDeviceRecordHoldsNothingThatJSONLacks() {
    let text = "[local_server.device_detection]\nformat = \"inline-toml\"\nuser_agents = {A = {d = 2020-01-01}}"
    #expect(manifestProblem(text).contains("user_agents.A: must hold no date or time"))
  }

  // MARK: Shielding and keys

  @Test func aShieldingSiteIsLocalOrHasTwoURLs() throws {
    let text = """
      [local_server.shielding_sites]
      here = "Local"
      there = {encrypted = "https://there.test/", unencrypted = "http://there.test/"}
      """
    let sites = try manifest(text).shieldingSites
    #expect(
      sites == [
        "here": .local, "there": .remote(unencrypted: "http://there.test/", encrypted: "https://there.test/"),
      ])
  }

  @Test(arguments: [
    ("\"remote\"", "s: must be \"local\", or a table with two URLs"),
    ("{encrypted = \"https://a.test\"}", "s: unencrypted is missing"),
    ("{encrypted = \"a.test\", unencrypted = \"http://a.test\"}", "s.encrypted: must begin with http:// or https://"),
    ("{encrypted = \"https://a.test\", unencrypted = \"http://a.test\", x = 1}", "s.x: unrecognized key"),
  ])
  func aMistakeInAShieldingSiteIsExplained(value: String, part: String) {
    #expect(manifestProblem("[local_server.shielding_sites]\ns = \(value)").contains(part))
  }

  @Test func fastlyKeysAreAnArrayOfStrings() throws {
    #expect(try manifest("[local_server]\nfake_valid_fastly_keys = [\"a\", \"b\"]").fastlyKeys == ["a", "b"])
    let problem = manifestProblem("[local_server]\nfake_valid_fastly_keys = [1]")
    #expect(problem == "fastly.toml:2: local_server.fake_valid_fastly_keys[0]: must be a string, not an integer")
  }
}
