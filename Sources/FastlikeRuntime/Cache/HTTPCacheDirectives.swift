/// The directives of `Cache-Control` or `Surrogate-Control`, over all fields of the name (RFC 9111 §5.2).
struct HTTPCacheDirectives: Equatable {
  /// In order, names in lower case; the argument without its quotes, nil where there is none.
  private var list: [(name: String, argument: String?)] = []

  init(_ name: String, in headers: HeaderList) {
    for index in headers.indices(of: name.utf8) { read(headers.value(at: index)) }
  }

  var isEmpty: Bool { list.isEmpty }

  func contains(_ name: String) -> Bool { list.contains { $0.name == name } }

  /// Whether the directive is there without naming fields. `no-cache="set-cookie"` and `private="…"` are about these fields
  /// only (RFC 9111 §5.2.2.4, §5.2.2.7).
  func containsUnqualified(_ name: String) -> Bool { list.contains { $0.name == name && $0.argument == nil } }

  /// The fields that the directive names, in lower case.
  func fieldNames(of name: String) -> [String] {
    list.filter { $0.name == name }.compactMap(\.argument).flatMap { argument in
      argument.lowercased().split { $0 == "," || $0 == " " || $0 == "\t" }.map(String.init)
    }
  }

  /// A directive's delta-seconds. The first one counts, one that is no number is 0, so that the response is stale (RFC 9111
  /// §4.2.1), and one that is too large is 2³¹ (§1.2.2). Nil without the directive.
  func seconds(_ name: String) -> Int64? {
    guard let found = list.first(where: { $0.name == name }) else { return nil }
    guard let argument = found.argument, !argument.isEmpty, argument.utf8.allSatisfy({ $0 &- 0x30 < 10 }) else {
      return 0
    }
    return min(Int64(argument) ?? HTTPCacheDirectives.longest, HTTPCacheDirectives.longest)
  }

  /// What stands for numbers that are too large (RFC 9111 §1.2.2).
  static let longest: Int64 = 1 << 31

  /// Cuts a field's value at commas outside of quoted strings.
  private mutating func read(_ value: ArraySlice<UInt8>) {
    var rest = value
    while !rest.isEmpty {
      var isQuoted = false
      var isEscaped = false
      let end =
        rest.firstIndex { byte in
          if isEscaped {
            isEscaped = false
          } else if byte == UInt8(ascii: "\\"), isQuoted {
            isEscaped = true
          } else if byte == UInt8(ascii: "\"") {
            isQuoted.toggle()
          }
          return byte == UInt8(ascii: ",") && !isQuoted
        } ?? rest.endIndex
      add(WireSyntax.trimmed(rest[..<end]))
      rest = rest[end...].dropFirst()
    }
  }

  private mutating func add(_ directive: ArraySlice<UInt8>) {
    let name = WireSyntax.trimmed(directive.prefix { $0 != UInt8(ascii: "=") })
    guard !name.isEmpty else { return }
    var argument: String?
    if let sign = directive.firstIndex(of: UInt8(ascii: "=")) {
      argument = unquoted(WireSyntax.trimmed(directive[(sign + 1)...]))
    }
    list.append((String(decoding: name, as: UTF8.self).lowercased(), argument))
  }

  /// Both forms are accepted for every directive (RFC 9111 §5.2).
  private func unquoted(_ text: ArraySlice<UInt8>) -> String {
    guard text.count >= 2, text.first == UInt8(ascii: "\""), text.last == UInt8(ascii: "\"") else {
      return String(decoding: text, as: UTF8.self)
    }
    var plain: [UInt8] = []
    var isEscaped = false
    for byte in text.dropFirst().dropLast() {
      if byte == UInt8(ascii: "\\"), !isEscaped {
        isEscaped = true
      } else {
        plain.append(byte)
        isEscaped = false
      }
    }
    return String(decoding: plain, as: UTF8.self)
  }

  static func == (left: HTTPCacheDirectives, right: HTTPCacheDirectives) -> Bool {
    left.list.elementsEqual(right.list) { $0 == $1 }
  }
}
