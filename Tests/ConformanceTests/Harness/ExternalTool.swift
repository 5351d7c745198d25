import Foundation
import Synchronization

/// A program of somebody else that a test checks against, where this machine has it.
struct ExternalTool: Sendable {
  let path: String

  private static let announced = Mutex<Set<String>>([])

  /// The program on the path; nil, which is said once on the standard error, where it is missing.
  static func find(_ name: String) -> ExternalTool? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    for folder in folders where FileManager.default.isExecutableFile(atPath: "\(folder)/\(name)") {
      return ExternalTool(path: "\(folder)/\(name)")
    }
    announceSkip(name, because: "there is no \(name); `make bootstrap` tells how to install it")
    return nil
  }

  /// Says once that the tests of a tool are skipped.
  static func announceSkip(_ name: String, because reason: String) {
    guard announced.withLock({ $0.insert(name).inserted }) else { return }
    FileHandle.standardError.write(Data("SKIPPED: the tests with \(name), because \(reason)\n".utf8))
  }

  /// Runs it to its end.
  func run(_ arguments: [String], environment: [String: String] = [:]) async throws -> FinishedCommand {
    let child = try ChildProcess(path, arguments, environment: environment)
    do {
      let ending = try await child.wait()
      return FinishedCommand(status: ending, output: child.output, errors: child.errors)
    } catch {
      await child.end()
      throw error
    }
  }
}
