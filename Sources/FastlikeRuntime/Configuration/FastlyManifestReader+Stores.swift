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
        let (contents, path) = try readJSON(store)
        manifest.configStores[name] = try ConfigStore(contents: contents, file: path)
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
      var store = KVStoreSeed()
      if case .object = entry.value {
        for (key, item) in try readStoreFile(entry.table()).entries {
          guard KVStoreSeed.isValid(key: key) else { throw item.error(KVStoreSeed.keyRule) }
          if case .string(let text) = item.value {
            store.items[key] = KVStoreSeed.Item(value: Array(text.utf8))
          } else {
            store.items[key] = try readKVItem(item.table("a string, or an object with data or file"))
          }
        }
      } else {
        for element in try entry.elements(of: "an array of entries, or a table with file and format") {
          let item = try element.table("a table with key, and data or file")
          let key = try item.required("key", "the entry's key")
          guard KVStoreSeed.isValid(key: try key.string()) else { throw key.error(KVStoreSeed.keyRule) }
          store.items[try key.string()] = try readKVItem(item)
        }
      }
      manifest.kvStores[name] = store
    }
  }

  private mutating func readKVItem(_ table: ConfigurationTable) throws -> KVStoreSeed.Item {
    guard let (key, source) = try table.single(of: ["data", "file", "path"]) else {
      throw table.entry.error("must have data or file")
    }
    let text = try source.string()
    let value = key == "data" ? Array(text.utf8) : try files.bytes(of: text, error: source.error).bytes
    return KVStoreSeed.Item(value: value, metadata: try table["metadata"]?.string())
  }

  // MARK: Secret stores

  /// `[local_server.secret_stores]`.
  mutating func readSecretStores(_ table: ConfigurationTable) throws {
    for (name, entry) in table.entries {
      guard SecretStoreSeed.isValid(name: name) else { throw entry.error(SecretStoreSeed.nameRule) }
      var store = SecretStoreSeed()
      if case .object = entry.value {
        for (key, secret) in try readStoreFile(entry.table()).entries {
          guard SecretStoreSeed.isValid(name: key) else { throw secret.error(SecretStoreSeed.nameRule) }
          store.secrets[key] = Array(try secret.string().utf8)
        }
      } else {
        for element in try entry.elements(of: "an array of secrets, or a table with file and format") {
          let secret = try element.table("a table with key, and data, file or env")
          let key = try secret.required("key", "the secret's name")
          guard SecretStoreSeed.isValid(name: try key.string()) else { throw key.error(SecretStoreSeed.nameRule) }
          store.secrets[try key.string()] = try readSecret(secret)
        }
      }
      manifest.secretStores[name] = store
    }
  }

  private mutating func readSecret(_ table: ConfigurationTable) throws -> [UInt8] {
    guard let (key, source) = try table.single(of: ["data", "file", "env"]) else {
      throw table.entry.error("must have data, file or env")
    }
    let text = try source.string()
    switch key {
    case "data": return Array(text.utf8)
    case "file": return try files.bytes(of: text, error: source.error).bytes
    default:
      guard let value = environment[text] else {
        let problem = "the environment has no variable \(quoted(text)), so the secret is empty"
        manifest.warnings.append(source.error(problem).description)
        return []
      }
      return Array(value.utf8)
    }
  }
}
