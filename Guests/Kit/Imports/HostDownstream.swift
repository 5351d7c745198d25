// The imports of `fastly_http_downstream`: facts on the client. Each function answers a `Status` code.

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_original_header_names")
@_extern(c, "fastly_http_downstream_downstream_original_header_names")
func hostDownstreamOriginalHeaderNames(
  _ req: UInt32, _ buf: UnsafeMutablePointer<UInt8>?, _ bufLen: UInt32, _ cursor: UInt32,
  _ endingCursorOut: UnsafeMutablePointer<Int64>?, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_original_header_count")
@_extern(c, "fastly_http_downstream_downstream_original_header_count")
func hostDownstreamOriginalHeaderCount(_ req: UInt32, _ headerCountOut: UnsafeMutablePointer<UInt32>?) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_client_ip_addr")
@_extern(c, "fastly_http_downstream_downstream_client_ip_addr")
func hostDownstreamClientIpAddr(
  _ req: UInt32, _ addrOctetsOut: UnsafeMutablePointer<UInt8>?, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_server_ip_addr")
@_extern(c, "fastly_http_downstream_downstream_server_ip_addr")
func hostDownstreamServerIpAddr(
  _ req: UInt32, _ addrOctetsOut: UnsafeMutablePointer<UInt8>?, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_client_h2_fingerprint")
@_extern(c, "fastly_http_downstream_downstream_client_h2_fingerprint")
func hostDownstreamClientH2Fingerprint(
  _ req: UInt32, _ h2fpOut: UnsafeMutablePointer<UInt8>?, _ h2fpMaxLen: UInt32,
  _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_client_request_id")
@_extern(c, "fastly_http_downstream_downstream_client_request_id")
func hostDownstreamClientRequestId(
  _ req: UInt32, _ reqidOut: UnsafeMutablePointer<UInt8>?, _ reqidMaxLen: UInt32,
  _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_client_oh_fingerprint")
@_extern(c, "fastly_http_downstream_downstream_client_oh_fingerprint")
func hostDownstreamClientOhFingerprint(
  _ req: UInt32, _ ohfpOut: UnsafeMutablePointer<UInt8>?, _ ohfpMaxLen: UInt32,
  _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_client_ddos_detected")
@_extern(c, "fastly_http_downstream_downstream_client_ddos_detected")
func hostDownstreamClientDdosDetected(_ req: UInt32, _ ddosDetectedOut: UnsafeMutablePointer<UInt32>?) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_tls_cipher_openssl_name")
@_extern(c, "fastly_http_downstream_downstream_tls_cipher_openssl_name")
func hostDownstreamTlsCipherOpensslName(
  _ req: UInt32, _ cipherOut: UnsafeMutablePointer<UInt8>?, _ cipherMaxLen: UInt32,
  _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_tls_protocol")
@_extern(c, "fastly_http_downstream_downstream_tls_protocol")
func hostDownstreamTlsProtocol(
  _ req: UInt32, _ protocolOut: UnsafeMutablePointer<UInt8>?, _ protocolMaxLen: UInt32,
  _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_tls_client_hello")
@_extern(c, "fastly_http_downstream_downstream_tls_client_hello")
func hostDownstreamTlsClientHello(
  _ req: UInt32, _ chelloOut: UnsafeMutablePointer<UInt8>?, _ chelloMaxLen: UInt32,
  _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_tls_raw_client_certificate")
@_extern(c, "fastly_http_downstream_downstream_tls_raw_client_certificate")
func hostDownstreamTlsRawClientCertificate(
  _ req: UInt32, _ rawClientCertOut: UnsafeMutablePointer<UInt8>?, _ rawClientCertMaxLen: UInt32,
  _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_tls_client_cert_verify_result")
@_extern(c, "fastly_http_downstream_downstream_tls_client_cert_verify_result")
func hostDownstreamTlsClientCertVerifyResult(_ req: UInt32, _ clientCertVerifyResultOut: UnsafeMutablePointer<UInt32>?)
  -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_tls_client_servername")
@_extern(c, "fastly_http_downstream_downstream_tls_client_servername")
func hostDownstreamTlsClientServername(
  _ req: UInt32, _ tlsSniOut: UnsafeMutablePointer<UInt8>?, _ tlsSniMaxLen: UInt32,
  _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_tls_ja3_md5")
@_extern(c, "fastly_http_downstream_downstream_tls_ja3_md5")
func hostDownstreamTlsJa3Md5(
  _ req: UInt32, _ cja3Md5Out: UnsafeMutablePointer<UInt8>?, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_tls_ja4")
@_extern(c, "fastly_http_downstream_downstream_tls_ja4")
func hostDownstreamTlsJa4(
  _ req: UInt32, _ ja4Out: UnsafeMutablePointer<UInt8>?, _ ja4MaxLen: UInt32,
  _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_compliance_region")
@_extern(c, "fastly_http_downstream_downstream_compliance_region")
func hostDownstreamComplianceRegion(
  _ req: UInt32, _ regionOut: UnsafeMutablePointer<UInt8>?, _ regionMaxLen: UInt32,
  _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "fastly_key_is_valid")
@_extern(c, "fastly_http_downstream_fastly_key_is_valid")
func hostDownstreamFastlyKeyIsValid(_ req: UInt32, _ isValidOut: UnsafeMutablePointer<UInt32>?) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_bot_analyzed")
@_extern(c, "fastly_http_downstream_downstream_bot_analyzed")
func hostDownstreamBotAnalyzed(_ req: UInt32, _ botAnalyzedOut: UnsafeMutablePointer<UInt32>?) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_bot_detected")
@_extern(c, "fastly_http_downstream_downstream_bot_detected")
func hostDownstreamBotDetected(_ req: UInt32, _ botDetectedOut: UnsafeMutablePointer<UInt32>?) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_bot_name")
@_extern(c, "fastly_http_downstream_downstream_bot_name")
func hostDownstreamBotName(
  _ req: UInt32, _ botNameOut: UnsafeMutablePointer<UInt8>?, _ botNameMaxLen: UInt32,
  _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_bot_category")
@_extern(c, "fastly_http_downstream_downstream_bot_category")
func hostDownstreamBotCategory(
  _ req: UInt32, _ botCategoryOut: UnsafeMutablePointer<UInt8>?, _ botCategoryMaxLen: UInt32,
  _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_bot_category_kind")
@_extern(c, "fastly_http_downstream_downstream_bot_category_kind")
func hostDownstreamBotCategoryKind(_ req: UInt32, _ botCategoryKindOut: UnsafeMutablePointer<UInt32>?) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_bot_verified")
@_extern(c, "fastly_http_downstream_downstream_bot_verified")
func hostDownstreamBotVerified(_ req: UInt32, _ botVerifiedOut: UnsafeMutablePointer<UInt32>?) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_resvpnproxy_is_anonymous")
@_extern(c, "fastly_http_downstream_downstream_resvpnproxy_is_anonymous")
func hostDownstreamResvpnproxyIsAnonymous(_ req: UInt32, _ resvpnproxyIsAnonymousOut: UnsafeMutablePointer<UInt32>?)
  -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_resvpnproxy_is_anonymous_vpn")
@_extern(c, "fastly_http_downstream_downstream_resvpnproxy_is_anonymous_vpn")
func hostDownstreamResvpnproxyIsAnonymousVpn(
  _ req: UInt32, _ resvpnproxyIsAnonymousVpnOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_resvpnproxy_is_hosting_provider")
@_extern(c, "fastly_http_downstream_downstream_resvpnproxy_is_hosting_provider")
func hostDownstreamResvpnproxyIsHostingProvider(
  _ req: UInt32, _ resvpnproxyIsHostingProviderOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_resvpnproxy_is_proxy_over_vpn")
@_extern(c, "fastly_http_downstream_downstream_resvpnproxy_is_proxy_over_vpn")
func hostDownstreamResvpnproxyIsProxyOverVpn(
  _ req: UInt32, _ resvpnproxyIsProxyOverVpnOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_resvpnproxy_is_public_proxy")
@_extern(c, "fastly_http_downstream_downstream_resvpnproxy_is_public_proxy")
func hostDownstreamResvpnproxyIsPublicProxy(_ req: UInt32, _ resvpnproxyIsPublicProxyOut: UnsafeMutablePointer<UInt32>?)
  -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_resvpnproxy_is_relay_proxy")
@_extern(c, "fastly_http_downstream_downstream_resvpnproxy_is_relay_proxy")
func hostDownstreamResvpnproxyIsRelayProxy(_ req: UInt32, _ resvpnproxyIsRelayProxyOut: UnsafeMutablePointer<UInt32>?)
  -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_resvpnproxy_is_residential_proxy")
@_extern(c, "fastly_http_downstream_downstream_resvpnproxy_is_residential_proxy")
func hostDownstreamResvpnproxyIsResidentialProxy(
  _ req: UInt32, _ resvpnproxyIsResidentialProxyOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_resvpnproxy_is_smart_dns_proxy")
@_extern(c, "fastly_http_downstream_downstream_resvpnproxy_is_smart_dns_proxy")
func hostDownstreamResvpnproxyIsSmartDnsProxy(
  _ req: UInt32, _ resvpnproxyIsSmartDnsProxyOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_resvpnproxy_is_tor_exit_node")
@_extern(c, "fastly_http_downstream_downstream_resvpnproxy_is_tor_exit_node")
func hostDownstreamResvpnproxyIsTorExitNode(_ req: UInt32, _ resvpnproxyIsTorExitNodeOut: UnsafeMutablePointer<UInt32>?)
  -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_resvpnproxy_is_vpn_datacenter")
@_extern(c, "fastly_http_downstream_downstream_resvpnproxy_is_vpn_datacenter")
func hostDownstreamResvpnproxyIsVpnDatacenter(
  _ req: UInt32, _ resvpnproxyIsVpnDatacenterOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_resvpnproxy_vpn_service_name")
@_extern(c, "fastly_http_downstream_downstream_resvpnproxy_vpn_service_name")
func hostDownstreamResvpnproxyVpnServiceName(
  _ req: UInt32, _ vpnServiceNameOut: UnsafeMutablePointer<UInt8>?, _ vpnServiceNameMaxLen: UInt32,
  _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "next_request")
@_extern(c, "fastly_http_downstream_next_request")
func hostDownstreamNextRequest(
  _ optionsMask: UInt32, _ options: UnsafePointer<UInt64>?, _ requestPromiseHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "next_request_wait")
@_extern(c, "fastly_http_downstream_next_request_wait")
func hostDownstreamNextRequestWait(
  _ handle: UInt32, _ requestHandleOut: UnsafeMutablePointer<UInt32>?, _ bodyHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "next_request_abandon")
@_extern(c, "fastly_http_downstream_next_request_abandon")
func hostDownstreamNextRequestAbandon(_ handle: UInt32) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_visits_this_service")
@_extern(c, "fastly_http_downstream_downstream_visits_this_service")
func hostDownstreamVisitsThisService(_ numHopsOut: UnsafeMutablePointer<UInt32>?) -> UInt32

@_extern(wasm, module: "fastly_http_downstream", name: "downstream_visits_this_pop")
@_extern(c, "fastly_http_downstream_downstream_visits_this_pop")
func hostDownstreamVisitsThisPop(_ numHopsOut: UnsafeMutablePointer<UInt32>?) -> UInt32
