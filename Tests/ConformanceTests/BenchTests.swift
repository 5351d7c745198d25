import Foundation
import Testing

/// `fastlike bench`: the real program, without a network.
@Suite("Conformance: fastlike bench", .timeLimit(.minutes(5)))
struct BenchTests {
  private func bench(_ flags: [String], requests: String = "GET /\n") async throws -> FinishedCommand {
    let file = try temporaryFile("requests.http", requests)
    let start = ["bench", try Places.guest("hello"), "--requests", file, "--module-cache", Places.moduleCache]
    return try await fastlike(start + ["--warm-up", "0s"] + flags)
  }

  @Test func aProgramRunsAsOftenAsItShould() async throws {
    let output = try temporaryFile("place", "") + ".json"
    let result = try await bench(
      ["--iterations", "40", "--concurrency", "3", "--loops", "2", "--output", output],
      requests: "GET /a\n\n### weight=3\nGET /b\n")
    #expect(result.status == .exited(0))
    #expect(result.output.contains("40 requests in "))
    let file = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: output))) as? [String: Any]
    let traces = try #require(file?["traces"] as? [[String: Any]])
    #expect(traces.count == 40)
    #expect(traces.count { ($0["url"] as? String)?.hasSuffix("/b") == true } == 30)
    #expect(traces.allSatisfy { $0["status"] as? Int == 200 && $0["outcome"] as? String == "normal" })
  }

  @Test func aBudgetThatIsBrokenFails() async throws {
    let budget = try temporaryFile("budget.toml", "[[route]]\nroute = \"*\"\nhostcalls.total = 0\n")
    let junit = budget + ".xml"
    let result = try await bench(["--iterations", "5", "--budget", budget, "--junit", junit])
    #expect(result.status == .exited(1))
    #expect(result.output.contains("BROKEN"))
    #expect(try String(contentsOfFile: junit, encoding: .utf8).contains("<failure message="))
  }

  @Test func twoProgramsRunInTurnsAndAreCompared() async throws {
    let result = try await bench(["--iterations", "60", "--against", try Places.guest("hello")])
    #expect(result.status == .exited(0))
    #expect(result.output.contains("Whole requests"))
    #expect(result.output.contains("60 requests\nB "))
  }

  /// What each of the requests executed.
  private func fuel(_ module: String, _ flags: [String]) async throws -> [Int] {
    let file = try temporaryFile("requests.http", "GET /\n")
    let output = try temporaryFile("place", "") + ".json"
    let start = ["bench", module, "--requests", file, "--module-cache", Places.moduleCache, "--warm-up", "0s"]
    let result = try await fastlike(start + ["--iterations", "4", "--output", output] + flags)
    #expect(result.status == .exited(0))
    let written = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: output)))
    let traces = try #require((written as? [String: Any])?["traces"] as? [[String: Any]])
    return traces.compactMap { $0["guest_fuel"] as? Int }
  }

  /// A guest that goes round so many times.
  private func turning(_ turns: Int) throws -> String {
    try temporaryFile(
      "turning.wat",
      """
      (module (memory (export "memory") 1)
        (func (export "_start") (local $i i32)
          (loop $l
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $l (i32.lt_u (local.get $i) (i32.const \(turns)))))))
      """)
  }

  @Test func whatAGuestExecutesIsCountedTheSameEachTime() async throws {
    let thousand = try await fuel(try turning(1000), ["--fuel"])
    let two = try await fuel(try turning(2000), ["--fuel"])
    #expect(thousand.count == 4 && Set(thousand).count == 1)
    #expect(two.count == 4 && Set(two).count == 1)
    // Some instructions each turn, and the same few around them.
    let turn = try #require(two.first) - (try #require(thousand.first))
    #expect(turn.isMultiple(of: 1000) && turn >= 4000)
    #expect(try await fuel(try turning(1000), []).isEmpty)
  }

  @Test func aBudgetOfFuelHolds() async throws {
    for (limit, status) in [(1_000_000, Int32(0)), (100, 1)] {
      let budget = try temporaryFile("budget.toml", "[[route]]\nroute = \"*\"\nfuel = \(limit)\n")
      let result = try await bench(["--iterations", "3", "--fuel", "--budget", budget])
      #expect(result.status == .exited(status))
    }
    let budget = try temporaryFile("budget.toml", "[[route]]\nroute = \"*\"\nfuel = 1\n")
    let unknown = try await bench(["--iterations", "3", "--budget", budget])
    #expect(unknown.status == .exited(1))
    #expect(unknown.output.contains("is counted with --fuel"))
  }
}
