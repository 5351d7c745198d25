import ComputeABI
import FastlikeProfile

/// `fastly_kv_store`, and `fastly_kv`, its first form. Operations take effect in the order in which they were started;
/// waiting takes their results.
extension Sandbox {
  // MARK: What all modules of KV stores share

  /// Throws `inval` for a store that is not configured.
  func openStore(_ name: GuestBytes) throws(Status) -> UInt32 {
    let name = try name.string()
    trace?.label(.kvStore, name)
    guard service.configuration.kvStores[name] != nil else { throw .inval }
    guard let handle = kvStores.insert(KVStore(name: name, storage: service.kvStorage)) else { throw .limitexceeded }
    return handle
  }

  func openedStore(_ handle: UInt32) throws(Status) -> KVStore {
    guard let store = kvStores[handle] else { throw .badf }
    trace?.label(.kvStore, store.name)
    deepTrace?.updateDeep { $0.bumpStoreAccess(kind: .kv, name: store.name) }
    return store
  }

  /// The bytes of a key that a store accepts; others throw the module's status for them.
  func storeKey(_ key: GuestBytes, otherwise status: Status = .inval) throws(Status) -> [UInt8] {
    guard KVStoreSeed.isValid(key: try key.string()) else { throw status }
    return key.array()
  }

  /// Starts an operation that the guest takes the result of by a handle.
  func startPending(_ operation: KVOperation, on store: KVStore) throws(Status) -> UInt32 {
    try insert(.store(try start(operation, on: store)))
  }

  /// Starts an operation and waits for it.
  func complete<Value>(
    _ operation: KVOperation, on store: KVStore, _ finish: @escaping (KVOutcome) throws(Status) -> Value
  ) throws(Status) -> Blocking<Value> {
    try awaiting(try start(operation, on: store), finish)
  }

  /// The operation of a handle, which must be of that kind.
  func pendingOperation(
    _ handle: UInt32, _ kind: PendingStoreOperation.Kind
  ) throws(Status) -> PendingStoreOperation {
    guard case .store(let operation) = items[handle], operation.kind == kind else { throw .badf }
    return operation
  }

  func awaiting<Value>(
    _ operation: PendingStoreOperation, _ finish: @escaping (KVOutcome) throws(Status) -> Value
  ) throws(Status) -> Blocking<Value> {
    try .waiting(for: .store) { () throws(Status) in
      guard let outcome = try operation.result() else { return nil }
      return try finish(outcome)
    }
  }

  /// Waits for the operation of a handle. The handle is gone when `finish` has returned, and stays when it throws.
  func take<Value>(
    _ handle: UInt32, _ kind: PendingStoreOperation.Kind,
    _ finish: @escaping (PendingStoreOperation, KVOutcome) throws(Status) -> Value
  ) throws(Status) -> Blocking<Value> {
    let operation = try pendingOperation(handle, kind)
    return try awaiting(operation) { (outcome) throws(Status) in
      let value = try finish(operation, outcome)
      _ = self.items.remove(handle)
      return value
    }
  }

  /// The result of an operation that brings no data.
  func takeError(_ handle: UInt32, _ kind: PendingStoreOperation.Kind) throws(Status) -> Blocking<KVError> {
    try take(handle, kind) { _, outcome in outcome.error }
  }

  func insertBody(_ bytes: [UInt8]) throws(Status) -> BodyHandle {
    let body = GuestBody(waker: waker, budget: budget)
    try bytes.withUnsafeBufferPointer { (bytes) throws(Status) in try body.append(UnsafeRawBufferPointer(bytes)) }
    return BodyHandle(rawValue: try insert(.body(body)))
  }

  /// Gives the guest a body of what an operation brought.
  func insertBody(_ bytes: [UInt8], of operation: PendingStoreOperation) throws(Status) -> BodyHandle {
    operation.release()
    return try insertBody(bytes)
  }

