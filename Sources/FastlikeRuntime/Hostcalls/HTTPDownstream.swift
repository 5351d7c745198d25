import ComputeABI
import NIOCore

/// The client's facts: `fastly_http_downstream`, and the older functions of `fastly_http_req` that mean the present request.
extension Sandbox {
  /// The request that the client sent. A request that the guest made is `error`.
  func downstream(_ handle: RequestHandle) throws(Status) -> DownstreamRequest {
    try client(handle).request
  }

  private func client(_ handle: RequestHandle) throws(Status) -> ServedRequest {
    guard let client = try guestRequest(handle).client else { throw .error }
    return client
  }

  /// A fact that a plain connection does not have.
  private func absent(_ handle: RequestHandle) throws(Status) -> Never {
    _ = try downstream(handle)
    throw .none
  }

  // MARK: Original headers

  func httpDownstreamDownstreamOriginalHeaderNames(req: RequestHandle, buf: GuestItemOutput) throws(Status) {
    let headers = try downstream(req).head.headers
    try buf.write(count: headers.count) { headers.name(at: $0) }
  }

  func httpDownstreamDownstreamOriginalHeaderCount(req: RequestHandle) throws(Status) -> UInt32 {
    UInt32(try downstream(req).head.headers.count)
  }

  func httpReqOriginalHeaderNamesGet(buf: GuestItemOutput) throws(Status) {
    try buf.write(count: request.head.headers.count) { request.head.headers.name(at: $0) }
  }

  func httpReqOriginalHeaderCount() throws(Status) -> UInt32 { UInt32(request.head.headers.count) }

  // MARK: Addresses and ids

  /// The address that the configuration gives, else the connection's.
  private func write(_ configured: IPAddress?, _ address: SocketAddress?, to output: GuestOutput) throws(Status) {
    // A client on a Unix socket is a local one.
    try output.write(configured?.octets ?? address?.octets ?? [127, 0, 0, 1])
  }

  private func writeClientAddress(of request: DownstreamRequest, to output: GuestOutput) throws(Status) {
    try write(service.configuration.downstream.clientAddress, request.connection.clientAddress, to: output)
  }

  private func writeServerAddress(of request: DownstreamRequest, to output: GuestOutput) throws(Status) {
    try write(service.configuration.downstream.serverAddress, request.connection.serverAddress, to: output)
  }

  func httpDownstreamDownstreamClientIPAddr(req: RequestHandle, addrOctets: GuestOutput) throws(Status) {
    try writeClientAddress(of: try downstream(req), to: addrOctets)
  }

  func httpDownstreamDownstreamServerIPAddr(req: RequestHandle, addrOctets: GuestOutput) throws(Status) {
    try writeServerAddress(of: try downstream(req), to: addrOctets)
  }

  func httpReqDownstreamClientIPAddr(addrOctets: GuestOutput) throws(Status) {
    try writeClientAddress(of: request, to: addrOctets)
  }

  func httpReqDownstreamServerIPAddr(addrOctets: GuestOutput) throws(Status) {
    try writeServerAddress(of: request, to: addrOctets)
  }

  func httpDownstreamDownstreamClientRequestId(req: RequestHandle, reqid: GuestOutput) throws(Status) {
    try reqid.write(try client(req).id)
  }

  func httpReqDownstreamClientRequestId(reqid: GuestOutput) throws(Status) { try reqid.write(served.id) }

  // MARK: Further requests in the same sandbox

  func httpDownstreamNextRequest(optionsMask: NextRequestOptionsMask, options: NextRequestOptions) throws(Status)
    -> RequestPromiseHandle
  {
    let milliseconds = try options.timeoutMs()
    let isTimed = optionsMask.contains(.timeout)
    return RequestPromiseHandle(rawValue: try promiseRequest(milliseconds: isTimed ? milliseconds : nil))
  }

  private func promise(_ handle: RequestPromiseHandle) throws(Status) -> RequestPromise {
    guard case .promise(let promise) = items[handle.rawValue] else { throw .badf }
    return promise
  }

  func httpDownstreamNextRequestWait(handle: RequestPromiseHandle) throws(Status)
    -> Blocking<(requestHandle: RequestHandle, bodyHandle: BodyHandle)>
  {
    let promise = try promise(handle)
    // The promise stays.
    if served.responseState == .awaited { throw .unsupported }
    _ = items.remove(handle.rawValue)
    if !promise.isSettled { part() }
    return try .waiting(for: .client) { () throws(Status) in promise.isSettled ? try self.adopt(promise) : nil }
  }

  func httpDownstreamNextRequestAbandon(handle: RequestPromiseHandle) throws(Status) {
    _ = try promise(handle)
    _ = items.remove(handle.rawValue)
    abandonPromise()
  }
}
