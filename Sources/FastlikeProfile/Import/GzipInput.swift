internal import CZlib

/// Decompresses inputs that come in the gzip container (RFC 1952).
enum GzipInput {
  static func isCompressed(_ bytes: [UInt8]) -> Bool { bytes.count > 2 && bytes[0] == 0x1F && bytes[1] == 0x8B }

  /// - Throws: ``NativeSampleError/tooLarge(limit:)`` before more than the limit is in memory, and
  ///   ``NativeSampleError/malformedBytes(offset:reason:)`` for data that is damaged or cut off.
  static func decompress(_ bytes: [UInt8], limit: Int) throws(NativeSampleError) -> [UInt8] {
    // zlib keeps the stream's address, so all calls are made with one pointer.
    var stream = z_stream()
    return try withUnsafeMutablePointer(to: &stream) { stream throws(NativeSampleError) in
      guard czlib_inflate_init_gzip(stream) == Z_OK else {
        throw NativeSampleError.malformedBytes(offset: 0, reason: "gzip data cannot be decompressed")
      }
      defer { inflateEnd(stream) }
      return try decompress(bytes, limit, stream)
    }
  }

  private static func decompress(
    _ bytes: [UInt8], _ limit: Int, _ stream: UnsafeMutablePointer<z_stream>
  ) throws(NativeSampleError) -> [UInt8] {
    var output: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 256 << 10)
    var consumed = 0
    var isMemberOpen = true
    while consumed < bytes.count {
      if !isMemberOpen {
        // A file may be several members in a row (RFC 1952 §2.2); zeros and the like after the last one are padding.
        guard bytes.count - consumed > 2, bytes[consumed] == 0x1F, bytes[consumed + 1] == 0x8B else { return output }
        inflateReset(stream)
        isMemberOpen = true
      }
      let (code, read, written) = step(stream, bytes, from: consumed, into: &piece)
      guard output.count + written <= limit else { throw .tooLarge(limit: limit) }
      output.append(contentsOf: piece[..<written])
      consumed += read
      if code == Z_STREAM_END { isMemberOpen = false }
      guard code == Z_STREAM_END || (code == Z_OK && read + written > 0) else {
        throw .malformedBytes(offset: consumed, reason: "gzip data is damaged or cut off")
      }
    }
    guard !isMemberOpen else { throw .malformedBytes(offset: consumed, reason: "gzip data is cut off") }
    return output
  }

  private static func step(
    _ stream: UnsafeMutablePointer<z_stream>, _ bytes: [UInt8], from start: Int, into piece: inout [UInt8]
  ) -> (code: CInt, read: Int, written: Int) {
    // zlib declares its input mutable and does not write to it.
    bytes.withUnsafeBufferPointer { source in
      piece.withUnsafeMutableBufferPointer { target in
        let room = min(source.count - start, 1 << 30)
        stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress! + start)
        stream.pointee.avail_in = UInt32(room)
        stream.pointee.next_out = target.baseAddress
        stream.pointee.avail_out = UInt32(target.count)
        let code = inflate(stream, Z_NO_FLUSH)
        return (code, room - Int(stream.pointee.avail_in), target.count - Int(stream.pointee.avail_out))
      }
    }
  }
}
