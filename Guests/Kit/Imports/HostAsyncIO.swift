// The imports of `fastly_async_io`: waiting for several handles. Each function answers a `Status` code.

@_extern(wasm, module: "fastly_async_io", name: "select") @_extern(c, "fastly_async_io_select")
func hostAsyncIOSelect(
  _ hsPtr: UnsafePointer<UInt32>?, _ hsLen: UInt32, _ timeoutMs: UInt32, _ readyIdxOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_async_io", name: "is_ready") @_extern(c, "fastly_async_io_is_ready")
func hostAsyncIOIsReady(_ handle: UInt32, _ isDoneOut: UnsafeMutablePointer<UInt32>?) -> UInt32
