import ComputeABI
import NIOCore

/// A plain body as a guest holds it: bytes that are here and streams that come, in order, and trailers.
final class GuestBody {
  private enum Chunk {
    case bytes(ByteBuffer)
    /// Bytes that somebody else holds too: they do not count against the budget and are not added to.
    case shared(ByteBuffer)
    /// A stream, with what a guest that waits for it waits for.
    case pipe(BodyPipe, WaitCause)
  }

  /// What a read found.
  enum Read {
    case bytes(ByteBuffer)
    case pending
    case end
  }

  private var chunks = ShortQueue<Chunk>()
  /// Appended by the guest, or arrived with a stream.
  var trailers = HeaderList()
  /// Whether a read has come to the end, from which on trailers can be asked for.
  private(set) var hasReachedEnd = false
  /// Told when a stream that a read waits for has something.
  private let waker: Waker
  private let budget: HostMemoryBudget
  /// Bytes written by the guest that count against the budget until they leave.
  private var written = 0
  /// A chunk that is this long is not grown further, which would copy it again and again.
  private static let longestChunk = 1 << 20

  init(waker: Waker, budget: HostMemoryBudget) {
    self.waker = waker
    self.budget = budget
  }

  convenience init(pipe: BodyPipe, from cause: WaitCause, waker: Waker, budget: HostMemoryBudget) {
    self.init(waker: waker, budget: budget)
    append(pipe: pipe, from: cause)
  }

  deinit { budget.giveBack(written) }

  // MARK: Writing

  /// Throws `limitexceeded` when the guest holds too much.
  func append(_ bytes: UnsafeRawBufferPointer) throws(Status) {
    guard !bytes.isEmpty else { return }
    try take(bytes.count)
    if case .bytes(var last) = chunks.last, last.readableBytes < GuestBody.longestChunk {
      // Taken out while it grows, so that its storage is not copied.
      _ = chunks.popLast()
      last.writeBytes(bytes)
      chunks.append(.bytes(last))
    } else {
      chunks.append(.bytes(ByteBuffer(bytes: bytes)))
    }
  }

  /// As ``append(_:)``, before everything else.
  func prepend(_ bytes: UnsafeRawBufferPointer) throws(Status) {
    guard !bytes.isEmpty else { return }
    try take(bytes.count)
    chunks.prepend(.bytes(ByteBuffer(bytes: bytes)))
  }

  /// Adds bytes of the cache, which both hold from here on.
  func append(shared bytes: ByteBuffer) { if bytes.readableBytes > 0 { chunks.append(.shared(bytes)) } }

  private func take(_ byteCount: Int) throws(Status) {
    try budget.take(byteCount)
    written += byteCount
  }

  private func giveBack(_ byteCount: Int) {
    let own = min(byteCount, written)
    written -= own
    budget.giveBack(own)
  }

  func append(pipe: BodyPipe, from cause: WaitCause) {
    pipe.onReadable = { [waker] in waker.wake() }
    chunks.append(.pipe(pipe, cause))
  }

  /// Moves all of another body behind this one.
  func append(contentsOf other: GuestBody) {
    while let chunk = other.chunks.popFirst() { chunks.append(chunk) }
    written += other.written
    other.written = 0
    for index in 0..<other.trailers.count {
      trailers.append(name: other.trailers.name(at: index), value: other.trailers.value(at: index))
    }
    other.trailers = HeaderList()
  }

  // MARK: Reading

  /// Bytes if some are here, at most `max` of them. Throws when the body broke off.
  func read(max: Int) throws(Status) -> Read {
    while let first = chunks.popFirst() {
      switch first {
      case .bytes(var bytes):
        guard bytes.readableBytes > max, let part = bytes.readSlice(length: max) else {
          giveBack(bytes.readableBytes)
          return .bytes(bytes)
        }
        giveBack(part.readableBytes)
        chunks.prepend(.bytes(bytes))
        return .bytes(part)
      case .shared(var bytes):
        guard bytes.readableBytes > max, let part = bytes.readSlice(length: max) else { return .bytes(bytes) }
        chunks.prepend(.shared(bytes))
        return .bytes(part)
      case .pipe(let pipe, _):
        switch pipe.read(max: max) {
        case .bytes(let bytes):
          chunks.prepend(first)
          return .bytes(bytes)
        case .pending:
          chunks.prepend(first)
          return .pending
        case .end(let arrived):
          if let arrived { merge(arrived) }
        case .failed(let error):
          // It stays, so that later reads find the failure again and never a clean end.
          chunks.prepend(first)
          throw error.status
        }
      }
    }
    hasReachedEnd = true
    return .end
  }

