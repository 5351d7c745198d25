import Foundation
import Testing

/// Secret stores, access control lists, rate limiting and shields.
@Suite("Conformance: secrets, lists, limits and shields", .timeLimit(.minutes(5)))
struct ProtectionTests {
  // MARK: Secrets

  @Test func secretsComeFromFilesVariablesAndFlags() async throws {
    let folder = try Places.newFolder()
    try replaceFile(folder + "/raw", with: .init([0x61, 0, 0xFF]))
    try replaceFile(folder + "/flag.json", with: .init(#"{"token": "by flag"}"#.utf8))
    let manifest = folder + "/fastly.toml"
    let text = """
      [local_server.secret_stores]
      keys = [
        {key = "token", data = "inline"}, {key = "raw", file = "raw"}, {key = "env", env = "A_SECRET"},
        {key = "unset", env = "NO_SUCH_VARIABLE"},
      ]
      """
    try replaceFile(manifest, with: .init(text.utf8))
    let flags = ["-C", manifest, "--secret-store", "flagged=\(folder)/flag.json"]
    try await withFastlike("protection", flags, environment: ["A_SECRET": "from outside"]) { edge in
      let inline = try await edge.report("/secret").lines
      #expect(
        inline == [
          "open=ok", "plaintext=inline", "missing=!none", "not_text=!inval", "without_store=by flag",
          "bad_store=!badf", "bad_secret=!badf",
        ])
      #expect(try await edge.report("/secret?key=raw")["plaintext"] == "a\\x00\\xff")
      #expect(try await edge.report("/secret?key=env")["plaintext"] == "from outside")
      #expect(try await edge.report("/secret?key=unset")["plaintext"] == "")
      #expect(try await edge.report("/secret?name=flagged")["plaintext"] == "by flag")
      #expect(try await edge.report("/secret?name=missing")["open"] == "!none")
      #expect(
        edge.child.errors.contains("the environment has no variable \"NO_SUCH_VARIABLE\", so the secret is empty"))
      // Nothing that was served is in what the program writes.
      #expect(!(edge.child.errors + edge.child.output).contains("from outside"))
    }
  }

  @Test func aGuestMakesSecretsOfItsOwn() async throws {
    let report = try await SharedEdges.edge("protection").report("/own_secret")
    #expect(report.lines == ["plaintext=a\\x00\\xff", "tiny=!buflen,3,", "empty=ok,0,", "long=100000"])
  }

  // MARK: Access control lists

  private static let list = """
    {"entries": [
      {"op": "create", "prefix": "10.1.0.0/16", "action": "ALLOW"},
      {"prefix": "10.1.2.3/24", "action": "block"},
      {"op": "update", "prefix": "10.1.2.0/24", "action": "BLOCK"},
      {"prefix": "2001:db8::/32", "action": "CHALLENGE"},
      {"prefix": "10.1.2.3/32", "action": "allow"}
    ]}
    """

  @Test(arguments: [["--acl", "list=LIST"], ["-C", "MANIFEST"]])
  func theLongestPrefixCounts(_ flags: [String]) async throws {
    let file = try temporaryFile("acl.json", Self.list)
    let manifest = try temporaryFile("fastly.toml", "[local_server.acls]\nlist = \"\(file)\"\n")
    let flags = flags.map { $0.replacing("LIST", with: file).replacing("MANIFEST", with: manifest) }
    try await withFastlike("protection", flags) { edge in
      func entry(_ prefix: String, _ action: String) -> String {
        #"{\n  "prefix": "\#(prefix)",\n  "action": "\#(action)"\n}"#
      }
      let narrow = try await edge.report("/acl?ip=10.1.2.4")
      #expect(narrow["open"] == "ok")
      #expect(narrow["entry"] == entry("10.1.2.0/24", "BLOCK"))
      #expect(narrow.names(with: "!inval") == ["octets_0", "octets_3", "octets_5", "octets_15", "octets_17"])
      #expect(narrow["bad_handle"] == "!badf")
      #expect(try await edge.report("/acl?ip=10.1.2.3")["entry"] == entry("10.1.2.3/32", "ALLOW"))
      #expect(try await edge.report("/acl?ip=10.1.9.9")["entry"] == entry("10.1.0.0/16", "ALLOW"))
      #expect(try await edge.report("/acl?ip=10.2.0.1")["entry"] == "-")
      let six = "/acl?ip=20010db8000000000000000000000001"
      #expect(try await edge.report(six)["entry"] == entry("2001:db8::/32", "CHALLENGE"))
      // An IPv4 address inside of IPv6 is an IPv6 address.
      #expect(try await edge.report("/acl?ip=00000000000000000000ffff0a010204")["entry"] == "-")
      #expect(try await edge.report("/acl?name=missing")["open"] == "!none")
    }
  }

  // MARK: Rate limiting

  @Test func countersAreThoseOfTheProcess() async throws {
    try await withFastlike("protection") { edge in
      for number in 1...5 {
        let counted = try await edge.get("/count?entry=e").text
        #expect(counted == "\(number)")
      }
      let report = try await edge.report("/rates").lines
      let counts = ["count_10", "count_20", "count_30", "count_40", "count_50", "count_60"].map { $0 + "=120" }
      #expect(
        report == ["increment=ok"] + counts + ["rate_10=12", "rate_60=2", "other_entry=0", "other_counter=0"])
    }
  }

  @Test func whoIsBeyondTheLimitIsInTheBox() async throws {
    try await withFastlike("protection") { edge in
      let report = try await edge.report("/penalties").lines
      #expect(
        report == [
          "has_at_first=0", "within=0", "beyond=1", "has_then=1", "penalized=1", "count=120", "add=ok", "has_b=1",
        ])
    }
  }

  @Test func windowsDurationsAndNamesThatAreNoneAreRefused() async throws {
    let report = try await SharedEdges.edge("protection").report("/erl_misuse")
    #expect(report["entry_of_bytes"] == "ok")
    #expect(report.names(with: "!inval").count == report.lines.count - 1)
  }

  // MARK: Shields

  @Test func aShieldHasItsURLsAndABackend() async throws {
    let manifest = try temporaryFile(
      "fastly.toml",
      """
      [local_server.shielding_sites]
      near = "local"
      far = {unencrypted = "http://far.example", encrypted = "https://far.example/"}
      """)
    try await withFastlike("protection", ["-C", manifest]) { edge in
      let far = try await edge.report("/shield?name=far")
      #expect(far["info"] == "ok,41,\\x00http://far.example\\x00https://far.example/\\x00")
      #expect(far["tiny"] == "!buflen,41,")
      let backend = try #require(far["backend"])
      #expect(!backend.hasPrefix("!"))
      #expect(far["with_times"] == backend)
      #expect(far["reserved"] == "!inval")
      let near = try await edge.report("/shield?name=near")
      #expect(near["info"] == "ok,3,\\x01\\x00\\x00")
      #expect(near["backend"] == "!inval")
      let unknown = try await edge.report("/shield?name=nowhere")
      #expect(unknown["info"] == "!inval,0,")
      #expect(unknown["backend"] == "!inval")
      // A shield's URL stands for its name, as guests have it from `shield_info`.
      #expect(try await edge.report("/shield?name=https://far.example/")["backend"] == backend)
    }
  }
}
