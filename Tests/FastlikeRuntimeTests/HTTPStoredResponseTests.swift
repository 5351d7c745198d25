import ComputeABI
import Testing

@testable import FastlikeRuntime

@Suite("Stored responses (RFC 9111 §3 and §4, RFC 9110 §14)") struct HTTPStoredResponseTests {
  private let now: Int64 = 1_782_950_400

  private func response(
    to request: [(String, String)], method: String = "GET", length: Int? = 10, adjusted: Bool = true,
    status: UInt16 = 200
  ) -> (head: ResponseHead, selection: HTTPStoredResponse.Selection) {
    let headers = HeaderList([
      ("etag", "\"1\""), ("content-type", "text/plain"), ("content-length", "10"), ("age", "99"),
    ])
    let stored = HTTPStoredResponse(head: ResponseHead(status: status, headers: headers), varyText: "")
    return stored.response(
      to: RequestHead(method: method, headers: HeaderList(request)), age: 7, length: length, adjusted: adjusted,
      now: now)
  }

  // MARK: Storing

  @Test("RFC 9111 §3.1: what is about the connection is not stored, nor what Connection names")
  func connectionFieldsAreNotStored() {
    let head = ResponseHead(
      headers: HeaderList([
        ("Connection", "close, X-Hop"), ("x-hop", "1"), ("Keep-Alive", "a"), ("Transfer-Encoding", "chunked"),
        ("Upgrade", "h2c"), ("Proxy-Authenticate", "Basic"), ("ETag", "\"1\""),
      ]))
    #expect(HTTPStoredResponse.prepared(head).headers == HeaderList([("ETag", "\"1\"")]))
  }

  @Test("RFC 9111 §5.2.2.4, §5.2.2.7: fields that no-cache and private name are not stored")
  func namedFieldsAreNotStored() {
    let control = ("cache-control", "max-age=9, private=\"X-User\", no-cache=\"x-a, x-b\"")
    let head = ResponseHead(
      headers: HeaderList([("x-user", "u"), ("x-a", "a"), ("x-b", "b"), ("x-c", "c"), control]))
    #expect(HTTPStoredResponse.prepared(head).headers == HeaderList([("x-c", "c"), control]))
  }

  @Test("RFC 9111 §3.2: the fields of a 304 replace those of the same name, except the length")
  func aNotModifiedReplacesFields() {
    let stored = ResponseHead(
      headers: HeaderList([
        ("content-length", "10"), ("x-a", "1"), ("x-a", "2"), ("x-b", "1"), ("age", "30"), ("date", "old"),
      ]))
    let update = ResponseHead(
      status: 304,
      headers: HeaderList([
        ("X-A", "3"), ("date", "new"), ("content-length", "0"), ("connection", "x-c"), ("x-c", "1"),
      ]))
    let head = HTTPStoredResponse.freshened(stored, by: update)
    #expect(head.status == 200)
    #expect(
      head.headers == HeaderList([("content-length", "10"), ("x-b", "1"), ("X-A", "3"), ("date", "new")]))
  }

  // MARK: Using

  @Test("RFC 9111 §5.1: a response from the cache has its present age")
  func aResponseHasItsPresentAge() {
    #expect(response(to: []).head.headers.first("age") == "7")
    #expect(response(to: []).head.headers.indices(of: "age".utf8).count == 1)
    #expect(response(to: []).selection == .whole)
  }

  @Test("RFC 9110 §15.4.5: who has the response gets a 304 without what describes a body")
  func whoHasItGetsANotModified() {
    let (head, selection) = response(to: [("if-none-match", "\"1\""), ("range", "bytes=0-1")])
    #expect(head.status == 304)
    #expect(head.headers == HeaderList([("etag", "\"1\""), ("age", "7")]))
    #expect(selection == .nothing)
  }

  @Test("RFC 9110 §15.3.7: a part of a complete response")
  func aPartOfACompleteResponse() {
    let (head, selection) = response(to: [("range", "bytes=2-4")])
    #expect(head.status == 206)
    #expect(head.headers.first("content-range") == "bytes 2-4/10")
    #expect(head.headers.first("content-length") == "3")
    #expect(selection == .part(first: 2, last: 4))
  }

  @Test("RFC 9110 §15.5.17: a range behind the end")
  func aRangeBehindTheEnd() {
    let (head, selection) = response(to: [("range", "bytes=10-")])
    #expect(head.status == 416)
    #expect(head.headers.first("content-range") == "bytes */10")
    #expect(selection == .nothing)
  }

  @Test("RFC 9110 §13.1.5: a range of another response is the whole response")
  func aRangeOfAnotherResponseIsTheWhole() {
    #expect(response(to: [("range", "bytes=2-4"), ("if-range", "\"0\"")]).selection == .whole)
    #expect(response(to: [("range", "bytes=2-4"), ("if-range", "\"1\"")]).selection == .part(first: 2, last: 4))
  }

  @Test("RFC 9110 §14.2: ranges are for GET, for 200, and for bodies that are known")
  func rangesAreForKnownBodies() {
    #expect(response(to: [("range", "bytes=2-4")], length: nil).selection == .whole)
    #expect(response(to: [("range", "bytes=2-4")], status: 404).selection == .whole)
    #expect(response(to: [("range", "bytes=2-4")], method: "HEAD").selection == .nothing)
    #expect(response(to: [("range", "bytes=2-4")], method: "HEAD").head.status == 200)
  }

  @Test func conditionsAndRangesDoNotCountUnlessTheResponseIsAdjusted() {
    let (head, selection) = response(to: [("if-none-match", "*"), ("range", "bytes=2-4")], adjusted: false)
    #expect(head.status == 200)
    #expect(selection == .whole)
  }

  @Test(
    "RFC 9110 §14.1.2: ranges of bytes",
    arguments: [
      ("bytes=0-0", HTTPRange.part(first: 0, last: 0)), ("bytes=5-", .part(first: 5, last: 9)),
      ("bytes=-3", .part(first: 7, last: 9)), ("bytes=-30", .part(first: 0, last: 9)),
      ("BYTES=2-99999999999999999999", .part(first: 2, last: 9)), ("bytes=10-11", .unsatisfiable),
      ("bytes=-0", .unsatisfiable), ("bytes=99999999999999999999-", .unsatisfiable),
    ])
  func rangesOfBytes(value: String, range: HTTPRange) { #expect(HTTPRange(value.utf8, length: 10) == range) }

  @Test(
    "RFC 9110 §14.2: what is no single range of bytes is ignored",
    arguments: [
      "bytes=0-1,3-4", "items=0-1", "bytes=4-2", "bytes=-", "bytes=", "bytes", "bytes=a-b", "bytes=1", "bytes=1-2-3",
      "bytes=1 2-3",
    ])
  func whatIsNoRangeIsIgnored(value: String) { #expect(HTTPRange(value.utf8, length: 10) == .whole) }

  @Test("RFC 9110 §14.1.2: nothing can be cut from an empty body")
  func nothingCanBeCutFromAnEmptyBody() {
    #expect(HTTPRange("bytes=0-".utf8, length: 0) == .unsatisfiable)
    #expect(HTTPRange("bytes=-5".utf8, length: 0) == .unsatisfiable)
  }
}
