import ComputeABI
import FastlikeRuntime
import NIOCore
import NIOHTTP1

/// Writes the parts of HTTP/1.1 responses as bytes (RFC 9112); pure.
///
/// It is our own because names keep the guest's spelling and values their obs-text, and because a small response is
/// one buffer. A field that could split the response (a name that is no token, a value with CR, LF or NUL) is left out.
enum ResponseEncoder {
  /// What the response says about the connection.
  enum Persistence {
    /// What the version says by itself.
    case implied
    case keepAlive
    case close
  }

  /// Writes the head of a final response, whose fields ``FramingHeaders`` has put right.
  ///
  /// - Parameters:
  ///   - date: The `date` line with its CR LF, for a head that has no such field.
  ///   - isHTTP10: Whether the client speaks HTTP/1.0, which knows no chunks: the body then ends with the connection.
  static func writeHead(
    _ head: ResponseHead, framing: Framing, persistence: Persistence, isHTTP10: Bool, date: [UInt8],
    into out: inout ByteBuffer
  ) {
    let headers = head.headers
    out.reserveCapacity(minimumWritableBytes: headers.byteCount + headers.count * 4 + 128)
    writeStatusLine(head.status, isHTTP10: isHTTP10, into: &out)
    let mayChunk = framing == .chunked && !isHTTP10
    var hasDate = false
    for index in 0..<headers.count {
      let name = headers.name(at: index)
      switch name.count {
      case 4 where name.span.isEqualIgnoringCase(to: FieldText.date): hasDate = true
      case 14 where framing == .chunked && name.span.isEqualIgnoringCase(to: FieldText.contentLength): continue
      case 17 where !mayChunk && name.span.isEqualIgnoringCase(to: FieldText.transferEncoding): continue
      default: break
      }
      writeField(name, headers.value(at: index), into: &out)
    }
    if !hasDate { out.writeBytes(date) }
    switch persistence {
    case .implied: break
    case .keepAlive: out.writeStaticString("connection: keep-alive\r\n")
    case .close: out.writeStaticString("connection: close\r\n")
    }
    out.writeStaticString("\r\n")
  }

  /// Writes a complete 1xx response, without fields that only a final one may have.
  static func writeInformational(_ head: ResponseHead, into out: inout ByteBuffer) {
    var headers = head.headers
    _ = FramingHeaders.resolve(
      headers: &headers, mode: .automatic, bodyLength: 0, messageKind: .response(status: head.status, toHEAD: false))
    writeStatusLine(head.status, isHTTP10: false, into: &out)
    for index in 0..<headers.count { writeField(headers.name(at: index), headers.value(at: index), into: &out) }
    out.writeStaticString("\r\n")
  }

  /// Writes the head of a 101, with the fields about the connection that it consists of.
  static func writeSwitch(_ head: ResponseHead, into out: inout ByteBuffer) {
    var headers = head.headers
    for name in ["content-length", "transfer-encoding"] { headers.remove(name) }
    writeStatusLine(head.status, isHTTP10: false, into: &out)
    for index in 0..<headers.count { writeField(headers.name(at: index), headers.value(at: index), into: &out) }
    out.writeStaticString("\r\n")
  }

  /// Writes the edge's own answer to a request that no guest sees.
  static func writeRefusal(_ refusal: RequestRefusal, toHEAD: Bool, date: [UInt8], into out: inout ByteBuffer) {
    let text = refusal.reason + "\n"
    let headers = HeaderList([("content-type", "text/plain; charset=utf-8"), ("content-length", "\(text.utf8.count)")])
    writeHead(
      ResponseHead(status: refusal.status, headers: headers), framing: .contentLength(text.utf8.count),
      persistence: .close, isHTTP10: false, date: date, into: &out)
    if !toHEAD { out.writeString(text) }
  }

  /// Writes the line before a chunk of so many bytes.
  static func writeChunkSize(_ count: Int, into out: inout ByteBuffer) {
    var shift = max(0, (Int.bitWidth - count.leadingZeroBitCount + 3) / 4 - 1) * 4
    while shift >= 0 {
      let digit = UInt8(count >> shift & 15)
      out.writeInteger(digit < 10 ? 0x30 + digit : 0x57 + digit)
      shift -= 4
    }
    out.writeStaticString("\r\n")
  }

  /// Writes the end of a chunked body. Trailers that would tell a second time how long the message is are left out
  /// (RFC 9110 §6.5.1).
  static func writeLastChunk(trailers: HeaderList?, into out: inout ByteBuffer) {
    out.writeStaticString("0\r\n")
    if let trailers {
      for index in 0..<trailers.count {
        let name = trailers.name(at: index)
        if name.span.isEqualIgnoringCase(to: FieldText.contentLength) { continue }
        if name.span.isEqualIgnoringCase(to: FieldText.transferEncoding) { continue }
        writeField(name, trailers.value(at: index), into: &out)
      }
    }
    out.writeStaticString("\r\n")
  }

  /// Whether a guest's response asks for the end of the connection.
  static func asksToClose(_ headers: HeaderList) -> Bool {
    for index in 0..<headers.count {
      let name = headers.name(at: index)
      guard name.count == 10, name.span.isEqualIgnoringCase(to: FieldText.connection) else { continue }
      let members = headers.value(at: index).split(separator: HTTPCharacters.comma)
      for member in members {
        let span = member.span
        if span.extracting(span.trimmed(span.indices)).isEqualIgnoringCase(to: FieldText.close) { return true }
      }
    }
    return false
  }

  private static func writeStatusLine(_ status: UInt16, isHTTP10: Bool, into out: inout ByteBuffer) {
    if status == 200, !isHTTP10 {
      out.writeStaticString("HTTP/1.1 200 OK\r\n")
      return
    }
    out.writeStaticString(isHTTP10 ? "HTTP/1.0 " : "HTTP/1.1 ")
    out.writeString(String(status))
    out.writeStaticString(" ")
    // The space stands before an empty reason too (RFC 9112 §4).
    // NIO's table ends before RFC 8297.
    out.writeString(status == 103 ? "Early Hints" : HTTPResponseStatus(statusCode: Int(status)).reasonPhrase)
    out.writeStaticString("\r\n")
  }

  private static func writeField(_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>, into out: inout ByteBuffer) {
    guard isSafe(name: name.span, value: value.span) else { return }
    out.writeBytes(name)
    out.writeStaticString(": ")
    out.writeBytes(value)
    out.writeStaticString("\r\n")
  }

  /// Whether the field cannot split the response.
  static func isSafe(name: Span<UInt8>, value: Span<UInt8>) -> Bool {
    guard name.count > 0 else { return false }
    for index in name.indices where !HTTPCharacters.isToken(name[index]) { return false }
    for index in value.indices {
      let byte = value[index]
      if byte == 0 || byte == HTTPCharacters.carriageReturn || byte == HTTPCharacters.lineFeed { return false }
    }
    return true
  }
}
