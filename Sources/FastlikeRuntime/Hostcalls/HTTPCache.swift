import ComputeABI
import FastlikeProfile
import NIOCore

/// `fastly_http_cache`: looking up, and what was found. Storing is in `HTTPCache+Storing.swift`, the suggestions in
/// `HTTPCache+Suggestions.swift`.
extension Sandbox {
  /// How long after a response was found to be uncacheable look-ups still get the duty to try it again, without waiting for
  /// each other. On the platform the knowledge takes as long to spread, and a guest that asks again at once counts on it.
  static let uncacheableSettling: UInt64 = 50_000_000

  func httpCacheIsRequestCacheable(reqHandle: RequestHandle) throws(Status) -> Bool {
    HTTPCacheability.isCacheable(method: try guestRequest(reqHandle).head.method)
  }

  func httpCacheGetSuggestedCacheKey(reqHandle: RequestHandle, key: GuestOutput) throws(Status) {
    try key.write(HTTPCacheKey(suggestedFor: try guestRequest(reqHandle).head).bytes)
  }

  // MARK: Looking up

  func httpCacheLookup(
    reqHandle: RequestHandle, optionsMask: HTTPCacheLookupOptionsMask, options: HTTPCacheLookupOptions
  ) throws(Status) -> HTTPCacheHandle {
    let (request, key, query) = try cacheQuery(reqHandle, optionsMask, options)
    let finding = service.cache.find(query)
    note(finding)
    return try insert(HTTPCacheEntry(request, key: key, query: query, state: .settled(finding)))
  }

  /// Does not wait: two look-ups of one guest may depend on each other. The first question about the answer waits.
  func httpCacheTransactionLookup(
    reqHandle: RequestHandle, optionsMask: HTTPCacheLookupOptionsMask, options: HTTPCacheLookupOptions
  ) throws(Status) -> Blocking<HTTPCacheHandle> {
    let (request, key, query) = try cacheQuery(reqHandle, optionsMask, options)
    let answer = service.cache.lookup(query, owner: served.number, wake: remoteWake)
    let entry =
      switch answer {
      case .settled(let finding):
        HTTPCacheEntry(request, key: key, query: query, state: .settled(noted(finding, query)))
      case .waiting(let ticket): HTTPCacheEntry(request, key: key, query: query, state: .waiting(ticket))
      }
    return .ready(try insert(entry))
  }

  private func cacheQuery(
    _ handle: RequestHandle, _ mask: HTTPCacheLookupOptionsMask, _ options: HTTPCacheLookupOptions
  ) throws(Status) -> (GuestRequest, HTTPCacheKey, CacheQuery) {
    let request = try guestRequest(handle)
    var key = HTTPCacheKey(suggestedFor: request.head)
    if mask.contains(.overrideKey) {
      guard let own = HTTPCacheKey(try options.overrideKey().array()) else { throw .inval }
      key = own
    }
    if mask.contains(.backendName) { trace?.label(.backend, try options.backendName().string()) }
    return (request, key, CacheQuery(CacheKey(.http, key.bytes), headers: request.head.headers))
  }

  private func insert(_ entry: HTTPCacheEntry) throws(Status) -> HTTPCacheHandle {
    guard let handle = httpCacheEntries.insert(entry) else { throw .limitexceeded }
    return HTTPCacheHandle(rawValue: handle)
  }

  func insert(storedThrough entry: HTTPCacheEntry, _ object: CachedObject) throws(Status) -> HTTPCacheHandle {
    try insert(HTTPCacheEntry(stored: object, through: entry))
  }

  /// A finding as the guest gets it, recorded.
  private func noted(_ finding: CacheFinding, _ query: CacheQuery) -> CacheFinding {
    note(finding)
    return retried(finding, query)
  }

  /// The finding of a response that was found to be uncacheable a moment ago becomes the duty to try it again.
  private func retried(_ finding: CacheFinding, _ query: CacheQuery) -> CacheFinding {
    guard let object = finding.object, finding.isUncacheable, finding.obligation == nil,
      service.cache.now &- object.storedAt < Sandbox.uncacheableSettling,
      case .settled(let retried) = service.cache.replace(query, .now, owner: served.number, wake: {})
    else { return finding }
    return retried
  }

  // MARK: Waiting

  func httpCacheEntry(_ handle: HTTPCacheHandle) throws(Status) -> HTTPCacheEntry {
    guard let entry = httpCacheEntries[handle.rawValue] else { throw .badf }
    return entry
  }

  /// Goes on with an entry once its answer is there.
  func settled<Value>(
    _ handle: HTTPCacheHandle, _ use: @escaping (HTTPCacheEntry) throws(Status) -> Value
  ) throws(Status) -> Blocking<Value> {
    let entry = try httpCacheEntry(handle)
    return try .waiting(for: .cache) { () throws(Status) in
      guard self.isSettled(entry) else { return nil }
      return try use(entry)
    }
  }

  /// Whether the answer is there. A guest that would wait for itself gets none, as if nothing could be stored: it is
  /// suspended, so it could never bring what it waits for.
  private func isSettled(_ entry: HTTPCacheEntry) -> Bool {
    guard case .waiting(let ticket) = entry.state else { return true }
    if let finding = ticket.finding {
      entry.settle(noted(finding, entry.query))
      return true
    }
    guard holdsObligation(for: entry.query) else { return false }
    service.cache.cancel(ticket)
    entry.settle(CacheFinding())
    return true
  }

