public import Foundation
import TOMLKit

/// What a `fastly.toml` says about running the service locally. Keys outside `[local_server]` are the deployment's.
public struct FastlyManifest: Sendable {
  /// The tables of `[local_server]` that are read and checked but that no hostcall serves in this version; their use is
  /// answered with a warning. Shrinks as the hostcalls come.
  static let tablesNotServedYet: [String] = []

  /// The newest `manifest_version` that is understood.
  static let newestVersion: Int64 = 3

  /// A backend that the deployment part of the manifest names.
  struct DeclaredBackend: Sendable, Equatable {
    var name: String
    /// File, line and table.
    var place: String
  }

  /// The service's name; "" when there is none.
  public internal(set) var name = ""
  public internal(set) var backends: [String: BackendDefinition] = [:]
  /// `config_stores`, or `dictionaries`: one table for both ABI modules.
  public internal(set) var configStores: [String: ConfigStore] = [:]
  public internal(set) var kvStores: [String: KVStoreSeed] = [:]
  /// The absolute path of the folder in which KV stores are kept.
  public internal(set) var kvDirectory: String?
  public internal(set) var secretStores: [String: SecretStoreSeed] = [:]
  public internal(set) var accessControlLists: [String: AccessControlList] = [:]
  public internal(set) var geoLocation = GeoLocation()
  public internal(set) var deviceDetection = DeviceDetection()
  public internal(set) var shieldingSites: [String: ShieldingSite] = [:]
  /// What guests are told of their clients.
  public internal(set) var downstream = DownstreamFacts()
  /// Values of `Fastly-Key` that count as valid.
  public internal(set) var fastlyKeys: Set<String> = []
  /// Where the GRIP proxy listens on this machine; nil where none is enabled.
  public internal(set) var pushpinPort: UInt16?
  /// One line each, for the start of the service.
  public internal(set) var warnings: [String] = []
  /// Mistakes in files that were read again while a service runs; what they said before counts.
  public internal(set) var problems: [ConfigurationError] = []
  /// What the manifest's file says, for reading the files of its stores again.
  var text = ""
  /// Absolute paths of the manifest and of every file it names, to watch for changes.
  public internal(set) var files: [String] = []
  /// Backends in `[[backends]]` and `[setup.backends]`.
  var declaredBackends: [DeclaredBackend] = []

  /// Reads a manifest and the files it names. Relative paths start from the manifest's directory and then, with a notice
  /// among the warnings, from the working directory.
  ///
  /// Throws ``ConfigurationError`` for the first mistake.
  public static func load(
    path: String, workingDirectory: String = FileManager.default.currentDirectoryPath,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> FastlyManifest {
    try load(path: path, workingDirectory: workingDirectory, environment: environment, servedAlready: nil)
  }

  /// The same. With a configuration that is served already, the manifest says what it said then, and only the files that it
  /// names are read again; what is wrong with them goes to ``problems``.
  static func load(
    path: String, workingDirectory: String, environment: [String: String], servedAlready previous: ServiceConfiguration?
  ) throws -> FastlyManifest {
    var ownFile = ConfigurationFiles(directory: workingDirectory, workingDirectory: workingDirectory)
    let text: String
    if let known = previous?.manifestText {
      text = known
      ownFile.note(path)
    } else {
      text = try ownFile.text(of: path) { ConfigurationError(place: "--config", problem: $0) }
    }
    let folder = URL(fileURLWithPath: ConfigurationFiles.resolve(path, in: workingDirectory))
      .deletingLastPathComponent()
    let files = ConfigurationFiles(
      directory: folder.path, workingDirectory: workingDirectory, alreadyRead: ownFile.paths)
    return try parse(text, name: path, files: files, environment: environment, servedAlready: previous)
  }

  /// Reads the text of a manifest; `name` is the file's name in errors.
  static func parse(
    _ text: String, name: String, files: ConfigurationFiles, environment: [String: String],
    servedAlready previous: ServiceConfiguration? = nil
  ) throws -> FastlyManifest {
    guard !text.utf8.contains(0) else {
      throw ConfigurationError(place: name, problem: "must be text, but holds a NUL byte")
    }
    let root: ConfigurationValue
    do {
      root = ConfigurationValue(try TOMLTable(string: text))
    } catch let error as TOMLParseError {
      throw ConfigurationError(place: "\(name):\(error.source.begin.line)", problem: "not TOML: \(error.description)")
    }
    let source = ConfigurationSource(name: name, lines: .toml(TOMLLineIndex(text)))
    var reader = FastlyManifestReader(files: files, environment: environment, previous: previous)
    reader.manifest.text = text
    try reader.readTopLevel(ConfigurationEntry(root, source: source).table())
    return reader.finish()
  }
}

extension ConfigurationValue {
  /// The value of a TOML document.
  init(_ toml: any TOMLValueConvertible) {
    switch toml.type {
    case .string: self = .string(toml.string ?? "")
    case .int: self = .integer(Int64(toml.int ?? 0))
    case .double: self = .number(toml.double ?? 0)
    case .bool: self = .boolean(toml.bool ?? false)
    case .date, .time, .dateTime: self = .dateTime
    case .array: self = .array((toml.array ?? TOMLArray()).map { ConfigurationValue($0) })
    case .table:
      var members: [String: ConfigurationValue] = [:]
      for (key, value) in toml.table ?? TOMLTable() { members[key] = ConfigurationValue(value) }
      self = .object(members)
    }
  }
}
