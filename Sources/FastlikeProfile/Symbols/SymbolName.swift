/// Makes the names that compilers and linkers give to functions readable.
public enum SymbolName {
  /// Longer names are left as they are.
  static let maximumBytes = 4096

  /// The name as its language writes it: Rust (both manglings), Swift, C++; others, and what does not hold together, stay
  /// as they are.
  public static func readable(_ symbol: String) -> String {
    guard symbol.utf8.count <= maximumBytes else { return symbol }
    return RustV0Demangler.demangle(symbol) ?? RustLegacyDemangler.demangle(symbol) ?? SwiftDemangler.demangle(symbol)
      ?? CPlusPlusDemangler.demangle(symbol) ?? GoSymbolName.shortened(symbol) ?? symbol
  }
}
