/// What the cache holds, for a page and for the command line. Which of it may be shown is up to them: keys may be secrets.
public struct CacheListing: Sendable {
  public struct Row: Sendable, Identifiable {
    /// The object's number, for ``CacheStore/remove(object:)``.
    public let id: UInt64
    /// `core` or `http`: which cache it belongs to.
    public let space: String
    /// For places that must not show keys.
    public let keyDigest: String
    public let key: [UInt8]
    /// How many objects of the same key there are.
    public let variantCount: Int
    /// The names of the request headers on which it depends.
    public let varyRule: String
    public let freshness: CacheLifetime.Freshness
    /// Nanoseconds, as all times here.
    public let age: UInt64
    public let lifetime: CacheLifetime
    public let surrogateKeys: [String]
    public let isSoftPurged: Bool
    public let isSensitive: Bool
    /// Whether it is only the knowledge that there is nothing to store.
    public let isUncacheable: Bool
    public let isBeingWritten: Bool
    public let bodyBytes: Int
    /// With all that belongs to it.
    public let totalBytes: Int
    public let hits: UInt64

    init(_ object: CachedObject, variantCount: Int, now: UInt64) {
      id = object.number
      space = object.key.space.name
      keyDigest = object.key.digest
      key = object.key.bytes
      self.variantCount = variantCount
      varyRule = object.attributes.varyRule.text
      freshness = object.freshness(at: now)
      age = object.age(at: now)
      lifetime = object.attributes.lifetime
      surrogateKeys = object.attributes.surrogateKeys.keys
      isSoftPurged = object.isSoftPurged
      isSensitive = object.attributes.isSensitive
      isUncacheable = object.isUncacheable
      isBeingWritten = object.body.isBeingWritten
      bodyBytes = object.body.byteCount
      totalBytes = object.byteCount
      hits = object.hitCount
    }
  }

  public let objects: [Row]
  /// All of them, also those beyond the limit of the listing.
  public let objectCount: Int
  /// Bytes that the cache holds, also of objects that are no longer found and still read.
  public let heldBytes: Int
  public let capacity: Int
  /// Objects that had to make room since the start.
  public let evictedCount: UInt64
}
