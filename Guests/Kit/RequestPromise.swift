/// A wait for another request in the same sandbox.
struct RequestPromise {
  let handle: UInt32

  init(handle: UInt32) {
    self.handle = handle
  }

  /// Asks for one; without a time, for as long as the host allows.
  init(milliseconds: UInt64? = nil) throws(Status) {
    var options = milliseconds ?? 0
    handle = try number { hostDownstreamNextRequest(milliseconds == nil ? 0 : 2, &options, $0) }
  }

  /// The request and its body; `none` is thrown when none came.
  func wait() throws(Status) -> (Request, Body) {
    var request = invalidHandle
    var body = invalidHandle
    try check(hostDownstreamNextRequestWait(handle, &request, &body))
    return (Request(handle: request), Body(handle: body))
  }

  /// Wants no other request.
  func abandon() throws(Status) {
    try check(hostDownstreamNextRequestAbandon(handle))
  }
}
