import ComputeABI
import FastlikeProfile
import NIOCore

/// `fastly_http_resp`: making responses, and sending them to the client.
extension Sandbox {
  func httpRespNew() throws(Status) -> ResponseHandle { try insert(GuestResponse()) }

  func httpRespClose(handle: ResponseHandle) throws(Status) {
    guard responses.remove(handle.rawValue) != nil else { throw .badf }
  }

  // MARK: Status, version

  func httpRespStatusGet(handle: ResponseHandle) throws(Status) -> UInt16 { try guestResponse(handle).head.status }

  func httpRespStatusSet(handle: ResponseHandle, status: UInt16) throws(Status) {
    let response = try guestResponse(handle)
    guard (100...999).contains(status) else { throw .inval }
    response.head.status = status
  }

  func httpRespVersionGet(handle: ResponseHandle) throws(Status) -> HTTPVersionTag {
    try guestResponse(handle).head.version
  }

  func httpRespVersionSet(handle: ResponseHandle, version: HTTPVersionTag) throws(Status) {
    try guestResponse(handle).head.version = version
  }

  // MARK: Headers

  func httpRespHeaderNamesGet(handle: ResponseHandle, buf: GuestItemOutput) throws(Status) {
    try HeaderRules.writeNames(of: try guestResponse(handle).head.headers, to: buf)
  }

  func httpRespHeaderValueGet(handle: ResponseHandle, name: GuestBytes, value: GuestOutput) throws(Status) {
    let response = try guestResponse(handle)
    label(header: name)
    try HeaderRules.writeValue(of: name, in: response.head.headers, to: value)
  }

  func httpRespHeaderValuesGet(handle: ResponseHandle, name: GuestBytes, buf: GuestItemOutput) throws(Status) {
    let response = try guestResponse(handle)
    label(header: name)
    try HeaderRules.writeValues(of: name, in: response.head.headers, to: buf)
  }

  func httpRespHeaderValuesSet(handle: ResponseHandle, name: GuestBytes, values: GuestBytes) throws(Status) {
    let response = try guestResponse(handle)
    label(header: name)
    try HeaderRules.setValues(of: name, to: values, in: &response.head.headers)
  }

  func httpRespHeaderInsert(handle: ResponseHandle, name: GuestBytes, value: GuestBytes) throws(Status) {
    let response = try guestResponse(handle)
    label(header: name)
    try HeaderRules.insert(name, value, in: &response.head.headers)
  }

  func httpRespHeaderAppend(handle: ResponseHandle, name: GuestBytes, value: GuestBytes) throws(Status) {
    let response = try guestResponse(handle)
    label(header: name)
    try HeaderRules.append(name, value, in: &response.head.headers)
  }

  func httpRespHeaderRemove(handle: ResponseHandle, name: GuestBytes) throws(Status) {
    let response = try guestResponse(handle)
    label(header: name)
    try HeaderRules.remove(name, in: &response.head.headers)
  }

  // MARK: How it is sent

  func httpRespFramingHeadersModeSet(handle: ResponseHandle, mode: FramingHeadersMode) throws(Status) {
    try guestResponse(handle).framing = mode
  }

  func httpRespHTTPKeepaliveModeSet(handle: ResponseHandle, mode: HTTPKeepaliveMode) throws(Status) {
    try guestResponse(handle).closesConnection = mode == .noKeepalive
  }

  // MARK: Where it came from

  /// The peer is known for responses of requests that bypassed the cache.
  private func peerAddress(_ handle: ResponseHandle) throws(Status) -> SocketAddress {
    guard let address = try guestResponse(handle).peerAddress else { throw .none }
    return address
  }

  func httpRespGetAddrDestIP(handle: ResponseHandle, addrOctets: GuestOutput) throws(Status) {
    guard let octets = try peerAddress(handle).octets else { throw .none }
    try addrOctets.write(octets)
  }

  func httpRespGetAddrDestPort(handle: ResponseHandle) throws(Status) -> UInt16 {
    guard let port = try peerAddress(handle).port else { throw .none }
    return UInt16(port)
  }

  // MARK: Sending

  func httpRespSendDownstream(handle: ResponseHandle, body: BodyHandle, streaming: UInt32) throws(Status)
    -> Blocking<Void>
  {
    let response = try guestResponse(handle)
    let plain = try plainBody(body)
    _ = responses.remove(handle.rawValue)
    _ = items.remove(body.rawValue)
    if response.head.status < 200 {
      plain.discard()
      try sendInformational(response.head)
      return .ready(())
    }
    guard served.responseState == .awaited else {
      plain.discard()
      throw .error
    }
    if streaming == 1 {
      let pipe = BodyPipe()
      let writer = StreamingBody(pipe: pipe, to: .client, waker: waker)
      writer.move(plain)
      items[body.rawValue] = .streaming(writer)
      deliver(response, .pipe(pipe, knownLength: nil))
    } else {
      deliver(response, plain.outgoing())
    }
    return .ready(())
  }

  private func deliver(_ response: GuestResponse, _ body: OutgoingBody) {
    served.deliver(response.head, framing: response.framing, closeAfter: response.closesConnection, body: body)
  }

  /// 103 is sent on at once; every other informational status is the host's own business.
  private func sendInformational(_ head: ResponseHead) throws(Status) {
    guard head.status == 103 else { throw .inval }
    guard served.responseState == .awaited else { throw .error }
    served.sendInformational(head)
  }

  func httpRespSendInformationalResponse(handle: ResponseHandle, status: UInt16) throws(Status) -> Blocking<Void> {
    var head = try guestResponse(handle).head
    head.status = status
    try sendInformational(head)
    return .ready(())
  }

  /// Lets the response of a pending request go to the client when it comes; the guest need not stay for it.
  func httpRespSendDownstreamPending(handle: PendingRequestHandle) throws(Status) -> Blocking<Void> {
    let pending = try pendingRequest(handle)
    _ = items.remove(handle.rawValue)
    pending.observe()
    guard served.responseState == .awaited else {
      pending.exchange.cancel()
      throw .error
    }
    served.responseState = .sent
    // The guest may serve another request by then.
    let finish = { [served] in
      switch pending.exchange.state {
      case .inFlight: served.abort()
      case .responded(var head, let pipe):
        pending.edit(&head.headers, isFailure: false)
        let content = pending.decode(pipe, head: &head)
        served.deliver(head, body: .pipe(content, knownLength: content.expectedLength))
      case .failed(let error):
        var head = ResponseHead(status: error.tag.gatewayStatus, headers: HeaderList([("content-type", "text/plain")]))
        pending.edit(&head.headers, isFailure: true)
        served.deliver(head, body: .bytes(ByteBuffer(string: "backend request failed: \(error.tag)\n")))
      }
    }
    if pending.isSettled { finish() } else { pending.exchange.onSettled = finish }
    return .ready(())
  }
}

extension SendError.Tag {
  /// What a client gets for a request that was passed on and failed so.
  var gatewayStatus: UInt16 {
    switch self {
    case .connectionTimeout, .dnsTimeout, .httpResponseTimeout: 504
    case .internalError, .uninitialized, .ok: 500
    default: 502
    }
  }
}

extension SocketAddress {
  /// The 4 or 16 octets of an IP address; nil for a Unix socket.
  var octets: [UInt8]? { ipAddress.flatMap { IPAddress($0) }?.octets }
}

extension TraceRecorder {
  /// Records names and sizes of a message's headers.
  func recordHeaders(_ message: TracedMessage, of headers: HeaderList) {
    recordHeaders(message) { record in headers.forEachSize(record) }
  }
}
