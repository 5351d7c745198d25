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
}
