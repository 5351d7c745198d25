// The imports of `fastly_http_req`: requests and sending them. Each function answers a `Status` code.

@_extern(wasm, module: "fastly_http_req", name: "body_downstream_get")
@_extern(c, "fastly_http_req_body_downstream_get")
func hostRequestBodyDownstreamGet(
  _ requestHandleOut: UnsafeMutablePointer<UInt32>?, _ bodyHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "cache_override_set") @_extern(c, "fastly_http_req_cache_override_set")
func hostRequestCacheOverrideSet(_ h: UInt32, _ tag: UInt32, _ ttl: UInt32, _ staleWhileRevalidate: UInt32) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "cache_override_v2_set")
@_extern(c, "fastly_http_req_cache_override_v2_set")
func hostRequestCacheOverrideV2Set(
  _ h: UInt32, _ tag: UInt32, _ ttl: UInt32, _ staleWhileRevalidate: UInt32, _ skPtr: UnsafePointer<UInt8>?,
  _ skLen: UInt32
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "downstream_client_ip_addr")
@_extern(c, "fastly_http_req_downstream_client_ip_addr")
func hostRequestDownstreamClientIpAddr(
  _ addrOctetsOut: UnsafeMutablePointer<UInt8>?, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "downstream_server_ip_addr")
@_extern(c, "fastly_http_req_downstream_server_ip_addr")
func hostRequestDownstreamServerIpAddr(
  _ addrOctetsOut: UnsafeMutablePointer<UInt8>?, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "downstream_client_h2_fingerprint")
@_extern(c, "fastly_http_req_downstream_client_h2_fingerprint")
func hostRequestDownstreamClientH2Fingerprint(
  _ h2fpOut: UnsafeMutablePointer<UInt8>?, _ h2fpMaxLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "downstream_client_request_id")
@_extern(c, "fastly_http_req_downstream_client_request_id")
func hostRequestDownstreamClientRequestId(
  _ reqidOut: UnsafeMutablePointer<UInt8>?, _ reqidMaxLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "downstream_client_oh_fingerprint")
@_extern(c, "fastly_http_req_downstream_client_oh_fingerprint")
func hostRequestDownstreamClientOhFingerprint(
  _ ohfpOut: UnsafeMutablePointer<UInt8>?, _ ohfpMaxLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "downstream_client_ddos_detected")
@_extern(c, "fastly_http_req_downstream_client_ddos_detected")
func hostRequestDownstreamClientDdosDetected(_ ddosDetectedOut: UnsafeMutablePointer<UInt32>?) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "downstream_tls_cipher_openssl_name")
@_extern(c, "fastly_http_req_downstream_tls_cipher_openssl_name")
func hostRequestDownstreamTlsCipherOpensslName(
  _ cipherOut: UnsafeMutablePointer<UInt8>?, _ cipherMaxLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "downstream_tls_protocol")
@_extern(c, "fastly_http_req_downstream_tls_protocol")
func hostRequestDownstreamTlsProtocol(
  _ protocolOut: UnsafeMutablePointer<UInt8>?, _ protocolMaxLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "downstream_tls_client_hello")
@_extern(c, "fastly_http_req_downstream_tls_client_hello")
func hostRequestDownstreamTlsClientHello(
  _ chelloOut: UnsafeMutablePointer<UInt8>?, _ chelloMaxLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "downstream_tls_raw_client_certificate")
@_extern(c, "fastly_http_req_downstream_tls_raw_client_certificate")
func hostRequestDownstreamTlsRawClientCertificate(
  _ rawClientCertOut: UnsafeMutablePointer<UInt8>?, _ rawClientCertMaxLen: UInt32,
  _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "downstream_tls_client_cert_verify_result")
@_extern(c, "fastly_http_req_downstream_tls_client_cert_verify_result")
func hostRequestDownstreamTlsClientCertVerifyResult(_ clientCertVerifyResultOut: UnsafeMutablePointer<UInt32>?)
  -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "downstream_tls_ja3_md5")
@_extern(c, "fastly_http_req_downstream_tls_ja3_md5")
func hostRequestDownstreamTlsJa3Md5(
  _ cja3Md5Out: UnsafeMutablePointer<UInt8>?, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "downstream_tls_ja4") @_extern(c, "fastly_http_req_downstream_tls_ja4")
