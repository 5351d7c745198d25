public import Foundation

/// Where the lines of a log endpoint go.
public enum LogDestination: Sendable, Hashable {
  /// The host's standard output, each line with the endpoint's name before it.
  case standardOutput
  /// The end of a file, by its absolute path.
  case file(String)
}

/// Everything that a service's guests can ask the host for: the sum of `fastly.toml`, environment and flags.
public struct ServiceConfiguration: Sendable {
  /// Backends by name, without the catch-all.
  public var backends: [String: BackendDefinition] = [:]
  /// Takes the requests to names that are not in ``backends``; its name is "".
  public var catchAllBackend: BackendDefinition?
  /// Config stores, which are also the dictionaries.
  public var configStores: [String: ConfigStore] = [:]
  public var kvStores: [String: KVStoreSeed] = [:]
  /// The absolute path of the folder in which KV stores are kept; nil is memory.
  public var kvDirectory: String?
  /// Whether seeds write over what requests have written to KV stores.
  public var kvSeedsOverwrite = false
  public var secretStores: [String: SecretStoreSeed] = [:]
  public var accessControlLists: [String: AccessControlList] = [:]
  public var geoLocation = GeoLocation()
  public var deviceDetection = DeviceDetection()
  public var shieldingSites: [String: ShieldingSite] = [:]
  /// Endpoints with a destination of their own; every other name logs to the standard output.
  public var logEndpoints: [String: LogDestination] = [:]
  /// What guests are told of their clients.
  public var downstream = DownstreamFacts()
  /// What `downstream_compliance_region` answers.
  public var complianceRegion = "none"
  /// Values of `Fastly-Key` that count as valid.
  public var fastlyKeys: Set<String> = []
  /// Where the GRIP proxy (Pushpin) listens on this machine; nil where there is none.
  public var pushpinPort: UInt16?
  /// One line each, for the start of the service.
  public var warnings: [String] = []
  /// Absolute paths of all files that were read, to watch for changes.
  public var files: [String] = []
  /// The absolute path of the manifest, which is one of ``files``.
  public private(set) var manifestFile: String?
  /// Mistakes in files that were read again while a service runs; what they said before counts.
  public private(set) var problems: [ConfigurationError] = []
  /// What the manifest said when the service was loaded.
  private(set) var manifestText: String?

  public init() {}

  /// The backend that a request to this name goes to.
  public func backend(named name: String) -> BackendDefinition? { backends[name] ?? catchAllBackend }

  /// Where a log endpoint's lines go.
  public func logDestination(of endpoint: String) -> LogDestination { logEndpoints[endpoint] ?? .standardOutput }

