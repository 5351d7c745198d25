import FastlikeRuntime
import NIOCore

/// The body of a request on its way to the guest, with the window that lets the client send it.
///
/// The window is given back as the guest reads, so that what one stream holds stays below the pipe's capacity and one
/// window. A body that nobody wants is taken and dropped up to a limit; then its client has to stop.
final class HTTP2Upload {
  /// What became of a piece.
  enum Verdict {
    case taken
    /// The body is complete.
    case ended
    /// There is more, or less, than `Content-Length` announced (RFC 9113 §8.1.1).
    case wrongLength
    /// More than the window allows.
    case beyondWindow
  }

  let pipe: BodyPipe
  /// Bytes that `Content-Length` announced and that are still to come; nil without one.
  private var remaining: Int?
  /// Bytes that the client may send now.
  private(set) var window: Int
  private let windowSize: Int
  /// Bytes that came and were not given back to the stream's window, and to the connection's.
  private var owed = 0
  private var owedToConnection = 0
  private var droppable: Int
  private(set) var isEnded = false

  /// - Parameters:
  ///   - length: What `Content-Length` announced.
  ///   - droppable: Bytes that are taken for nobody.
  init(pipe: BodyPipe, length: Int?, windowSize: Int, droppable: Int) {
    self.pipe = pipe
    remaining = length
    window = windowSize
    self.windowSize = windowSize
    self.droppable = droppable
  }

  /// Whether the guest waits for the client to send.
  var isAwaited: Bool { !isEnded && !pipe.isCancelled && pipe.isWritable }

  /// Takes a piece.
  ///
  /// - Parameter flowBytes: What it counts in the window, padding included.
  func take(_ bytes: ByteBuffer, flowBytes: Int, isEnd: Bool) -> Verdict {
    guard flowBytes <= window else { return .beyondWindow }
    window -= flowBytes
    owed += flowBytes
    owedToConnection += flowBytes
    if let left = remaining {
      guard bytes.readableBytes <= left, !isEnd || bytes.readableBytes == left else { return .wrongLength }
      remaining = left - bytes.readableBytes
    }
    if pipe.isCancelled { droppable -= flowBytes } else { pipe.write(bytes) }
    return isEnd ? .ended : .taken
  }

  /// Whether the announced length is complete.
  var isComplete: Bool { (remaining ?? 0) == 0 }

  func end(trailers: HeaderList?) {
    isEnded = true
    letGo()
    pipe.finish(trailers: trailers)
  }

  func fail(_ error: BodyError) {
    guard !isEnded else { return }
    isEnded = true
    letGo()
    pipe.fail(error)
  }

  private func letGo() {
    pipe.onWritable = nil
    pipe.onCancel = nil
  }

  private var hasRoom: Bool { pipe.isCancelled || pipe.isWritable }

  /// What the stream's window may be given back now; 0 while it is too little to tell the client, or the guest has enough.
  func takeCredit() -> Int {
    guard !isEnded, owed >= windowSize / 2, hasRoom, droppable > 0 else { return 0 }
    defer { owed = 0 }
    window += owed
    return owed
  }

  /// What the connection's window may be given back now: all that does not fill the pipe, so that a guest that reads
  /// slowly holds up the other streams only with what it holds itself.
  func takeConnectionCredit() -> Int { hasRoom ? settle() : 0 }

  /// What is owed to the connection's window when the stream ends.
  func settle() -> Int {
    defer { owedToConnection = 0 }
    return owedToConnection
  }
}
