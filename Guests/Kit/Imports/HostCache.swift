// The imports of `fastly_cache`: the core cache. Each function answers a `Status` code.

@_extern(wasm, module: "fastly_cache", name: "lookup") @_extern(c, "fastly_cache_lookup")
func hostCacheLookup(
  _ cacheKeyPtr: UnsafePointer<UInt8>?, _ cacheKeyLen: UInt32, _ optionsMask: UInt32,
  _ options: UnsafeRawPointer?, _ cacheHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_cache", name: "insert") @_extern(c, "fastly_cache_insert")
func hostCacheInsert(
  _ cacheKeyPtr: UnsafePointer<UInt8>?, _ cacheKeyLen: UInt32, _ optionsMask: UInt32,
  _ options: UnsafeRawPointer?, _ bodyHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_cache", name: "replace") @_extern(c, "fastly_cache_replace")
func hostCacheReplace(
  _ cacheKeyPtr: UnsafePointer<UInt8>?, _ cacheKeyLen: UInt32, _ optionsMask: UInt32,
  _ options: UnsafeRawPointer?, _ cacheReplaceHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_cache", name: "replace_insert") @_extern(c, "fastly_cache_replace_insert")
func hostCacheReplaceInsert(
  _ handle: UInt32, _ optionsMask: UInt32, _ options: UnsafeRawPointer?,
  _ bodyHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_cache", name: "replace_get_age_ns") @_extern(c, "fastly_cache_replace_get_age_ns")
func hostCacheReplaceGetAgeNs(_ handle: UInt32, _ cacheDurationNsOut: UnsafeMutablePointer<UInt64>?) -> UInt32

@_extern(wasm, module: "fastly_cache", name: "replace_get_body") @_extern(c, "fastly_cache_replace_get_body")
func hostCacheReplaceGetBody(
  _ handle: UInt32, _ optionsMask: UInt32, _ options: UnsafeRawPointer?,
  _ bodyHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_cache", name: "replace_get_hits") @_extern(c, "fastly_cache_replace_get_hits")
func hostCacheReplaceGetHits(_ handle: UInt32, _ cacheHitCountOut: UnsafeMutablePointer<UInt64>?) -> UInt32

@_extern(wasm, module: "fastly_cache", name: "replace_get_length") @_extern(c, "fastly_cache_replace_get_length")
func hostCacheReplaceGetLength(_ handle: UInt32, _ cacheObjectLengthOut: UnsafeMutablePointer<UInt64>?) -> UInt32

@_extern(wasm, module: "fastly_cache", name: "replace_get_max_age_ns")
@_extern(c, "fastly_cache_replace_get_max_age_ns")
func hostCacheReplaceGetMaxAgeNs(_ handle: UInt32, _ cacheDurationNsOut: UnsafeMutablePointer<UInt64>?) -> UInt32

@_extern(wasm, module: "fastly_cache", name: "replace_get_stale_while_revalidate_ns")
@_extern(c, "fastly_cache_replace_get_stale_while_revalidate_ns")
func hostCacheReplaceGetStaleWhileRevalidateNs(_ handle: UInt32, _ cacheDurationNsOut: UnsafeMutablePointer<UInt64>?)
  -> UInt32

@_extern(wasm, module: "fastly_cache", name: "replace_get_state") @_extern(c, "fastly_cache_replace_get_state")
func hostCacheReplaceGetState(_ handle: UInt32, _ cacheLookupStateOut: UnsafeMutablePointer<UInt32>?) -> UInt32

@_extern(wasm, module: "fastly_cache", name: "replace_get_user_metadata")
@_extern(c, "fastly_cache_replace_get_user_metadata")
func hostCacheReplaceGetUserMetadata(
  _ handle: UInt32, _ userMetadataOutPtr: UnsafeMutablePointer<UInt8>?, _ userMetadataOutLen: UInt32,
  _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_cache", name: "transaction_lookup") @_extern(c, "fastly_cache_transaction_lookup")
func hostCacheTransactionLookup(
  _ cacheKeyPtr: UnsafePointer<UInt8>?, _ cacheKeyLen: UInt32, _ optionsMask: UInt32,
  _ options: UnsafeRawPointer?, _ cacheHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_cache", name: "transaction_lookup_async")
@_extern(c, "fastly_cache_transaction_lookup_async")
func hostCacheTransactionLookupAsync(
  _ cacheKeyPtr: UnsafePointer<UInt8>?, _ cacheKeyLen: UInt32, _ optionsMask: UInt32,
  _ options: UnsafeRawPointer?, _ cacheBusyHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_cache", name: "cache_busy_handle_wait")
@_extern(c, "fastly_cache_cache_busy_handle_wait")
func hostCacheBusyHandleWait(_ busyHandle: UInt32, _ cacheHandleOut: UnsafeMutablePointer<UInt32>?) -> UInt32

@_extern(wasm, module: "fastly_cache", name: "transaction_insert") @_extern(c, "fastly_cache_transaction_insert")
func hostCacheTransactionInsert(
  _ handle: UInt32, _ optionsMask: UInt32, _ options: UnsafeRawPointer?,
  _ bodyHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_cache", name: "transaction_insert_and_stream_back")
@_extern(c, "fastly_cache_transaction_insert_and_stream_back")
func hostCacheTransactionInsertAndStreamBack(
  _ handle: UInt32, _ optionsMask: UInt32, _ options: UnsafeRawPointer?,
  _ bodyHandleOut: UnsafeMutablePointer<UInt32>?, _ cacheHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_cache", name: "transaction_update") @_extern(c, "fastly_cache_transaction_update")
func hostCacheTransactionUpdate(_ handle: UInt32, _ optionsMask: UInt32, _ options: UnsafeRawPointer?)
  -> UInt32

@_extern(wasm, module: "fastly_cache", name: "transaction_cancel") @_extern(c, "fastly_cache_transaction_cancel")
func hostCacheTransactionCancel(_ handle: UInt32) -> UInt32

@_extern(wasm, module: "fastly_cache", name: "close_busy") @_extern(c, "fastly_cache_close_busy")
func hostCacheCloseBusy(_ handle: UInt32) -> UInt32

@_extern(wasm, module: "fastly_cache", name: "close") @_extern(c, "fastly_cache_close")
func hostCacheClose(_ handle: UInt32) -> UInt32

@_extern(wasm, module: "fastly_cache", name: "get_state") @_extern(c, "fastly_cache_get_state")
func hostCacheGetState(_ handle: UInt32, _ cacheLookupStateOut: UnsafeMutablePointer<UInt32>?) -> UInt32

@_extern(wasm, module: "fastly_cache", name: "get_user_metadata") @_extern(c, "fastly_cache_get_user_metadata")
func hostCacheGetUserMetadata(
  _ handle: UInt32, _ userMetadataOutPtr: UnsafeMutablePointer<UInt8>?, _ userMetadataOutLen: UInt32,
  _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_cache", name: "get_body") @_extern(c, "fastly_cache_get_body")
func hostCacheGetBody(
  _ handle: UInt32, _ optionsMask: UInt32, _ options: UnsafeRawPointer?,
  _ bodyHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_cache", name: "get_length") @_extern(c, "fastly_cache_get_length")
func hostCacheGetLength(_ handle: UInt32, _ cacheObjectLengthOut: UnsafeMutablePointer<UInt64>?) -> UInt32

@_extern(wasm, module: "fastly_cache", name: "get_max_age_ns") @_extern(c, "fastly_cache_get_max_age_ns")
func hostCacheGetMaxAgeNs(_ handle: UInt32, _ cacheDurationNsOut: UnsafeMutablePointer<UInt64>?) -> UInt32

@_extern(wasm, module: "fastly_cache", name: "get_stale_while_revalidate_ns")
@_extern(c, "fastly_cache_get_stale_while_revalidate_ns")
func hostCacheGetStaleWhileRevalidateNs(_ handle: UInt32, _ cacheDurationNsOut: UnsafeMutablePointer<UInt64>?) -> UInt32

@_extern(wasm, module: "fastly_cache", name: "get_age_ns") @_extern(c, "fastly_cache_get_age_ns")
func hostCacheGetAgeNs(_ handle: UInt32, _ cacheDurationNsOut: UnsafeMutablePointer<UInt64>?) -> UInt32

@_extern(wasm, module: "fastly_cache", name: "get_hits") @_extern(c, "fastly_cache_get_hits")
func hostCacheGetHits(_ handle: UInt32, _ cacheHitCountOut: UnsafeMutablePointer<UInt64>?) -> UInt32
