/// A store or list with the file that fills it.
public struct NamedFile: Sendable, Equatable {
  public var name: String
  /// As the user wrote it; relative to the working directory.
  public var path: String

  public init(name: String, path: String) {
    self.name = name
    self.path = path
  }
}

/// A KV store, with a file that fills it or not.
public struct KVStoreOption: Sendable, Equatable {
  public var name: String
  /// As the user wrote it; relative to the working directory. Nil is an empty store.
  public var path: String?

  public init(name: String, path: String? = nil) {
    self.name = name
    self.path = path
  }
}

/// A log endpoint, with a file of its own or not.
public struct LoggerOption: Sendable, Equatable {
  public var name: String
  /// As the user wrote it; relative to the working directory. Nil is the standard output.
  public var path: String?

  public init(name: String, path: String? = nil) {
    self.name = name
    self.path = path
  }
}

/// A value of `Host` for all requests to one backend.
public struct HostOverride: Sendable, Equatable {
  /// "" is the catch-all backend.
  public var backend: String
  public var host: String

  public init(backend: String, host: String) {
    self.backend = backend
    self.host = host
  }
}

/// What the command line and the environment say about a service: the input of ``ServiceConfiguration``.
public struct ServiceOptions: Sendable, Equatable {
  /// The path of a `fastly.toml`.
  public var manifest: String?
  /// One with the name "" is the catch-all backend.
  public var backends: [BackendDefinition] = []
  public var overrideHosts: [HostOverride] = []
  /// Config stores, which are also the dictionaries.
  public var configStores: [NamedFile] = []
  public var kvStores: [KVStoreOption] = []
  public var secretStores: [NamedFile] = []
  public var accessControlLists: [NamedFile] = []
  /// The folder in which KV stores are kept, as the user wrote it; nil is what the manifest says, or memory.
  public var kvDirectory: String?
  /// Whether seeds write over what requests have written to KV stores.
  public var reseedsKVStores = false
  public var loggers: [LoggerOption] = []
  /// A JSON file of address → record.
  public var geoFile: String?
  public var complianceRegion: String?
  /// Values of `Fastly-Key` that count as valid.
  public var fastlyKeys: [String] = []
  /// Where the GRIP proxy listens on this machine.
  public var pushpinPort: UInt16?

  public init() {}
}
