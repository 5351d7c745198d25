import CTimestamp
import ComputeABI
import FastlikeProfile
import NIOCore

/// One plain send that reads through the cache. Its ``exchange`` stands for the exchange with the backend, which there may
/// or may not be: a stored response settles it, another request's fetch does, or a fetch of its own.
///
/// What it fetches goes on when the guest ends, because others may read along. Confined to its event loop.
final class CachedSend {
  /// What is needed to send.
  struct Plan {
    /// The guest's own request.
    var request: RequestHead
    var framing: FramingMode
    var backend: BackendDefinition
    /// As the guest names it.
    var backendName: String
    var override: CacheOverride
    var part: ReadThrough.Part
    var key: HTTPCacheKey
    var variant: BackendVariant

    /// Responses of different backends are never taken for each other, also where their URLs are the same.
    var query: CacheQuery {
      CacheQuery(CacheKey(.http, key.bytes + Array(backendName.utf8)), headers: request.headers)
    }
  }

  /// What the guest waits for.
  let exchange: BackendExchange
  /// Its entry in the trace; none where the response comes from the cache.
  private(set) var call = BackendCallToken.none
  private let plan: Plan
  private let service: Service
  private let loop: LoopState
  private let trace: TraceRecorder?
  /// The fields of the client's request, for what backends get to know of its trace.
  private let clientHeaders: HeaderList
  /// Counts what is under way; gone when the guest has ended.
  private weak var sandbox: Sandbox?
  private var ticket: CacheTicket?

  private var cache: CacheStore { service.cache }

  init(_ plan: Plan, from sandbox: Sandbox) {
    self.plan = plan
    self.sandbox = sandbox
    service = sandbox.service
    loop = sandbox.loop
    trace = sandbox.trace
    clientHeaders = sandbox.served.request.head.headers
    exchange = BackendExchange(started: ctimestamp_monotonic())
  }

  /// Looks up, and sends unless the cache has an answer or somebody is bringing it.
  func start(owner: UInt64) {
    guard plan.part == .stores else { return answer(cache.find(plan.query)) }
    let bound = NIOLoopBound(self, eventLoop: loop.eventLoop)
    let answer = cache.lookup(plan.query, owner: owner) { [eventLoop = loop.eventLoop] in
      eventLoop.execute { bound.value.stopWaiting() }
    }
    switch answer {
    case .settled(let finding): self.answer(finding)
    case .waiting(let ticket):
      // A request that has been here before may be what the other one waits for: it goes its way to the end of the loop.
      guard !clientHeaders.hasMember(BackendTarget.loopToken, in: "cdn-loop") else {
        cache.cancel(ticket)
        return self.answer(CacheFinding())
      }
      wait(ticket)
    }
  }

  /// The look-up's answer is there at once, so it belongs to the hostcall that sends.
  private func answer(_ finding: CacheFinding) {
    sandbox?.note(finding)
    settle(finding)
  }

  // MARK: Waiting for another request

  private func wait(_ ticket: CacheTicket) {
    self.ticket = ticket
    exchange.isCollapsed = true
    sandbox?.noteCollapse(leader: ticket.leader)
    begin(plan.variant)
    trace?.updateBackendCall(call) { $0.isCollapsed = true }
    exchange.cancelHandler = { [self] in leave() }
  }

  private func stopWaiting() {
    guard let finding = ticket?.finding else { return }
    ticket = nil
    settle(finding)
  }

  /// Nobody asks for the response any more: it is not waited for. What is being fetched is fetched to its end.
  func leave() {
    guard let ticket else { return }
    self.ticket = nil
    cache.cancel(ticket)
    trace?.finishBackendCall(call, outcome: .cancelled)
  }

  // MARK: The answer

