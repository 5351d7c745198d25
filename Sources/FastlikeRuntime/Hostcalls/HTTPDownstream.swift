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

  private func write(_ address: SocketAddress?, to output: GuestOutput) throws(Status) {
    // A client on a Unix socket is a local one.
    try output.write(address?.octets ?? [127, 0, 0, 1])
  }

  func httpDownstreamDownstreamClientIPAddr(req: RequestHandle, addrOctets: GuestOutput) throws(Status) {
    try write(try downstream(req).connection.clientAddress, to: addrOctets)
  }

  func httpDownstreamDownstreamServerIPAddr(req: RequestHandle, addrOctets: GuestOutput) throws(Status) {
    try write(try downstream(req).connection.serverAddress, to: addrOctets)
  }

  func httpReqDownstreamClientIPAddr(addrOctets: GuestOutput) throws(Status) {
    try write(request.connection.clientAddress, to: addrOctets)
  }

  func httpReqDownstreamServerIPAddr(addrOctets: GuestOutput) throws(Status) {
    try write(request.connection.serverAddress, to: addrOctets)
  }

  func httpDownstreamDownstreamClientRequestId(req: RequestHandle, reqid: GuestOutput) throws(Status) {
    try reqid.write(try client(req).id)
  }

  func httpReqDownstreamClientRequestId(reqid: GuestOutput) throws(Status) { try reqid.write(served.id) }

  // MARK: What the platform decides

  func httpDownstreamDownstreamClientDdosDetected(req: RequestHandle) throws(Status) -> Bool {
    _ = try downstream(req)
    return false
  }

  func httpReqDownstreamClientDdosDetected() throws(Status) -> Bool { false }

  func httpDownstreamDownstreamComplianceRegion(req: RequestHandle, region: GuestOutput) throws(Status) {
    _ = try downstream(req)
    try region.write(service.configuration.complianceRegion)
  }

  func httpReqDownstreamComplianceRegion(region: GuestOutput) throws(Status) {
    try region.write(service.configuration.complianceRegion)
  }

  /// Whether the request carries one of the configured keys now, after the guest's own edits.
  private func hasValidKey(_ headers: HeaderList) -> Bool {
    headers.first("fastly-key").map { service.configuration.fastlyKeys.contains($0) } ?? false
  }

  func httpDownstreamFastlyKeyIsValid(req: RequestHandle) throws(Status) -> Bool {
    _ = try downstream(req)
    return hasValidKey(try guestRequest(req).head.headers)
  }

  func httpReqFastlyKeyIsValid() throws(Status) -> Bool {
    hasValidKey(requests[downstreamHandles.request.rawValue]?.head.headers ?? request.head.headers)
  }

  func httpDownstreamDownstreamVisitsThisService() throws(Status) -> UInt32 { 0 }
  func httpDownstreamDownstreamVisitsThisPop() throws(Status) -> UInt32 { 0 }

  // MARK: Bots, as the request itself says (`x-fastly-bot-…`)

  private func bot(_ req: RequestHandle, _ fact: String) throws(Status) -> String? {
    try downstream(req).head.headers.first("x-fastly-bot-" + fact)
  }

  func httpDownstreamDownstreamBotAnalyzed(req: RequestHandle) throws(Status) -> Bool {
    try bot(req, "analyzed") == "true"
  }

  func httpDownstreamDownstreamBotDetected(req: RequestHandle) throws(Status) -> Bool {
    try bot(req, "detected") == "true"
  }

  func httpDownstreamDownstreamBotName(req: RequestHandle, botName: GuestOutput) throws(Status) {
    guard let name = try bot(req, "name") else { throw .none }
    try botName.write(name)
  }

  func httpDownstreamDownstreamBotCategory(req: RequestHandle, botCategory: GuestOutput) throws(Status) {
    guard let category = try bot(req, "category") else { throw .none }
    try botCategory.write(category)
  }

  func httpDownstreamDownstreamBotCategoryKind(req: RequestHandle) throws(Status) -> UInt32 {
    let (kind, category) = (try bot(req, "category-kind"), try bot(req, "category"))
    guard let kind = kind ?? category else { return 0 }
    let names = [
      "none", "suspected", "accessibility", "ai-crawler", "ai-fetcher", "content-fetcher", "monitoring-site-tools",
      "online-marketing", "page-preview", "platform-integration", "research", "search-engine-crawler",
      "search-engine-optimization", "security-tools", "headless",
    ]
    return names.firstIndex(of: kind.lowercased()).map(UInt32.init) ?? UInt32(kind) ?? 0
  }

  func httpDownstreamDownstreamBotVerified(req: RequestHandle) throws(Status) -> Bool {
    guard let verified = try bot(req, "verified") else { throw .none }
    return verified == "true"
  }

  // MARK: Proxies, of which a local host knows nothing

  func httpDownstreamDownstreamResvpnproxyIsAnonymous(req: RequestHandle) throws(Status) -> Bool { try absent(req) }
  func httpDownstreamDownstreamResvpnproxyIsAnonymousVpn(req: RequestHandle) throws(Status) -> Bool { try absent(req) }
  func httpDownstreamDownstreamResvpnproxyIsHostingProvider(req: RequestHandle) throws(Status) -> Bool {
    try absent(req)
  }
  func httpDownstreamDownstreamResvpnproxyIsProxyOverVpn(req: RequestHandle) throws(Status) -> Bool { try absent(req) }
  func httpDownstreamDownstreamResvpnproxyIsPublicProxy(req: RequestHandle) throws(Status) -> Bool { try absent(req) }
  func httpDownstreamDownstreamResvpnproxyIsRelayProxy(req: RequestHandle) throws(Status) -> Bool { try absent(req) }
  func httpDownstreamDownstreamResvpnproxyIsResidentialProxy(req: RequestHandle) throws(Status) -> Bool {
    try absent(req)
  }
  func httpDownstreamDownstreamResvpnproxyIsSmartDNSProxy(req: RequestHandle) throws(Status) -> Bool {
    try absent(req)
  }
  func httpDownstreamDownstreamResvpnproxyIsTorExitNode(req: RequestHandle) throws(Status) -> Bool { try absent(req) }
  func httpDownstreamDownstreamResvpnproxyIsVpnDatacenter(req: RequestHandle) throws(Status) -> Bool {
    try absent(req)
  }
  func httpDownstreamDownstreamResvpnproxyVpnServiceName(req: RequestHandle, vpnServiceName: GuestOutput)
    throws(Status)
  {
    try absent(req)
  }

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
