public import FastlikeRuntime
public import NIOCore
import Synchronization

/// Hands requests to the present version of a service; a reload puts a new one in its place. Requests that run keep the
/// version that they began with.
public final class ServiceSwitch: RequestHandler {
  private let current: Mutex<Service>

  public init(_ service: Service) { current = Mutex(service) }

  public var service: Service {
    get { current.withLock { $0 } }
    set { current.withLock { $0 = newValue } }
  }

  public func handle(_ request: DownstreamRequest, responder: any DownstreamResponder, on eventLoop: any EventLoop) {
    service.handle(request, responder: responder, on: eventLoop)
  }
}
