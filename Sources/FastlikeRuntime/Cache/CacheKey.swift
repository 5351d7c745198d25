import Crypto

/// The name of cached objects: bytes that a guest or the HTTP cache chose. Objects that differ by the headers of their
/// requests share one key.
struct CacheKey: Hashable, Sendable {
  /// The longest key in bytes.
  static let maximumBytes = 4096

  /// Which cache the key belongs to. The same bytes name different objects in each.
  enum Space: Hashable, Sendable {
    /// What guests write through `fastly_cache`.
    case core
    /// Responses, through `fastly_http_cache` and sends that read through the cache.
    case http

    var name: String {
      switch self {
      case .core: "core"
      case .http: "http"
      }
    }
  }

  let space: Space
  let bytes: [UInt8]

  init(_ space: Space, _ bytes: [UInt8]) {
    self.space = space
    self.bytes = bytes
  }

  /// The first 16 digits of the SHA-256 of the bytes, for places that must not show a key.
  var digest: String {
    SHA256.hash(data: bytes).prefix(8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }
}

/// What is looked for: a key, and the request headers that choose among its variants.
struct CacheQuery: Sendable {
  let key: CacheKey
  let headers: HeaderList

  init(_ key: CacheKey, headers: HeaderList = HeaderList()) {
    self.key = key
    self.headers = headers
  }
}
