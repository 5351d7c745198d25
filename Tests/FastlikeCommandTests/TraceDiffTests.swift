import FastlikeProfile
import FastlikeRuntime
import Foundation
import Testing

@testable import fastlike

@Suite struct TraceDiffTests {
  private func name(_ text: String, otherwise: TraceSource = .archive("default")) throws -> TraceSetName {
    try TraceSetName(
      text, place: "A", otherwise: { otherwise },
      page: { text in
        let (host, port) = try TracePageClient.address(text, place: "A")
        return TracePageClient(host: host, port: port, token: "")
      })
  }

  private func problem(_ text: String) -> String {
    do {
      _ = try name(text)
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  private func execute(_ arguments: String...) async -> Int32 {
    await Fastlike.execute(arguments, environment: FlagEnvironment())
  }

  /// Thirty requests of a wall time that grows a little from one to the next.
  private func traces(_ milliseconds: Int64, path: String = "/", from: UInt64 = 1) -> [RequestTrace] {
    (0..<30).map {
      TraceSample.bare(id: from + $0, path: path, wall: milliseconds * 1_000_000 + Int64($0) * 1000)
    }
  }

  private func write(_ traces: [RequestTrace], to path: String) throws {
    try Data(NativeJSONEncoder.encode(traces)).write(to: URL(fileURLWithPath: path))
  }

  @Test func aSetIsAPlaceAndWhatIsMeantOfIt() throws {
    let folder = try TraceFolder()
    try write([], to: folder.file("a.json"))
    #expect(try name(folder.archive).source == .archive(folder.archive))
    #expect(try name(folder.file("a.json")).source == .file(folder.file("a.json")))
    #expect(try name("http://localhost:6060?limit=7").source.name == "http://localhost:6060")
    let part = try name("?route=GET%20/a&module=00ff&status=5xx&limit=7")
    #expect(part.source == .archive("default"))
    #expect(part.query.route == TraceRoutePattern("GET /a"))
    #expect(part.query.module == "00ff")
    #expect(part.query.status == 500...599)
    #expect(part.query.limit == 7)
    #expect(try name("?route=GET /a").query.route == TraceRoutePattern("GET /a"))
  }

  @Test func whatIsNoSetIsToldWithWhatIsAllowed() {
    #expect(problem("").hasPrefix("A: is empty; write a folder"))
    #expect(problem("/no/such/folder").hasPrefix("A: /no/such/folder: there is no such folder or file"))
    #expect(problem("?color=red").hasPrefix("A color: is not allowed; write FIELD=VALUE with one of path, route"))
    #expect(problem("?route").hasPrefix("A route: is not allowed"))
    #expect(problem("?limit=0").hasPrefix("A limit: \"0\" is not allowed"))
    #expect(problem("http://user:secret@h:1") == "A: is no page's address; write http://HOST:PORT")
  }

  @Test func slowerRequestsFailAScriptThatAsksForIt() async throws {
    let folder = try TraceFolder()
    let (fast, slow) = (folder.file("fast.json"), folder.file("slow.json"))
    try write(traces(10), to: fast)
    try write(traces(20), to: slow)
    #expect(await execute("trace", "diff", fast, slow) == 0)
    #expect(await execute("trace", "diff", fast, slow, "--fail-if-slower") == 1)
    #expect(await execute("trace", "diff", slow, fast, "--fail-if-slower") == 0)
    #expect(await execute("trace", "diff", fast, fast, "--fail-if-slower", "--json") == 0)
  }

  @Test func twoPartsOfOneArchiveAreTwoSets() async throws {
    let folder = try TraceFolder()
    let archive = try TraceArchive(directory: folder.archive)
    for trace in traces(10, path: "/a") + traces(20, path: "/b", from: 100) { archive.append(trace) }
    archive.close()
    let sets = ["?route=/a", "?route=/b"]
    let code = await Fastlike.execute(
      ["trace", "diff"] + sets + ["--dir", folder.archive, "--fail-if-slower"], environment: FlagEnvironment())
    #expect(code == 1)
  }

  @Test func theDifferenceIsDrawn() async throws {
    let folder = try TraceFolder()
    let (a, b, svg) = (folder.file("a.json"), folder.file("b.json"), folder.file("diff.svg"))
    try write([TraceSample.slow()], to: a)
    try write([TraceSample.slow(), TraceSample.bare(id: 13)], to: b)
    #expect(await execute("trace", "diff", a, b, "--flame", svg, "--weight", "blocked") == 0)
    let text = try String(contentsOfFile: svg, encoding: .utf8)
    #expect(text.contains("backend: 400 ms before, 200 ms after, a request (−50 %)"))
    #expect(await execute("trace", "diff", a, b, "--flame", svg) == 2)
  }

  @Test func nothingToCompareIsAFailure() async throws {
    let folder = try TraceFolder(TraceSample.slow())
    #expect(await execute("trace", "diff", folder.archive, folder.archive + "?route=/none") == 1)
    #expect(await execute("trace", "diff", folder.archive, "elsewhere") == 2)
    #expect(await execute("trace", "diff", folder.archive) == 2)
    #expect(await execute("trace", "diff", folder.archive, folder.archive, "--seed", "x") == 2)
    #expect(await execute("trace", "diff", folder.archive, folder.archive, "--threshold", "-1") == 2)
  }

  @Test func theTablesHaveALineForEachFigure() throws {
    var sets = [TraceSet.Builder(name: "a\u{1B}[2J"), TraceSet.Builder(name: "b")]
    for trace in traces(10) { sets[0].add(trace) }
    for trace in traces(20) { sets[1].add(trace) }
    let text = ComparisonText(TraceComparison(before: sets[0].finish(), after: sets[1].finish())).text
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(lines[0].hasPrefix("slower: the median request took 10.0 ms before, 20.0 ms after (+100 %, "))
    #expect(lines[2] == "A  a_[2J: 30 requests")
    #expect(lines.contains { $0.hasPrefix("  wall") && $0.hasSuffix("slower") })
    #expect(lines.contains { $0.hasPrefix("  hostcalls") && $0.hasSuffix("same") })
    #expect(text.contains("1000 draws") && text.contains("seed 1."))
    #expect(!text.unicodeScalars.contains("\u{1B}"))
  }
}
