import FastlikeProfile
import FastlikeRuntime
import Foundation
import Testing

@testable import fastlike

/// Many requests taken together: where they come from, and `trace flame`.
@Suite struct TraceSetTests {
  private func ids(_ source: TraceSource, _ change: (inout TraceQuery) -> Void = { _ in }) async throws -> [UInt64] {
    var query = TraceQuery()
    query.limit = TraceQuery.defaultSetLimit
    change(&query)
    var found: [UInt64] = []
    let coverage = try await source.forEach(query) { found.append($0.id) }
    #expect(coverage == TraceSource.Coverage(requests: found.count, unreadable: 0))
    return found
  }

  private func execute(_ arguments: String...) async -> Int32 {
    await Fastlike.execute(arguments, environment: FlagEnvironment())
  }

  @Test func anArchiveGivesItsRequestsNewestFirst() async throws {
    let folder = try TraceFolder(
      TraceSample.bare(id: 1, path: "/a"), TraceSample.slow(id: 2), TraceSample.bare(id: 3, path: "/a/b", status: 503))
    let source = TraceSource.archive(folder.archive)
    #expect(try await ids(source) == [3, 2, 1])
    #expect(try await ids(source) { $0.limit = 2 } == [3, 2])
    #expect(try await ids(source) { $0.route = TraceRoutePattern("/a") } == [1])
    #expect(try await ids(source) { $0.route = TraceRoutePattern("POST /a*") } == [3, 1])
    #expect(try await ids(source) { $0.route = TraceRoutePattern("GET /a*") } == [])
    #expect(try await ids(source) { $0.outcome = TraceQuery.anyError } == [3])
    #expect(try await ids(source) { $0.since = TraceSample.slow(id: 2).wallStartUnixNanos } == [3, 2])
    #expect(try await ids(source) { $0.until = TraceSample.slow(id: 2).wallStartUnixNanos } == [1])
  }

  @Test func aFileOfAnExportIsASourceToo() async throws {
    let folder = try TraceFolder(TraceSample.bare(id: 1, path: "/a"), TraceSample.slow(id: 2))
    let file = folder.file("both.json")
    #expect(await execute("trace", "export", "1", "2", "--dir", folder.archive, "--output", file) == 0)
    #expect(try await ids(.file(file)) == [2, 1])
    #expect(try await ids(.file(file)) { $0.route = TraceRoutePattern("/a") } == [1])
    #expect(try await TraceSource.file(file).summaries(TraceQuery()).map(\.id) == [2, 1])
    #expect(await execute("trace", "show", "2", "--file", file) == 0)
  }

  @Test func aFileThatIsNoneIsToldAsSuch() async throws {
    let folder = try TraceFolder()
    try Data("{\"traces\": 3}".utf8).write(to: URL(fileURLWithPath: folder.file("odd.json")))
    await #expect(throws: TraceSourceError.noFile("nowhere.json")) {
      _ = try await TraceSource.file("nowhere.json").forEach(TraceQuery()) { _ in }
    }
    await #expect(throws: TraceSourceError.self) {
      _ = try await TraceSource.file(folder.file("odd.json")).forEach(TraceQuery()) { _ in }
    }
  }

  @Test(arguments: TraceFlameCommand.Format.allCases)
  func aFlameGraphIsAWholeFile(format: TraceFlameCommand.Format) async throws {
    let folder = try TraceFolder(TraceSample.slow(id: 1), TraceSample.slow(id: 2))
    let file = folder.file("flame")
    let code = await execute(
      "trace", "flame", "--dir", folder.archive, "--weight", "blocked", "--format", format.rawValue, "-o", file)
    #expect(code == 0)
    let text = try String(contentsOfFile: file, encoding: .utf8)
    switch format {
    case .svg: #expect(text.hasPrefix("<svg ") && text.contains("backend: 800 ms (100 %)"))
    case .collapsed: #expect(text == "backend;fastly_http_req.send;origin 800000\n")
    case .json: #expect(text.contains("\"requests\":2,\"total\":800000000"))
    }
  }

  @Test func aFlameGraphIsOfTheRequestsThatAreNamed() async throws {
    let folder = try TraceFolder(TraceSample.slow(id: 1), TraceSample.slow(id: 2))
    let file = folder.file("flame")
    let code = await execute(
      "trace", "flame", "2", "--dir", folder.archive, "--weight", "hostcall", "--format", "collapsed", "-o", file)
    #expect(code == 0)
    #expect(
      try String(contentsOfFile: file, encoding: .utf8) == """
        GET /slow;fastly_http_req.send 2000
        GET /slow;fastly_http_req.send;waiting 400000
        GET /slow;fastly_kv_store.lookup 3000

        """)
  }

  @Test func nothingToDrawIsAFailure() async throws {
    let folder = try TraceFolder(TraceSample.slow(id: 1))
    #expect(await execute("trace", "flame", "--dir", folder.archive, "--route", "/other", "-o", folder.file("x")) == 1)
    #expect(try folder.names() == ["archive"])
  }

  @Test func wrongWordsAreWrongUsage() async throws {
    let folder = try TraceFolder()
    for words in [
      ["--weight", "wall"], ["--format", "png"], ["--route", "x"], ["--since", "soon"], ["--limit", "0"],
    ] {
      let arguments = ["trace", "flame", "--dir", folder.archive, "-o", "-"] + words
      #expect(await Fastlike.execute(arguments, environment: FlagEnvironment()) == 2)
    }
  }
}
