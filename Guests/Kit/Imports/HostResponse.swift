// The imports of `fastly_http_resp`: responses. Each function answers a `Status` code.

@_extern(wasm, module: "fastly_http_resp", name: "new") @_extern(c, "fastly_http_resp_new")
func hostResponseNew(_ responseHandleOut: UnsafeMutablePointer<UInt32>?) -> UInt32

@_extern(wasm, module: "fastly_http_resp", name: "header_names_get") @_extern(c, "fastly_http_resp_header_names_get")
func hostResponseHeaderNamesGet(
  _ h: UInt32, _ buf: UnsafeMutablePointer<UInt8>?, _ bufLen: UInt32, _ cursor: UInt32,
  _ endingCursorOut: UnsafeMutablePointer<Int64>?, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_resp", name: "header_value_get") @_extern(c, "fastly_http_resp_header_value_get")
func hostResponseHeaderValueGet(
  _ h: UInt32, _ namePtr: UnsafePointer<UInt8>?, _ nameLen: UInt32, _ value: UnsafeMutablePointer<UInt8>?,
  _ valueMaxLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_resp", name: "header_values_get") @_extern(c, "fastly_http_resp_header_values_get")
func hostResponseHeaderValuesGet(
  _ h: UInt32, _ namePtr: UnsafePointer<UInt8>?, _ nameLen: UInt32, _ buf: UnsafeMutablePointer<UInt8>?,
  _ bufLen: UInt32, _ cursor: UInt32, _ endingCursorOut: UnsafeMutablePointer<Int64>?,
  _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_resp", name: "header_values_set") @_extern(c, "fastly_http_resp_header_values_set")
func hostResponseHeaderValuesSet(
  _ h: UInt32, _ namePtr: UnsafePointer<UInt8>?, _ nameLen: UInt32, _ valuesPtr: UnsafePointer<UInt8>?,
  _ valuesLen: UInt32
) -> UInt32

@_extern(wasm, module: "fastly_http_resp", name: "header_insert") @_extern(c, "fastly_http_resp_header_insert")
func hostResponseHeaderInsert(
  _ h: UInt32, _ namePtr: UnsafePointer<UInt8>?, _ nameLen: UInt32, _ valuePtr: UnsafePointer<UInt8>?,
  _ valueLen: UInt32
) -> UInt32

@_extern(wasm, module: "fastly_http_resp", name: "header_append") @_extern(c, "fastly_http_resp_header_append")
func hostResponseHeaderAppend(
  _ h: UInt32, _ namePtr: UnsafePointer<UInt8>?, _ nameLen: UInt32, _ valuePtr: UnsafePointer<UInt8>?,
  _ valueLen: UInt32
) -> UInt32

@_extern(wasm, module: "fastly_http_resp", name: "header_remove") @_extern(c, "fastly_http_resp_header_remove")
func hostResponseHeaderRemove(_ h: UInt32, _ namePtr: UnsafePointer<UInt8>?, _ nameLen: UInt32) -> UInt32

@_extern(wasm, module: "fastly_http_resp", name: "version_get") @_extern(c, "fastly_http_resp_version_get")
func hostResponseVersionGet(_ h: UInt32, _ httpVersionOut: UnsafeMutablePointer<UInt32>?) -> UInt32

@_extern(wasm, module: "fastly_http_resp", name: "version_set") @_extern(c, "fastly_http_resp_version_set")
func hostResponseVersionSet(_ h: UInt32, _ version: UInt32) -> UInt32

@_extern(wasm, module: "fastly_http_resp", name: "send_downstream") @_extern(c, "fastly_http_resp_send_downstream")
func hostResponseSendDownstream(_ h: UInt32, _ b: UInt32, _ streaming: UInt32) -> UInt32

@_extern(wasm, module: "fastly_http_resp", name: "send_downstream_pending")
@_extern(c, "fastly_http_resp_send_downstream_pending")
func hostResponseSendDownstreamPending(_ handle: UInt32) -> UInt32

@_extern(wasm, module: "fastly_http_resp", name: "status_get") @_extern(c, "fastly_http_resp_status_get")
func hostResponseStatusGet(_ h: UInt32, _ httpStatusOut: UnsafeMutablePointer<UInt16>?) -> UInt32

@_extern(wasm, module: "fastly_http_resp", name: "status_set") @_extern(c, "fastly_http_resp_status_set")
func hostResponseStatusSet(_ h: UInt32, _ status: UInt32) -> UInt32

@_extern(wasm, module: "fastly_http_resp", name: "close") @_extern(c, "fastly_http_resp_close")
func hostResponseClose(_ h: UInt32) -> UInt32

@_extern(wasm, module: "fastly_http_resp", name: "framing_headers_mode_set")
@_extern(c, "fastly_http_resp_framing_headers_mode_set")
func hostResponseFramingHeadersModeSet(_ h: UInt32, _ mode: UInt32) -> UInt32

@_extern(wasm, module: "fastly_http_resp", name: "http_keepalive_mode_set")
@_extern(c, "fastly_http_resp_http_keepalive_mode_set")
func hostResponseHttpKeepaliveModeSet(_ h: UInt32, _ mode: UInt32) -> UInt32

@_extern(wasm, module: "fastly_http_resp", name: "get_addr_dest_ip") @_extern(c, "fastly_http_resp_get_addr_dest_ip")
func hostResponseGetAddrDestIp(
  _ h: UInt32, _ addrOctetsOut: UnsafeMutablePointer<UInt8>?, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_resp", name: "get_addr_dest_port")
@_extern(c, "fastly_http_resp_get_addr_dest_port")
func hostResponseGetAddrDestPort(_ h: UInt32, _ portOut: UnsafeMutablePointer<UInt16>?) -> UInt32
