import Testing

@testable import FastlikeProfile

struct RouteSummaryTests {
  @Test func requestsOfOneRouteAreTakenTogether() throws {
    let traces = (1...100).map { index in
      var deep = DeepMetrics()
      deep.addHeapSample(relativeNanos: 0, memoryBytes: Int64(index) << 16)
      return RequestTrace(
        id: UInt64(index), url: RedactedURL(index == 100 ? "/b" : "/a"), status: index == 7 ? 500 : 200,
        wallNanos: Int64(index) * 1000, time: TimeAccount(guest: Int64(index) * 500),
        backendCalls: [BackendCall(name: "b")], deep: index > 50 ? deep : nil)
    }
    let routes = RouteSummary.routes(of: traces)
    #expect(routes.map(\.route.description) == ["GET /a", "GET /b"])
    let first = try #require(routes.first)
    #expect(first.count == 99)
    #expect(first.errors == 1)
    #expect(first.wall == (50_000, 95_000, 99_000))
    #expect(first.medianGuest == 25_000)
    #expect(first.backendCalls == 99)
    #expect(first.peakMemory == 99 << 16)
    #expect(RouteSummary.routes(of: [RequestTrace(id: 1)]).first?.peakMemory == nil)
  }
}
