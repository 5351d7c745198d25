import ComputeABI
import FastlikeRuntime
import Testing

@testable import FastlikeServer

@Suite("HTTP/2: request fields")
struct HTTP2RequestFieldsTests {
  private static let least = [(":method", "GET"), (":scheme", "https"), (":authority", "x.test"), (":path", "/a?b")]

  private func read(
    _ pairs: [(String, String)], limits: RequestLimits = RequestLimits()
  ) throws(HTTP2RequestFields.Problem) -> IncomingRequest {
    var fields = HTTP2RequestFields(limits: limits)
    for (name, value) in pairs { fields.take(name: Array(name.utf8).span, value: Array(value.utf8).span) }
    return try fields.request()
  }

  private func problem(_ pairs: [(String, String)], limits: RequestLimits = RequestLimits()) -> HTTP2RequestFields
    .Problem?
  {
    do throws(HTTP2RequestFields.Problem) {
      _ = try read(pairs, limits: limits)
      return nil
    } catch {
      return error
    }
  }

  private func pairs(_ headers: HeaderList) -> [String] {
    (0..<headers.count).map {
      "\(String(decoding: headers.name(at: $0), as: UTF8.self)): \(String(decoding: headers.value(at: $0), as: UTF8.self))"
    }
  }

  @Test func aRequestIsWhatItWouldBeOverHTTP11() throws {
    let request = try read(Self.least + [("accept", "*/*"), ("content-length", "3"), ("x-empty", "")])
    #expect(request.head.method == "GET")
    #expect(request.head.uri == "/a?b")
    #expect(request.head.version == .h2)
    #expect(pairs(request.head.headers) == ["host: x.test", "accept: */*", "content-length: 3", "x-empty: "])
    #expect(request.framing == .length(3))
  }

  @Test func theHostMayStandInItsField() throws {
    let request = try read([(":method", "GET"), (":scheme", "http"), (":path", "/"), ("a", "1"), ("host", "x")])
    #expect(pairs(request.head.headers) == ["a: 1", "host: x"])
    #expect(try pairs(read(Self.least + [("host", "x.test")]).head.headers) == ["host: x.test"])
    #expect(problem(Self.least + [("host", "other.test")]) == .malformed)
    #expect(problem([(":method", "GET"), (":scheme", "http"), (":path", "/")]) == .refused(.missingHost))
  }

  @Test func crumbsOfACookieAreJoinedInTheFirstOnesPlace() throws {
    let request = try read(Self.least + [("cookie", "a=1"), ("x", "y"), ("cookie", "b=2"), ("cookie", "c=3")])
    #expect(pairs(request.head.headers) == ["host: x.test", "cookie: a=1; b=2; c=3", "x: y"])
  }

  @Test func pseudoHeaderFieldsHaveTheirPlaceAndNumber() {
    // RFC 9113 §8.3, §8.3.1.
    for index in Self.least.indices where index != 2 {
      var pairs = Self.least
      pairs.remove(at: index)
      #expect(problem(pairs) == .malformed)
      #expect(problem(Self.least + [Self.least[index]]) == .malformed)
      #expect(problem(pairs + [("a", "b"), Self.least[index]]) == .malformed)
    }
    #expect(problem(Self.least + [(":status", "200")]) == .malformed)
    #expect(problem(Self.least + [(":protocol", "websocket")]) == .malformed)
    #expect(problem(Self.least + [(":", "")]) == .malformed)
    #expect(problem([(":METHOD", "GET")] + Self.least) == .malformed)
  }

  @Test(arguments: ["", "a", "http://x.test/", "*", "/a b"])
  func thePathIsAPath(path: String) {
    let pairs = [(":method", "GET"), (":scheme", "https"), (":authority", "x.test"), (":path", path)]
    #expect(problem(pairs) == .malformed)
  }

  @Test func optionsMayAskForTheWholeServer() throws {
    let pairs = [(":method", "OPTIONS"), (":scheme", "https"), (":authority", "x.test"), (":path", "*")]
    #expect(try read(pairs).head.uri == "*")
  }

  @Test(arguments: [
    ("Upper", "x"), ("", "x"), ("a b", "x"), ("a", "x\n"), ("a", "x\r"), ("a", "\0"), ("a", " x"), ("a", "x\t"),
    ("connection", "close"), ("keep-alive", "1"), ("proxy-connection", "close"), ("transfer-encoding", "chunked"),
    ("upgrade", "h2c"), ("te", "gzip"), ("te", "trailers, gzip"),
  ])
  func aFieldThatMustNotBeThereIsMalformed(name: String, value: String) {
    #expect(problem(Self.least + [(name, value)]) == .malformed)
    var trailers = HTTP2TrailerFields(limits: RequestLimits())
    trailers.take(name: Array(name.utf8).span, value: Array(value.utf8).span)
    #expect(trailers.isMalformed)
  }

