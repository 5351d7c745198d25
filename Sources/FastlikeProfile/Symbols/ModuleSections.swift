/// Where the parts of a WebAssembly file lie that symbols are read from.
struct ModuleSections {
  /// The content of the code section; empty without one.
  private(set) var code: Range<Int> = 0..<0
  /// The contents of custom sections by name; of several the first.
  private(set) var custom: [String: Range<Int>] = [:]
  /// The number of imported functions, which precede the module's own in the index space.
  private(set) var importedFunctions: UInt32 = 0
  let bytes: [UInt8]

  /// Reads as far as the file holds together.
  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    guard bytes.starts(with: [0x00, 0x61, 0x73, 0x6D, 1, 0, 0, 0]) else { return }
    var cursor = ByteCursor(bytes, in: 8..<bytes.count)
    while let id = cursor.byte(), let length = cursor.length(), let content = cursor.block(length) {
      switch id {
      case 0: readCustom(content)
      case 2: readImports(content)
      case 10: code = content
      default: break
      }
    }
  }

  private mutating func readCustom(_ content: Range<Int>) {
    var cursor = ByteCursor(bytes, in: content)
    guard let length = cursor.length(), let name = cursor.block(length) else { return }
    let key = String(decoding: bytes[name], as: UTF8.self)
    if custom[key] == nil { custom[key] = cursor.remaining }
  }

  private mutating func readImports(_ content: Range<Int>) {
    var cursor = ByteCursor(bytes, in: content)
    guard let count = cursor.length() else { return }
    var functions: UInt32 = 0
    for _ in 0..<count {
      guard let module = cursor.length(), cursor.skip(module), let name = cursor.length(), cursor.skip(name),
        let kind = cursor.byte()
      else { return }
      switch kind {
      case 0:
        functions += 1
        guard cursor.unsigned() != nil else { return }
      case 1: guard cursor.skip(1), Self.skipLimits(&cursor) else { return }
      case 2: guard Self.skipLimits(&cursor) else { return }
      case 3: guard cursor.skip(2) else { return }
      case 4: guard cursor.skip(1), cursor.unsigned() != nil else { return }
      default: return
      }
    }
    importedFunctions = functions
  }

  private static func skipLimits(_ cursor: inout ByteCursor) -> Bool {
    guard let flags = cursor.byte(), cursor.unsigned() != nil else { return false }
    return flags & 1 == 0 || cursor.unsigned() != nil
  }

  /// The bodies of the module's own functions, at offsets from the code section's content, in the order of their indices.
  func bodies() -> [Range<UInt32>] {
    var cursor = ByteCursor(bytes, in: code)
    guard let count = cursor.length(), count <= code.count else { return [] }
    var bodies: [Range<UInt32>] = []
    bodies.reserveCapacity(count)
    for _ in 0..<count {
      guard let length = cursor.length(), let body = cursor.block(length) else { return [] }
      bodies.append(UInt32(body.lowerBound - code.lowerBound)..<UInt32(body.upperBound - code.lowerBound))
    }
    return bodies
  }
}
