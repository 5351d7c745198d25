// The imports of `fastly_log`: log endpoints. Each function answers a `Status` code.

@_extern(wasm, module: "fastly_log", name: "endpoint_get") @_extern(c, "fastly_log_endpoint_get")
func hostLogEndpointGet(
  _ namePtr: UnsafePointer<UInt8>?, _ nameLen: UInt32, _ endpointHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_log", name: "write") @_extern(c, "fastly_log_write")
func hostLogWrite(
  _ h: UInt32, _ msgPtr: UnsafePointer<UInt8>?, _ msgLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32
