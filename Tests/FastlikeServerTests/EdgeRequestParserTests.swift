import ComputeABI
import FastlikeRuntime
import NIOCore
import Testing

@testable import FastlikeServer

/// What a parser makes of some bytes.
private struct Parsed {
  var requests: [IncomingRequest] = []
  var bodies: [String] = []
  var trailers: [HeaderList?] = []
  var refusal: RequestRefusal?
}

/// Parses a text that arrives in pieces of so many bytes.
private func parse(_ text: String, pieceSize: Int = .max, limits: RequestLimits = RequestLimits()) -> Parsed {
  var parser = RequestParser(limits: limits)
  var parsed = Parsed()
  var buffer = ByteBuffer()
  var input = ByteBuffer(bytes: text.unicodeScalars.map { UInt8($0.value) })
  var isInBody = false
  do throws(RequestRefusal) {
    while input.readableBytes > 0 {
      var piece = input.readSlice(length: min(pieceSize, input.readableBytes))!
      buffer.writeBuffer(&piece)
      steps: while true {
        if !isInBody {
          guard let request = try parser.nextRequest(&buffer) else { break steps }
          parsed.requests.append(request)
          parsed.bodies.append("")
          isInBody = true
        }
        switch try parser.nextBodyPart(&buffer) {
        case nil: break steps
        case .bytes(let bytes): parsed.bodies[parsed.bodies.count - 1] += latin1(bytes)
        case .end(let trailers):
          parsed.trailers.append(trailers)
          isInBody = false
        }
      }
    }
  } catch {
    parsed.refusal = error
  }
  return parsed
}

@Suite("Request parser")
struct EdgeRequestParserTests {
  @Test func namesAndValuesKeepTheirSpellingOrderAndBytes() {
    let parsed = parse("GET /a?b=c HTTP/1.1\r\nhOST: x\r\nX-B:  two \t\r\nx-a: caf\u{E9}\r\nX-b:\r\n\r\n")
    let head = parsed.requests[0].head
    #expect(head.method == "GET")
    #expect(head.uri == "/a?b=c")
    #expect(head.version == .http11)
    let names = (0..<head.headers.count).map { String(decoding: head.headers.name(at: $0), as: UTF8.self) }
    #expect(names == ["hOST", "X-B", "x-a", "X-b"])
    #expect(Array(head.headers.value(at: 1)) == Array("two".utf8))
    #expect(Array(head.headers.value(at: 2)) == [0x63, 0x61, 0x66, 0xE9])
    #expect(head.headers.value(at: 3).isEmpty)
  }

  @Test(arguments: [1, 2, 3, 7])
  func thePiecesInWhichBytesArriveMakeNoDifference(pieceSize: Int) {
    let text =
      "POST /1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;q=1\r\nhello\r\nA\r\n0123456789\r\n0\r\nT: v\r\n\r\n"
      + "PUT /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /3 HTTP/1.1\r\nHost: x\r\n\r\n"
    let parsed = parse(text, pieceSize: pieceSize)
    #expect(parsed.refusal == nil)
    #expect(parsed.requests.map(\.head.uri) == ["/1", "/2", "/3"])
    #expect(parsed.bodies == ["hello0123456789", "abc", ""])
    #expect(parsed.trailers == [HeaderList([("T", "v")]), nil, nil])
  }

  @Test func anyTokenIsAMethod() {
    #expect(parse("FROB-1 / HTTP/1.1\r\nHost: x\r\n\r\n").requests[0].head.method == "FROB-1")
  }

  @Test func emptyLinesBeforeARequestAreOverlooked() {
    #expect(parse("\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n").requests.count == 1)
  }

