import Testing

/// What an endpoint has to refuse (RFC 9113, RFC 7541), frame by frame. The sections stand beside the cases; unless a
/// section is of another document it is one of RFC 9113.
@Suite("Conformance: HTTP/2 protocol", .timeLimit(.minutes(5)))
struct HTTP2ProtocolTests {
  private typealias Kind = WireFrame.Kind
  private typealias Flag = WireFrame.Flag

  private func edge() async throws -> FastlikeProcess { try await SharedEdges.edge("bodies") }

  /// The code with which the edge ends a connection on which these frames are sent.
  private func connectionError(
    _ settings: [(UInt16, UInt32)] = [], _ frames: (HTTP2Wire) throws -> [WireFrame]
  ) async throws -> UInt32 {
    let client = try await edge().http2(settings)
    try await client.send(try frames(client).flatMap(\.bytes))
    let code = try await client.goAway()
    while try await client.next() != nil {}
    await client.close()
    return code
  }

  /// The code with which the edge ends the stream, while the connection serves on.
  private func streamError(_ stream: UInt32 = 1, _ frames: (HTTP2Wire) throws -> [WireFrame]) async throws -> UInt32? {
    let client = try await edge().http2()
    try await client.send(try frames(client).flatMap(\.bytes))
    let code = try await client.reset(stream)
    try await client.request(101, "/pattern?bytes=4")
    #expect(try await client.reply(101).text == "0123")
    await client.close()
    return code
  }

  // MARK: Connection and frames

  @Test func theConnectionBeginsWithThePrefaceAndSettings() async throws {
    // §3.4
    let client = HTTP2Wire(try await RawConnection.open(port: try await edge().port))
    try await client.send(HTTP2Wire.preface + WireFrame.ping().bytes)
    #expect(try await client.goAway() == WireError.protocolError)
    await client.close()
  }

