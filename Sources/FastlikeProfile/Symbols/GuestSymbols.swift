/// Names for the functions of one module: what its name section says, made readable, and where its debug information has
/// them in the source.
public struct GuestSymbols: Sendable {
  /// What frames name as their module.
  public let moduleName: String
  private let names: [UInt32: String]
  private let origins: FunctionOrigins

  /// No names: functions are `module!func[index]`.
  public init(moduleName: String) {
    self.moduleName = moduleName
    names = [:]
    origins = .empty
  }

  /// Reads a module's names and debug information. What of it is damaged or missing is left out.
  /// - Parameter module: The WebAssembly file, or the same program with its symbols.
  public init(module: [UInt8], moduleName: String) {
    self.moduleName = moduleName
    var names: [UInt32: String] = [:]
    if let symbols = try? ModuleSymbols(module: module) {
      // Exports name the few functions that a stripped module still tells of.
      for export in symbols.exports where export.kind == "func" { names[export.index] = export.name }
      for function in symbols.functions where !function.name.isEmpty { names[function.index] = function.name }
    }
    self.names = names
    origins = FunctionOrigins(module: module)
  }

  /// The function of an index, imports included.
  public func frame(of function: UInt32) -> StackFrame {
    let name = names[function].map { SymbolName.readable($0) } ?? unnamed(function)
    let origin = origins[function]
    return StackFrame(
      name: PrintableText.bounded(name, to: StackFrame.maximumNameBytes), module: moduleName, kind: .guest,
      file: origin?.file ?? "", line: origin?.line ?? 0)
  }

  private func unnamed(_ function: UInt32) -> String {
    "\(moduleName.isEmpty ? "module" : moduleName)!func[\(function)]"
  }
}

extension GuestSymbols {
  /// Whether two modules have the same functions in the same order, byte for byte, as a program has before and after it was
  /// stripped.
  public static func haveSameCode(_ first: [UInt8], _ second: [UInt8]) -> Bool {
    let sections = (ModuleSections(first), ModuleSections(second))
    return !sections.0.code.isEmpty && sections.0.importedFunctions == sections.1.importedFunctions
      && first[sections.0.code] == second[sections.1.code]
  }
}
