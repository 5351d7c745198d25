// The imports of `fastly_object_store`: the older form of KV stores. Each function answers a `Status` code.

@_extern(wasm, module: "fastly_object_store", name: "open") @_extern(c, "fastly_object_store_open")
func hostObjectStoreOpen(
  _ namePtr: UnsafePointer<UInt8>?, _ nameLen: UInt32, _ objectStoreHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_object_store", name: "lookup") @_extern(c, "fastly_object_store_lookup")
func hostObjectStoreLookup(
  _ store: UInt32, _ keyPtr: UnsafePointer<UInt8>?, _ keyLen: UInt32, _ bodyHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_object_store", name: "lookup_async") @_extern(c, "fastly_object_store_lookup_async")
func hostObjectStoreLookupAsync(
  _ store: UInt32, _ keyPtr: UnsafePointer<UInt8>?, _ keyLen: UInt32, _ pendingHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_object_store", name: "pending_lookup_wait")
@_extern(c, "fastly_object_store_pending_lookup_wait")
func hostObjectStorePendingLookupWait(_ pendingObjstrHandle: UInt32, _ bodyHandleOut: UnsafeMutablePointer<UInt32>?)
  -> UInt32

@_extern(wasm, module: "fastly_object_store", name: "insert") @_extern(c, "fastly_object_store_insert")
func hostObjectStoreInsert(_ store: UInt32, _ keyPtr: UnsafePointer<UInt8>?, _ keyLen: UInt32, _ bodyHandle: UInt32)
  -> UInt32

@_extern(wasm, module: "fastly_object_store", name: "insert_async") @_extern(c, "fastly_object_store_insert_async")
func hostObjectStoreInsertAsync(
  _ store: UInt32, _ keyPtr: UnsafePointer<UInt8>?, _ keyLen: UInt32, _ bodyHandle: UInt32,
  _ pendingHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_object_store", name: "pending_insert_wait")
@_extern(c, "fastly_object_store_pending_insert_wait")
func hostObjectStorePendingInsertWait(_ pendingObjstrHandle: UInt32) -> UInt32

@_extern(wasm, module: "fastly_object_store", name: "delete_async") @_extern(c, "fastly_object_store_delete_async")
func hostObjectStoreDeleteAsync(
  _ store: UInt32, _ keyPtr: UnsafePointer<UInt8>?, _ keyLen: UInt32, _ pendingHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_object_store", name: "pending_delete_wait")
@_extern(c, "fastly_object_store_pending_delete_wait")
func hostObjectStorePendingDeleteWait(_ pendingObjstrHandle: UInt32) -> UInt32

@_extern(wasm, module: "fastly_object_store", name: "lookup_as_fd") @_extern(c, "fastly_object_store_lookup_as_fd")
func hostObjectStoreLookupAsFd(
  _ store: UInt32, _ keyPtr: UnsafePointer<UInt8>?, _ keyLen: UInt32, _ fdOut: UnsafeMutablePointer<UInt32>?
) -> UInt32
