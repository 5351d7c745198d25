// The import of `fastly_purge`. It answers a `Status` code.

@_extern(wasm, module: "fastly_purge", name: "purge_surrogate_key") @_extern(c, "fastly_purge_purge_surrogate_key")
func hostPurgeSurrogateKey(
  _ surrogateKeyPtr: UnsafePointer<UInt8>?, _ surrogateKeyLen: UInt32, _ optionsMask: UInt32,
  _ options: UnsafeRawPointer?
) -> UInt32