  @Test func trailersAreAllowedToBeAskedFor() throws {
    #expect(try pairs(read(Self.least + [("te", "trailers")]).head.headers).contains("te: trailers"))
  }

  @Test func refusalsAreThoseOfHTTP11() {
    var limits = RequestLimits()
    limits.targetBytes = 4
    limits.fieldBytes = 200
    limits.fieldCount = 3
    let long = [(":method", "GET"), (":scheme", "https"), (":authority", "x.test"), (":path", "/long/")]
    #expect(problem(long, limits: limits) == .refused(.targetTooLong))
    let large = [("a", String(repeating: "x", count: 200))]
    #expect(problem(Self.least + large, limits: limits) == .refused(.fieldsTooLarge))
    #expect(problem(Self.least + (0..<4).map { ("f\($0)", "") }, limits: limits) == .refused(.fieldsTooLarge))
    #expect(problem(Self.least + [("content-length", "x")]) == .refused(.malformedLength))
    #expect(problem(Self.least + [("content-length", "1"), ("content-length", "1")]) == .refused(.malformedLength))
    let connect = [(":method", "CONNECT"), (":authority", "x.test:443")]
    #expect(problem(connect) == .refused(.unsupportedMethod))
    let userinfo = [(":method", "GET"), (":scheme", "https"), (":authority", "u@x.test"), (":path", "/")]
    #expect(problem(userinfo) == .refused(.malformedHost))
  }

  @Test func theLoopIsCountedAndTheExpectationKnown() throws {
    let request = try read(Self.least + [("cdn-loop", "fastlike, other, fastlike"), ("expect", "100-continue")])
    #expect(request.visits == 2)
    #expect(request.expectsContinue)
  }

  @Test func trailersHaveNoPseudoHeaderField() {
    var trailers = HTTP2TrailerFields(limits: RequestLimits())
    trailers.take(name: Array("a".utf8).span, value: Array("b".utf8).span)
    #expect(!trailers.isMalformed)
    trailers.take(name: Array(":path".utf8).span, value: Array("/".utf8).span)
    #expect(trailers.isMalformed)
  }
}

@Suite("HTTP/2: fingerprint and floods")
struct HTTP2FingerprintTests {
  @Test func theFirstFramesTellOfTheClient() {
    var fingerprint = HTTP2Fingerprint()
    fingerprint.note(
      .settings([
        HTTP2Setting(id: 1, value: 65_536), HTTP2Setting(id: 3, value: 1000), HTTP2Setting(id: 4, value: 6_291_456),
      ]))
    fingerprint.note(.windowUpdate(stream: 0, increment: 15_663_105))
    fingerprint.note(.windowUpdate(stream: 0, increment: 1))
    #expect(fingerprint.text(pseudoOrder: Array("masp".utf8)) == "1:65536;3:1000;4:6291456|15663105|0|m,a,s,p")
    fingerprint.note(.priority(stream: 3, HTTP2Priority(isExclusive: false, dependency: 0, weight: 201)))
    fingerprint.note(.priority(stream: 5, HTTP2Priority(isExclusive: true, dependency: 3, weight: 1)))
    #expect(
      fingerprint.text(pseudoOrder: Array("mpas".utf8))
        == "1:65536;3:1000;4:6291456|15663105|3:0:0:201,5:1:3:1|m,p,a,s")
    #expect(HTTP2Fingerprint().text(pseudoOrder: Array("m".utf8)) == "|00|0|m")
  }

  /// How many of a kind are allowed at an instant.
  private func allowed(_ kind: HTTP2FloodGuard.Kind, _ floods: inout HTTP2FloodGuard, at now: UInt64) -> Int {
    var count = 0
    while floods.allows(kind, at: now), count < 10_000 { count += 1 }
    return count
  }

  @Test func anAllowanceIsUsedUpAndGrowsAgain() {
    var floods = HTTP2FloodGuard()
    let atOnce = allowed(.settings, &floods, at: 1_000_000_000)
    let soon = allowed(.settings, &floods, at: 1_050_000_000)
    let later = allowed(.settings, &floods, at: 1_250_000_000)
    let muchLater = allowed(.settings, &floods, at: 100_000_000_000)
    let other = allowed(.ping, &floods, at: 1_000_000_000)
    #expect([atOnce, soon, later, muchLater, other] == [100, 0, 2, 100, 1000])
  }

  @Test func sentDataAllowsWindowUpdates() {
    var floods = HTTP2FloodGuard()
    _ = allowed(.windowUpdate, &floods, at: 1)
    floods.sentData()
    let more = allowed(.windowUpdate, &floods, at: 1)
    #expect(more == 2)
  }
}
