/// An object as a guest describes it for storing. Times are nanoseconds; what is nil is left out.
struct CacheWrite {
  var maxAge: UInt64
  var headers: Request?
  var vary: Text?
  var initialAge: UInt64?
  var staleWhileRevalidate: UInt64?
  var surrogateKeys: Text?
  var length: UInt64?
  var metadata: Text?
  var isSensitive = false
  var edgeMaxAge: UInt64?
  var serviceID: Text?

  init(maxAge: UInt64) { self.maxAge = maxAge }

  /// Lends mask and options to a hostcall.
  func call(_ body: (UInt32, UnsafePointer<CacheWriteOptions>) -> UInt32) -> UInt32 {
    var options = CacheWriteOptions()
    var mask: UInt32 = 0
    func set<Value>(_ value: Value?, bit: UInt32, _ store: (Value) -> Void) {
      guard let value else { return }
      mask |= 1 << bit
      store(value)
    }
    options.maxAge = maxAge
    set(headers, bit: 1) { options.requestHeaders = $0.handle }
    set(initialAge, bit: 3) { options.initialAge = $0 }
    set(staleWhileRevalidate, bit: 4) { options.staleWhileRevalidate = $0 }
    set(length, bit: 6) { options.length = $0 }
    if isSensitive { mask |= 1 << 8 }
    set(edgeMaxAge, bit: 9) { options.edgeMaxAge = $0 }
    if vary != nil { mask |= 1 << 2 }
    if surrogateKeys != nil { mask |= 1 << 5 }
    if metadata != nil { mask |= 1 << 7 }
    if serviceID != nil { mask |= 1 << 10 }
    return (vary ?? "").withBytes { vary, varyCount in
      (surrogateKeys ?? "").withBytes { keys, keysCount in
        (metadata ?? "").withBytes { metadata, metadataCount in
          (serviceID ?? "").withBytes { service, serviceCount in
            (options.varyRule, options.varyRuleCount) = (vary, varyCount)
            (options.surrogateKeys, options.surrogateKeysCount) = (keys, keysCount)
            (options.userMetadata, options.userMetadataCount) = (metadata, metadataCount)
            (options.serviceID, options.serviceIDCount) = (service, serviceCount)
            return withUnsafePointer(to: options) { body(mask, $0) }
          }
        }
      }
    }
  }
}

/// What a look-up in the core cache has given.
struct CacheEntry {
  /// The bits of a state.
  enum State {
    static let found: UInt32 = 1
    static let usable: UInt32 = 2
    static let stale: UInt32 = 4
    static let mustInsert: UInt32 = 8
  }

  let handle: UInt32

  init(handle: UInt32) { self.handle = handle }

  typealias Lookup = (
    UnsafePointer<UInt8>?, UInt32, UInt32, UnsafeRawPointer?, UnsafeMutablePointer<UInt32>?
  ) -> UInt32

  /// Calls one of the look-ups and gives its handle.
  static func lookup(_ call: Lookup, _ key: Text, headers: Request?, alwaysUsesRange: Bool) throws(Status) -> UInt32 {
    var options = CacheLookupOptions()
    var mask: UInt32 = alwaysUsesRange ? 8 : 0
    if let headers {
      options.requestHeaders = headers.handle
      mask |= 2
    }
    return try number { handle in
      key.withBytes { key, count in withUnsafePointer(to: options) { call(key, count, mask, $0, handle) } }
    }
  }

  /// What is usable, without a transaction.
  static func find(_ key: Text, headers: Request? = nil, alwaysUsesRange: Bool = false) throws(Status) -> CacheEntry {
    CacheEntry(handle: try lookup(hostCacheLookup, key, headers: headers, alwaysUsesRange: alwaysUsesRange))
  }

  /// What is usable, or the obligation to bring it; waits for others who have that.
  static func transaction(_ key: Text, headers: Request? = nil, alwaysUsesRange: Bool = false) throws(Status)
    -> CacheEntry
  {
    CacheEntry(
      handle: try lookup(hostCacheTransactionLookup, key, headers: headers, alwaysUsesRange: alwaysUsesRange))
  }

  /// A busy handle, to be waited for later.
  static func begin(_ key: Text, headers: Request? = nil) throws(Status) -> CacheBusy {
    CacheBusy(handle: try lookup(hostCacheTransactionLookupAsync, key, headers: headers, alwaysUsesRange: false))
  }

  /// Stores an object regardless of transactions; the body to write it into.
  static func insert(_ key: Text, _ write: CacheWrite) throws(Status) -> Body {
    Body(
      handle: try number { body in
        key.withBytes { key, count in write.call { hostCacheInsert(key, count, $0, $1, body) } }
      })
  }

  func state() throws(Status) -> UInt32 { try number { hostCacheGetState(handle, $0) } }

  func insert(_ write: CacheWrite) throws(Status) -> Body {
    Body(handle: try number { body in write.call { hostCacheTransactionInsert(handle, $0, $1, body) } })
  }

  /// Stores, and reads what is stored.
  func insertAndStreamBack(_ write: CacheWrite) throws(Status) -> (Body, CacheEntry) {
    var body = invalidHandle
    var entry = invalidHandle
    try check(write.call { hostCacheTransactionInsertAndStreamBack(handle, $0, $1, &body, &entry) })
    return (Body(handle: body), CacheEntry(handle: entry))
  }

  func update(_ write: CacheWrite) throws(Status) {
    try check(write.call { hostCacheTransactionUpdate(handle, $0, $1) })
  }

  func cancel() throws(Status) { try check(hostCacheTransactionCancel(handle)) }
  func close() throws(Status) { try check(hostCacheClose(handle)) }

