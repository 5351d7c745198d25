/// Go's names, which are readable and long: the path of the package goes, its name stays.
enum GoSymbolName {
  /// Nil for what is not Go's.
  static func shortened(_ symbol: String) -> String? {
    let isPlain = symbol.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ":") }
    guard isPlain, symbol.contains(".") else { return nil }
    let short = withPointerReceiver(withoutPath(symbol))
    return short == symbol ? nil : short
  }

  /// `(*github.com/a/b.T).M` becomes `(*b.T).M`. Go's own compiler for WebAssembly writes underscores for slashes, so that
  /// of its names only the host's goes.
  private static func withoutPath(_ symbol: String) -> String {
    let head = symbol.prefix { $0 == "(" || $0 == "*" }
    var rest = symbol[head.endIndex...]
    let path = rest.prefix { $0 != "[" && $0 != "(" }
    if let slash = path.lastIndex(of: "/") {
      rest = rest[rest.index(after: slash)...]
    } else if rest.hasPrefix("github.com_") || rest.hasPrefix("golang.org_") {
      rest = rest.dropFirst(11)
    }
    return String(head) + rest
  }

  /// `net_http.__Request_.Write` is `net_http.(*Request).Write`: other characters than letters, digits and dots are
  /// underscores in the module.
  private static func withPointerReceiver(_ symbol: String) -> String {
    guard let start = symbol.firstRange(of: ".__"), let end = symbol[start.upperBound...].firstRange(of: "_.") else {
      return symbol
    }
    let type = symbol[start.upperBound..<end.lowerBound]
    guard !type.isEmpty, type.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }) else { return symbol }
    return "\(symbol[..<start.lowerBound]).(*\(type)).\(symbol[end.upperBound...])"
  }
}
