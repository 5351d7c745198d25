import Foundation
import Testing

/// Requests and responses over HTTP/2 in the clear, as a client sees them frame by frame.
@Suite("Conformance: HTTP/2 requests", .timeLimit(.minutes(5)))
struct HTTP2RequestTests {
  private func edge(_ guest: String = "bodies") async throws -> FastlikeProcess { try await SharedEdges.edge(guest) }

  private func pattern(_ count: Int) -> [UInt8] {
    let digits = Array("0123456789abcdef".utf8)
    return (0..<count).map { digits[$0 & 15] }
  }

  @Test func aConnectionServesManyRequestsAtATime() async throws {
    let client = try await edge("limits").http2()
    for stream in stride(from: UInt32(1), through: 19, by: 2) { try await client.request(stream, "/sleep?ms=100") }
    for stream in stride(from: UInt32(1), through: 19, by: 2) {
      let reply = try await client.reply(stream)
      #expect(reply.status == "200")
      #expect(reply.text == "slept\n")
      #expect(reply["date"] != nil)
      #expect(reply["connection"] == nil)
    }
    #expect(client.settings[3] == 100)
    await client.close()
  }

  @Test func bodiesPassBothWaysThroughTheirWindows() async throws {
    let client = try await edge().http2()
    try await client.request(1, "/pattern?bytes=1000000&chunk=10000")
    #expect(try await client.reply(1).body == pattern(1_000_000))
    // The client waits for no window here, so it sends what the first one holds.
    let body = pattern(65_000)
    try await client.request(3, "/echo", method: "POST", body: body)
    let echo = try await client.reply(3)
    #expect(echo.body == body)
    #expect(echo["transfer-encoding"] == nil)
    await client.close()
  }

  @Test func theWindowsAreGivenBackAsTheGuestReads() async throws {
    let client = try await edge().http2()
    try await client.send(client.headers(1, client.block("/echo", "POST"), end: false))
    let piece = pattern(16_000)
    for _ in 0..<4 { try await client.send(.data(1, piece)) }
    var granted = 0
    var sent = 64_000
    while sent < 640_000 {
      while 65_535 + granted - sent >= piece.count, sent < 640_000 {
        try await client.send(.data(1, piece))
        sent += piece.count
      }
      let frame = try #require(try await client.next())
      if frame.kind == WireFrame.Kind.windowUpdate, frame.stream == 1 {
        granted += frame.payload.reduce(0) { $0 << 8 | Int($1) }
      } else {
        try await client.take(frame)
      }
    }
    try await client.send(.data(1, [], end: true))
    #expect(try await client.reply(1).body.count == 640_000)
    await client.close()
  }

