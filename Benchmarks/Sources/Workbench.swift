import Foundation

/// What benchmarks work with: the program under test, its guests, and a folder for the time being.
struct Workbench: Sendable {
  /// The release build of fastlike.
  let server: String
  /// The folder of the guests.
  let guests: String
  /// A big guest, if one was given.
  let module: String?
  /// The Go SDK's hello world, if it was given.
  let goHello: String?
  /// wrk, if it is installed.
  let wrk: Wrk?
  /// Compiled modules and logs; removed at the end.
  let folder: URL

  init(server: String, guests: String, module: String?, goHello: String?) throws {
    self.server = URL(fileURLWithPath: server).path
    self.guests = URL(fileURLWithPath: guests).path
    self.module = module.map { URL(fileURLWithPath: $0).path }
    self.goHello = goHello.map { URL(fileURLWithPath: $0).path }
    wrk = Wrk.installed()
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "fastlike-bench-\(ProcessInfo.processInfo.processIdentifier)", isDirectory: true)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }

  /// The path of a built guest.
  func guest(_ name: String) -> String { guests + "/" + name + ".wasm" }

  /// What sends the requests of the throughput benchmarks.
  var loadGenerator: String { wrk == nil ? "own load generator, one thread" : "wrk, one thread" }
}
