import CTimestamp
import Foundation

/// The program under test, serving a guest as a process of its own on a free port.
final class ServerProcess {
  /// The port on 127.0.0.1.
  let port: Int
  let processID: Int32
  /// Monotonic nanoseconds right before the process was started.
  let startedAt: UInt64
  private let process: Process

  private init(port: Int, startedAt: UInt64, process: Process) {
    self.port = port
    self.startedAt = startedAt
    self.process = process
    processID = process.processIdentifier
  }

  /// Starts a server, and ends it after the body.
  /// - Parameter arguments: Flags besides the ones for the address and the cache of compiled modules.
  static func serving<Result: Sendable>(
    _ guest: String, on workbench: Workbench, arguments: [String] = [], cache: URL? = nil,
    _ body: (ServerProcess) async throws -> Result
  ) async throws -> Result {
    let server = try await start(guest, on: workbench, arguments: arguments, cache: cache)
    do {
      let result = try await body(server)
      await server.end()
      return result
    } catch {
      await server.end()
      throw error
    }
  }

  private static func start(
    _ guest: String, on workbench: Workbench, arguments: [String], cache: URL?
  ) async throws -> ServerProcess {
    let cache = cache ?? workbench.folder.appendingPathComponent("modules", isDirectory: true)
    let errors = workbench.folder.appendingPathComponent("server-errors.txt", isDirectory: false)
    try Data().write(to: errors)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: workbench.server)
    process.arguments = [guest, "--bind", "127.0.0.1:0", "--module-cache", cache.path] + arguments
    // What some modes write beside the server is not left where the benchmarks were started.
    process.currentDirectoryURL = workbench.folder
    // The variables for flags would change what is measured.
    var environment = ProcessInfo.processInfo.environment.filter {
      !$0.key.hasPrefix("FASTLIKE_") && !$0.key.hasPrefix("OTEL_")
    }
    // A development authority for the time being.
    environment["XDG_DATA_HOME"] = workbench.folder.path
    process.environment = environment
    let output = Pipe()
    process.standardOutput = output
    process.standardError = try FileHandle(forWritingTo: errors)
    let startedAt = ctimestamp_monotonic()
    try process.run()
    let processID = process.processIdentifier
    ChildProcesses.add(processID)
    // A server that does not come up is ended, which ends its output.
    let limit = Task {
      try await Task.sleep(for: .seconds(14))
      kill(processID, SIGKILL)
    }
    defer { limit.cancel() }
    guard let port = await port(announcedOn: output.fileHandleForReading) else {
      kill(processID, SIGKILL)
      ChildProcesses.remove(processID)
      let reason = (try? String(contentsOf: errors, encoding: .utf8)) ?? ""
      throw BenchmarkFailure("fastlike did not start with \(guest): \(reason.isEmpty ? "it said nothing" : reason)")
    }
    return ServerProcess(port: port, startedAt: startedAt, process: process)
  }

  /// Reads the line that tells where the server listens; nil when the output ends before. The output is read on, so
  /// that the server never waits for its reader.
  private static func port(announcedOn output: FileHandle) async -> Int? {
    let (pieces, continuation) = AsyncStream.makeStream(of: Data.self, bufferingPolicy: .bufferingOldest(64))
    output.readabilityHandler = { handle in
      let data = handle.availableData
      if data.isEmpty {
        handle.readabilityHandler = nil
        continuation.finish()
      } else {
        continuation.yield(data)
      }
    }
    var text = ""
    for await piece in pieces {
      text += String(decoding: piece, as: UTF8.self)
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
      guard let line = lines.first(where: { $0.hasPrefix("fastlike: serving ") }) else { continue }
      return line.split(separator: ":").last.flatMap { Int($0) }
    }
    return nil
  }

  /// Asks the process to end, and ends it when it has not after two seconds.
  private func end() async {
    kill(processID, SIGTERM)
    for _ in 0..<200 where process.isRunning { try? await Task.sleep(for: .milliseconds(10)) }
    if process.isRunning { kill(processID, SIGKILL) }
    for _ in 0..<200 where process.isRunning { try? await Task.sleep(for: .milliseconds(10)) }
    ChildProcesses.remove(processID)
  }
}
