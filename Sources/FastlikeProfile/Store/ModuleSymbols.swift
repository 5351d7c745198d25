/// The names in a WebAssembly module: its exports and what its name section calls its functions.
public struct ModuleSymbols: Sendable, Hashable {
  /// One export.
  public struct Export: Sendable, Hashable {
    /// `func`, `table`, `memory`, `global` or `tag`.
    public var kind: String
    public var name: String
    /// In the index space of its kind.
    public var index: UInt32
  }

  /// One named function.
  public struct Function: Sendable, Hashable {
    /// In the module's function index space, imports first.
    public var index: UInt32
    public var name: String
  }

  /// The module's name of itself; empty when it has none.
  public var moduleName = ""
  /// In the order of the module.
  public var exports: [Export] = []
  /// In ascending order of their index; empty without a name section.
  public var functions: [Function] = []

  /// Reads a module. A damaged name section is left out, as engines do, because it is not part of what the module
  /// means.
  /// - Throws: ``ModuleSymbolsError`` when the bytes are no module, or its sections do not hold together.
  public init(module: [UInt8]) throws(ModuleSymbolsError) {
    var reader = Reader(bytes: module[...])
    guard module.starts(with: [0x00, 0x61, 0x73, 0x6D]) else {
      throw ModuleSymbolsError(offset: 0, reason: "not a WebAssembly binary")
    }
    guard module.dropFirst(4).starts(with: [1, 0, 0, 0]) else {
      throw ModuleSymbolsError(offset: 4, reason: "not a core module of version 1 (components have no symbols here)")
    }
    reader.skip(8)
    while !reader.isAtEnd {
      let id = try reader.byte()
      var section = try reader.block()
      switch id {
      case 0: if try section.name() == "name" { readNames(section) }
      case 7: try readExports(&section)
      default: break
      }
    }
  }

  private mutating func readExports(_ section: inout Reader) throws(ModuleSymbolsError) {
    let kinds = ["func", "table", "memory", "global", "tag"]
    let count = try section.number()
    for _ in 0..<count {
      let name = try section.name()
      let kind = Int(try section.byte())
      exports.append(
        Export(kind: kind < kinds.count ? kinds[kind] : "other", name: name, index: try section.number()))
    }
  }

  private mutating func readNames(_ section: Reader) {
    var section = section
    do throws(ModuleSymbolsError) {
      while !section.isAtEnd {
        let id = try section.byte()
        var part = try section.block()
        switch id {
        case 0: moduleName = try part.name()
        case 1:
          let count = try part.number()
          for _ in 0..<count {
            functions.append(Function(index: try part.number(), name: try part.name()))
          }
        default: break
        }
      }
    } catch {
      moduleName = ""
      functions = []
    }
  }

  private struct Reader {
    var bytes: ArraySlice<UInt8>

    var isAtEnd: Bool { bytes.isEmpty }

    mutating func skip(_ count: Int) { bytes = bytes.dropFirst(count) }

    mutating func byte() throws(ModuleSymbolsError) -> UInt8 {
      guard let byte = bytes.popFirst() else { throw ended }
      return byte
    }

    /// An unsigned LEB128 number of at most 32 bits.
    mutating func number() throws(ModuleSymbolsError) -> UInt32 {
      var value: UInt64 = 0
      for shift in stride(from: 0, through: 28, by: 7) {
        let byte = try byte()
        value |= UInt64(byte & 0x7F) << UInt64(shift)
        if byte & 0x80 == 0 {
          guard let number = UInt32(exactly: value) else { break }
          return number
        }
      }
      throw ModuleSymbolsError(offset: bytes.startIndex, reason: "a number is longer than 32 bits")
    }

    mutating func block() throws(ModuleSymbolsError) -> Reader {
      let length = Int(try number())
      guard length <= bytes.count else { throw ended }
      defer { skip(length) }
      return Reader(bytes: bytes.prefix(length))
    }

    mutating func name() throws(ModuleSymbolsError) -> String {
      String(decoding: try block().bytes, as: UTF8.self)
    }

    private var ended: ModuleSymbolsError {
      ModuleSymbolsError(offset: bytes.endIndex, reason: "the module ends in the middle of a section")
    }
  }
}

/// Bytes that are no module.
public struct ModuleSymbolsError: Error, Equatable, CustomStringConvertible {
  /// Where, in bytes from the start.
  public let offset: Int
  /// What is wrong.
  public let reason: String

  public var description: String { "byte \(offset): \(reason)" }
}