  /// Reads a body to its end and starts an insert of it. The guest waits while the body comes.
  func startInsert(
    of bodyHandle: BodyHandle, into store: KVStore, _ key: [UInt8], _ options: KVInsertOptions
  ) throws(Status) -> Blocking<UInt32> {
    let insertion = StoreInsertion(of: try takePlainBody(bodyHandle))
    let poll = { () throws(Status) -> UInt32? in
      switch insertion.poll() {
      case nil: return nil
      case .value(let value): return try self.startPending(.insert(key, value: value, options), on: store)
      case .failed(let error):
        let operation = try PendingStoreOperation(.insert(key, value: [], options), budget: self.budget)
        operation.settle(.done(error))
        return try self.insert(.store(operation))
      }
    }
    if let handle = try poll() { return .ready(handle) }
    return .waiting(insertion.waitCause, poll)
  }

  /// The same, and waits until the insert is done.
  func completeInsert<Value>(
    of bodyHandle: BodyHandle, into store: KVStore, _ key: [UInt8], _ options: KVInsertOptions,
    _ finish: @escaping (KVError) throws(Status) -> Value
  ) throws(Status) -> Blocking<Value> {
    let insertion = StoreInsertion(of: try takePlainBody(bodyHandle))
    var operation: PendingStoreOperation?
    let poll = { () throws(Status) -> Value? in
      if operation == nil {
        switch insertion.poll() {
        case nil: return nil
        case .failed(let error): return try finish(error)
        case .value(let value):
          operation = try self.start(.insert(key, value: value, options), on: store)
        }
      }
      return try operation?.result().map { (outcome) throws(Status) in try finish(outcome.error) }
    }
    if let value = try poll() { return .ready(value) }
    return .waiting(operation == nil ? insertion.waitCause : .store, poll)
  }

  // MARK: fastly_kv_store

  func kvStoreOpen(name: GuestBytes) throws(Status) -> KVStoreHandle { KVStoreHandle(rawValue: try openStore(name)) }

  func kvStoreLookup(
    store: KVStoreHandle, key: GuestBytes, lookupConfigMask: KVLookupConfigOptions, lookupConfiguration: KVLookupConfig
  ) throws(Status) -> KVStoreLookupHandle {
    let opened = try openedStore(store.rawValue)
    return KVStoreLookupHandle(rawValue: try startPending(.lookup(try storeKey(key)), on: opened))
  }

  func kvStoreLookupWait(handle: KVStoreLookupHandle, metadataBuf: GuestOutput) throws(Status)
    -> Blocking<(bodyHandle: BodyHandle?, generation: UInt32?, kvError: KVError)>
  {
    try take(handle.rawValue, .lookup) { (operation, outcome) throws(Status) in
      // Generations have outgrown this form, which answers 0 for each of them.
      guard let entry = outcome.entry else { return (nil, nil, outcome.error) }
      return (try self.give(entry, of: operation, metadata: metadataBuf), 0, .ok)
    }
  }

  func kvStoreLookupWaitV2(handle: KVStoreLookupHandle, metadataBuf: GuestOutput) throws(Status)
    -> Blocking<(bodyHandle: BodyHandle?, generation: UInt64?, kvError: KVError)>
  {
    try take(handle.rawValue, .lookup) { (operation, outcome) throws(Status) in
      guard let entry = outcome.entry else { return (nil, nil, outcome.error) }
      return (try self.give(entry, of: operation, metadata: metadataBuf), entry.generation, .ok)
    }
  }

  /// Metadata that does not fit leaves the operation as it is, so that the guest can ask again.
  private func give(
    _ entry: KVEntry, of operation: PendingStoreOperation, metadata: GuestOutput
  ) throws(Status) -> BodyHandle {
    try metadata.write(entry.metadata ?? "")
    return try insertBody(entry.value, of: operation)
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
    return try startInsert(of: bodyHandle, into: opened, key, options).map(KVStoreInsertHandle.init(rawValue:))
  }

  func kvStoreInsertWait(handle: KVStoreInsertHandle) throws(Status) -> Blocking<KVError> {
    try takeError(handle.rawValue, .insert)
  }

