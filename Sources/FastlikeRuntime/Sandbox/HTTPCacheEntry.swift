import ComputeABI

/// One look-up in the HTTP cache as a guest holds it, from the question to what the guest makes of the answer.
final class HTTPCacheEntry {
  enum State {
    case waiting(CacheTicket)
    case settled(CacheFinding)
  }

  /// The request that was looked up, as it was then.
  let request: RequestHead
  let key: HTTPCacheKey
  let query: CacheQuery
  /// How the guest wants requests for the backend to be made, which the suggested request takes over.
  let decodesGzip: Bool
  let framing: FramingMode
  private(set) var state: State
  /// Whether the response may be used regardless of its age: the guest has stored it itself, or has chosen to use it stale.
  private(set) var isGranted: Bool

  init(
    _ request: GuestRequest, key: HTTPCacheKey, query: CacheQuery, state: State
  ) {
    self.request = request.head
    decodesGzip = request.decodesGzip
    framing = request.framing
    self.key = key
    self.query = query
    self.state = state
    isGranted = false
  }

  /// An entry for what was stored through another one.
  init(stored object: CachedObject, through entry: HTTPCacheEntry) {
    request = entry.request
    decodesGzip = entry.decodesGzip
    framing = entry.framing
    key = entry.key
    query = entry.query
    state = .settled(CacheFinding(object: object, freshness: .fresh, knownLength: object.body.knownLength))
    isGranted = true
  }

  /// The answer; nil while another request brings the response, and until the guest has asked for it.
  var finding: CacheFinding? { if case .settled(let finding) = state { finding } else { nil } }

  func settle(_ finding: CacheFinding) { state = .settled(finding) }

  /// The duty to bring the response, while it is open.
  var obligation: CacheObligation? {
    guard let obligation = finding?.obligation, obligation.isOpen else { return nil }
    return obligation
  }

  /// Whether this guest has the duty, also where it does not know yet.
  var isObliged: Bool {
    if case .waiting(let ticket) = state { return ticket.finding?.obligation != nil }
    return obligation != nil
  }

  /// The stored response that a revalidation is about.
  var present: HTTPStoredResponse? { obligation?.present?.response }

  /// The guest uses the present response because it could not get a new one.
  func grantStale() { isGranted = true }

  /// What the guest may use: fresh, stale within its window, granted, or what the one who was waited for has granted.
  var usable: CachedObject? {
    guard let finding, let object = finding.object, !finding.isUncacheable else { return nil }
    return finding.isUsable || isGranted || isMaskingFailure ? object : nil
  }

  /// Whether the one who was waited for has failed, and its waiters use what is stale.
  private var isMaskingFailure: Bool {
    guard let finding else { return false }
    return finding.obligation == nil && finding.freshness == .staleIfError
  }

  /// What the guest may ask about: also what it may use only when fetching fails.
  var found: CachedObject? {
    if let usable { return usable }
    guard let finding, finding.freshness == .staleIfError else { return nil }
    return finding.object
  }

  /// The state as the ABI has it. A response that can only be revalidated counts as found here, because it can be updated.
  var lookupState: CacheLookupState {
    guard let finding else { return [] }
    var state: CacheLookupState = obligation == nil ? [] : .mustInsertOrUpdate
    guard finding.object != nil, !finding.isUncacheable else { return state }
    state.insert(.found)
    if usable != nil { state.insert(.usable) }
    if finding.freshness != .fresh { state.insert(.stale) }
    if finding.freshness == .staleIfError { state.insert(.usableIfError) }
    return state
  }
}

extension CachedObject {
  /// The head of the response that it is; nil for what is none.
  var response: HTTPStoredResponse? { attributes.content as? HTTPStoredResponse }
}
