/// What one request has opened of the stores: secret stores, secrets, access control lists, and the backends made for
/// shields.
final class StoreHandles {
  /// A secret store that the guest has opened.
  struct OpenedSecretStore {
    var name: String
    var store: SecretStoreSeed
  }

  /// A secret that the guest holds. Its bytes are shown by nothing but `plaintext`.
  struct OpenedSecret: CustomStringConvertible, CustomReflectable {
    /// The store that it is from; nil when the guest made it.
    var storeName: String?
    var bytes: [UInt8]

    var description: String { "a secret" }
    /// Keeps the bytes out of dumps.
    var customMirror: Mirror { Mirror(self, children: []) }
  }

  /// An access control list that the guest has opened.
  struct OpenedAccessControlList {
    var name: String
    var list: AccessControlList
  }

  /// Far more shields than there are.
  static let maximumShieldBackends = 256

  var secretStores = HandleTable<OpenedSecretStore>()
  var secrets = HandleTable<OpenedSecret>()
  var accessControlLists = HandleTable<OpenedAccessControlList>()
  /// The backends that `backend_for_shield` has made, by name; at most ``maximumShieldBackends``.
  var shieldBackends: [String: BackendDefinition] = [:]
}