  @Test(arguments: [
    ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", true), ("GET / HTTP/1.0\r\n\r\n", false),
    ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true),
    ("GET / HTTP/1.1\r\nHost: x\r\nConnection: te, Close\r\n\r\n", false),
  ])
  func versionAndConnectionHeaderDecideAboutKeepAlive(text: String, isKeepAlive: Bool) {
    #expect(parse(text).requests.map(\.isKeepAlive) == [isKeepAlive])
  }

  @Test(arguments: ["*", "http://example.com/a", "HTTPS://example.com", "/", "/caf\u{C3}\u{A9}"])
  func aTargetIsAPathAURLOrAnAsteriskForOPTIONS(target: String) {
    #expect(parse("OPTIONS \(target) HTTP/1.1\r\nHost: x\r\n\r\n").requests.count == 1)
  }

  @Test(arguments: [
    ("fastlike", true), ("Fastly, FASTLIKE;v=1 ,x", true), ("fastlike2, notfastlike", false), ("a;fastlike", false),
  ])
  func aLoopIsSeenInTheMembersOfCDNLoop(value: String, isLoop: Bool) {
    #expect(parse("GET / HTTP/1.1\r\nHost: x\r\ncdn-loop: \(value)\r\n\r\n").requests.map { $0.visits > 0 } == [isLoop])
  }

  @Test func continueIsExpectedOfAnHTTP11RequestWithABodyOnly() {
    let body = "Host: x\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\nx"
    #expect(parse("PUT / HTTP/1.1\r\n\(body)").requests.map(\.expectsContinue) == [true])
    #expect(parse("PUT / HTTP/1.0\r\n\(body)").requests.map(\.expectsContinue) == [false])
    #expect(
      parse("PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n").requests.map(\.expectsContinue) == [false])
  }

  @Test(arguments: [
    ("GET /\r\n", RequestRefusal.malformedRequestLine),
    ("GET  / HTTP/1.1\r\n", .malformedRequestLine),
    ("\u{16}\u{03}\u{01}", .malformedRequestLine),
    ("G(T / HTTP/1.1\r\n", .malformedRequestLine),
    ("GET / http/1.1\r\n", .malformedRequestLine),
    ("GET / HTTP/1.1 \r\n", .malformedRequestLine),
    ("PRI * HTTP/2.0\r\n", .unsupportedVersion),
    ("CONNECT x:1 HTTP/1.1\r\n", .unsupportedMethod),
    ("GET x HTTP/1.1\r\n", .malformedTarget),
    ("GET * HTTP/1.1\r\n", .malformedTarget),
    ("GET ftp://x/ HTTP/1.1\r\n", .malformedTarget),
    ("GET http:///a HTTP/1.1\r\n", .malformedTarget),
    ("GET /\u{0}a HTTP/1.1\r\n", .malformedTarget),
    ("GET /\u{E9} HTTP/1.1\r\n", .malformedTarget),
    ("GET / HTTP/1.1\n", .malformedLineEnd),
    ("GET / HTTP/1.1\r\nHost: x\n", .malformedLineEnd),
    ("GET / HTTP/1.1\r\nHost: x\r\n y\r\n", .foldedField),
    ("GET / HTTP/1.1\r\nHost: x\rX: y\r\n", .malformedField),
    ("GET / HTTP/1.1\r\nHost : x\r\n", .malformedField),
    ("GET / HTTP/1.1\r\n: x\r\n", .malformedField),
    ("GET / HTTP/1.1\r\nHost\r\n", .malformedField),
    ("GET / HTTP/1.1\r\nA: b\u{0}c\r\n", .malformedField),
    ("GET / HTTP/1.1\r\n\r\n", .missingHost),
    ("GET / HTTP/1.1\r\nHost: x\r\nhost: x\r\n", .malformedHost),
    ("GET / HTTP/1.1\r\nHost: \r\n", .malformedHost),
    ("GET / HTTP/1.1\r\nHost: x/y\r\n", .malformedHost),
    ("GET / HTTP/1.1\r\nHost: x, y\r\n", .malformedHost),
    ("PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n", .malformedLength),
    ("PUT / HTTP/1.1\r\nContent-Length: +1\r\n", .malformedLength),
    ("PUT / HTTP/1.1\r\nContent-Length: 9999999999999999999\r\n", .malformedLength),
    ("PUT / HTTP/1.1\r\nContent-Length: 1, 1\r\n", .malformedLength),
    ("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", .ambiguousLength),
    ("PUT / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n", .unsupportedCoding),
    ("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", .malformedCoding),
    ("PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .malformedCoding),
  ])
  func aHeadThatTwoPartiesCouldReadDifferentlyIsRefused(text: String, refusal: RequestRefusal) {
    #expect(parse(text).refusal == refusal)
    #expect(parse(text, pieceSize: 1).refusal == refusal)
  }

  @Test(arguments: [
    "x\r\n", "\r\n", "5 5\r\n", "1\r\nab\r\n", "1\r\nabc", "FFFFFFFFFFFFFFFF\r\n", "1\n", "0\r\nbad trailer\r\n",
  ])
  func aMalformedChunkIsRefused(body: String) {
    let head = "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    #expect(parse(head + body).refusal?.status == 400)
    #expect(parse(head + body, pieceSize: 1).refusal?.status == 400)
  }

  @Test func aLongTargetIsRefusedWith414AlsoBeforeItsEndIsThere() {
    var limits = RequestLimits()
    limits.targetBytes = 10
    #expect(parse("GET /123456789 HTTP/1.1\r\nHost: x\r\n\r\n", limits: limits).requests.count == 1)
    #expect(parse("GET /123456789a HTTP/1.1\r\n", limits: limits).refusal == .targetTooLong)
    #expect(parse("GET /" + String(repeating: "a", count: 200), limits: limits).refusal == .targetTooLong)
  }

  @Test func fieldsBeyondTheLimitsAreRefusedWith431() {
    var limits = RequestLimits()
    limits.fieldCount = 2
    #expect(parse("GET / HTTP/1.1\r\nHost: x\r\na: b\r\nc: d\r\n", limits: limits).refusal == .fieldsTooLarge)
    limits.fieldCount = 100
    limits.fieldBytes = 64
    let long = String(repeating: "a", count: 60)
    #expect(parse("GET / HTTP/1.1\r\nHost: x\r\na: \(long)", limits: limits).refusal == .fieldsTooLarge)
    let chunked = "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    #expect(parse(chunked + "a: \(long)\(long)\r\n", limits: limits).refusal == .fieldsTooLarge)
  }

  @Test func theParserStopsBehindAMessage() throws {
    var parser = RequestParser(limits: RequestLimits())
    var buffer = ByteBuffer(string: "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n")
    let first = try parser.nextRequest(&buffer)
    #expect(first?.head.uri == "/1")
    #expect(String(buffer: buffer).hasPrefix("GET /2"))
  }

  @Test func byteClassesAgreeWithRFC9110AndRFC3986() {
    let alphanumeric = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".utf8)
    let token = alphanumeric.union("!#$%&'*+-.^_`|~".utf8)
    let host = alphanumeric.union("-._~!$&'()*+;=:[]%".utf8)
    #expect((0...255).allSatisfy { HTTPCharacters.isToken($0) == token.contains($0) })
    #expect((0...255).allSatisfy { HTTPCharacters.isHost($0) == host.contains($0) })
    #expect((0...255).allSatisfy { HTTPCharacters.isFieldValue($0) == ($0 == 9 || ($0 >= 32 && $0 != 127)) })
  }
}
