/// Rust's own mangling, `_R…` (RFC 2603). Crates are named without their hash.
struct RustV0Demangler {
  /// Nested deeper, or longer, a symbol is no name for people; back references could make it grow without end.
  private static let maximumDepth = 64
  private static let maximumOutput = 4096

  private struct Malformed: Error {}

  private let bytes: [UInt8]
  private var place: Int
  private var depth = 0
  private var output: [UInt8] = []
  /// Lifetimes that enclosing `for<…>` bind.
  private var boundLifetimes: UInt64 = 0

  static func demangle(_ symbol: String) -> String? {
    let bytes = Array(symbol.utf8)
    let start = bytes.starts(with: "_R".utf8) ? 2 : bytes.starts(with: "__R".utf8) ? 3 : 0
    // What follows is a path, whose tags are capitals.
    guard start > 0, start < bytes.count, (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(bytes[start]) else {
      return nil
    }
    // Back references count from behind the prefix; a suffix of the linker's begins with a dot.
    let content = bytes[start...].prefix { $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "$") }
    guard content.allSatisfy({ $0 < 0x80 }) else { return nil }
    var demangler = RustV0Demangler(bytes: Array(content), place: 0)
    do {
      try demangler.path(inValue: true)
    } catch {
      return nil
    }
    return String(decoding: demangler.output, as: UTF8.self)
  }

  private init(bytes: [UInt8], place: Int) {
    self.bytes = bytes
    self.place = place
  }

  // MARK: Reading

  private var peeked: UInt8? { place < bytes.count ? bytes[place] : nil }

  private mutating func next() throws -> UInt8 {
    guard let byte = peeked else { throw Malformed() }
    place += 1
    return byte
  }

  private mutating func eat(_ character: Unicode.Scalar) -> Bool {
    guard peeked == UInt8(ascii: character) else { return false }
    place += 1
    return true
  }

