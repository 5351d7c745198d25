// The imports of `fastly_secrets`: secrets without their store. Each function answers a `Status` code.

@_extern(wasm, module: "fastly_secrets", name: "get_secret") @_extern(c, "fastly_secrets_get_secret")
func hostSecretsGetSecret(
  _ namePtr: UnsafePointer<UInt8>?, _ nameLen: UInt32, _ secretOut: UnsafeMutablePointer<UInt8>?,
  _ secretMaxLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32
