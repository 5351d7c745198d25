import ComputeABI
import FastlikeProfile
import NIOCore

/// One request's world: what the guest holds, and the way back to its client.
///
/// It answers the hostcalls (the files of `Hostcalls/` are extensions of it) and lives on one event loop from the request's
/// arrival to the guest's end, so nothing in it is locked.
final class Sandbox: ComputeHost {
  /// What became of the client's response.
  enum DownstreamState {
    case awaited
    case sent
  }

  let service: Service
  let loop: LoopState
  let request: DownstreamRequest
  let responder: any DownstreamResponder
  /// Unique in the process; its trace has it too.
  let requestNumber: UInt64
  let waker = Waker()
  let budget = HostMemoryBudget()
  /// Backend requests that were started and have not ended.
  var exchangesInFlight = 0
  /// Where guest memory is read and written; shared with the fiber.
  let context: HostcallContext
  let trace: TraceRecorder?

  var requests = HandleTable<GuestRequest>()
  var responses = HandleTable<GuestResponse>()
  var items = HandleTable<AsyncItem>()
  var dictionaries = HandleTable<OpenedStore>()
  var kvStores = HandleTable<KVStore>()
  /// What is open of secret stores, access control lists and shields.
  let storeHandles = StoreHandles()
  /// Backends that the guest has registered, by name.
  var dynamicBackends: [String: BackendDefinition] = [:]
  var endpoints: [LogEndpoint] = []
  var downstreamState = DownstreamState.awaited
  var output = GuestOutputLines()
  /// Nanoseconds of processor time that the guest has used, hostcalls included.
  var vcpuNanoseconds: UInt64 = 0
  /// When the poll began that runs at present, in monotonic nanoseconds; 0 between polls.
  var pollStarted: UInt64 = 0

  var eventLoop: any EventLoop { loop.eventLoop }
  var memory: GuestMemory { context.memory }

  init(
    service: Service, loop: LoopState, request: DownstreamRequest, responder: any DownstreamResponder,
    requestNumber: UInt64, context: HostcallContext, trace: TraceRecorder?
  ) {
    self.service = service
    self.loop = loop
    self.request = request
    self.responder = responder
    self.requestNumber = requestNumber
    self.context = context
    self.trace = trace
    // The client's request and body are handle 0 of their kinds.
    let head = Sandbox.guestHead(of: request.head)
    _ = requests.insert(GuestRequest(head: head, isDownstream: true))
    _ = items.insert(.body(GuestBody(pipe: request.body, from: .client, waker: waker, budget: budget)))
  }

  /// The request as the guest sees it: its URL is absolute, with the authority of `Host`; an absolute target's authority
  /// counts more than `Host` (RFC 9112 §3.2.2).
  private static func guestHead(of original: RequestHead) -> RequestHead {
    var head = original
    if let scheme = head.uri.firstRange(of: "://"), !head.uri.hasPrefix("/") {
      head.headers.set("host", String(head.uri[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }))
    } else {
      let path = head.uri.hasPrefix("/") ? head.uri : "/" + head.uri
      head.uri = "http://" + (head.headers.first("host") ?? "localhost") + path
    }
    return head
  }

  // MARK: Handles

  func guestRequest(_ handle: RequestHandle) throws(Status) -> GuestRequest {
    guard let request = requests[handle.rawValue] else { throw .badf }
    return request
  }

  func guestResponse(_ handle: ResponseHandle) throws(Status) -> GuestResponse {
    guard let response = responses[handle.rawValue] else { throw .badf }
    return response
  }

  /// A plain body; a streaming one is `badf`, as is everything else.
  func plainBody(_ handle: BodyHandle) throws(Status) -> GuestBody {
    guard case .body(let body) = items[handle.rawValue] else { throw .badf }
    return body
  }

  func pendingRequest(_ handle: PendingRequestHandle) throws(Status) -> PendingRequest {
    guard case .pending(let pending) = items[handle.rawValue] else { throw .badf }
    return pending
  }

  /// Takes a plain body away from the guest. A streaming body of that number is left as it is.
  func takePlainBody(_ handle: BodyHandle) throws(Status) -> GuestBody {
    let body = try plainBody(handle)
    _ = items.remove(handle.rawValue)
    return body
  }

  func insert(_ item: AsyncItem) throws(Status) -> UInt32 {
    guard let handle = items.insert(item) else { throw .limitexceeded }
    return handle
  }

  func insert(_ response: GuestResponse) throws(Status) -> ResponseHandle {
    guard let handle = responses.insert(response) else { throw .limitexceeded }
    return ResponseHandle(rawValue: handle)
  }

  // MARK: The end

  /// Lets go of everything the guest still held. Streams that it left open break off; requests that it started run on,
  /// as on the platform, and what they bring is dropped.
  func close() {
    for item in items.elements {
      switch item {
      case .body(let body): body.discard()
      case .streaming(let body): body.abandon()
      case .pending(let pending): orphan(pending.exchange)
      case .promise, .store: break
      }
    }
    items = HandleTable()
    waker.action = nil
    context.host = nil
  }

  private func orphan(_ exchange: BackendExchange) {
    let drop = { [unowned exchange] in
      if case .responded(_, let body) = exchange.state { body.cancel() }
    }
    if exchange.isSettled { drop() } else { exchange.onSettled = drop }
  }
}
