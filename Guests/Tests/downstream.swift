// Facts on the client: every path reports all of them, by the old hostcalls and by those with a request handle.

@_cdecl("_start")
func start() {
  serve { (request, _) throws(Status) in
    let target = try request.target()
    switch target.path {
    case "/bad_handles": try badHandles()
    case "/key": try keys(request)
    default: try facts(request)
    }
  }
}

typealias TextCall = (UnsafeMutablePointer<UInt8>?, UInt32, UnsafeMutablePointer<UInt32>?) -> UInt32
typealias HandleTextCall = (UInt32, UnsafeMutablePointer<UInt8>?, UInt32, UnsafeMutablePointer<UInt32>?) -> UInt32
typealias AddressCall = (UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt32>?) -> UInt32
typealias HandleNumberCall = (UInt32, UnsafeMutablePointer<UInt32>?) -> UInt32

func facts(_ request: Request) throws(Status) {
  var report = Report()
  report.address("client_ip", hostRequestDownstreamClientIpAddr)
  report.address("server_ip", hostRequestDownstreamServerIpAddr)
  report.fact("request_id", hostRequestDownstreamClientRequestId)
  report.fact("h2_fingerprint", hostRequestDownstreamClientH2Fingerprint)
  report.fact("oh_fingerprint", hostRequestDownstreamClientOhFingerprint)
  report.number("ddos_detected") { () throws(Status) in try number(hostRequestDownstreamClientDdosDetected) }
  report.fact("tls_cipher", hostRequestDownstreamTlsCipherOpensslName)
  report.fact("tls_protocol", hostRequestDownstreamTlsProtocol)
  report.fact("tls_client_hello", hostRequestDownstreamTlsClientHello)
  report.fact("tls_raw_client_certificate", hostRequestDownstreamTlsRawClientCertificate)
  report.number("tls_client_cert_verify_result") { () throws(Status) in
    try number(hostRequestDownstreamTlsClientCertVerifyResult)
  }
  report.fact("tls_client_servername", hostRequestDownstreamTlsClientServername)
  report.address("tls_ja3_md5", hostRequestDownstreamTlsJa3Md5)
  report.fact("tls_ja4", hostRequestDownstreamTlsJa4)
  report.fact("compliance_region", hostRequestDownstreamComplianceRegion)
  report.number("visits_this_service") { () throws(Status) in try number(hostDownstreamVisitsThisService) }
  report.number("visits_this_pop") { () throws(Status) in try number(hostDownstreamVisitsThisPop) }
  addHandleFacts(to: &report, request.handle, prefix: "handle_")
  report.add("request_id_tiny", Reading.once(capacity: 3) { hostRequestDownstreamClientRequestId($0, $1, $2) })
  try report.send()
}

func addHandleFacts(to report: inout Report, _ handle: UInt32, prefix: Text) {
  let addresses: [(Text, (UInt32, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt32>?) -> UInt32)] = [
    ("client_ip", hostDownstreamClientIpAddr), ("server_ip", hostDownstreamServerIpAddr),
    ("tls_ja3_md5", hostDownstreamTlsJa3Md5),
  ]
  for (name, call) in addresses { report.address("\(prefix)\(name)") { call(handle, $0, $1) } }
  let texts: [(Text, HandleTextCall)] = [
    ("request_id", hostDownstreamClientRequestId),
    ("h2_fingerprint", hostDownstreamClientH2Fingerprint),
    ("oh_fingerprint", hostDownstreamClientOhFingerprint),
    ("tls_cipher", hostDownstreamTlsCipherOpensslName),
    ("tls_protocol", hostDownstreamTlsProtocol),
    ("tls_client_hello", hostDownstreamTlsClientHello),
    ("tls_raw_client_certificate", hostDownstreamTlsRawClientCertificate),
    ("tls_client_servername", hostDownstreamTlsClientServername),
    ("tls_ja4", hostDownstreamTlsJa4),
    ("compliance_region", hostDownstreamComplianceRegion),
    ("bot_name", hostDownstreamBotName),
    ("bot_category", hostDownstreamBotCategory),
    ("vpn_service_name", hostDownstreamResvpnproxyVpnServiceName),
  ]
  for (name, call) in texts { report.fact("\(prefix)\(name)") { call(handle, $0, $1, $2) } }
  let numbers: [(Text, HandleNumberCall)] = [
    ("ddos_detected", hostDownstreamClientDdosDetected),
    ("tls_client_cert_verify_result", hostDownstreamTlsClientCertVerifyResult),
    ("fastly_key_is_valid", hostDownstreamFastlyKeyIsValid),
    ("bot_analyzed", hostDownstreamBotAnalyzed),
    ("bot_detected", hostDownstreamBotDetected),
    ("bot_category_kind", hostDownstreamBotCategoryKind),
    ("bot_verified", hostDownstreamBotVerified),
    ("is_anonymous", hostDownstreamResvpnproxyIsAnonymous),
    ("is_anonymous_vpn", hostDownstreamResvpnproxyIsAnonymousVpn),
    ("is_hosting_provider", hostDownstreamResvpnproxyIsHostingProvider),
    ("is_proxy_over_vpn", hostDownstreamResvpnproxyIsProxyOverVpn),
    ("is_public_proxy", hostDownstreamResvpnproxyIsPublicProxy),
    ("is_relay_proxy", hostDownstreamResvpnproxyIsRelayProxy),
    ("is_residential_proxy", hostDownstreamResvpnproxyIsResidentialProxy),
    ("is_smart_dns_proxy", hostDownstreamResvpnproxyIsSmartDnsProxy),
    ("is_tor_exit_node", hostDownstreamResvpnproxyIsTorExitNode),
    ("is_vpn_datacenter", hostDownstreamResvpnproxyIsVpnDatacenter),
  ]
  for (name, call) in numbers {
    report.number("\(prefix)\(name)") { () throws(Status) in try number { call(handle, $0) } }
  }
}

/// The facts of a request that the guest made itself, and of none: `own_...` and `bad_...`.
func badHandles() throws(Status) {
  var report = Report()
  addHandleFacts(to: &report, try Request().handle, prefix: "own_")
  addHandleFacts(to: &report, 777, prefix: "bad_")
  try report.send()
}

/// Whether the request's key is one of the service's, before and after the guest removed it.
func keys(_ request: Request) throws(Status) {
  var report = Report()
  report.number("legacy") { () throws(Status) in try number(hostRequestFastlyKeyIsValid) }
  report.number("handle") { () throws(Status) in
    try number { hostDownstreamFastlyKeyIsValid(request.handle, $0) }
  }
  report.attempt("remove") { () throws(Status) in try request.headers.remove("fastly-key") }
  report.number("removed") { () throws(Status) in try number(hostRequestFastlyKeyIsValid) }
  try report.send()
}

extension Report {
  mutating func fact(_ name: Text, _ call: TextCall) {
    text(name) { () throws(Status) in try Reading.complete(capacity: 512, call) }
  }

  /// Octets in hexadecimal.
  mutating func address(_ name: Text, _ call: AddressCall) {
    text(name) { () throws(Status) in
      "\(hex: try Reading.complete(capacity: 16) { buffer, _, written in call(buffer, written) }.bytes)"
    }
  }
}
