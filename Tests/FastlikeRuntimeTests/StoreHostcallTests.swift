import ComputeABI
import FastlikeProfile
import Testing

@testable import FastlikeRuntime

/// The hostcalls of secret stores, access control lists, rate limiting and shielding, as guests call them.
@Suite struct StoreHostcallTests {
  /// A guest that makes some calls and gives what is in its memory to the client.
  private struct Guest {
    /// `module.function`, and what it is called here.
    var imports: [(function: String, name: String, parameters: Int)]
    /// Text at addresses.
    var data: [(address: Int, text: String)]
    /// The calls, with their arguments; those in memory have an `@` before the address.
    var calls: [(name: String, arguments: [String])]
    /// Where the answer is, or nil to send the body whose handle is at ``bodyAt``.
    var answer: (address: Int, count: Int)?
    var bodyAt = 0

    var text: String {
      let imported = imports.map { entry in
        let parts = entry.function.split(separator: ".")
        let parameters = String(repeating: " i32", count: entry.parameters)
        return #"(import "\#(parts[0])" "\#(parts[1])" (func $\#(entry.name) (param\#(parameters)) (result i32)))"#
      }
      let segments = data.map { #"(data (i32.const \#($0.address)) "\#($0.text)")"# }
      let called = calls.map { call in
        let arguments = call.arguments.map { argument in
          argument.hasPrefix("@") ? "(i32.load (i32.const \(argument.dropFirst())))" : "(i32.const \(argument))"
        }
        return "(drop (call $\(call.name) \(arguments.joined(separator: " "))))"
      }
      var sending = ""
      if let answer {
        sending = """
          (drop (call $body_new (i32.const \(bodyAt))))
          (drop (call $body_write (i32.load (i32.const \(bodyAt))) (i32.const \(answer.address))
            (i32.const \(answer.count)) (i32.const 0) (i32.const 60000)))
          """
      }
      return """
        (module
          (import "fastly_http_body" "new" (func $body_new (param i32) (result i32)))
          (import "fastly_http_body" "write" (func $body_write (param i32 i32 i32 i32 i32) (result i32)))
          (import "fastly_http_resp" "new" (func $response_new (param i32) (result i32)))
          (import "fastly_http_resp" "send_downstream" (func $send (param i32 i32 i32) (result i32)))
          \(imported.joined(separator: "\n"))
          (memory (export "memory") 1)
          \(segments.joined(separator: "\n"))
          (func (export "_start")
            \(called.joined(separator: "\n"))
            \(sending)
            (drop (call $response_new (i32.const 60008)))
            (drop (call $send (i32.load (i32.const 60008)) (i32.load (i32.const \(bodyAt))) (i32.const 0)))))
        """
    }

    /// Runs it: the statuses of its own calls, and everything else.
    func run(_ harness: GuestHarness) async throws -> (statuses: [Status], outcome: GuestHarness.Outcome) {
      let outcome = try await harness.run(text)
      let statuses = outcome.trace.spans.prefix(calls.count).map { Status(rawValue: UInt32(bitPattern: $0.status)) }
      return (statuses, outcome)
    }
  }

  // MARK: Secrets

  private static func secretGuest(_ calls: [(String, [String])], answer: (Int, Int)) -> Guest {
    Guest(
      imports: [
        ("fastly_secret_store.open", "open", 3), ("fastly_secret_store.get", "get", 4),
        ("fastly_secret_store.plaintext", "plain", 4), ("fastly_secret_store.from_bytes", "make", 3),
        ("fastly_secrets.get_secret", "direct", 5),
      ],
      data: [(1_024, "keys"), (1_032, "token"), (1_040, "other"), (1_048, "given")], calls: calls, answer: answer)
  }

  private static var secretHarness: GuestHarness {
    var harness = GuestHarness()
    harness.configuration.secretStores["keys"] = SecretStoreSeed(secrets: ["token": Array("canary".utf8)])
    return harness
  }

