public import Foundation

/// The file that tells external samplers the names in the running module: `wasm-symbols-PID.json`.
///
/// Hosts write it where ``ProfileMode/requestsNativeSampling``; it is an aid, and failing to write it is no reason to
/// stop.
public enum SymbolSidecar {
  /// The file's content.
  public static func encode(
    _ symbols: ModuleSymbols, moduleID: String, mode: ProfileMode, processID: Int32
  ) -> [UInt8] {
    var json = JSONByteWriter()
    json.beginObject()
    json.field("pid", Int64(processID))
    json.field("module_id", moduleID)
    json.field("mode", mode.rawValue)
    if !symbols.moduleName.isEmpty { json.field("module_name", symbols.moduleName) }
    json.key("exports")
    json.beginArray()
    for export in symbols.exports {
      json.beginObject()
      json.field("name", export.name)
      json.field("kind", export.kind)
      json.field("index", Int64(export.index))
      json.endObject()
    }
    json.endArray()
    json.key("functions")
    json.beginArray()
    for function in symbols.functions {
      json.beginObject()
      json.field("index", Int64(function.index))
      json.field("name", function.name)
      json.endObject()
    }
    json.endArray()
    json.endObject()
    return json.bytes
  }

  /// Writes the file for a module, replacing the one of an earlier module of this process.
  ///
  /// The file appears whole or not at all, is readable by its owner only, and a symbolic link in its place is replaced,
  /// never followed.
  /// - Parameter directory: Where to; the working directory when empty. It is made if it does not exist.
  /// - Returns: The file.
  /// - Throws: ``ModuleSymbolsError`` for bytes that are no module, ``SymbolSidecarError`` when the file
  ///   cannot be written.
  public static func write(
    module: [UInt8], directory: String, moduleID: String, mode: ProfileMode,
    processID: Int32 = ProcessInfo.processInfo.processIdentifier
  ) throws -> URL {
    let symbols = try ModuleSymbols(module: module)
    let folder = URL(fileURLWithPath: directory.isEmpty ? "." : directory, isDirectory: true)
    let file = folder.appendingPathComponent("wasm-symbols-\(processID).json", isDirectory: false)
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw SymbolSidecarError(path: folder.path, operation: "make folder", code: EIO)
    }
    try replace(file, in: folder, with: encode(symbols, moduleID: moduleID, mode: mode, processID: processID))
    return file
  }

  private static func replace(_ file: URL, in folder: URL, with bytes: [UInt8]) throws(SymbolSidecarError) {
    let temporary = folder.appendingPathComponent(".wasm-symbols-\(UUID().uuidString)", isDirectory: false).path
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw SymbolSidecarError(path: file.path, operation: "create", code: errno) }
    var written = 0
    var failure: Int32 = 0
    while written < bytes.count, failure == 0 {
      let count = bytes[written...].withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if count > 0 { written += count } else if errno != EINTR { failure = errno == 0 ? EIO : errno }
    }
    if close(descriptor) != 0, failure == 0 { failure = errno }
    if failure == 0, rename(temporary, file.path) != 0 { failure = errno }
    guard failure != 0 else { return }
    unlink(temporary)
    throw SymbolSidecarError(path: file.path, operation: "write", code: failure)
  }
}

/// The sidecar could not be written.
public struct SymbolSidecarError: Error, Equatable, CustomStringConvertible {
  /// Which file or folder.
  public let path: String
  /// What was tried.
  public let operation: String
  /// The system's error number.
  public let code: Int32

  public var description: String { "cannot \(operation) \(path): \(String(cString: strerror(code)))" }
}
