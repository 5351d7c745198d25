// The imports of `fastly_device_detection`: device detection. Each function answers a `Status` code.

@_extern(wasm, module: "fastly_device_detection", name: "lookup") @_extern(c, "fastly_device_detection_lookup")
func hostDeviceLookup(
  _ userAgentPtr: UnsafePointer<UInt8>?, _ userAgentLen: UInt32, _ buf: UnsafeMutablePointer<UInt8>?, _ bufLen: UInt32,
  _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32
