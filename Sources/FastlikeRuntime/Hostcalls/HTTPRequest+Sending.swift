import CTimestamp
import ComputeABI
import FastlikeProfile
import NIOCore

/// `fastly_http_req`: sending requests to backends and taking their responses.
extension Sandbox {
  /// Backend requests that one guest may have under way; the platform allows 32 in all.
  static let maximumExchanges = 512

  typealias SentHandles = (responseHandle: ResponseHandle, bodyHandle: BodyHandle)

  // MARK: Waiting sends

  func httpReqSend(handle: RequestHandle, body: BodyHandle, backend: GuestBytes) throws(Status) -> Blocking<SentHandles>
  {
    try send(handle, body, backend, .send, detail: nil)
  }

  func httpReqSendV2(
    handle: RequestHandle, body: BodyHandle, backend: GuestBytes, errorDetail: SendErrorDetail
  ) throws(Status) -> Blocking<SentHandles> {
    try send(handle, body, backend, .sendV2, detail: errorDetail)
  }

  func httpReqSendV3(
    handle: RequestHandle, body: BodyHandle, backend: GuestBytes, errorDetail: SendErrorDetail
  ) throws(Status) -> Blocking<SentHandles> {
    try send(handle, body, backend, .sendV3, detail: errorDetail)
  }

  private func send(
    _ handle: RequestHandle, _ body: BodyHandle, _ backend: GuestBytes, _ variant: BackendVariant,
    detail: SendErrorDetail?
  ) throws(Status) -> Blocking<SentHandles> {
    let pending = try start(handle, body, backend, variant, streaming: false, detail: detail)
    return try .waiting(for: pending.waitCause) { () throws(Status) in
      pending.isSettled ? try self.take(pending, detail: detail) : nil
    }
  }

  // MARK: Sends that do not wait

  func httpReqSendAsync(handle: RequestHandle, body: BodyHandle, backend: GuestBytes) throws(Status)
    -> PendingRequestHandle
  {
    try sendAsync(handle, body, backend, .sendAsync, streaming: false)
  }

  func httpReqSendAsyncV2(
    handle: RequestHandle, body: BodyHandle, backend: GuestBytes, streaming: UInt32
  ) throws(Status) -> PendingRequestHandle {
    try sendAsync(handle, body, backend, .sendAsyncV2, streaming: streaming == 1)
  }

  func httpReqSendAsyncStreaming(handle: RequestHandle, body: BodyHandle, backend: GuestBytes) throws(Status)
    -> PendingRequestHandle
  {
    try sendAsync(handle, body, backend, .sendAsyncStreaming, streaming: true)
  }

  private func sendAsync(
    _ handle: RequestHandle, _ body: BodyHandle, _ backend: GuestBytes, _ variant: BackendVariant, streaming: Bool
  ) throws(Status) -> PendingRequestHandle {
    let pending = try start(handle, body, backend, variant, streaming: streaming, detail: nil)
    let number = try insert(.pending(pending))
    trace?.updateBackendCall(pending.call) { $0.pendingID = number }
    return PendingRequestHandle(rawValue: number)
  }