  @Test func theResponseKeepsToTheClientsWindows() async throws {
    let client = try await edge().http2([(4, 1000)])
    client.givesCredit = false
    try await client.request(1, "/pattern?bytes=3000&chunk=3000")
    while client.partialReply(1)?.body.count ?? 0 < 1000 {
      try await client.take(try #require(try await client.next()))
    }
    // Nothing more comes before the answer to this.
    try await client.send(.ping(1))
    while true {
      let frame = try #require(try await client.next())
      #expect(frame.kind != WireFrame.Kind.data)
      if frame.kind == WireFrame.Kind.ping { break }
      try await client.take(frame)
    }
    try await client.send(.windowUpdate(1, 500), .settings([(4, 2500)]))
    #expect(try await client.reply(1).body == pattern(3000))
    await client.close()
  }

  @Test func trailersPassBothWays() async throws {
    let client = try await edge().http2()
    try await client.send(
      client.headers(1, client.block("/request_trailers", "POST"), end: false), .data(1, Array("abc".utf8)),
      client.headers(1, client.encode([("x-check", "1"), ("x-other", "two")])))
    let report = GuestReport(text: try await client.reply(1).text)
    #expect(report["trailer.x-check"] == "1")
    #expect(report["trailer.x-other"] == "two")
    try await client.request(3, "/response_trailers")
    let reply = try await client.reply(3)
    #expect(reply.trailers != nil)
    #expect(reply.ending == .complete)
    await client.close()
  }

  @Test func aHeadRequestHasNoBody() async throws {
    let client = try await edge().http2()
    try await client.request(1, "/pattern?bytes=100", method: "HEAD")
    let reply = try await client.reply(1)
    #expect(reply.status == "200")
    #expect(reply.body.isEmpty)
    await client.close()
  }

  @Test func aGuestThatAbandonsItsBodyResetsTheStreamAlone() async throws {
    let client = try await edge().http2()
    try await client.request(1, "/abandon")
    #expect(try await client.reply(1).ending == .reset(WireError.internalError))
    try await client.request(3, "/pattern?bytes=4")
    #expect(try await client.reply(3).text == "0123")
    await client.close()
  }

  @Test func aBodyThatTheGuestDoesNotWantIsNotAskedFor() async throws {
    let client = try await edge().http2()
    try await client.send(client.headers(1, client.block("/ends", "POST"), end: false), .data(1, pattern(10_000)))
    let reply = try await client.reply(1)
    #expect(reply.status == "200")
    #expect(try await client.reset(1) == WireError.noError)
    // What was on its way is passed over.
    try await client.send(.data(1, pattern(10_000)))
    try await client.request(3, "/pattern?bytes=4")
    #expect(try await client.reply(3).text == "0123")
    await client.close()
  }

  @Test func aWaitingClientIsAskedForItsBody() async throws {
    let client = try await edge().http2()
    let fields = [("expect", "100-continue"), ("content-length", "4")]
    try await client.send(client.headers(1, client.block("/request", "POST", fields), end: false))
    while client.partialReply(1)?.informational != ["100"] {
      try await client.take(try #require(try await client.next()))
    }
    try await client.send(.data(1, Array("0123".utf8), end: true))
    let report = GuestReport(text: try await client.reply(1).text)
    #expect(report["length"] == "4")
    await client.close()
  }

  @Test func aResetRequestDisturbsNobody() async throws {
    let edge = try await edge("limits")
    let client = try await edge.http2()
    try await client.request(1, "/sleep?ms=300")
    try await client.request(3, "/sleep?ms=100")
    try await client.send(.resetStream(1))
    #expect(try await client.reply(3).text == "slept\n")
    try await client.request(5, "/sleep?ms=1")
    #expect(try await client.reply(5).text == "slept\n")
    await client.close()
  }

  @Test func theGuestSeesTheRequestAsOverHTTP11() async throws {
    let client = try await edge("headers").http2()
    try await client.request(
      1, "/original", fields: [("x-b", "1"), ("cookie", "a=1"), ("cookie", "b=2"), ("x-a", "2")])
    let report = GuestReport(text: try await client.reply(1).text)
    #expect(report["names"] == "host,x-b,cookie,x-a")
    #expect(report["count"] == "4")
    await client.close()
  }

  @Test func refusalsAreAnswered() async throws {
    let client = try await edge().http2()
    try await client.request(1, "/" + String(repeating: "a", count: 16_400))
    #expect(try await client.reply(1).status == "414")
    let loop = Array(repeating: "fastlike", count: 8).joined(separator: ", ")
    try await client.request(3, "/ends", fields: [("cdn-loop", loop)])
    #expect(try await client.reply(3).status == "508")
    try await client.request(5, "/ends", fields: (0..<300).map { ("x-\($0)", "") })
    #expect(try await client.reply(5).status == "431")
    try await client.send(client.headers(7, client.encode([(":method", "CONNECT"), (":authority", "a:1")])))
    #expect(try await client.reply(7).status == "501")
    try await client.request(9, "/pattern?bytes=1")
    #expect(try await client.reply(9).text == "0")
    await client.close()
  }

  @Test func aGuestThatWantsTheConnectionClosedHasItSo() async throws {
    let client = try await edge("responses").http2()
    try await client.request(1, "/keepalive/0")
    #expect(try await client.reply(1).status == "200")
    try await client.request(3, "/keepalive/1")
    #expect(try await client.reply(3).text == "keepalive_mode_set=ok\n")
    #expect(try await client.goAway() == WireError.noError)
    #expect(try await client.next() == nil)
    await client.close()
  }

  @Test func earlyHintsComeBeforeTheResponse() async throws {
    let edge = try await edge("responses")
    let plain = try await edge.get("/early_hints")
    let client = try await edge.http2()
    try await client.request(1, "/early_hints")
    let reply = try await client.reply(1)
    #expect(reply.informational == plain.informational.map { "\($0.status)" })
    #expect(reply.status == "\(plain.status)")
    await client.close()
  }

  @Test func anEndingEdgeSaysSoAndFinishes() async throws {
    try await withFastlike("limits") { edge in
      let client = try await edge.http2()
      try await client.request(1, "/sleep?ms=500")
      try await client.send(.ping(1))
      while try await client.next()?.kind != WireFrame.Kind.ping {}
      edge.child.signal(SIGTERM)
      #expect(try await client.goAway() == WireError.noError)
      #expect(try await client.reply(1).text == "slept\n")
      #expect(try await client.next() == nil)
      #expect(try await edge.child.wait() == .exited(0))
    }
  }
}
