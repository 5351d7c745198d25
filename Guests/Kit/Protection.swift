// What keeps clients out and secrets in: secret stores, access control lists, rate limiting, shields.

/// A secret store.
struct SecretStore {
  let handle: UInt32

  /// An unknown name throws `none`.
  init(_ name: Text) throws(Status) {
    handle = try number { handle in name.withBytes { hostSecretStoreOpen($0, $1, handle) } }
  }

  init(handle: UInt32) {
    self.handle = handle
  }

  /// A missing secret throws `none`.
  func get(_ key: Text) throws(Status) -> Secret {
    Secret(handle: try number { secret in key.withBytes { hostSecretStoreGet(handle, $0, $1, secret) } })
  }
}

/// A secret, from a store or of the guest's own.
struct Secret {
  let handle: UInt32

  init(handle: UInt32) {
    self.handle = handle
  }

  init(_ bytes: Text) throws(Status) {
    handle = try number { handle in bytes.withBytes { hostSecretStoreFromBytes($0, $1, handle) } }
  }

  func plaintext() throws(Status) -> Text {
    try Reading.complete { hostSecretStorePlaintext(handle, $0, $1, $2) }
  }

  func reading(capacity: UInt32) -> Reading {
    Reading.once(capacity: capacity) { hostSecretStorePlaintext(handle, $0, $1, $2) }
  }

  /// The older way without a store.
  static func named(_ name: Text) throws(Status) -> Text {
    try Reading.complete { buffer, capacity, written in
      name.withBytes { hostSecretsGetSecret($0, $1, buffer, capacity, written) }
    }
  }
}

/// An access control list.
struct AccessList {
  let handle: UInt32

  /// An unknown name throws `none`.
  init(_ name: Text) throws(Status) {
    handle = try number { handle in name.withBytes { hostACLOpen($0, $1, handle) } }
  }

  init(handle: UInt32) {
    self.handle = handle
  }

  /// The entry for an address of 4 or 16 octets as JSON; nil where there is none.
  func lookup(_ address: [UInt8]) throws(Status) -> Text? {
    var body = invalidHandle
    let error = try number { error in
      Text(address).withBytes { hostACLLookup(handle, $0, $1, &body, error) }
    }
    // 1 is a match, 2 is none.
    return error == 1 ? try Body(handle: body).readAll() : nil
  }
}

/// A rate counter.
struct RateCounter {
  let name: Text

  func increment(_ entry: Text, by delta: UInt32 = 1) throws(Status) {
    try check(
      name.withBytes { name, nameCount in
        entry.withBytes { hostERLRatecounterIncrement(name, nameCount, $0, $1, delta) }
      })
  }

  /// Increments per second over a window of 1, 10 or 60 s.
  func rate(_ entry: Text, window: UInt32) throws(Status) -> UInt32 {
    try number { rate in
      name.withBytes { name, nameCount in
        entry.withBytes { hostERLRatecounterLookupRate(name, nameCount, $0, $1, window, rate) }
      }
    }
  }

  /// The increments of the last 10, 20 … 60 s.
  func count(_ entry: Text, duration: UInt32) throws(Status) -> UInt32 {
    try number { count in
      name.withBytes { name, nameCount in
        entry.withBytes { hostERLRatecounterLookupCount(name, nameCount, $0, $1, duration, count) }
      }
    }
  }

  /// Counts, and tells whether the entry is to be refused; one beyond the limit goes into the box.
  func isBlocked(
    _ entry: Text, adding delta: UInt32 = 1, window: UInt32, limit: UInt32, box: PenaltyBox, seconds: UInt32
  ) throws(Status) -> Bool {
    try number { blocked in
      name.withBytes { name, nameCount in
        entry.withBytes { entry, entryCount in
          box.name.withBytes {
            hostERLCheckRate(name, nameCount, entry, entryCount, delta, window, limit, $0, $1, seconds, blocked)
          }
        }
      }
    } != 0
  }
}

/// A penalty box.
struct PenaltyBox {
  let name: Text

  func add(_ entry: Text, seconds: UInt32) throws(Status) {
    try check(
      name.withBytes { name, nameCount in
        entry.withBytes { hostERLPenaltyboxAdd(name, nameCount, $0, $1, seconds) }
      })
  }

  func has(_ entry: Text) throws(Status) -> Bool {
    try number { has in
      name.withBytes { name, nameCount in entry.withBytes { hostERLPenaltyboxHas(name, nameCount, $0, $1, has) } }
    } != 0
  }
}

/// Shields.
enum Shield {
  static func info(_ name: Text, capacity: UInt32 = 1024) -> Reading {
    Reading.once(capacity: capacity) { buffer, capacity, written in
      name.withBytes { hostShieldingShieldInfo($0, $1, buffer, capacity, written) }
    }
  }

  /// The name of a backend for a shield's name or URL.
  static func backend(_ target: Text, mask: UInt32 = 0) throws(Status) -> Text {
    // Four words: the cache key with its length, and two times in milliseconds.
    var words: [UInt32] = [0, 0, 1000, 1000]
    return try Reading.complete { buffer, capacity, written in
      target.withBytes { hostShieldingBackendForShield($0, $1, mask, &words, buffer, capacity, written) }
    }
  }
}
