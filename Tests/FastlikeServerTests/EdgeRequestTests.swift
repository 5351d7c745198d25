import FastlikeRuntime
import FastlikeServer
import Foundation
import NIOCore
import Testing

@Suite("Edge: requests", .timeLimit(.minutes(1)))
struct EdgeRequestTests {
  @Test func aRequestIsAnsweredAndTheConnectionKept() async throws {
    try await withEdge(answering: { request, responder, _ in responder.reply(request.head.uri) }) { edge in
      let client = try await edge.connect()
      try await client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n")
      let first = try await client.read(until: "/1")
      #expect(headLines(first) == ["HTTP/1.1 200 OK", "content-length: 2"])
      #expect(first.contains("\r\ndate: "))
      try await client.send("GET /2 HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(try await bodyText(client.read(until: "/2")) == "/2")
    }
  }

  @Test func theHandlerRunsOnTheConnectionsLoopAndKnowsTheAddresses() async throws {
    try await withEdge(answering: { request, responder, eventLoop in
      let isLoopback = request.connection.clientAddress?.ipAddress == "127.0.0.1"
      let port = request.connection.serverAddress?.port ?? 0
      responder.reply("\(eventLoop.inEventLoop) \(isLoopback) \(port)", closeAfter: true)
    }) { edge in
      let response = try await edge.exchange("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(bodyText(response) == "true true \(edge.address.port ?? -1)")
    }
  }

  @Test(arguments: [
    "Content-Length: 11\r\n\r\nhello world",
    "Transfer-Encoding: chunked\r\n\r\n6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n",
  ])
  func aBodyReachesTheHandler(message: String) async throws {
    try await withEdge(answering: { request, responder, _ in
      collect(request.body) { text, _ in responder.reply(text, closeAfter: true) }
    }) { edge in
      let response = try await edge.exchange("PUT / HTTP/1.1\r\nHost: x\r\n\(message)")
      #expect(bodyText(response) == "hello world")
    }
  }

  @Test func aRequestWithoutABodyHasAnEndedOne() async throws {
    try await withEdge(answering: { request, responder, _ in
      responder.reply("\(request.body.isEnded) \(request.body.expectedLength ?? -1)", closeAfter: true)
    }) { edge in
      let response = try await edge.exchange("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(bodyText(response) == "true 0")
    }
  }

  @Test func trailersReachTheHandler() async throws {
    try await withEdge(answering: { request, responder, _ in
      collect(request.body) { _, end in
        guard case .end(let trailers) = end else { return responder.abort() }
        responder.reply(trailers?.first("x-sum") ?? "none", closeAfter: true)
      }
    }) { edge in
      let text = "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 7\r\n\r\n"
      let response = try await edge.exchange(text)
      #expect(bodyText(response) == "7")
    }
  }

  @Test func aClientWaitsWhileNobodyReadsItsBody() async throws {
    let size = 1024 * 1024
    try await withEdge(answering: { request, responder, eventLoop in
      let body = request.body
      // By then the client has sent more than the pipe may hold.
      eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(100)) {
        var largest = body.bufferedBytes
        var total = 0
        func go() {
          largest = max(largest, body.bufferedBytes)
          while case .bytes(let bytes) = body.read() { total += bytes.readableBytes }
          if body.isEnded, !responder.isClosed { responder.reply("\(total) \(largest < 256 * 1024)", closeAfter: true) }
        }
        body.onReadable = { go() }
        go()
      }
    }) { edge in
      let client = try await edge.connect()
      client.sendLater("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: \(size)\r\n\r\n")
      client.sendLater(String(repeating: "x", count: size))
      #expect(try await bodyText(client.readToEnd()) == "\(size) true")
    }
  }

  @Test func aClientThatWaitsFor100ContinueGetsItWhenNoAnswerIsThereYet() async throws {
    try await withEdge(answering: { request, responder, _ in
      collect(request.body) { text, _ in responder.reply(text, closeAfter: true) }
    }) { edge in
      let client = try await edge.connect()
      try await client.send("PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
      #expect(try await client.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
      try await client.send("ok")
      #expect(try await bodyText(client.readToEnd()) == "ok")
    }
  }

  @Test func anAnswerThatNeedsNoBodyReplaces100ContinueAndEndsTheConnection() async throws {
    try await withEdge(answering: { _, responder, _ in responder.reply("no", status: 413) }) { edge in
      let text = "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
      let lines = headLines(try await edge.exchange(text))
      #expect(lines == ["HTTP/1.1 413 Payload Too Large", "content-length: 2", "connection: close"])
    }
  }

  @Test func pipelinedRequestsAreHandedOverOneAfterTheOther() async throws {
    try await withEdge(answering: { request, responder, eventLoop in
      let delay: TimeAmount = request.head.uri == "/1" ? .milliseconds(30) : .zero
      let isLast = request.head.uri == "/3"
      eventLoop.assumeIsolated().scheduleTask(in: delay) { responder.reply(request.head.uri, closeAfter: isLast) }
    }) { edge in
      let text = ["/1", "/2", "/3"].map { "GET \($0) HTTP/1.1\r\nHost: x\r\n\r\n" }.joined()
      let response = try await edge.exchange(text)
      let bodies = response.components(separatedBy: "HTTP/1.1 200 OK").dropFirst().map(bodyText)
      #expect(bodies == ["/1", "/2", "/3"])
    }
  }

  @Test func anUpgradeRequestIsARequestLikeOthers() async throws {
    try await withEdge(answering: { request, responder, _ in
      responder.reply(request.head.headers.first("upgrade") ?? "none")
    }) { edge in
      let client = try await edge.connect()
      try await client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
      #expect(try await bodyText(client.read(until: "websocket")) == "websocket")
      try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(try await bodyText(client.read(until: "none")) == "none")
    }
  }

  @Test func anAbsoluteTargetIsHandedOverAsItIs() async throws {
    try await withEdge(answering: { request, responder, _ in
      responder.reply(request.head.uri, closeAfter: true)
    }) { edge in
      let response = try await edge.exchange("GET http://a.example/b?c HTTP/1.1\r\nHost: a.example\r\n\r\n")
      #expect(bodyText(response) == "http://a.example/b?c")
    }
  }

  @Test(arguments: [
    ("GET /\r\n\r\n", 400), ("GET / HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/2.0\r\n\r\n", 505),
    ("GET / HTTP/1.1\r\nHost: x\r\nX: \(String(repeating: "a", count: 100_000))\r\n\r\n", 431),
    ("GET /\(String(repeating: "a", count: 20_000)) HTTP/1.1\r\n", 414),
    (
      "GET / HTTP/1.1\r\nHost: x\r\nCDN-Loop: \(Array(repeating: "fastlike", count: 8).joined(separator: ", "))\r\n\r\n",
      508
    ),
  ])
  func aRequestThatNoGuestMaySeeIsAnsweredAndTheConnectionClosed(
    text: String, status: Int
  ) async throws {
    try await withEdge(answering: { _, responder, _ in responder.reply("handler") }) { edge in
      let response = try await edge.exchange(text)
      #expect(response.hasPrefix("HTTP/1.1 \(status) "))
      #expect(headLines(response).contains("connection: close"))
      #expect(!response.contains("handler"))
    }
  }

  @Test func loopsAreLetThroughWhereTheSettingSaysSo() async throws {
    var settings = EdgeSettings()
    settings.maximumVisits = .max
    try await withEdge(
      settings: settings,
      answering: { _, responder, _ in
        responder.reply("handler", closeAfter: true)
      }
    ) { edge in
      let response = try await edge.exchange("GET / HTTP/1.1\r\nHost: x\r\nCDN-Loop: fastlike\r\n\r\n")
      #expect(bodyText(response) == "handler")
    }
  }

  @Test func aMalformedChunkFailsTheBodyAndEndsTheConnectionBehindTheAnswer() async throws {
    try await withEdge(answering: { request, responder, _ in
      collect(request.body) { text, end in
        guard case .failed(let error) = end else { return responder.abort() }
        responder.reply("\(text) \(error)")
      }
    }) { edge in
      let text = "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nzz\r\n"
      let response = try await edge.exchange(text)
      #expect(bodyText(response) == "a malformed")
      #expect(headLines(response).contains("connection: close"))
    }
  }

  @Test func aBodyThatTheClientBreaksOffIsIncompleteAndIsStillAnswered() async throws {
    try await withEdge(answering: { request, responder, _ in
      collect(request.body) { text, end in
        guard case .failed(let error) = end else { return responder.abort() }
        responder.reply("\(text) \(error)")
      }
    }) { edge in
      let client = try await edge.connect()
      try await client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab")
      try await client.closeOutput()
      #expect(try await bodyText(client.readToEnd()) == "ab incomplete")
    }
  }

  @Test func aShortBodyThatNobodyWantsIsDroppedAndTheConnectionKept() async throws {
    try await withEdge(answering: { request, responder, _ in
      request.body.cancel()
      responder.reply(request.head.uri)
    }) { edge in
      let client = try await edge.connect()
      let size = 100_000
      try await client.send("PUT /1 HTTP/1.1\r\nHost: x\r\nContent-Length: \(size)\r\n\r\n")
      #expect(try await bodyText(client.read(until: "/1")) == "/1")
      try await client.send(String(repeating: "x", count: size) + "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(try await bodyText(client.read(until: "/2")) == "/2")
    }
  }

  @Test func aLongBodyThatNobodyWantsEndsTheConnectionAndTheClientReadsTheAnswer() async throws {
    try await withEdge(answering: { request, responder, _ in
      request.body.cancel()
      responder.reply("enough")
    }) { edge in
      let client = try await edge.connect()
      client.sendLater("PUT /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
      client.sendLater(String(repeating: "x", count: 1_000_000))
      #expect(try await bodyText(client.readToEnd()) == "enough")
    }
  }

  @Test func http10ClosesUnlessTheClientAsksToKeepTheConnection() async throws {
    try await withEdge(answering: { request, responder, _ in responder.reply(request.head.uri) }) { edge in
      let lines = headLines(try await edge.exchange("GET / HTTP/1.0\r\n\r\n"))
      #expect(lines == ["HTTP/1.0 200 OK", "content-length: 1", "connection: close"])
      let client = try await edge.connect()
      try await client.send("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
      #expect(try await headLines(client.read(until: "/1")).contains("connection: keep-alive"))
      try await client.send("GET /2 HTTP/1.0\r\n\r\n")
      #expect(try await bodyText(client.readToEnd()) == "/2")
    }
  }
}