  private func settle(_ finding: CacheFinding) {
    exchange.cancelHandler = nil
    if let object = finding.object, !finding.isUncacheable {
      if finding.isUsable {
        if let obligation = finding.obligation { refresh(obligation) }
        return respond(from: object, isHit: true)
      }
      // The one who was waited for has failed.
      if finding.obligation == nil, finding.freshness == .staleIfError { return respond(from: object, isHit: true) }
    }
    if exchange.isCollapsed {
      exchange.isCollapsed = false
      trace?.updateBackendCall(call) { $0.isCollapsed = false }
    }
    fetch(finding.obligation, masking: finding.freshness == .staleIfError)
  }

  /// Settles with a stored response, as far as it is written.
  private func respond(from object: CachedObject, isHit: Bool) {
    guard let stored = object.response else { return fail(SendError(.internalError)) }
    let age = Int64(clamping: object.age(at: cache.now) / HTTPCacheOptions.second)
    var (head, selection) = stored.response(
      to: plan.request, age: age, length: object.body.knownLength, adjusted: true, now: WallClock.seconds)
    ReadThrough.finish(&head, hits: isHit ? max(1, object.hitCount) : 0, to: plan.request)
    let pipe: BodyPipe
    if let span = CachedBodySpan(selection) {
      pipe = CachedBodyReader.pipe(object.body, span, on: loop.eventLoop)
    } else {
      pipe = BodyPipe(expectedLength: 0)
      pipe.finish()
    }
    settle(.responded(head, body: pipe))
    if exchange.isCollapsed { trace?.finishBackendCall(call, outcome: .ok, status: Int(head.status)) }
  }

  private func settle(_ state: BackendExchange.State) {
    exchange.settle(state)
    exchange.end(at: ctimestamp_monotonic())
  }

  private func fail(_ error: SendError) { settle(.failed(error)) }

  // MARK: Fetching

  /// Sends: for the whole response where there is a duty to store it, otherwise as the guest has it.
  ///
  /// - Parameter masking: Whether the present response may be used when this fails.
  private func fetch(_ obligation: CacheObligation?, masking: Bool = false) {
    let present = obligation?.present?.response?.head
    let isConditional = present.map(HTTPValidation.canRevalidate) ?? false
    let variant = isConditional ? .cacheRevalidate : plan.variant
    if call == .none { begin(variant) } else { trace?.updateBackendCall(call) { $0.variant = variant } }
    let head =
      obligation == nil ? plan.request : HTTPValidation.backendRequest(for: plan.request, revalidating: present)
    send(head, as: call) { [self] state in
      switch state {
      case .inFlight: fail(SendError(.internalError))
      case .failed(let error):
        if masking, let object = use(obligation) { return respond(from: object, isHit: true) }
        giveUp(obligation, for: ReadThrough.failureTime)
        fail(error)
      case .responded(let head, let body):
        if head.status == 304, isConditional { return revalidated(obligation, head, body) }
        if masking, HTTPCacheability.isError(status: head.status), let object = use(obligation) {
          body.cancel()
          return respond(from: object, isHit: true)
        }
        take(head, body, obligation)
      }
    }
  }

  /// Lets all who wait use the stale response.
  private func use(_ obligation: CacheObligation?) -> CachedObject? {
    guard let obligation, let object = obligation.present else { return nil }
    do { try obligation.chooseStale() } catch { return nil }
    return object
  }

  /// Those who wait go on by themselves, all at once.
  private func giveUp(_ obligation: CacheObligation?, for time: UInt64) {
    guard let obligation else { return }
    var attributes = CacheAttributes()
    attributes.lifetime.maxAge = time
    do { try obligation.recordUncacheable(attributes) } catch { obligation.cancel() }
  }

  private func revalidated(_ obligation: CacheObligation?, _ head: ResponseHead, _ body: BodyPipe) {
    body.cancel()
    if let obligation, let object = update(obligation, by: head) { return respond(from: object, isHit: true) }
    // The 304 is about another response, or this one is gone meanwhile: it has to come whole.
    giveUp(obligation, for: ReadThrough.failureTime)
    fetch(nil)
  }