  /// Reads the manifest and the files of `options` and puts them together; what a flag names replaces what the manifest
  /// says under the same name.
  ///
  /// Throws ``ConfigurationError`` for the first mistake.
  public static func load(
    _ options: ServiceOptions, workingDirectory: String = FileManager.default.currentDirectoryPath,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> ServiceConfiguration {
    try load(options, workingDirectory: workingDirectory, environment: environment, servedAlready: nil)
  }

  /// Reads the files of stores and lists again, without the manifest itself. A store whose file has a mistake stays as it
  /// is served at present, and the mistake is one of ``problems``.
  ///
  /// Throws ``ConfigurationError`` for a mistake that no store can stay for.
  public func readingFilesAgain(
    _ options: ServiceOptions, workingDirectory: String = FileManager.default.currentDirectoryPath,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> ServiceConfiguration {
    try Self.load(options, workingDirectory: workingDirectory, environment: environment, servedAlready: self)
  }

  private static func load(
    _ options: ServiceOptions, workingDirectory: String, environment: [String: String],
    servedAlready previous: ServiceConfiguration?
  ) throws -> ServiceConfiguration {
    var configuration = ServiceConfiguration()
    var declaredBackends: [FastlyManifest.DeclaredBackend] = []
    if let path = options.manifest {
      let manifest = try FastlyManifest.load(
        path: path, workingDirectory: workingDirectory, environment: environment, servedAlready: previous)
      configuration.adopt(manifest)
      configuration.manifestFile = ConfigurationFiles.resolve(path, in: workingDirectory)
      declaredBackends = manifest.declaredBackends
    }
    try configuration.apply(options, workingDirectory: workingDirectory, servedAlready: previous)
    configuration.warnOfMissingBackends(declaredBackends, options, workingDirectory: workingDirectory)
    return configuration
  }

  private mutating func adopt(_ manifest: FastlyManifest) {
    backends = manifest.backends
    configStores = manifest.configStores
    kvStores = manifest.kvStores
    kvDirectory = manifest.kvDirectory
    secretStores = manifest.secretStores
    accessControlLists = manifest.accessControlLists
    geoLocation = manifest.geoLocation
    deviceDetection = manifest.deviceDetection
    shieldingSites = manifest.shieldingSites
    downstream = manifest.downstream
    if let region = downstream.complianceRegion { complianceRegion = region }
    fastlyKeys = manifest.fastlyKeys
    pushpinPort = manifest.pushpinPort
    warnings = manifest.warnings
    problems = manifest.problems
    manifestText = manifest.text
    files = manifest.files
  }

  private mutating func apply(
    _ options: ServiceOptions, workingDirectory: String, servedAlready previous: ServiceConfiguration?
  ) throws {
    var read = ConfigurationFiles(directory: workingDirectory, workingDirectory: workingDirectory)
    for backend in options.backends {
      if backend.name.isEmpty { catchAllBackend = backend } else { backends[backend.name] = backend }
    }
    for override in options.overrideHosts { try apply(override) }
    try applyStores(options, reading: &read, servedAlready: previous)
    for logger in options.loggers {
      logEndpoints[logger.name] =
        logger.path.map { .file(ConfigurationFiles.resolve($0, in: workingDirectory)) } ?? .standardOutput
    }
    if let region = options.complianceRegion { complianceRegion = region }
    fastlyKeys.formUnion(options.fastlyKeys)
    if let port = options.pushpinPort { pushpinPort = port }
    files += read.paths.filter { !files.contains($0) }
  }

  private mutating func applyStores(
    _ options: ServiceOptions, reading read: inout ConfigurationFiles, servedAlready previous: ServiceConfiguration?
  ) throws {
    if let folder = options.kvDirectory {
      kvDirectory = try read.folder(folder) { ConfigurationError(place: "--kv-dir", problem: $0) }
    }
    kvSeedsOverwrite = options.reseedsKVStores
    for store in options.configStores {
      configStores[store.name] = try keeping(previous?.configStores[store.name], &read) { read in
        let (contents, path) = try read.json(of: store.path, for: "config store", store.name)
        return try ConfigStore(contents: contents, file: path)
      }
    }
    for store in options.kvStores {
      kvStores[store.name] = try keeping(previous?.kvStores[store.name], &read) { read in
        guard let path = store.path else { return KVStoreSeed() }
        let object = try read.json(of: path, for: "KV store", store.name).entry.table("an object")
        return try KVStoreSeed(object: object, files: &read)
      }
    }
    for store in options.secretStores {
      secretStores[store.name] = try keeping(previous?.secretStores[store.name], &read) { read in
        try SecretStoreSeed(
          object: try read.json(of: store.path, for: "secret store", store.name).entry.table("an object"))
      }
    }
    for list in options.accessControlLists {
      accessControlLists[list.name] = try keeping(previous?.accessControlLists[list.name], &read) { read in
        let (document, path) = try read.json(of: list.path, for: "ACL", list.name)
        return try AccessControlList(document: document, file: path)
      }
    }
    if let file = options.geoFile {
      let usesLoopbackRecord = geoLocation.usesLoopbackRecord
      geoLocation = try keeping(previous?.geoLocation, &read) { read in
        let (addresses, path) = try read.json(of: file) { ConfigurationError(place: "--geo", problem: $0) }
        return try GeoLocation(addresses: addresses, file: path, allowsPrefixes: true)
      }
      geoLocation.usesLoopbackRecord = usesLoopbackRecord
    }
  }

  /// As ``FastlyManifestReader/keeping(_:_:)``.
  private mutating func keeping<Contents>(
    _ served: Contents?, _ files: inout ConfigurationFiles, _ read: (inout ConfigurationFiles) throws -> Contents
  ) throws -> Contents {
    do {
      return try read(&files)
    } catch let error as ConfigurationError {
      guard let served else { throw error }
      problems.append(error)
      return served
    }
  }

  private mutating func apply(_ override: HostOverride) throws {
    if override.backend.isEmpty {
      guard catchAllBackend != nil else {
        throw ConfigurationError(
          place: "--override-host",
          problem: "there is no catch-all backend: give --backend HOST:PORT, or write NAME=HOST here")
      }
      catchAllBackend?.overrideHost = override.host
    } else {
      guard backends[override.backend] != nil else {
        let names = backends.keys.sorted().map(quoted).joined(separator: ", ")
        let others = names.isEmpty ? "none is given" : "there are \(names)"
        throw ConfigurationError(
          place: "--override-host", problem: "there is no backend \(quoted(override.backend)); \(others)")
      }
      backends[override.backend]?.overrideHost = override.host
    }
  }

  private mutating func warnOfMissingBackends(
    _ declared: [FastlyManifest.DeclaredBackend], _ options: ServiceOptions, workingDirectory: String
  ) {
    var warned: Set<String> = []
    for backend in declared where backends[backend.name] == nil && catchAllBackend == nil {
      guard warned.insert(backend.name).inserted else { continue }
      let missing = ConfigurationError(
        place: backend.place,
        problem: "the backend \(quoted(backend.name)) has no [local_server.backends] entry, so requests to it fail here"
      )
      warnings.append(missing.description)
    }
    guard options.manifest == nil, backends.isEmpty, catchAllBackend == nil else { return }
    let hasManifest = FileManager.default.fileExists(
      atPath: ConfigurationFiles.resolve("fastly.toml", in: workingDirectory))
    warnings.append(
      "no backends: give --backend NAME=HOST:PORT or "
        + (hasManifest ? "--config fastly.toml, which is here" : "--config FILE with [local_server.backends]"))
  }
}

extension ConfigurationFiles {
  /// The document of a store that a flag names; errors about the file name the store.
  fileprivate mutating func json(
    of path: String, for kind: String, _ name: String
  ) throws -> (entry: ConfigurationEntry, path: String) {
    try json(of: path) { ConfigurationError(place: "\(kind) \(quoted(name))", problem: $0) }
  }
}
