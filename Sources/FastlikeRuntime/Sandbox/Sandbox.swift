import ComputeABI
import FastlikeProfile
import NIOCore

/// One guest's world: what it holds, and the request that it serves at present.
///
/// It answers the hostcalls (the files of `Hostcalls/` are extensions of it) and lives on one event loop from the first
/// request's arrival to the guest's end, so nothing in it is locked.
final class Sandbox: ComputeHost {
  let service: Service
  let loop: LoopState
  /// The present request; the last one while the guest waits for another.
  private(set) var served: ServedRequest
  /// The guest's handles of ``served``.
  private(set) var downstreamHandles = (request: RequestHandle(rawValue: 0), body: BodyHandle(rawValue: 0))
  /// The first request's id, which stays the sandbox's own.
  var sandboxID: String { ServedRequest.id(of: number) }
  private let number: UInt64
  /// Whether it may take further requests.
  private let isReusable: Bool
  /// The outstanding promise of another request.
  private var promise: RequestPromise?
  private var promiseCount = 0
  /// Told when the guest takes another request.
  var onAdopted: ((ServedRequest) -> Void)?
  /// Told when the guest parts with its request, to wait for another one.
  var onParted: (() -> Void)?
  let waker = Waker()
  let budget = HostMemoryBudget()
  /// Backend requests that were started and have not ended.
  var exchangesInFlight = 0
  /// Where guest memory is read and written; shared with the fiber.
  let context: HostcallContext

  var requests = HandleTable<GuestRequest>()
  var responses = HandleTable<GuestResponse>()
  var items = HandleTable<AsyncItem>()
  var dictionaries = HandleTable<OpenedStore>()
  var kvStores = HandleTable<KVStore>()
  var httpCacheEntries = HandleTable<HTTPCacheEntry>()
  private(set) lazy var storeTraffic = StoreTraffic()
  /// What is open of secret stores, access control lists and shields.
  private(set) lazy var storeHandles = StoreHandles()
  /// Backends that the guest has registered, by name.
  var dynamicBackends: [String: BackendDefinition] = [:]
  var endpoints: [LogEndpoint] = []
  var output = GuestOutputLines()
  /// Nanoseconds of processor time that the guest has used, hostcalls included.
  var vcpuNanoseconds: UInt64 = 0
  /// What ``vcpuNanoseconds`` was when the present request began.
  var vcpuBeforeRequest: UInt64 = 0
  /// When the poll began that runs at present, in monotonic nanoseconds; 0 between polls.
  var pollStarted: UInt64 = 0

  var eventLoop: any EventLoop { loop.eventLoop }
  var memory: GuestMemory { context.memory }

  /// The client's request as it came.
  var request: DownstreamRequest { served.request }
  /// The present request's trace; nil between two requests, which no trace describes.
  var trace: TraceRecorder? { served.isReleased ? nil : served.trace }
  /// The same, for what is done for each request.
  var recording: Unmanaged<TraceRecorder>? { served.isReleased ? nil : served.recording }
  /// The same where deep metrics are recorded, else nil.
  var deepTrace: TraceRecorder? { served.isReleased ? nil : served.deepTrace }

  init(service: Service, loop: LoopState, serving served: ServedRequest, context: HostcallContext, isReusable: Bool) {
    self.service = service
    self.loop = loop
    self.served = served
    self.context = context
    self.isReusable = isReusable
    number = served.number
    // The first request and its body are handle 0 of their kinds.
    _ = requests.insert(GuestRequest(head: Sandbox.guestHead(of: served), client: served))
    _ = items.insert(body(of: served))
  }

  private func body(of served: ServedRequest) -> AsyncItem {
    .body(GuestBody(pipe: served.request.body, from: .client, waker: waker, budget: budget))
  }

