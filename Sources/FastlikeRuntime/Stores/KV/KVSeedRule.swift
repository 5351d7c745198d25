/// When a seed writes what it says, and when it leaves a store as it is.
///
/// A seed is the beginning of a store, not its master: what requests have written or deleted is newer and stays. An entry
/// that is still as the seed made it follows the seed when that changes. A seed that overwrites writes all that it says. One
/// without items says nothing: a store that is started without its seed keeps what it has.
enum KVSeedRule {
  /// Whether an item of the seed is written.
  ///
  /// - Parameters:
  ///   - seeded: The generation that the key got from the seed before; nil where the seed did not write it.
  ///   - isUnchanged: Whether the seed said the same before.
  ///   - present: The generation of the entry that is there; nil where there is none.
  static func writes(seeded: UInt64?, isUnchanged: Bool, present: UInt64?, overwrites: Bool) -> Bool {
    if overwrites { return true }
    guard let seeded else { return present == nil }
    return !isUnchanged && present == seeded
  }

  /// Whether an entry goes because the seed does not have it any more.
  static func removes(seeded: UInt64, present: UInt64?) -> Bool { present == seeded }
}
