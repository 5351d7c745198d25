import ComputeABI
import Logging
import NIOCore
import Testing

@testable import FastlikeRuntime

@Suite struct BackendConnectorTests {
  /// Answers each request with the number of the connection it came on.
  private static let numbering: BackendScene.Script = { origin in
    while try await !origin.readHead().isEmpty { try await origin.answer("\(origin.number)") }
  }

  @Test func aRequestGoesOutAsGivenAndItsResponseComesBack() async throws {
    try await BackendScene.run { origin in
      let head = try await origin.readHead()
      let body = try await origin.read(until: "!")
      try await origin.answer(head + body, headers: "X-Odd-CASE: 1\r\n")
    } _: { (scene) async throws in
      let reply = try await scene.send("POST", "/a?b=c", headers: [("X-Mixed", "v")], body: "hello!")
      #expect(
        reply.body == "POST /a?b=c HTTP/1.1\r\nHost: origin.test\r\nX-Mixed: v\r\ncontent-length: 6\r\n\r\nhello!")
      #expect(reply.head?.status == 200)
      #expect(reply.head?.headers.name(at: 1).elementsEqual("X-Odd-CASE".utf8) == true)
      #expect(reply.phases.requestBodyBytes == 6)
      #expect(reply.phases.responseBodyBytes == reply.body.utf8.count)
      #expect(reply.phases.peerAddress?.port == Int(scene.backend.port))
    }
  }

  @Test func thePhasesOfANewConnectionFollowEachOther() async throws {
    try await BackendScene.run(script: Self.numbering) { (scene) async throws in
      let phases = try await scene.send().phases
      let instants = [
        phases.started, phases.connectStarted ?? 0, phases.connectEnded ?? 0, phases.requestSent ?? 0,
        phases.firstByte ?? 0, phases.ended ?? 0,
      ]
      #expect(instants == instants.sorted() && !instants.contains(0))
      #expect(phases.dnsStarted == nil && phases.tlsStarted == nil && !phases.reusedConnection)
    }
  }

  @Test func aConnectionServesTheNextRequest() async throws {
    try await BackendScene.run(script: Self.numbering) { (scene) async throws in
      #expect(try await scene.send().body == "1")
      #expect(try await scene.idleConnectionCount() == 1)
      let second = try await scene.send()
      #expect(second.body == "1" && second.phases.reusedConnection && second.phases.connectStarted == nil)
    }
  }

  @Test func backendsWithAnotherDefinitionDoNotShareConnections() async throws {
    try await BackendScene.run(script: Self.numbering) { (scene) async throws in
      #expect(try await scene.send().body == "1")
      #expect(try await scene.send { $0.firstByteTimeoutMilliseconds = 9000 }.body == "2")
    }
  }

  @Test func aBackendThatIsNotPooledClosesItsConnections() async throws {
    try await BackendScene.run { origin in
      let head = try await origin.readHead()
      try await origin.answer("\(origin.number) \(head.contains("connection: close"))")
    } _: { (scene) async throws in
      #expect(try await scene.send { $0.isPooled = false }.body == "1 true")
      #expect(try await scene.send { $0.isPooled = false }.body == "2 true")
    }
  }

  @Test func connectionCloseIsRespected() async throws {
    try await BackendScene.run { origin in
      while try await !origin.readHead().isEmpty {
        try await origin.answer("\(origin.number)", headers: "Connection: close\r\n")
      }
    } _: { (scene) async throws in
      #expect(try await scene.send().body == "1")
      #expect(try await scene.idleConnectionCount() == 0)
      #expect(try await scene.send().body == "2")
    }
  }

  @Test func aStaleConnectionIsReplacedForAnIdempotentRequest() async throws {
    try await BackendScene.run(script: Self.closingAfterOneAnswer) { (scene) async throws in
      #expect(try await scene.send().body == "1")
      let second = try await scene.send()
      #expect(second.body == "2" && !second.phases.reusedConnection && second.phases.connectStarted != nil)
    }
  }

  @Test func aStaleConnectionEndsARequestThatMayNotBeRepeated() async throws {
    try await BackendScene.run(script: Self.closingAfterOneAnswer) { (scene) async throws in
      #expect(try await scene.send().body == "1")
      #expect(try await scene.send("POST", body: "x").failure == SendError(.connectionTerminated))
    }
  }

  /// Closes its connection when a second request comes on it.
  private static let closingAfterOneAnswer: BackendScene.Script = { origin in
    _ = try await origin.readHead()
    try await origin.answer("\(origin.number)")
    _ = try await origin.readHead()
  }

  @Test func shutdownClosesIdleConnectionsAndKeepsNone() async throws {
    try await BackendScene.run(script: Self.numbering) { (scene) async throws in
      _ = try await scene.send()
      try await scene.onLoop { connector, eventLoop in
        connector.shutdown()
        return eventLoop.makeSucceededVoidFuture()
      }
      #expect(try await scene.idleConnectionCount() == 0)
      #expect(try await scene.send().body == "2")
      #expect(try await scene.idleConnectionCount() == 0)
    }
  }

  @Test func aClosedPortRefusesTheConnection() async throws {
    try await BackendScene.run(script: Self.numbering) { (scene) async throws in
      // Nothing listens on port 1.
      let reply = try await scene.send { $0.port = 1 }
      #expect(reply.failure == SendError(.connectionRefused))
      #expect(reply.phases.ended != nil)
    }
  }

  @Test func anOriginThatSaysNothingMissesTheFirstByteTimeout() async throws {
    try await BackendScene.run { origin in
      _ = try await origin.readHead()
      _ = try await origin.readHead()
    } _: { (scene) async throws in
      #expect(try await scene.send { $0.firstByteTimeoutMilliseconds = 30 }.failure == SendError(.httpResponseTimeout))
    }
  }

  @Test func aBodyThatStallsMissesTheBetweenBytesTimeout() async throws {
    try await BackendScene.run { origin in
      _ = try await origin.readHead()
      try await origin.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")
      _ = try await origin.readHead()
    } _: { (scene) async throws in
      let reply = try await scene.send { $0.betweenBytesTimeoutMilliseconds = 30 }
      #expect(reply.body == "abc" && reply.bodyError == .betweenBytesTimeout)
    }
  }

  @Test func aConnectionThatClosesWithoutAnAnswerIsTerminated() async throws {
    try await BackendScene.run { origin in
      _ = try await origin.readHead()
    } _: { (scene) async throws in
      #expect(try await scene.send().failure == SendError(.connectionTerminated))
    }
  }

  @Test func anEndWithinTheHeadIsAnIncompleteResponse() async throws {
    try await BackendScene.run { origin in
      _ = try await origin.readHead()
      try await origin.write("HTTP/1.1 200 OK\r\ncontent-le")
    } _: { (scene) async throws in
      #expect(try await scene.send().failure == SendError(.httpIncompleteResponse))
    }
  }

  @Test func aBodyShorterThanAnnouncedIsIncomplete() async throws {
    try await BackendScene.run { origin in
      _ = try await origin.readHead()
      try await origin.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")
    } _: { (scene) async throws in
      let reply = try await scene.send()
      #expect(reply.head?.status == 200 && reply.body == "abc" && reply.bodyError == .incomplete)
    }
  }

  @Test func aResetWithinTheBodyLosesTheConnection() async throws {
    let bodyCame = Signal()
    try await BackendScene.run { origin in
      _ = try await origin.readHead()
      try await origin.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")
      await bodyCame.wait()
      try await origin.resetOnReturn()
    } _: { (scene) async throws in
      let backend = scene.backend
      let reply = try await scene.onLoop { connector, eventLoop in
        let request = BackendRequest(head: RequestHead(), framing: .automatic, body: .empty)
        let reader = ReplyReader(connector.send(request, to: backend), on: eventLoop)
        reader.onBody = { _ in bodyCame.send() }
        return reader.result
      }
      #expect(reply.body == "abc" && reply.bodyError == .connectionLost)
    }
  }

  @Test func aReaderThatIsBehindHoldsTheOriginBack() async throws {
    let piece = String(repeating: "x", count: 1 << 20)
    try await BackendScene.run { origin in
      _ = try await origin.readHead()
      try await origin.write("HTTP/1.1 200 OK\r\ncontent-length: \(8 * piece.utf8.count)\r\n\r\n")
      for _ in 0..<8 { try await origin.write(piece) }
      _ = try await origin.readHead()
    } _: { (scene) async throws in
      let reply = try await scene.send()
      #expect(reply.body.utf8.count == 8 * piece.utf8.count)
      #expect(reply.mostBuffered < 1 << 20)
    }
  }

  @Test func trailersComeWithTheEndOfTheBody() async throws {
    try await BackendScene.run { origin in
      _ = try await origin.readHead()
      try await origin.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-Sum: 1\r\n\r\n")
    } _: { (scene) async throws in
      let reply = try await scene.send()
      #expect(reply.body == "ab" && reply.trailers == HeaderList([("X-Sum", "1")]))
    }
  }

  @Test func informationalResponsesArePassedOver() async throws {
    try await BackendScene.run { origin in
      _ = try await origin.readHead()
      try await origin.write("HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n")
      try await origin.answer("final")
    } _: { (scene) async throws in
      let reply = try await scene.send()
      #expect(reply.head?.status == 200 && reply.body == "final")
    }
  }

  @Test func requestAndResponseStreamAtTheSameTime() async throws {
    try await BackendScene.run { origin in
      _ = try await origin.readHead()
      try await origin.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nready\r\n")
      _ = try await origin.read(until: "3\r\none\r\n")
      try await origin.write("3\r\n-1-\r\n")
      let end = try await origin.read(until: "\r\n\r\n")
      try await origin.write("1\r\n\(end.hasSuffix("0\r\nT: 2\r\n\r\n") ? "y" : "n")\r\n0\r\n\r\n")
    } _: { (scene) async throws in
      let backend = scene.backend
      let reply = try await scene.onLoop { connector, eventLoop in
        let upload = BodyPipe()
        let request = BackendRequest(
          head: RequestHead(method: "POST"), framing: .automatic, body: .pipe(upload, knownLength: nil))
        let reader = ReplyReader(connector.send(request, to: backend), on: eventLoop)
        reader.onBody = { body in
          if body == "ready" { upload.write(ByteBuffer(string: "one")) }
          if body == "ready-1-" { upload.finish(trailers: HeaderList([("T", "2")])) }
        }
        return reader.result
      }
      #expect(reply.body == "ready-1-y" && reply.bodyError == nil)
    }
  }

  @Test func aRequestBodyThatBreaksOffBreaksTheConnection() async throws {
    let originSaw = Signal()
    try await BackendScene.run { origin in
      _ = try await origin.readHead()
      let rest = try await origin.read(until: "0\r\n\r\n")
      if !rest.hasSuffix("0\r\n\r\n") { originSaw.send() }
    } _: { (scene) async throws in
      let backend = scene.backend
      let reply = try await scene.onLoop { connector, eventLoop in
        let upload = BodyPipe()
        upload.write(ByteBuffer(string: "part"))
        upload.fail(.unfinished)
        let request = BackendRequest(
          head: RequestHead(method: "POST"), framing: .automatic, body: .pipe(upload, knownLength: nil))
        return ReplyReader(connector.send(request, to: backend), on: eventLoop).result
      }
      #expect(reply.failure == SendError(.connectionTerminated))
      await originSaw.wait()
    }
  }

  @Test func cancellingClosesTheConnectionAndEndsTheExchange() async throws {
    let originSawEnd = Signal()
    try await BackendScene.run { origin in
      _ = try await origin.readHead()
      try await origin.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")
      if try await origin.readHead().isEmpty { originSawEnd.send() }
    } _: { (scene) async throws in
      let backend = scene.backend
      let hasEnded = try await scene.onLoop { connector, eventLoop in
        let ended = eventLoop.makePromise(of: Bool.self)
        let request = BackendRequest(head: RequestHead(), framing: .automatic, body: .empty)
        let exchange = connector.send(request, to: backend)
        exchange.onSettled = { exchange.cancel() }
        exchange.onEnded = { ended.succeed($0.phases.ended != nil) }
        return ended.futureResult
      }
      #expect(hasEnded)
      await originSawEnd.wait()
    }
  }

  @Test func aFailedSendIsReportedAfterItReturned() async throws {
    try await BackendScene.run(script: Self.numbering) { (scene) async throws in
      let synthetic = try await scene.send { $0.reliabilityPercent = 0 }
      #expect(synthetic.failure == SendError(.connectionTerminated, isSynthetic: true))
      #expect(try await scene.send("GET", "/a b").failure == SendError(.httpRequestURIInvalid))
      #expect(try await scene.send("GET", "/", headers: [("x", "a\r\nb: c")]).failure == SendError(.internalError))
    }
  }

  @Test(arguments: [
    ("HTTP/1.1 999999 x\r\n\r\n", SendError.Tag.httpResponseStatusInvalid), ("hello\r\n\r\n", .httpProtocolError),
    ("HTTP/1.1 101 Switching Protocols\r\n\r\n", .httpUpgradeFailed),
  ])
  func aResponseThatIsNoneHasItsTag(text: String, tag: SendError.Tag) async throws {
    try await BackendScene.run { origin in
      _ = try await origin.readHead()
      try await origin.write(text)
      _ = try await origin.readHead()
    } _: { (scene) async throws in
      #expect(try await scene.send().failure == SendError(tag))
    }
  }
}
