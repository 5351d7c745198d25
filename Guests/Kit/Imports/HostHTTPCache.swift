// The imports of `fastly_http_cache`: the HTTP cache. Each function answers a `Status` code.

@_extern(wasm, module: "fastly_http_cache", name: "is_request_cacheable")
@_extern(c, "fastly_http_cache_is_request_cacheable")
func hostHTTPCacheIsRequestCacheable(_ reqHandle: UInt32, _ isCacheableOut: UnsafeMutablePointer<UInt32>?) -> UInt32

@_extern(wasm, module: "fastly_http_cache", name: "get_suggested_cache_key")
@_extern(c, "fastly_http_cache_get_suggested_cache_key")
func hostHTTPCacheGetSuggestedCacheKey(
  _ reqHandle: UInt32, _ keyOutPtr: UnsafeMutablePointer<UInt8>?, _ keyOutLen: UInt32,
  _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_cache", name: "lookup") @_extern(c, "fastly_http_cache_lookup")
func hostHTTPCacheLookup(
  _ reqHandle: UInt32, _ optionsMask: UInt32, _ options: UnsafeRawPointer?,
  _ httpCacheHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_cache", name: "transaction_lookup")
@_extern(c, "fastly_http_cache_transaction_lookup")
func hostHTTPCacheTransactionLookup(
  _ reqHandle: UInt32, _ optionsMask: UInt32, _ options: UnsafeRawPointer?,
  _ httpCacheHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_cache", name: "transaction_insert")
@_extern(c, "fastly_http_cache_transaction_insert")
func hostHTTPCacheTransactionInsert(
  _ handle: UInt32, _ respHandle: UInt32, _ optionsMask: UInt32, _ options: UnsafeRawPointer?,
  _ bodyHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_cache", name: "transaction_insert_and_stream_back")
@_extern(c, "fastly_http_cache_transaction_insert_and_stream_back")
func hostHTTPCacheTransactionInsertAndStreamBack(
  _ handle: UInt32, _ respHandle: UInt32, _ optionsMask: UInt32, _ options: UnsafeRawPointer?,
  _ bodyHandleOut: UnsafeMutablePointer<UInt32>?, _ httpCacheHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_cache", name: "transaction_update")
@_extern(c, "fastly_http_cache_transaction_update")
func hostHTTPCacheTransactionUpdate(
  _ handle: UInt32, _ respHandle: UInt32, _ optionsMask: UInt32, _ options: UnsafeRawPointer?
) -> UInt32

@_extern(wasm, module: "fastly_http_cache", name: "transaction_update_and_return_fresh")
@_extern(c, "fastly_http_cache_transaction_update_and_return_fresh")
func hostHTTPCacheTransactionUpdateAndReturnFresh(
  _ handle: UInt32, _ respHandle: UInt32, _ optionsMask: UInt32, _ options: UnsafeRawPointer?,
  _ httpCacheHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_cache", name: "transaction_choose_stale")
@_extern(c, "fastly_http_cache_transaction_choose_stale")
func hostHTTPCacheTransactionChooseStale(_ handle: UInt32) -> UInt32

@_extern(wasm, module: "fastly_http_cache", name: "transaction_record_not_cacheable")
@_extern(c, "fastly_http_cache_transaction_record_not_cacheable")
func hostHTTPCacheTransactionRecordNotCacheable(
  _ handle: UInt32, _ optionsMask: UInt32, _ options: UnsafeRawPointer?
) -> UInt32

@_extern(wasm, module: "fastly_http_cache", name: "transaction_abandon")
@_extern(c, "fastly_http_cache_transaction_abandon")
func hostHTTPCacheTransactionAbandon(_ handle: UInt32) -> UInt32

@_extern(wasm, module: "fastly_http_cache", name: "close") @_extern(c, "fastly_http_cache_close")
func hostHTTPCacheClose(_ handle: UInt32) -> UInt32

@_extern(wasm, module: "fastly_http_cache", name: "get_suggested_backend_request")
@_extern(c, "fastly_http_cache_get_suggested_backend_request")
func hostHTTPCacheGetSuggestedBackendRequest(_ handle: UInt32, _ requestHandleOut: UnsafeMutablePointer<UInt32>?)
  -> UInt32

@_extern(wasm, module: "fastly_http_cache", name: "get_suggested_cache_options")
@_extern(c, "fastly_http_cache_get_suggested_cache_options")
func hostHTTPCacheGetSuggestedCacheOptions(
  _ handle: UInt32, _ response: UInt32, _ optionsMask: UInt32, _ options: UnsafeRawPointer?,
  _ optionsMaskOut: UnsafeMutablePointer<UInt32>?, _ optionsOut: UnsafeMutableRawPointer?
) -> UInt32

@_extern(wasm, module: "fastly_http_cache", name: "prepare_response_for_storage")
@_extern(c, "fastly_http_cache_prepare_response_for_storage")
func hostHTTPCachePrepareResponseForStorage(
  _ handle: UInt32, _ response: UInt32, _ httpStorageActionOut: UnsafeMutablePointer<UInt32>?,
  _ responseHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_cache", name: "get_found_response")
@_extern(c, "fastly_http_cache_get_found_response")
func hostHTTPCacheGetFoundResponse(
  _ handle: UInt32, _ transformForClient: UInt32, _ responseHandleOut: UnsafeMutablePointer<UInt32>?,
  _ bodyHandleOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_cache", name: "get_state") @_extern(c, "fastly_http_cache_get_state")
func hostHTTPCacheGetState(_ handle: UInt32, _ cacheLookupStateOut: UnsafeMutablePointer<UInt32>?) -> UInt32

@_extern(wasm, module: "fastly_http_cache", name: "get_length") @_extern(c, "fastly_http_cache_get_length")
func hostHTTPCacheGetLength(_ handle: UInt32, _ cacheObjectLengthOut: UnsafeMutablePointer<UInt64>?) -> UInt32

@_extern(wasm, module: "fastly_http_cache", name: "get_max_age_ns") @_extern(c, "fastly_http_cache_get_max_age_ns")
func hostHTTPCacheGetMaxAgeNs(_ handle: UInt32, _ cacheDurationNsOut: UnsafeMutablePointer<UInt64>?) -> UInt32

@_extern(wasm, module: "fastly_http_cache", name: "get_stale_while_revalidate_ns")
@_extern(c, "fastly_http_cache_get_stale_while_revalidate_ns")
func hostHTTPCacheGetStaleWhileRevalidateNs(_ handle: UInt32, _ cacheDurationNsOut: UnsafeMutablePointer<UInt64>?)
  -> UInt32

@_extern(wasm, module: "fastly_http_cache", name: "get_stale_if_error_ns")
@_extern(c, "fastly_http_cache_get_stale_if_error_ns")
func hostHTTPCacheGetStaleIfErrorNs(_ handle: UInt32, _ cacheDurationNsOut: UnsafeMutablePointer<UInt64>?) -> UInt32

@_extern(wasm, module: "fastly_http_cache", name: "get_age_ns") @_extern(c, "fastly_http_cache_get_age_ns")
func hostHTTPCacheGetAgeNs(_ handle: UInt32, _ cacheDurationNsOut: UnsafeMutablePointer<UInt64>?) -> UInt32

@_extern(wasm, module: "fastly_http_cache", name: "get_hits") @_extern(c, "fastly_http_cache_get_hits")
func hostHTTPCacheGetHits(_ handle: UInt32, _ cacheHitCountOut: UnsafeMutablePointer<UInt64>?) -> UInt32

@_extern(wasm, module: "fastly_http_cache", name: "get_sensitive_data")
@_extern(c, "fastly_http_cache_get_sensitive_data")
func hostHTTPCacheGetSensitiveData(_ handle: UInt32, _ isSensitiveOut: UnsafeMutablePointer<UInt32>?) -> UInt32

@_extern(wasm, module: "fastly_http_cache", name: "get_surrogate_keys")
@_extern(c, "fastly_http_cache_get_surrogate_keys")
func hostHTTPCacheGetSurrogateKeys(
  _ handle: UInt32, _ surrogateKeysOutPtr: UnsafeMutablePointer<UInt8>?, _ surrogateKeysOutLen: UInt32,
  _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_http_cache", name: "get_vary_rule") @_extern(c, "fastly_http_cache_get_vary_rule")
func hostHTTPCacheGetVaryRule(
  _ handle: UInt32, _ varyRuleOutPtr: UnsafeMutablePointer<UInt8>?, _ varyRuleOutLen: UInt32,
  _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32
