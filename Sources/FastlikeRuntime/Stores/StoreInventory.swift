import ComputeABI

/// What the stores of a service hold, for a page or a test. Which of it may be shown is up to them.
public struct StoreInventory: Sendable {
  /// How much a KV store holds.
  public struct KVStoreFacts: Sendable, Equatable {
    public let name: String
    public let keyCount: Int
    /// Bytes of the values.
    public let byteCount: Int
    /// Whether guests of this service can open it.
    public let isLinked: Bool
  }

  /// One key of a KV store.
  public struct KVKey: Sendable, Equatable {
    public let key: String
    public let byteCount: Int
    public let metadata: String?
    public let generation: UInt64
    /// Nanoseconds until it vanishes; nil is never.
    public let timeLeft: UInt64?
  }

  private let service: Service

  public init(of service: Service) { self.service = service }

  // MARK: KV stores

  /// `in memory`, or the path of the file.
  public var kvPlace: String { service.kvStorage.place }

  /// By name; nil where they cannot be read.
  public func kvStores() async -> [KVStoreFacts]? {
    guard let summaries = try? await service.kvStorage.summaries() else { return nil }
    let linked = service.configuration.kvStores
    var facts = summaries.map { summary in
      KVStoreFacts(
        name: summary.name, keyCount: summary.keyCount, byteCount: summary.byteCount,
        isLinked: linked[summary.name] != nil)
    }
    // One that nobody has written to may not be in the storage.
    for name in linked.keys where !facts.contains(where: { $0.name == name }) {
      facts.append(KVStoreFacts(name: name, keyCount: 0, byteCount: 0, isLinked: true))
    }
    return facts.sorted { $0.name < $1.name }
  }

  /// Keys behind one of them, in the order of their bytes, and whether more follow; nil where they cannot be read.
  public func kvKeys(
    of store: String, prefix: String, after key: String?, limit: Int
  ) async -> (keys: [KVKey], hasMore: Bool)? {
    let query = KVListQuery(
      prefix: prefix.isEmpty ? nil : prefix, after: key.map { Array($0.utf8) }, limit: UInt32(clamping: max(1, limit)))
    guard let page = try? await service.kvStorage.keys(of: store, query) else { return nil }
    let keys = page.keys.map { facts in
      KVKey(
        key: String(decoding: facts.key, as: UTF8.self), byteCount: facts.byteCount, metadata: facts.metadata,
        generation: facts.generation, timeLeft: facts.timeLeft)
    }
    return (keys, page.hasMore)
  }

  /// The value of a key; nil where there is none.
  public func kvValue(of key: String, in store: String) async -> [UInt8]? {
    await perform(.lookup(Array(key.utf8)), on: store).entry?.value
  }

  /// Whether there was something to delete.
  public func deleteKV(_ key: String, in store: String) async -> Bool {
    await perform(.delete(Array(key.utf8)), on: store) == .done(.ok)
  }

  private func perform(_ operation: KVOperation, on store: String) async -> KVOutcome {
    let store = KVStore(name: store, storage: service.kvStorage)
    if let outcome = store.perform(operation) { return outcome }
    return await withCheckedContinuation { waiting in store.enqueue(operation) { waiting.resume(returning: $0) } }
  }

  // MARK: The others

  /// Config stores, which are also the dictionaries, by name.
  public var configStores: [String: ConfigStore] { service.configuration.configStores }

  /// The names of the secrets, sorted, by the name of their store.
  public var secretNames: [String: [String]] {
    service.configuration.secretStores.mapValues { $0.secrets.keys.sorted() }
  }

  public var accessControlLists: [String: AccessControlList] { service.configuration.accessControlLists }

  /// Mistakes in files that were read again, one line each.
  public var problems: [String] { service.configuration.problems.map(\.description) }

  public var cache: CacheStore { service.cache }
}
