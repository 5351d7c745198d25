import Synchronization

/// The duty of one request to bring an object that others may be waiting for. It ends once, by one of its methods; letting
/// go of it cancels it, so that nobody waits for a request that is gone.
final class CacheObligation: Sendable {
  private let duty: CacheTable.Duty
  private let store: CacheStore
  private let isEnded = Atomic<Bool>(false)

  init(_ duty: CacheTable.Duty, in store: CacheStore) {
    self.duty = duty
    self.store = store
  }

  deinit { cancel() }

  /// Whether it is still to be fulfilled.
  var isOpen: Bool { !isEnded.load(ordering: .relaxed) }

  /// The object that was there at the look-up, usable or not; what an update keeps the body of.
  var present: CachedObject? { duty.present }

  private func end() -> Bool {
    isEnded.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged
  }

  /// Ends it by what succeeds; a failure leaves it open.
  private func fulfil<Value>(_ action: () throws(CacheRefusal) -> Value) throws(CacheRefusal) -> Value {
    guard isOpen else { throw .ended }
    let value = try action()
    _ = end()
    return value
  }

  /// Stores an object. Those who wait for it that suit it are woken now and read it as it is written.
  func insert(_ attributes: CacheAttributes) throws(CacheRefusal) -> CacheWriter {
    try fulfil { () throws(CacheRefusal) in try store.insert(attributes, for: duty.query, fulfilling: duty) }
  }

  /// Stores new attributes for the body of ``present``. Whether it had become stale does not matter, its number is a new one.
  @discardableResult
  func update(_ attributes: CacheAttributes) throws(CacheRefusal) -> CachedObject {
    try fulfil { () throws(CacheRefusal) in
      guard let present = duty.present, !present.body.hasFailed else { throw .nothingToUpdate }
      return try store.renew(present, attributes, fulfilling: duty)
    }
  }

  /// Notes that there is nothing to store, for as long as an object would be fresh; only lifetime and vary rule count.
  func recordUncacheable(_ attributes: CacheAttributes) throws(CacheRefusal) {
    try fulfil { () throws(CacheRefusal) in try store.recordUncacheable(attributes, fulfilling: duty) }
  }

  /// Those who wait get ``present``, because fetching the next object has failed. Nothing changes in the cache.
  func chooseStale() throws(CacheRefusal) {
    guard let present = duty.present else { throw .nothingToUpdate }
    guard end() else { throw .ended }
    store.chooseStale(present, fulfilling: duty)
  }

  /// Gives it back: the next one in line gets it. Without effect on one that has ended.
  func cancel() { if end() { store.cancel(duty) } }
}
