import ComputeABI
import NIOHPACK
import Testing

@testable import FastlikeRuntime

@Suite struct HTTP2StreamStateTests {
  private func state(reused: Bool = false, method: String = "GET", hasHead: Bool = false) -> HTTP2StreamState {
    var state = HTTP2StreamState(isReused: reused, method: method)
    if hasHead { _ = state.received(status: 200, endsStream: false) }
    return state
  }

  @Test func aHeadIsFollowedByTrailersOnly() {
    var state = state()
    #expect(state.received(status: 103, endsStream: false) == .informational)
    #expect(state.received(status: 200, endsStream: false) == .head)
    #expect(state.received(status: 200, endsStream: false) == nil)
    #expect(state.received(status: nil, endsStream: false) == nil)
    #expect(state.received(status: nil, endsStream: true) == .trailers)
  }

  @Test func anInformationalResponseEndsNothingAndUpgradesNothing() {
    var state = state()
    #expect(state.received(status: 103, endsStream: true) == nil)
    #expect(state.received(status: 101, endsStream: false) == nil)
    #expect(state.received(status: nil, endsStream: true) == nil)
  }

  @Test(arguments: ["GET", "POST"])
  func whatThePeerDidNotLookAtIsRepeated(_ method: String) {
    let state = state(method: method)
    #expect(state.outcome(of: .unprocessed(code: 0), canRepeat: true) == .retry)
    #expect(state.outcome(of: .reset(code: 7), canRepeat: true) == .retry)
    #expect(state.outcome(of: .reset(code: 7), canRepeat: false) == .failed(SendError(http2: .reset, code: 7)))
    #expect(state.outcome(of: .unprocessed(code: 2), canRepeat: false) == .failed(SendError(http2: .goAway, code: 2)))
  }

  @Test func otherResetsAreFailures() {
    let outcome = state().outcome(of: .reset(code: 2), canRepeat: true)
    #expect(outcome == .failed(SendError(http2: .reset, code: 2)))
  }

  @Test func aLostConnectionIsReplacedOnceForWhatMayBeRepeated() {
    #expect(state(reused: true).outcome(of: .closed, canRepeat: true) == .retry)
    #expect(state(reused: true, method: "POST").outcome(of: .closed, canRepeat: true) != .retry)
    #expect(state(reused: false).outcome(of: .closed, canRepeat: true) == .failed(SendError(.connectionTerminated)))
  }

  @Test func behindTheHeadOnlyTheBodyFails() {
    let state = state(reused: true, hasHead: true)
    #expect(state.outcome(of: .closed, canRepeat: true) == .bodyFailed(.incomplete))
    #expect(state.outcome(of: .timedOut, canRepeat: true) == .bodyFailed(.betweenBytesTimeout))
    #expect(state.outcome(of: .reset(code: 7), canRepeat: true) == .bodyFailed(.connectionLost))
    let violation = SendError(.httpProtocolError)
    #expect(state.outcome(of: .violation(violation), canRepeat: true) == .bodyFailed(.malformed))
    let short = SendError(.httpIncompleteResponse)
    #expect(state.outcome(of: .violation(short), canRepeat: true) == .bodyFailed(.incomplete))
  }
}

@Suite struct HTTP2HeadersTests {
  private func block(_ fields: [(String, String)], tls: Bool = true) throws(SendError) -> [String] {
    let head = RequestHead(method: "POST", uri: "/a?b", headers: HeaderList(fields))
    return try HTTP2Headers.request(head, usesTLS: tls).map { "\($0.name)=\($0.value)" }
  }

  @Test func pseudoFieldsComeFirst() throws {
    let fields = try block([("Host", "h.example:1"), ("X-A", "1"), ("x-a", "2")])
    let expected = [":method=POST", ":scheme=https", ":authority=h.example:1", ":path=/a?b", "x-a=1", "x-a=2"]
    #expect(fields == expected)
    #expect(try block([], tls: false)[1] == ":scheme=http")
  }

  @Test func fieldsOfTheConnectionAreLeftOut() throws {
    let fields = try block([
      ("Connection", "x"), ("Keep-Alive", "1"), ("Proxy-Connection", "x"), ("Transfer-Encoding", "chunked"),
      ("Upgrade", "x"), ("HTTP2-Settings", "x"), ("TE", "gzip"), ("Content-Length", "3"),
    ])
    #expect(fields.dropFirst(4) == ["content-length=3"])
    #expect(try block([("TE", "gzip;q=0, TRAILERS")]).last == "te=trailers")
  }

  @Test func whatHTTP2CannotCarryIsRefused() {
    #expect(throws: SendError(.httpProtocolError)) { try block([("x", "line\nbreak")]) }
    #expect(throws: SendError(.httpProtocolError)) { try block([("bad name", "x")]) }
    #expect(throws: SendError(.httpProtocolError)) {
      var headers = HeaderList()
      headers.append(name: "x".utf8, value: [0xff])
      _ = try HTTP2Headers.trailers(headers)
    }
  }

  @Test func aResponsesHeadIsItsStatusAndFields() throws {
    let head = try #require(HTTP2Headers.response([":status": "404", "x-a": "1"]))
    #expect(head.status == 404 && head.version == .h2)
    #expect(head.headers == HeaderList([("x-a", "1")]))
    for status in ["", "20", "2000", "abc", "099"] {
      #expect(HTTP2Headers.response([":status": status]) == nil)
    }
    #expect(HTTP2Headers.response(["x": "1"]) == nil)
  }
}
