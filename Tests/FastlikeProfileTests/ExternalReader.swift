import Foundation
import Testing

/// Other people's readers, which `make bootstrap` puts into `.tools`. Tests that need one are skipped without it.
enum ExternalReader: String {
  /// `go tool pprof`.
  case pprof
  /// Python packages with the message classes of other tools; our scripts in `Tests/Readers` use them.
  case python

  static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  var place: URL { Self.package.appendingPathComponent(".tools").appendingPathComponent(rawValue) }

  var isThere: Bool { FileManager.default.fileExists(atPath: place.path) }

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
    let file = folder.appendingPathComponent("export")
    try Data(bytes).write(to: file)
    let errors = folder.appendingPathComponent("errors")
    try Data().write(to: errors)

    let process = Process()
    var environment = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "", "HOME": folder.path]
    switch self {
    case .pprof:
      process.executableURL = place
      process.arguments = arguments + [file.path]
    case .python:
      let script = Self.package.appendingPathComponent("Tests/Readers").appendingPathComponent(arguments[0])
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments = ["python3", script.path] + arguments.dropFirst() + [file.path]
      environment["PYTHONPATH"] = place.path
      environment["PYTHONDONTWRITEBYTECODE"] = "1"
    }
    process.environment = environment
    let output = Pipe()
    process.standardOutput = output
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    let printed = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    let complaints = String(decoding: try Data(contentsOf: errors), as: UTF8.self)
    guard process.terminationStatus == 0, complaints.isEmpty else {
      throw ExportReadingError("\(rawValue) ended with \(process.terminationStatus): \(complaints)")
    }
    return String(decoding: printed, as: UTF8.self)
  }
}
