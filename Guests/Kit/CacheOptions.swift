// The option structs of the core cache and of purging, as the ABI lays them out in memory.

/// `cache_lookup_options`.
struct CacheLookupOptions {
  var requestHeaders: UInt32 = 0
  var serviceID: UnsafePointer<UInt8>?
  var serviceIDCount: UInt32 = 0
}

/// `cache_replace_options`.
struct CacheReplaceOptions {
  var requestHeaders: UInt32 = 0
  var strategy: UInt32 = 0
  var serviceID: UnsafePointer<UInt8>?
  var serviceIDCount: UInt32 = 0
}

/// `cache_write_options`. Times are nanoseconds.
struct CacheWriteOptions {
  var maxAge: UInt64 = 0
  var requestHeaders: UInt32 = 0
  var varyRule: UnsafePointer<UInt8>?
  var varyRuleCount: UInt32 = 0
  var initialAge: UInt64 = 0
  var staleWhileRevalidate: UInt64 = 0
  var surrogateKeys: UnsafePointer<UInt8>?
  var surrogateKeysCount: UInt32 = 0
  var length: UInt64 = 0
  var userMetadata: UnsafePointer<UInt8>?
  var userMetadataCount: UInt32 = 0
  var edgeMaxAge: UInt64 = 0
  var serviceID: UnsafePointer<UInt8>?
  var serviceIDCount: UInt32 = 0
}

/// `cache_get_body_options`: offsets in bytes.
struct CacheRangeOptions {
  var from: UInt64 = 0
  var to: UInt64 = 0
}

/// `purge_options`.
struct PurgeOptions {
  var buffer: UnsafeMutablePointer<UInt8>?
  var capacity: UInt32 = 0
  var written: UnsafeMutablePointer<UInt32>?
}
