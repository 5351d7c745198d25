/// The contents of KV and secret stores, as files and manifests write them.
extension KVStoreSeed {
  /// The most bytes of a value and of an entry's metadata: the platform's limits.
  static let maximumValueBytes = KVLimits.valueBytes
  static let maximumMetadataBytes = KVLimits.metadataBytes

  /// Takes the object of a JSON file: each key with a string, or with an object of `data`, `body` (another name of it),
  /// `file` or `path` (another name of that) and perhaps `metadata`. Files are relative to those that `files` reads.
  init(object: ConfigurationTable, files: inout ConfigurationFiles) throws {
    self.init()
    for (key, item) in object.entries {
      guard Self.isValid(key: key) else { throw item.error(Self.keyRule) }
      if case .string(let text) = item.value {
        items[key] = Item(value: try Self.checked(Array(text.utf8), item))
      } else {
        let table = try item.table("a string, or an object with data or file")
        items[key] = try Self.item(table, sources: ["data", "body", "file", "path"], files: &files)
      }
    }
  }

  /// Takes the entries of a manifest: tables with `key`, `data`, `file` or `path`, and perhaps `metadata`.
  init(entries: [ConfigurationEntry], files: inout ConfigurationFiles) throws {
    self.init()
    for element in entries {
      let table = try element.table("a table with key, and data or file")
      let key = try table.required("key", "the entry's key")
      guard Self.isValid(key: try key.string()) else { throw key.error(Self.keyRule) }
      guard items[try key.string()] == nil else {
        throw key.error("the key \(quoted(try key.string())) is there twice")
      }
      items[try key.string()] = try Self.item(table, sources: ["data", "file", "path"], files: &files)
    }
  }

  private static func item(
    _ table: ConfigurationTable, sources: [String], files: inout ConfigurationFiles
  ) throws -> Item {
    guard let (key, source) = try table.single(of: sources) else {
      throw table.entry.error("must have data or file")
    }
    let text = try source.string()
    let isFile = key == "file" || key == "path"
    let value = isFile ? try files.bytes(of: text, error: source.error).bytes : Array(text.utf8)
    let metadata = try table["metadata"]?.string()
    if let metadata, metadata.utf8.count > maximumMetadataBytes, let entry = table["metadata"] {
      throw entry.error("has more than \(maximumMetadataBytes) bytes")
    }
    return Item(value: try checked(value, source), metadata: metadata)
  }

  private static func checked(_ value: [UInt8], _ entry: ConfigurationEntry) throws -> [UInt8] {
    guard value.count <= maximumValueBytes else {
      throw entry.error("the value has more than \(maximumValueBytes) bytes")
    }
    return value
  }
}

extension SecretStoreSeed {
  /// The most bytes of one secret: the platform's limit.
  static let maximumSecretBytes = 64 << 10

  /// Takes the object of a JSON file, whose values are strings.
  init(object: ConfigurationTable) throws {
    self.init()
    for (key, secret) in object.entries {
      guard Self.isValid(name: key) else { throw secret.error(Self.nameRule) }
      secrets[key] = try Self.checked(Array(try secret.string().utf8), secret)
    }
  }

  static func checked(_ secret: [UInt8], _ entry: ConfigurationEntry) throws -> [UInt8] {
    guard secret.count <= maximumSecretBytes else {
      throw entry.error("the secret has more than \(maximumSecretBytes) bytes")
    }
    return secret
  }
}
