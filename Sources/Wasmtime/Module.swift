internal import CWasmtime

/// The core types that a hostcall's parameters and results have.
public enum WasmValueType: UInt8, Sendable, Hashable {
  case i32 = 0
  case i64 = 1
}

/// A compiled WebAssembly module.
///
/// Wasmtime's modules are immutable and internally synchronised, hence `@unchecked Sendable`.
public final class Module: @unchecked Sendable {
  /// One import, in the module's order.
  public struct Import: Sendable, Hashable {
    public var module: String
    public var name: String
    /// Nil for an import that is not a function, or has types that no hostcall has.
    public var signature: Signature?
  }

  /// A function's type in terms that hostcalls use.
  public struct Signature: Sendable, Hashable {
    public var params: [WasmValueType]
    public var results: [WasmValueType]

    public init(params: [WasmValueType], results: [WasmValueType]) {
      self.params = params
      self.results = results
    }
  }

  let pointer: OpaquePointer
  private let engine: Engine

  /// Compiles a binary module.
  public init(engine: Engine, bytes: [UInt8]) throws(WasmtimeError) {
    var module: OpaquePointer?
    try WasmtimeError.check(wasmtime_module_new(engine.pointer, bytes, bytes.count, &module))
    pointer = module!
    self.engine = engine
  }

  /// Maps a file that ``serialized()`` wrote. The file must be one of ours: foreign machine code is not verified.
  public init(engine: Engine, serializedFile path: String) throws(WasmtimeError) {
    var module: OpaquePointer?
    try WasmtimeError.check(wasmtime_module_deserialize_file(engine.pointer, path, &module))
    pointer = module!
    self.engine = engine
  }

  deinit { wasmtime_module_delete(pointer) }

  /// The compiled code in Wasmtime's own format, valid for this version, this machine and these settings.
  public func serialized() throws(WasmtimeError) -> [UInt8] {
    var vector = wasm_byte_vec_t()
    try WasmtimeError.check(wasmtime_module_serialize(pointer, &vector))
    defer { wasm_byte_vec_delete(&vector) }
    return Array(UnsafeBufferPointer(start: vector.data, count: vector.size))
  }

  public var imports: [Import] {
    var vector = wasm_importtype_vec_t()
    wasmtime_module_imports(pointer, &vector)
    defer { wasm_importtype_vec_delete(&vector) }
    return (0..<vector.size).compactMap { index in
      guard let type = vector.data[index] else { return nil }
      return Import(
        module: String(wasm: wasm_importtype_module(type).pointee),
        name: String(wasm: wasm_importtype_name(type).pointee),
        signature: Module.signature(of: wasm_importtype_type(type)))
    }
  }

  /// The names of the exports with their signatures, nil for what is not a function of hostcall types.
  public var exports: [(name: String, signature: Signature?)] {
    var vector = wasm_exporttype_vec_t()
    wasmtime_module_exports(pointer, &vector)
    defer { wasm_exporttype_vec_delete(&vector) }
    return (0..<vector.size).compactMap { index in
      guard let type = vector.data[index] else { return nil }
      return (
        String(wasm: wasm_exporttype_name(type).pointee), Module.signature(of: wasm_exporttype_type(type))
      )
    }
  }

  private static func signature(of type: OpaquePointer?) -> Signature? {
    guard let type, wasm_externtype_kind(type) == WASM_EXTERN_FUNC,
      let function = wasm_externtype_as_functype_const(type),
      let params = types(wasm_functype_params(function).pointee),
      let results = types(wasm_functype_results(function).pointee)
    else { return nil }
    return Signature(params: params, results: results)
  }

  private static func types(_ vector: wasm_valtype_vec_t) -> [WasmValueType]? {
    var types: [WasmValueType] = []
    for index in 0..<vector.size {
      guard let type = WasmValueType(rawValue: wasm_valtype_kind(vector.data[index])) else { return nil }
      types.append(type)
    }
    return types
  }

  /// Translates WebAssembly text to a binary module.
  public static func binary(fromText text: String) throws(WasmtimeError) -> [UInt8] {
    var vector = wasm_byte_vec_t()
    try WasmtimeError.check(wasmtime_wat2wasm(text, text.utf8.count, &vector))
    defer { wasm_byte_vec_delete(&vector) }
    return Array(UnsafeBufferPointer(start: vector.data, count: vector.size))
  }
}
