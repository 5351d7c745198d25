import ComputeABI
import FastlikeProfile

/// `fastly_http_req`: sends that read through the cache, and what sends make invalid there.
extension Sandbox {
  /// Sends through the cache, or answers nil for a request that has to go to its backend: one that the guest wants to pass,
  /// that changes something, that has a body, or that is sent by a hostcall that bypasses the cache.
  ///
  /// Throws what is wrong with the request.
  func readThrough(
    _ request: GuestRequest, _ body: GuestBody, _ handle: BodyHandle, to backend: BackendDefinition,
    named name: String, _ variant: BackendVariant, streaming: Bool
  ) throws(SendError) -> PendingRequest? {
    let mode = service.settings.readThrough
    guard !streaming, variant == .send || variant == .sendV2 || variant == .sendAsync else { return nil }
    let hasBody = body.knownLength != 0 || !body.trailers.isEmpty
    let part = ReadThrough.part(of: request.head, request.cacheOverride, hasBody: hasBody, mode: mode)
    guard part != .none else { return nil }
    var head = request.head
    let key = try ReadThrough.takeKey(of: &head)
    let plan = CachedSend.Plan(
      request: head, framing: request.framing, backend: backend, backendName: name, override: request.cacheOverride,
      part: part, key: key,
      variant: variant)
    // The guest is bringing this very response to the cache itself; waiting for it would be waiting for itself.
    guard !holdsObligation(for: CacheQuery(CacheKey(.http, key.bytes))) else { return nil }
    let send = CachedSend(plan, from: self)
    send.exchange.onSettled = { [waker] in waker.wake() }
    send.start(owner: served.number)
    _ = items.remove(handle.rawValue)
    body.discard()
    return PendingRequest(
      exchange: send.exchange, decodesGzip: request.decodesGzip, bypassesCache: false, call: send.call, trace: trace,
      cached: send)
  }

  /// Has stored responses vanish once a request that changes something succeeds (RFC 9111 §4.4).
  func invalidate(after exchange: BackendExchange, _ request: RequestHead) {
    guard HTTPInvalidation.mayChange(method: request.method), service.settings.readThrough != .off else { return }
    exchange.onResponse = { [cache = service.cache] response in
      for key in HTTPInvalidation.keys(after: response, to: request) {
        cache.purge(surrogateKey: key.surrogateKey, soft: false)
      }
    }
  }
}
