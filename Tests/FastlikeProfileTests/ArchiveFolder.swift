import Foundation

@testable import FastlikeProfile

/// A temporary folder with an archive in it; gone with its owner.
final class ArchiveFolder {
  let root: URL
  /// Where the archive is. It is not made before the archive makes it.
  var path: String { root.appendingPathComponent("archive").path }

  init() throws {
    root = FileManager.default.temporaryDirectory.appendingPathComponent("archive-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: root) }

  func open(
    _ limits: ArchiveLimits = ArchiveLimits(), access: TraceArchive.Access = .readWrite
  ) throws -> TraceArchive {
    try TraceArchive(directory: path, limits: limits, access: access)
  }

  /// Opens, fills and closes the archive.
  func fill(_ traces: [RequestTrace], _ limits: ArchiveLimits = ArchiveLimits()) throws {
    let archive = try open(limits)
    for trace in traces { archive.append(trace) }
    archive.close()
  }

  func file(_ name: String) -> URL { URL(fileURLWithPath: path).appendingPathComponent(name) }

  /// The names of the segments, oldest first.
  func segments() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasSuffix(".seg") }.sorted()
  }

  func read(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: file(name))) }

  /// Writes in place, so that modes stay.
  func write(_ bytes: [UInt8], to name: String) throws {
    let handle = try FileHandle(forWritingTo: file(name))
    try handle.truncate(atOffset: 0)
    try handle.write(contentsOf: Data(bytes))
    try handle.close()
  }

  static func trace(
    _ id: UInt64, path: String = "/", status: Int = 200, wall: Int64 = 1000, module: String = "m",
    outcome: TraceOutcome = .normal
  ) -> RequestTrace {
    RequestTrace(
      id: id, moduleID: module, moduleName: "app.wasm", url: RedactedURL(scheme: "http", host: "h", path: path),
      status: status, wallStartUnixNanos: 1_000_000 * Int64(id), wallNanos: wall, outcome: outcome)
  }

  static func traces(_ ids: ClosedRange<UInt64>) -> [RequestTrace] { ids.map { trace($0) } }
}
