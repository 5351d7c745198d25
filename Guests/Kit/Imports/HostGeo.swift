// The imports of `fastly_geo`: geolocation. Each function answers a `Status` code.

@_extern(wasm, module: "fastly_geo", name: "lookup") @_extern(c, "fastly_geo_lookup")
func hostGeoLookup(
  _ addrOctets: UnsafePointer<UInt8>?, _ addrLen: UInt32, _ buf: UnsafeMutablePointer<UInt8>?, _ bufLen: UInt32,
  _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32
