import CZlib
import NIOCore

/// Turns a gzip stream into what it holds, a piece at a time.
private final class GzipDecoder {
  private var stream = z_stream()
  private(set) var isAtEnd = false

  init?() {
    guard czlib_inflate_init_gzip(&stream) == Z_OK else { return nil }
  }

  deinit { inflateEnd(&stream) }

  /// Decodes all of the input. Throws ``BodyError/corruptEncoding``.
  func decode(_ input: inout ByteBuffer, into output: inout ByteBuffer) throws(BodyError) {
    while input.readableBytes > 0 {
      // A gzip file may be several members in a row (RFC 1952 §2.2).
      if isAtEnd { inflateReset(&stream) }
      isAtEnd = false
      var code: CInt = Z_OK
      var consumed = 0
      let room = max(4 * input.readableBytes, 4096)
      input.withUnsafeMutableReadableBytes { source in
        stream.next_in = source.bindMemory(to: UInt8.self).baseAddress
        stream.avail_in = UInt32(source.count)
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { target in
          stream.next_out = target.bindMemory(to: UInt8.self).baseAddress
          stream.avail_out = UInt32(target.count)
          code = inflate(&stream, Z_NO_FLUSH)
          return target.count - Int(stream.avail_out)
        }
        consumed = source.count - Int(stream.avail_in)
      }
      input.moveReaderIndex(forwardBy: consumed)
      switch code {
      case Z_OK, Z_BUF_ERROR: if consumed == 0, code == Z_BUF_ERROR { throw .corruptEncoding }
      case Z_STREAM_END: isAtEnd = true
      default: throw .corruptEncoding
      }
    }
  }
}

extension BodyPipe {
  /// The pipe of this one's content without its gzip coding, decoded as it is read.
  func gunzipped() -> BodyPipe {
    let decoded = BodyPipe()
    guard let decoder = GzipDecoder() else {
      decoded.fail(.corruptEncoding)
      return decoded
    }
    // The decoded pipe keeps this one; the other way round only while it lasts.
    onReadable = { [weak self, weak decoded] in
      if let decoded { self?.decode(with: decoder, into: decoded) }
    }
    decoded.onWritable = { [weak decoded] in
      if let decoded { self.decode(with: decoder, into: decoded) }
    }
    decoded.onCancel = { self.cancel() }
    decode(with: decoder, into: decoded)
    return decoded
  }

  private func decode(with decoder: GzipDecoder, into decoded: BodyPipe) {
    while decoded.isWritable, !decoded.isEnded, !decoded.isCancelled {
      switch read() {
      case .pending: return
      case .failed(let error): decoded.fail(error)
      case .end(let trailers):
        // An empty body is as good as an empty gzip file.
        if decoder.isAtEnd || totalBytes == 0 {
          decoded.finish(trailers: trailers)
        } else {
          decoded.fail(.corruptEncoding)
        }
      case .bytes(var input):
        var output = ByteBuffer()
        do {
          try decoder.decode(&input, into: &output)
          decoded.write(output)
        } catch {
          decoded.fail(error)
        }
      }
    }
  }
}
