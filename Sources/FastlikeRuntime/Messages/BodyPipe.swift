public import NIOCore

/// Why a body ended before its end.
public enum BodyError: Error, Sendable, Equatable {
  /// The writer went away without finishing: a guest that abandoned its body, a peer that closed the connection early.
  case unfinished
  /// The peer closed before the announced length or the last chunk.
  case incomplete
  /// The peer sent something that is not HTTP.
  case malformed
  /// No byte came within the backend's between-bytes timeout.
  case betweenBytesTimeout
  /// The connection broke.
  case connectionLost
  /// A compressed body could not be decompressed.
  case corruptEncoding
}

/// The bounded one-way stream of body bytes that joins the edge, a guest and a backend.
///
/// One side writes and finishes, the other reads and may cancel. It holds at most about ``capacity`` bytes: a writer
/// looks at ``isWritable`` (or suspends its guest) and goes on at ``onWritable``. All use is on one event loop, so
/// callbacks run synchronously and nothing is locked; the callbacks may call back into the pipe.
public final class BodyPipe {
  /// What a reader finds.
  public enum Next {
    case bytes(ByteBuffer)
    /// Nothing now; ``onReadable`` tells when.
    case pending
    /// The body is complete; trailers came with it or not.
    case end(trailers: HeaderList?)
    case failed(BodyError)
  }

  private enum Ending {
    case finished(HeaderList?)
    case failed(BodyError)
  }

  /// The number of unread bytes from which ``isWritable`` is false.
  public let capacity: Int
  /// The announced length in bytes, when there is one.
  public var expectedLength: Int?
  /// Unread bytes.
  public private(set) var bufferedBytes = 0
  /// Bytes written since the start.
  public private(set) var totalBytes = 0
  /// Whether the reader has gone; what is written from then on is dropped.
  public private(set) var isCancelled = false

  /// Called when a read that found nothing would find something now. A reader goes on until it finds nothing, or by itself.
  public var onReadable: (() -> Void)?
  /// Called when a full pipe has room again, and when the reader goes.
  public var onWritable: (() -> Void)?
  /// Called once, when the reader goes before the end.
  public var onCancel: (() -> Void)?

  private var chunks = ShortQueue<ByteBuffer>()
  private var ending: Ending?
  /// Whether a read is telling the writer that there is room.
  private var isReading = false

  public init(capacity: Int = 64 * 1024, expectedLength: Int? = nil) {
    self.capacity = capacity
    self.expectedLength = expectedLength
  }

  // MARK: Writer

  /// Whether the writer may add more now without exceeding the capacity.
  public var isWritable: Bool { bufferedBytes < capacity }

  /// Whether ``finish(trailers:)`` or ``fail(_:)`` was called.
  public var isEnded: Bool { ending != nil }

  /// Adds bytes, also beyond the capacity; empty buffers and writes after the end are ignored.
  public func write(_ buffer: ByteBuffer) {
    guard ending == nil, !isCancelled, buffer.readableBytes > 0 else { return }
    bufferedBytes += buffer.readableBytes
    totalBytes += buffer.readableBytes
    chunks.append(buffer)
    tellReader()
  }

  /// The body is complete.
  public func finish(trailers: HeaderList? = nil) { end(.finished(trailers)) }

  /// The body breaks off here; the reader still gets the bytes before.
  public func fail(_ error: BodyError) { end(.failed(error)) }

  private func end(_ ending: Ending) {
    guard self.ending == nil else { return }
    self.ending = ending
    tellReader()
  }

  /// A reader that is within a read has not got its bytes yet; what comes behind them must not overtake them, and the reader
  /// finds it when it goes on.
  private func tellReader() {
    if !isReading { onReadable?() }
  }

  // MARK: Reader

  /// Whether a read would find bytes or the end.
  public var isReadable: Bool { !chunks.isEmpty || ending != nil }

  /// Takes the next bytes, at most `max` of them.
  public func read(max: Int = .max) -> Next {
    guard var first = chunks.popFirst() else {
      switch ending {
      case nil: return .pending
      case .finished(let trailers): return .end(trailers: trailers)
      case .failed(let error): return .failed(error)
      }
    }
    var taken = first
    if first.readableBytes > max, let part = first.readSlice(length: max) {
      taken = part
      chunks.prepend(first)
    }
    let wasFull = !isWritable
    bufferedBytes -= taken.readableBytes
    if wasFull, isWritable {
      isReading = true
      onWritable?()
      isReading = false
    }
    return .bytes(taken)
  }

  /// The reader goes: unread bytes are dropped and the writer is told.
  public func cancel() {
    guard !isCancelled else { return }
    isCancelled = true
    chunks.removeAll()
    bufferedBytes = 0
    guard ending == nil else { return }
    onCancel?()
    onWritable?()
  }
}
