public import CWasmtime

/// The host functions that modules may import. Filled once for each engine, then only read.
///
/// After it was filled it is only read, which Wasmtime allows from any thread, hence `@unchecked Sendable`.
public final class Linker: @unchecked Sendable {
  private let pointer: OpaquePointer
  private let engine: Engine

  public init(engine: Engine) {
    self.engine = engine
    pointer = wasmtime_linker_new(engine.pointer)!
  }

  deinit { wasmtime_linker_delete(pointer) }

  /// Defines a function that never waits.
  public func define(
    module: String, name: String, signature: Module.Signature, callback: wasmtime_func_unchecked_callback_t
  ) throws(WasmtimeError) {
    let type = Linker.functionType(signature)
    defer { wasm_functype_delete(type) }
    try WasmtimeError.check(
      wasmtime_linker_define_func_unchecked(
        pointer, module, module.utf8.count, name, name.utf8.count, type, callback, nil, nil))
  }

  /// Defines a function that may suspend its guest.
  public func defineAsync(
    module: String, name: String, signature: Module.Signature, callback: wasmtime_func_async_callback_t
  ) throws(WasmtimeError) {
    let type = Linker.functionType(signature)
    defer { wasm_functype_delete(type) }
    try WasmtimeError.check(
      wasmtime_linker_define_async_func(
        pointer, module, module.utf8.count, name, name.utf8.count, type, callback, nil, nil))
  }

  /// Lets imports that nothing defines trap when they are called, instead of refusing the module.
  public func defineUnknownImportsAsTraps(of module: Module) throws(WasmtimeError) {
    try WasmtimeError.check(wasmtime_linker_define_unknown_imports_as_traps(pointer, module.pointer))
  }

  /// Resolves a module's imports once, so that each instance is made without looking up names.
  public func preInstantiate(_ module: Module) throws(WasmtimeError) -> PreparedModule {
    var pre: OpaquePointer?
    try WasmtimeError.check(wasmtime_linker_instantiate_pre(pointer, module.pointer, &pre))
    return PreparedModule(pointer: pre!, module: module, engine: engine)
  }

  private static func functionType(_ signature: Module.Signature) -> OpaquePointer {
    var params = vector(signature.params)
    var results = vector(signature.results)
    return wasm_functype_new(&params, &results)
  }

  private static func vector(_ types: [WasmValueType]) -> wasm_valtype_vec_t {
    let pointers: [OpaquePointer?] = types.map { wasm_valtype_new($0.rawValue) }
    var vector = wasm_valtype_vec_t()
    wasm_valtype_vec_new(&vector, pointers.count, pointers)
    return vector
  }
}

/// A module whose imports are resolved.
///
/// Immutable and internally synchronised by Wasmtime, hence `@unchecked Sendable`.
public final class PreparedModule: @unchecked Sendable {
  let pointer: OpaquePointer
  let engine: Engine
  public let module: Module
  /// The one that ``pointer`` belongs to; nil is this one.
  private let owner: PreparedModule?

  init(pointer: OpaquePointer, module: Module, engine: Engine) {
    self.pointer = pointer
    self.module = module
    self.engine = engine
    owner = nil
  }

  /// The same module in an object of its own. A thread that runs guests of one does not wait for the others to count their
  /// references to it.
  public init(sharing other: PreparedModule) {
    pointer = other.pointer
    engine = other.engine
    module = other.module
    owner = other.owner ?? other
  }

  deinit {
    if owner == nil { wasmtime_instance_pre_delete(pointer) }
  }
}
