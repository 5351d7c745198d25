import ComputeABI
import FastlikeProfile
import NIOCore

/// `fastly_http_cache`: fulfilling the duty to bring a response. Each of these ends it; without it they are `badf`.
extension Sandbox {
  typealias StreamedBack = (bodyHandle: BodyHandle, httpCacheHandle: HTTPCacheHandle)

  func httpCacheTransactionInsert(
    handle: HTTPCacheHandle, respHandle: ResponseHandle, optionsMask: HTTPCacheWriteOptionsMask,
    options: HTTPCacheWriteOptions
  ) throws(Status) -> Blocking<BodyHandle> {
    let response = try takeResponse(respHandle, for: handle)
    return try settled(handle) { (entry) throws(Status) in
      try self.store(response, through: entry, optionsMask, options).body
    }
  }

  func httpCacheTransactionInsertAndStreamBack(
    handle: HTTPCacheHandle, respHandle: ResponseHandle, optionsMask: HTTPCacheWriteOptionsMask,
    options: HTTPCacheWriteOptions
  ) throws(Status) -> Blocking<StreamedBack> {
    let response = try takeResponse(respHandle, for: handle)
    return try settled(handle) { (entry) throws(Status) in
      let (body, object) = try self.store(response, through: entry, optionsMask, options)
      return (body, try self.insert(storedThrough: entry, object))
    }
  }

  /// Takes a response from the guest, which has gone whatever becomes of the call.
  private func takeResponse(_ response: ResponseHandle, for handle: HTTPCacheHandle) throws(Status) -> ResponseHead {
    _ = try httpCacheEntry(handle)
    let head = try guestResponse(response).head
    _ = responses.remove(response.rawValue)
    return head
  }

  /// Stores a response; its body comes through the handle.
  private func store(
    _ head: ResponseHead, through entry: HTTPCacheEntry, _ mask: HTTPCacheWriteOptionsMask,
    _ options: HTTPCacheWriteOptions
  ) throws(Status) -> (body: BodyHandle, object: CachedObject) {
    guard let obligation = entry.obligation else { throw .badf }
    let attributes = try HTTPCacheOptions(mask, options).attributes(head: HTTPStoredResponse.prepared(head))
    let writer: CacheWriter
    do throws(CacheRefusal) { writer = try obligation.insert(attributes) } catch { throw error.status }
    let pipe = BodyPipe(expectedLength: attributes.length.map { Int(clamping: $0) })
    let body = try insert(.streaming(StreamingBody(pipe: pipe, to: .cache, waker: waker, brokenStatus: .limitexceeded)))
    writer.fill(from: pipe)
    deepTrace?.updateDeep { $0.cacheInserts += 1 }
    return (BodyHandle(rawValue: body), writer.object)
  }

  func httpCacheTransactionUpdate(
    handle: HTTPCacheHandle, respHandle: ResponseHandle, optionsMask: HTTPCacheWriteOptionsMask,
    options: HTTPCacheWriteOptions
  ) throws(Status) -> Blocking<Void> {
    let response = try takeResponse(respHandle, for: handle)
    return try settled(handle) { (entry) throws(Status) in
      _ = try self.update(entry, with: response, optionsMask, options)
    }
  }

  func httpCacheTransactionUpdateAndReturnFresh(
    handle: HTTPCacheHandle, respHandle: ResponseHandle, optionsMask: HTTPCacheWriteOptionsMask,
    options: HTTPCacheWriteOptions
  ) throws(Status) -> Blocking<HTTPCacheHandle> {
    let response = try takeResponse(respHandle, for: handle)
    return try settled(handle) { (entry) throws(Status) in
      try self.insert(storedThrough: entry, try self.update(entry, with: response, optionsMask, options))
    }
  }

  /// Gives the present body a new head. A guest may pass the 304 as it came, which is merged as the prepared one is.
  private func update(
    _ entry: HTTPCacheEntry, with response: ResponseHead, _ mask: HTTPCacheWriteOptionsMask,
    _ options: HTTPCacheWriteOptions
  ) throws(Status) -> CachedObject {
    guard let obligation = entry.obligation, let present = entry.present else { throw .badf }
    let head =
      response.status == 304
      ? HTTPStoredResponse.freshened(present.head, by: response) : HTTPStoredResponse.prepared(response)
    let attributes = try HTTPCacheOptions(mask, options).attributes(head: head)
    do throws(CacheRefusal) { return try obligation.update(attributes) } catch { throw error.status }
  }

  /// Those who wait use the stale response too. Without one that may be used when fetching fails, `badf`.
  func httpCacheTransactionChooseStale(handle: HTTPCacheHandle) throws(Status) -> Blocking<Void> {
    try settled(handle) { (entry) throws(Status) in
      guard let obligation = entry.obligation, entry.found != nil else { throw .badf }
      do throws(CacheRefusal) { try obligation.chooseStale() } catch { throw error.status }
      entry.grantStale()
    }
  }

  /// Of the options, only the time for which it holds and the vary rule count.
  func httpCacheTransactionRecordNotCacheable(
    handle: HTTPCacheHandle, optionsMask: HTTPCacheWriteOptionsMask, options: HTTPCacheWriteOptions
  ) throws(Status) -> Blocking<Void> {
    try settled(handle) { (entry) throws(Status) in
      guard let obligation = entry.obligation else { throw .badf }
      let attributes = try HTTPCacheOptions(optionsMask.intersection(.varyRule), options).attributes(
        head: ResponseHead())
      do throws(CacheRefusal) { try obligation.recordUncacheable(attributes) } catch { throw error.status }
    }
  }

  func httpCacheTransactionAbandon(handle: HTTPCacheHandle) throws(Status) -> Blocking<Void> {
    try settled(handle) { (entry) throws(Status) in
      guard let obligation = entry.obligation else { throw .badf }
      obligation.cancel()
    }
  }
}

extension CacheRefusal {
  /// The status of a call that cannot store.
  var status: Status {
    switch self {
    case .noRoom: .limitexceeded
    case .nothingToUpdate, .ended: .badf
    }
  }
}

extension HTTPCacheOptions {
  /// What a guest says, in the fields whose bits are set.
  init(_ mask: HTTPCacheWriteOptionsMask, _ options: HTTPCacheWriteOptions) throws(Status) {
    self.init()
    maxAge = try options.maxAgeNs()
    if mask.contains(.varyRule) { varyText = try options.varyRule().string() }
    if mask.contains(.initialAgeNs) { initialAge = try options.initialAgeNs() }
    if mask.contains(.staleWhileRevalidateNs) { staleWhileRevalidate = try options.staleWhileRevalidateNs() }
    if mask.contains(.surrogateKeys) { surrogateKeys = try options.surrogateKeys().string() }
    if mask.contains(.length) { length = try options.length() }
    if mask.contains(.staleIfErrorNs) { staleIfError = try options.staleIfErrorNs() }
    isSensitive = mask.contains(.sensitiveData)
  }
}
