import ComputeABI

/// `fastly_http_cache`: what the host suggests to the guest, which decides for itself.
extension Sandbox {
  func httpCacheGetSuggestedBackendRequest(handle: HTTPCacheHandle) throws(Status) -> Blocking<RequestHandle> {
    try settled(handle) { (entry) throws(Status) in
      let request = GuestRequest(
        head: HTTPValidation.backendRequest(for: entry.request, revalidating: entry.present?.head))
      request.decodesGzip = entry.decodesGzip
      request.framing = entry.framing
      guard let handle = self.requests.insert(request) else { throw .limitexceeded }
      return RequestHandle(rawValue: handle)
    }
  }

  /// A response in the form in which it is stored, and what to do with it. A 304 becomes the present response with the new
  /// fields, to be updated.
  func httpCachePrepareResponseForStorage(
    handle: HTTPCacheHandle, response: ResponseHandle
  ) throws(Status) -> Blocking<(httpStorageAction: HTTPStorageAction, responseHandle: ResponseHandle)> {
    let original = try guestResponse(response)
    return try settled(handle) { (entry) throws(Status) in
      let (action, head) = entry.prepare(original.head)
      let prepared = GuestResponse(head: head)
      prepared.framing = original.framing
      prepared.peerAddress = original.peerAddress
      return (action, try self.insert(prepared))
    }
  }

  /// Fills in what the guest asks for by `mask`. Texts go where `options` says; those for which there is no room have their
  /// length told, and the call is `buflen`.
  func httpCacheGetSuggestedCacheOptions(
    handle: HTTPCacheHandle, response: ResponseHandle, optionsMask: HTTPCacheWriteOptionsMask,
    options: HTTPCacheWriteOptions, optionsMaskOut: GuestPointer<UInt32>, optionsOut: HTTPCacheWriteOptions
  ) throws(Status) -> Blocking<Void> {
    let head = try guestResponse(response).head
    return try settled(handle) { (entry) throws(Status) in
      let length = head.headers.firstValue(of: "content-length".utf8).flatMap { WireSyntax.decimal($0) }
      let suggested = HTTPCacheOptions(for: head, key: entry.key, bodyLength: length, now: self.secondsSince1970)
      try suggested.write(optionsMask, rooms: options, to: optionsOut, mask: optionsMaskOut)
    }
  }
}

extension HTTPCacheEntry {
  /// What is to be done with a response to the suggested request, and the head that is stored.
  func prepare(_ head: ResponseHead) -> (action: HTTPStorageAction, head: ResponseHead) {
    if head.status == 304, let present {
      guard HTTPValidation.isFreshened(present.head.headers, by: head.headers) else { return (.doNotStore, head) }
      return (.update, HTTPStoredResponse.freshened(present.head, by: head))
    }
    return (HTTPCacheability.storageAction(for: head, to: request), HTTPStoredResponse.prepared(head))
  }
}

extension HTTPCacheOptions {
  fileprivate func write(
    _ wanted: HTTPCacheWriteOptionsMask, rooms: HTTPCacheWriteOptions, to out: HTTPCacheWriteOptions,
    mask: GuestPointer<UInt32>
  ) throws(Status) {
    var given: HTTPCacheWriteOptionsMask = []
    var isTooShort = false
    func copy(_ text: String, into room: HTTPCacheWriteOptions.Room) -> Int {
      let count = text.utf8.count
      if count > room.buffer.raw.count { isTooShort = true } else { room.buffer.raw.copyBytes(from: text.utf8) }
      return count
    }
    try out.setMaxAgeNs(maxAge)
    if wanted.contains(.varyRule) {
      let room = try rooms.varyRuleRoom()
      try out.setVaryRule(in: room, count: copy(varyText, into: room))
      if !varyText.isEmpty { given.insert(.varyRule) }
    }
    if wanted.contains(.surrogateKeys) {
      let room = try rooms.surrogateKeysRoom()
      try out.setSurrogateKeys(in: room, count: copy(surrogateKeys, into: room))
      given.insert(.surrogateKeys)
    }
    if wanted.contains(.initialAgeNs) {
      try out.setInitialAgeNs(initialAge)
      given.insert(.initialAgeNs)
    }
    if wanted.contains(.staleWhileRevalidateNs) {
      try out.setStaleWhileRevalidateNs(staleWhileRevalidate)
      given.insert(.staleWhileRevalidateNs)
    }
    if wanted.contains(.staleIfErrorNs) {
      try out.setStaleIfErrorNs(staleIfError)
      given.insert(.staleIfErrorNs)
    }
    if wanted.contains(.length), let length {
      try out.setLength(length)
      given.insert(.length)
    }
    if wanted.contains(.sensitiveData), isSensitive { given.insert(.sensitiveData) }
    mask.store(given.rawValue)
    if isTooShort { throw .buflen }
  }
}
