// The imports of `fastly_kv`: the first form of KV stores. Each function answers a `Status` code.

@_extern(wasm, module: "fastly_kv", name: "open") @_extern(c, "fastly_kv_open")
func hostKVOpen(_ namePtr: UnsafePointer<UInt8>?, _ nameLen: UInt32, _ kvStoreHandleOut: UnsafeMutablePointer<UInt32>?)
  -> UInt32

@_extern(wasm, module: "fastly_kv", name: "lookup") @_extern(c, "fastly_kv_lookup")
func hostKVLookup(
  _ store: UInt32, _ keyPtr: UnsafePointer<UInt8>?, _ keyLen: UInt32, _ bodyHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_kv", name: "insert") @_extern(c, "fastly_kv_insert")
func hostKVInsert(
  _ store: UInt32, _ keyPtr: UnsafePointer<UInt8>?, _ keyLen: UInt32, _ bodyHandle: UInt32, _ maxAge: UInt32,
  _ insertedOut: UnsafeMutablePointer<UInt32>?
) -> UInt32
