import ComputeABI
import FastlikeProfile
import NIOCore

/// A request as a guest holds it.
final class GuestRequest {
  var head: RequestHead
  var framing = FramingMode.automatic
  /// Whether a gzip response is decoded before the guest sees it.
  var decodesGzip = false
  /// What `cache_override_set` asked for.
  var cacheOverride = CacheOverride()
  /// The client's request that it came as, which can be asked for the client's facts; nil where the guest made it.
  let client: ServedRequest?

  init(head: RequestHead = RequestHead(), client: ServedRequest? = nil) {
    self.head = head
    self.client = client
  }
}

/// A response as a guest holds it.
final class GuestResponse {
  var head: ResponseHead
  var framing = FramingMode.automatic
  var closesConnection = false
  /// Where it came from, if the request bypassed the cache.
  var peerAddress: SocketAddress?

  init(head: ResponseHead = ResponseHead()) { self.head = head }
}

/// A send that was started and whose response nobody has taken yet.
final class PendingRequest {
  /// Edits that the guest ordered for a response it will not see (`pending_req_header_*`).
  struct HeaderEdit {
    enum Action {
      case insert
      case append
      case remove
    }
    var action: Action
    var name: [UInt8]
    var value: [UInt8]
    var target: PendingResponseKind
  }

  let exchange: BackendExchange
  let decodesGzip: Bool
  let bypassesCache: Bool
  /// Its entry in ``trace``.
  let call: BackendCallToken
  /// What it waits for, where it reads through the cache.
  private let cached: CachedSend?
  /// The trace of the request during which it was sent.
  private let trace: TraceRecorder?
  private var edits: [HeaderEdit] = []

  init(
    exchange: BackendExchange, decodesGzip: Bool, bypassesCache: Bool, call: BackendCallToken, trace: TraceRecorder?,
    cached: CachedSend? = nil
  ) {
    self.cached = cached
    self.call = call
    self.trace = trace
    self.exchange = exchange
    self.decodesGzip = decodesGzip
    self.bypassesCache = bypassesCache
  }

  var isSettled: Bool { exchange.isSettled }

  /// What a guest that waits for it waits for.
  var waitCause: WaitCause { exchange.isCollapsed ? .cache : .backend }

  /// Nobody will take its response.
  func leave() { cached?.leave() }

  /// The guest asks for it, which the trace tells from calls that nobody asked for.
  func observe() { trace?.observeBackendCall(call) }

  /// Queues an edit: an insert clears earlier appends of its name, a removal earlier inserts too.
  ///
  /// Throws `limitexceeded` for more edits than a response has fields.
  func queue(_ edit: HeaderEdit) throws(Status) {
    guard edits.count < 1024 else { throw .limitexceeded }
    if edit.action != .append {
      edits.removeAll { $0.target == edit.target && WireSyntax.equalIgnoringCase($0.name, edit.name) }
    }
    edits.append(edit)
  }

  /// Applies what was queued for a response of this kind: removals, then inserts, then appends.
  func edit(_ headers: inout HeaderList, isFailure: Bool) {
    let own: PendingResponseKind = isFailure ? .error : .response
    let due = edits.filter { $0.target == .any || $0.target == own }
    for edit in due where edit.action == .remove { headers.remove(name: edit.name) }
    for edit in due where edit.action == .insert { headers.set(name: edit.name, value: edit.value) }
    for edit in due where edit.action == .append { headers.append(name: edit.name, value: edit.value) }
  }
}

/// What shares the number space of `fastly_async_io`.
enum AsyncItem {
  case body(GuestBody)
  case streaming(StreamingBody)
  case pending(PendingRequest)
  case store(PendingStoreOperation)
  /// A wait for another request in the same sandbox.
  case promise(RequestPromise)
  /// A look-up in the cache that the guest has not taken yet. It stays, empty, until the guest closes it.
  case cacheBusy(CacheAccess)
  case cache(CacheAccess)
  case cacheReplace(CacheAccess)
}
