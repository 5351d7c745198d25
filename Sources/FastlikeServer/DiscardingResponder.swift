import CTimestamp
package import FastlikeRuntime
import NIOCore

/// Takes a response and reads its body to the end, for a program that nobody asked over a network.
package final class DiscardingResponder: DownstreamResponder {
  package let isClosed = false
  package var onClosed: (() -> Void)?
  package var onDelivered: ((DownstreamDelivery) -> Void)?
  private var delivery = DownstreamDelivery()

  package init() {}

  package func sendInformational(_ head: ResponseHead) {}

  package func send(_ head: ResponseHead, framing: FramingMode, closeAfter: Bool, body: OutgoingBody) {
    delivery.headFlushedAt = ctimestamp_monotonic()
    switch body {
    case .empty: delivered()
    case .bytes(let bytes):
      delivery.bodyBytes = bytes.readableBytes
      delivered()
    case .pipe(let pipe, _):
      pipe.onReadable = { [self, unowned pipe] in drain(pipe) }
      drain(pipe)
    }
  }

  private func drain(_ pipe: BodyPipe) {
    while true {
      switch pipe.read() {
      case .bytes(let bytes): delivery.bodyBytes += bytes.readableBytes
      case .pending: return
      case .end:
        pipe.onReadable = nil
        return delivered()
      case .failed:
        pipe.onReadable = nil
        delivery.isAborted = true
        return delivered()
      }
    }
  }

  private func delivered() {
    delivery.endedAt = ctimestamp_monotonic()
    let callback = onDelivered
    onDelivered = nil
    callback?(delivery)
  }

  package func abort() {
    delivery.isAborted = true
    delivered()
  }
}
