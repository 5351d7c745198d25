internal import Foundation

/// Swift's names, read by the demangler of the Swift runtime in this process. It is looked up, so that a runtime without it
/// costs nothing but the readable names.
enum SwiftDemangler {
  private typealias Function =
    @convention(c) (
      UnsafePointer<CChar>?, Int, UnsafeMutablePointer<CChar>?, UnsafeMutablePointer<Int>?, UInt32
    ) -> UnsafeMutablePointer<CChar>?

  private static let function = RuntimeFunction.find("swift_demangle", as: Function.self)

  static func demangle(_ symbol: String) -> String? {
    let prefixes = ["$s", "$S", "$e", "_$s", "_$S", "_$e", "_T0"]
    guard prefixes.contains(where: symbol.hasPrefix), let function else { return nil }
    let result = symbol.withCString { function($0, symbol.utf8.count, nil, nil, 0) }
    guard let result else { return nil }
    defer { free(result) }
    return withoutNoise(String(cString: result))
  }

  /// Without the standard library's name before its types, which are what they are called, and without what the optimizer did
  /// to the function, which says more than its name does.
  static func withoutNoise(_ name: String) -> String {
    var rest = name[...]
    while let start = specializations.first(where: rest.hasPrefix),
      let end = endOfBrackets(in: rest.dropFirst(start.count))
    {
      guard rest[end...].hasPrefix(" of ") else { break }
      rest = rest[end...].dropFirst(" of ".count)
    }
    return String(rest.replacing("Swift.", with: ""))
  }

  private static let specializations = [
    "function signature specialization <", "merged function signature specialization <",
  ]

  /// Behind the bracket that closes one which is open at the beginning.
  private static func endOfBrackets(in text: Substring) -> Substring.Index? {
    var depth = 1
    var previous: Character = " "
    for index in text.indices {
      switch text[index] {
      case "<": depth += 1
      case ">" where previous != "-": depth -= 1
      default: break
      }
      if depth == 0 { return text.index(after: index) }
      previous = text[index]
    }
    return nil
  }
}

/// C++'s names, read by the demangler of its library, which is in this process for BoringSSL.
enum CPlusPlusDemangler {
  private typealias Function =
    @convention(c) (
      UnsafePointer<CChar>?, UnsafeMutablePointer<CChar>?, UnsafeMutablePointer<Int>?, UnsafeMutablePointer<Int32>?
    ) -> UnsafeMutablePointer<CChar>?

  private static let function = RuntimeFunction.find("__cxa_demangle", as: Function.self)

  static func demangle(_ symbol: String) -> String? {
    guard symbol.hasPrefix("_Z") || symbol.hasPrefix("__Z"), let function else { return nil }
    let name = symbol.hasPrefix("__Z") ? String(symbol.dropFirst()) : symbol
    var status: Int32 = 0
    let result = name.withCString { function($0, nil, nil, &status) }
    guard let result else { return nil }
    defer { free(result) }
    return status == 0 ? String(cString: result) : nil
  }
}

enum RuntimeFunction {
  /// A C function of this process; nil without one. `Function` must be its type.
  static func find<Function>(_ name: String, as type: Function.Type) -> Function? {
    guard let process = dlopen(nil, RTLD_NOW), let symbol = dlsym(process, name) else { return nil }
    return unsafeBitCast(symbol, to: type)
  }
}
