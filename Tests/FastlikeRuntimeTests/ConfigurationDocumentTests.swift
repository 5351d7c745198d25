import Testing

@testable import FastlikeRuntime

@Suite struct ConfigurationDocumentTests {
  private func read(_ text: String) throws -> ConfigurationValue { try JSONReader.value(of: Array(text.utf8)) }

  // MARK: JSON

  @Test func everyKindOfJSONValueIsRead() throws {
    let value = try read(#" {"a": [1, -2.5, 1e3, true, false, null], "b": {"c": "d"}, "e": {}, "f": []} "#)
    #expect(
      value
        == .object([
          "a": .array([.integer(1), .number(-2.5), .number(1000), .boolean(true), .boolean(false), .null]),
          "b": .object(["c": .string("d")]), "e": .object([:]), "f": .array([]),
        ]))
  }

  @Test func escapesInStringsAreRead() throws {
    #expect(try read(#""\"\\\/\b\f\n\r\tA\u00e9\uD83D\uDE00é""#) == .string("\"\\/\u{8}\u{C}\n\r\tAé😀é"))
  }

  @Test(arguments: [
    "", "{", "[1,]", "{\"a\" 1}", "{\"a\":1,}", "{a:1}", "01", "1.", "1e", "-", "+1", "tru", "\"a", "\"\u{1}\"",
    "\"\\x\"",
    "\"\\u12\"", "\"\\uD800\"", "\"\\uD800\\u0041\"", "1 2", "[1 2]", "nullx", "1e999",
  ])
  func whatIsNotJSONIsRefused(text: String) {
    #expect(throws: JSONReader.Malformed.self) { try read(text) }
  }

  @Test func aStringThatIsNotUTF8IsRefused() {
    #expect(throws: JSONReader.Malformed.self) { try JSONReader.value(of: [0x22, 0xFF, 0x22]) }
  }

  @Test func aMistakeInJSONNamesItsLine() throws {
    let error = try #require(throws: JSONReader.Malformed.self) { try read("{\n  \"a\": 1,\n  \"b\": what\n}") }
    #expect(error.line == 3)
  }

  @Test func aKeyThatIsThereTwiceIsRefused() throws {
    let error = try #require(throws: JSONReader.Malformed.self) { try read("{\"a\": 1,\n\"b\": 2,\n\"a\": 3}") }
    #expect(error == JSONReader.Malformed(line: 3, problem: "the key \"a\" is there twice"))
    #expect(try read(#"{"a": {"a": 1}, "b": {"a": 1}}"#).kind == "a table")
  }

  @Test func theLineOfAPartOfADocumentIsFound() {
    let text = "{\n\"a\": [\n1,\n  {\"b\":\n 2}\n],\n\"c\": 3}"
    func line(_ path: ConfigurationPathComponent...) -> Int? { JSONReader.line(of: path, in: Array(text.utf8)) }
    #expect(line(.key("a")) == 2)
    #expect(line(.key("a"), .index(0)) == 3)
    #expect(line(.key("a"), .index(1)) == 4)
    #expect(line(.key("a"), .index(1), .key("b")) == 4)
    // What is not there is looked for where it should be.
    #expect(line(.key("a"), .index(1), .key("x")) == 4)
    #expect(line(.key("c")) == 7)
    #expect(line(.key("x")) == nil)
  }

  @Test func deepNestingIsRefusedInsteadOfOverflowingTheStack() {
    #expect(throws: JSONReader.Malformed.self) { try read(String(repeating: "[", count: 100_000)) }
  }

  @Test func valuesAreWrittenWithSortedKeys() throws {
    let text = #"{"b":[1,2.5,null,true],"a":{"z":"\"\\\n\u0001é","y":-0.125}}"#
    #expect(try read(text).json == #"{"a":{"y":-0.125,"z":"\"\\\n\u0001é"},"b":[1,2.5,null,true]}"#)
  }

  // MARK: Lines of TOML keys

  private let toml = #"""
    # [not.a.table]
    name = "x"
    [local_server.backends."my.api"]
      url = "http://a" # = comment
      text = """
    [fake.table]
    key = 1
    """
    list = [
      "]", # ]
      { a = 1 },
    ]
    after.dotted = 'it'
    [[local_server.kv_stores.main]]
    key = "one"
    [[local_server.kv_stores.main]]
    key = "two"
    """#

  @Test(arguments: [
    (["name"], 2), (["local_server", "backends", "my.api"], 3), (["local_server", "backends", "my.api", "url"], 4),
    (["local_server", "backends", "my.api", "list"], 9),
    (["local_server", "backends", "my.api", "after", "dotted"], 13),
    (["local_server", "backends", "my.api", "missing"], 3), (["fake", "table"], nil),
  ])
  func theLineOfAKeyIsFound(path: [String], line: Int?) {
    #expect(TOMLLineIndex(toml).line(of: path.map { .key($0) }) == line)
  }

  @Test func theLineOfAnElementOfAnArrayOfTablesIsFound() {
    let index = TOMLLineIndex(toml)
    let main: [ConfigurationPathComponent] = [.key("local_server"), .key("kv_stores"), .key("main")]
    #expect(index.line(of: main + [.index(0), .key("key")]) == 15)
    #expect(index.line(of: main + [.index(1)]) == 16)
    #expect(index.line(of: main + [.index(1), .key("key")]) == 17)
  }

  @Test func anUnfinishedDocumentDoesNotConfuseTheIndex() {
    for end in toml.indices { _ = TOMLLineIndex(String(toml[..<end])) }
    for start in toml.indices { _ = TOMLLineIndex(String(toml[start...])) }
  }

  // MARK: Addresses

  @Test(arguments: [
    ("192.0.2.129/25", "192.0.2.128/25"), ("10.1.2.3/8", "10.0.0.0/8"), ("2001:DB8:0:0::1/33", "2001:db8::/33"),
    ("::1/128", "::1/128"), ("1.2.3.4/0", "0.0.0.0/0"),
  ])
  func aPrefixIsNormalised(text: String, normalised: String) throws {
    #expect(try #require(IPPrefix(text)).description == normalised)
  }

  @Test(arguments: ["1.2.3.4", "1.2.3.4/33", "::/129", "1.2.3/8", "1.2.3.4/", "1.2.3.4/+8", "a/8", "1.2.3.4/8/8"])
  func whatIsNotAPrefixIsRefused(text: String) {
    #expect(IPPrefix(text) == nil)
  }

  @Test func aPrefixContainsOnlyAddressesOfItsFamily() throws {
    let prefix = try #require(IPPrefix("10.0.0.0/8"))
    #expect(prefix.contains(try #require(IPAddress("10.255.0.1"))))
    #expect(!prefix.contains(try #require(IPAddress("11.0.0.1"))))
    #expect(!prefix.contains(try #require(IPAddress("::ffff:10.0.0.1"))))
  }
}
