import ComputeABI
import Synchronization

/// What the writer of an object says about it.
struct CacheAttributes: Sendable {
  var lifetime = CacheLifetime()
  /// Which headers of the request that it was fetched with matter.
  var varyRule = VaryRule.none
  var surrogateKeys = SurrogateKeys()
  /// The length that its body will have.
  var length: UInt64?
  /// Bytes that the guest keeps beside the body.
  var userMetadata: [UInt8] = []
  var isSensitive = false
  /// What the cache does not look into, such as the head of a stored response.
  var content: (any CachedContent)?
}

/// What a user of the cache keeps beside a body.
protocol CachedContent: Sendable {
  /// About as many bytes as it takes.
  var byteCount: Int { get }
}

/// One stored object: attributes, which never change, and a body, which an update hands on to the next object.
final class CachedObject: Sendable {
  /// What an object costs besides its bytes, so that empty ones are bounded too.
  static let overhead = 768

  /// Unique in the process; counts up in the order of storing.
  let number: UInt64
  let key: CacheKey
  let attributes: CacheAttributes
  /// Whether this is no object but the knowledge that there is none to store (hit-for-pass): requests go on without
  /// waiting for each other.
  let isUncacheable: Bool
  let body: CachedBody
  /// On the store's clock.
  let storedAt: UInt64
  private let budget: CacheBudget
  private let charge: Int
  private let hits: Atomic<UInt64>
  private let softPurged = Atomic<Bool>(false)

  /// Takes over a ``charge(key:_:)`` that was taken from the budget, and gives it back at its end.
  init(
    number: UInt64, key: CacheKey, attributes: CacheAttributes, isUncacheable: Bool, body: CachedBody, storedAt: UInt64,
    hits: UInt64 = 0, budget: CacheBudget
  ) {
    self.number = number
    self.key = key
    self.attributes = attributes
    self.isUncacheable = isUncacheable
    self.body = body
    self.storedAt = storedAt
    self.hits = Atomic(hits)
    self.budget = budget
    charge = CachedObject.charge(key: key, attributes)
  }

  deinit { budget.giveBack(charge) }

  /// Bytes that an object takes besides its body.
  static func charge(key: CacheKey, _ attributes: CacheAttributes) -> Int {
    overhead + key.bytes.count + attributes.userMetadata.count + attributes.surrogateKeys.byteCount * 2
      + (attributes.content?.byteCount ?? 0)
  }

  /// Bytes that it takes by now.
  var byteCount: Int { charge + body.byteCount }

  /// How often a look-up has found it.
  var hitCount: UInt64 { hits.load(ordering: .relaxed) }
  func countHit() { hits.wrappingAdd(1, ordering: .relaxed) }

  var isSoftPurged: Bool { softPurged.load(ordering: .relaxed) }
  func purgeSoftly() { softPurged.store(true, ordering: .relaxed) }

  func age(at now: UInt64) -> UInt64 { attributes.lifetime.age(storedAt: storedAt, now: now) }

  func freshness(at now: UInt64) -> CacheLifetime.Freshness {
    attributes.lifetime.freshness(age: age(at: now), isSoftPurged: isSoftPurged)
  }

  func isForgotten(at now: UInt64) -> Bool { attributes.lifetime.isForgotten(age: age(at: now)) }
}
