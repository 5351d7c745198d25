import ComputeABI
import FastlikeProfile
import NIOCore

/// `fastly_cache`: look-ups, insertions and transactions.
extension Sandbox {
  // MARK: Arguments

  private func cacheKey(_ key: GuestBytes) throws(Status) -> CacheKey {
    guard key.count <= CacheKey.maximumBytes else { throw .inval }
    return CacheKey(.core, key.array())
  }

  private func cacheQuery(
    _ key: GuestBytes, _ mask: CacheLookupOptionsMask, _ options: CacheLookupOptions
  ) throws(Status) -> CacheQuery {
    // Read whatever the mask says, so that a pointer that is none is always told.
    let headersHandle = try options.requestHeaders()
    let key = try cacheKey(key)
    // Another service's objects are not here.
    if mask.contains(.serviceId) || mask.contains(.reserved) { throw .unsupported }
    guard mask.contains(.requestHeaders) else { return CacheQuery(key) }
    return CacheQuery(key, headers: try guestRequest(headersHandle).head.headers)
  }

  /// What a guest says of an object that it stores.
  func cacheAttributes(_ mask: CacheWriteOptionsMask, _ options: CacheWriteOptions) throws(Status) -> CacheAttributes {
    if mask.contains(.serviceId) || mask.contains(.reserved) { throw .unsupported }
    var attributes = CacheAttributes()
    attributes.lifetime.maxAge = try options.maxAgeNs()
    if mask.contains(.varyRule) {
      guard let rule = VaryRule(parsing: try options.varyRule().raw) else { throw .error }
      attributes.varyRule = rule
    }
    if mask.contains(.initialAgeNs) { attributes.lifetime.initialAge = try options.initialAgeNs() }
    if mask.contains(.staleWhileRevalidateNs) {
      attributes.lifetime.staleWhileRevalidate = try options.staleWhileRevalidateNs()
    }
    if mask.contains(.surrogateKeys) {
      guard let keys = SurrogateKeys(parsing: try options.surrogateKeys().raw) else { throw .inval }
      attributes.surrogateKeys = keys
    }
    if mask.contains(.length) { attributes.length = try options.length() }
    if mask.contains(.userMetadata) { attributes.userMetadata = try options.userMetadata().array() }
    attributes.isSensitive = mask.contains(.sensitiveData)
    // There is one tier of caches here, so the edge's own limit has nothing to differ from.
    if mask.contains(.edgeMaxAgeNs), try options.edgeMaxAgeNs() > attributes.lifetime.maxAge { throw .inval }
    return attributes
  }

  private func transactionAttributes(
    _ mask: CacheWriteOptionsMask, _ options: CacheWriteOptions
  ) throws(Status) -> CacheAttributes {
    // The headers were given with the look-up.
    if mask.contains(.requestHeaders) { throw .inval }
    return try cacheAttributes(mask, options)
  }

  private func access(_ handle: CacheHandle) throws(Status) -> CacheAccess {
    guard case .cache(let access) = items[handle.rawValue], access.isSettled else { throw .badf }
    return access
  }

  /// What wakes this guest from another event loop.
  var remoteWake: @Sendable () -> Void {
    let bound = NIOLoopBound(waker, eventLoop: eventLoop)
    let eventLoop = eventLoop
    return { eventLoop.execute { bound.value.wake() } }
  }

  // MARK: Look-ups

  func cacheLookup(cacheKey: GuestBytes, optionsMask: CacheLookupOptionsMask, options: CacheLookupOptions)
    throws(Status) -> CacheHandle
  {
    let query = try cacheQuery(cacheKey, optionsMask, options)
    let finding = service.cache.find(query)
    note(finding)
    let access = CacheAccess(
      .settled(finding), in: service.cache, alwaysUsesRange: optionsMask.contains(.alwaysUseRequestedRange))
    return CacheHandle(rawValue: try insert(.cache(access)))
  }

  private func transact(
    _ key: GuestBytes, _ mask: CacheLookupOptionsMask, _ options: CacheLookupOptions
  ) throws(Status) -> CacheAccess {
    let query = try cacheQuery(key, mask, options)
    let answer = service.cache.lookup(query, owner: served.number, wake: remoteWake)
    return CacheAccess(answer, in: service.cache, alwaysUsesRange: mask.contains(.alwaysUseRequestedRange))
  }

  func cacheTransactionLookup(cacheKey: GuestBytes, optionsMask: CacheLookupOptionsMask, options: CacheLookupOptions)
    throws(Status) -> Blocking<CacheHandle>
  {
    let access = try transact(cacheKey, optionsMask, options)
    return try wait(for: access, as: .cache(access)) { CacheHandle(rawValue: $0) }
  }

