import ComputeABI

/// What a guest makes the host hold for it: bytes of plain bodies. A guest that wants more than its share gets a status,
/// and the host's memory stays the other guests' too.
final class HostMemoryBudget {
  /// As much as a guest's own memory.
  static let limit = 128 * 1024 * 1024
  private var held = 0

  /// Throws `limitexceeded` when the guest would hold more than ``limit``.
  func take(_ byteCount: Int) throws(Status) {
    guard held + byteCount <= HostMemoryBudget.limit else { throw .limitexceeded }
    held += byteCount
  }

  func giveBack(_ byteCount: Int) { held -= byteCount }
}
