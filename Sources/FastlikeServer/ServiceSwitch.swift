public import FastlikeRuntime
public import NIOCore
import Synchronization

/// Hands requests to the present version of a service; a reload puts a new one in its place. Requests that run keep the
/// version that they began with.
public final class ServiceSwitch: RequestHandler {
  private let current: Mutex<Service>
  fileprivate let version = Atomic<UInt64>(0)

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
    service.handle(request, responder: responder, on: eventLoop)
  }

  public func handler(on eventLoop: any EventLoop) -> any RequestHandler { LoopSwitch(self, on: eventLoop) }

  /// The present version, in an object for one event loop, and its number.
  fileprivate func copy(for eventLoop: any EventLoop) -> LoopSwitch.Copy {
    current.withLock { service in
      (Service(copying: service, for: eventLoop), version.load(ordering: .relaxed))
    }
  }
}

/// One event loop's part of a ``ServiceSwitch``. It has a copy of the present version, so that loops neither wait for a lock nor pass
/// around the memory in which references are counted. A loop that rests keeps its copy of an older version until its next request.
private final class LoopSwitch: RequestHandler {
  typealias Copy = (service: Service, version: UInt64)

  private let all: ServiceSwitch
  private let copy: NIOLoopBoundBox<Copy>

  init(_ all: ServiceSwitch, on eventLoop: any EventLoop) {
    self.all = all
    copy = NIOLoopBoundBox(all.copy(for: eventLoop), eventLoop: eventLoop)
  }

  func handle(_ request: DownstreamRequest, responder: any DownstreamResponder, on eventLoop: any EventLoop) {
    var present = copy.value
    if present.version != all.version.load(ordering: .acquiring) {
      present = all.copy(for: eventLoop)
      copy.value = present
    }
    present.service.handle(request, responder: responder, on: eventLoop)
  }
}
