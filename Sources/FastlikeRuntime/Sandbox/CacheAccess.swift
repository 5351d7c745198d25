import ComputeABI
import NIOCore

/// A look-up in the cache as a guest holds it: what was found and what it has to do about it, or the place in line.
final class CacheAccess {
  /// Whether a part of a body is read as asked also while the body's length is not known.
  let alwaysUsesRange: Bool
  private let store: CacheStore
  private var ticket: CacheTicket?
  private var found: CacheFinding?
  /// The body that the guest reads at present, and its handle.
  private weak var openBody: GuestBody?
  private var openHandle: BodyHandle?

  init(_ answer: CacheAnswer, in store: CacheStore, alwaysUsesRange: Bool) {
    self.store = store
    self.alwaysUsesRange = alwaysUsesRange
    switch answer {
    case .settled(let finding): found = finding
    case .waiting(let ticket): self.ticket = ticket
    }
  }

  /// What was found; nil while waiting.
  var finding: CacheFinding? {
    if found == nil, let settled = ticket?.finding { found = settled }
    return found
  }

  var isSettled: Bool { finding != nil || ticket == nil }

  /// The request that this one waits for, while it waits.
  var leader: UInt64? { finding == nil ? ticket?.leader : nil }

  /// What was found, which goes on to another handle; this one is left empty.
  func take() -> CacheAccess? {
    guard let finding else { return nil }
    found = nil
    ticket = nil
    return CacheAccess(.settled(finding), in: store, alwaysUsesRange: alwaysUsesRange)
  }

  /// The object, where it may be used. Throws `none` otherwise.
  func object() throws(Status) -> CachedObject {
    guard let finding, finding.state.contains(.found), let object = finding.object else { throw .none }
    return object
  }

  /// The duty to bring an object. Throws `badf` where there is none or it has ended.
  func obligation() throws(Status) -> CacheObligation {
    guard let obligation = finding?.obligation, obligation.isOpen else { throw .badf }
    return obligation
  }

  /// Notes the body that the guest has got.
  func open(_ body: GuestBody, as handle: BodyHandle) {
    openBody = body
    openHandle = handle
  }

  /// Whether the guest still holds the last body and has not read it to its end.
  func hasOpenBody(in items: HandleTable<AsyncItem>) -> Bool {
    guard let openBody, let openHandle, case .body(let held) = items[openHandle.rawValue] else { return false }
    return held === openBody && !openBody.hasReachedEnd
  }

  /// Gives the place in line and the duty back.
  func close() {
    if let ticket { store.cancel(ticket) }
    ticket = nil
    found?.obligation?.cancel()
    found = nil
  }
}
