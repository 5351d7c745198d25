public import FastlikeRuntime
public import NIOCore
import NIOPosix
import Synchronization

/// Hands requests to the present version of a service; a reload puts a new one in its place. Requests that run keep the
/// version that they began with.
///
/// Each event loop has a copy of the present version, so that loops neither wait for a lock nor pass around the memory in which
/// references are counted. A loop that rests keeps its copy of an older version until its next request.
public final class ServiceSwitch: RequestHandler {
  private let current: Mutex<Service>
  private let version = Atomic<UInt64>(0)
  private let copies = ThreadSpecificVariable<Copy>()

  private final class Copy: Sendable {
    let service: Service
    let version: UInt64

    init(_ service: Service, _ version: UInt64) {
      self.service = Service(copying: service)
      self.version = version
    }
  }

  public init(_ service: Service) { current = Mutex(service) }

  public var service: Service {
    get { current.withLock { $0 } }
    set {
      current.withLock { current in
        current = newValue
        version.wrappingAdd(1, ordering: .releasing)
      }
    }
  }

  public func handle(_ request: DownstreamRequest, responder: any DownstreamResponder, on eventLoop: any EventLoop) {
    ofThisLoop.handle(request, responder: responder, on: eventLoop)
  }

  private var ofThisLoop: Service {
    if let copy = copies.currentValue, copy.version == version.load(ordering: .acquiring) { return copy.service }
    let copy = current.withLock { Copy($0, version.load(ordering: .relaxed)) }
    copies.currentValue = copy
    return copy.service
  }
}
