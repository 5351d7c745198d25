// The imports of `fastly_uap`: user agent parsing. Each function answers a `Status` code.

@_extern(wasm, module: "fastly_uap", name: "parse") @_extern(c, "fastly_uap_parse")
func hostUAPParse(
  _ userAgentPtr: UnsafePointer<UInt8>?, _ userAgentLen: UInt32, _ family: UnsafeMutablePointer<UInt8>?,
  _ familyLen: UInt32, _ familyNwrittenOut: UnsafeMutablePointer<UInt32>?, _ major: UnsafeMutablePointer<UInt8>?,
  _ majorLen: UInt32, _ majorNwrittenOut: UnsafeMutablePointer<UInt32>?, _ minor: UnsafeMutablePointer<UInt8>?,
  _ minorLen: UInt32, _ minorNwrittenOut: UnsafeMutablePointer<UInt32>?, _ patch: UnsafeMutablePointer<UInt8>?,
  _ patchLen: UInt32, _ patchNwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32
