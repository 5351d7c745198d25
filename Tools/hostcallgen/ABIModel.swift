import Foundation

/// One importable function, as `hostcalls.json` has it.
struct Function: Decodable {
  struct Parameter: Decodable {
    var name: String
    var type: String
    var wasm: String
    var dir: String
    var len: String?
    var fixedLength: Int?
    var optional: Bool?

    enum CodingKeys: String, CodingKey {
      case name, type, wasm, dir, len, optional
      case fixedLength = "fixed_len"
    }
  }

  struct Output: Decodable {
    var name: String
    var conditional: Bool?
    /// The statuses with which it is written.
    var writtenOn: [String]?

    enum CodingKeys: String, CodingKey {
      case name, conditional
      case writtenOn = "written_on"
    }
  }

  struct Variant: Decodable {
    var wasm: [String]
    var target: String

    enum CodingKeys: String, CodingKey {
      case wasm
      case target = "legacy_alias_of"
    }
  }

  var module: String
  var name: String
  var params: [Parameter]
  var results: [String]
  var out: [Output]
  var mayBlock: Bool
  var aliasOf: String?
  var variants: [Variant]?

  enum CodingKeys: String, CodingKey {
    case module, name, params, results, out, variants
    case mayBlock = "may_block"
    case aliasOf = "legacy_alias_of"
  }

  var qualifiedName: String { module + "." + name }
  var isWASI: Bool { module == "wasi_snapshot_preview1" }
}

/// The types of the ABI, as `types.json` has them.
struct Types: Decodable {
  struct Named: Decodable {
    var name: String
    var type: String?
    var repr: String?
    var bool: Bool?
  }

  struct Member: Decodable {
    var name: String
    var value: UInt64
  }

  struct Enumeration: Decodable {
    var name: String
    var repr: String
    var members: [Member]
  }

  struct FlagSet: Decodable {
    var name: String
    var repr: String
    var bits: [Member]
  }

  struct Structure: Decodable {
    struct Field: Decodable {
      var name: String
      var type: String
      var offset: Int
      var len: String?
    }
    var name: String
    var size: Int
    var align: Int
    var fields: [Field]
  }

  struct WASI: Decodable {
    var aliases: [Named]
    var enums: [Enumeration]
    var flags: [FlagSet]
    var structs: [Structure]
  }

  var handles: [Named]
  var aliases: [Named]
  var enums: [Enumeration]
  var flags: [FlagSet]
  var structs: [Structure]
  var wasi: WASI
}

/// A group of functions that this host does not serve as the platform does, and why.
struct Unsupported: Decodable {
  var functions: [String]
  /// `pending` until it is served, `local` where the answer here is final.
  var state: String
  var reason: String
  /// Whether the host answers itself rather than with `unsupported`.
  var answered: Bool?

  func covers(_ name: String) -> Bool {
    functions.contains { pattern in
      pattern.hasSuffix("*") ? name.hasPrefix(pattern.dropLast()) : name == pattern
    }
  }
}

/// Swift spellings of ABI names.
enum Spelling {
  private static let acronyms: Set<String> = [
    "http", "tls", "kv", "acl", "dns", "ip", "wasi", "uri", "ttl", "pci", "ja3", "ja4", "sni", "ssl",
  ]

  private static func words(_ name: String) -> [Substring] {
    name.replacingOccurrences(of: ".", with: "_").split(separator: "_")
  }

  static func typeName(_ name: String) -> String {
    words(name).map { acronyms.contains(String($0)) ? $0.uppercased() : $0.prefix(1).uppercased() + $0.dropFirst() }
      .joined()
  }

  /// `http_11` → `http11`; a name that begins with a digit gets an `e`, as in C's `E2BIG`.
  static func memberName(_ name: String) -> String {
    let words = words(name)
    let text =
      String(words[0])
      + words.dropFirst().map {
        acronyms.contains(String($0)) ? $0.uppercased() : $0.prefix(1).uppercased() + $0.dropFirst()
      }.joined()
    if text.first?.isNumber == true { return "e" + text }
    return ["default", "init", "in"].contains(text) ? "`\(text)`" : text
  }

  /// `fastly_http_body`, `read` → `httpBodyRead`.
  static func methodName(_ function: Function) -> String {
    var module = function.module
    if module == "wasi_snapshot_preview1" { module = "wasi" }
    if module.hasPrefix("fastly_") { module = String(module.dropFirst("fastly_".count)) }
    return memberName(module + "_" + function.name).replacingOccurrences(of: "`", with: "")
  }

  static func protocolName(_ module: String) -> String {
    if module == "wasi_snapshot_preview1" { return "WASIHostcalls" }
    let short = module.hasPrefix("fastly_") ? String(module.dropFirst("fastly_".count)) : module
    return typeName(short) + "Hostcalls"
  }

  static func parameterName(_ name: String) -> String {
    var text = name
    for suffix in ["_ptr", "_out"] where text.hasSuffix(suffix) { text.removeLast(suffix.count) }
    let names = [
      "h": "handle", "b": "body", "hs": "handles", "in": "subscriptions", "sk": "surrogate_keys", "rc": "rate_counter",
      "protocol": "tls_protocol",
      "pb": "penalty_box",
    ]
    return memberName(names[text] ?? text)
  }
}
