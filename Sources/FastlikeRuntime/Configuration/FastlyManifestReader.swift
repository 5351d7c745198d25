/// Goes through a parsed `fastly.toml` table by table. One extension reads one kind of table.
struct FastlyManifestReader {
  var files: ConfigurationFiles
  let environment: [String: String]
  /// What is served while files of stores are read again; nil when a service is loaded.
  let previous: ServiceConfiguration?
  var manifest = FastlyManifest()

  init(files: ConfigurationFiles, environment: [String: String], previous: ServiceConfiguration? = nil) {
    self.files = files
    self.environment = environment
    self.previous = previous
  }

  /// The manifest with the notices and paths of the files that were read.
  consuming func finish() -> FastlyManifest {
    manifest.warnings += files.notices
    manifest.files = files.paths
    return manifest
  }

  /// What `read` gives. Where it finds a mistake while a service runs, what is served already stays, and the mistake is one
  /// of the manifest's problems.
  mutating func keeping<Contents>(
    _ served: Contents?, _ read: (inout FastlyManifestReader) throws -> Contents
  ) throws -> Contents {
    do {
      return try read(&self)
    } catch let error as ConfigurationError {
      guard let served else { throw error }
      manifest.problems.append(error)
      return served
    }
  }

  /// Tables of `[local_server]`, several names of one table together.
  private static let configStoreTables = ["dictionaries", "config_stores"]
  private static let kvStoreTables = ["kv_stores", "object_stores", "object_store"]
  private static let otherTables = [
    "backends", "secret_stores", "acls", "geolocation", "device_detection", "shielding_sites", "fake_valid_fastly_keys",
    "downstream", "kv_path",
  ]
  /// Settings for the deployment tool's own work; nothing here depends on them.
  private static let toolTables = ["viceroy_version"]

  mutating func readTopLevel(_ root: ConfigurationTable) throws {
    if let entry = root["manifest_version"] {
      let version = try entry.integer()
      guard version <= FastlyManifest.newestVersion else {
        throw entry.error("is \(version), but versions up to \(FastlyManifest.newestVersion) are known")
      }
    }
    manifest.name = try root["name"]?.string() ?? ""
    _ = try root["description"]?.string()
    _ = try root["language"]?.string()
    for author in try root["authors"]?.elements(of: "an array of strings") ?? [] { _ = try author.string() }
    try root["local_server"].map { try readLocalServer($0.table()) }
    noteDeclaredBackends(root)
  }

  private mutating func readLocalServer(_ table: ConfigurationTable) throws {
    try table["backends"].map { try readBackends($0.table("a table of backends")) }
    try table.single(of: Self.configStoreTables).map { try readConfigStores($0.entry.table("a table of stores")) }
    try table.single(of: Self.kvStoreTables).map { try readKVStores($0.entry.table("a table of stores")) }
    manifest.kvDirectory = try table["kv_path"].map { try files.folder($0.nonBlankString(), error: $0.error) }
    try table["secret_stores"].map { try readSecretStores($0.table("a table of stores")) }
    try table["acls"].map { try readAccessControlLists($0.table("a table of lists")) }
    try table["geolocation"].map { try readGeoLocation($0.table()) }
    try table["device_detection"].map { try readDeviceDetection($0.table()) }
    try table["shielding_sites"].map { try readShieldingSites($0.table("a table of sites")) }
    try table["downstream"].map { try readDownstream($0.table()) }
    try table["fake_valid_fastly_keys"].map { entry in
      for key in try entry.elements(of: "an array of strings") { manifest.fastlyKeys.insert(try key.string()) }
    }
    try table["pushpin"].map { try readPushpin($0.table()) }
    warnOfUnserved(table)
  }

  /// Starting the proxy is the deployment tool's business; only where it listens counts here.
  private mutating func readPushpin(_ table: ConfigurationTable) throws {
    var port: UInt16 = 7677
    if let entry = table["proxy_port"] {
      guard let number = UInt16(exactly: try entry.integer()), number > 0 else {
        throw entry.error("must be a port from 1 to 65535")
      }
      port = number
    }
    if try table["enable"]?.boolean() ?? false { manifest.pushpinPort = port }
  }

  private mutating func warnOfUnserved(_ table: ConfigurationTable) {
    let known = Self.configStoreTables + Self.kvStoreTables + Self.otherTables
    for (key, entry) in table.entries {
      if FastlyManifest.tablesNotServedYet.contains(key) {
        manifest.warnings.append(entry.error("not served yet in this version").description)
      } else if !known.contains(key), !Self.toolTables.contains(key) {
        let served = known.filter { !FastlyManifest.tablesNotServedYet.contains($0) }.joined(separator: ", ")
        manifest.warnings.append(entry.error("unknown and ignored; known are \(served)").description)
      }
    }
  }

  /// Collects the backends of the deployment part. Its shape is not ours to check, so whatever is unexpected is skipped.
  private mutating func noteDeclaredBackends(_ root: ConfigurationTable) {
    for element in (try? root["backends"]?.elements()) ?? [] {
      guard let name = try? element.table()["name"]?.string() else { continue }
      manifest.declaredBackends.append(.init(name: name, place: element.place))
    }
    for (name, entry) in (try? root["setup"]?.table()["backends"]?.table().entries) ?? [] {
      manifest.declaredBackends.append(.init(name: name, place: entry.place))
    }
  }
}
