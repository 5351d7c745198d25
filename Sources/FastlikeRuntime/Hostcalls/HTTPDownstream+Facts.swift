import ComputeABI

/// What the platform finds out about a client by means that a local host does not have. The configuration says it here
/// (``DownstreamFacts``); of a bot, the request's own `x-fastly-bot-…` headers say it first.
extension Sandbox {
  private var facts: DownstreamFacts { service.configuration.downstream }

  // MARK: Decisions

  func httpDownstreamDownstreamClientDdosDetected(req: RequestHandle) throws(Status) -> Bool {
    _ = try downstream(req)
    return facts.isAttack
  }

  func httpReqDownstreamClientDdosDetected() throws(Status) -> Bool { facts.isAttack }

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

  func httpDownstreamDownstreamVisitsThisService() throws(Status) -> UInt32 { facts.visitsThisService }
  func httpDownstreamDownstreamVisitsThisPop() throws(Status) -> UInt32 { facts.visitsThisPoint }

  // MARK: Bots

  private func bot(_ req: RequestHandle, _ fact: String) throws(Status) -> String? {
    try downstream(req).head.headers.first("x-fastly-bot-" + fact)
  }

  func httpDownstreamDownstreamBotAnalyzed(req: RequestHandle) throws(Status) -> Bool {
    try bot(req, "analyzed").map { $0 == "true" } ?? facts.bot?.isAnalyzed ?? false
  }

  func httpDownstreamDownstreamBotDetected(req: RequestHandle) throws(Status) -> Bool {
    try bot(req, "detected").map { $0 == "true" } ?? facts.bot?.isDetected ?? false
  }

  func httpDownstreamDownstreamBotName(req: RequestHandle, botName: GuestOutput) throws(Status) {
    guard let name = try bot(req, "name") ?? facts.bot?.name else { throw .none }
    try botName.write(name)
  }

  func httpDownstreamDownstreamBotCategory(req: RequestHandle, botCategory: GuestOutput) throws(Status) {
    guard let category = try bot(req, "category") ?? facts.bot?.category else { throw .none }
    try botCategory.write(category)
  }

  /// The kind that is given, else the one that the category's name is.
  func httpDownstreamDownstreamBotCategoryKind(req: RequestHandle) throws(Status) -> UInt32 {
    let (kind, category) = (try bot(req, "category-kind"), try bot(req, "category"))
    if let given = kind ?? category { return BotFacts.categoryKind(given) ?? 0 }
    return facts.bot?.categoryKind ?? facts.bot?.category.flatMap { BotFacts.categoryKind($0) } ?? 0
  }

  func httpDownstreamDownstreamBotVerified(req: RequestHandle) throws(Status) -> Bool {
    if let verified = try bot(req, "verified") { return verified == "true" }
    guard let verified = facts.bot?.isVerified else { throw .none }
    return verified
  }

  // MARK: Proxies and private networks

  private func proxy(_ req: RequestHandle, is kind: ProxyFacts.Kind) throws(Status) -> Bool {
    _ = try downstream(req)
    guard let proxy = facts.proxy else { throw .none }
    return proxy.kinds.contains(kind)
  }

  func httpDownstreamDownstreamResvpnproxyIsAnonymous(req: RequestHandle) throws(Status) -> Bool {
    try proxy(req, is: .anonymous)
  }
  func httpDownstreamDownstreamResvpnproxyIsAnonymousVpn(req: RequestHandle) throws(Status) -> Bool {
    try proxy(req, is: .anonymousVPN)
  }
  func httpDownstreamDownstreamResvpnproxyIsHostingProvider(req: RequestHandle) throws(Status) -> Bool {
    try proxy(req, is: .hostingProvider)
  }
  func httpDownstreamDownstreamResvpnproxyIsProxyOverVpn(req: RequestHandle) throws(Status) -> Bool {
    try proxy(req, is: .proxyOverVPN)
  }
  func httpDownstreamDownstreamResvpnproxyIsPublicProxy(req: RequestHandle) throws(Status) -> Bool {
    try proxy(req, is: .publicProxy)
  }
  func httpDownstreamDownstreamResvpnproxyIsRelayProxy(req: RequestHandle) throws(Status) -> Bool {
    try proxy(req, is: .relayProxy)
  }
  func httpDownstreamDownstreamResvpnproxyIsResidentialProxy(req: RequestHandle) throws(Status) -> Bool {
    try proxy(req, is: .residentialProxy)
  }
  func httpDownstreamDownstreamResvpnproxyIsSmartDNSProxy(req: RequestHandle) throws(Status) -> Bool {
    try proxy(req, is: .smartDNSProxy)
  }
  func httpDownstreamDownstreamResvpnproxyIsTorExitNode(req: RequestHandle) throws(Status) -> Bool {
    try proxy(req, is: .torExitNode)
  }
  func httpDownstreamDownstreamResvpnproxyIsVpnDatacenter(req: RequestHandle) throws(Status) -> Bool {
    try proxy(req, is: .vpnDatacenter)
  }

  func httpDownstreamDownstreamResvpnproxyVpnServiceName(req: RequestHandle, vpnServiceName: GuestOutput)
    throws(Status)
  {
    _ = try downstream(req)
    guard let name = facts.proxy?.serviceName else { throw .none }
    try vpnServiceName.write(name)
  }
}
