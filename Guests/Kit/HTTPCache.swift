/// What a look-up in the HTTP cache is given.
struct HTTPCacheLookupOptions {
  enum Field {
    static let overrideKey: UInt32 = 2
    static let backendName: UInt32 = 4
  }

  var overrideKey: UnsafePointer<UInt8>?
  var overrideKeyLength: UInt32 = 0
  var backendName: UnsafePointer<UInt8>?
  var backendNameLength: UInt32 = 0
}

/// What is said of a stored response. Times are nanoseconds.
struct HTTPCacheWriteOptions {
  enum Field {
    static let varyRule: UInt32 = 2
    static let initialAge: UInt32 = 4
    static let staleWhileRevalidate: UInt32 = 8
    static let surrogateKeys: UInt32 = 16
    static let length: UInt32 = 32
    static let sensitive: UInt32 = 64
    static let staleIfError: UInt32 = 128
    static let all: UInt32 = 254
  }

  var maxAge: UInt64 = 0
  var varyRule: UnsafeMutablePointer<UInt8>?
  var varyRuleLength: UInt32 = 0
  var initialAge: UInt64 = 0
  var staleWhileRevalidate: UInt64 = 0
  var surrogateKeys: UnsafeMutablePointer<UInt8>?
  var surrogateKeysLength: UInt32 = 0
  var length: UInt64 = 0
  var staleIfError: UInt64 = 0
}

/// One look-up in the HTTP cache.
struct CachedResponse {
  let handle: UInt32

  /// The bits of a look-up's state.
  enum State {
    static let found: UInt32 = 1
    static let usable: UInt32 = 2
    static let stale: UInt32 = 4
    static let mustInsertOrUpdate: UInt32 = 8
    static let usableIfError: UInt32 = 16
  }

  init(handle: UInt32) {
    self.handle = handle
  }

  /// Looks up as a transaction: the first question about the answer waits for whoever is bringing the response.
  init(lookingUp request: Request) throws(Status) {
    handle = try number { hostHTTPCacheTransactionLookup(request.handle, 0, nil, $0) }
  }

  func state() throws(Status) -> UInt32 {
    try number { hostHTTPCacheGetState(handle, $0) }
  }

  /// 1 for a response that is stored as sensitive.
  func sensitive() throws(Status) -> UInt32 {
    try number { hostHTTPCacheGetSensitiveData(handle, $0) }
  }

  /// The stored response, adjusted for the request's conditions and range if asked for.
  func found(forClient: Bool) throws(Status) -> Exchange {
    var response = invalidHandle
    var body = invalidHandle
    try check(hostHTTPCacheGetFoundResponse(handle, forClient ? 1 : 0, &response, &body))
    return Exchange(response: Response(handle: response), body: Body(handle: body))
  }

  func suggestedRequest() throws(Status) -> Request {
    Request(handle: try number { hostHTTPCacheGetSuggestedBackendRequest(handle, $0) })
  }

  /// What to do with a response (0 insert, 1 update, 2 do not store, 3 record as uncacheable), and its stored form.
  func prepare(_ response: Response) throws(Status) -> (action: UInt32, response: Response) {
    var action = UInt32.max
    let prepared = try number { hostHTTPCachePrepareResponseForStorage(handle, response.handle, &action, $0) }
    return (action, Response(handle: prepared))
  }

  func close() throws(Status) {
    try check(hostHTTPCacheClose(handle))
  }
}