  /// The body, or a part of it: inclusive offsets, `to` alone being so many last bytes.
  func body(from: UInt64? = nil, to: UInt64? = nil) throws(Status) -> Body {
    try CacheEntry.body(from, to) { hostCacheGetBody(handle, $0, $1, $2) }
  }

  static func body(
    _ from: UInt64?, _ to: UInt64?,
    _ call: (UInt32, UnsafePointer<CacheRangeOptions>, UnsafeMutablePointer<UInt32>) -> UInt32
  ) throws(Status) -> Body {
    let options = CacheRangeOptions(from: from ?? 0, to: to ?? 0)
    let mask: UInt32 = (from == nil ? 0 : 2) | (to == nil ? 0 : 4)
    return Body(handle: try number { body in withUnsafePointer(to: options) { call(mask, $0, body) } })
  }

  func metadata(capacity: UInt32 = 1024) -> Reading {
    Reading.once(capacity: capacity) { hostCacheGetUserMetadata(handle, $0, $1, $2) }
  }

  func length() throws(Status) -> UInt64 { try CacheEntry.long { hostCacheGetLength(handle, $0) } }
  func maxAge() throws(Status) -> UInt64 { try CacheEntry.long { hostCacheGetMaxAgeNs(handle, $0) } }
  func age() throws(Status) -> UInt64 { try CacheEntry.long { hostCacheGetAgeNs(handle, $0) } }
  func hits() throws(Status) -> UInt64 { try CacheEntry.long { hostCacheGetHits(handle, $0) } }
  func staleWhileRevalidate() throws(Status) -> UInt64 {
    try CacheEntry.long { hostCacheGetStaleWhileRevalidateNs(handle, $0) }
  }

  /// Makes a hostcall that answers one 64-bit number.
  static func long(_ call: (UnsafeMutablePointer<UInt64>) -> UInt32) throws(Status) -> UInt64 {
    var result: UInt64 = 0
    try check(call(&result))
    return result
  }
}

/// A look-up that may not be settled yet.
struct CacheBusy {
  let handle: UInt32

  /// Waits; the busy handle stays and has to be closed.
  func wait() throws(Status) -> CacheEntry {
    CacheEntry(handle: try number { hostCacheBusyHandleWait(handle, $0) })
  }

  func close() throws(Status) { try check(hostCacheCloseBusy(handle)) }
}

/// A replacement under way.
struct CacheReplacement {
  let handle: UInt32

  init(handle: UInt32) { self.handle = handle }

  /// - Parameter strategy: 1 at once, 2 at once with a forced miss, 3 in turn; nil leaves it out.
  init(_ key: Text, strategy: UInt32? = nil, headers: Request? = nil) throws(Status) {
    var options = CacheReplaceOptions()
    var mask: UInt32 = 0
    if let strategy {
      options.strategy = strategy
      mask |= 4
    }
    if let headers {
      options.requestHeaders = headers.handle
      mask |= 2
    }
    handle = try number { handle in
      key.withBytes { key, count in withUnsafePointer(to: options) { hostCacheReplace(key, count, mask, $0, handle) } }
    }
  }

  func insert(_ write: CacheWrite) throws(Status) -> Body {
    Body(handle: try number { body in write.call { hostCacheReplaceInsert(handle, $0, $1, body) } })
  }

  func body(from: UInt64? = nil, to: UInt64? = nil) throws(Status) -> Body {
    try CacheEntry.body(from, to) { hostCacheReplaceGetBody(handle, $0, $1, $2) }
  }

  func metadata(capacity: UInt32 = 1024) -> Reading {
    Reading.once(capacity: capacity) { hostCacheReplaceGetUserMetadata(handle, $0, $1, $2) }
  }

  func state() throws(Status) -> UInt32 { try number { hostCacheReplaceGetState(handle, $0) } }
  func length() throws(Status) -> UInt64 { try CacheEntry.long { hostCacheReplaceGetLength(handle, $0) } }
  func maxAge() throws(Status) -> UInt64 { try CacheEntry.long { hostCacheReplaceGetMaxAgeNs(handle, $0) } }
  func age() throws(Status) -> UInt64 { try CacheEntry.long { hostCacheReplaceGetAgeNs(handle, $0) } }
  func hits() throws(Status) -> UInt64 { try CacheEntry.long { hostCacheReplaceGetHits(handle, $0) } }
  func staleWhileRevalidate() throws(Status) -> UInt64 {
    try CacheEntry.long { hostCacheReplaceGetStaleWhileRevalidateNs(handle, $0) }
  }
}

/// Purging by surrogate key.
enum Purge {
  static func hard(_ key: Text) throws(Status) { try call(key, mask: 0, PurgeOptions()) }
  static func soft(_ key: Text) throws(Status) { try call(key, mask: 1, PurgeOptions()) }

  /// A hard purge whose answer is read into a buffer of the given size.
  static func answer(_ key: Text, capacity: UInt32) -> Reading {
    Reading.once(capacity: capacity) { buffer, capacity, written in
      let options = PurgeOptions(buffer: buffer, capacity: capacity, written: written)
      return key.withBytes { key, count in
        withUnsafePointer(to: options) { hostPurgeSurrogateKey(key, count, 2, $0) }
      }
    }
  }

  private static func call(_ key: Text, mask: UInt32, _ options: PurgeOptions) throws(Status) {
    try check(
      key.withBytes { key, count in
        withUnsafePointer(to: options) { hostPurgeSurrogateKey(key, count, mask, $0) }
      })
  }
}
