import FastlikeRuntime
import NIOCore
import Testing

@testable import FastlikeServer

/// Connections of HTTP/2 whose client does nothing for too long. Everything else is shown on the real program.
@Suite("Edge: HTTP/2 deadlines", .timeLimit(.minutes(1)))
struct EdgeHTTP2Tests {
  /// Bytes as the test's client sends and receives them: one character for each.
  private func text(_ bytes: [UInt8]) -> String { latin1(ByteBuffer(bytes: bytes)) }

  private func frame(_ type: UInt8, flags: UInt8 = 0, stream: UInt8 = 0, _ payload: [UInt8] = []) -> [UInt8] {
    [0, 0, UInt8(payload.count), type, flags, 0, 0, 0, stream] + payload
  }

  /// The preface, SETTINGS with these bytes, and a request for `/` by GET (0x82) or POST (0x83).
  private func opening(settings: [UInt8] = [], method: UInt8 = 0x82, flags: UInt8 = 5) -> String {
    let block: [UInt8] = [method, 0x86, 0x84, 0x41, 1, 0x78]
    return text(HTTP2FrameReader.preface + frame(4, settings) + frame(1, flags: flags, stream: 1, block))
  }

  private func quick() -> EdgeSettings {
    var settings = EdgeSettings()
    settings.idleTimeout = .milliseconds(100)
    settings.headTimeout = .milliseconds(100)
    return settings
  }

  @Test func aSilentConnectionIsToldToGo() async throws {
    try await withEdge(settings: quick(), answering: { _, responder, _ in responder.reply("x") }) { edge in
      let received = try await edge.exchange(opening())
      let farewell = text(frame(7, [0, 0, 0, 1, 0, 0, 0, 0]))
      #expect(received.hasSuffix(farewell))
      #expect(received.contains(text(frame(0, flags: 1, stream: 1, Array("x".utf8)))))
    }
  }

  @Test func aHeaderBlockThatDripsEndsTheConnection() async throws {
    try await withEdge(settings: quick(), answering: { _, responder, _ in responder.reply("x") }) { edge in
      let received = try await edge.exchange(opening(flags: 1))
      #expect(received.contains(text([7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11])))
    }
  }

  @Test func aBodyThatStopsIsIncompleteAfterAWhile() async throws {
    try await withEdge(
      settings: quick(),
      answering: { request, responder, _ in
        collect(request.body) { text, end in
          guard case .failed(let error) = end else { return responder.abort() }
          responder.reply("\(text) \(error)")
        }
      }
    ) { edge in
      let data = text(frame(0, stream: 1, Array("ab".utf8)))
      let received = try await edge.exchange(opening(method: 0x83, flags: 4) + data)
      #expect(received.contains("ab incomplete"))
    }
  }

  @Test func aResponseThatTheClientDoesNotLetThroughIsGivenUp() async throws {
    let ended = Report<Bool>()
    try await withEdge(
      settings: quick(),
      answering: { _, responder, _ in
        responder.onDelivered = { ended.send($0.isAborted) }
        responder.reply(String(repeating: "y", count: 100))
      }
    ) { edge in
      // SETTINGS_INITIAL_WINDOW_SIZE of 10.
      let received = try await edge.exchange(opening(settings: [0, 4, 0, 0, 0, 10]))
      #expect(received.contains(text(frame(0, stream: 1, Array("yyyyyyyyyy".utf8)))))
      #expect(received.contains(text(frame(3, stream: 1, [0, 0, 0, 8]))))
    }
    #expect(await ended.value() == true)
  }

  @Test func aClientBeyondTheLimitIsRefusedBeforeItSaysWhatItSpeaks() async throws {
    var settings = EdgeSettings()
    settings.maximumConnections = 0
    try await withEdge(settings: settings, answering: { _, responder, _ in responder.reply("x") }) { edge in
      // Nothing has told yet that it speaks HTTP/2.
      let received = try await edge.exchange(opening())
      #expect(received.hasPrefix("HTTP/1.1 503 "))
    }
  }
}