  /// Whether this guest is the one to bring the response that suits a query.
  func holdsObligation(for query: CacheQuery) -> Bool {
    httpCacheEntries.elements.contains { $0.query.key.bytes == query.key.bytes && $0.isObliged }
  }

  // MARK: What was found

  func httpCacheGetState(handle: HTTPCacheHandle) throws(Status) -> Blocking<CacheLookupState> {
    try settled(handle) { entry in entry.lookupState }
  }

  func httpCacheGetFoundResponse(
    handle: HTTPCacheHandle, transformForClient: UInt32
  ) throws(Status) -> Blocking<(responseHandle: ResponseHandle, bodyHandle: BodyHandle)> {
    try settled(handle) { (entry) throws(Status) in
      guard let object = entry.usable, let stored = object.response else { throw .none }
      let (head, selection) = stored.response(
        to: entry.request, age: self.seconds(object.age(at: self.service.cache.now)), length: object.body.knownLength,
        adjusted: transformForClient == 1, now: self.secondsSince1970)
      let body =
        CachedBodySpan(selection).map { self.guestBody(of: object.body, $0) }
        ?? GuestBody(waker: self.waker, budget: self.budget)
      let response = try self.insert(GuestResponse(head: head))
      return (response, BodyHandle(rawValue: try self.insert(.body(body))))
    }
  }

  /// Asks about a found response; `none` without one.
  private func found<Value>(
    _ handle: HTTPCacheHandle, _ use: @escaping (CachedObject) throws(Status) -> Value
  ) throws(Status) -> Blocking<Value> {
    try settled(handle) { (entry) throws(Status) in
      guard let object = entry.found else { throw .none }
      return try use(object)
    }
  }

  func httpCacheGetLength(handle: HTTPCacheHandle) throws(Status) -> Blocking<UInt64> {
    try settled(handle) { (entry) throws(Status) in
      guard entry.found != nil, let length = entry.finding?.knownLength else { throw .none }
      return UInt64(length)
    }
  }

  func httpCacheGetMaxAgeNs(handle: HTTPCacheHandle) throws(Status) -> Blocking<UInt64> {
    try found(handle) { object in object.attributes.lifetime.maxAge }
  }

  func httpCacheGetStaleWhileRevalidateNs(handle: HTTPCacheHandle) throws(Status) -> Blocking<UInt64> {
    try found(handle) { object in object.attributes.lifetime.staleWhileRevalidate }
  }

  func httpCacheGetStaleIfErrorNs(handle: HTTPCacheHandle) throws(Status) -> Blocking<UInt64> {
    try found(handle) { object in object.attributes.lifetime.staleIfError }
  }

  func httpCacheGetAgeNs(handle: HTTPCacheHandle) throws(Status) -> Blocking<UInt64> {
    try found(handle) { object in object.age(at: self.service.cache.now) }
  }

  func httpCacheGetHits(handle: HTTPCacheHandle) throws(Status) -> Blocking<UInt64> {
    try found(handle) { object in object.hitCount }
  }

  func httpCacheGetSensitiveData(handle: HTTPCacheHandle) throws(Status) -> Blocking<Bool> {
    try found(handle) { object in object.attributes.isSensitive }
  }

  func httpCacheGetSurrogateKeys(handle: HTTPCacheHandle, surrogateKeys: GuestOutput) throws(Status) -> Blocking<Void> {
    try found(handle) { (object) throws(Status) in
      try surrogateKeys.write(object.attributes.surrogateKeys.keys.joined(separator: " "))
    }
  }

  func httpCacheGetVaryRule(handle: HTTPCacheHandle, varyRule: GuestOutput) throws(Status) -> Blocking<Void> {
    try found(handle) { (object) throws(Status) in try varyRule.write(object.response?.varyText ?? "") }
  }

  // MARK: The end

  func httpCacheClose(handle: HTTPCacheHandle) throws(Status) -> Blocking<Void> {
    guard let entry = httpCacheEntries.remove(handle.rawValue) else { throw .badf }
    release(entry)
    return .ready(())
  }

  /// Nobody waits for this guest any more, and it waits for nobody.
  func release(_ entry: HTTPCacheEntry) {
    switch entry.state {
    case .waiting(let ticket): service.cache.cancel(ticket)
    case .settled(let finding): finding.obligation?.cancel()
    }
  }

  // MARK: Time

  func seconds(_ nanoseconds: UInt64) -> Int64 { Int64(clamping: nanoseconds / HTTPCacheOptions.second) }

  /// The time of day, which the dates in header fields are about.
  var secondsSince1970: Int64 { WallClock.seconds }
}

extension CachedBodySpan {
  /// What is read for a selection; nil is nothing.
  init?(_ selection: HTTPStoredResponse.Selection) {
    switch selection {
    case .whole: self = .whole
    case .part(let first, let last): self.init(start: .offset(first), end: last + 1)
    case .nothing: return nil
    }
  }
}
