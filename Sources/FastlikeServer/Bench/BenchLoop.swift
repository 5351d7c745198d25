import CTimestamp
import FastlikeRuntime
import NIOCore
import Synchronization

/// How long requests are begun: until a moment, or as many as there are.
final class BenchQuota: Sendable {
  private let left: Atomic<Int>
  /// Monotonic nanoseconds; the last moment at which a request begins.
  private let deadline: UInt64

  init(requests: Int = .max, until deadline: UInt64 = .max) {
    left = Atomic(requests)
    self.deadline = deadline
  }

  /// Whether another request may begin.
  func take() -> Bool {
    guard ctimestamp_monotonic() < deadline else { return false }
    return left.wrappingSubtract(1, ordering: .relaxed).oldValue > 0
  }
}

/// Sends requests to a service on one event loop, so many at a time, each when another one has ended.
///
/// It lives on its loop: everything but the start is called there, hence `@unchecked Sendable`.
final class BenchLoop: @unchecked Sendable {
  private let eventLoop: any EventLoop
  private let requests: [BenchRequest]
  private var service: Service?
  private var rotation: BenchRotation?
  private var quota = BenchQuota(requests: 0)
  private var running = 0
  private var promise: EventLoopPromise<Int>?
  private var begun = 0

  init(_ eventLoop: any EventLoop, _ requests: [BenchRequest]) {
    self.eventLoop = eventLoop
    self.requests = requests
  }

  /// Runs until the quota is used up and every guest has ended; the number of requests that were begun.
  func run(
    _ service: Service, _ rotation: BenchRotation, concurrency: Int, _ quota: BenchQuota
  ) -> EventLoopFuture<Int> {
    eventLoop.flatSubmit { [self] in
      self.service = service
      self.rotation = rotation
      self.quota = quota
      begun = 0
      let promise = eventLoop.makePromise(of: Int.self)
      self.promise = promise
      running = concurrency
      for _ in 0..<concurrency { next() }
      return promise.futureResult
    }
  }

  private func next() {
    guard let service, let rotation, quota.take() else {
      running -= 1
      if running == 0 {
        promise?.succeed(begun)
        promise = nil
      }
      return
    }
    begun += 1
    let request = requests[rotation.next()]
    let body = BodyPipe(capacity: .max, expectedLength: request.body.count)
    if !request.body.isEmpty { body.write(ByteBuffer(bytes: request.body)) }
    body.finish()
    let connection = DownstreamConnection(
      clientAddress: try? SocketAddress(ipAddress: "127.0.0.1", port: 0),
      serverAddress: try? SocketAddress(ipAddress: "127.0.0.1", port: 80))
    let downstream = DownstreamRequest(head: request.head, body: body, connection: connection)
    service.run(downstream, responder: DiscardingResponder(), on: eventLoop) { [self] _ in
      // Another turn of the loop: a guest that ends at once would let the stack grow.
      eventLoop.execute { self.next() }
    }
  }
}
