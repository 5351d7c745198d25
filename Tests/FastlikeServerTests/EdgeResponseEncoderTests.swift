import FastlikeRuntime
import NIOCore
import Testing

@testable import FastlikeServer

private let dateLine = Array("date: D\r\n".utf8)

private func encoded(
  _ head: ResponseHead, framing: Framing = .none, persistence: ResponseEncoder.Persistence = .implied,
  isHTTP10: Bool = false
) -> String {
  var out = ByteBuffer()
  ResponseEncoder.writeHead(
    head, framing: framing, persistence: persistence, isHTTP10: isHTTP10, date: dateLine, into: &out)
  return latin1(out)
}

@Suite("Response encoder")
struct EdgeResponseEncoderTests {
  @Test func fieldsKeepTheirSpellingOrderAndBytes() {
    var headers = HeaderList([("X-One", "1"), ("x-two", "2"), ("Set-Cookie", "a"), ("Set-Cookie", "b")])
    headers.append(name: Array("x".utf8), value: [0xE9])
    #expect(
      encoded(ResponseHead(headers: headers))
        == "HTTP/1.1 200 OK\r\nX-One: 1\r\nx-two: 2\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nx: \u{E9}\r\ndate: D\r\n\r\n")
  }

  @Test func aStatusWithoutAKnownReasonHasAnEmptyOne() {
    #expect(encoded(ResponseHead(status: 599)) == "HTTP/1.1 599 \r\ndate: D\r\n\r\n")
    #expect(encoded(ResponseHead(status: 404)) == "HTTP/1.1 404 Not Found\r\ndate: D\r\n\r\n")
  }

  @Test func aDateOfTheGuestsOwnIsKept() {
    #expect(encoded(ResponseHead(headers: HeaderList([("Date", "G")]))) == "HTTP/1.1 200 OK\r\nDate: G\r\n\r\n")
  }

  @Test(arguments: [("a\r\nb", "v"), ("a b", "v"), ("", "v"), ("a", "v\r\nx: y"), ("a", "v\nx"), ("a", "v\0")])
  func aFieldThatWouldSplitTheResponseIsLeftOut(name: String, value: String) {
    #expect(encoded(ResponseHead(headers: HeaderList([(name, value)]))) == "HTTP/1.1 200 OK\r\ndate: D\r\n\r\n")
  }

  @Test func persistenceIsToldWhereTheVersionDoesNotImplyIt() {
    #expect(encoded(ResponseHead(), persistence: .close).hasSuffix("\r\nconnection: close\r\n\r\n"))
    #expect(encoded(ResponseHead(), persistence: .keepAlive, isHTTP10: true).hasPrefix("HTTP/1.0 200 OK\r\n"))
    #expect(encoded(ResponseHead(), persistence: .keepAlive).hasSuffix("\r\nconnection: keep-alive\r\n\r\n"))
  }

  @Test func anHTTP10ClientGetsNoTransferEncoding() {
    let head = ResponseHead(headers: HeaderList([("Transfer-Encoding", "chunked")]))
    #expect(encoded(head, framing: .chunked, isHTTP10: true) == "HTTP/1.0 200 OK\r\ndate: D\r\n\r\n")
    #expect(encoded(head, framing: .chunked) == "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\ndate: D\r\n\r\n")
  }

  @Test func anInformationalResponseHasNeitherDateNorFraming() {
    var out = ByteBuffer()
    let headers = HeaderList([("Link", "</a>"), ("Content-Length", "5"), ("Transfer-Encoding", "chunked")])
    ResponseEncoder.writeInformational(ResponseHead(status: 103, headers: headers), into: &out)
    #expect(latin1(out).hasPrefix("HTTP/1.1 103 "))
    #expect(latin1(out).hasSuffix("\r\nLink: </a>\r\n\r\n"))
  }

  @Test(arguments: [(1, "1"), (15, "f"), (16, "10"), (255, "ff"), (65_536, "10000"), (0xABCDEF, "abcdef")])
  func chunkSizesAreHexadecimal(size: Int, text: String) {
    var out = ByteBuffer()
    ResponseEncoder.writeChunkSize(size, into: &out)
    #expect(latin1(out) == text + "\r\n")
  }

  @Test func trailersStandBehindTheLastChunkWithoutFramingFields() {
    var out = ByteBuffer()
    let trailers = HeaderList([("T", "1"), ("content-length", "3"), ("Bad\r\n", "x"), ("t", "2")])
    ResponseEncoder.writeLastChunk(trailers: trailers, into: &out)
    #expect(latin1(out) == "0\r\nT: 1\r\nt: 2\r\n\r\n")
  }

  @Test(arguments: [("close", true), ("keep-alive, Close", true), ("keep-alive", false), ("closed", false)])
  func aGuestMayAskForTheEndOfTheConnection(value: String, asks: Bool) {
    #expect(ResponseEncoder.asksToClose(HeaderList([("connection", value)])) == asks)
  }

  @Test(arguments: [
    (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
    (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"),
    (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
  ])
  func datesHaveTheIMFForm(seconds: Int, text: String) {
    #expect(String(decoding: HTTPDate.bytes(unixSeconds: seconds), as: UTF8.self) == text)
  }
}