  /// Waits until a look-up is settled. The guest holds it meanwhile, so that it is given up with the guest.
  func wait<Handle>(for access: CacheAccess, as item: AsyncItem, _ handle: @escaping (UInt32) -> Handle)
    throws(Status) -> Blocking<Handle>
  {
    // A guest that waits for itself would wait forever.
    if access.leader == served.number {
      access.close()
      throw .error
    }
    let number: UInt32
    do throws(Status) {
      number = try insert(item)
    } catch {
      access.close()
      throw error
    }
    return try .waiting(for: .cache) { () throws(Status) in
      guard let finding = access.finding else { return nil }
      self.note(finding)
      return handle(number)
    }
  }

  func cacheTransactionLookupAsync(
    cacheKey: GuestBytes, optionsMask: CacheLookupOptionsMask, options: CacheLookupOptions
  ) throws(Status) -> CacheBusyHandle {
    let access = try transact(cacheKey, optionsMask, options)
    do throws(Status) {
      return CacheBusyHandle(rawValue: try insert(.cacheBusy(access)))
    } catch {
      access.close()
      throw error
    }
  }

  func cacheCacheBusyHandleWait(busyHandle: CacheBusyHandle) throws(Status) -> Blocking<CacheHandle> {
    guard case .cacheBusy(let busy) = items[busyHandle.rawValue], busy.finding != nil || !busy.isSettled else {
      throw .badf
    }
    return try .waiting(for: .cache) { () throws(Status) in
      guard let access = busy.take() else { return nil }
      if let finding = access.finding { self.note(finding) }
      return CacheHandle(rawValue: try self.insert(.cache(access)))
    }
  }

  func cacheCloseBusy(handle: CacheBusyHandle) throws(Status) {
    guard case .cacheBusy(let busy) = items[handle.rawValue] else { throw .badf }
    _ = items.remove(handle.rawValue)
    busy.close()
  }

  func cacheClose(handle: CacheHandle) throws(Status) -> Blocking<Void> {
    switch items[handle.rawValue] {
    // Replacements have no function of their own for it.
    case .cache(let access), .cacheReplace(let access):
      _ = items.remove(handle.rawValue)
      access.close()
      return .ready(())
    default: throw .badf
    }
  }

  // MARK: Storing

  func cacheInsert(cacheKey: GuestBytes, optionsMask: CacheWriteOptionsMask, options: CacheWriteOptions)
    throws(Status) -> BodyHandle
  {
    let key = try self.cacheKey(cacheKey)
    let attributes = try cacheAttributes(optionsMask, options)
    var headers = HeaderList()
    if optionsMask.contains(.requestHeaders) {
      headers = try guestRequest(try options.requestHeaders()).head.headers
    }
    let query = CacheQuery(key, headers: headers)
    return try write { () throws(CacheRefusal) in try service.cache.insert(attributes, for: query) }.handle
  }

  /// Begins to store an object: the guest gets a streaming body to write it into.
  func write(_ insert: () throws(CacheRefusal) -> CacheWriter) throws(Status) -> (handle: BodyHandle, CachedObject) {
    let writer: CacheWriter
    do throws(CacheRefusal) { writer = try insert() } catch { throw error.status }
    deepTrace?.updateDeep { $0.cacheInserts += 1 }
    let pipe = BodyPipe()
    writer.fill(from: pipe)
    let body = StreamingBody(pipe: pipe, to: .cache, waker: waker, brokenStatus: .limitexceeded)
    do throws(Status) {
      return (BodyHandle(rawValue: try self.insert(.streaming(body))), writer.object)
    } catch {
      body.abandon()
      throw error
    }
  }

  func cacheTransactionInsert(handle: CacheHandle, optionsMask: CacheWriteOptionsMask, options: CacheWriteOptions)
    throws(Status) -> Blocking<BodyHandle>
  {
    let obligation = try access(handle).obligation()
    let attributes = try transactionAttributes(optionsMask, options)
    return .ready(try write { () throws(CacheRefusal) in try obligation.insert(attributes) }.handle)
  }

  func cacheTransactionInsertAndStreamBack(
    handle: CacheHandle, optionsMask: CacheWriteOptionsMask, options: CacheWriteOptions
  ) throws(Status) -> Blocking<(bodyHandle: BodyHandle, cacheHandle: CacheHandle)> {
    let access = try access(handle)
    let obligation = try access.obligation()
    let attributes = try transactionAttributes(optionsMask, options)
    let (body, object) = try write { () throws(CacheRefusal) in try obligation.insert(attributes) }
    // What the guest itself stores is usable for it, however short its life.
    let finding = CacheFinding(object: object, freshness: .fresh, knownLength: object.body.knownLength)
    let back = CacheAccess(.settled(finding), in: service.cache, alwaysUsesRange: access.alwaysUsesRange)
    return .ready((body, CacheHandle(rawValue: try insert(.cache(back)))))
  }