  /// Gives the present response the fields of a 304; nil when that is about another one.
  private func update(_ obligation: CacheObligation, by head: ResponseHead) -> CachedObject? {
    guard let present = obligation.present?.response,
      HTTPValidation.isFreshened(present.head.headers, by: head.headers)
    else { return nil }
    let merged = HTTPStoredResponse.freshened(present.head, by: head)
    var options = HTTPCacheOptions(
      for: merged, key: plan.key, now: WallClock.seconds, standardLifetime: ReadThrough.standardLifetime)
    plan.override.apply(to: &options)
    guard let attributes = try? options.attributes(head: merged) else { return nil }
    return try? obligation.update(attributes)
  }

  /// A response that is new: it is stored and read back, or goes to this request only.
  private func take(_ head: ResponseHead, _ body: BodyPipe, _ obligation: CacheObligation?) {
    switch store(head, body, obligation) {
    case let object?: respond(from: object, isHit: false)
    case nil: settle(.responded(head, body: body))
    }
  }

  private func store(_ head: ResponseHead, _ body: BodyPipe, _ obligation: CacheObligation?) -> CachedObject? {
    guard plan.part == .stores else { return nil }
    let decision = ReadThrough.decide(
      on: head, to: plan.request, plan.override, key: plan.key, bodyLength: body.expectedLength,
      mode: service.settings.readThrough, now: WallClock.seconds)
    switch decision {
    case .pass(let time):
      giveUp(obligation, for: time)
      return nil
    case .store(let options):
      guard let attributes = try? options.attributes(head: HTTPStoredResponse.prepared(head)),
        let writer = try? obligation?.insert(attributes) ?? cache.insert(attributes, for: plan.query)
      else {
        giveUp(obligation, for: ReadThrough.failureTime)
        return nil
      }
      trace?.updateDeep { $0.cacheInserts += 1 }
      writer.fill(from: body)
      return writer.object
    }
  }

  // MARK: Refreshing behind a response

  /// Fetches anew while the guest uses what is stale (RFC 5861 §3). Nobody waits for it.
  private func refresh(_ obligation: CacheObligation) {
    let present = obligation.present?.response?.head
    let isConditional = present.map(HTTPValidation.canRevalidate) ?? false
    let token = record(isConditional ? .cacheRevalidate : .cacheFetch)
    send(HTTPValidation.backendRequest(for: plan.request, revalidating: present), as: token) { [self] state in
      guard case .responded(let head, let body) = state else { return obligation.cancel() }
      if head.status == 304, isConditional {
        body.cancel()
        if update(obligation, by: head) == nil { obligation.cancel() }
      } else if HTTPCacheability.isError(status: head.status) {
        // What is stored is better, for as long as it may be used.
        body.cancel()
        obligation.cancel()
      } else if store(head, body, obligation) == nil {
        body.cancel()
      }
    }
  }

  // MARK: The backend and the trace

  private func send(
    _ head: RequestHead, as token: BackendCallToken, then use: @escaping (BackendExchange.State) -> Void
  ) {
    var wire: RequestHead
    do { wire = try BackendTarget.wireHead(for: head, to: plan.backend) } catch {
      trace?.finishBackendCall(token, outcome: .networkError, failure: BackendFailure(abiTag: error.tag.rawValue))
      return use(.failed(error))
    }
    if let own = trace?.traceparent(of: token) {
      TracePropagation.carry(own, from: clientHeaders, to: &wire.headers)
    }
    let sent = loop.connector.send(
      BackendRequest(head: wire, framing: plan.framing, body: .empty), to: plan.backend)
    sandbox?.exchangesInFlight += 1
    sent.onSettled = { [unowned sent] in use(sent.state) }
    sent.onEnded = { [weak sandbox, trace] sent in
      sandbox?.exchangesInFlight -= 1
      trace?.record(sent, as: token)
    }
  }

  private func begin(_ variant: BackendVariant) { call = record(variant) }

  private func record(_ variant: BackendVariant) -> BackendCallToken {
    trace?.backendCall(
      to: plan.backendName, method: plan.request.method, url: RedactedURL(plan.request.uri), variant: variant,
      isDynamic: plan.backend.isDynamic) ?? .none
  }
}
