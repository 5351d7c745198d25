import ComputeABI
import NIOCore

/// The write end of a body whose read end has already left for the client, a backend or the cache.
final class StreamingBody {
  /// What a guest that waits for room waits for.
  let waitCause: WaitCause
  /// What a write gets when the reader has gone.
  let brokenStatus: Status
  /// Sent behind the last byte.
  var trailers = HeaderList()
  private let pipe: BodyPipe
  private let waker: Waker
  /// Plain bodies that still flow into the pipe; what the guest writes comes behind them.
  private var isMoving = false
  private var finishesAfterMove = false

  init(pipe: BodyPipe, to cause: WaitCause, waker: Waker, brokenStatus: Status = .error) {
    self.pipe = pipe
    self.brokenStatus = brokenStatus
    self.waker = waker
    waitCause = cause
    pipe.onWritable = { waker.wake() }
  }

  /// Whether the reader has gone.
  var isBroken: Bool { pipe.isCancelled }

  /// Whether a write would not have to wait; also when it would find the reader gone.
  var isWritable: Bool { (!isMoving && pipe.isWritable) || pipe.isCancelled }

  /// Throws ``brokenStatus`` when the reader goes because of these bytes.
  func write(_ bytes: UnsafeRawBufferPointer) throws(Status) {
    pipe.write(ByteBuffer(bytes: bytes))
    if pipe.isCancelled { throw brokenStatus }
  }

  /// Lets a plain body flow in before anything that is written later.
  func move(_ body: GuestBody) {
    isMoving = true
    body.forward(into: pipe) { [self] in
      isMoving = false
      for index in 0..<body.trailers.count {
        trailers.append(name: body.trailers.name(at: index), value: body.trailers.value(at: index))
      }
      pipe.onWritable = { [waker] in waker.wake() }
      if finishesAfterMove { finish() } else { waker.wake() }
    }
  }

  /// The body is complete, once everything that was moved in has flowed.
  func finish() {
    if isMoving {
      finishesAfterMove = true
    } else {
      pipe.finish(trailers: trailers.isEmpty ? nil : trailers)
    }
  }

  /// The body breaks off, and so does the message it belongs to.
  func abandon() { pipe.fail(.unfinished) }
}

/// Wakes a suspended sandbox. Anything that may move a guest calls it; a guest that is not waiting does not notice.
final class Waker {
  var action: (() -> Void)?

  func wake() { action?() }
}
