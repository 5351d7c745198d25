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
    guard let entry = opened.lookup(try storeKey(key, otherwise: .error)) else { return .ready(nil) }
    return .ready(try insertBody(entry.value))
  }

  func objectStoreLookupAsync(store: ObjectStoreHandle, key: GuestBytes) throws(Status) -> PendingKVLookupHandle {
    let opened = try openedStore(store.rawValue)
    return PendingKVLookupHandle(rawValue: try insert(.lookup(opened.lookup(try storeKey(key, otherwise: .error)))))
  }

  func objectStorePendingLookupWait(pendingObjstrHandle: PendingKVLookupHandle) throws(Status) -> Blocking<BodyHandle?>
  {
    let operation = try pendingOperation(pendingObjstrHandle.rawValue)
    guard case .lookup(let found) = operation.outcome else { throw .badf }
    guard let entry = found else {
      _ = items.remove(pendingObjstrHandle.rawValue)
      return .ready(nil)
    }
    return .ready(try takeBody(entry.value, of: operation, pendingObjstrHandle.rawValue))
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
    return try insert(bodyHandle, into: opened, key, KVInsertOptions()) { (result) throws(Status) in
      try result.check()
    }
  }

  func objectStoreInsertAsync(store: ObjectStoreHandle, key: GuestBytes, bodyHandle: BodyHandle) throws(Status)
    -> Blocking<PendingKVInsertHandle>
  {
    let opened = try openedStore(store.rawValue)
    let key = try storeKey(key, otherwise: .error)
    return try insert(bodyHandle, into: opened, key, KVInsertOptions()) { (result) throws(Status) in
      PendingKVInsertHandle(rawValue: try self.insert(.insert(result)))
    }
  }

  func objectStorePendingInsertWait(pendingObjstrHandle: PendingKVInsertHandle) throws(Status) -> Blocking<Void> {
    guard case .insert(let result) = try pendingOperation(pendingObjstrHandle.rawValue).outcome else { throw .badf }
    _ = items.remove(pendingObjstrHandle.rawValue)
    try result.check()
    return .ready(())
  }

  // MARK: Deleting

  func objectStoreDeleteAsync(store: ObjectStoreHandle, key: GuestBytes) throws(Status) -> PendingKVDeleteHandle {
    let opened = try openedStore(store.rawValue)
    let existed = opened.delete(try storeKey(key, otherwise: .error))
    return PendingKVDeleteHandle(rawValue: try insert(.delete(existed: existed)))
  }

  func objectStorePendingDeleteWait(pendingObjstrHandle: PendingKVDeleteHandle) throws(Status) -> Blocking<Void> {
    guard case .delete(let existed) = try pendingOperation(pendingObjstrHandle.rawValue).outcome else { throw .badf }
    _ = items.remove(pendingObjstrHandle.rawValue)
    if !existed { throw .none }
    return .ready(())
  }
}

extension KVError {
  /// Throws the status of an insert that failed, for the module that has no errors of its own.
  fileprivate func check() throws(Status) {
    switch self {
    case .ok: return
    case .payloadTooLarge: throw .limitexceeded
    default: throw .error
    }
  }
}
