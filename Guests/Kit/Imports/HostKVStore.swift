// The imports of `fastly_kv_store`: KV stores. Each function answers a `Status` code.

@_extern(wasm, module: "fastly_kv_store", name: "open") @_extern(c, "fastly_kv_store_open")
func hostKVStoreOpen(
  _ namePtr: UnsafePointer<UInt8>?, _ nameLen: UInt32, _ kvStoreHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_kv_store", name: "lookup") @_extern(c, "fastly_kv_store_lookup")
func hostKVStoreLookup(
  _ store: UInt32, _ keyPtr: UnsafePointer<UInt8>?, _ keyLen: UInt32, _ lookupConfigMask: UInt32,
  _ lookupConfiguration: UnsafeRawPointer?, _ handleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_kv_store", name: "lookup_wait") @_extern(c, "fastly_kv_store_lookup_wait")
func hostKVStoreLookupWait(
  _ handle: UInt32, _ bodyHandleOut: UnsafeMutablePointer<UInt32>?, _ metadataBuf: UnsafeMutablePointer<UInt8>?,
  _ metadataBufLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?,
  _ generationOut: UnsafeMutablePointer<UInt32>?, _ kvErrorOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_kv_store", name: "lookup_wait_v2") @_extern(c, "fastly_kv_store_lookup_wait_v2")
func hostKVStoreLookupWaitV2(
  _ handle: UInt32, _ bodyHandleOut: UnsafeMutablePointer<UInt32>?, _ metadataBuf: UnsafeMutablePointer<UInt8>?,
  _ metadataBufLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?,
  _ generationOut: UnsafeMutablePointer<UInt64>?, _ kvErrorOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_kv_store", name: "insert") @_extern(c, "fastly_kv_store_insert")
func hostKVStoreInsert(
  _ store: UInt32, _ keyPtr: UnsafePointer<UInt8>?, _ keyLen: UInt32, _ bodyHandle: UInt32, _ insertConfigMask: UInt32,
  _ insertConfiguration: UnsafeRawPointer?, _ handleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_kv_store", name: "insert_wait") @_extern(c, "fastly_kv_store_insert_wait")
func hostKVStoreInsertWait(_ handle: UInt32, _ kvErrorOut: UnsafeMutablePointer<UInt32>?) -> UInt32

@_extern(wasm, module: "fastly_kv_store", name: "delete") @_extern(c, "fastly_kv_store_delete")
func hostKVStoreDelete(
  _ store: UInt32, _ keyPtr: UnsafePointer<UInt8>?, _ keyLen: UInt32, _ deleteConfigMask: UInt32,
  _ deleteConfiguration: UnsafeRawPointer?, _ handleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_kv_store", name: "delete_wait") @_extern(c, "fastly_kv_store_delete_wait")
func hostKVStoreDeleteWait(_ handle: UInt32, _ kvErrorOut: UnsafeMutablePointer<UInt32>?) -> UInt32

@_extern(wasm, module: "fastly_kv_store", name: "list") @_extern(c, "fastly_kv_store_list")
func hostKVStoreList(
  _ store: UInt32, _ listConfigMask: UInt32, _ listConfiguration: UnsafeRawPointer?,
  _ handleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_kv_store", name: "list_wait") @_extern(c, "fastly_kv_store_list_wait")
func hostKVStoreListWait(
  _ handle: UInt32, _ bodyHandleOut: UnsafeMutablePointer<UInt32>?, _ kvErrorOut: UnsafeMutablePointer<UInt32>?
) -> UInt32
