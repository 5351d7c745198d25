import ComputeABI

/// One entry of a KV store.
struct KVEntry: Sendable, Equatable {
  var value: [UInt8]
  var metadata: String?
  /// Changes with each write of the key.
  var generation: UInt64
  /// When it vanishes, on the clock of its storage; nil is never.
  var expires: UInt64?
}

/// What an insert asks for besides its value.
struct KVInsertOptions: Sendable, Equatable {
  var mode = KVInsertMode.overwrite
  var metadata: String?
  /// Seconds.
  var timeToLive: UInt32?
  /// The generation that an entry must still have to be written over.
  var generation: UInt64?

  /// Why a store refuses the insert of `byteCount` bytes, or nil: `preconditionFailed` for a key to add that exists and for
  /// another generation, `payloadTooLarge` and `badRequest` beyond the limits of value and metadata.
  ///
  /// - Parameter existing: What the key has at present.
  func refusal(of byteCount: Int, existing: (generation: UInt64, byteCount: Int)?) -> KVError? {
    if let metadata, metadata.utf8.count > KVLimits.metadataBytes { return .badRequest }
    if let existing {
      if mode == .add { return .preconditionFailed }
      if let generation, generation != existing.generation { return .preconditionFailed }
    }
    let kept = isJoining ? existing?.byteCount ?? 0 : 0
    return kept + byteCount > KVLimits.valueBytes ? .payloadTooLarge : nil
  }

  /// Whether the value is joined with the one that is there.
  var isJoining: Bool { mode == .append || mode == .prepend }

  /// The value that is stored.
  func value(_ value: [UInt8], joining existing: [UInt8]?) -> [UInt8] {
    guard let existing, isJoining else { return value }
    return mode == .append ? existing + value : value + existing
  }
}

/// The platform's limits of one entry.
enum KVLimits {
  static let valueBytes = 25 << 20
  static let metadataBytes = 2000
}

/// The generation of a write: nanoseconds of the storage's clock, and more than the one before. 1337 is not given, because
/// guests use it as one that never matches.
func nextKVGeneration(after last: UInt64, now: UInt64) -> UInt64 {
  let next = max(last + 1, now)
  return next == 1337 ? 1338 : next
}

/// Which keys a listing gives.
struct KVListQuery: Sendable, Equatable {
  static let defaultLimit: UInt32 = 1000
  /// Keys on one page, whatever the guest asks for: a page stays within the memory of a guest.
  static let maximumLimit = 10_000

  var prefix: String?
  /// The key behind which the listing goes on.
  var after: [UInt8]?
  var limit = KVListQuery.defaultLimit

  /// Keys on the page, at most.
  var pageLength: Int { min(Int(shownLimit), KVListQuery.maximumLimit) }

  /// The limit that the page tells: as the guest asked for it, or the default.
  var shownLimit: UInt32 { limit == 0 ? KVListQuery.defaultLimit : limit }

  /// The smallest key that may be on the page.
  var lowerBound: [UInt8] {
    let prefix = Array((prefix ?? "").utf8)
    guard let after, prefix.lexicographicallyPrecedes(after + [0]) else { return prefix }
    return after + [0]
  }

  /// The smallest key behind all those with the prefix; nil where there is none.
  var upperBound: [UInt8]? {
    var bound = Array((prefix ?? "").utf8)
    while let last = bound.popLast() {
      if last < 0xFF { return bound + [last + 1] }
    }
    return nil
  }
}

/// What a guest asks a store to do. Operations take effect in the order in which they were started.
enum KVOperation: Sendable {
  case lookup([UInt8])
  case insert([UInt8], value: [UInt8], KVInsertOptions)
  case delete([UInt8])
  case list(KVListQuery)
}

/// What came of an operation.
enum KVOutcome: Sendable, Equatable {
  /// The entry that was looked up.
  case entry(KVEntry)
  case page(KVPage)
  /// An insert or deletion is done, or any operation failed. Deleting and looking up what is missing gives `notFound`.
  case done(KVError)
}
