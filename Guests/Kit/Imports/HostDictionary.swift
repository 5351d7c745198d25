// The imports of `fastly_dictionary`: dictionaries. Each function answers a `Status` code.

@_extern(wasm, module: "fastly_dictionary", name: "open") @_extern(c, "fastly_dictionary_open")
func hostDictionaryOpen(
  _ namePtr: UnsafePointer<UInt8>?, _ nameLen: UInt32, _ dictionaryHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_dictionary", name: "get") @_extern(c, "fastly_dictionary_get")
func hostDictionaryGet(
  _ h: UInt32, _ keyPtr: UnsafePointer<UInt8>?, _ keyLen: UInt32, _ value: UnsafeMutablePointer<UInt8>?,
  _ valueMaxLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32
