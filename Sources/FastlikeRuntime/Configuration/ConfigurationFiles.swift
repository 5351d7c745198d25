import Foundation

/// Reads the files that a configuration names and remembers which ones they were.
struct ConfigurationFiles {
  /// The folder that relative paths start from: the manifest's, or the working directory for flags.
  let directory: String
  /// The folder that is tried next.
  let workingDirectory: String
  /// What was read, as absolute paths in order.
  private(set) var paths: [String] = []
  /// One line for each file that was found in the working directory only.
  private(set) var notices: [String] = []

  init(directory: String, workingDirectory: String, alreadyRead: [String] = []) {
    self.directory = directory
    self.workingDirectory = workingDirectory
    paths = alreadyRead
  }

  /// Remembers a file that need not be read again.
  mutating func note(_ path: String) { paths.append(Self.resolve(path, in: directory)) }

  static func resolve(_ path: String, in directory: String) -> String {
    URL(fileURLWithPath: path, relativeTo: URL(fileURLWithPath: directory, isDirectory: true)).standardizedFileURL.path
  }

  /// The bytes of a file and its absolute path; `error` makes the error at the place that names the file.
  mutating func bytes(
    of path: String, error: (String) -> ConfigurationError
  ) throws -> (bytes: [UInt8], path: String) {
    guard !path.isEmpty else { throw error("must be the path of a file") }
    var resolved = Self.resolve(path, in: directory)
    let fallback = Self.resolve(path, in: workingDirectory)
    if fallback != resolved, !FileManager.default.fileExists(atPath: resolved),
      FileManager.default.fileExists(atPath: fallback)
    {
      notices.append(
        error("\(quoted(path)) is not beside the manifest; the one in the working directory is used").description)
      resolved = fallback
    }
    // A file that cannot be read is watched too: it may come back.
    if !paths.contains(resolved) { paths.append(resolved) }
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: resolved, isDirectory: &isDirectory) else {
      throw error("cannot read \(quoted(path)): there is no such file")
    }
    guard !isDirectory.boolValue else { throw error("cannot read \(quoted(path)): it is a directory") }
    guard let data = FileManager.default.contents(atPath: resolved) else {
      throw error("cannot read \(quoted(path)): permission is missing or the disk failed")
    }
    return (Array(data), resolved)
  }

  /// The absolute path of a folder that need not be there yet.
  func folder(_ path: String, error: (String) -> ConfigurationError) throws -> String {
    let resolved = Self.resolve(path, in: directory)
    var isDirectory: ObjCBool = false
    guard !FileManager.default.fileExists(atPath: resolved, isDirectory: &isDirectory) || isDirectory.boolValue else {
      throw error("\(quoted(path)) is a file, and must be a folder, which is made where there is none")
    }
    return resolved
  }

  mutating func text(of path: String, error: (String) -> ConfigurationError) throws -> String {
    let bytes = try bytes(of: path, error: error).bytes
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw error("cannot read \(quoted(path)): it is not UTF-8 text")
    }
    return text
  }

  /// The value of a JSON file and its absolute path. Syntax errors name the file and the line in it.
  mutating func json(
    of path: String, error: (String) -> ConfigurationError
  ) throws -> (entry: ConfigurationEntry, path: String) {
    let (bytes, resolved) = try bytes(of: path, error: error)
    do {
      let source = ConfigurationSource(name: path, lines: .json(bytes))
      return (ConfigurationEntry(try JSONReader.value(of: bytes), source: source), resolved)
    } catch let malformed as JSONReader.Malformed {
      throw ConfigurationError(place: "\(path):\(malformed.line)", problem: "not JSON: \(malformed.problem)")
    }
  }
}