  private func merge(_ arrived: HeaderList) {
    for index in 0..<arrived.count { trailers.append(name: arrived.name(at: index), value: arrived.value(at: index)) }
  }

  /// Whether a read would not have to wait.
  var isReadable: Bool {
    switch chunks.first {
    case .bytes, .shared, nil: true
    case .pipe(let pipe, _): pipe.isReadable
    }
  }

  /// What a read that has to wait waits for.
  var waitCause: WaitCause { if case .pipe(_, let cause) = chunks.first { cause } else { .other } }

  /// The sum of the lengths; nil when a stream without an announced length is among them.
  var knownLength: Int? {
    var sum = 0
    for chunk in chunks {
      switch chunk {
      case .bytes(let bytes), .shared(let bytes): sum += bytes.readableBytes
      case .pipe(let pipe, _):
        guard let expected = pipe.expectedLength else { return nil }
        sum += expected - (pipe.totalBytes - pipe.bufferedBytes)
      }
    }
    return sum
  }

  // MARK: Leaving the guest

  /// Gives the body to the edge or a backend; it is empty afterwards.
  func outgoing() -> OutgoingBody {
    let length = trailers.isEmpty ? knownLength : nil
    if trailers.isEmpty {
      switch (chunks.count, chunks.first) {
      case (0, _): return .empty
      case (1, .bytes(let bytes)), (1, .shared(let bytes)):
        chunks.removeAll()
        return .bytes(bytes)
      case (1, .pipe(let pipe, _)):
        chunks.removeAll()
        pipe.onReadable = nil
        return .pipe(pipe, knownLength: length)
      default: break
      }
    }
    let pipe = BodyPipe(expectedLength: length)
    forward(into: pipe) { [self] in pipe.finish(trailers: trailers.isEmpty ? nil : trailers) }
    return .pipe(pipe, knownLength: length)
  }

  /// Lets what is in the body flow into a pipe as fast as its reader takes it; `onEnd` is called when all of it is there,
  /// at once where nothing has to be waited for.
  func forward(into pipe: BodyPipe, onEnd: @escaping () -> Void) {
    let pump = BodyPump(source: self, sink: pipe, onEnd: onEnd)
    for chunk in chunks {
      if case .pipe(let source, _) = chunk { source.onReadable = { pump.run() } }
    }
    pipe.onWritable = { pump.run() }
    pump.run()
  }

  /// Drops everything and tells the writers of streams that nobody reads them.
  func discard() {
    while let chunk = chunks.popFirst() {
      if case .pipe(let pipe, _) = chunk {
        pipe.onReadable = nil
        pipe.cancel()
      }
    }
  }
}

/// Moves a body into a pipe whenever there is something to move and room for it.
private final class BodyPump {
  private let source: GuestBody
  private let sink: BodyPipe
  private var onEnd: (() -> Void)?
  private var isRunning = false

  init(source: GuestBody, sink: BodyPipe, onEnd: @escaping () -> Void) {
    self.source = source
    self.sink = sink
    self.onEnd = onEnd
  }

  func run() {
    // Writing may call back into this pump through the sink's reader.
    guard !isRunning, onEnd != nil else { return }
    isRunning = true
    defer { isRunning = false }
    while sink.isWritable || sink.isCancelled {
      if sink.isCancelled {
        source.discard()
        return end()
      }
      do throws(Status) {
        switch try source.read(max: .max) {
        case .bytes(let bytes): sink.write(bytes)
        case .pending: return
        case .end: return end()
        }
      } catch {
        sink.fail(.unfinished)
        return end()
      }
    }
  }

  private func end() {
    sink.onWritable = nil
    let last = onEnd
    onEnd = nil
    last?()
  }
}

extension BodyError {
  /// The status of a read that finds this.
  var status: Status {
    switch self {
    case .incomplete: .httpincomplete
    case .malformed: .httpinvalid
    case .unfinished, .betweenBytesTimeout, .connectionLost, .corruptEncoding: .error
    }
  }
}