  @Test func `a secret's bytes reach the guest and no trace`() async throws {
    let guest = Self.secretGuest(
      [
        ("open", ["1024", "4", "8"]), ("get", ["@8", "1032", "5", "12"]), ("plain", ["@12", "2048", "5", "16"]),
        ("plain", ["@12", "2048", "64", "16"]),
      ], answer: (2_048, 6))
    let (statuses, outcome) = try await guest.run(Self.secretHarness)
    #expect(statuses == [.ok, .ok, .buflen, .ok])
    #expect(outcome.body == "canary")
    let access = outcome.trace.deep?.storeAccess.first { $0.kind == .secret && $0.name == "keys" }
    #expect(access?.count == 1)
    let trace = String(decoding: NativeJSONEncoder.encode(outcome.trace), as: UTF8.self)
    #expect(trace.contains("keys"))
    #expect(!trace.contains("canary"))
    #expect(!trace.contains("token"))
  }

  @Test func `unknown stores and secrets are none, unknown handles badf`() async throws {
    let guest = Self.secretGuest(
      [
        ("open", ["1040", "5", "8"]), ("open", ["1024", "4", "8"]), ("get", ["@8", "1040", "5", "12"]),
        ("get", ["77", "1032", "5", "12"]), ("plain", ["77", "2048", "64", "16"]),
        ("direct", ["1040", "5", "2048", "64", "16"]),
      ], answer: (2_048, 0))
    #expect(try await guest.run(Self.secretHarness).statuses == [.none, .ok, .none, .badf, .badf, .none])
  }

  @Test func `a guest's own bytes make a secret, and a secret is found without its store`() async throws {
    let guest = Self.secretGuest(
      [
        ("make", ["1048", "5", "12"]), ("plain", ["@12", "2048", "64", "16"]),
        ("direct", ["1032", "5", "2053", "64", "16"]),
      ], answer: (2_048, 11))
    let (statuses, outcome) = try await guest.run(Self.secretHarness)
    #expect(statuses == [.ok, .ok, .ok])
    #expect(outcome.body == "givencanary")
  }

  // MARK: Access control lists

