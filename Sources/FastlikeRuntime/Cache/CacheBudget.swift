import Synchronization

/// The bytes that all objects of the cache hold, also those which are no longer found but still read. It never exceeds its
/// limit, so no guest can make the cache take more memory than that.
final class CacheBudget: Sendable {
  let limit: Int
  private let held = Atomic<Int>(0)

  init(limit: Int) { self.limit = limit }

  var heldBytes: Int { held.load(ordering: .relaxed) }

  /// Whether there was room; nothing is taken otherwise.
  func take(_ byteCount: Int) -> Bool {
    guard held.wrappingAdd(byteCount, ordering: .relaxed).newValue > limit else { return true }
    giveBack(byteCount)
    return false
  }

  func giveBack(_ byteCount: Int) { held.wrappingSubtract(byteCount, ordering: .relaxed) }
}
