extension FastlyManifestReader {
  /// `[local_server.geolocation]`.
  mutating func readGeoLocation(_ table: ConfigurationTable) throws {
    switch try lookupFormat(table, contents: "addresses") {
    case "inline-toml":
      let addresses = try table.required("addresses", "a table of addresses")
      manifest.geoLocation = try GeoLocation(addresses: addresses, allowsPrefixes: false)
    case "json":
      manifest.geoLocation = try keeping(previous?.geoLocation) { reader in
        let (addresses, path) = try reader.readJSON(table)
        return try GeoLocation(addresses: addresses, file: path, allowsPrefixes: true)
      }
    default: break
    }
    manifest.geoLocation.usesLoopbackRecord = try table["use_default_loopback"]?.boolean() ?? true
  }

  /// `[local_server.device_detection]`.
  mutating func readDeviceDetection(_ table: ConfigurationTable) throws {
    switch try lookupFormat(table, contents: "user_agents") {
    case "inline-toml":
      let userAgents = try table.required("user_agents", "a table of user agents")
      manifest.deviceDetection = try DeviceDetection(userAgents: userAgents)
    case "json":
      manifest.deviceDetection = try keeping(previous?.deviceDetection) { reader in
        let (userAgents, path) = try reader.readJSON(table)
        return try DeviceDetection(userAgents: userAgents, file: path)
      }
    default: break
    }
  }

  /// The `format` of a table; without one there is no content, which deserves a warning when some is there.
  private mutating func lookupFormat(_ table: ConfigurationTable, contents: String) throws -> String? {
    guard let entry = table["format"] else {
      for key in [contents, "file"] {
        guard let unused = table[key] else { continue }
        let format = key == "file" ? "json" : "inline-toml"
        manifest.warnings.append(unused.error("ignored without format; give format = \"\(format)\"").description)
      }
      return nil
    }
    let format = try entry.string()
    guard format == "inline-toml" || format == "json" else { throw entry.error("must be \"inline-toml\" or \"json\"") }
    return format
  }

  /// `[local_server.acls]`.
  mutating func readAccessControlLists(_ table: ConfigurationTable) throws {
    for (name, entry) in table.entries {
      var file = entry
      if case .object = entry.value { file = try entry.table().required("file", "the path of a JSON file") }
      guard case .string = file.value else { throw file.error("must be the path of a JSON file, or a table with file") }
      let named = file
      manifest.accessControlLists[name] = try keeping(previous?.accessControlLists[name]) { reader in
        let (document, path) = try reader.files.json(of: named.string(), error: named.error)
        return try AccessControlList(document: document, file: path)
      }
    }
  }

  /// `[local_server.shielding_sites]`.
  mutating func readShieldingSites(_ table: ConfigurationTable) throws {
    for (name, entry) in table.entries {
      if case .string(let word) = entry.value {
        guard word.lowercased() == "local" else { throw entry.error("must be \"local\", or a table with two URLs") }
        manifest.shieldingSites[name] = .local
      } else {
        let site = try entry.table("\"local\", or a table with encrypted and unencrypted")
        try site.allowOnly(["encrypted", "unencrypted"])
        manifest.shieldingSites[name] = .remote(
          unencrypted: try shieldURL(site, "unencrypted"), encrypted: try shieldURL(site, "encrypted"))
      }
    }
  }

  private func shieldURL(_ table: ConfigurationTable, _ key: String) throws -> String {
    let entry = try table.required(key, "the shield's URL")
    let text = try entry.string()
    do {
      _ = try BackendURL(text, requiresScheme: true)
    } catch let malformed as BackendURL.Malformed {
      throw entry.error(malformed.problem)
    }
    return text
  }
}
