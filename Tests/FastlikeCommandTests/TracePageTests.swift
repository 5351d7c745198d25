import FastlikeProfile
import FastlikeServer
import Logging
import Testing

@testable import fastlike

/// The trace commands against a real page on a free port of the loopback address.
@Suite(.timeLimit(.minutes(1))) struct TracePageTests {
  private func withPage(
    token: String = "", _ traces: [RequestTrace], _ body: (TracePageClient) async throws -> Void
  ) async throws {
    let store = ProfileStore(mode: .trace, hostcalls: .empty)
    for trace in traces { store.complete(trace) }
    let page = try ProfilePage(
      store: store, settings: ProfilePageSettings(token: token), logger: Logger(label: "test"))
    let bound = try await page.start()
    do {
      try await body(TracePageClient(host: bound.host, port: bound.port, token: token))
    } catch {
      await page.stop()
      throw error
    }
    await page.stop()
  }

  @Test func aPageListsWhatTheQueryMeans() async throws {
    try await withPage([TraceSample.slow(id: 1), TraceSample.bare(id: 2, status: 503)]) { client in
      let all = try await TraceSource.page(client).summaries(TraceQuery())
      #expect(Set(all.map(\.id)) == [1, 2])
      #expect(all.first { $0.id == 1 }?.time == TraceSummary.Time(TraceSample.slow().time))
      var query = TraceQuery()
      query.status = 500...599
      #expect(try await TraceSource.page(client).summaries(query).map(\.id) == [2])
    }
  }

  @Test func aPageGivesAWholeTrace() async throws {
    let trace = TraceSample.slow(id: 1)
    try await withPage(token: "12345678", [trace]) { client in
      let found = try await TraceSource.page(client).trace(1)
      #expect(found.native == NativeJSONEncoder.encode(trace))
      #expect(found.trace.time == trace.time)
    }
  }

  @Test func anIDThatAPageDoesNotHaveIsToldByItsNumber() async throws {
    try await withPage([TraceSample.slow(id: 1)]) { client in
      await #expect(throws: TraceSourceError.unknown(9, place: client.name)) {
        try await TraceSource.page(client).trace(9)
      }
    }
  }

  @Test func aWrongTokenIsToldAsSuch() async throws {
    try await withPage(token: "12345678", []) { client in
      let stranger = TracePageClient(host: client.host, port: client.port, token: "")
      await #expect(throws: TraceSourceError.needsToken(client.name)) {
        try await TraceSource.page(stranger).summaries(TraceQuery())
      }
    }
  }

  @Test func aPageGivesManyWholeTraces() async throws {
    let traces = (1...120).map { TraceSample.bare(id: UInt64($0), path: $0.isMultiple(of: 2) ? "/even" : "/odd") }
    try await withPage(traces) { client in
      var query = TraceQuery()
      query.limit = TraceQuery.defaultSetLimit
      var found: [UInt64] = []
      _ = try await TraceSource.page(client).forEach(query) { found.append($0.id) }
      #expect(found == (1...120).reversed().map { UInt64($0) })
      query.route = TraceRoutePattern("POST /even")
      query.limit = 7
      found = []
      _ = try await TraceSource.page(client).forEach(query) { found.append($0.id) }
      #expect(found == [120, 118, 116, 114, 112, 110, 108])
    }
  }
}
