import ComputeABI
import FastlikeRuntime
import FastlikeServer
import Foundation
import NIOCore
import Testing

private let get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

@Suite("Edge: responses", .timeLimit(.minutes(1)))
struct EdgeResponseTests {
  @Test func headHasTheLengthOfTheBodyAndNoBody() async throws {
    try await withEdge(answering: { _, responder, _ in responder.reply("hello") }) { edge in
      let client = try await edge.connect()
      try await client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
      let response = try await client.read(until: "\r\n\r\n")
      #expect(headLines(response) == ["HTTP/1.1 200 OK", "content-length: 5"])
      try await client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
      #expect(try await client.readToEnd().hasPrefix("HTTP/1.1 200 OK\r\n"))
    }
  }

  @Test func theWriterOfAHEADResponsesBodyIsNotHeldUp() async throws {
    let written = Report<Bool>()
    try await withEdge(answering: { _, responder, _ in
      let pipe = BodyPipe(capacity: 4)
      responder.reply(pipe)
      pipe.write(ByteBuffer(string: "12345678"))
      written.send(pipe.isWritable && !pipe.isCancelled)
      pipe.finish()
    }) { edge in
      let client = try await edge.connect()
      try await client.send("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
      #expect(try await bodyText(client.readToEnd()) == "")
      #expect(await written.value() == true)
    }
  }

  @Test(arguments: [UInt16(204), 304])
  func aStatusWithoutABodyHasNone(status: UInt16) async throws {
    try await withEdge(answering: { _, responder, _ in
      responder.reply("body", status: status, closeAfter: true)
    }) { edge in
      let response = try await edge.exchange(get)
      #expect(response.hasSuffix("\r\n\r\n"))
      #expect(!response.lowercased().contains("transfer-encoding"))
    }
  }

  @Test func aChunkReachesTheClientBeforeTheNextOneIsWritten() async throws {
    let received = Report<Void>()
    try await withEdge(answering: { _, responder, eventLoop in
      let pipe = NIOLoopBound(BodyPipe(), eventLoop: eventLoop)
      responder.reply(pipe.value)
      pipe.value.write(ByteBuffer(string: "first"))
      Task {
        _ = await received.value()
        eventLoop.execute {
          pipe.value.write(ByteBuffer(string: "second"))
          pipe.value.finish()
        }
      }
    }) { edge in
      let client = try await edge.connect()
      try await client.send(get)
      let first = try await client.read(until: "5\r\nfirst\r\n")
      #expect(headLines(first) == ["HTTP/1.1 200 OK", "transfer-encoding: chunked"])
      received.send(())
      #expect(try await client.read(until: "0\r\n\r\n") == "6\r\nsecond\r\n0\r\n\r\n")
    }
  }

  @Test func trailersFollowTheLastChunk() async throws {
    try await withEdge(answering: { _, responder, _ in
      let pipe = BodyPipe()
      pipe.write(ByteBuffer(string: "a"))
      pipe.finish(trailers: HeaderList([("X-Sum", "7")]))
      responder.reply(pipe)
    }) { edge in
      let client = try await edge.connect()
      try await client.send(get)
      #expect(try await bodyText(client.read(until: "7\r\n\r\n")) == "1\r\na\r\n0\r\nX-Sum: 7\r\n\r\n")
    }
  }

  @Test func aBodyThatFailsLeavesTheMessageWithoutItsEnd() async throws {
    let report = Report<DownstreamDelivery>()
    try await withEdge(answering: { _, responder, _ in
      let pipe = BodyPipe()
      responder.onDelivered = { report.send($0) }
      responder.reply(pipe)
      pipe.write(ByteBuffer(string: "part"))
      pipe.fail(.unfinished)
    }) { edge in
      let response = try await edge.exchange(get)
      #expect(bodyText(response) == "4\r\npart\r\n")
      #expect(await report.value()?.isAborted == true)
    }
  }

  @Test func aKnownLengthIsAnnouncedAndKeptTo() async throws {
    try await withEdge(answering: { request, responder, _ in
      let pipe = BodyPipe()
      pipe.write(ByteBuffer(string: "12345"))
      pipe.finish()
      responder.reply(pipe, knownLength: request.head.uri == "/long" ? 3 : 8)
    }) { edge in
      let client = try await edge.connect()
      try await client.send("GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(try await bodyText(client.read(until: "123")) == "123")
      try await client.send("GET /short HTTP/1.1\r\nHost: x\r\n\r\n")
      let response = try await client.readToEnd()
      #expect(headLines(response) == ["HTTP/1.1 200 OK", "content-length: 8"])
      #expect(bodyText(response) == "12345")
    }
  }

  @Test func earlyHintsReachTheClientBeforeTheFinalResponse() async throws {
    try await withEdge(answering: { _, responder, _ in
      responder.sendInformational(ResponseHead(status: 103, headers: HeaderList([("Link", "</a.css>")])))
      responder.reply("page", closeAfter: true)
    }) { edge in
      let response = try await edge.exchange(get)
      let lines = headLines(response)
      #expect(lines.first?.hasPrefix("HTTP/1.1 103 ") == true)
      #expect(lines.contains("Link: </a.css>"))
      #expect(bodyText(bodyText(response)) == "page")
    }
  }

  @Test func aGuestMayEndTheConnection() async throws {
    try await withEdge(answering: { _, responder, _ in
      responder.reply("x", headers: [("Connection", "close")])
    }) { edge in
      let lines = headLines(try await edge.exchange(get))
      #expect(lines == ["HTTP/1.1 200 OK", "content-length: 1", "connection: close"])
    }
  }

  @Test func aStreamToAnHTTP10ClientEndsWithTheConnection() async throws {
    try await withEdge(answering: { _, responder, _ in
      let pipe = BodyPipe()
      responder.reply(pipe)
      pipe.write(ByteBuffer(string: "a"))
      pipe.write(ByteBuffer(string: "b"))
      pipe.finish()
    }) { edge in
      let response = try await edge.exchange("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
      #expect(headLines(response) == ["HTTP/1.0 200 OK", "connection: close"])
      #expect(bodyText(response) == "ab")
    }
  }

  @Test(arguments: [true, false])
  func aLargeBodyArrivesWholeAtAClientThatWasSlow(isPiped: Bool) async throws {
    let size = 768 * 1024
    let report = Report<DownstreamDelivery>()
    let isStarted = Report<Void>()
    try await withEdge(
      at: .unix(path: temporarySocket()),
      answering: { _, responder, _ in
        responder.onDelivered = { report.send($0) }
        let bytes = ByteBuffer(repeating: 0x78, count: size)
        if isPiped {
          let pipe = BodyPipe()
          pipe.write(bytes)
          pipe.finish()
          responder.reply(pipe, knownLength: size)
        } else {
          responder.send(ResponseHead(), framing: .automatic, closeAfter: false, body: .bytes(bytes))
        }
        isStarted.send(())
      }
    ) { edge in
      let client = try await edge.connect()
      try await client.stopReading()
      try await client.send(get + "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
      _ = await isStarted.value()
      try await client.startReading()
      let responses = try await client.readToEnd().components(separatedBy: "HTTP/1.1 200 OK\r\n").dropFirst()
      #expect(responses.map { bodyText($0).utf8.count } == [size, size])
      let delivery = await report.value()
      #expect(delivery?.bodyBytes == size)
      #expect(delivery?.isAborted == false)
      #expect((delivery?.endedAt ?? 0) >= (delivery?.headFlushedAt ?? .max))
    }
  }

  @Test func aWriterWaitsForAClientThatDoesNotRead() async throws {
    let report = Report<Int>()
    try await withEdge(
      at: .unix(path: temporarySocket()),
      answering: { _, responder, eventLoop in
        let pipe = BodyPipe()
        responder.reply(pipe)
        let chunk = ByteBuffer(repeating: 0x78, count: 32 * 1024)
        var written = 0
        func fill() {
          while pipe.isWritable, written < 64 * 1024 * 1024 {
            pipe.write(chunk)
            written += chunk.readableBytes
          }
        }
        pipe.onWritable = { fill() }
        fill()
        eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(100)) { report.send(written) }
      }
    ) { edge in
      let client = try await edge.connect()
      try await client.stopReading()
      try await client.send(get)
      #expect((await report.value() ?? .max) < 32 * 1024 * 1024)
    }
  }

  @Test func theHandlerIsToldThatTheClientIsGone() async throws {
    let isStarted = Report<Void>()
    let isGone = Report<Bool>()
    let report = Report<DownstreamDelivery>()
    try await withEdge(answering: { _, responder, eventLoop in
      let pipe = BodyPipe()
      responder.onClosed = { isGone.send(responder.isClosed && pipe.isCancelled) }
      responder.onDelivered = { report.send($0) }
      responder.reply(pipe)
      // The connection is seen to be gone by the second write at the latest.
      func drip() {
        guard !responder.isClosed else { return }
        pipe.write(ByteBuffer(string: "x"))
        eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(10)) { drip() }
      }
      drip()
      isStarted.send(())
    }) { edge in
      let client = try await edge.connect()
      try await client.send(get)
      _ = await isStarted.value()
      try await client.close()
      #expect(await isGone.value() == true)
      #expect(await report.value()?.isAborted == true)
    }
  }

  @Test func anAnswerToAClientThatIsGoneIsReportedAsAborted() async throws {
    let report = Report<DownstreamDelivery>()
    try await withEdge(answering: { request, responder, _ in
      responder.onClosed = { responder.reply("late") }
      responder.onDelivered = { report.send($0) }
      responder.abort()
    }) { edge in
      let response = try await edge.exchange(get)
      #expect(response == "")
      #expect(await report.value()?.isAborted == true)
    }
  }

  @Test func aClientThatClosedItsSendingSideGetsItsResponse() async throws {
    try await withEdge(answering: { _, responder, eventLoop in
      eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(30)) { responder.reply("here") }
    }) { edge in
      let client = try await edge.connect()
      try await client.send(get + get)
      try await client.closeOutput()
      let response = try await client.readToEnd()
      #expect(response.components(separatedBy: "HTTP/1.1 200 OK").count == 3)
      #expect(response.hasSuffix("here"))
    }
  }

  @Test func onlyTheFirstFinalResponseCounts() async throws {
    try await withEdge(answering: { _, responder, _ in
      responder.reply("one", closeAfter: true)
      responder.reply("two")
    }) { edge in
      let response = try await edge.exchange(get)
      #expect(bodyText(response) == "one")
    }
  }
}
