import NIOCore
import Testing

@testable import FastlikeRuntime

@Suite struct BackendResponseParserTests {
  private struct Reading: Equatable {
    var heads: [ResponseHead] = []
    var informational: [UInt16] = []
    var bodyLength: Int?
    var body = ""
    var trailers: HeaderList?
    var hasEnded = false
    var persists = false
    var hasRest = false
  }

  /// Feeds the text in pieces of `step` bytes and then, unless the message is complete, the connection's end.
  private func read(_ text: String, method: String = "GET", step: Int = .max, closes: Bool = false) throws -> Reading {
    var parser = ResponseParser(method: method)
    var reading = Reading()
    func take(_ event: ResponseParser.Event) {
      switch event {
      case .informational(let status): reading.informational.append(status)
      case .head(let head, let length):
        reading.heads.append(head)
        reading.bodyLength = length
      case .body(let bytes): reading.body += String(buffer: bytes)
      case .end(let trailers):
        reading.trailers = trailers
        reading.hasEnded = true
      }
    }
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      parser.append(ByteBuffer(bytes: rest.prefix(step)))
      rest = rest.dropFirst(step)
      while let event = try parser.next() { take(event) }
    }
    if closes, let event = try parser.endOfInput() { take(event) }
    reading.persists = parser.persists
    reading.hasRest = parser.hasUnconsumedBytes
    return reading
  }

  @Test(arguments: [1, 2, 3, 7, Int.max])
  func aMessageIsReadTheSameHoweverItIsCut(step: Int) throws {
    let reading = try read(
      "HTTP/1.1 103 Early\r\nlink: a\r\n\r\nHTTP/1.1 200 Fine\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n"
        + "5\r\nhello\r\n6;x=\"y\"\r\n world\r\n0\r\nT-One: 1\r\n\r\n", step: step)
    #expect(reading.informational == [103])
    #expect(
      reading.heads == [ResponseHead(headers: HeaderList([("X-A", "b"), ("Transfer-Encoding", "chunked")]))])
    #expect(reading.body == "hello world")
    #expect(reading.trailers == HeaderList([("T-One", "1")]))
    #expect(reading.hasEnded && reading.persists && !reading.hasRest)
  }

  @Test(arguments: [1, Int.max])
  func aChunkedBodyWithoutTrailersEndsAtItsEmptyLine(step: Int) throws {
    let reading = try read("HTTP/1.1 200\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", step: step)
    #expect(reading.body == "a" && reading.hasEnded && reading.trailers == nil && !reading.hasRest)
  }

  @Test func aBodyOfAnnouncedLengthEndsThere() throws {
    let reading = try read("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP")
    #expect(reading.bodyLength == 3 && reading.body == "abc" && reading.hasEnded && reading.hasRest)
  }

  @Test func aBodyWithoutLengthEndsWithTheConnection() throws {
    let reading = try read("HTTP/1.1 200 OK\r\n\r\nabc", closes: true)
    #expect(reading.body == "abc" && reading.hasEnded && !reading.persists && reading.bodyLength == nil)
  }

  @Test(arguments: [204, 304])
  func bodilessStatusesEndWithTheirHead(status: Int) throws {
    let reading = try read("HTTP/1.1 \(status) x\r\nContent-Length: 10\r\n\r\n")
    #expect(reading.hasEnded && reading.body.isEmpty && reading.persists)
  }

  @Test func aResponseToHEADHasNoBody() throws {
    let reading = try read("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", method: "HEAD")
    #expect(reading.hasEnded && reading.bodyLength == 0)
  }

  @Test func bytesThatAreNotUTF8AreKept() throws {
    var parser = ResponseParser(method: "GET")
    parser.append(ByteBuffer(bytes: Array("HTTP/1.1 200 OK\r\nx: \t".utf8) + [0xE9, 0x41] + Array(" \r\n\r\n".utf8)))
    guard case .head(let head, _)? = try parser.next() else {
      Issue.record("no head")
      return
    }
    #expect(Array(head.headers.value(at: 0)) == [0xE9, 0x41])
  }

  @Test func foldedFieldsAndBareLineFeedsAreTolerated() throws {
    let reading = try read("HTTP/1.1 200 OK\nx: a\r\n\tb\ncontent-length: 0\n\n")
    #expect(reading.heads.first?.headers.first("x") == "a  \tb")
    #expect(reading.hasEnded)
  }

  @Test(arguments: [
    ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n", true), ("HTTP/1.0 200 OK\r\ncontent-length: 0\r\n", false),
    ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nConnection: x, Close\r\n", false),
    ("HTTP/1.0 200 OK\r\ncontent-length: 0\r\nConnection: Keep-Alive\r\n", true),
  ])
  func theConnectionLastsAsTheHeadSays(head: String, persists: Bool) throws {
    #expect(try read(head + "\r\n").persists == persists)
  }

  @Test func aLengthBesideChunkedIsDroppedAndEndsTheConnection() throws {
    let reading = try read("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    #expect(reading.hasEnded && !reading.persists)
    #expect(reading.heads.first?.headers.contains("content-length") == false)
  }

  @Test(arguments: [
    "SSH-2.0-x\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 200 OK\r\na b: c\r\n\r\n", "HTTP/1.1 200 OK\r\nnocolon\r\n\r\n",
    "HTTP/1.1 200 OK\r\n: x\r\n\r\n", "HTTP/1.1 200 OK\r\nx : y\r\n\r\n", "HTTP/1.1 200 OK\r\nx: a\u{0}b\r\n\r\n",
    "HTTP/1.1 200 OK\r\n folded: first\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 1, 2\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length:\r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n+1\r\na\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n",
  ])
  func whatIsNotHTTPIsMalformed(text: String) {
    #expect(throws: ResponseParser.Failure.malformed) { try read(text) }
  }

  @Test(arguments: ["HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 099 x", "HTTP/1.1 abc", "HTTP/1.1", "HTTP/1.1 "])
  func aBadStatusLineIsToldApart(line: String) {
    #expect(throws: ResponseParser.Failure.invalidStatus) { try read(line + "\r\n\r\n") }
  }

  @Test func switchingProtocolsIsRefused() {
    #expect(throws: ResponseParser.Failure.upgrade) { try read("HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n") }
  }

  @Test func aHeadBeyondTheLimitsIsTooLarge() {
    let long = String(repeating: "a", count: ResponseParser.maximumHeadBytes)
    #expect(throws: ResponseParser.Failure.headTooLarge) { try read("HTTP/1.1 200 OK\r\nx: \(long)") }
    let many = String(repeating: "a: b\r\n", count: ResponseParser.maximumFieldCount + 1)
    #expect(throws: ResponseParser.Failure.headTooLarge) { try read("HTTP/1.1 200 OK\r\n\(many)\r\n") }
  }

  @Test func endlessInformationalResponsesAreRefused() {
    let text = String(repeating: "HTTP/1.1 103 x\r\n\r\n", count: ResponseParser.maximumInformationalResponses + 1)
    #expect(throws: ResponseParser.Failure.malformed) { try read(text) }
  }

  @Test(arguments: [
    "", "HTTP/1.1 200 OK\r\nx: y", "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nt: 1\r\n",
  ])
  func anEndBeforeTheMessagesOwnIsIncomplete(text: String) {
    #expect(throws: ResponseParser.Failure.incomplete) { try read(text, closes: true) }
  }
}
