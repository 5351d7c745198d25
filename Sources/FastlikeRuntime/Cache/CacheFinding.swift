import ComputeABI
import Synchronization

/// What a look-up has found.
struct CacheFinding: Sendable {
  /// What ``freshness`` allows to use; also an expired object, where there is an obligation, which it allows to revalidate.
  var object: CachedObject?
  var freshness = CacheLifetime.Freshness.expired
  /// This request's duty to bring the next object.
  var obligation: CacheObligation?
  /// The length of the object's body as far as it was known at the look-up.
  var knownLength: Int?
  /// The request for which the look-up had to wait.
  var leader: UInt64?

  /// Whether the object may be used as it is.
  var isUsable: Bool { object != nil && !isUncacheable && (freshness == .fresh || freshness == .stale) }

  /// Whether it is known that there is nothing to store: the request goes to the backend without waiting for others, and
  /// nobody waits for it.
  var isUncacheable: Bool { object?.isUncacheable ?? false }

  /// The state as the ABI has it. Objects that can only be revalidated do not count as found.
  var state: CacheLookupState {
    var state: CacheLookupState = obligation == nil ? [] : .mustInsertOrUpdate
    guard let object, !object.isUncacheable else { return state }
    switch freshness {
    case .fresh: state.formUnion([.found, .usable])
    case .stale: state.formUnion([.found, .usable, .stale])
    case .staleIfError: state.formUnion([.found, .stale, .usableIfError])
    case .expired: break
    }
    return state
  }

  /// The word for it in traces.
  var outcome: Outcome {
    if isUncacheable { return .pass }
    if !isUsable { return obligation == nil && freshness == .staleIfError ? .stale : .miss }
    return freshness == .stale ? .stale : .hit
  }

  /// What a look-up came to, as traces tell it.
  enum Outcome: String, Sendable {
    case hit
    case stale
    case miss
    /// There is nothing to store (hit-for-pass).
    case pass
  }
}

/// The answer to a look-up.
enum CacheAnswer: Sendable {
  case settled(CacheFinding)
  /// Another request brings the object.
  case waiting(CacheTicket)
}

/// Why an object cannot be stored.
enum CacheRefusal: Error, Sendable, Equatable {
  /// It is larger than the cache, or what is in the cache is in use.
  case noRoom
  /// There is no object to update.
  case nothingToUpdate
  /// The obligation has ended.
  case ended
}

/// How an object is replaced.
enum CacheReplacement: Sendable {
  /// At once; whoever stores last wins.
  case now
  /// At once, and the present object vanishes.
  case forcingMiss
  /// After all others that replace it.
  case inTurn

  var access: CacheTable.Access {
    switch self {
    case .now: .replaceNow
    case .forcingMiss: .replaceForcingMiss
    case .inTurn: .replaceInTurn
    }
  }
}

/// The place in line of a look-up that waits for another request.
final class CacheTicket: Sendable {
  private enum State {
    case waiting
    case settled(CacheFinding)
    case cancelled
  }

  let number: UInt64
  let key: CacheKey
  /// The request that was bringing the object when the wait began.
  let leader: UInt64
  private let wake: @Sendable () -> Void
  private let state = Mutex(State.waiting)

  init(number: UInt64, key: CacheKey, leader: UInt64, wake: @escaping @Sendable () -> Void) {
    self.number = number
    self.key = key
    self.leader = leader
    self.wake = wake
  }

  /// What was found; nil while waiting.
  var finding: CacheFinding? { state.withLock { if case .settled(let finding) = $0 { finding } else { nil } } }

  /// False when the ticket was cancelled before.
  func settle(_ finding: CacheFinding) -> Bool {
    let isTaken = state.withLock { state in
      guard case .waiting = state else { return false }
      state = .settled(finding)
      return true
    }
    if isTaken { wake() }
    return isTaken
  }

  /// What had been found meanwhile.
  func cancel() -> CacheFinding? {
    state.withLock { state in
      defer { state = .cancelled }
      if case .settled(let finding) = state { return finding }
      return nil
    }
  }
}
