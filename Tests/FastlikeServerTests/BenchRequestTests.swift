import FastlikeRuntime
import Testing

@testable import FastlikeServer

@Suite("Bench: requests")
struct BenchRequestTests {
  private func parse(_ text: String) throws -> [BenchRequest] {
    try BenchRequests.parse(text, name: "requests.http") { name, place in
      guard name == "body.bin" else { throw ConfigurationError(place: place, problem: "no \(name)") }
      return [0, 255]
    }
  }

  private func problem(_ text: String) -> String {
    do {
      _ = try parse(text)
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  @Test func aFileHoldsRequestsOneAfterTheOther() throws {
    let requests = try parse(
      """
      # what a visitor asks for
      GET /items?page=2
      Accept: text/html

      ### weight=3 the cart
      POST /cart HTTP/1.1
      Host: shop.example
      content-type: application/json

      {"item": 1,

       "count": 2}

      ###
      PUT /picture

      < body.bin
      """)
    #expect(requests.count == 3)
    #expect(requests[0].head.method == "GET")
    #expect(requests[0].head.uri == "/items?page=2")
    #expect(requests[0].head.headers == HeaderList([("host", "localhost"), ("Accept", "text/html")]))
    #expect(requests[0].body.isEmpty)
    #expect(requests[1].weight == 3)
    #expect(String(decoding: requests[1].body, as: UTF8.self) == "{\"item\": 1,\n\n \"count\": 2}")
    #expect(
      requests[1].head.headers
        == HeaderList([("Host", "shop.example"), ("content-type", "application/json"), ("content-length", "25")]))
    #expect(requests[2].body == [0, 255])
    #expect(requests[2].weight == 1)
  }

  @Test func linesMayEndAsOnWindows() throws {
    let requests = try parse("GET /a\r\nX: 1\r\n\r\n###\r\nGET /b\r\n")
    #expect(requests.map(\.head.uri) == ["/a", "/b"])
    #expect(requests[0].body.isEmpty)
  }

  @Test(arguments: [
    ("", "requests.http: has no request"), ("# nothing\n###\n", "requests.http: has no request"),
    ("GET", "requests.http:1: is no request; write METHOD /PATH"),
    ("\nGET http://h/", "requests.http:2: the path is not allowed"),
    ("G@T /", "requests.http:1: is no request"), ("GET / FTP", "requests.http:1: is no request"),
    ("GET /ü", "requests.http:1: the path is not allowed"), ("GET /\nnothing", "requests.http:2: is no header field"),
    ("GET /\nX Y: 1", "requests.http:2: is no header field"),
    ("### weight=0\nGET /", "requests.http:1: weight is not allowed"),
    ("GET /\n\n< other.bin", "requests.http:3: no other.bin"),
  ])
  func aMistakeIsOneLineWithItsPlace(text: String, expected: String) {
    #expect(problem(text).hasPrefix(expected))
  }

  @Test func aHeadersValueIsNotRepeated() {
    #expect(!problem("GET /\nAuthorization secret").contains("secret"))
  }

  @Test func requestsComeAsOftenAsTheirWeightsSay() {
    let weights = [1, 3, 2]
    let requests = weights.map { BenchRequest(head: RequestHead(), weight: $0) }
    let rotation = BenchRotation(requests)
    let order = (0..<12).map { _ in rotation.next() }
    #expect(weights.indices.map { index in order.count { $0 == index } } == [2, 6, 4])
    #expect(order.prefix(6).elementsEqual(order.suffix(6)))
    // Spread evenly: the heaviest never comes three times in a row.
    #expect(!zip(order, zip(order.dropFirst(), order.dropFirst(2))).contains { $0 == 1 && $1.0 == 1 && $1.1 == 1 })
  }

  @Test func aQuotaEndsByNumberOrTime() {
    let two = BenchQuota(requests: 2)
    #expect([two.take(), two.take(), two.take(), two.take()] == [true, true, false, false])
    #expect(!BenchQuota(until: 0).take())
  }
}
