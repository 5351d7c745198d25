import NIOCore

/// Lets a stored body flow into a pipe of one event loop, as fast as the pipe's reader takes it and as far as it is written.
final class CachedBodyReader {
  private let body: CachedBody
  private let start: CachedBodySpan.Start
  private let end: Int?
  private let eventLoop: any EventLoop
  private weak var pipe: BodyPipe?
  private var position = CachedBody.Position()
  private var hasStarted = false
  private var hasEnded = false
  private var isFeeding = false

  /// A pipe through which a part of a body comes. It has an expected length where that is known.
  static func pipe(_ body: CachedBody, _ span: CachedBodySpan, on eventLoop: any EventLoop) -> BodyPipe {
    let pipe = BodyPipe(expectedLength: span.length(of: body.knownLength))
    let reader = CachedBodyReader(body, span, into: pipe, on: eventLoop)
    pipe.onWritable = { reader.feed() }
    pipe.onCancel = { reader.stop() }
    reader.feed()
    return pipe
  }

  private init(_ body: CachedBody, _ span: CachedBodySpan, into pipe: BodyPipe, on eventLoop: any EventLoop) {
    self.body = body
    start = span.start
    end = span.end
    self.pipe = pipe
    self.eventLoop = eventLoop
  }

  private func feed() {
    // Writing into the pipe may have its reader take from it at once, which calls back.
    guard !isFeeding, !hasEnded, let pipe else { return }
    isFeeding = true
    defer { isFeeding = false }
    while pipe.isWritable, !hasEnded {
      if !hasStarted { hasStarted = body.seek(start, &position, reader: ObjectIdentifier(self), wake: wake) }
      guard hasStarted else { return }
      switch next() {
      case .bytes(let bytes): pipe.write(bytes)
      case .pending: return
      case .end(let trailers):
        stop()
        pipe.finish(trailers: trailers)
      case .failed(let error):
        stop()
        pipe.fail(error)
      }
    }
  }

  /// Has this reader go on, from the thread of the body's writer.
  private var wake: @Sendable () -> Void {
    let bound = NIOLoopBound(self, eventLoop: eventLoop)
    let eventLoop = eventLoop
    return { eventLoop.execute { bound.value.feed() } }
  }

  private func next() -> CachedBody.Next {
    // A part that ends before the body has no trailers.
    if let end, position.offset >= end { return .end(trailers: nil) }
    let next = body.read(
      &position, max: end.map { $0 - position.offset } ?? .max, reader: ObjectIdentifier(self), wake: wake)
    if case .end = next, end != nil { return .failed(.incomplete) }
    return next
  }

  private func stop() {
    hasEnded = true
    body.stopWaiting(ObjectIdentifier(self))
    pipe?.onWritable = nil
    pipe?.onCancel = nil
  }
}

extension CachedBodySpan {
  /// The length of this part of a body, if the body's length is known.
  func length(of bodyLength: Int?) -> Int? {
    switch (start, end, bodyLength) {
    case (.offset(let first), nil, let length?): max(0, length - first)
    case (.offset(let first), let end?, let length?): max(0, min(end, length) - first)
    case (.beforeEnd(let count), _, let length?): min(count, length)
    case (_, _, nil): nil
    }
  }
}
