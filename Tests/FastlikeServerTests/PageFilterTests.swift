import FastlikeProfile
import Testing

@testable import FastlikeServer

@Suite("Page: filter")
struct PageFilterTests {
  private let traces = [
    PageTrace.quick(id: 4, path: "/api/items", status: 503), PageTrace.quick(id: 3, path: "/api/cart"),
    PageTrace.slow(id: 2), PageTrace.quick(id: 1, status: 404),
  ]

  private func ids(_ query: String) -> [UInt64] { RequestFilter(query: query).select(traces).map(\.id) }

  @Test(
    arguments: [
      ("", [4, 3, 2, 1]), ("path=api", [4, 3]), ("path=%2Fapi%2Fcart", [3]), ("status=404", [1]), ("status=5xx", [4]),
      ("status=400-599", [4, 1]), ("outcome=error", [4]), ("outcome=trap", []), ("min=100", [2]),
      ("min=0.5", [4, 3, 2, 1]),
      ("module=0011223344556677", [4, 3, 2, 1]), ("module=other", []), ("sort=slowest", [2, 4, 3, 1]),
      ("sort=hostcalls", [2, 4, 3, 1]), ("path=api&status=200", [3]), ("path=&status=&min=", [4, 3, 2, 1]),
      ("route=/api/*", [4, 3]), ("route=/api/cart", [3]), ("route=PUT%20/api/cart", []), ("since=1d", []),
      ("until=1d", [4, 3, 2, 1]),
    ] as [(String, [UInt64])])
  func aQueryChoosesRequests(query: String, expected: [UInt64]) {
    #expect(ids(query) == expected)
  }

  @Test(arguments: [
    "status=abc", "status=5-", "status=9-1", "outcome=great", "min=fast", "min=-1", "sort=x", "limit=0", "offset=-1",
    "from=x", "route=x", "since=then", "until=10",
  ])
  func whatCannotBeUnderstoodIsSaidAndHasNoEffect(query: String) {
    let filter = RequestFilter(query: query)
    #expect(filter.problems.count == 1)
    #expect(filter.problems.first?.contains("allowed is") == true)
    #expect(filter.select(traces).count == traces.count)
  }

  @Test func formsAreDecoded() {
    let filter = RequestFilter(query: "path=a+b%26%C3%A9&nonsense=1&min=%2010")
    #expect(filter.path == "a b&é")
    #expect(filter.minimum == "10")
    #expect(filter.problems.isEmpty)
  }

  @Test func aLinkKeepsTheQuestion() {
    let filter = RequestFilter(query: "path=%2Fa%22%3E%26&status=5xx&sort=slowest&limit=10&from=archive")
    let link = filter.link(offset: 20)
    #expect(link == "?path=/a%22%3E%26&status=5xx&from=archive&sort=slowest&limit=10&offset=20")
    var expected = filter
    expected.offset = 20
    #expect(RequestFilter(query: String(link.dropFirst())) == expected)
  }

  @Test func theArchiveIsAskedTheSame() {
    let filter = RequestFilter(query: "path=/a&status=5xx&min=20&sort=slowest&outcome=trap&offset=7&route=GET%20/a")
    let query = filter.archiveQuery(limit: 11)
    #expect(query.path == "/a")
    #expect(query.status == 500...599)
    #expect(query.minimumWallNanos == 20_000_000)
    #expect(query.outcomes == [.trap])
    #expect(query.route == TraceRoutePattern("GET /a"))
    #expect(query.order == .slowestFirst)
    #expect(query.limit == 11)
    #expect(query.offset == 7)
  }

  @Test func pagesFollowEachOther() {
    let filter = RequestFilter(query: "limit=2&offset=2")
    let state = IndexState(traces: traces, running: [], statistics: ProfileStore().statistics, mode: .trace, now: 0)
    let view = IndexView(filter: filter, traces: traces, state: state)
    #expect(view.rows.map(\.id) == [2, 1])
    #expect(view.range == "3–4 of 4")
    #expect(view.newer == "?limit=2")
    #expect(view.older == nil)
    #expect(!view.growsAtTop)
  }
}
