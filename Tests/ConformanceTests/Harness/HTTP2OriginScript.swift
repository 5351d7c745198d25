import NIOCore
import NIOHTTP2

/// What an HTTP/2 origin does to a request, by the first part of its path.
enum HTTP2OriginScript {
  private typealias Connection = HTTP2OriginConnection

  /// The request's head has come.
  static func began(_ stream: HTTP2OriginConnection.Stream, on connection: HTTP2OriginConnection) {
    switch stream.action {
    case "echo":
      connection.sendHead(stream, [("content-type", "application/grpc")])
    case "gather":
      // All of them are answered when the last one is there.
      guard connection.streams.count == stream.number("count", default: 1) else { return }
      for waiting in Array(connection.streams.values) {
        connection.answer(waiting, "connection \(connection.number) of \(connection.streamCount)")
      }
    case "goaway", "goaway_error", "refused", "refused_always", "reset": sendAway(stream, on: connection)
    case "reset_in_body":
      connection.sendHead(stream)
      connection.sendData(stream, "0123456789")
      connection.pass(gate: stream.argument) { connection.reset(stream, .internalError) }
    case "close": connection.close()
    case "close_in_body":
      connection.sendHead(stream)
      connection.sendData(stream, "0123456789")
      connection.pass(gate: stream.argument) { connection.close() }
    case "silent_in_body":
      connection.sendHead(stream)
      connection.sendData(stream, "0123456789")
    default: violate(stream, on: connection)
    }
  }

  /// Ends streams and connections as the protocol allows.
  private static func sendAway(_ stream: HTTP2OriginConnection.Stream, on connection: HTTP2OriginConnection) {
    let isFirst = connection.number == 1
    switch stream.action {
    case "goaway" where isFirst:
      // The streams before this one are looked at, this one is not.
      connection.goAway(lastStreamID: HTTP2StreamID(max(0, Int(stream.id) - 2)), .noError)
      connection.close()
    case "goaway_error":
      connection.goAway(lastStreamID: stream.id, .enhanceYourCalm)
      connection.closeLater()
    case "refused" where isFirst, "refused_always": connection.reset(stream, .refusedStream)
    case "reset": connection.reset(stream, HTTP2ErrorCode(networkCode: stream.number("code", default: 2)))
    default: break
    }
  }

  /// What no server should do.
  private static func violate(_ stream: HTTP2OriginConnection.Stream, on connection: HTTP2OriginConnection) {
    switch stream.action {
    case "short_length":
      connection.sendHead(stream, [("content-length", "10")])
      connection.sendData(stream, "01234", ends: true)
    case "long_length":
      connection.sendHead(stream, [("content-length", "5")])
      connection.sendData(stream, "0123456789", ends: true)
    case "bad_status": connection.sendHead(stream, status: "2x0", ends: true)
    case "bad_field": connection.sendHead(stream, [("Upper-Case", "x")], ends: true)
    case "upgrade": connection.sendHead(stream, status: "101")
    case "large_head": connection.raw.write(largeHead(of: stream.id))
    case "bad_frame":
      // DATA on the stream of the connection itself (RFC 9113 §6.1).
      connection.raw.write([0, 0, 1, 0, 0, 0, 0, 0, 0, 0x78])
    case "long_frame":
      // A frame longer than the client allows (RFC 9113 §4.2).
      connection.raw.write([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1])
    case "bad_headers":
      // A block that is no HPACK (RFC 7541 §2.3.3): an index of zero.
      connection.raw.write([0, 0, 1, 1, 5] + bytes(of: stream.id) + [0x80])
    case "zero_window":
      // A window update of nothing for the connection (RFC 9113 §6.9).
      connection.raw.write([0, 0, 4, 8, 0] + [0, 0, 0, 0] + [0, 0, 0, 0])
    case "http1": connection.raw.write(Array("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n".utf8))
    default: break
    }
  }