  /// Begins to send: takes the request and its body from the guest and hands them to the connector.
  private func start(
    _ handle: RequestHandle, _ bodyHandle: BodyHandle, _ backendName: GuestBytes, _ variant: BackendVariant,
    streaming: Bool, detail: SendErrorDetail?
  ) throws(Status) -> PendingRequest {
    let request = try guestRequest(handle)
    let body = try plainBody(bodyHandle)
    guard exchangesInFlight < Sandbox.maximumExchanges else { throw .limitexceeded }
    _ = requests.remove(handle.rawValue)
    let name = try backendName.string()
    trace?.label(.backend, name)
    guard let backend = self.backend(named: name) else {
      _ = items.remove(bodyHandle.rawValue)
      body.discard()
      try detail?.report(SendError(.destinationNotFound))
      throw .inval
    }
    let exchange: BackendExchange
    var call = BackendCallToken.none
    do throws(SendError) {
      if let pending = try readThrough(
        request, body, bodyHandle, to: backend, named: name, variant, streaming: streaming)
      {
        return pending
      }
      call = record(request.head, to: backend, named: name, as: variant)
      var head = try BackendTarget.wireHead(for: request.head, to: backend)
      head.headers.remove(ReadThrough.keyName)
      if let own = trace?.traceparent(of: call) {
        TracePropagation.carry(own, from: served.request.head.headers, to: &head.headers)
      }
      let outgoing = release(body, bodyHandle, streaming: streaming)
      exchange = loop.connector.send(BackendRequest(head: head, framing: request.framing, body: outgoing), to: backend)
      invalidate(after: exchange, request.head)
    } catch {
      // The call fails as one that was sent would, so that waiting for it tells why.
      if call == .none { call = record(request.head, to: backend, named: name, as: variant) }
      _ = items.remove(bodyHandle.rawValue)
      body.discard()
      exchange = BackendExchange(started: ctimestamp_monotonic())
      exchange.settle(.failed(error))
      exchange.end(at: ctimestamp_monotonic())
    }
    let pending = PendingRequest(
      exchange: exchange, decodesGzip: request.decodesGzip, bypassesCache: request.cacheOverride.isPass,
      call: call, trace: trace)
    follow(pending)
    return pending
  }

  private func record(
    _ head: RequestHead, to backend: BackendDefinition, named name: String, as variant: BackendVariant
  )
    -> BackendCallToken
  {
    trace?.backendCall(
      to: name, method: head.method, url: RedactedURL(head.uri), variant: variant,
      isDynamic: backend.isDynamic) ?? .none
  }

  /// Lets a body leave for a backend. A streaming one stays with the guest under its number, as the write end.
  private func release(_ body: GuestBody, _ handle: BodyHandle, streaming: Bool) -> OutgoingBody {
    guard streaming else {
      _ = items.remove(handle.rawValue)
      return body.outgoing()
    }
    let pipe = BodyPipe()
    let writer = StreamingBody(pipe: pipe, to: .backend, waker: waker)
    writer.move(body)
    items[handle.rawValue] = .streaming(writer)
    return .pipe(pipe, knownLength: nil)
  }

  /// Joins an exchange to the guest's waiting and to the trace.
  private func follow(_ pending: PendingRequest) {
    let exchange = pending.exchange
    exchange.onSettled = { [waker] in waker.wake() }
    let (trace, call) = (trace, pending.call)
    guard exchange.phases.ended == nil else {
      trace?.record(exchange, as: call)
      return
    }
    exchangesInFlight += 1
    exchange.onEnded = { [weak self] exchange in
      self?.exchangesInFlight -= 1
      trace?.record(exchange, as: call)
    }
  }

  /// Gives the guest what a settled exchange brought.
  func take(_ pending: PendingRequest, detail: SendErrorDetail?) throws(Status) -> SentHandles {
    pending.observe()
    switch pending.exchange.state {
    case .inFlight: throw .error
    case .failed(let error):
      try detail?.report(error)
      throw detail == nil ? error.status : .error
    case .responded(var head, let pipe):
      try detail?.report(nil)
      pending.edit(&head.headers, isFailure: false)
      let content = pending.decode(pipe, head: &head)
      let response = GuestResponse(head: head)
      response.peerAddress = pending.bypassesCache ? pending.exchange.phases.peerAddress : nil
      let body = GuestBody(pipe: content, from: .backend, waker: waker, budget: budget)
      return (try insert(response), BodyHandle(rawValue: try insert(.body(body))))
    }
  }

  // MARK: Pending requests

  func httpReqPendingReqWait(handle: PendingRequestHandle) throws(Status) -> Blocking<SentHandles> {
    try wait(handle, detail: nil)
  }

  func httpReqPendingReqWaitV2(handle: PendingRequestHandle, errorDetail: SendErrorDetail) throws(Status)
    -> Blocking<SentHandles>
  {
    try wait(handle, detail: errorDetail)
  }

