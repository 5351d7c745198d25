import Testing

@testable import FastlikeRuntime

@Suite("Validation (RFC 9110 §13, RFC 9111 §4.3)") struct HTTPValidationTests {
  private let now: Int64 = 1_782_950_400
  private var changed: String { HTTPDate.text(now - 500) }

  private var stored: ResponseHead {
    ResponseHead(
      headers: HeaderList([
        ("ETag", "\"a,b\""), ("Last-Modified", changed), ("Date", HTTPDate.text(now - 100)), ("Content-Type", "x/y"),
      ]))
  }

  private func isKnown(_ request: [(String, String)], method: String = "GET", _ stored: ResponseHead? = nil) -> Bool {
    HTTPValidation.isKnown(
      stored ?? self.stored, to: RequestHead(method: method, headers: HeaderList(request)), now: now)
  }

  // MARK: Requests to the backend

  @Test(
    "RFC 9111 §4.3.1: a revalidation has both validators of the stored response, and none of the client's conditions")
  func aRevalidationHasTheStoredValidators() {
    let request = RequestHead(
      uri: "http://a/", headers: HeaderList([("if-none-match", "\"mine\""), ("range", "bytes=0-1"), ("accept", "*/*")]))
    let head = HTTPValidation.backendRequest(for: request, revalidating: stored)
    #expect(
      head.headers
        == HeaderList([("accept", "*/*"), ("if-none-match", "\"a,b\""), ("if-modified-since", changed)]))
  }

  @Test("RFC 9111 §3.3: the whole response is asked for, whatever part the client wants")
  func theWholeResponseIsAskedFor() {
    let request = RequestHead(
      method: "HEAD",
      headers: HeaderList([
        ("Range", "bytes=0-1"), ("If-Range", "\"x\""), ("If-Match", "*"), ("If-Unmodified-Since", changed),
        ("If-Modified-Since", changed),
      ]))
    let head = HTTPValidation.backendRequest(for: request, revalidating: nil)
    #expect(head.method == "GET")
    #expect(head.headers.isEmpty)
  }

  @Test("RFC 9111 §4.3.4: a 304 is about the response with its strong tag")
  func aStrongTagSelects() {
    func isFreshened(_ own: String, by tag: String) -> Bool {
      HTTPValidation.isFreshened(HeaderList([("etag", own)]), by: HeaderList([("etag", tag)]))
    }
    #expect(isFreshened("\"1\"", by: "\"1\""))
    #expect(!isFreshened("\"1\"", by: "\"2\""))
    #expect(!isFreshened("W/\"1\"", by: "\"1\""))
    #expect(isFreshened("W/\"1\"", by: "W/\"1\""))
    #expect(isFreshened("\"1\"", by: "W/\"1\""))
  }

  @Test(
    "RFC 9111 §4.3.4: without a tag the dates have to be the same, and without a validator there is only one response")
  func datesSelect() {
    let own = HeaderList([("last-modified", changed)])
    #expect(HTTPValidation.isFreshened(own, by: HeaderList([("last-modified", changed)])))
    #expect(!HTTPValidation.isFreshened(own, by: HeaderList([("last-modified", HTTPDate.text(now))])))
    #expect(HTTPValidation.isFreshened(own, by: HeaderList()))
  }

  // MARK: Answers to clients

  @Test("RFC 9110 §13.1.2: If-None-Match compares weakly, with every member")
  func ifNoneMatchComparesWeakly() {
    #expect(isKnown([("if-none-match", "\"x\", W/\"a,b\"")]))
    #expect(isKnown([("if-none-match", "\"x\""), ("if-none-match", "\"a,b\"")]))
    #expect(!isKnown([("if-none-match", "\"a\", \"b\"")]))
    #expect(isKnown([("if-none-match", "*")]))
  }

  @Test("RFC 9110 §13.1.3: If-Modified-Since does not count beside If-None-Match")
  func ifModifiedSinceDoesNotCountBesideATag() {
    #expect(!isKnown([("if-none-match", "\"x\""), ("if-modified-since", HTTPDate.text(now))]))
  }

  @Test("RFC 9110 §13.1.3: a response that was not changed since is known")
  func whatWasNotChangedIsKnown() {
    #expect(isKnown([("if-modified-since", changed)]))
    #expect(isKnown([("if-modified-since", HTTPDate.text(now))]))
    #expect(!isKnown([("if-modified-since", HTTPDate.text(now - 501))]))
    #expect(!isKnown([("if-modified-since", "yesterday")]))
  }

  @Test("RFC 9111 §4.3.2: without Last-Modified, Date tells")
  func withoutLastModifiedDateTells() {
    let dated = ResponseHead(headers: HeaderList([("date", HTTPDate.text(now - 100))]))
    #expect(isKnown([("if-modified-since", HTTPDate.text(now - 100))], dated))
    #expect(!isKnown([("if-modified-since", HTTPDate.text(now - 101))], dated))
  }

  @Test("RFC 9110 §13.2.1: conditions count for GET and HEAD of what is found only")
  func conditionsCountForSuccessOnly() {
    var missing = stored
    missing.status = 404
    #expect(!isKnown([("if-none-match", "*")], missing))
    #expect(isKnown([("if-none-match", "*")], method: "HEAD"))
    #expect(!isKnown([("if-none-match", "*")], method: "POST"))
  }

  @Test("RFC 9111 §4.3.2: If-Match and If-Unmodified-Since are the origin's business")
  func conditionsForOriginsAreIgnored() {
    #expect(!isKnown([("if-match", "\"x\""), ("if-unmodified-since", HTTPDate.text(0))]))
  }

  @Test("RFC 9110 §13.1.5: If-Range needs the very tag, strongly")
  func ifRangeNeedsTheVeryTag() {
    func permits(_ condition: String, _ tag: String = "\"1\"") -> Bool {
      HTTPValidation.permitsRange(HeaderList([("etag", tag)]), to: HeaderList([("if-range", condition)]), now: now)
    }
    #expect(permits("\"1\""))
    #expect(!permits("\"2\""))
    #expect(!permits("W/\"1\"", "W/\"1\""))
    #expect(HTTPValidation.permitsRange(HeaderList(), to: HeaderList(), now: now))
  }

  @Test("RFC 9110 §13.1.5: If-Range with a date needs the very date, and one that is strong")
  func ifRangeNeedsTheVeryDate() {
    let condition = HeaderList([("if-range", changed)])
    #expect(HTTPValidation.permitsRange(stored.headers, to: condition, now: now))
    #expect(
      !HTTPValidation.permitsRange(stored.headers, to: HeaderList([("if-range", HTTPDate.text(now))]), now: now))
    let justChanged = HeaderList([("last-modified", changed), ("date", changed)])
    #expect(!HTTPValidation.permitsRange(justChanged, to: condition, now: now))
  }
}