func hostRequestDownstreamTlsJa4(
  _ ja4Out: UnsafeMutablePointer<UInt8>?, _ ja4MaxLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "downstream_compliance_region")
@_extern(c, "fastly_http_req_downstream_compliance_region")
func hostRequestDownstreamComplianceRegion(
  _ regionOut: UnsafeMutablePointer<UInt8>?, _ regionMaxLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "new") @_extern(c, "fastly_http_req_new")
func hostRequestNew(_ requestHandleOut: UnsafeMutablePointer<UInt32>?) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "header_names_get") @_extern(c, "fastly_http_req_header_names_get")
func hostRequestHeaderNamesGet(
  _ h: UInt32, _ buf: UnsafeMutablePointer<UInt8>?, _ bufLen: UInt32, _ cursor: UInt32,
  _ endingCursorOut: UnsafeMutablePointer<Int64>?, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "original_header_names_get")
@_extern(c, "fastly_http_req_original_header_names_get")
func hostRequestOriginalHeaderNamesGet(
  _ buf: UnsafeMutablePointer<UInt8>?, _ bufLen: UInt32, _ cursor: UInt32,
  _ endingCursorOut: UnsafeMutablePointer<Int64>?, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "original_header_count")
@_extern(c, "fastly_http_req_original_header_count")
func hostRequestOriginalHeaderCount(_ headerCountOut: UnsafeMutablePointer<UInt32>?) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "header_value_get") @_extern(c, "fastly_http_req_header_value_get")
func hostRequestHeaderValueGet(
  _ h: UInt32, _ namePtr: UnsafePointer<UInt8>?, _ nameLen: UInt32, _ value: UnsafeMutablePointer<UInt8>?,
  _ valueMaxLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "header_values_get") @_extern(c, "fastly_http_req_header_values_get")
func hostRequestHeaderValuesGet(
  _ h: UInt32, _ namePtr: UnsafePointer<UInt8>?, _ nameLen: UInt32, _ buf: UnsafeMutablePointer<UInt8>?,
  _ bufLen: UInt32, _ cursor: UInt32, _ endingCursorOut: UnsafeMutablePointer<Int64>?,
  _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "header_values_set") @_extern(c, "fastly_http_req_header_values_set")
func hostRequestHeaderValuesSet(
  _ h: UInt32, _ namePtr: UnsafePointer<UInt8>?, _ nameLen: UInt32, _ valuesPtr: UnsafePointer<UInt8>?,
  _ valuesLen: UInt32
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "header_insert") @_extern(c, "fastly_http_req_header_insert")
func hostRequestHeaderInsert(
  _ h: UInt32, _ namePtr: UnsafePointer<UInt8>?, _ nameLen: UInt32, _ valuePtr: UnsafePointer<UInt8>?,
  _ valueLen: UInt32
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "header_append") @_extern(c, "fastly_http_req_header_append")
func hostRequestHeaderAppend(
  _ h: UInt32, _ namePtr: UnsafePointer<UInt8>?, _ nameLen: UInt32, _ valuePtr: UnsafePointer<UInt8>?,
  _ valueLen: UInt32
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "header_remove") @_extern(c, "fastly_http_req_header_remove")
func hostRequestHeaderRemove(_ h: UInt32, _ namePtr: UnsafePointer<UInt8>?, _ nameLen: UInt32) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "method_get") @_extern(c, "fastly_http_req_method_get")
func hostRequestMethodGet(
  _ h: UInt32, _ buf: UnsafeMutablePointer<UInt8>?, _ bufLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "method_set") @_extern(c, "fastly_http_req_method_set")
func hostRequestMethodSet(_ h: UInt32, _ methodPtr: UnsafePointer<UInt8>?, _ methodLen: UInt32) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "uri_get") @_extern(c, "fastly_http_req_uri_get")
func hostRequestUriGet(
  _ h: UInt32, _ buf: UnsafeMutablePointer<UInt8>?, _ bufLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "uri_set") @_extern(c, "fastly_http_req_uri_set")
