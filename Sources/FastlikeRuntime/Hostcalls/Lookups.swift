import ComputeABI
import FastlikeProfile

/// The tables that a guest looks things up in: `fastly_dictionary`, `fastly_config_store`, `fastly_geo`,
/// `fastly_device_detection`, `fastly_uap`.
extension Sandbox {
  private func open(_ name: GuestBytes, _ kind: TraceLabel.Kind) throws(Status) -> UInt32 {
    let name = try name.string()
    trace?.label(kind, name)
    guard let store = service.configuration.configStores[name] else { throw .badf }
    guard let handle = dictionaries.insert(OpenedStore(name: name, store: store)) else { throw .limitexceeded }
    return handle
  }

  private func get(
    _ handle: UInt32, _ key: GuestBytes, _ label: TraceLabel.Kind, _ kind: StoreAccess.Kind, _ value: GuestOutput
  ) throws(Status) {
    guard let opened = dictionaries[handle] else { throw .badf }
    trace?.label(label, opened.name)
    deepTrace?.updateDeep { $0.bumpStoreAccess(kind: kind, name: opened.name) }
    guard let text = opened.store.value(for: try key.string()) else { throw .none }
    try value.write(text)
  }

  func dictionaryOpen(name: GuestBytes) throws(Status) -> DictionaryHandle {
    DictionaryHandle(rawValue: try open(name, .dictionary))
  }

  func dictionaryGet(handle: DictionaryHandle, key: GuestBytes, value: GuestOutput) throws(Status) {
    try get(handle.rawValue, key, .dictionary, .dictionary, value)
  }

  func configStoreOpen(name: GuestBytes) throws(Status) -> ConfigStoreHandle {
    ConfigStoreHandle(rawValue: try open(name, .configStore))
  }

  func configStoreGet(handle: ConfigStoreHandle, key: GuestBytes, value: GuestOutput) throws(Status) {
    try get(handle.rawValue, key, .configStore, .config, value)
  }

  func geoLookup(addrOctets: GuestBytes, buf: GuestOutput) throws(Status) {
    guard let address = IPAddress(octets: addrOctets.array()) else { throw .inval }
    try buf.write(service.configuration.geoLocation.lookup(address) ?? "")
  }

  func deviceDetectionLookup(userAgent: GuestBytes, buf: GuestOutput) throws(Status) {
    guard let record = service.configuration.deviceDetection.lookup(try userAgent.string()) else { throw .none }
    try buf.write(record)
  }

  func uapParse(
    userAgent: GuestBytes, family: GuestOutput, major: GuestOutput, minor: GuestOutput, patch: GuestOutput
  ) throws(Status) {
    let agent = UserAgent(parsing: try userAgent.string())
    try family.write(agent.family)
    try major.write(agent.major)
    try minor.write(agent.minor)
    try patch.write(agent.patch)
  }
}

/// A config store that a guest has opened.
struct OpenedStore {
  var name: String
  var store: ConfigStore
}
