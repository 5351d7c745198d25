import Testing

@testable import FastlikeRuntime

@Suite("Keys and invalidation of the HTTP cache") struct HTTPCacheKeyTests {
  private func url(_ uri: String, _ headers: [(String, String)] = []) -> String {
    HTTPCacheKey.normalized(RequestHead(uri: uri, headers: HeaderList(headers)))
  }

  @Test("RFC 9110 §4.2.3: URLs that are equivalent have one key")
  func equivalentURLsHaveOneKey() {
    #expect(url("HTTP://EXAMPLE.com:80/A?b#c") == "http://example.com/A?b")
    #expect(url("https://user@example.com:443") == "https://example.com/")
    #expect(url("https://example.com:80/") == "https://example.com:80/")
    #expect(url("/x?y", [("host", "Example.com")]) == "http://example.com/x?y")
  }

  @Test func differentURLsHaveDifferentKeys() {
    let keys = ["http://a/", "https://a/", "http://b/", "http://a/x", "http://a/?x", "http://a/X"].map {
      HTTPCacheKey(suggestedFor: RequestHead(uri: $0))
    }
    #expect(Set(keys).count == keys.count)
    #expect(keys.allSatisfy { $0.bytes.count == 32 })
  }

  @Test func theMethodAndHeadersAreNoPartOfTheKey() {
    let get = RequestHead(uri: "http://a/")
    let head = RequestHead(method: "HEAD", uri: "http://a/", headers: HeaderList([("accept", "x")]))
    #expect(HTTPCacheKey(suggestedFor: get) == HTTPCacheKey(suggestedFor: head))
  }

  @Test func aKeyIsWrittenAsSixtyFourDigitsAndReadBack() throws {
    let key = HTTPCacheKey(suggestedFor: RequestHead(uri: "http://a/"))
    #expect(key.surrogateKey.utf8.count == 64)
    #expect(try #require(HTTPCacheKey(hexadecimal: key.surrogateKey.utf8)) == key)
    #expect(HTTPCacheKey(hexadecimal: String(repeating: "g", count: 64).utf8) == nil)
    #expect(HTTPCacheKey(hexadecimal: "00".utf8) == nil)
    #expect(HTTPCacheKey([1, 2]) == nil)
  }

  // MARK: Invalidation

  private func invalidated(
    _ method: String, _ status: UInt16 = 200, _ headers: [(String, String)] = []
  ) -> [HTTPCacheKey] {
    HTTPInvalidation.keys(
      after: ResponseHead(status: status, headers: HeaderList(headers)),
      to: RequestHead(method: method, uri: "http://a/x/y?z"))
  }

  private func key(_ uri: String) -> HTTPCacheKey { HTTPCacheKey(suggestedFor: RequestHead(uri: uri)) }

  @Test(
    "RFC 9111 §4.4: a successful unsafe method invalidates its URL", arguments: ["POST", "PUT", "DELETE", "PATCH", "X"])
  func aSuccessfulUnsafeMethodInvalidates(method: String) {
    #expect(invalidated(method) == [key("http://a/x/y?z")])
    #expect(invalidated(method, 303) == [key("http://a/x/y?z")])
  }

  @Test("RFC 9111 §4.4: a failed one does not, nor does a safe method")
  func failuresAndSafeMethodsDoNotInvalidate() {
    #expect(invalidated("POST", 404).isEmpty)
    #expect(invalidated("POST", 500).isEmpty)
    for method in ["GET", "HEAD", "OPTIONS", "TRACE"] { #expect(invalidated(method).isEmpty) }
  }

  @Test("RFC 9111 §4.4: Location and Content-Location are invalidated too, on the same host")
  func locationsOnTheSameHostAreInvalidated() {
    let own = key("http://a/x/y?z")
    #expect(invalidated("POST", 201, [("location", "/new")]) == [own, key("http://a/new")])
    #expect(invalidated("POST", 201, [("content-location", "item")]) == [own, key("http://a/x/item")])
    #expect(invalidated("POST", 201, [("location", "http://A/new")]) == [own, key("http://a/new")])
    #expect(invalidated("POST", 201, [("location", "http://b/new")]) == [own])
    #expect(invalidated("POST", 201, [("location", "//b/new")]) == [own])
    #expect(invalidated("POST", 201, [("location", "https://a/new")]) == [own])
  }
}
