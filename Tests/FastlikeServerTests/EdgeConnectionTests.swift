import FastlikeRuntime
import FastlikeServer
import Foundation
import Logging
import NIOCore
import NIOPosix
import Testing

private let get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

@Suite("Edge: connections", .timeLimit(.minutes(1)))
struct EdgeConnectionTests {
  @Test func aSilentConnectionIsClosed() async throws {
    var settings = EdgeSettings()
    settings.idleTimeout = .milliseconds(80)
    try await withEdge(settings: settings, answering: { _, responder, _ in responder.reply("x") }) { edge in
      let client = try await edge.connect()
      #expect(try await client.readToEnd() == "")
      #expect(try await bodyText(edge.exchange(get)) == "x")
    }
  }

  @Test func aHeadThatDripsIsAnsweredWith408() async throws {
    var settings = EdgeSettings()
    settings.headTimeout = .milliseconds(80)
    try await withEdge(settings: settings, answering: { _, responder, _ in responder.reply("x") }) { edge in
      let response = try await edge.exchange("GET / HTTP/1.1\r\nHost")
      #expect(response.hasPrefix("HTTP/1.1 408 "))
    }
  }

  @Test func aBodyThatStopsIsIncompleteAfterAWhile() async throws {
    var settings = EdgeSettings()
    settings.idleTimeout = .milliseconds(80)
    try await withEdge(
      settings: settings,
      answering: { request, responder, _ in
        collect(request.body) { text, end in
          guard case .failed(let error) = end else { return responder.abort() }
          responder.reply("\(text) \(error)")
        }
      }
    ) { edge in
      let response = try await edge.exchange("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab")
      #expect(bodyText(response) == "ab incomplete")
    }
  }

  @Test func aGuestMayTakeLongerThanTheIdleTimeout() async throws {
    var settings = EdgeSettings()
    settings.idleTimeout = .milliseconds(40)
    try await withEdge(
      settings: settings,
      answering: { _, responder, eventLoop in
        eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(300)) { responder.reply("slow", closeAfter: true) }
      }
    ) { edge in
      let response = try await edge.exchange(get)
      #expect(bodyText(response) == "slow")
    }
  }

  @Test func aClientBeyondTheLimitGetsA503() async throws {
    var settings = EdgeSettings()
    settings.maximumConnections = 1
    try await withEdge(settings: settings, answering: { _, responder, _ in responder.reply("x") }) { edge in
      let first = try await edge.connect()
      try await first.send(get)
      _ = try await first.read(until: "x")
      #expect(try await edge.exchange(get).hasPrefix("HTTP/1.1 503 "))
      try await first.send(get)
      #expect(try await bodyText(first.read(until: "x")) == "x")
    }
  }

  @Test func shutdownClosesIdleConnectionsAndLetsResponsesFinish() async throws {
    let isRequested = Report<Void>()
    let mayAnswer = Report<Void>()
    try await withEdge(answering: { _, responder, eventLoop in
      isRequested.send(())
      let responder = NIOLoopBound(responder, eventLoop: eventLoop)
      Task {
        _ = await mayAnswer.value()
        eventLoop.execute { responder.value.reply("done") }
      }
    }) { edge in
      let idle = try await edge.connect()
      let busy = try await edge.connect()
      try await busy.send(get)
      _ = await isRequested.value()
      async let shutdown: Void = edge.listener.shutdown(gracePeriod: .seconds(30))
      #expect(try await idle.readToEnd() == "")
      await #expect(throws: (any Error).self) { try await edge.connect() }
      mayAnswer.send(())
      let response = try await busy.readToEnd()
      #expect(bodyText(response) == "done")
      #expect(headLines(response).contains("connection: close"))
      await shutdown
    }
  }

  @Test func shutdownEndsWithTheGracePeriod() async throws {
    let isRequested = Report<Void>()
    try await withEdge(answering: { _, _, _ in
      // Never answered; the exchange is kept by its connection.
      isRequested.send(())
    }) { edge in
      let client = try await edge.connect()
      try await client.send(get)
      _ = await isRequested.value()
      await edge.listener.shutdown(gracePeriod: .milliseconds(50))
      #expect(try await client.readToEnd() == "")
    }
  }

  @Test func severalAddressesAndUnixSocketsAreServed() async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    let path = temporarySocket()
    let handler = ClosureHandler { _, responder, _ in responder.reply("x", closeAfter: true) }
    let listener = EdgeListener(
      group: group, handler: handler, settings: EdgeSettings(), logger: Logger(label: "test"))
    let addresses = try await listener.bind([.tcp(host: "127.0.0.1", port: 0), .unix(path: path)])
    #expect(addresses.count == 2)
    for address in addresses {
      let client = try await EdgeClient.connect(to: address, group: group)
      try await client.send(get)
      #expect(try await bodyText(client.readToEnd()) == "x")
    }
    await listener.shutdown(gracePeriod: .zero)
    #expect(!FileManager.default.fileExists(atPath: path))
    try await group.shutdownGracefully()
  }

  @Test func anAddressInUseIsNamed() async throws {
    try await withEdge(answering: { _, responder, _ in responder.reply("x") }) { edge in
      let port = edge.address.port ?? 0
      let second = EdgeListener(
        group: edge.group, handler: ClosureHandler { _, _, _ in }, settings: EdgeSettings(),
        logger: Logger(label: "test"))
      let error = await #expect(throws: EdgeBindError.self) {
        try await second.bind([.tcp(host: "127.0.0.1", port: port)])
      }
      #expect(error?.description == "cannot listen on 127.0.0.1:\(port): another program listens there")
    }
  }
}
