import Foundation

/// Where the suite finds the program and the guests, and where it puts its files.
enum Places {
  /// The program under test: `FASTLIKE_BINARY`, else the `fastlike` beside the test bundle or in a folder above it.
  static func binary() throws -> String {
    if let path = ProcessInfo.processInfo.environment["FASTLIKE_BINARY"], !path.isEmpty { return path }
    for folder in foldersAbove {
      let path = folder + "/fastlike"
      if isFile(path), FileManager.default.isExecutableFile(atPath: path) { return path }
    }
    throw HarnessError("there is no fastlike beside the test bundle: build it, or set FASTLIKE_BINARY")
  }

  /// The module of a test guest, from `FASTLIKE_GUESTS` or `.build/guests`.
  static func guest(_ name: String) throws -> String {
    var folders = foldersAbove.flatMap { [$0 + "/guests", $0 + "/.build/guests"] }
    if let folder = ProcessInfo.processInfo.environment["FASTLIKE_GUESTS"], !folder.isEmpty { folders = [folder] }
    for folder in folders where isFile("\(folder)/\(name).wasm") { return "\(folder)/\(name).wasm" }
    throw HarnessError("the guest \(name).wasm is not built: run `make guests`, or set FASTLIKE_GUESTS")
  }

  /// A folder of this run; it is removed at the end of the process.
  static let temporaryFolder: String = {
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("fastlike-conformance-\(UUID().uuidString)").path
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    atexit {
      ChildProcess.killAll()
      try? FileManager.default.removeItem(atPath: Places.temporaryFolder)
    }
    return path
  }()

  /// Compiled guests, which all processes of this run share.
  static var moduleCache: String { temporaryFolder + "/modules" }

  /// A new folder for one test.
  static func newFolder() throws -> String {
    let path = "\(temporaryFolder)/\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }

  static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

  /// The folders of the test bundle and of this file, with everything above them, nearest first.
  private static let foldersAbove: [String] = {
    var starts = CommandLine.arguments.filter { $0.contains(".xctest") }
    if let executable = Bundle.main.executablePath { starts.append(executable) }
    starts.append(#filePath)
    var folders: [String] = []
    for start in starts {
      var folder = URL(fileURLWithPath: start).standardizedFileURL.deletingLastPathComponent()
      while folder.path != "/", !folder.path.isEmpty {
        folders.append(folder.path)
        folders.append(folder.path + "/.build/debug")
        folder.deleteLastPathComponent()
      }
    }
    return folders
  }()

  private static func isFile(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && !isDirectory.boolValue
  }
}

/// The suite itself cannot go on, or waited in vain.
struct HarnessError: Error, CustomStringConvertible {
  var description: String

  init(_ description: String) { self.description = description }
}

/// Writes a file into a new folder and returns its path.
func temporaryFile(_ name: String, _ content: String) throws -> String {
  let path = try Places.newFolder() + "/" + name
  try replaceFile(path, with: Data(content.utf8))
  return path
}

/// Puts a file in place in one step, as a compiler does.
func replaceFile(_ path: String, with content: Data) throws {
  try content.write(to: URL(fileURLWithPath: path), options: .atomic)
}