  func kvStoreDelete(
    store: KVStoreHandle, key: GuestBytes, deleteConfigMask: KVDeleteConfigOptions, deleteConfiguration: KVDeleteConfig
  ) throws(Status) -> KVStoreDeleteHandle {
    let opened = try openedStore(store.rawValue)
    return KVStoreDeleteHandle(rawValue: try startPending(.delete(try storeKey(key)), on: opened))
  }

  /// Deleting what is not there is no failure here; the object store tells it apart.
  func kvStoreDeleteWait(handle: KVStoreDeleteHandle) throws(Status) -> Blocking<KVError> {
    try takeError(handle.rawValue, .delete).map { $0 == .notFound ? .ok : $0 }
  }

  func kvStoreList(
    store: KVStoreHandle, listConfigMask: KVListConfigOptions, listConfiguration: KVListConfig
  ) throws(Status) -> KVStoreListHandle {
    let opened = try openedStore(store.rawValue)
    // There is one copy of the data, so an eventual listing is as new as a strong one.
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
      query.after = KVPage.key(fromCursor: cursor)
      if query.after == nil {
        let operation = try PendingStoreOperation(.list(query), budget: budget)
        operation.settle(.done(.badRequest))
        return KVStoreListHandle(rawValue: try insert(.store(operation)))
      }
    }
    return KVStoreListHandle(rawValue: try startPending(.list(query), on: opened))
  }

  func kvStoreListWait(handle: KVStoreListHandle) throws(Status)
    -> Blocking<(bodyHandle: BodyHandle?, kvError: KVError)>
  {
    try take(handle.rawValue, .list) { (operation, outcome) throws(Status) in
      guard case .page(let page) = outcome else { return (nil, outcome.error) }
      return (try self.insertBody(page.json, of: operation), .ok)
    }
  }

  // MARK: fastly_kv

  func kvOpen(name: GuestBytes) throws(Status) -> KVStoreHandle { KVStoreHandle(rawValue: try openStore(name)) }

  func kvLookup(store: KVStoreHandle, key: GuestBytes) throws(Status) -> Blocking<BodyHandle?> {
    let opened = try openedStore(store.rawValue)
    return try lookUp(try storeKey(key), in: opened)
  }

  /// A look-up in the older forms, which have no errors of their own.
  func lookUp(_ key: [UInt8], in store: KVStore) throws(Status) -> Blocking<BodyHandle?> {
    try complete(.lookup(key), on: store) { (outcome) throws(Status) in
      try outcome.entryOrFailure().map { (entry) throws(Status) in try self.insertBody(entry.value) }
    }
  }

  /// Seconds of 0 are no limit of age: an entry that vanishes at once would be of no use.
  func kvInsert(store: KVStoreHandle, key: GuestBytes, bodyHandle: BodyHandle, maxAge: UInt32) throws(Status)
    -> Blocking<Bool>
  {
    let opened = try openedStore(store.rawValue)
    let options = KVInsertOptions(timeToLive: maxAge == 0 ? nil : maxAge)
    return try completeInsert(of: bodyHandle, into: opened, try storeKey(key), options) { $0 == .ok }
  }
}

extension KVOutcome {
  var entry: KVEntry? { if case .entry(let entry) = self { entry } else { nil } }

  /// `ok` where there is data.
  var error: KVError { if case .done(let error) = self { error } else { .ok } }

  /// The entry that was looked up, or nil where there is none; throws where the store failed.
  func entryOrFailure() throws(Status) -> KVEntry? {
    guard case .done(let error) = self else { return entry }
    guard error == .notFound else { throw .error }
    return nil
  }
}

extension Blocking {
  /// The same wait with another form of its value.
  fileprivate func map<Other>(_ transform: @escaping (Value) -> Other) -> Blocking<Other> {
    switch self {
    case .ready(let value): .ready(transform(value))
    case .waiting(let cause, let poll): .waiting(cause) { () throws(Status) in try poll().map(transform) }
    }
  }
}
