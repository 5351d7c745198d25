import ComputeABI
import FastlikeProfile

/// `fastly_kv_store`, and `fastly_kv`, its first form. Starting an operation performs it; waiting takes its result.
extension Sandbox {
  // MARK: What all modules of KV stores share

  /// Throws `inval` for a store that is not configured.
  func openStore(_ name: GuestBytes) throws(Status) -> UInt32 {
    let name = try name.string()
    trace?.label(.kvStore, name)
    guard let seed = service.configuration.kvStores[name] else { throw .inval }
    guard let handle = kvStores.insert(service.kvStores.open(name, seed: seed)) else { throw .limitexceeded }
    return handle
  }

  func openedStore(_ handle: UInt32) throws(Status) -> KVStore {
    guard let store = kvStores[handle] else { throw .badf }
    trace?.label(.kvStore, store.name)
    trace?.updateDeep { $0.bumpStoreAccess(kind: .kv, name: store.name) }
    return store
  }

  /// The bytes of a key that a store accepts; others throw the module's status for them.
  func storeKey(_ key: GuestBytes, otherwise status: Status = .inval) throws(Status) -> [UInt8] {
    guard KVStoreSeed.isValid(key: try key.string()) else { throw status }
    return key.array()
  }

  func pendingOperation(_ handle: UInt32) throws(Status) -> PendingStoreOperation {
    guard case .store(let operation) = items[handle] else { throw .badf }
    return operation
  }

  func insert(_ outcome: PendingStoreOperation.Outcome) throws(Status) -> UInt32 {
    try insert(.store(try PendingStoreOperation(outcome, budget: budget)))
  }

  /// Ends an operation and gives the guest a body of what it brought.
  func takeBody(_ bytes: [UInt8], of operation: PendingStoreOperation, _ handle: UInt32) throws(Status) -> BodyHandle {
    _ = items.remove(handle)
    operation.release()
    return try insertBody(bytes)
  }

  func insertBody(_ bytes: [UInt8]) throws(Status) -> BodyHandle {
    let body = GuestBody(waker: waker, budget: budget)
    try bytes.withUnsafeBufferPointer { (bytes) throws(Status) in try body.append(UnsafeRawBufferPointer(bytes)) }
    return BodyHandle(rawValue: try insert(.body(body)))
  }

  /// Reads a body to its end into a store. The guest waits while the body comes.
  func insert<Value>(
    _ bodyHandle: BodyHandle, into store: KVStore, _ key: [UInt8], _ options: KVInsertOptions,
    _ finish: @escaping (KVError) throws(Status) -> Value
  ) throws(Status) -> Blocking<Value> {
    let insertion = StoreInsertion(of: try takePlainBody(bodyHandle), into: store, key: key, options: options)
    if let result = insertion.poll() { return .ready(try finish(result)) }
    return .waiting(insertion.waitCause) { () throws(Status) in
      guard let result = insertion.poll() else { return nil }
      return try finish(result)
    }
  }

  // MARK: fastly_kv_store

  func kvStoreOpen(name: GuestBytes) throws(Status) -> KVStoreHandle { KVStoreHandle(rawValue: try openStore(name)) }

  func kvStoreLookup(
    store: KVStoreHandle, key: GuestBytes, lookupConfigMask: KVLookupConfigOptions, lookupConfiguration: KVLookupConfig
  ) throws(Status) -> KVStoreLookupHandle {
    let opened = try openedStore(store.rawValue)
    return KVStoreLookupHandle(rawValue: try insert(.lookup(opened.lookup(try storeKey(key)))))
  }

  func kvStoreLookupWait(handle: KVStoreLookupHandle, metadataBuf: GuestOutput) throws(Status)
    -> Blocking<(bodyHandle: BodyHandle?, generation: UInt32?, kvError: KVError)>
  {
    // Generations have outgrown this form, which answers 0 for each of them.
    guard let found = try take(handle, metadataBuf) else { return .ready((nil, nil, .notFound)) }
    return .ready((found.body, 0, .ok))
  }

  func kvStoreLookupWaitV2(handle: KVStoreLookupHandle, metadataBuf: GuestOutput) throws(Status)
    -> Blocking<(bodyHandle: BodyHandle?, generation: UInt64?, kvError: KVError)>
  {
    guard let found = try take(handle, metadataBuf) else { return .ready((nil, nil, .notFound)) }
    return .ready((found.body, found.generation, .ok))
  }

  /// Takes what a look-up found. Metadata that does not fit leaves the operation, so that the guest can ask again.
  private func take(_ handle: KVStoreLookupHandle, _ metadata: GuestOutput) throws(Status)
    -> (body: BodyHandle, generation: UInt64)?
  {
    let operation = try pendingOperation(handle.rawValue)
    guard case .lookup(let found) = operation.outcome else { throw .badf }
    guard let entry = found else {
      _ = items.remove(handle.rawValue)
      return nil
    }
    try metadata.write(entry.metadata ?? "")
    return (try takeBody(entry.value, of: operation, handle.rawValue), entry.generation)
  }

