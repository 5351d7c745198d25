import ComputeABI

/// `fastly_cache`: replacing an object outside of a transaction.
extension Sandbox {
  func cacheReplace(cacheKey: GuestBytes, optionsMask: CacheReplaceOptionsMask, options: CacheReplaceOptions)
    throws(Status) -> Blocking<CacheReplaceHandle>
  {
    guard cacheKey.count <= CacheKey.maximumBytes else { throw .inval }
    let headersHandle = try options.requestHeaders()
    if optionsMask.contains(.serviceId) || optionsMask.contains(.reserved) { throw .unsupported }
    var headers = HeaderList()
    if optionsMask.contains(.requestHeaders) {
      headers = try guestRequest(headersHandle).head.headers
    }
    var replacement = CacheReplacement.now
    if optionsMask.contains(.replaceStrategy) { replacement = try strategy(try options.replaceStrategy()) }
    let query = CacheQuery(CacheKey(.core, cacheKey.array()), headers: headers)
    let answer = service.cache.replace(query, replacement, owner: served.number, wake: remoteWake)
    let access = CacheAccess(
      answer, in: service.cache, alwaysUsesRange: optionsMask.contains(.alwaysUseRequestedRange))
    return try wait(for: access, as: .cacheReplace(access)) { CacheReplaceHandle(rawValue: $0) }
  }

  /// As SDKs number the strategies (`cache_replace_strategy_value` in `types.json`); 0 is what leaving them out means.
  private func strategy(_ number: UInt32) throws(Status) -> CacheReplacement {
    switch number {
    case 0, 1: return .now
    case 2: return .forcingMiss
    case 3: return .inTurn
    default: throw .inval
    }
  }

  private func replacement(_ handle: CacheReplaceHandle) throws(Status) -> CacheAccess {
    guard case .cacheReplace(let access) = items[handle.rawValue], access.isSettled else { throw .badf }
    return access
  }

  func cacheReplaceInsert(
    handle: CacheReplaceHandle, optionsMask: CacheWriteOptionsMask, options: CacheWriteOptions
  ) throws(Status) -> Blocking<BodyHandle> {
    let obligation = try replacement(handle).obligation()
    if optionsMask.contains(.requestHeaders) { throw .inval }
    let attributes = try cacheAttributes(optionsMask, options)
    return .ready(try write { () throws(CacheRefusal) in try obligation.insert(attributes) }.handle)
  }

  // MARK: The object that is replaced

  func cacheReplaceGetState(handle: CacheReplaceHandle) throws(Status) -> Blocking<CacheLookupState> {
    .ready(try replacement(handle).state())
  }

  func cacheReplaceGetUserMetadata(handle: CacheReplaceHandle, userMetadata: GuestOutput) throws(Status)
    -> Blocking<Void>
  {
    .ready(try userMetadata.write(try replacement(handle).object().attributes.userMetadata))
  }

  func cacheReplaceGetBody(
    handle: CacheReplaceHandle, optionsMask: CacheGetBodyOptionsMask, options: CacheGetBodyOptions
  ) throws(Status) -> Blocking<BodyHandle> {
    .ready(try openBody(of: try replacement(handle), optionsMask, options))
  }

  func cacheReplaceGetLength(handle: CacheReplaceHandle) throws(Status) -> Blocking<UInt64> {
    .ready(try replacement(handle).length())
  }

  func cacheReplaceGetMaxAgeNs(handle: CacheReplaceHandle) throws(Status) -> Blocking<UInt64> {
    .ready(try replacement(handle).object().attributes.lifetime.maxAge)
  }

  func cacheReplaceGetStaleWhileRevalidateNs(handle: CacheReplaceHandle) throws(Status) -> Blocking<UInt64> {
    .ready(try replacement(handle).object().attributes.lifetime.staleWhileRevalidate)
  }

  func cacheReplaceGetAgeNs(handle: CacheReplaceHandle) throws(Status) -> Blocking<UInt64> {
    .ready(try replacement(handle).object().age(at: service.cache.now))
  }

  func cacheReplaceGetHits(handle: CacheReplaceHandle) throws(Status) -> Blocking<UInt64> {
    .ready(try replacement(handle).object().hitCount)
  }
}
