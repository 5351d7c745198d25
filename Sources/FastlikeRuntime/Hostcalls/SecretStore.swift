import ComputeABI
import FastlikeProfile

/// `fastly_secret_store` and `fastly_secrets`. Traces get the names of stores and nothing else.
extension Sandbox {
  func secretStoreOpen(name: GuestBytes) throws(Status) -> SecretStoreHandle {
    let name = try name.string()
    guard let store = service.configuration.secretStores[name] else { throw .none }
    trace?.label(.secretStore, name)
    guard let handle = storeHandles.secretStores.insert(.init(name: name, store: store)) else { throw .limitexceeded }
    return SecretStoreHandle(rawValue: handle)
  }

  func secretStoreGet(store: SecretStoreHandle, key: GuestBytes) throws(Status) -> SecretHandle {
    guard let opened = storeHandles.secretStores[store.rawValue] else { throw .badf }
    trace?.label(.secretStore, opened.name)
    deepTrace?.updateDeep { $0.bumpStoreAccess(kind: .secret, name: opened.name) }
    guard let bytes = opened.store.secrets[try key.string()] else { throw .none }
    return try insert(.init(storeName: opened.name, bytes: bytes))
  }

  func secretStorePlaintext(secret: SecretHandle, buf: GuestOutput) throws(Status) {
    guard let opened = storeHandles.secrets[secret.rawValue] else { throw .badf }
    if let name = opened.storeName { trace?.label(.secretStore, name) }
    try buf.write(opened.bytes)
  }

  /// A copy of any length, which counts as the guest's until its end.
  func secretStoreFromBytes(buf: GuestBytes) throws(Status) -> SecretHandle {
    try budget.take(buf.count)
    return try insert(.init(storeName: nil, bytes: buf.array()))
  }

  private func insert(_ secret: StoreHandles.OpenedSecret) throws(Status) -> SecretHandle {
    guard let handle = storeHandles.secrets.insert(secret) else { throw .limitexceeded }
    return SecretHandle(rawValue: handle)
  }

  /// The older way without a store: the secret of this name in the first store, in the order of names, that has one.
  func secretsGetSecret(name: GuestBytes, secret: GuestOutput) throws(Status) {
    let key = try name.string()
    let holders = service.configuration.secretStores.filter { $0.value.secrets[key] != nil }
    guard let (storeName, store) = holders.min(by: { $0.key < $1.key }), let bytes = store.secrets[key] else {
      throw .none
    }
    trace?.label(.secretStore, storeName)
    deepTrace?.updateDeep { $0.bumpStoreAccess(kind: .secret, name: storeName) }
    try secret.write(bytes)
  }
}
