import Dispatch
import Foundation

/// A command that is run to its end for its output.
enum ChildCommand {
  /// What the command wrote to its standard output.
  /// - Throws: ``BenchmarkFailure`` when it cannot be started or does not exit with 0.
  static func run(_ path: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    ChildProcesses.add(process.processIdentifier)
    defer { ChildProcesses.remove(process.processIdentifier) }
    let text = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw BenchmarkFailure("\(path) ended with status \(process.terminationStatus)")
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// As ``run(_:_:)``, without keeping one of the few threads of the concurrency pool.
  static func runAside(_ path: String, _ arguments: [String]) async throws -> String {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async { continuation.resume(with: Result { try run(path, arguments) }) }
    }
  }
}