  private func wait(_ handle: PendingRequestHandle, detail: SendErrorDetail?) throws(Status) -> Blocking<SentHandles> {
    let pending = try pendingRequest(handle)
    _ = items.remove(handle.rawValue)
    pending.observe()
    return try .waiting(for: pending.waitCause) { () throws(Status) in
      pending.isSettled ? try self.take(pending, detail: detail) : nil
    }
  }

  func httpReqPendingReqPoll(handle: PendingRequestHandle) throws(Status)
    -> (isDone: Bool, responseHandle: ResponseHandle, bodyHandle: BodyHandle)
  {
    try poll(handle, detail: nil)
  }

  func httpReqPendingReqPollV2(handle: PendingRequestHandle, errorDetail: SendErrorDetail) throws(Status)
    -> (isDone: Bool, responseHandle: ResponseHandle, bodyHandle: BodyHandle)
  {
    try poll(handle, detail: errorDetail)
  }

  private func poll(_ handle: PendingRequestHandle, detail: SendErrorDetail?) throws(Status)
    -> (isDone: Bool, responseHandle: ResponseHandle, bodyHandle: BodyHandle)
  {
    let pending = try pendingRequest(handle)
    pending.observe()
    guard pending.isSettled else { return (false, .invalid, .invalid) }
    _ = items.remove(handle.rawValue)
    let taken = try take(pending, detail: detail)
    return (true, taken.responseHandle, taken.bodyHandle)
  }

  typealias Selected = (doneIdx: UInt32, responseHandle: ResponseHandle, bodyHandle: BodyHandle)

  func httpReqPendingReqSelect(handles: GuestArray) throws(Status) -> Blocking<Selected> {
    try select(handles, detail: nil)
  }

  func httpReqPendingReqSelectV2(handles: GuestArray, errorDetail: SendErrorDetail) throws(Status) -> Blocking<Selected>
  {
    try select(handles, detail: errorDetail)
  }

  /// Waits for the first of several. One that failed answers its index with handles that are none.
  private func select(_ handles: GuestArray, detail: SendErrorDetail?) throws(Status) -> Blocking<Selected> {
    guard handles.count > 0 else { throw .inval }
    let numbers = handles.values
    var candidates: [PendingRequest] = []
    for number in numbers { candidates.append(try pendingRequest(PendingRequestHandle(rawValue: number))) }
    for candidate in candidates { candidate.observe() }
    return try .waiting(for: .backend) { () throws(Status) in
      guard let index = candidates.firstIndex(where: \.isSettled) else { return nil }
      _ = self.items.remove(numbers[index])
      do throws(Status) {
        let taken = try self.take(candidates[index], detail: detail)
        return (UInt32(index), taken.responseHandle, taken.bodyHandle)
      } catch {
        return (UInt32(index), .invalid, .invalid)
      }
    }
  }

  // MARK: Edits of responses that the guest will not see

  func httpReqPendingReqHeaderInsert(
    handle: PendingRequestHandle, name: GuestBytes, value: GuestBytes, target: PendingResponseKind
  ) throws(Status) {
    try queue(.insert, handle, name, value, target)
  }

  func httpReqPendingReqHeaderAppend(
    handle: PendingRequestHandle, name: GuestBytes, value: GuestBytes, target: PendingResponseKind
  ) throws(Status) {
    try queue(.append, handle, name, value, target)
  }

  func httpReqPendingReqHeaderRemove(
    handle: PendingRequestHandle, name: GuestBytes, target: PendingResponseKind
  ) throws(Status) {
    try queue(.remove, handle, name, nil, target)
  }

