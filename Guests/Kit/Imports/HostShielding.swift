// The imports of `fastly_shielding`: shielding. Each function answers a `Status` code.

@_extern(wasm, module: "fastly_shielding", name: "shield_info") @_extern(c, "fastly_shielding_shield_info")
func hostShieldingShieldInfo(
  _ namePtr: UnsafePointer<UInt8>?, _ nameLen: UInt32, _ infoBlock: UnsafeMutablePointer<UInt8>?,
  _ infoBlockMaxLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_shielding", name: "backend_for_shield")
@_extern(c, "fastly_shielding_backend_for_shield")
func hostShieldingBackendForShield(
  _ shieldNamePtr: UnsafePointer<UInt8>?, _ shieldNameLen: UInt32, _ backendConfigMask: UInt32,
  _ backendConfiguration: UnsafeRawPointer?, _ backendNameOut: UnsafeMutablePointer<UInt8>?,
  _ backendNameMaxLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32
