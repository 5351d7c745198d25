// The imports of `fastly_secret_store`: secret stores. Each function answers a `Status` code.

@_extern(wasm, module: "fastly_secret_store", name: "open") @_extern(c, "fastly_secret_store_open")
func hostSecretStoreOpen(
  _ namePtr: UnsafePointer<UInt8>?, _ nameLen: UInt32, _ secretStoreHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_secret_store", name: "get") @_extern(c, "fastly_secret_store_get")
func hostSecretStoreGet(
  _ store: UInt32, _ keyPtr: UnsafePointer<UInt8>?, _ keyLen: UInt32, _ secretHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_secret_store", name: "plaintext") @_extern(c, "fastly_secret_store_plaintext")
func hostSecretStorePlaintext(
  _ secret: UInt32, _ buf: UnsafeMutablePointer<UInt8>?, _ bufLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_secret_store", name: "from_bytes") @_extern(c, "fastly_secret_store_from_bytes")
func hostSecretStoreFromBytes(
  _ buf: UnsafePointer<UInt8>?, _ bufLen: UInt32, _ secretHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32
