import ComputeABI
import NIOCore

/// Writes requests in the form of HTTP/1.1 (RFC 9112).
enum RequestEncoder {
  /// Encodes a head with its empty line.
  ///
  /// - Parameters:
  ///   - head: Target in origin form, fields as they are to be sent.
  ///   - closesAfter: Adds `connection: close`.
  /// - Throws: ``SendError/Tag/httpRequestURIInvalid`` for a target, ``SendError/Tag/internalError`` for a method or a
  ///   field that would break the message apart.
  static func head(_ head: RequestHead, closesAfter: Bool) throws(SendError) -> ByteBuffer {
    guard WireSyntax.isToken(head.method.utf8) else { throw SendError(.internalError) }
    guard !head.uri.isEmpty, head.uri.utf8.allSatisfy(WireSyntax.isTargetByte) else {
      throw SendError(.httpRequestURIInvalid)
    }
    let size = head.method.utf8.count + head.uri.utf8.count + head.headers.byteCount + head.headers.count * 4 + 40
    var buffer = ByteBufferAllocator().buffer(capacity: size)
    buffer.writeString(head.method)
    buffer.writeInteger(UInt8(ascii: " "))
    buffer.writeString(head.uri)
    buffer.writeStaticString(" HTTP/1.1\r\n")
    try write(head.headers, to: &buffer)
    if closesAfter { buffer.writeStaticString("connection: close\r\n") }
    buffer.writeStaticString("\r\n")
    return buffer
  }

  /// What stands before the bytes of a chunk.
  static func chunkStart(length: Int) -> ByteBuffer {
    var buffer = ByteBufferAllocator().buffer(capacity: 18)
    buffer.writeString(String(length, radix: 16))
    buffer.writeStaticString("\r\n")
    return buffer
  }

  /// What stands behind the bytes of a chunk.
  static let chunkEnd = ByteBuffer(staticString: "\r\n")

  /// The end of a chunked body.
  ///
  /// - Throws: ``SendError/Tag/internalError`` for a trailer that would break the message apart.
  static func lastChunk(trailers: HeaderList?) throws(SendError) -> ByteBuffer {
    var buffer = ByteBufferAllocator().buffer(capacity: 5 + (trailers.map { $0.byteCount + $0.count * 4 } ?? 0))
    buffer.writeStaticString("0\r\n")
    if let trailers { try write(trailers, to: &buffer) }
    buffer.writeStaticString("\r\n")
    return buffer
  }

  private static func write(_ headers: HeaderList, to buffer: inout ByteBuffer) throws(SendError) {
    for index in 0..<headers.count {
      let name = headers.name(at: index)
      let value = headers.value(at: index)
      guard WireSyntax.isToken(name), value.allSatisfy(WireSyntax.isFieldValueByte) else {
        throw SendError(.internalError)
      }
      buffer.writeBytes(name)
      buffer.writeStaticString(": ")
      buffer.writeBytes(value)
      buffer.writeStaticString("\r\n")
    }
  }
}