func hostRequestUriSet(_ h: UInt32, _ uriPtr: UnsafePointer<UInt8>?, _ uriLen: UInt32) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "version_get") @_extern(c, "fastly_http_req_version_get")
func hostRequestVersionGet(_ h: UInt32, _ httpVersionOut: UnsafeMutablePointer<UInt32>?) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "version_set") @_extern(c, "fastly_http_req_version_set")
func hostRequestVersionSet(_ h: UInt32, _ version: UInt32) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "send") @_extern(c, "fastly_http_req_send")
func hostRequestSend(
  _ h: UInt32, _ b: UInt32, _ backendPtr: UnsafePointer<UInt8>?, _ backendLen: UInt32,
  _ responseHandleOut: UnsafeMutablePointer<UInt32>?, _ bodyHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "send_v2") @_extern(c, "fastly_http_req_send_v2")
func hostRequestSendV2(
  _ h: UInt32, _ b: UInt32, _ backendPtr: UnsafePointer<UInt8>?, _ backendLen: UInt32,
  _ errorDetail: UnsafeMutableRawPointer?, _ responseHandleOut: UnsafeMutablePointer<UInt32>?,
  _ bodyHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "send_v3") @_extern(c, "fastly_http_req_send_v3")
func hostRequestSendV3(
  _ h: UInt32, _ b: UInt32, _ backendPtr: UnsafePointer<UInt8>?, _ backendLen: UInt32,
  _ errorDetail: UnsafeMutableRawPointer?, _ responseHandleOut: UnsafeMutablePointer<UInt32>?,
  _ bodyHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "send_async") @_extern(c, "fastly_http_req_send_async")
func hostRequestSendAsync(
  _ h: UInt32, _ b: UInt32, _ backendPtr: UnsafePointer<UInt8>?, _ backendLen: UInt32,
  _ pendingRequestHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "send_async_v2") @_extern(c, "fastly_http_req_send_async_v2")
func hostRequestSendAsyncV2(
  _ h: UInt32, _ b: UInt32, _ backendPtr: UnsafePointer<UInt8>?, _ backendLen: UInt32, _ streaming: UInt32,
  _ pendingRequestHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "send_async_streaming")
@_extern(c, "fastly_http_req_send_async_streaming")
func hostRequestSendAsyncStreaming(
  _ h: UInt32, _ b: UInt32, _ backendPtr: UnsafePointer<UInt8>?, _ backendLen: UInt32,
  _ pendingRequestHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "pending_req_header_insert")
@_extern(c, "fastly_http_req_pending_req_header_insert")
func hostRequestPendingReqHeaderInsert(
  _ h: UInt32, _ namePtr: UnsafePointer<UInt8>?, _ nameLen: UInt32, _ valuePtr: UnsafePointer<UInt8>?,
  _ valueLen: UInt32, _ target: UInt32
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "pending_req_header_append")
@_extern(c, "fastly_http_req_pending_req_header_append")
func hostRequestPendingReqHeaderAppend(
  _ h: UInt32, _ namePtr: UnsafePointer<UInt8>?, _ nameLen: UInt32, _ valuePtr: UnsafePointer<UInt8>?,
  _ valueLen: UInt32, _ target: UInt32
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "pending_req_header_remove")
@_extern(c, "fastly_http_req_pending_req_header_remove")
func hostRequestPendingReqHeaderRemove(
  _ h: UInt32, _ namePtr: UnsafePointer<UInt8>?, _ nameLen: UInt32, _ target: UInt32
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "pending_req_poll") @_extern(c, "fastly_http_req_pending_req_poll")
func hostRequestPendingReqPoll(
  _ h: UInt32, _ isDoneOut: UnsafeMutablePointer<UInt32>?, _ responseHandleOut: UnsafeMutablePointer<UInt32>?,
  _ bodyHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "pending_req_poll_v2")
@_extern(c, "fastly_http_req_pending_req_poll_v2")
func hostRequestPendingReqPollV2(
  _ h: UInt32, _ errorDetail: UnsafeMutableRawPointer?, _ isDoneOut: UnsafeMutablePointer<UInt32>?,
  _ responseHandleOut: UnsafeMutablePointer<UInt32>?, _ bodyHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "pending_req_wait") @_extern(c, "fastly_http_req_pending_req_wait")
func hostRequestPendingReqWait(
  _ h: UInt32, _ responseHandleOut: UnsafeMutablePointer<UInt32>?, _ bodyHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "pending_req_wait_v2")