  private mutating func base62() throws -> UInt64 {
    if eat("_") { return 0 }
    var value: UInt64 = 0
    while true {
      let byte = try next()
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = byte - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = byte - UInt8(ascii: "A") + 36
      case UInt8(ascii: "_"):
        guard value < .max else { throw Malformed() }
        return value + 1
      default: throw Malformed()
      }
      // Crates' hashes fill the 64 bits.
      let (product, isTooLarge) = value.multipliedReportingOverflow(by: 62)
      let (sum, isBeyond) = product.addingReportingOverflow(UInt64(digit))
      guard !isTooLarge, !isBeyond else { throw Malformed() }
      value = sum
    }
  }

  /// A number behind a tag, one more than written; 0 without the tag.
  private mutating func optionalNumber(_ tag: Unicode.Scalar) throws -> UInt64 {
    guard eat(tag) else { return 0 }
    let number = try base62()
    guard number < .max else { throw Malformed() }
    return number + 1
  }

  private mutating func decimal() throws -> Int {
    guard let first = peeked, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { throw Malformed() }
    place += 1
    var value = Int(first - UInt8(ascii: "0"))
    if value == 0 { return 0 }
    while let byte = peeked, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
      value = value * 10 + Int(byte - UInt8(ascii: "0"))
      guard value <= bytes.count else { throw Malformed() }
      place += 1
    }
    return value
  }

  private mutating func identifier() throws -> [UInt8] {
    let isEncoded = eat("u")
    let length = try decimal()
    _ = eat("_")
    guard length <= bytes.count - place else { throw Malformed() }
    defer { place += length }
    let raw = bytes[place..<(place + length)]
    return isEncoded
      ? Array((Punycode.decoded(raw) ?? "punycode{\(String(decoding: raw, as: UTF8.self))}").utf8) : Array(raw)
  }

  // MARK: Writing

  private mutating func write(_ text: String) throws {
    output.append(contentsOf: text.utf8)
    guard output.count <= Self.maximumOutput else { throw Malformed() }
  }

  private mutating func write(_ text: [UInt8]) throws {
    output.append(contentsOf: text)
    guard output.count <= Self.maximumOutput else { throw Malformed() }
  }

  /// Goes on at an earlier place and comes back.
  private mutating func backReference(_ body: (inout RustV0Demangler) throws -> Void) throws {
    let here = place - 1
    let target = try base62()
    guard let target = Int(exactly: target), target < here else { throw Malformed() }
    let after = place
    place = target
    try nested(body)
    place = after
  }

  private mutating func nested(_ body: (inout RustV0Demangler) throws -> Void) throws {
    depth += 1
    guard depth <= Self.maximumDepth else { throw Malformed() }
    try body(&self)
    depth -= 1
  }

  /// Reads without writing.
  private mutating func silently(_ body: (inout RustV0Demangler) throws -> Void) throws {
    let before = output
    try nested(body)
    output = before
  }

  // MARK: Paths

  /// - Parameter inValue: Whether generic arguments follow `::`, as in expressions.
  private mutating func path(inValue: Bool) throws {
    try nested { try $0.pathContent(inValue: inValue) }
  }

  private mutating func pathContent(inValue: Bool) throws {
    switch try next() {
    case UInt8(ascii: "C"):
      _ = try optionalNumber("s")
      try write(try identifier())
    case UInt8(ascii: "N"): try nestedPath(inValue: inValue)
    case UInt8(ascii: "M"):
      try implPath()
      try write("<")
      try type()
      try write(">")
    case UInt8(ascii: "X"):
      try implPath()
      try traitPath()
    case UInt8(ascii: "Y"): try traitPath()
    case UInt8(ascii: "I"):
      try path(inValue: inValue)
      try write(inValue ? "::<" : "<")
      try list(", ") { try $0.genericArgument() }
      try write(">")
    case UInt8(ascii: "B"): try backReference { try $0.path(inValue: inValue) }
    default: throw Malformed()
    }
  }

  private mutating func implPath() throws {
    _ = try optionalNumber("s")
    try silently { try $0.path(inValue: false) }
  }

  private mutating func traitPath() throws {
    try write("<")
    try type()
    try write(" as ")
    try path(inValue: false)
    try write(">")
  }

  private mutating func nestedPath(inValue: Bool) throws {
    let namespace = try next()
    try path(inValue: inValue)
    let disambiguator = try optionalNumber("s")
    let name = try identifier()
    guard (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(namespace) else {
      if !name.isEmpty {
        try write("::")
        try write(name)
      }
      return
    }
    let kind: String
    switch namespace {
    case UInt8(ascii: "C"): kind = "closure"
    case UInt8(ascii: "S"): kind = "shim"
    default: kind = String(Unicode.Scalar(namespace))
    }
    try write("::{" + kind)
    if !name.isEmpty {
      try write(":")
      try write(name)
    }
    try write("#\(disambiguator)}")
  }

  private mutating func list(_ separator: String, _ element: (inout RustV0Demangler) throws -> Void) throws {
    var isFirst = true
    while !eat("E") {
      if !isFirst { try write(separator) }
      isFirst = false
      try element(&self)
    }
  }

  private mutating func genericArgument() throws {
    if eat("L") {
      try lifetime(try base62())
    } else if eat("K") {
      try constant()
    } else {
      try type()
    }
  }

  private mutating func lifetime(_ index: UInt64) throws {
    guard index > 0 else { return try write("'_") }
    guard index <= boundLifetimes else { throw Malformed() }
    let letter = boundLifetimes - index
    try write(letter < 26 ? "'" + String(Unicode.Scalar(UInt8(ascii: "a") + UInt8(letter))) : "'_\(letter)")
  }

  // MARK: Types

  private static let basicTypes: [UInt8: String] = [
    UInt8(ascii: "a"): "i8", UInt8(ascii: "b"): "bool", UInt8(ascii: "c"): "char", UInt8(ascii: "d"): "f64",
    UInt8(ascii: "e"): "str", UInt8(ascii: "f"): "f32", UInt8(ascii: "h"): "u8", UInt8(ascii: "i"): "isize",
    UInt8(ascii: "j"): "usize", UInt8(ascii: "l"): "i32", UInt8(ascii: "m"): "u32", UInt8(ascii: "n"): "i128",
    UInt8(ascii: "o"): "u128", UInt8(ascii: "s"): "i16", UInt8(ascii: "t"): "u16", UInt8(ascii: "u"): "()",
    UInt8(ascii: "v"): "...", UInt8(ascii: "x"): "i64", UInt8(ascii: "y"): "u64", UInt8(ascii: "z"): "!",
    UInt8(ascii: "p"): "_",
  ]

  private mutating func type() throws {
    try nested { try $0.typeContent() }
  }

  private mutating func typeContent() throws {
    let tag = try next()
    if let basic = Self.basicTypes[tag] { return try write(basic) }
    switch tag {
    case UInt8(ascii: "A"):
      try write("[")
      try type()
      try write("; ")
      try constant()
      try write("]")
    case UInt8(ascii: "S"):
      try write("[")
      try type()
      try write("]")
    case UInt8(ascii: "T"):
      try write("(")
      var count = 0
      try list(", ") {
        count += 1
        try $0.type()
      }
      try write(count == 1 ? ",)" : ")")
    case UInt8(ascii: "R"), UInt8(ascii: "Q"):
      try write("&")
      if eat("L") {
        let index = try base62()
        if index > 0 {
          try lifetime(index)
          try write(" ")
        }
      }
      if tag == UInt8(ascii: "Q") { try write("mut ") }
      try type()
    case UInt8(ascii: "P"), UInt8(ascii: "O"):
      try write(tag == UInt8(ascii: "P") ? "*const " : "*mut ")
      try type()
    case UInt8(ascii: "F"): try binding { try $0.functionSignature() }
    case UInt8(ascii: "D"):
      try write("dyn ")
      try binding { try $0.list(" + ") { try $0.dynamicTrait() } }
      guard eat("L") else { throw Malformed() }
      let index = try base62()
      if index > 0 {
        try write(" + ")
        try lifetime(index)
      }
    case UInt8(ascii: "B"): try backReference { try $0.type() }
    default:
      place -= 1
      try path(inValue: false)
    }
  }

  /// `for<'a, …>` around what follows.
  private mutating func binding(_ body: (inout RustV0Demangler) throws -> Void) throws {
    let count = try optionalNumber("G")
    guard count <= 64 else { throw Malformed() }
    let before = boundLifetimes
    if count > 0 {
      try write("for<")
      for index in 0..<count {
        if index > 0 { try write(", ") }
        boundLifetimes += 1
        try lifetime(1)
      }
      try write("> ")
    }
    try body(&self)
    boundLifetimes = before
  }

  private mutating func functionSignature() throws {
    if eat("U") { try write("unsafe ") }
    if eat("K") {
      let abi = eat("C") ? Array("C".utf8) : try identifier().map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : $0 }
      try write("extern \"")
      try write(abi)
      try write("\" ")
    }
    try write("fn(")
    try list(", ") { try $0.type() }
    try write(")")
    if eat("u") { return }
    try write(" -> ")
    try type()
  }

  /// A trait whose generic arguments and associated types share their angle brackets.
  private mutating func dynamicTrait() throws {
    try path(inValue: false)
    var isOpen = false
    while eat("p") {
      if !isOpen, output.last == UInt8(ascii: ">") {
        output.removeLast()
        try write(", ")
      } else {
        try write(isOpen ? ", " : "<")
      }
      isOpen = true
      try write(try identifier())
      try write(" = ")
      try type()
    }
    if isOpen { try write(">") }
  }

  // MARK: Constants

  private mutating func constant() throws {
    try nested { try $0.constantContent() }
  }

  private mutating func constantContent() throws {
    let tag = try next()
    switch tag {
    case UInt8(ascii: "p"): try write("_")
    case UInt8(ascii: "B"): try backReference { try $0.constant() }
    case UInt8(ascii: "b"):
      let digits = try hexadecimal()
      try write(digits == "0" ? "false" : digits == "1" ? "true" : "0x" + digits)
    case UInt8(ascii: "c"):
      let digits = try hexadecimal()
      guard let value = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(value) else { throw Malformed() }
      try write("'" + scalar.escaped(asASCII: false) + "'")
    default:
      // Numbers; constants of other types are not stable yet.
      guard Self.basicTypes[tag] != nil, "ahijlmnostxy".utf8.contains(tag) else { throw Malformed() }
      if eat("n") { try write("-") }
      let digits = try hexadecimal()
      try write(UInt64(digits, radix: 16).map { String($0) } ?? "0x" + digits)
    }
  }

  private mutating func hexadecimal() throws -> String {
    var digits = ""
    while !eat("_") {
      let byte = try next()
      guard
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
      else { throw Malformed() }
      digits.unicodeScalars.append(Unicode.Scalar(byte))
    }
    return digits.isEmpty ? "0" : digits
  }
}
