import ComputeABI

/// What is said of a response when it is stored: the platform's suggestion, or a guest's own words. Seconds as the ABI's
/// nanoseconds.
struct HTTPCacheOptions: Sendable, Equatable {
  var maxAge: UInt64 = 0
  /// Names separated by spaces; guests also write commas.
  var varyText = ""
  var initialAge: UInt64 = 0
  var staleWhileRevalidate: UInt64 = 0
  var staleIfError: UInt64 = 0
  /// Separated by spaces.
  var surrogateKeys = ""
  var length: UInt64?
  var isSensitive = false

  /// Nanoseconds in a second.
  static let second: UInt64 = 1_000_000_000

  init() {}

  /// The suggestion for a response: what its fields say, and the key's own surrogate key, by which one URL is purged.
  init(
    for response: ResponseHead, key: HTTPCacheKey, bodyLength: Int? = nil, now: Int64,
    standardLifetime: Int64 = HTTPFreshness.standardLifetime
  ) {
    let freshness = HTTPFreshness(of: response.headers, now: now, standardLifetime: standardLifetime)
    self.init(freshness, response, key: key, bodyLength: bodyLength)
  }

  init(_ freshness: HTTPFreshness, _ response: ResponseHead, key: HTTPCacheKey, bodyLength: Int?) {
    maxAge = UInt64(freshness.lifetime) * HTTPCacheOptions.second
    initialAge = UInt64(freshness.initialAge) * HTTPCacheOptions.second
    staleWhileRevalidate = UInt64(freshness.staleWhileRevalidate) * HTTPCacheOptions.second
    staleIfError = UInt64(freshness.staleIfError) * HTTPCacheOptions.second
    varyText = HTTPVary(of: response.headers).ruleText
    surrogateKeys = ([key.surrogateKey] + HTTPCacheOptions.surrogateKeys(of: response.headers)).joined(separator: " ")
    length = bodyLength.map { UInt64($0) }
  }

  /// The keys of `Surrogate-Key`; those that are not allowed are left out.
  private static func surrogateKeys(of headers: HeaderList) -> [String] {
    var keys: [String] = []
    for index in headers.indices(of: "surrogate-key".utf8) {
      keys += headers.value(at: index).split { $0 == 0x20 || $0 == 0x09 }.compactMap { SurrogateKeys.key($0) }
    }
    return keys
  }

  /// The attributes of the stored object. Throws `inval` for surrogate keys that are not allowed, and `error` for names of
  /// fields that are none.
  func attributes(head: ResponseHead) throws(Status) -> CacheAttributes {
    var attributes = CacheAttributes()
    attributes.lifetime.maxAge = maxAge
    attributes.lifetime.initialAge = initialAge
    attributes.lifetime.staleWhileRevalidate = staleWhileRevalidate
    attributes.lifetime.staleIfError = staleIfError
    let names = varyText.utf8.map { $0 == UInt8(ascii: ",") || $0 == 0x09 ? 0x20 : $0 }
    if names.contains(where: { $0 != 0x20 }) {
      guard let rule = VaryRule(parsing: names) else { throw .error }
      attributes.varyRule = rule
    }
    guard let keys = SurrogateKeys(parsing: surrogateKeys.utf8) else { throw .inval }
    attributes.surrogateKeys = keys
    attributes.length = length
    attributes.isSensitive = isSensitive
    attributes.content = HTTPStoredResponse(head: head, varyText: varyText)
    return attributes
  }
}

/// What a guest has asked of the cache for a plain send (`cache_override_set`).
struct CacheOverride: Sendable, Equatable {
  /// Neither read nor store.
  var isPass = false
  /// Seconds for which the response is fresh, whatever its fields say.
  var ttl: UInt32?
  /// Seconds after that, for which it may be used while it is fetched anew.
  var staleWhileRevalidate: UInt32?
  var isSensitive = false
  /// More surrogate keys, separated by spaces.
  var surrogateKeys = ""

  init() {}

  init(_ tag: CacheOverrideTag, ttl: UInt32, staleWhileRevalidate: UInt32, surrogateKeys: String) {
    isPass = tag.contains(.pass)
    if tag.contains(.ttl) { self.ttl = ttl }
    if tag.contains(.staleWhileRevalidate) { self.staleWhileRevalidate = staleWhileRevalidate }
    isSensitive = tag.contains(.pci)
    self.surrogateKeys = surrogateKeys
  }

  /// Puts what was asked for in the place of what the response says.
  func apply(to options: inout HTTPCacheOptions) {
    if let ttl { options.maxAge = UInt64(ttl) * HTTPCacheOptions.second }
    if let staleWhileRevalidate {
      options.staleWhileRevalidate = UInt64(staleWhileRevalidate) * HTTPCacheOptions.second
    }
    if isSensitive { options.isSensitive = true }
    if !surrogateKeys.isEmpty { options.surrogateKeys += " " + surrogateKeys }
  }
}

extension HTTPStoredResponse: CachedContent {}
