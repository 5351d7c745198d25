import NIOCore
import Testing

@testable import FastlikeServer

@Suite("HTTP/2: frames")
struct HTTP2FrameReaderTests {
  private static let settings: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0, 0]

  private func frame(_ type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
    [UInt8(payload.count >> 16), UInt8(payload.count >> 8 & 255), UInt8(payload.count & 255), type, flags]
      + (0..<4).reversed().map { UInt8(stream >> UInt32($0 * 8) & 255) } + payload
  }

  /// What a reader makes of frames behind the preface and the first SETTINGS.
  private func read(_ frames: [UInt8]) throws(HTTP2ConnectionError) -> [String] {
    var reader = HTTP2FrameReader(maximumBlock: 40_000)
    var buffer = ByteBuffer(bytes: HTTP2FrameReader.preface + Self.settings + frames)
    var found: [String] = []
    while let frame = try reader.next(&buffer) { found.append(Self.text(frame)) }
    #expect(buffer.readableBytes == 0)
    return Array(found.dropFirst())
  }

  private static func text(_ frame: HTTP2Frame) -> String {
    switch frame {
    case .data(let stream, let bytes, let flow, let end): "data \(stream) \(bytes.readableBytes) \(flow) \(end)"
    case .headers(let stream, let block, let end): "headers \(stream) \(Array(block.readableBytesView)) \(end)"
    case .priority(let stream, let value): "priority \(stream) \(value.isExclusive) \(value.dependency) \(value.weight)"
    case .resetStream(let stream): "reset \(stream)"
    case .settings(let settings): "settings \(settings.map { "\($0.id)=\($0.value)" })"
    case .settingsAcknowledgement: "settings ack"
    case .ping(let data): "ping \(data)"
    case .pingAcknowledgement: "ping ack"
    case .goAway: "goaway"
    case .windowUpdate(let stream, let increment): "window \(stream) \(increment)"
    case .unknown: "unknown"
    case .malformed(let stream, let code): "malformed \(stream) \(code)"
    }
  }

  private func failure(_ frames: [UInt8]) -> HTTP2ErrorCode? {
    do throws(HTTP2ConnectionError) {
      _ = try read(frames)
      return nil
    } catch {
      return error.code
    }
  }

  @Test func theFramesAreRead() throws {
    #expect(try read(frame(0, flags: 1, stream: 1, [1, 2, 3])) == ["data 1 3 3 true"])
    #expect(try read(frame(1, flags: 5, stream: 3, [0x82])) == ["headers 3 [130] true"])
    #expect(try read(frame(2, stream: 5, [0x80, 0, 0, 3, 200])) == ["priority 5 true 3 201"])
    #expect(try read(frame(3, stream: 1, [0, 0, 0, 8])) == ["reset 1"])
    #expect(try read(frame(4, [0, 4, 0, 1, 0, 0, 0x99, 0x99, 0, 0, 0, 1])) == ["settings [\"4=65536\", \"39321=1\"]"])
    #expect(try read(frame(4, flags: 1)) == ["settings ack"])
    #expect(try read(frame(6, [0, 0, 0, 0, 0, 0, 0, 7])) == ["ping 7"])
    #expect(try read(frame(6, flags: 1, [0, 0, 0, 0, 0, 0, 0, 7])) == ["ping ack"])
    #expect(try read(frame(7, [0, 0, 0, 0, 0, 0, 0, 0, 1])) == ["goaway"])
    #expect(try read(frame(8, stream: 1, [0x80, 0, 0, 9])) == ["window 1 9"])
    #expect(try read(frame(0x42, stream: 9, [1])) == ["unknown"])
  }

  @Test func framesMayComeByteByByte() throws {
    var reader = HTTP2FrameReader(maximumBlock: 100)
    var buffer = ByteBuffer()
    var found: [String] = []
    for byte in HTTP2FrameReader.preface + Self.settings + frame(0, stream: 1, [1, 2]) {
      buffer.writeInteger(byte)
      while let frame = try reader.next(&buffer) { found.append(Self.text(frame)) }
    }
    #expect(found == ["settings []", "data 1 2 2 false"])
  }

  @Test func paddingAndPriorityAreTakenAway() throws {
    #expect(try read(frame(0, flags: 8, stream: 1, [2, 7, 0, 0])) == ["data 1 1 4 false"])
    #expect(try read(frame(0, flags: 8, stream: 1, [2, 0, 0])) == ["data 1 0 3 false"])
    #expect(
      try read(frame(1, flags: 0x2C, stream: 1, [1, 0, 0, 0, 0, 9, 0x82, 0])) == ["headers 1 [130] false"])
  }

  @Test func aHeaderBlockGoesOnInContinuations() throws {
    let frames =
      frame(1, flags: 1, stream: 1, [1]) + frame(9, stream: 1, [2]) + frame(9, flags: 4, stream: 1, [3])
    #expect(try read(frames) == ["headers 1 [1, 2, 3] true"])
  }

  @Test func whatTheConnectionCannotBeginWithIsRefused() {
    var reader = HTTP2FrameReader(maximumBlock: 100)
    var buffer = ByteBuffer(string: "PRI * HTTP/1.1\r\n")
    #expect(throws: HTTP2ConnectionError.self) { _ = try reader.next(&buffer) }
    var other = HTTP2FrameReader(maximumBlock: 100)
    var frames = ByteBuffer(bytes: HTTP2FrameReader.preface + frame(6, [0, 0, 0, 0, 0, 0, 0, 7]))
    #expect(throws: HTTP2ConnectionError.self) { _ = try other.next(&frames) }
  }

  @Test func framesAreRefusedOnTheWrongKindOfStream() {
    // RFC 9113 §6.1, §6.2, §6.3, §6.4, §6.5, §6.6, §6.7, §6.8.
    #expect(failure(frame(0, [1])) == .protocolError)
    #expect(failure(frame(1, flags: 4, [0x82])) == .protocolError)
    #expect(failure(frame(2, [0, 0, 0, 0, 1])) == .protocolError)
    #expect(failure(frame(3, [0, 0, 0, 0])) == .protocolError)
    #expect(failure(frame(4, stream: 1)) == .protocolError)
    #expect(failure(frame(5, flags: 4, stream: 1, [0, 0, 0, 2])) == .protocolError)
    #expect(failure(frame(6, stream: 1, [0, 0, 0, 0, 0, 0, 0, 7])) == .protocolError)
    #expect(failure(frame(7, stream: 1, [0, 0, 0, 0, 0, 0, 0, 0])) == .protocolError)
  }

  @Test func framesOfAWrongLengthAreRefused() throws {
    #expect(failure(frame(3, stream: 1, [0, 0, 0])) == .frameSizeError)
    #expect(failure(frame(4, [0, 1, 0])) == .frameSizeError)
    #expect(failure(frame(4, flags: 1, [0, 1, 0, 0, 0, 0])) == .frameSizeError)
    #expect(failure(frame(6, [0])) == .frameSizeError)
    #expect(failure(frame(7, [0])) == .frameSizeError)
    #expect(failure(frame(8, stream: 1, [0, 0, 1])) == .frameSizeError)
    #expect(failure([0, 0x40, 1, 0, 0, 0, 0, 0, 1]) == .frameSizeError)
    #expect(failure(frame(1, flags: 0x24, stream: 1, [0, 0])) == .frameSizeError)
    // Of these only the stream ends (§6.3, §6.9).
    #expect(try read(frame(2, stream: 1, [0])) == ["malformed 1 frameSizeError"])
    #expect(try read(frame(8, stream: 1, [0, 0, 0, 0])) == ["malformed 1 protocolError"])
    #expect(failure(frame(8, [0, 0, 0, 0])) == .protocolError)
  }

  @Test func paddingThatIsTooLongIsRefused() {
    #expect(failure(frame(0, flags: 8, stream: 1, [3, 1, 2])) == .protocolError)
    #expect(failure(frame(1, flags: 12, stream: 1, [2, 1])) == .protocolError)
    #expect(failure(frame(0, flags: 8, stream: 1)) == .frameSizeError)
  }

  @Test func settingsOutOfTheirRangeAreRefused() {
    #expect(failure(frame(4, [0, 2, 0, 0, 0, 2])) == .protocolError)
    #expect(failure(frame(4, [0, 4, 0x80, 0, 0, 0])) == .flowControlError)
    #expect(failure(frame(4, [0, 5, 0, 0, 0x3F, 0xFF])) == .protocolError)
    #expect(failure(frame(4, [0, 5, 1, 0, 0, 0])) == .protocolError)
    #expect(failure(frame(4, [0, 5, 0, 0xFF, 0xFF, 0xFF])) == nil)
  }

  @Test func aHeaderBlockIsNotInterrupted() {
    let open = frame(1, stream: 1, [1])
    #expect(failure(open + frame(0, stream: 1, [1])) == .protocolError)
    #expect(failure(open + frame(0x42)) == .protocolError)
    #expect(failure(open + frame(9, flags: 4, stream: 3, [1])) == .protocolError)
    #expect(failure(open + frame(1, flags: 4, stream: 3, [1])) == .protocolError)
    #expect(failure(frame(9, flags: 4, stream: 1, [1])) == .protocolError)
  }

  @Test func aHeaderBlockIsBounded() {
    let piece = [UInt8](repeating: 0, count: 16_000)
    let open = frame(1, stream: 1, piece) + frame(9, stream: 1, piece)
    #expect(failure(open + frame(9, flags: 4, stream: 1, piece)) == .enhanceYourCalm)
    let empty = (0..<40).flatMap { _ in frame(9, stream: 1) }
    #expect(failure(frame(1, stream: 1, [1]) + empty) == .enhanceYourCalm)
  }
}