  @Test func theEdgeAnnouncesItselfAndAcknowledges() async throws {
    // §3.4, §6.5.3, §6.7
    let client = try await edge().http2([(4, 1000)])
    let first = try #require(try await client.next())
    #expect(first.kind == Kind.settings && !first.has(Flag.acknowledgement))
    try await client.take(first)
    try await client.send(.ping(7))
    var kinds: [UInt8] = []
    while kinds.last != Kind.ping {
      let frame = try #require(try await client.next())
      if frame.kind == Kind.windowUpdate { continue }
      #expect(frame.has(Flag.acknowledgement))
      kinds.append(frame.kind)
      if frame.kind == Kind.ping { #expect(frame.payload == [UInt8](repeating: 7, count: 8)) }
    }
    #expect(kinds == [Kind.settings, Kind.ping])
    await client.close()
  }

  @Test func aPrefaceMayComeInPieces() async throws {
    let client = HTTP2Wire(try await RawConnection.open(port: try await edge().port))
    for byte in HTTP2Wire.preface.prefix(20) { try await client.send([byte]) }
    try await client.send(Array(HTTP2Wire.preface.dropFirst(20)) + WireFrame.settings().bytes)
    try await client.request(1, "/pattern?bytes=4")
    #expect(try await client.reply(1).text == "0123")
    await client.close()
  }

  @Test func framesOfUnknownKindsArePassedOver() async throws {
    // §5.5
    let client = try await edge().http2([(0x99, 7)])
    try await client.send(WireFrame(kind: 0x42, flags: 255, stream: 1, payload: [1, 2, 3]))
    try await client.request(1, "/pattern?bytes=4")
    #expect(try await client.reply(1).text == "0123")
    await client.close()
  }

  @Test func framesThatAreTooLargeEndTheConnection() async throws {
    // §4.2
    let large = [UInt8](repeating: 0, count: 16_385)
    #expect(
      try await connectionError { [$0.headers(1, try $0.block("/echo", "POST"), end: false), .data(1, large)] }
        == WireError.frameSizeError)
    #expect(try await connectionError { [$0.headers(1, large)] } == WireError.frameSizeError)
    #expect(
      try await connectionError { _ in [.settings(.init(repeating: (9, 0), count: 2731))] } == WireError.frameSizeError)
  }

  @Test func framesBelongOnTheirKindOfStream() async throws {
    // §6.1 to §6.10
    let onNone: [WireFrame] = [
      .data(0, [1]), WireFrame(kind: Kind.headers, flags: Flag.endHeaders, payload: [0x82]),
      WireFrame(kind: Kind.priority, payload: [0, 0, 0, 0, 1]), .resetStream(0),
      WireFrame(kind: Kind.continuation, flags: Flag.endHeaders, payload: [0x82]),
    ]
    let onOne: [WireFrame] = [
      WireFrame(kind: Kind.settings, stream: 1),
      WireFrame(kind: Kind.ping, stream: 1, payload: .init(repeating: 0, count: 8)),
      WireFrame(kind: Kind.goAway, stream: 1, payload: .init(repeating: 0, count: 8)),
    ]
    for frame in onNone + onOne { #expect(try await connectionError { _ in [frame] } == WireError.protocolError) }
  }

  @Test func lengthsThatAreFixedAreKept() async throws {
    // §6.4, §6.5, §6.7, §6.9
    let frames: [WireFrame] = [
      WireFrame(kind: Kind.ping, payload: [1, 2]), WireFrame(kind: Kind.settings, payload: [1, 2, 3]),
      WireFrame(kind: Kind.settings, flags: Flag.acknowledgement, payload: [0, 1, 0, 0, 0, 0]),
      WireFrame(kind: Kind.windowUpdate, payload: [0, 0, 1]), WireFrame(kind: Kind.goAway, payload: [0]),
    ]
    for frame in frames { #expect(try await connectionError { _ in [frame] } == WireError.frameSizeError) }
    #expect(
      try await connectionError {
        [
          $0.headers(1, try $0.block("/echo", "POST"), end: false),
          WireFrame(kind: Kind.resetStream, stream: 1, payload: [0]),
        ]
      } == WireError.frameSizeError)
    // §6.3: of this one the stream alone ends.
    #expect(
      try await streamError {
        [
          $0.headers(1, try $0.block("/echo", "POST"), end: false),
          WireFrame(kind: Kind.priority, stream: 1, payload: [0, 0, 0, 0]),
        ]
      } == WireError.frameSizeError)
  }

  @Test func paddingFitsItsFrame() async throws {
    // §6.1, §6.2
    #expect(
      try await connectionError {
        [
          $0.headers(1, try $0.block("/echo", "POST"), end: false),
          WireFrame(kind: Kind.data, flags: Flag.padded, stream: 1, payload: [4, 1, 2]),
        ]
      } == WireError.protocolError)
    let client = try await edge().http2()
    try await client.send(
      client.headers(1, client.block("/echo", "POST"), end: false),
      WireFrame(
        kind: Kind.data, flags: Flag.padded | Flag.endStream, stream: 1, payload: [3] + Array("abc".utf8) + [0, 0, 0]))
    #expect(try await client.reply(1).text == "abc")
    await client.close()
  }

  @Test func aClientPushesNothing() async throws {
    // §8.4
    #expect(
      try await connectionError { _ in
        [WireFrame(kind: Kind.pushPromise, flags: Flag.endHeaders, stream: 1, payload: [0, 0, 0, 2, 0x82])]
      } == WireError.protocolError)
  }

  @Test func settingsStayInTheirRange() async throws {
    // §6.5.2
    #expect(try await connectionError { _ in [.settings([(2, 2)])] } == WireError.protocolError)
    #expect(try await connectionError { _ in [.settings([(4, 0x8000_0000)])] } == WireError.flowControlError)
    #expect(try await connectionError { _ in [.settings([(5, 16_383)])] } == WireError.protocolError)
    #expect(try await connectionError { _ in [.settings([(5, 16_777_216)])] } == WireError.protocolError)
  }

  // MARK: Streams

  @Test func aStreamThatIsIdleTakesNothingButHeadersAndPriority() async throws {
    // §5.1
    let frames: [WireFrame] = [.data(1, [1], end: true), .resetStream(1), .windowUpdate(1, 1), .data(2, [1])]
    for frame in frames { #expect(try await connectionError { _ in [frame] } == WireError.protocolError) }
    let client = try await edge().http2()
    try await client.send(WireFrame(kind: Kind.priority, stream: 9, payload: [0, 0, 0, 0, 1]))
    try await client.request(1, "/pattern?bytes=4")
    #expect(try await client.reply(1).text == "0123")
    await client.close()
  }

  @Test func aClientNumbersItsStreamsUpwardsAndOddly() async throws {
    // §5.1.1
    #expect(try await connectionError { [$0.headers(2, try $0.block("/ends"))] } == WireError.protocolError)
    #expect(
      try await connectionError { [$0.headers(5, try $0.block("/ends")), $0.headers(3, try $0.block("/ends"))] }
        == WireError.protocolError)
  }

  @Test func nothingFollowsTheEndOfARequest() async throws {
    // §5.1, half-closed (remote): the response waits for nobody here, so the stream is still open.
    let edge = try await SharedEdges.edge("limits")
    for isData in [true, false] {
      let client = try await edge.http2()
      try await client.request(1, "/sleep?ms=2000")
      try await client.send(isData ? .data(1, [1]) : client.headers(1, client.block()))
      #expect(try await client.reset(1) == WireError.streamClosed)
      await client.close()
    }
  }

  @Test func nothingFollowsTheEndOfAStream() async throws {
    // §5.1, closed
    for isData in [true, false] {
      let client = try await edge().http2()
      try await client.request(1, "/ends")
      _ = try await client.reply(1)
      try await client.send(isData ? .data(1, [1]) : client.headers(1, client.block()))
      #expect(try await client.goAway() == WireError.streamClosed)
      await client.close()
    }
    let client = try await edge().http2()
    try await client.request(1, "/ends")
    _ = try await client.reply(1)
    // These may still be on their way.
    try await client.send(
      .windowUpdate(1, 1), .resetStream(1), WireFrame(kind: Kind.priority, stream: 1, payload: [0, 0, 0, 0, 1]))
    try await client.request(3, "/pattern?bytes=4")
    #expect(try await client.reply(3).text == "0123")
    await client.close()
  }

  @Test func whatComesForAStreamThatTheEdgeResetIsPassedOver() async throws {
    // §5.1, closed by RST_STREAM; the header table has to follow (RFC 7541 §2.2).
    let client = try await edge().http2()
    try await client.send(client.headers(1, client.block("/ends", "POST", [("connection", "x")]), end: false))
    #expect(try await client.reset(1) == WireError.protocolError)
    try await client.send(.data(1, [1, 2, 3]), client.headers(1, client.encode([("x-trailer", "kept")])))
    try await client.request(3, "/pattern?bytes=4", fields: [("x-trailer", "kept")])
    #expect(try await client.reply(3).text == "0123")
    await client.close()
  }

  @Test func requestsBeyondTheLimitAreRefused() async throws {
    // §5.1.2
    let client = try await SharedEdges.edge("limits").http2()
    // In one piece, so that the first ones still sleep when the last one comes.
    let requests = try (0..<101).map { client.headers(UInt32($0 * 2 + 1), try client.block("/sleep?ms=3000")) }
    try await client.send(requests.flatMap(\.bytes))
    #expect(try await client.reset(201) == WireError.refusedStream)
    #expect(try await client.reply(1).text == "slept\n")
    await client.close()
  }

  // MARK: Header blocks

  @Test func aHeaderBlockIsNotInterrupted() async throws {
    // §4.3, §6.2, §6.10
    let open = WireFrame(kind: Kind.headers, flags: Flag.endStream, stream: 1, payload: [0x82])
    for frame in [
      WireFrame.ping(), .data(1, [1]), WireFrame(kind: 0x42), WireFrame(kind: Kind.continuation, stream: 3),
    ] {
      #expect(try await connectionError { _ in [open, frame] } == WireError.protocolError)
    }
    let client = try await edge().http2()
    let block = try client.block("/pattern?bytes=4")
    try await client.send(
      WireFrame(kind: Kind.headers, flags: Flag.endStream, stream: 1, payload: Array(block.prefix(3))),
      WireFrame(kind: Kind.continuation, stream: 1, payload: Array(block.dropFirst(3).prefix(3))),
      WireFrame(kind: Kind.continuation, flags: Flag.endHeaders, stream: 1, payload: Array(block.dropFirst(6))))
    #expect(try await client.reply(1).text == "0123")
    await client.close()
  }

  @Test func aContinuationFollowsAnOpenBlock() async throws {
    // §6.10
    #expect(
      try await connectionError {
        [
          $0.headers(1, try $0.block("/echo", "POST"), end: false),
          WireFrame(kind: Kind.continuation, flags: Flag.endHeaders, stream: 1, payload: [0x82]),
        ]
      } == WireError.protocolError)
  }

  @Test func aBlockThatCannotBeDecodedEndsTheConnection() async throws {
    // RFC 7541 §2.3.3, §4.2, §5.1, §5.2, §6.1, §6.3
    let blocks: [[UInt8]] = [
      [0x80], [0xBF], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0x00, 0x01, 0x61], [0x00, 0x81, 0xFF, 0x01, 0x61],
      [0x00, 0x84, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0x61], [0x3F, 0xE2, 0x1F], [0x82, 0x20],
    ]
    for block in blocks { #expect(try await connectionError { [$0.headers(1, block)] } == WireError.compressionError) }
  }

  @Test(arguments: [
    [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a"), ("Upper", "x")],
    [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a"), ("connection", "close")],
    [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a"), ("te", "gzip")],
    [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a"), ("transfer-encoding", "chunked")],
    [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a"), (":other", "x")],
    [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a"), (":status", "200")],
    [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":path", "/"), (":authority", "a")],
    [(":method", "GET"), (":scheme", "http"), ("x", "y"), (":path", "/"), (":authority", "a")],
    [(":method", "GET"), (":scheme", "http"), (":path", ""), (":authority", "a")],
    [(":scheme", "http"), (":path", "/"), (":authority", "a")],
    [(":method", "GET"), (":path", "/"), (":authority", "a")],
    [(":method", "GET"), (":scheme", "http"), (":authority", "a")],
  ])
  func aMalformedRequestEndsItsStream(fields: [(String, String)]) async throws {
    // §8.2.1, §8.2.2, §8.3, §8.3.1
    // The other implementation's encoder writes names in lower case, so that these go out as literals.
    var block: [UInt8] = []
    for (name, value) in fields {
      block += [0, UInt8(name.utf8.count)] + Array(name.utf8) + [UInt8(value.utf8.count)] + Array(value.utf8)
    }
    #expect(try await streamError { [$0.headers(1, block)] } == WireError.protocolError)
  }

  @Test func trailersEndTheStreamAndHaveNoPseudoHeaderField() async throws {
    // §8.1, §8.3
    for (fields, isEnd) in [([(":path", "/")], true), ([("x", "y")], false), ([("connection", "x")], true)] {
      let code = try await streamError {
        [
          $0.headers(1, try $0.block("/echo", "POST"), end: false),
          $0.headers(1, try $0.encode(fields), end: isEnd),
        ]
      }
      #expect(code == WireError.protocolError)
    }
  }

  @Test func theAnnouncedLengthIsKept() async throws {
    // §8.1.1
    let length = [("content-length", "3")]
    #expect(try await streamError { [$0.headers(1, try $0.block("/echo", "POST", length))] } == WireError.protocolError)
    for body in [[UInt8](repeating: 1, count: 2), [UInt8](repeating: 1, count: 4)] {
      let code = try await streamError {
        [$0.headers(1, try $0.block("/echo", "POST", length), end: false), .data(1, body, end: true)]
      }
      #expect(code == WireError.protocolError)
    }
    let none = [("content-length", "0")]
    let code = try await streamError {
      [$0.headers(1, try $0.block("/echo", "POST", none), end: false), .data(1, [1], end: true)]
    }
    #expect(code == WireError.protocolError)
  }

  // MARK: Flow control

  @Test func aWindowDoesNotGrowBeyondItsLimit() async throws {
    // §6.9.1, §6.9.2
    #expect(
      try await connectionError { _ in [.windowUpdate(0, 0x7FFF_FFFF)] } == WireError.flowControlError)
    #expect(try await connectionError { _ in [.windowUpdate(0, 0)] } == WireError.protocolError)
    let open: (HTTP2Wire) throws -> WireFrame = { $0.headers(1, try $0.block("/echo", "POST"), end: false) }
    #expect(try await streamError { [try open($0), .windowUpdate(1, 0x7FFF_FFFF)] } == WireError.flowControlError)
    #expect(try await streamError { [try open($0), .windowUpdate(1, 0)] } == WireError.protocolError)
    #expect(
      try await connectionError { [try open($0), .windowUpdate(1, 0x7FFF_0000), .settings([(4, 0x7FFF_FFFF)])] }
        == WireError.flowControlError)
  }

  @Test func aClientThatSendsBeyondTheWindowIsStopped() async throws {
    // §6.9.1: nobody reads this body, so its window is used up in the end.
    let client = try await SharedEdges.edge("limits").http2()
    try await client.send(client.headers(1, client.block("/sleep?ms=3000", "POST"), end: false))
    let piece = [UInt8](repeating: 0, count: 16_000)
    var code: UInt32?
    for _ in 0..<40 { try? await client.send(.data(1, piece)) }
    code = try await client.reset(1)
    #expect(code == WireError.flowControlError)
    await client.close()
  }
}
