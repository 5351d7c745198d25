import FastlikeProfile
import FastlikeRuntime
import Foundation
import Testing

@testable import fastlike

@Suite struct TraceCheckTests {
  private func execute(_ arguments: [String], variables: [String: String] = [:]) async -> Int32 {
    await Fastlike.execute(["trace", "check"] + arguments, environment: FlagEnvironment(variables))
  }

  private func budget(_ limits: String, in folder: TraceFolder) throws -> String {
    try Data("[[route]]\nroute = \"*\"\n\(limits)\n".utf8).write(to: URL(fileURLWithPath: folder.file("budget.toml")))
    return folder.file("budget.toml")
  }

  @Test func aBrokenLimitFails() async throws {
    let folder = try TraceFolder(TraceSample.slow(), TraceSample.bare(id: 13))
    let kept = try budget("wall_p99 = \"427ms\"\nbackend_calls = 1", in: folder)
    #expect(await execute([kept, "--dir", folder.archive]) == 0)
    let broken = try budget("wall_p99 = \"425ms\"\nbackend_calls = 1", in: folder)
    #expect(await execute([broken, "--dir", folder.archive]) == 1)
    #expect(await execute([broken, "--dir", folder.archive, "--deterministic"]) == 0)
    #expect(await execute([broken, "--dir", folder.archive, "--path", "/slow"]) == 1)
    #expect(await execute([broken, "--dir", folder.archive, "--route", "/none"]) == 1)
  }

  @Test func aMistakeInTheBudgetIsWrongUsage() async throws {
    let folder = try TraceFolder(TraceSample.slow())
    let odd = try budget("wall_p42 = \"1s\"", in: folder)
    #expect(await execute([odd, "--dir", folder.archive]) == 2)
    #expect(await execute([folder.file("none.toml"), "--dir", folder.archive]) == 2)
    #expect(await execute([]) == 2)
  }

  @Test func theReportGoesToFilesToo() async throws {
    let folder = try TraceFolder(TraceSample.slow())
    let broken = try budget("wall_p99 = \"1ms\"", in: folder)
    let (junit, summary) = (folder.file("budget.xml"), folder.file("summary.md"))
    try Data("earlier\n".utf8).write(to: URL(fileURLWithPath: summary))
    for _ in 0..<2 {
      let code = await execute(
        [broken, "--dir", folder.archive, "--junit", junit], variables: ["GITHUB_STEP_SUMMARY": summary])
      #expect(code == 1)
    }
    #expect(try String(contentsOfFile: junit, encoding: .utf8).contains("failures=\"1\""))
    let text = try String(contentsOfFile: summary, encoding: .utf8)
    #expect(text.hasPrefix("earlier\n### Budget broken"))
    #expect(text.split(separator: "###").count == 3)
    #expect(await execute([broken, "--dir", folder.archive, "--summary", folder.file("no/where")]) != 0)
  }

  @Test func theTableTellsWhatBroke() throws {
    let limits = [
      Budget.Limit(.wall(percent: 99), 1e6, place: "budget.toml:3"),
      Budget.Limit(.backendCalls, 1, place: "budget.toml:4"),
    ]
    let pattern = try #require(TraceRoutePattern("/slow"))
    var builder = BudgetReport.Builder(Budget(rules: [.init(route: pattern, limits: limits, place: "")]))
    builder.add(TraceSample.slow())
    #expect(
      BudgetText(builder.finish()).text == """
        budget broken: 1 of 2 limits not kept, 1 request
                  route  what           measured  allowed          requests  same everywhere
          BROKEN  /slow  wall_p99         426 ms  at most 1.00 ms         1  no
          ok      /slow  backend_calls         1  at most 1               1  yes
        /slow: wall_p99 is 426 ms, but may be at most 1.00 ms [budget.toml:3]
        """)
  }
}
