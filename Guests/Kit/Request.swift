/// A request: the client's, or one to send to a backend.
struct Request {
  let handle: UInt32

  init(handle: UInt32) {
    self.handle = handle
  }

  /// A new request: `GET /`, HTTP/1.1, without headers.
  init() throws(Status) {
    handle = try number(hostRequestNew)
  }

  init(method: Text = "GET", uri: Text) throws(Status) {
    try self.init()
    if method != "GET" { try setMethod(method) }
    try setURI(uri)
  }

  /// The client's request and its body.
  static func downstream() throws(Status) -> (Request, Body) {
    var request = invalidHandle
    var body = invalidHandle
    try check(hostRequestBodyDownstreamGet(&request, &body))
    return (Request(handle: request), Body(handle: body))
  }

  var headers: Headers { Headers(request: handle) }

  func method() throws(Status) -> Text {
    try Reading.complete(capacity: 32) { buffer, capacity, written in
      hostRequestMethodGet(handle, buffer, capacity, written)
    }
  }

  func setMethod(_ method: Text) throws(Status) {
    try check(method.withBytes { hostRequestMethodSet(handle, $0, $1) })
  }

  func uri() throws(Status) -> Text {
    try Reading.complete { buffer, capacity, written in
      hostRequestUriGet(handle, buffer, capacity, written)
    }
  }

  func setURI(_ uri: Text) throws(Status) {
    try check(uri.withBytes { hostRequestUriSet(handle, $0, $1) })
  }

  /// The address, cut into path and query.
  func target() throws(Status) -> Target {
    Target(uri: try uri())
  }

  /// The protocol version's number in the ABI: 0 to 4 for HTTP/0.9, 1.0, 1.1, 2 and 3.
  func version() throws(Status) -> UInt32 {
    try number { hostRequestVersionGet(handle, $0) }
  }

  func setVersion(_ version: UInt32) throws(Status) {
    try check(hostRequestVersionSet(handle, version))
  }

  /// Whether the message's length fields are the guest's (`true`) or the host's business.
  func setManualFraming(_ manual: Bool) throws(Status) {
    try check(hostRequestFramingHeadersModeSet(handle, manual ? 1 : 0))
  }

  /// Asks the host to decompress a gzip response.
  func setAutoDecompress() throws(Status) {
    try check(hostRequestAutoDecompressResponseSet(handle, 1))
  }

  func close() throws(Status) {
    try check(hostRequestClose(handle))
  }
}

/// Sending to a backend.
extension Request {
  /// Which of the blocking send hostcalls to use.
  enum SendVersion {
    case first, second, third
  }

  /// Which of the sends that do not wait to use; in the streaming ones the body stays open for writing.
  enum AsyncVersion {
    case first, second, firstStreaming, secondStreaming
  }

  /// Sends and waits for the response's head. Request and body are used up.
  func send(_ body: Body, to backend: Text, version: SendVersion = .second) -> SendOutcome {
    SendOutcome.of { detail, response, responseBody in
      backend.withBytes { name, count in
        switch version {
        case .first: hostRequestSend(handle, body.handle, name, count, response, responseBody)
        case .second: hostRequestSendV2(handle, body.handle, name, count, detail, response, responseBody)
        case .third: hostRequestSendV3(handle, body.handle, name, count, detail, response, responseBody)
        }
      }
    }
  }

  /// Sends without a body and waits for the response's head.
  func send(to backend: Text, version: SendVersion = .second) throws(Status) -> SendOutcome {
    send(try Body(), to: backend, version: version)
  }

  /// Starts to send. The request is used up, and the body too unless it streams.
  func sendAsync(_ body: Body, to backend: Text, version: AsyncVersion = .second) throws(Status) -> PendingRequest {
    PendingRequest(
      handle: try number { pending in
        backend.withBytes { name, count in
          switch version {
          case .first: hostRequestSendAsync(handle, body.handle, name, count, pending)
          case .second: hostRequestSendAsyncV2(handle, body.handle, name, count, 0, pending)
          case .firstStreaming: hostRequestSendAsyncStreaming(handle, body.handle, name, count, pending)
          case .secondStreaming: hostRequestSendAsyncV2(handle, body.handle, name, count, 1, pending)
          }
        }
      })
  }
}

/// A request under way.
struct PendingRequest {
  /// Which of two generations of hostcalls to use; only the second tells why a request failed.
  enum Version {
    case first, second
  }

  let handle: UInt32

  /// The outcome if it is there already.
  func poll(version: Version = .second) -> SendOutcome? {
    var isDone: UInt32 = 0
    var detail = SendErrorDetail()
    var response = invalidHandle
    var body = invalidHandle
    let code =
      switch version {
      case .first: hostRequestPendingReqPoll(handle, &isDone, &response, &body)
      case .second: hostRequestPendingReqPollV2(handle, &detail, &isDone, &response, &body)
      }
    let status = Status(code: code)
    if status == .ok, isDone == 0 { return nil }
    return SendOutcome(status: status, detail: detail, response: response, body: body)
  }

  func wait(version: Version = .second) -> SendOutcome {
    SendOutcome.of { detail, response, body in
      switch version {
      case .first: hostRequestPendingReqWait(handle, response, body)
      case .second: hostRequestPendingReqWaitV2(handle, detail, response, body)
      }
    }
  }

  /// The first of several requests to finish, as its place in the list; the others stay valid.
  static func select(_ requests: [PendingRequest], version: Version = .second) -> (index: UInt32, SendOutcome) {
    var index = UInt32.max
    let handles = requests.map { $0.handle }
    let outcome = handles.withUnsafeBufferPointer { handles in
      SendOutcome.of { detail, response, body in
        let count = UInt32(handles.count)
        return switch version {
        case .first: hostRequestPendingReqSelect(handles.baseAddress, count, &index, response, body)
        case .second: hostRequestPendingReqSelectV2(handles.baseAddress, count, detail, &index, response, body)
        }
      }
    }
    return (index, outcome)
  }
}
