import CTimestamp
import Foundation
import Logging
import NIOCore

/// The way back to the client, and the connection's end.
extension EdgeConnection {
  // MARK: Responses

  var isWritable: Bool { context?.channel.isWritable ?? false }

  func write(_ buffer: ByteBuffer) {
    hasUnflushed = true
    context?.write(wrapOutboundOut(buffer), promise: nil)
  }

  func flush() {
    guard hasUnflushed else { return }
    hasUnflushed = false
    context?.flush()
  }

  /// Calls back when everything written so far was taken by the socket; not at all when the connection is lost before.
  func whenFlushed(_ body: @escaping () -> Void) {
    guard let context else { return }
    let promise = loop.eventLoop.makePromise(of: Void.self)
    promise.futureResult.assumeIsolated().whenSuccess(body)
    hasUnflushed = false
    context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: promise)
  }

  /// Lets the loop turn before the response goes on.
  func resumeLater() {
    loop.eventLoop.assumeIsolated().execute { [weak self] in self?.exchange?.resume() }
  }

  /// Answers a request that no guest sees, and closes.
  func refuse(_ refusal: RequestRefusal, toHEAD: Bool = false) {
    loop.logger.debug("refused a request: \(refusal.reason)", metadata: ["status": "\(refusal.status)"])
    var out = loop.takeScratch()
    let date = loop.date.bytes(at: ctimestamp_monotonic())
    ResponseEncoder.writeRefusal(refusal, toHEAD: toHEAD, date: date, into: &out)
    write(out)
    flush()
    loop.returnScratch(out)
    linger()
  }

  // MARK: Closing

  /// Closes when the responses are out. A client that may still be sending is heard out for a while, because bytes that
  /// nobody reads make the system reset the connection, and the client would lose the response.
  func closeWhenFlushed() {
    guard phase != .closed, phase != .lingering else { return }
    if leftUnread || inbound.readableBytes > 0 { return linger() }
    phase = .lingering
    whenFlushed { [weak self] in self?.closeNow() }
  }

  func linger() {
    phase = .lingering
    inbound = loop.noBytes
    if isInputClosed {
      whenFlushed { [weak self] in self?.closeNow() }
    } else {
      // Flushes first; the channel closes altogether when the client's side is closed too.
      context?.close(mode: .output, promise: nil)
    }
  }

  func closeNow() {
    context?.close(promise: nil)
    // TLS waits for the client's goodbye, which has to be read.
    context?.read()
  }

  /// Closes a connection that has no request.
  func closeIfIdle() {
    if phase == .head, inbound.readableBytes == 0, !parser.isInsideHead { closeWhenFlushed() }
  }

  /// Ends the connection within a response: with a reset where its end would look like the end of the body.
  func breakOff(resetting: Bool) {
    exchange = nil
    if resetting, let channel = context?.channel as? any SocketOptionProvider {
      _ = channel.setSoLinger(NIOLinger(l_onoff: 1, l_linger: 0))
      if let context { return EdgeTLS.close(context.channel) }
    }
    closeNow()
  }
}