  private func queue(
    _ action: PendingRequest.HeaderEdit.Action, _ handle: PendingRequestHandle, _ name: GuestBytes,
    _ value: GuestBytes?, _ target: PendingResponseKind
  ) throws(Status) {
    let pending = try pendingRequest(handle)
    try HeaderRules.check(name: name)
    if let value { try HeaderRules.check(value: value.raw) }
    label(header: name)
    try pending.queue(
      PendingRequest.HeaderEdit(action: action, name: name.array(), value: value?.array() ?? [], target: target))
  }
}

extension PendingRequest {
  /// Takes gzip off a response where the guest asked for that and the response is exactly so coded.
  func decode(_ pipe: BodyPipe, head: inout ResponseHead) -> BodyPipe {
    guard decodesGzip, let coding = head.headers.first("content-encoding"), ["gzip", "x-gzip"].contains(coding),
      head.headers.indices(of: "content-encoding".utf8).count == 1
    else { return pipe }
    head.headers.remove("content-encoding")
    head.headers.remove("content-length")
    return pipe.gunzipped()
  }
}

extension SendError {
  /// The status of the sends that have no error detail.
  var status: Status {
    switch tag {
    case .destinationNotFound: .inval
    case .httpIncompleteResponse: .httpincomplete
    case .httpProtocolError, .httpResponseStatusInvalid: .httpinvalid
    case .httpResponseHeaderSectionTooLarge: .httpheadtoolarge
    default: .error
    }
  }
}

extension SendErrorDetail {
  /// Tells the guest how a send ended, in the fields that it knows; nil is success.
  func report(_ error: SendError?) throws(Status) {
    let known = SendErrorDetailMask(rawValue: try mask())
    var filled: SendErrorDetailMask = []
    try setTag(error?.tag ?? .ok)
    if let code = error?.dnsResponseCode, known.contains(.dnsErrorRcode) {
      try setDnsErrorRcode(code)
      filled.insert(.dnsErrorRcode)
    }
    if let alert = error?.tlsAlert, known.contains(.tlsAlertId) {
      try setTlsAlertId(alert)
      filled.insert(.tlsAlertId)
    }
    if let farewell = error?.http2, known.contains(.h2Error) {
      try setH2ErrorFrame(farewell.frame.rawValue)
      try setH2ErrorCode(farewell.code)
      filled.insert(.h2Error)
    }
    try setMask(filled.rawValue)
  }
}

extension TraceRecorder {
  /// Writes what an exchange did into its backend call.
  func record(_ exchange: BackendExchange, as call: BackendCallToken) {
    let phases = exchange.phases
    updateBackendCall(call) { entry in
      entry.dns = phase(from: phases.dnsStarted, to: phases.dnsEnded)
      entry.connect = phase(from: phases.connectStarted, to: phases.connectEnded)
      entry.tls = phase(from: phases.tlsStarted, to: phases.tlsEnded)
      entry.requestSent = phases.requestSent.map { offset(ofMonotonic: $0) }
      entry.firstByte = phases.firstByte.map { offset(ofMonotonic: $0) }
      entry.reusedConnection = phases.reusedConnection
      entry.peerAddress = phases.peerAddress.flatMap { address in
        address.ipAddress.map { "\($0):\(address.port ?? 0)" }
      }
      entry.requestHeaderBytes = Int64(phases.requestHeadBytes)
      entry.requestBodyBytes = Int64(phases.requestBodyBytes)
      entry.responseHeaderBytes = Int64(phases.responseHeadBytes)
      entry.responseBodyBytes = Int64(phases.responseBodyBytes)
      entry.httpVersion = phases.firstByte == nil ? nil : phases.isHTTP2 ? .http2 : .http11
    }
    switch exchange.state {
    case .inFlight: finishBackendCall(call, outcome: .cancelled, endedAt: phases.ended)
    case .responded(let head, _):
      finishBackendCall(call, outcome: .ok, status: Int(head.status), endedAt: phases.ended)
    case .failed(let error):
      finishBackendCall(
        call, outcome: error.isSynthetic ? .syntheticFailure : .networkError,
        failure: BackendFailure(abiTag: error.tag.rawValue), endedAt: phases.ended)
    }
  }
}