  /// A valid head of 200,000 bytes, in a frame for headers and more for their continuation (RFC 9113 §6.10).
  private static func largeHead(of id: HTTP2StreamID) -> [UInt8] {
    // The status 200 from HPACK's table, then fields `x` of a hundred letters each, as they are (RFC 7541 §6.2.2).
    let field: [UInt8] = [0, 1, 0x78, 100] + Array(repeating: 0x68, count: 100)
    let block: [UInt8] = [0x88] + Array(repeatElement(field, count: 2_000).joined())
    var frames: [UInt8] = []
    for start in stride(from: 0, to: block.count, by: 16_384) {
      let piece = block[start..<min(start + 16_384, block.count)]
      let isLast = piece.endIndex == block.count
      let type: UInt8 = start == 0 ? 1 : 9
      let flags: UInt8 = (start == 0 ? 1 : 0) | (isLast ? 4 : 0)
      frames += [0, UInt8(piece.count >> 8), UInt8(piece.count & 0xff), type, flags] + bytes(of: id) + piece
    }
    return frames
  }

  private static func bytes(of id: HTTP2StreamID) -> [UInt8] {
    let number = UInt32(Int(id))
    return (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * UInt32($0))) }
  }

  /// A piece of the request's body has come.
  static func received(
    _ piece: ByteBuffer, of stream: HTTP2OriginConnection.Stream, endsStream: Bool,
    on connection: HTTP2OriginConnection
  ) {
    if stream.action == "echo", piece.readableBytes > 0 { connection.sendData(stream, String(buffer: piece)) }
    guard !endsStream else { return }
    if stream.action == "held_upload" {
      connection.pass(gate: stream.argument) { connection.grant(piece.readableBytes, on: stream) }
    } else {
      connection.grant(piece.readableBytes, on: stream)
    }
  }

  /// The request is complete.
  static func ended(_ stream: HTTP2OriginConnection.Stream, on connection: HTTP2OriginConnection) {
    switch stream.action {
    case "hello": connection.answer(stream, stream.method == "HEAD" ? "" : "hello over h2\n")
    case "inspect":
      let headers = stream.headers.map { "\($0.name): \($0.value)" }
      connection.answer(stream, (headers + ["", stream.body] + stream.trailers).joined(separator: "\n"))
    case "count", "goaway", "refused":
      connection.answer(stream, "connection \(connection.number) request \(connection.streamCount)")
    case "count_and_leave":
      connection.answer(stream, "connection \(connection.number) request \(connection.streamCount)")
      connection.goAway(lastStreamID: stream.id, .noError)
    case "echo": connection.sendTrailers(stream, [("grpc-status", "0")] + trailerFields(stream))
    case "trailers":
      connection.sendHead(stream)
      connection.sendData(stream, "content")
      connection.sendTrailers(stream, [("x-from-origin", "yes")] + trailerFields(stream))
    case "trailers_only": connection.sendHead(stream, [("grpc-status", "12")], ends: true)
    case "early":
      connection.sendHead(stream, status: "103", [("link", "</x>")])
      connection.answer(stream, "after the hints\n")
    case "status": connection.sendHead(stream, status: stream.argument, ends: true)
    case "large":
      connection.sendHead(stream)
      connection.sendData(
        stream, String(repeating: "0123456789abcdef", count: stream.number("bytes", default: 0) / 16), ends: true)
    case "upload", "held_upload":
      connection.answer(stream, "received \(stream.trailers.count) trailers\n")
    case "gated":
      connection.pass(gate: stream.argument) { connection.answer(stream, "through the gate\n") }
    default: break
    }
  }

  /// The request's trailers, told from the response's own.
  private static func trailerFields(_ stream: HTTP2OriginConnection.Stream) -> [(String, String)] {
    stream.trailers.isEmpty ? [] : [("x-trailers", stream.trailers.joined(separator: ","))]
  }
}