  func cacheTransactionUpdate(handle: CacheHandle, optionsMask: CacheWriteOptionsMask, options: CacheWriteOptions)
    throws(Status) -> Blocking<Void>
  {
    let obligation = try access(handle).obligation()
    let attributes = try transactionAttributes(optionsMask, options)
    do throws(CacheRefusal) { try obligation.update(attributes) } catch { throw error.status }
    return .ready(())
  }

  func cacheTransactionCancel(handle: CacheHandle) throws(Status) -> Blocking<Void> {
    try access(handle).obligation().cancel()
    return .ready(())
  }

  // MARK: What was found

  func cacheGetState(handle: CacheHandle) throws(Status) -> Blocking<CacheLookupState> {
    .ready(try access(handle).state())
  }

  func cacheGetUserMetadata(handle: CacheHandle, userMetadata: GuestOutput) throws(Status) -> Blocking<Void> {
    .ready(try userMetadata.write(try access(handle).object().attributes.userMetadata))
  }

  func cacheGetBody(handle: CacheHandle, optionsMask: CacheGetBodyOptionsMask, options: CacheGetBodyOptions)
    throws(Status) -> Blocking<BodyHandle>
  {
    .ready(try openBody(of: try access(handle), optionsMask, options))
  }

  func cacheGetLength(handle: CacheHandle) throws(Status) -> Blocking<UInt64> { .ready(try access(handle).length()) }

  func cacheGetMaxAgeNs(handle: CacheHandle) throws(Status) -> Blocking<UInt64> {
    .ready(try access(handle).object().attributes.lifetime.maxAge)
  }

  func cacheGetStaleWhileRevalidateNs(handle: CacheHandle) throws(Status) -> Blocking<UInt64> {
    .ready(try access(handle).object().attributes.lifetime.staleWhileRevalidate)
  }

  func cacheGetAgeNs(handle: CacheHandle) throws(Status) -> Blocking<UInt64> {
    .ready(try access(handle).object().age(at: service.cache.now))
  }

  func cacheGetHits(handle: CacheHandle) throws(Status) -> Blocking<UInt64> {
    .ready(try access(handle).object().hitCount)
  }

  // MARK: Bodies and traces

  /// Gives the guest the body of what was found, or a part of it. One at a time for each look-up.
  func openBody(
    of access: CacheAccess, _ mask: CacheGetBodyOptionsMask, _ options: CacheGetBodyOptions
  ) throws(Status) -> BodyHandle {
    let object = try access.object()
    if access.hasOpenBody(in: items) { throw .badf }
    if mask.contains(.reserved) { throw .unsupported }
    let from = mask.contains(.from) ? try options.from() : nil
    let to = mask.contains(.to) ? try options.to() : nil
    guard let range = CacheRange(from: from, to: to) else { throw .inval }
    let length = object.body.knownLength.map { UInt64($0) }
    let body = guestBody(of: object.body, range.span(length: length, always: access.alwaysUsesRange))
    let handle = BodyHandle(rawValue: try insert(.body(body)))
    access.open(body, as: handle)
    return handle
  }

  /// A body of the guest with what is stored. A complete one is there at once and shares its bytes with the cache; the others come
  /// as they are written and read.
  func guestBody(of stored: CachedBody, _ span: CachedBodySpan) -> GuestBody {
    guard span == .whole, let complete = stored.complete else {
      let pipe = CachedBodyReader.pipe(stored, span, on: eventLoop)
      return GuestBody(pipe: pipe, from: .cache, waker: waker, budget: budget)
    }
    let body = GuestBody(waker: waker, budget: budget)
    for chunk in complete.chunks { body.append(shared: chunk) }
    if let trailers = complete.trailers { body.trailers = trailers }
    return body
  }

  /// Records that a look-up waits for another request, whose number it tells.
  func noteCollapse(leader: UInt64) {
    trace?.label(.cacheOutcome, "collapsed")
    trace?.setTag(0, to: UInt32(truncatingIfNeeded: leader))
  }

  /// Records what a look-up has come to: never its key.
  func note(_ finding: CacheFinding) {
    guard let trace else { return }
    trace.label(.cacheOutcome, finding.outcome.rawValue)
    if let leader = finding.leader { noteCollapse(leader: leader) }
    trace.updateDeep { deep in
      deep.addCacheLookup(
        found: finding.state.contains(.found), usable: finding.isUsable, stale: finding.state.contains(.stale))
    }
  }
}

extension CacheAccess {
  func state() throws(Status) -> CacheLookupState {
    guard let finding else { throw .badf }
    var state = finding.state
    // An obligation that has ended is none any more.
    if finding.obligation?.isOpen == false { state.remove(.mustInsertOrUpdate) }
    return state
  }

  /// As it was known at the look-up. Throws `none` where it was not.
  func length() throws(Status) -> UInt64 {
    _ = try object()
    guard let length = finding?.knownLength else { throw .none }
    return UInt64(length)
  }
}
