import ComputeABI
import FastlikeProfile
import Foundation
public import Wasmtime

/// A guest program that is ready to run: compiled, its imports resolved.
public struct Program: Sendable {
  /// The first eight bytes of the module's SHA-256, in hexadecimal.
  public let moduleID: String
  /// The file's name without its extension.
  public let name: String
  public private(set) var prepared: PreparedModule
  /// The module as its traces have it.
  let traced: TracedModule
  /// Whether the compiled code came from the cache.
  public let wasCached: Bool
  /// The file that it was loaded from.
  let path: String
  /// A file with the same program and its symbols; nil is the program's own.
  let symbolFile: String?

  init(
    moduleID: String, name: String, prepared: PreparedModule, wasCached: Bool, path: String, symbolFile: String?
  ) {
    self.moduleID = moduleID
    self.name = name
    self.prepared = prepared
    traced = TracedModule(id: moduleID, name: name)
    self.wasCached = wasCached
    self.path = path
    self.symbolFile = symbolFile
  }

  /// The same program for an event loop of its own; see ``PreparedModule/init(sharing:)``.
  var forOneLoop: Program {
    var copy = self
    copy.prepared = PreparedModule(sharing: prepared)
    return copy
  }

  /// Why a file is not a program.
  public struct LoadError: Error, CustomStringConvertible, Sendable {
    public var description: String
  }

  /// Loads a module from a file, binary or text.
  ///
  /// - Parameters:
  ///   - engine: Asked for when it is needed, after the file was read and looked up.
  ///   - cache: Where compiled code is kept; nil compiles each time.
  /// - Throws: ``LoadError`` in one line that names the file and what is wrong with it.
  public static func load(
    path: String, settings: EngineSettings, engine: () -> Engine, cache: ModuleCache?,
    trapOnUnknownImports: Bool = false, symbolFile: String? = nil,
    willCompile: (_ byteCount: Int) -> Void = { _ in }
  ) throws -> Program {
    let bytes = try binary(at: path)
    if let symbolFile { try checkSymbols(of: bytes, in: symbolFile) }
    let module: Module
    var wasCached = false
    do throws(WasmtimeError) {
      if let found = cache?.load(bytes, settings: settings, engine: engine) {
        module = found
        wasCached = true
      } else {
        willCompile(bytes.count)
        module = try Module(engine: engine(), bytes: bytes)
        cache?.store(module, for: bytes, settings: settings)
      }
    } catch {
      throw LoadError(description: "\(path): does not compile: \(error.message.firstLine)")
    }
    try checkExports(of: module, path: path)
    do {
      let prepared = try HostcallTable.prepare(module, engine: engine(), trapOnUnknown: trapOnUnknownImports)
      return Program(
        moduleID: ModuleIdentifier.of(bytes),
        name: URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent,
        prepared: prepared, wasCached: wasCached, path: path, symbolFile: symbolFile)
    } catch let error as HostcallTable.LinkError {
      throw LoadError(description: "\(path): cannot be linked: \(error)")
    } catch let error as WasmtimeError {
      throw LoadError(description: "\(path): cannot be linked: \(error.message.firstLine)")
    }
  }

  /// The module's bytes, read from its file once more. Throws ``LoadError``.
  public func readModule() throws -> [UInt8] { try Program.binary(at: path) }

  /// Names for its functions. Read from the file once more, so that a program costs no memory for what most never ask;
  /// a file that was replaced meanwhile has none to give.
  func readSymbols() -> GuestSymbols {
    guard let bytes = try? Program.binary(at: symbolFile ?? path),
      symbolFile != nil || ModuleIdentifier.of(bytes) == moduleID
    else { return GuestSymbols(moduleName: name) }
    return GuestSymbols(module: bytes, moduleName: name)
  }

  private static func checkSymbols(of program: [UInt8], in file: String) throws {
    let symbols = try binary(at: file)
    guard GuestSymbols.haveSameCode(program, symbols) else {
      throw LoadError(
        description: "\(file): its code is not the program's; --symbols takes the same build before it was stripped")
    }
  }

  private static func binary(at path: String) throws -> [UInt8] {
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      throw LoadError(description: "\(path): cannot be read: \(reason(of: error))")
    }
    let bytes = [UInt8](data)
    guard bytes.starts(with: [0x00, 0x61, 0x73, 0x6d]) else {
      guard path.hasSuffix(".wat") || bytes.first(where: { $0 > 0x20 }) == UInt8(ascii: "(") else {
        throw LoadError(description: "\(path): is not a WebAssembly file, neither binary nor text")
      }
      do {
        return try Module.binary(fromText: String(decoding: bytes, as: UTF8.self))
      } catch {
        throw LoadError(description: "\(path): is not valid WebAssembly text: \(error.message.firstLine)")
      }
    }
    if bytes.count >= 8, bytes[4...7].elementsEqual([0x0d, 0x00, 0x01, 0x00]) {
      throw LoadError(
        description: "\(path): is a WebAssembly component; core modules are supported, components are not yet")
    }
    return bytes
  }

  private static func reason(of error: any Error) -> String {
    let code = (error as NSError).userInfo[NSUnderlyingErrorKey].map { ($0 as? NSError)?.code ?? 0 } ?? 0
    return code == 0 ? "no such file, or no permission" : String(cString: strerror(Int32(code)))
  }

  private static func checkExports(of module: Module, path: String) throws {
    let exports = module.exports
    guard let start = exports.first(where: { $0.name == "_start" }) else {
      throw LoadError(description: "\(path): exports no `_start`; a Compute program is a WASI command")
    }
    guard start.signature == Module.Signature(params: [], results: []) else {
      throw LoadError(description: "\(path): `_start` must take and return nothing")
    }
    guard exports.contains(where: { $0.name == "memory" }) else {
      throw LoadError(description: "\(path): exports no `memory`")
    }
  }
}

extension String {
  /// Wasmtime's messages go on with causes; the first line names the problem.
  var firstLine: String { split(separator: "\n").prefix(3).joined(separator: " ") }
}
