// The imports of `fastly_erl`: edge rate limiting. Each function answers a `Status` code.

@_extern(wasm, module: "fastly_erl", name: "check_rate") @_extern(c, "fastly_erl_check_rate")
func hostERLCheckRate(
  _ rcPtr: UnsafePointer<UInt8>?, _ rcLen: UInt32, _ entryPtr: UnsafePointer<UInt8>?, _ entryLen: UInt32,
  _ delta: UInt32, _ window: UInt32, _ limit: UInt32, _ pbPtr: UnsafePointer<UInt8>?, _ pbLen: UInt32, _ ttl: UInt32,
  _ blockedOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_erl", name: "ratecounter_increment") @_extern(c, "fastly_erl_ratecounter_increment")
func hostERLRatecounterIncrement(
  _ rcPtr: UnsafePointer<UInt8>?, _ rcLen: UInt32, _ entryPtr: UnsafePointer<UInt8>?, _ entryLen: UInt32,
  _ delta: UInt32
) -> UInt32

@_extern(wasm, module: "fastly_erl", name: "ratecounter_lookup_rate") @_extern(c, "fastly_erl_ratecounter_lookup_rate")
func hostERLRatecounterLookupRate(
  _ rcPtr: UnsafePointer<UInt8>?, _ rcLen: UInt32, _ entryPtr: UnsafePointer<UInt8>?, _ entryLen: UInt32,
  _ window: UInt32, _ rateOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_erl", name: "ratecounter_lookup_count")
@_extern(c, "fastly_erl_ratecounter_lookup_count")
func hostERLRatecounterLookupCount(
  _ rcPtr: UnsafePointer<UInt8>?, _ rcLen: UInt32, _ entryPtr: UnsafePointer<UInt8>?, _ entryLen: UInt32,
  _ duration: UInt32, _ countOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_erl", name: "penaltybox_add") @_extern(c, "fastly_erl_penaltybox_add")
func hostERLPenaltyboxAdd(
  _ pbPtr: UnsafePointer<UInt8>?, _ pbLen: UInt32, _ entryPtr: UnsafePointer<UInt8>?, _ entryLen: UInt32, _ ttl: UInt32
) -> UInt32

@_extern(wasm, module: "fastly_erl", name: "penaltybox_has") @_extern(c, "fastly_erl_penaltybox_has")
func hostERLPenaltyboxHas(
  _ pbPtr: UnsafePointer<UInt8>?, _ pbLen: UInt32, _ entryPtr: UnsafePointer<UInt8>?, _ entryLen: UInt32,
  _ hasOut: UnsafeMutablePointer<UInt32>?
) -> UInt32
