import ComputeABI
import FastlikeProfile

/// `fastly_object_store`: the older module for the data of KV stores. It has no errors of its own, so a key that no store
/// accepts is `error`, and an entry that is missing leaves the place of the body as it is.
extension Sandbox {
  func objectStoreOpen(name: GuestBytes) throws(Status) -> ObjectStoreHandle {
    ObjectStoreHandle(rawValue: try openStore(name))
  }

  // MARK: Looking up

  func objectStoreLookup(store: ObjectStoreHandle, key: GuestBytes) throws(Status) -> Blocking<BodyHandle?> {
    let opened = try openedStore(store.rawValue)
    return try lookUp(try storeKey(key, otherwise: .error), in: opened)
  }

  func objectStoreLookupAsync(store: ObjectStoreHandle, key: GuestBytes) throws(Status) -> PendingKVLookupHandle {
    let opened = try openedStore(store.rawValue)
    let key = try storeKey(key, otherwise: .error)
    return PendingKVLookupHandle(rawValue: try startPending(.lookup(key), on: opened))
  }

  func objectStorePendingLookupWait(pendingObjstrHandle: PendingKVLookupHandle) throws(Status) -> Blocking<BodyHandle?>
  {
    try take(pendingObjstrHandle.rawValue, .lookup) { (operation, outcome) throws(Status) in
      try outcome.entryOrFailure().map { (entry) throws(Status) in try self.insertBody(entry.value, of: operation) }
    }
  }

  /// Guests have no files here that could be opened.
  func objectStoreLookupAsFd(store: ObjectStoreHandle, key: GuestBytes) throws(Status) -> Blocking<UInt32> {
    _ = try openedStore(store.rawValue)
    throw .unsupported
  }

  // MARK: Inserting

  func objectStoreInsert(store: ObjectStoreHandle, key: GuestBytes, bodyHandle: BodyHandle) throws(Status)
    -> Blocking<Void>
  {
    let opened = try openedStore(store.rawValue)
    let key = try storeKey(key, otherwise: .error)
    return try completeInsert(of: bodyHandle, into: opened, key, KVInsertOptions()) { (error) throws(Status) in
      try error.check()
    }
  }

  func objectStoreInsertAsync(store: ObjectStoreHandle, key: GuestBytes, bodyHandle: BodyHandle) throws(Status)
    -> Blocking<PendingKVInsertHandle>
  {
    let opened = try openedStore(store.rawValue)
    let key = try storeKey(key, otherwise: .error)
    switch try startInsert(of: bodyHandle, into: opened, key, KVInsertOptions()) {
    case .ready(let handle): return .ready(PendingKVInsertHandle(rawValue: handle))
    case .waiting(let cause, let poll):
      return .waiting(cause) { () throws(Status) in try poll().map(PendingKVInsertHandle.init(rawValue:)) }
    }
  }

  func objectStorePendingInsertWait(pendingObjstrHandle: PendingKVInsertHandle) throws(Status) -> Blocking<Void> {
    try takeStatus(pendingObjstrHandle.rawValue, .insert)
  }

  // MARK: Deleting

  func objectStoreDeleteAsync(store: ObjectStoreHandle, key: GuestBytes) throws(Status) -> PendingKVDeleteHandle {
    let opened = try openedStore(store.rawValue)
    let key = try storeKey(key, otherwise: .error)
    return PendingKVDeleteHandle(rawValue: try startPending(.delete(key), on: opened))
  }

  func objectStorePendingDeleteWait(pendingObjstrHandle: PendingKVDeleteHandle) throws(Status) -> Blocking<Void> {
    try takeStatus(pendingObjstrHandle.rawValue, .delete)
  }

  /// Waits for an operation that brings no data, takes its handle, and throws the status of its error.
  private func takeStatus(_ handle: UInt32, _ kind: PendingStoreOperation.Kind) throws(Status) -> Blocking<Void> {
    switch try takeError(handle, kind) {
    case .ready(let error): return .ready(try error.check())
    case .waiting(let cause, let poll):
      return .waiting(cause) { () throws(Status) in try poll().map { (error) throws(Status) in try error.check() } }
    }
  }
}

extension KVError {
  /// Throws the status of an operation that failed, for the module that has no errors of its own.
  fileprivate func check() throws(Status) {
    switch self {
    case .ok: return
    case .notFound: throw .none
    case .payloadTooLarge: throw .limitexceeded
    default: throw .error
    }
  }
}
