internal import CWasmtime
public import Wasmtime

/// Every function of the ABI, in the order of `hostcalls.json`, with what this host does for it.
public enum HostcallTable {
  /// What a guest that calls the function gets.
  public enum State: Sendable, Equatable {
    case implemented
    /// There is no platform behind a local host to ask; the answer and its reason are final.
    case localAnswer(String)
    /// Not served yet: answers `unsupported`.
    case unsupported(String)
  }

  /// One importable function.
  public struct Entry: Sendable {
    public let module: String
    public let name: String
    public let signature: Module.Signature
    public let state: State
    /// The index under which the trace knows the function; an alias has its target's.
    public let index: UInt16
    /// The function that this one is an older name of, as `module.name`.
    public let aliasOf: String?
    /// Whether the host has an answer of its own, rather than `unsupported` alone.
    public let isServed: Bool
    /// The status is one of WASI's.
    public let isWASI: Bool
    let thunk: Thunk
    /// Other signatures under which guests import the same name.
    let variants: [(signature: Module.Signature, thunk: Thunk)]
  }

  enum Thunk: Sendable {
    case immediate(wasmtime_func_unchecked_callback_t)
    case blocking(wasmtime_func_async_callback_t)
  }

  /// Why a module cannot be linked.
  public struct LinkError: Error, CustomStringConvertible, Sendable {
    /// `module.name` of imports that are not in the table.
    public var unknown: [String]
    /// `module.name` of imports whose signature is not the table's.
    public var mismatched: [String]

    public var description: String {
      var parts: [String] = []
      if !unknown.isEmpty { parts.append("unknown imports: " + unknown.joined(separator: ", ")) }
      if !mismatched.isEmpty { parts.append("imports of another type: " + mismatched.joined(separator: ", ")) }
      return parts.joined(separator: "; ")
    }
  }

  private struct Key: Hashable {
    var module: String
    var name: String
  }

  private static let positions: [Key: Int] = Dictionary(
    uniqueKeysWithValues: entries.enumerated().map { (Key(module: $1.module, name: $1.name), $0) })

  /// The entry of one import.
  public static func entry(module: String, name: String) -> Entry? {
    positions[Key(module: module, name: name)].map { entries[$0] }
  }

  /// `module.name` for each trace index; 0, and the places of aliases, are the sentinel for a function that is not known.
  public static let traceNames: [String] = {
    var names = Array(repeating: "unknown", count: entries.count + 1)
    for entry in entries where entry.aliasOf == nil { names[Int(entry.index)] = entry.module + "." + entry.name }
    return names
  }()

  /// Resolves a module's imports against the table. Throws ``LinkError`` naming every import that cannot be resolved;
  /// with `trapOnUnknown` those trap when they are called instead.
  public static func prepare(_ module: Module, engine: Engine, trapOnUnknown: Bool) throws -> PreparedModule {
    let linker = Linker(engine: engine)
    var error = LinkError(unknown: [], mismatched: [])
    var defined: Set<Key> = []
    for item in module.imports {
      let key = Key(module: item.module, name: item.name)
      let thunk: Thunk
      if let entry = entry(module: item.module, name: item.name) {
        guard let found = item.signature.flatMap({ self.thunk(of: entry, as: $0) }) else {
          error.mismatched.append(item.module + "." + item.name)
          continue
        }
        thunk = found
      } else if let found = WASIRemainder.thunk(module: item.module, name: item.name, signature: item.signature) {
        thunk = found
      } else {
        error.unknown.append(item.module + "." + item.name)
        continue
      }
      guard defined.insert(key).inserted, let signature = item.signature else { continue }
      switch thunk {
      case .immediate(let callback):
        try linker.define(module: item.module, name: item.name, signature: signature, callback: callback)
      case .blocking(let callback):
        try linker.defineAsync(module: item.module, name: item.name, signature: signature, callback: callback)
      }
    }
    if !error.mismatched.isEmpty || (!error.unknown.isEmpty && !trapOnUnknown) { throw error }
    if !error.unknown.isEmpty { try linker.defineUnknownImportsAsTraps(of: module) }
    return try linker.preInstantiate(module)
  }

  private static func thunk(of entry: Entry, as signature: Module.Signature) -> Thunk? {
    if entry.signature == signature { return entry.thunk }
    return entry.variants.first { $0.signature == signature }?.thunk
  }
}
