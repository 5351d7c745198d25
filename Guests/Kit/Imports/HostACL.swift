// The imports of `fastly_acl`: access control lists. Each function answers a `Status` code.

@_extern(wasm, module: "fastly_acl", name: "open") @_extern(c, "fastly_acl_open")
func hostACLOpen(_ namePtr: UnsafePointer<UInt8>?, _ nameLen: UInt32, _ aclHandleOut: UnsafeMutablePointer<UInt32>?)
  -> UInt32

@_extern(wasm, module: "fastly_acl", name: "lookup") @_extern(c, "fastly_acl_lookup")
func hostACLLookup(
  _ acl: UInt32, _ ipOctets: UnsafePointer<UInt8>?, _ ipLen: UInt32, _ bodyHandleOut: UnsafeMutablePointer<UInt32>?,
  _ aclErrorOut: UnsafeMutablePointer<UInt32>?
) -> UInt32