  func kvStoreInsert(
    store: KVStoreHandle, key: GuestBytes, bodyHandle: BodyHandle, insertConfigMask: KVInsertConfigOptions,
    insertConfiguration: KVInsertConfig
  ) throws(Status) -> Blocking<KVStoreInsertHandle> {
    let opened = try openedStore(store.rawValue)
    let key = try storeKey(key)
    var options = KVInsertOptions(mode: try insertConfiguration.mode())
    if insertConfigMask.contains(.metadata) {
      let metadata = try insertConfiguration.metadata()
      guard !metadata.isEmpty else { throw .inval }
      options.metadata = try metadata.string()
    }
    if insertConfigMask.contains(.timeToLiveSec) { options.timeToLive = try insertConfiguration.timeToLiveSec() }
    if insertConfigMask.contains(.ifGenerationMatch) {
      options.generation = try insertConfiguration.ifGenerationMatch()
    }
    return try insert(bodyHandle, into: opened, key, options) { (result) throws(Status) in
      KVStoreInsertHandle(rawValue: try self.insert(.insert(result)))
    }
  }

  func kvStoreInsertWait(handle: KVStoreInsertHandle) throws(Status) -> Blocking<KVError> {
    guard case .insert(let result) = try pendingOperation(handle.rawValue).outcome else { throw .badf }
    _ = items.remove(handle.rawValue)
    return .ready(result)
  }

  func kvStoreDelete(
    store: KVStoreHandle, key: GuestBytes, deleteConfigMask: KVDeleteConfigOptions, deleteConfiguration: KVDeleteConfig
  ) throws(Status) -> KVStoreDeleteHandle {
    let opened = try openedStore(store.rawValue)
    return KVStoreDeleteHandle(rawValue: try insert(.delete(existed: opened.delete(try storeKey(key)))))
  }

  func kvStoreDeleteWait(handle: KVStoreDeleteHandle) throws(Status) -> Blocking<KVError> {
    guard case .delete = try pendingOperation(handle.rawValue).outcome else { throw .badf }
    _ = items.remove(handle.rawValue)
    // Deleting what is not there is no failure here; the object store tells it apart.
    return .ready(.ok)
  }

  func kvStoreList(
    store: KVStoreHandle, listConfigMask: KVListConfigOptions, listConfiguration: KVListConfig
  ) throws(Status) -> KVStoreListHandle {
    let opened = try openedStore(store.rawValue)
    // Memory is always up to date, so both modes list the same.
    _ = try listConfiguration.mode()
    var query = KVListQuery()
    var cursor: String?
    if listConfigMask.contains(.cursor) {
      let text = try listConfiguration.cursor()
      guard !text.isEmpty else { throw .inval }
      cursor = try text.string()
    }
    if listConfigMask.contains(.limit) { query.limit = try listConfiguration.limit() }
    if listConfigMask.contains(.prefix) {
      let text = try listConfiguration.prefix()
      guard !text.isEmpty else { throw .inval }
      query.prefix = try text.string()
    }
    if let cursor {
      guard let key = KVPage.key(fromCursor: cursor) else {
        return KVStoreListHandle(rawValue: try insert(.list(nil)))
      }
      query.after = key
    }
    return KVStoreListHandle(rawValue: try insert(.list(opened.list(query).json)))
  }

  func kvStoreListWait(handle: KVStoreListHandle) throws(Status)
    -> Blocking<(bodyHandle: BodyHandle?, kvError: KVError)>
  {
    let operation = try pendingOperation(handle.rawValue)
    guard case .list(let page) = operation.outcome else { throw .badf }
    guard let page else {
      _ = items.remove(handle.rawValue)
      return .ready((nil, .badRequest))
    }
    return .ready((try takeBody(page, of: operation, handle.rawValue), .ok))
  }

  // MARK: fastly_kv

  func kvOpen(name: GuestBytes) throws(Status) -> KVStoreHandle { KVStoreHandle(rawValue: try openStore(name)) }

  func kvLookup(store: KVStoreHandle, key: GuestBytes) throws(Status) -> Blocking<BodyHandle?> {
    let opened = try openedStore(store.rawValue)
    guard let entry = opened.lookup(try storeKey(key)) else { return .ready(nil) }
    return .ready(try insertBody(entry.value))
  }

  /// Seconds of 0 are no limit of age: an entry that vanishes at once would be of no use.
  func kvInsert(store: KVStoreHandle, key: GuestBytes, bodyHandle: BodyHandle, maxAge: UInt32) throws(Status)
    -> Blocking<Bool>
  {
    let opened = try openedStore(store.rawValue)
    let options = KVInsertOptions(timeToLive: maxAge == 0 ? nil : maxAge)
    return try insert(bodyHandle, into: opened, try storeKey(key), options) { $0 == .ok }
  }
}
