/// The suggested options, with what the test says in their place.
struct SuggestedOptions {
  var options = HTTPCacheWriteOptions()
  var mask: UInt32 = 0
  private var vary: [UInt8] = Array(repeating: 0, count: 512)
  private var keys: [UInt8] = Array(repeating: 0, count: 2048)

  init(_ entry: CachedResponse, _ response: Response, _ target: Target) throws(Status) {
    var rooms = HTTPCacheWriteOptions()
    var given = HTTPCacheWriteOptions()
    var mask: UInt32 = 0
    let code = vary.withUnsafeMutableBufferPointer { vary in
      keys.withUnsafeMutableBufferPointer { keys in
        rooms.varyRule = vary.baseAddress
        rooms.varyRuleLength = UInt32(vary.count)
        rooms.surrogateKeys = keys.baseAddress
        rooms.surrogateKeysLength = UInt32(keys.count)
        return hostHTTPCacheGetSuggestedCacheOptions(
          entry.handle, response.handle, HTTPCacheWriteOptions.Field.all, &rooms, &mask, &given)
      }
    }
    try check(code)
    vary = [UInt8](vary[..<Int(given.varyRuleLength)])
    keys = [UInt8](keys[..<Int(given.surrogateKeysLength)])
    // The length is the host's to find out.
    self.mask = mask & ~HTTPCacheWriteOptions.Field.length
    options = given
    let second: UInt64 = 1_000_000_000
    if let ttl = target["ttl"]?.decimal { options.maxAge = ttl * second }
    if let time = target["swr"]?.decimal {
      options.staleWhileRevalidate = time * second
      self.mask |= HTTPCacheWriteOptions.Field.staleWhileRevalidate
    }
    if let time = target["sie"]?.decimal {
      options.staleIfError = time * second
      self.mask |= HTTPCacheWriteOptions.Field.staleIfError
    }
    if let rule = target["vary"] {
      vary = rule.bytes
      self.mask |= HTTPCacheWriteOptions.Field.varyRule
    }
  }

  private func lent<Result>(_ call: (UnsafePointer<HTTPCacheWriteOptions>) -> Result) -> Result {
    var lent = options
    var vary = vary
    var keys = keys
    return vary.withUnsafeMutableBufferPointer { vary in
      keys.withUnsafeMutableBufferPointer { keys in
        lent.varyRule = vary.baseAddress
        lent.varyRuleLength = UInt32(vary.count)
        lent.surrogateKeys = keys.baseAddress
        lent.surrogateKeysLength = UInt32(keys.count)
        return withUnsafePointer(to: lent) { call($0) }
      }
    }
  }

  func insert(_ response: Response, through entry: CachedResponse) throws(Status) -> Body {
    var body = invalidHandle
    try check(lent { hostHTTPCacheTransactionInsert(entry.handle, response.handle, mask, $0, &body) })
    return Body(handle: body)
  }

  func insertAndStreamBack(_ response: Response, through entry: CachedResponse) throws(Status) -> (Body, CachedResponse)
  {
    var body = invalidHandle
    var copy = invalidHandle
    try check(
      lent { hostHTTPCacheTransactionInsertAndStreamBack(entry.handle, response.handle, mask, $0, &body, &copy) })
    return (Body(handle: body), CachedResponse(handle: copy))
  }

  func update(_ response: Response, through entry: CachedResponse) -> Status {
    Status(code: lent { hostHTTPCacheTransactionUpdate(entry.handle, response.handle, mask, $0) })
  }

  func updateAndReturnFresh(_ response: Response, through entry: CachedResponse) throws(Status) -> CachedResponse {
    var copy = invalidHandle
    try check(lent { hostHTTPCacheTransactionUpdateAndReturnFresh(entry.handle, response.handle, mask, $0, &copy) })
    return CachedResponse(handle: copy)
  }

  func record(through entry: CachedResponse) -> Status {
    Status(code: lent { hostHTTPCacheTransactionRecordNotCacheable(entry.handle, mask, $0) })
  }
}
