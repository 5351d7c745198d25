import NIOCore

/// What an origin does to a request, by the first part of its path.
enum OriginScript {
  private enum Next {
    case nextRequest
    case close
  }

  private static let chunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
  private static let longHead = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"

  /// Answers one request after the other until the client or the script ends the connection.
  static func serve(_ connection: inout OriginConnection) async throws {
    while let request = try await connection.readRequest() {
      var next = try await respond(to: request, on: &connection)
      if next == nil { next = try await stream(to: request, on: &connection) }
      if next == nil, let goesOn = try await cache(request, on: &connection) { next = goesOn ? .nextRequest : .close }
      if next == nil { next = try await misbehave(towards: request, on: &connection) }
      switch next {
      case .nextRequest: continue
      case .close: return
      case nil:
        try await connection.readBody(of: request)
        try await connection.answer(request, "no such action\n", status: "404 Not Found")
      }
    }
  }

  /// Complete responses.
  private static func respond(
    to request: OriginConnection.Request, on connection: inout OriginConnection
  ) async throws -> Next? {
    switch request.action {
    case "hello":
      try await connection.readBody(of: request)
      try await connection.answer(request, "hello from origin\n", headers: "X-Origin: yes\r\n")
    case "inspect":
      // The request as it arrived.
      var body = ""
      try await connection.readBody(of: request) { _, piece in body += piece }
      try await connection.answer(request, request.head + "\r\n\r\n" + body + connection.trailers)
    case "status":
      try await connection.answer(request, "status\n", status: request.argument + " Whatever")
    case "slow":
      try await Task.sleep(for: .milliseconds(request.number("ms", default: 50)))
      try await connection.answer(request, "slow\n")
    case "gated":
      try await connection.origin.pass(gate: request.argument)
      try await connection.answer(request, "through the gate\n")
    case "large_header":
      let value = String(repeating: "h", count: request.number("bytes", default: 0))
      try await connection.answer(request, "x", headers: "X-Large: \(value)\r\n")
    case "many_headers":
      let fields = (0..<request.number("count", default: 0)).map { "X-\($0): v\r\n" }.joined()
      try await connection.answer(request, "x", headers: fields)
    case "early":
      try await connection.write("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
      try await connection.answer(request, "after the hints\n")
    case "gzip":
      try await connection.answer(
        request, CompressedText.gzip, headers: "Content-Encoding: \(request.query["coding"] ?? "gzip")\r\n")
    case "gzip_short":
      try await connection.answer(
        request, CompressedText.gzip.dropLast(9), headers: "Content-Encoding: gzip\r\n")
    case "count":
      try await connection.answer(request, "connection \(connection.number) request \(request.number)")
    case "count_and_close":
      try await connection.answer(
        request, "connection \(connection.number) request \(request.number)", headers: "Connection: close\r\n")
      return .close
    default: return nil
    }
    return .nextRequest
  }

  /// Responses and requests that come in pieces.
  private static func stream(
    to request: OriginConnection.Request, on connection: inout OriginConnection
  ) async throws -> Next? {
    switch request.action {
    case "drip":
      try await connection.write(chunkedHead)
      for number in 0..<request.number("count", default: 3) {
        try await connection.writeChunk("drip \(number)\n")
        try await Task.sleep(for: .milliseconds(request.number("pause", default: 10)))
      }
      try await connection.write("0\r\n\r\n")
    case "first_half":
      // The second half waits until the test has seen the first.
      try await connection.write(chunkedHead)
      try await connection.writeChunk("first half ")
      try await connection.origin.pass(gate: request.argument)
      try await connection.writeChunk("second half")
      try await connection.write("0\r\n\r\n")
    case "echo_lines":
      try await connection.write(chunkedHead)
      try await connection.readBody(of: request) { connection, piece in try await connection.writeChunk(piece) }
      try await connection.write("0\r\n\r\n")
    case "upload":
      var count = 0
      try await connection.readBody(of: request) { _, piece in count += piece.utf8.count }
      try await connection.answer(request, "received \(count)\n")
    case "trailers":
      try await connection.readBody(of: request)
      try await connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-from-origin\r\n")
      try await connection.write("X-Trailers: \(connection.trailers.dropLast(2))\r\n\r\n")
      try await connection.writeChunk("content")
      try await connection.write("0\r\nX-From-Origin: yes\r\n\r\n")
    case "tunnel":
      // The key of RFC 6455 §1.3 and what it makes.
      try await connection.write(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
          + (request.argument == "greeting" ? "greeting " : ""))
      try await connection.echo(once: request.argument == "once")
      return .close
    case "until_close":
      try await connection.write("HTTP/1.1 200 OK\r\n\r\n0123456789")
      return .close
    default: return nil
    }
    return .nextRequest
  }

  /// What no server should do.
  private static func misbehave(
    towards request: OriginConnection.Request, on connection: inout OriginConnection
  ) async throws -> Next? {
    switch request.action {
    case "reset": try await connection.endWithReset()
    case "close": break
    case "close_in_head": try await connection.write("HTTP/1.1 200 OK\r\nX-Half")
    case "reset_in_body":
      try await connection.write(longHead + "0123456789")
      // Once the test has seen the beginning: a reset may overtake what was sent before it.
      try await connection.origin.pass(gate: request.argument)
      try await connection.endWithReset()
    case "short": try await connection.write(longHead + "0123456789")
    case "short_chunked":
      try await connection.write(chunkedHead)
      try await connection.writeChunk("0123456789")
    case "long":
      try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n0123456789")
      return .nextRequest
    case "bad_status": try await connection.write("HTTP/1.1 2x0 What\r\n\r\n")
    case "not_http": try await connection.write("220 mail.example ready\r\n\r\n")
    case "bad_length": try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n12345")
    case "two_lengths":
      try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n123456")
    case "bad_chunk": try await connection.write(chunkedHead + "zz\r\nabc\r\n")
    case "upgrade":
      try await connection.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
    case "silent": try await connection.waitForClient()
    case "silent_in_body":
      try await connection.write(longHead + "0123456789")
      try await connection.waitForClient()
    case "stale":
      // A connection that was used before is dead, as after an idle timeout that the client does not know of.
      if request.number > 1 {
        try await connection.endWithReset()
        return .close
      }
      try await connection.readBody(of: request)
      try await connection.answer(request, "connection \(connection.number) request \(request.number)")
      return .nextRequest
    default: return nil
    }
    return .close
  }
}

/// "plain text\n", ten times.
enum CompressedText {
  static let plain = String(repeating: "plain text\n", count: 10)
  /// As gzip (RFC 1952), written by zlib.
  static let gzip: [UInt8] = [
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x2b, 0xc8, 0x49, 0xcc, 0xcc, 0x53, 0x28,
    0x49, 0xad, 0x28, 0xe1, 0x2a, 0xa0, 0x3d, 0x13, 0x00, 0x11, 0xba, 0x0b, 0xde, 0x6e, 0x00, 0x00, 0x00,
  ]
}
