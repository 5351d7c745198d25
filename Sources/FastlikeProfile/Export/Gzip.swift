internal import CZlib

/// The gzip container (RFC 1952).
enum Gzip {
  /// - Returns: nil when zlib cannot work, which means that memory is short.
  static func compress(_ bytes: [UInt8], level: Int32 = 6) -> [UInt8]? {
    guard bytes.count < Int(UInt32.max) else { return nil }
    var stream = z_stream()
    // zlib keeps the stream's address, so all calls are made with one pointer.
    return withUnsafeMutablePointer(to: &stream) { stream in
      // 16 more than the window asks for gzip instead of zlib framing. The macro deflateInit2, which is not visible
      // here, calls this.
      let opened = deflateInit2_(
        stream, level, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
        Int32(MemoryLayout<z_stream>.size))
      guard opened == Z_OK else { return nil }
      defer { deflateEnd(stream) }
      return deflateAll(bytes, stream)
    }
  }

  private static func deflateAll(_ bytes: [UInt8], _ stream: UnsafeMutablePointer<z_stream>) -> [UInt8]? {
    let capacity = Int(deflateBound(stream, UInt(bytes.count)))
    // The type of the pointer to the input lacks the `const` that the input has.
    var input = bytes
    var result = Z_OK
    let output = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, initialized in
      input.withUnsafeMutableBufferPointer { source in
        stream.pointee.next_in = source.baseAddress
        stream.pointee.avail_in = UInt32(source.count)
        stream.pointee.next_out = buffer.baseAddress
        stream.pointee.avail_out = UInt32(clamping: capacity)
        result = deflate(stream, Z_FINISH)
        initialized = capacity - Int(stream.pointee.avail_out)
      }
    }
    return result == Z_STREAM_END ? output : nil
  }
}

/// Gzipped bodies for requests to others.
public enum GzipBody {
  /// - Returns: nil when memory is short.
  public static func compress(_ bytes: [UInt8]) -> [UInt8]? { Gzip.compress(bytes, level: 1) }
}