@_extern(c, "fastly_http_req_pending_req_wait_v2")
func hostRequestPendingReqWaitV2(
  _ h: UInt32, _ errorDetail: UnsafeMutableRawPointer?, _ responseHandleOut: UnsafeMutablePointer<UInt32>?,
  _ bodyHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "pending_req_select") @_extern(c, "fastly_http_req_pending_req_select")
func hostRequestPendingReqSelect(
  _ hsPtr: UnsafePointer<UInt32>?, _ hsLen: UInt32, _ doneIdxOut: UnsafeMutablePointer<UInt32>?,
  _ responseHandleOut: UnsafeMutablePointer<UInt32>?, _ bodyHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "pending_req_select_v2")
@_extern(c, "fastly_http_req_pending_req_select_v2")
func hostRequestPendingReqSelectV2(
  _ hsPtr: UnsafePointer<UInt32>?, _ hsLen: UInt32, _ errorDetail: UnsafeMutableRawPointer?,
  _ doneIdxOut: UnsafeMutablePointer<UInt32>?, _ responseHandleOut: UnsafeMutablePointer<UInt32>?,
  _ bodyHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "fastly_key_is_valid")
@_extern(c, "fastly_http_req_fastly_key_is_valid")
func hostRequestFastlyKeyIsValid(_ isValidOut: UnsafeMutablePointer<UInt32>?) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "close") @_extern(c, "fastly_http_req_close")
func hostRequestClose(_ h: UInt32) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "auto_decompress_response_set")
@_extern(c, "fastly_http_req_auto_decompress_response_set")
func hostRequestAutoDecompressResponseSet(_ h: UInt32, _ encodings: UInt32) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "framing_headers_mode_set")
@_extern(c, "fastly_http_req_framing_headers_mode_set")
func hostRequestFramingHeadersModeSet(_ h: UInt32, _ mode: UInt32) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "inspect") @_extern(c, "fastly_http_req_inspect")
func hostRequestInspect(
  _ req: UInt32, _ body: UInt32, _ inspInfoMask: UInt32, _ inspInfo: UnsafeMutableRawPointer?,
  _ buf: UnsafeMutablePointer<UInt8>?, _ bufLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "downstream_tls_client_servername")
@_extern(c, "fastly_http_req_downstream_tls_client_servername")
func hostRequestDownstreamTlsClientServername(
  _ tlsSniOut: UnsafeMutablePointer<UInt8>?, _ tlsSniMaxLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "upgrade_websocket")
@_extern(c, "fastly_http_req_upgrade_websocket")
func hostRequestUpgradeWebsocket(_ backendName: UnsafePointer<UInt8>?, _ backendNameLen: UInt32) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "redirect_to_websocket_proxy")
@_extern(c, "fastly_http_req_redirect_to_websocket_proxy")
func hostRequestRedirectToWebsocketProxy(_ backendName: UnsafePointer<UInt8>?, _ backendNameLen: UInt32) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "redirect_to_grip_proxy")
@_extern(c, "fastly_http_req_redirect_to_grip_proxy")
func hostRequestRedirectToGripProxy(_ backendName: UnsafePointer<UInt8>?, _ backendNameLen: UInt32) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "redirect_to_websocket_proxy_v2")
@_extern(c, "fastly_http_req_redirect_to_websocket_proxy_v2")
func hostRequestRedirectToWebsocketProxyV2(
  _ h: UInt32, _ backendName: UnsafePointer<UInt8>?, _ backendNameLen: UInt32
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "redirect_to_grip_proxy_v2")
@_extern(c, "fastly_http_req_redirect_to_grip_proxy_v2")
func hostRequestRedirectToGripProxyV2(
  _ h: UInt32, _ backendName: UnsafePointer<UInt8>?, _ backendNameLen: UInt32
) -> UInt32

@_extern(wasm, module: "fastly_http_req", name: "register_dynamic_backend")
@_extern(c, "fastly_http_req_register_dynamic_backend")
func hostRequestRegisterDynamicBackend(
  _ namePrefix: UnsafePointer<UInt8>?, _ namePrefixLen: UInt32, _ target: UnsafePointer<UInt8>?, _ targetLen: UInt32,
  _ backendConfigMask: UInt32, _ backendConfiguration: UnsafePointer<UInt32>?
) -> UInt32