  private static func lookUp(_ octets: String, count: Int) async throws -> (
    statuses: [Status], outcome: GuestHarness.Outcome
  ) {
    var harness = GuestHarness()
    let blocks = [("192.0.2.0/24", "BLOCK"), ("192.0.2.128/25", "ALLOW"), ("192.0.2.128/25", "a\"b")]
    harness.configuration.accessControlLists["list"] = AccessControlList(
      entries: try blocks.map { .init(prefix: try #require(IPPrefix($0.0)), action: $0.1) })
    let guest = Guest(
      imports: [("fastly_acl.open", "open", 3), ("fastly_acl.lookup", "lookup", 5)],
      data: [(1_024, "list"), (1_032, octets), (12, #"\ff\ff\ff\ff"#)],
      calls: [
        ("open", ["1025", "3", "8"]), ("open", ["1024", "4", "8"]), ("lookup", ["77", "1032", "4", "12", "16"]),
        ("lookup", ["@8", "1032", "\(count)", "12", "16"]),
      ], answer: nil, bodyAt: 12)
    return try await guest.run(harness)
  }

  @Test func `an address finds the entry of its longest prefix`() async throws {
    let (statuses, outcome) = try await Self.lookUp(#"\c0\00\02\01"#, count: 4)
    #expect(statuses == [.none, .ok, .badf, .ok])
    #expect(outcome.body == "{\n  \"prefix\": \"192.0.2.0/24\",\n  \"action\": \"BLOCK\"\n}")
  }

  @Test func `of equal prefixes the later counts, and its action is escaped`() async throws {
    let outcome = try await Self.lookUp(#"\c0\00\02\ff"#, count: 4).outcome
    #expect(outcome.body == "{\n  \"prefix\": \"192.0.2.128/25\",\n  \"action\": \"a\\\"b\"\n}")
  }

  @Test func `an address without an entry has no body, and five octets are no address`() async throws {
    let (statuses, outcome) = try await Self.lookUp(#"\cb\00\71\01"#, count: 4)
    #expect(statuses.last == .ok)
    // The place of the body's handle is untouched, so sending it fails.
    #expect(outcome.trace.spans.last?.status == Int32(Status.badf.rawValue))
    #expect(try await Self.lookUp(#"\cb\00\71\01"#, count: 5).statuses.last == .inval)
  }

  // MARK: Rate limiting

  @Test func `an entry above its limit is refused, and its parameters are checked`() async throws {
    let check = ["1024", "2", "1032", "5", "60", "60", "1", "1040", "3", "60", "2048"]
    var second = check
    second[10] = "2052"
    var badWindow = check
    badWindow[5] = "7"
    let guest = Guest(
      imports: [
        ("fastly_erl.check_rate", "check", 11), ("fastly_erl.ratecounter_increment", "increment", 5),
        ("fastly_erl.ratecounter_lookup_rate", "rate", 6), ("fastly_erl.ratecounter_lookup_count", "count", 6),
        ("fastly_erl.penaltybox_add", "add", 5), ("fastly_erl.penaltybox_has", "has", 5),
      ],
      data: [(1_024, "rc"), (1_032, "canar"), (1_040, "box")],
      calls: [
        ("check", check), ("check", second), ("check", badWindow),
        ("count", ["1024", "2", "1032", "5", "60", "2056"]), ("count", ["1024", "2", "1032", "5", "7", "2056"]),
        ("increment", ["1024", "2", "1032", "4", "120"]), ("rate", ["1024", "2", "1032", "4", "60", "2060"]),
        ("rate", ["1024", "2", "1032", "4", "2", "2060"]), ("has", ["1040", "3", "1032", "4", "2064"]),
        ("add", ["1040", "3", "1032", "4", "60"]), ("has", ["1040", "3", "1032", "4", "2068"]),
      ], answer: (2_048, 24))
    let (statuses, outcome) = try await guest.run(GuestHarness())
    #expect(statuses == [.ok, .ok, .inval, .ok, .inval, .ok, .ok, .inval, .ok, .ok, .ok])
    let words = outcome.body.utf8.enumerated().filter { $0.offset % 4 == 0 }.map(\.element)
    #expect(words == [0, 1, 120, 2, 0, 1])
    let trace = String(decoding: NativeJSONEncoder.encode(outcome.trace), as: UTF8.self)
    #expect(!trace.contains("canar"))
  }

  // MARK: Shielding

  private static func shieldGuest(_ calls: [(String, [String])], answer: (Int, Int)) -> Guest {
    Guest(
      imports: [
        ("fastly_shielding.shield_info", "info", 5), ("fastly_shielding.backend_for_shield", "backend", 7),
        ("fastly_backend.exists", "exists", 3), ("fastly_backend.get_first_byte_timeout_ms", "timeout", 3),
      ],
      // Options with a time for the first byte of 7 ms.
      data: [(1_024, "here"), (1_032, "there"), (1_040, "https://s.example/"), (1_072, #"\07"#)],
      calls: calls, answer: answer)
  }

  private static var shieldHarness: GuestHarness {
    var harness = GuestHarness()
    harness.configuration.shieldingSites = [
      "here": .local, "there": .remote(unencrypted: "http://s.example", encrypted: "https://s.example/"),
    ]
    return harness
  }

  @Test func `a shield's facts are a flag and two URLs`() async throws {
    let guest = Self.shieldGuest(
      [
        ("info", ["1024", "4", "2048", "64", "16"]), ("info", ["1032", "5", "2051", "3", "16"]),
        ("info", ["1032", "5", "2051", "@16", "16"]), ("info", ["1025", "3", "2048", "64", "16"]),
      ], answer: (2_048, 40))
    let (statuses, outcome) = try await guest.run(Self.shieldHarness)
    #expect(statuses == [.ok, .buflen, .ok, .inval])
    #expect(outcome.body.hasPrefix("\u{1}\0\0\0http://s.example\0https://s.example/\0"))
  }

  @Test func `a shield has one backend, by its name and by its URL`() async throws {
    let name = "shield https://s.example:443"
    let guest = Self.shieldGuest(
      [
        ("backend", ["1032", "5", "0", "1064", "2048", "64", "16"]),
        ("backend", ["1040", "18", "4", "1064", "\(2_048 + name.utf8.count)", "64", "16"]),
        ("backend", ["1032", "5", "1", "1064", "3000", "64", "16"]),
        ("backend", ["1024", "4", "0", "1064", "3000", "64", "16"]),
        ("backend", ["1025", "3", "0", "1064", "3000", "64", "16"]),
        ("exists", ["2048", "\(name.utf8.count)", "2104"]), ("timeout", ["2048", "\(name.utf8.count)", "2108"]),
      ], answer: (2_048, 2 * name.utf8.count + 8))
    let (statuses, outcome) = try await guest.run(Self.shieldHarness)
    #expect(statuses == [.ok, .ok, .inval, .inval, .inval, .ok, .ok])
    // The options of the last call count.
    #expect(outcome.body == name + name + "\u{1}\0\0\0\u{7}\0\0\0")
  }
}
