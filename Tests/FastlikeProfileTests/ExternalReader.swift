import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Other people's readers, which `make bootstrap` puts into `.tools`. Tests that need one are skipped without it.
enum ExternalReader: String {
  /// `go tool pprof`.
  case pprof
  /// Python packages with the message classes of other tools; our scripts in `Tests/Readers` use them.
  case python

  static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  var place: String { Self.package.appendingPathComponent(".tools").appendingPathComponent(rawValue).path }

  var isThere: Bool { FileManager.default.fileExists(atPath: place) }

  /// Why a test is skipped.
  var advice: Comment { "\(rawValue) is not in .tools; `make bootstrap` fetches it" }

  /// What it says of a file.
  /// - Parameters:
  ///   - arguments: For pprof its flags, for Python a script in `Tests/Readers` and its arguments; the file follows.
  /// - Throws: ``ExportReadingError`` with what it printed when it fails or warns.
  func read(_ bytes: [UInt8], _ arguments: [String]) throws -> String {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fastlike-reader-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("export").path
    try Data(bytes).write(to: URL(fileURLWithPath: file))

    var command: [String]
    switch self {
    case .pprof: command = [place] + arguments
    case .python:
      let script = Self.package.appendingPathComponent("Tests/Readers").appendingPathComponent(arguments[0]).path
      command = ["/usr/bin/env", "python3", script] + arguments.dropFirst()
    }
    command.append(file)
    let environment = [
      "PATH=\(ProcessInfo.processInfo.environment["PATH"] ?? "")", "HOME=\(folder.path)", "PYTHONPATH=\(place)",
      "PYTHONDONTWRITEBYTECODE=1",
    ]
    let output = folder.appendingPathComponent("output").path
    let errors = folder.appendingPathComponent("errors").path
    let status = try Self.run(command, environment: environment, output: output, errors: errors)
    let complaints = try String(contentsOfFile: errors, encoding: .utf8)
    guard status == 0, complaints.isEmpty else {
      throw ExportReadingError("\(rawValue) ended with \(status): \(complaints)")
    }
    return try String(contentsOfFile: output, encoding: .utf8)
  }

  /// Runs a program to its end and returns its wait status. Its streams are files and it inherits nothing else that is
  /// read or written here, so nothing of this process is kept open by it.
  private static func run(
    _ command: [String], environment: [String], output: String, errors: String
  ) throws -> Int32 {
    #if canImport(Darwin)
      var files: posix_spawn_file_actions_t?
    #else
      var files = posix_spawn_file_actions_t()
    #endif
    posix_spawn_file_actions_init(&files)
    defer { posix_spawn_file_actions_destroy(&files) }
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&files, 1, output, O_WRONLY | O_CREAT, 0o600)
    posix_spawn_file_actions_addopen(&files, 2, errors, O_WRONLY | O_CREAT, 0o600)
    var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
    defer { for pointer in arguments + variables { free(pointer) } }
    var identifier: pid_t = 0
    let failure = posix_spawn(&identifier, command[0], &files, nil, &arguments, &variables)
    guard failure == 0 else {
      throw ExportReadingError("\(command[0]) cannot be started: \(String(cString: strerror(failure)))")
    }
    var status: Int32 = 0
    while waitpid(identifier, &status, 0) == -1 {
      guard errno == EINTR else { throw ExportReadingError("\(command[0]) cannot be waited for") }
    }
    return status
  }
}
