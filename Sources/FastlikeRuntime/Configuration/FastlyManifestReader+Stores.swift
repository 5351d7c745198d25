extension FastlyManifestReader {
  /// `[local_server.config_stores]` or `[local_server.dictionaries]`.
  mutating func readConfigStores(_ table: ConfigurationTable) throws {
    for (name, entry) in table.entries {
      let store = try entry.table("a table with format")
      switch try store.required("format", "\"inline-toml\" or \"json\"").string() {
      case "inline-toml":
        try store.allowOnly(["format", "contents"])
        manifest.configStores[name] = try ConfigStore(contents: store.required("contents", "a table of strings"))
      case "json":
        try store.allowOnly(["format", "file"])
        manifest.configStores[name] = try keeping(previous?.configStores[name]) { reader in
          let (contents, path) = try reader.readJSON(store)
          return try ConfigStore(contents: contents, file: path)
        }
      default: throw entry.error(at: "format", "must be \"inline-toml\" or \"json\"")
      }
    }
  }

  /// The document that the `file` of a table names, and its absolute path.
  mutating func readJSON(_ table: ConfigurationTable) throws -> (entry: ConfigurationEntry, path: String) {
    let file = try table.required("file", "the path of a JSON file")
    return try files.json(of: file.string(), error: file.error)
  }

  /// The object of a store in the form `{ file = "…", format = "json" }`.
  private mutating func readStoreFile(_ table: ConfigurationTable) throws -> ConfigurationTable {
    let format = try table.required("format", "\"json\"")
    guard try format.string() == "json" else { throw format.error("must be \"json\"") }
    return try readJSON(table).entry.table("an object")
  }

  // MARK: KV stores

  /// `[local_server.kv_stores]`.
  mutating func readKVStores(_ table: ConfigurationTable) throws {
    for (name, entry) in table.entries {
      manifest.kvStores[name] = try keeping(previous?.kvStores[name]) { reader in
        if case .object = entry.value {
          let object = try reader.readStoreFile(entry.table())
          return try KVStoreSeed(object: object, files: &reader.files)
        }
        let entries = try entry.elements(of: "an array of entries, or a table with file and format")
        return try KVStoreSeed(entries: entries, files: &reader.files)
      }
    }
  }

  // MARK: Secret stores

  /// `[local_server.secret_stores]`.
  mutating func readSecretStores(_ table: ConfigurationTable) throws {
    for (name, entry) in table.entries {
      guard SecretStoreSeed.isValid(name: name) else { throw entry.error(SecretStoreSeed.nameRule) }
      manifest.secretStores[name] = try keeping(previous?.secretStores[name]) { reader in
        if case .object = entry.value { return try SecretStoreSeed(object: reader.readStoreFile(entry.table())) }
        var store = SecretStoreSeed()
        for element in try entry.elements(of: "an array of secrets, or a table with file and format") {
          let secret = try element.table("a table with key, and data, file or env")
          let key = try secret.required("key", "the secret's name")
          let name = try key.string()
          guard SecretStoreSeed.isValid(name: name) else { throw key.error(SecretStoreSeed.nameRule) }
          guard store.secrets[name] == nil else { throw key.error("the secret \(quoted(name)) is there twice") }
          store.secrets[name] = try reader.readSecret(secret)
        }
        return store
      }
    }
  }

  private mutating func readSecret(_ table: ConfigurationTable) throws -> [UInt8] {
    guard let (key, source) = try table.single(of: ["data", "file", "env"]) else {
      throw table.entry.error("must have data, file or env")
    }
    let text = try source.string()
    switch key {
    case "data": return try SecretStoreSeed.checked(Array(text.utf8), source)
    case "file":
      return try SecretStoreSeed.checked(try files.bytes(of: text, error: source.error).bytes, source)
    default:
      guard let value = environment[text] else {
        let problem = "the environment has no variable \(quoted(text)), so the secret is empty"
        manifest.warnings.append(source.error(problem).description)
        return []
      }
      return try SecretStoreSeed.checked(Array(value.utf8), source)
    }
  }
}
