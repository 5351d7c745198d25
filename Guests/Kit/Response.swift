/// A response: one for the client, or a backend's.
struct Response {
  let handle: UInt32

  init(handle: UInt32) {
    self.handle = handle
  }

  /// A new response without headers.
  init(status: UInt16 = 200) throws(Status) {
    handle = try number(hostResponseNew)
    if status != 200 { try setStatus(UInt32(status)) }
  }

  var headers: Headers { Headers(response: handle) }

  func status() throws(Status) -> UInt16 {
    var status: UInt16 = 0
    try check(hostResponseStatusGet(handle, &status))
    return status
  }

  /// Sets the status code; the host accepts 100 to 999.
  func setStatus(_ status: UInt32) throws(Status) {
    try check(hostResponseStatusSet(handle, status))
  }

  /// The protocol version's number in the ABI: 0 to 4 for HTTP/0.9, 1.0, 1.1, 2 and 3.
  func version() throws(Status) -> UInt32 {
    try number { hostResponseVersionGet(handle, $0) }
  }

  func setVersion(_ version: UInt32) throws(Status) {
    try check(hostResponseVersionSet(handle, version))
  }

  /// Whether the message's length fields are the guest's (`true`) or the host's business.
  func setManualFraming(_ manual: Bool) throws(Status) {
    try check(hostResponseFramingHeadersModeSet(handle, manual ? 1 : 0))
  }

  /// Sends head and body to the client; both are used up. A live backend body goes on flowing without the guest.
  func send(_ body: Body) throws(Status) {
    try check(hostResponseSendDownstream(handle, body.handle, 0))
  }

  /// Sends the head and leaves the body open: what is written goes to the client, until `close` or `abandon`.
  func sendStreaming(_ body: Body) throws(Status) {
    try check(hostResponseSendDownstream(handle, body.handle, 1))
  }

  func close() throws(Status) {
    try check(hostResponseClose(handle))
  }
}

extension Response {
  /// Sends a complete response with a text.
  static func send(
    status: UInt16 = 200, contentType: Text = "text/plain; charset=utf-8", _ content: Text
  ) throws(Status) {
    let response = try Response(status: status)
    try response.headers.insert("content-type", contentType)
    try response.send(try Body(content))
  }

  /// Starts a response with a text that is written piece by piece.
  static func stream(
    status: UInt16 = 200, contentType: Text = "text/plain; charset=utf-8"
  ) throws(Status) -> Body {
    let response = try Response(status: status)
    try response.headers.insert("content-type", contentType)
    let body = try Body()
    try response.sendStreaming(body)
    return body
  }
}