  /// The request as the guest sees it: its URL is absolute, with the authority of `Host`; an absolute target's authority
  /// counts more than `Host` (RFC 9112 §3.2.2).
  private static func guestHead(of served: ServedRequest) -> RequestHead {
    var head = served.request.head
    let isPath = head.uri.utf8.first == UInt8(ascii: "/")
    if !isPath, let scheme = head.uri.firstRange(of: "://") {
      head.headers.set("host", String(head.uri[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }))
    } else {
      let host = head.headers.first("host") ?? "localhost"
      var uri = ""
      uri.reserveCapacity("https:///".utf8.count + host.utf8.count + head.uri.utf8.count)
      uri += served.request.connection.tls == nil ? "http://" : "https://"
      uri += host
      if !isPath { uri += "/" }
      uri += head.uri
      head.uri = uri
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

  // MARK: Further requests

  /// A promise of another request.
  ///
  /// - Parameter milliseconds: How long to wait for one; nil is the longest time.
  /// - Throws: `limitexceeded` while another promise is outstanding.
  func promiseRequest(milliseconds: UInt64?) throws(Status) -> UInt32 {
    guard promise == nil else { throw .limitexceeded }
    let promise: RequestPromise
    if isReusable, promiseCount < SandboxReuse.maximumPromises {
      let limit = SandboxReuse.maximumWaitMilliseconds
      promise = service.promise(on: loop, milliseconds: min(milliseconds ?? limit, limit), waking: waker)
      // Where there is no place among those that wait, the sandbox is one too many and asks no more.
      promiseCount = promise.isSettled ? SandboxReuse.maximumPromises : promiseCount + 1
    } else {
      promise = RequestPromise(emptyOf: service, on: loop, waking: waker)
    }
    let handle = try insert(.promise(promise))
    self.promise = promise
    return handle
  }

  /// The guest waits for nothing but another request: the present one is over for it.
  func part() {
    guard !served.isReleased else { return }
    // The hostcall that waits ends for the trace where the request does; its status belongs to no request.
    served.trace?.sampleMemory(bytes: memory.byteCount)
    served.trace?.endSpan(status: 0)
    onParted?()
    served.release(memoryBytes: memory.byteCount)
  }

  /// Takes the promised request, which becomes the present one. Throws `none` when there is none.
  func adopt(_ promise: RequestPromise) throws(Status) -> (requestHandle: RequestHandle, bodyHandle: BodyHandle) {
    self.promise = nil
    guard let next = promise.take() else { throw .none }
    let head = Sandbox.guestHead(of: next)
    guard let request = requests.insert(GuestRequest(head: head, client: next)), let body = items.insert(body(of: next))
    else {
      service.start(next, on: loop)
      throw .limitexceeded
    }
    part()
    served = next
    downstreamHandles = (RequestHandle(rawValue: request), BodyHandle(rawValue: body))
    onAdopted?(next)
    return (downstreamHandles.request, downstreamHandles.body)
  }

  /// The guest does not want another request.
  func abandonPromise() {
    promise?.giveUp()
    promise = nil
  }

  // MARK: The end

  /// Lets go of everything the guest still held. Streams that it left open break off; requests that it started run on,
  /// as on the platform, and what they bring is dropped.
  func close() {
    abandonPromise()
    for item in items.elements {
      switch item {
      case .body(let body): body.discard()
      case .streaming(let body): body.abandon()
      case .pending(let pending):
        pending.leave()
        orphan(pending.exchange)
      case .cacheBusy(let access), .cache(let access), .cacheReplace(let access): access.close()
      case .promise, .store: break
      }
    }
    items = HandleTable()
    for entry in httpCacheEntries.elements { release(entry) }
    httpCacheEntries = HandleTable()
    waker.action = nil
    onAdopted = nil
    onParted = nil
    context.attach(nil)
  }

  private func orphan(_ exchange: BackendExchange) {
    let drop = { [unowned exchange] in
      if case .responded(_, let body) = exchange.state { body.cancel() }
    }
    if exchange.isSettled { drop() } else { exchange.onSettled = drop }
  }
}
