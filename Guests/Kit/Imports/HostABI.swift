// The imports of `fastly_abi`: the version handshake. Each function answers a `Status` code.

@_extern(wasm, module: "fastly_abi", name: "init") @_extern(c, "fastly_abi_init")
func hostABIInit(_ abiVersion: UInt64) -> UInt32
