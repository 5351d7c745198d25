import ComputeABI
import FastlikeRuntime
import NIOCore

/// The backends of the demo: a few answers that take the time they are asked to take.
final class DemoOrigin: RequestHandler {
  func handle(_ request: DownstreamRequest, responder: any DownstreamResponder, on eventLoop: any EventLoop) {
    request.body.cancel()
    let (status, text, delay) = DemoOrigin.answer(request.head.uri)
    let head = ResponseHead(status: status, headers: HeaderList([("content-type", "application/json")]))
    let bound = NIOLoopBound(responder, eventLoop: eventLoop)
    eventLoop.scheduleTask(in: .milliseconds(delay)) {
      bound.value.send(
        head, framing: .automatic, closeAfter: false, body: .bytes(ByteBuffer(string: text + "\n")))
    }
  }

  private static func answer(_ target: String) -> (status: UInt16, text: String, delay: Int64) {
    let parts = target.split(separator: "?", maxSplits: 1)
    switch parts.first ?? "" {
    case "/slow":
      let wanted = parts.dropFirst().first?.split(separator: "&").first { $0.hasPrefix("ms=") }?.dropFirst(3)
      let delay = min(max(wanted.flatMap { Int64($0) } ?? 400, 0), 10_000)
      return (200, #"{"waited_ms": \#(delay)}"#, delay)
    case "/users": return (200, #"{"users": 3, "active": ["ada", "grace", "katherine"]}"#, 60)
    case "/orders": return (200, #"{"orders": 2, "open": 1}"#, 120)
    case "/stock": return (200, #"{"stock": {"tea": 12, "coffee": 0}}"#, 90)
    case "/", "/health": return (200, #"{"ok": true}"#, 0)
    default: return (404, #"{"error": "no such resource"}"#, 0)
    }
  }
}
