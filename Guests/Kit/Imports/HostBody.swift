// The imports of `fastly_http_body`: bodies. Each function answers a `Status` code.

@_extern(wasm, module: "fastly_http_body", name: "append") @_extern(c, "fastly_http_body_append")
func hostBodyAppend(_ dest: UInt32, _ src: UInt32) -> UInt32

@_extern(wasm, module: "fastly_http_body", name: "new") @_extern(c, "fastly_http_body_new")
func hostBodyNew(_ bodyHandleOut: UnsafeMutablePointer<UInt32>?) -> UInt32

@_extern(wasm, module: "fastly_http_body", name: "read") @_extern(c, "fastly_http_body_read")
func hostBodyRead(
  _ h: UInt32, _ buf: UnsafeMutablePointer<UInt8>?, _ bufLen: UInt32, _ nreadOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_body", name: "write") @_extern(c, "fastly_http_body_write")
func hostBodyWrite(
  _ h: UInt32, _ bufPtr: UnsafePointer<UInt8>?, _ bufLen: UInt32, _ end: UInt32,
  _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_body", name: "close") @_extern(c, "fastly_http_body_close")
func hostBodyClose(_ h: UInt32) -> UInt32

@_extern(wasm, module: "fastly_http_body", name: "abandon") @_extern(c, "fastly_http_body_abandon")
func hostBodyAbandon(_ h: UInt32) -> UInt32

@_extern(wasm, module: "fastly_http_body", name: "trailer_append") @_extern(c, "fastly_http_body_trailer_append")
func hostBodyTrailerAppend(
  _ h: UInt32, _ namePtr: UnsafePointer<UInt8>?, _ nameLen: UInt32, _ valuePtr: UnsafePointer<UInt8>?,
  _ valueLen: UInt32
) -> UInt32

@_extern(wasm, module: "fastly_http_body", name: "trailer_names_get") @_extern(c, "fastly_http_body_trailer_names_get")
func hostBodyTrailerNamesGet(
  _ h: UInt32, _ buf: UnsafeMutablePointer<UInt8>?, _ bufLen: UInt32, _ cursor: UInt32,
  _ endingCursorOut: UnsafeMutablePointer<Int64>?, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_body", name: "trailer_value_get") @_extern(c, "fastly_http_body_trailer_value_get")
func hostBodyTrailerValueGet(
  _ h: UInt32, _ namePtr: UnsafePointer<UInt8>?, _ nameLen: UInt32, _ value: UnsafeMutablePointer<UInt8>?,
  _ valueMaxLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_body", name: "trailer_values_get")
@_extern(c, "fastly_http_body_trailer_values_get")
func hostBodyTrailerValuesGet(
  _ h: UInt32, _ namePtr: UnsafePointer<UInt8>?, _ nameLen: UInt32, _ buf: UnsafeMutablePointer<UInt8>?,
  _ bufLen: UInt32, _ cursor: UInt32, _ endingCursorOut: UnsafeMutablePointer<Int64>?,
  _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_body", name: "known_length") @_extern(c, "fastly_http_body_known_length")
func hostBodyKnownLength(_ h: UInt32, _ bodyLengthOut: UnsafeMutablePointer<UInt64>?) -> UInt32
