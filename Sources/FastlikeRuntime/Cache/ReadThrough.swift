import ComputeABI

/// Which plain sends read through the cache.
public enum ReadThroughMode: String, Sendable, CaseIterable {
  /// Responses that say how long they may be used, and those for which the guest says it. The default: what an origin says
  /// nothing about is fetched each time, so that a change on a developer's machine is seen.
  case explicit
  /// As on the platform: what says nothing may be used for ``ReadThrough/standardLifetime``.
  case platform
  /// None.
  case off
}

/// The rules of plain sends that read through the cache, without guest or network.
enum ReadThrough {
  /// Seconds for which the platform uses a response of a plain send that says nothing.
  static let standardLifetime: Int64 = 120

  /// How long requests do not wait for each other after a response that cannot be stored, in nanoseconds. Each of them may
  /// still bring one that can.
  static let uncacheableTime = 120 * HTTPCacheOptions.second

  /// The same after a failure, which says nothing of the next response.
  static let failureTime = 1 * HTTPCacheOptions.second

  /// How a request takes part.
  enum Part: Equatable {
    case none
    /// It is answered from the cache or else goes as it is: it asks for a part or has conditions of its own, so that what
    /// it brings is not the whole response.
    case reads
    /// It is answered from the cache, or brings what is stored there.
    case stores
  }

  /// - Parameter override: What the guest has said.
  static func part(of request: RequestHead, _ override: CacheOverride, hasBody: Bool, mode: ReadThroughMode) -> Part {
    guard mode != .off, !override.isPass, !hasBody else { return .none }
    switch request.method {
    case "HEAD": return .reads
    case "GET": break
    default: return .none
    }
    let partial = ["range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range"]
    return partial.contains { request.headers.contains($0) } ? .reads : .stores
  }

  /// What becomes of a response.
  enum Decision: Equatable {
    case store(HTTPCacheOptions)
    /// It goes to its request only; nobody waits for another one for so many nanoseconds.
    case pass(UInt64)
  }

  static func decide(
    on response: ResponseHead, to request: RequestHead, _ override: CacheOverride, key: HTTPCacheKey,
    bodyLength: Int?, mode: ReadThroughMode, now: Int64
  ) -> Decision {
    var action = HTTPCacheability.storageAction(for: response, to: request)
    if override.ttl != nil, isForced(response) { action = .insert }
    switch action {
    case .insert: break
    case .recordUncacheable: return .pass(uncacheableTime)
    default: return .pass(HTTPCacheability.isError(status: response.status) ? failureTime : uncacheableTime)
    }
    let freshness = HTTPFreshness(of: response.headers, now: now, standardLifetime: standardLifetime)
    guard freshness.isExplicit || override.ttl != nil || mode == .platform else { return .pass(uncacheableTime) }
    var options = HTTPCacheOptions(freshness, response, key: key, bodyLength: bodyLength)
    override.apply(to: &options)
    // What can never be used without asking again would only make requests wait for each other.
    let longest = max(options.staleWhileRevalidate, options.staleIfError)
    guard options.maxAge > options.initialAge || options.maxAge &+ longest > options.initialAge else {
      return .pass(uncacheableTime)
    }
    return .store(options)
  }

  /// A lifetime that the guest has given outweighs what the response says of storing, but not cookies, `Vary: *` and a status
  /// that is not stored.
  private static func isForced(_ response: ResponseHead) -> Bool {
    HTTPCacheability.statuses.contains(response.status) && !response.headers.contains("set-cookie")
      && HTTPVary(of: response.headers) != .everything
  }

  /// The field by which SDKs override the key; it does not go to the backend.
  static let keyName = "fastly-xqd-cache-key"

  /// The key: that of the URL, or the one in the field ``keyName``, as 64 hexadecimal digits.
  static func takeKey(of request: inout RequestHead) throws(SendError) -> HTTPCacheKey {
    guard let text = request.headers.firstValue(of: keyName.utf8) else { return HTTPCacheKey(suggestedFor: request) }
    guard let key = HTTPCacheKey(hexadecimal: text) else { throw SendError(.httpRequestCacheKeyInvalid) }
    request.headers.remove(keyName)
    return key
  }

  /// Adds what the platform tells of the cache, and takes away what is for caches only, unless the request is from another
  /// cache or looks for mistakes.
  static func finish(_ head: inout ResponseHead, hits: UInt64, to request: RequestHead) {
    head.headers.set("x-cache", hits > 0 ? "HIT" : "MISS")
    head.headers.set("x-cache-hits", String(hits))
    guard !request.headers.contains("fastly-ff"), !request.headers.contains("fastly-debug") else { return }
    head.headers.remove("surrogate-key")
    head.headers.remove("surrogate-control")
  }
}
