import CTimestamp
import NIOCore

/// A client's kept-alive connection, with one request at a time.
final class LoadConnection: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// Responses so far.
  private(set) var answers = 0
  private let run: LoadRun
  private var scanner: ResponseScanner
  private var context: ChannelHandlerContext?
  private var sentAt: UInt64 = 0
  private var isWaiting = false

  init(run: LoadRun) {
    self.run = run
    scanner = ResponseScanner(keepsBody: run.plan.keepsBodies)
  }

  func channelActive(context: ChannelHandlerContext) {
    self.context = context
    run.connected(self)
  }

  func send() {
    guard let context else { return run.lost() }
    isWaiting = true
    sentAt = ctimestamp_monotonic()
    context.writeAndFlush(wrapOutboundOut(run.request), promise: nil)
  }

  func close() {
    isWaiting = false
    context?.close(promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    scanner.feed(unwrapInboundIn(data))
    do {
      while isWaiting, let status = try scanner.next() {
        isWaiting = false
        answers += 1
        let now = ctimestamp_monotonic()
        run.answered(self, status: status, latency: now - sentAt, now: now, body: scanner.body)
      }
    } catch {
      breakOff(context)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.context = nil
    breakOff(context)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { breakOff(context) }

  private func breakOff(_ context: ChannelHandlerContext) {
    if isWaiting {
      isWaiting = false
      run.lost()
    }
    context.close(promise: nil)
  }
}
