import FastlikeRuntime
import NIOCore

/// The bytes of a response's body on their way to the client: never more than `Content-Length` announced, and an error
/// where there are fewer.
struct ResponseBodySource {
  private var pipe: BodyPipe?
  private var bytes: ByteBuffer?
  /// Bytes that `Content-Length` announced and that are still to come.
  private var remaining = Int.max

  /// Takes over a body. One that the message must not carry is read for nobody, so that its writer can go on.
  init(_ body: OutgoingBody, framing: Framing, onReadable: @escaping () -> Void) {
    switch framing {
    case .none: remaining = 0
    case .contentLength(let length): remaining = length
    case .chunked: break
    }
    switch body {
    case .empty: break
    case .bytes(let buffer): bytes = buffer
    case .pipe(let pipe, _):
      if framing == .none {
        Self.discard(pipe)
      } else {
        self.pipe = pipe
        pipe.onReadable = onReadable
      }
    }
  }

  /// Whether it is known that nothing follows, not even trailers.
  var isExhausted: Bool {
    if remaining == 0 { return true }
    return pipe == nil && remaining == .max && (bytes?.readableBytes ?? 0) == 0
  }

  /// Whether ``next(max:)`` would find the end, an error or trailers, rather than bytes or nothing.
  var isAtEnd: Bool {
    if remaining == 0 { return true }
    guard let pipe else { return (bytes?.readableBytes ?? 0) == 0 }
    return pipe.isEnded && pipe.bufferedBytes == 0
  }

  /// The next bytes, at most `max` of them.
  mutating func next(max: Int) -> BodyPipe.Next {
    if remaining == 0 { return .end(trailers: nil) }
    if let pipe {
      switch pipe.read(max: max) {
      case .bytes(let piece): return .bytes(limited(piece))
      case .end where remaining != .max: return .failed(.unfinished)
      case let other: return other
      }
    }
    let count = min(bytes?.readableBytes ?? 0, max)
    guard count > 0, let piece = bytes?.readSlice(length: count) else {
      return remaining == .max ? .end(trailers: nil) : .failed(.unfinished)
    }
    return .bytes(limited(piece))
  }

  private mutating func limited(_ piece: ByteBuffer) -> ByteBuffer {
    guard remaining != .max else { return piece }
    let piece = piece.readableBytes <= remaining ? piece : piece.getSlice(at: piece.readerIndex, length: remaining)!
    remaining -= piece.readableBytes
    return piece
  }

  /// The response is complete; what the guest still writes is read for nobody.
  mutating func finish() {
    bytes = nil
    guard let pipe else { return }
    self.pipe = nil
    Self.discard(pipe)
  }

  /// The response broke off; the writer is told.
  mutating func release() {
    bytes = nil
    guard let pipe else { return }
    self.pipe = nil
    pipe.onReadable = nil
    pipe.cancel()
  }

  /// Drops a body that no response takes.
  static func drop(_ body: OutgoingBody) {
    if case .pipe(let pipe, _) = body { pipe.cancel() }
  }

  /// Reads a body to its end for nobody.
  private static func discard(_ pipe: BodyPipe) {
    pipe.onReadable = nil
    while true {
      switch pipe.read() {
      case .bytes: continue
      case .end, .failed: return
      case .pending:
        pipe.onReadable = { [weak pipe] in
          if let pipe { discard(pipe) }
        }
        return
      }
    }
  }
}

extension OutgoingBody {
  /// Its length in bytes, where that is known beforehand.
  var knownLength: Int? {
    switch self {
    case .empty: 0
    case .bytes(let buffer): buffer.readableBytes
    case .pipe(_, let length): length
    }
  }
}
