// The imports of `fastly_config_store`: config stores. Each function answers a `Status` code.

@_extern(wasm, module: "fastly_config_store", name: "open") @_extern(c, "fastly_config_store_open")
func hostConfigStoreOpen(
  _ namePtr: UnsafePointer<UInt8>?, _ nameLen: UInt32, _ configStoreHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_config_store", name: "get") @_extern(c, "fastly_config_store_get")
func hostConfigStoreGet(
  _ h: UInt32, _ keyPtr: UnsafePointer<UInt8>?, _ keyLen: UInt32, _ value: UnsafeMutablePointer<UInt8>?,
  _ valueMaxLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32
