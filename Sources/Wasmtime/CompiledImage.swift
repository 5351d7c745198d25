/// What a compiled module's machine code is made of, read from the module's image in memory.
///
/// Wasmtime's images are ELF files: a symbol table names each piece of the text, and a section of Wasmtime's own leads from
/// places in the text to places in the WebAssembly file. Both are of the pinned version; what does not look like it gives
/// nil, or no positions.
struct CompiledImage {
  /// One piece of the text, at offsets from the text's start.
  struct Piece: Equatable {
    enum Kind: Equatable {
      /// A function of the module, by its index, imports included.
      case function(UInt32)
      /// Leads from the host into the guest.
      case entry
      /// Leads from the guest to the host.
      case exit
    }

    var start: UInt32
    var end: UInt32
    var kind: Kind
  }

  /// Where the text lies in the image.
  private(set) var text: Range<Int> = 0..<0
  /// In ascending order, without overlaps.
  private(set) var pieces: [Piece] = []
  private var positions: Range<Int> = 0..<0
  private let image: UnsafeRawBufferPointer

  private struct Section {
    var name: String
    var type: UInt32
    var range: Range<Int>
    var link: Int
  }

  /// - Parameter image: Must stay as it is while this value is used.
  init?(image: UnsafeRawBufferPointer) {
    self.image = image
    guard image.starts(with: [0x7F, UInt8(ascii: "E"), UInt8(ascii: "L"), UInt8(ascii: "F"), 2, 1]) else { return nil }
    let sections = Self.sections(of: image)
    guard let text = sections.first(where: { $0.name == ".text" }) else { return nil }
    self.text = text.range
    positions = sections.first { $0.name == ".wasmtime.addrmap" }?.range ?? 0..<0
    let symbolTable: UInt32 = 2
    guard let symbols = sections.first(where: { $0.type == symbolTable }), sections.indices.contains(symbols.link) else {
      return nil
    }
    readPieces(symbols.range, strings: sections[symbols.link].range)
    if pieces.isEmpty { return nil }
  }

  private static func sections(of image: UnsafeRawBufferPointer) -> [Section] {
    guard let table = image.word64(at: 0x28), let size = image.word16(at: 0x3A), let count = image.word16(at: 0x3C),
      let namesIndex = image.word16(at: 0x3E), size >= 64
    else { return [] }
    var sections: [Section] = []
    var nameOffsets: [Int] = []
    for index in 0..<Int(count) {
      let place = table + index * Int(size)
      guard let name = image.word32(at: place), let type = image.word32(at: place + 4),
        let offset = image.word64(at: place + 24), let length = image.word64(at: place + 32),
        let link = image.word32(at: place + 40), offset <= image.count, length <= image.count - offset
      else { return [] }
      sections.append(Section(name: "", type: type, range: offset..<(offset + length), link: Int(link)))
      nameOffsets.append(Int(name))
    }
    guard sections.indices.contains(Int(namesIndex)) else { return [] }
    let names = sections[Int(namesIndex)].range
    for index in sections.indices { sections[index].name = image.text(at: names.lowerBound + nameOffsets[index]) }
    return sections
  }

  private mutating func readPieces(_ symbols: Range<Int>, strings: Range<Int>) {
    let entryBytes = 24
    let function: UInt8 = 2
    for place in stride(from: symbols.lowerBound, to: symbols.upperBound - entryBytes + 1, by: entryBytes) {
      guard image[place + 4] & 0xF == function, let name = image.word32(at: place),
        let start = image.word64(at: place + 8), let size = image.word64(at: place + 16), size > 0,
        start <= text.count, size <= text.count - start, text.count <= Int(UInt32.max),
        Int(name) < strings.count
      else { continue }
      let kind = Self.kind(image, at: strings.lowerBound + Int(name))
      pieces.append(Piece(start: UInt32(start), end: UInt32(start + size), kind: kind))
    }
    pieces.sort { $0.start < $1.start }
  }

  /// What a symbol's name stands for: `wasm[0]::function[7]::leaf`, `wasm[0]::array_to_wasm_trampoline[7]`,
  /// `signatures[0]::wasm_to_array_trampoline`, `wasmtime_builtin_memory_grow`.
  private static func kind(_ image: UnsafeRawBufferPointer, at place: Int) -> Piece.Kind {
    let name = image[place...].prefix { $0 != 0 }.prefix(64)
    guard name.starts(with: "wasm[".utf8), let bracket = name.firstIndex(of: UInt8(ascii: "]")) else { return .exit }
    let rest = name[bracket...]
    if rest.starts(with: "]::array_to_wasm_trampoline".utf8) { return .entry }
    guard rest.starts(with: "]::function[".utf8) else { return .exit }
    let digits = rest.dropFirst("]::function[".utf8.count).prefix { $0 != UInt8(ascii: "]") }
    return UInt32(String(decoding: digits, as: UTF8.self)).map { .function($0) } ?? .exit
  }

  /// The piece that an offset of the text lies in.
  ///
  /// Complexity: O(log n)
  func piece(at offset: UInt32) -> Piece? {
    var low = 0
    var high = pieces.count
    while low < high {
      let middle = (low + high) / 2
      if pieces[middle].start <= offset { low = middle + 1 } else { high = middle }
    }
    guard low > 0, offset < pieces[low - 1].end else { return nil }
    return pieces[low - 1]
  }

  // MARK: Positions

  /// Entries are encoded in blocks of so many, of which the last may be shorter.
  private static let blockEntries = 128

  /// The byte of the WebAssembly file that the code at an offset of the text was made from; nil for code that the
  /// compiler added.
  func position(at offset: UInt32) -> UInt32? {
    let table = UnsafeRawBufferPointer(rebasing: image[positions])
    guard let entries = table.word32(at: 0), let blocks = table.word32(at: 4) else { return nil }
    let index = 8
    let bodies = index + Int(blocks) * 8
    guard bodies <= table.count else { return nil }
    var low = 0
    var high = Int(blocks)
    while low < high {
      let middle = (low + high) / 2
      guard let first = table.word32(at: index + middle * 8) else { return nil }
      if first <= offset { low = middle + 1 } else { high = middle }
    }
    guard low > 0, let first = table.word32(at: index + (low - 1) * 8),
      let body = table.word32(at: index + (low - 1) * 8 + 4)
    else { return nil }
    let count = min(Self.blockEntries, Int(entries) - (low - 1) * Self.blockEntries)
    return Self.position(
      at: offset, in: table, from: bodies + Int(body), first: first, count: max(0, count))
  }

  private static func position(
    at offset: UInt32, in table: UnsafeRawBufferPointer, from place: Int, first: UInt32, count: Int
  ) -> UInt32? {
    var place = place
    var current = Int64(first)
    var position: Int64?
    var found: UInt32?
    for _ in 0..<count {
      guard let token = table.number(at: &place, isSigned: false) else { return found }
      current += token >> 1
      if current > Int64(offset) { return found }
      // An odd token is code without a position.
      if token & 1 != 0 {
        found = nil
        continue
      }
      guard let number = table.number(at: &place, isSigned: position != nil) else { return found }
      let next = (position ?? 0) + number
      position = next
      found = UInt32(exactly: next)
    }
    return found
  }
}

extension UnsafeRawBufferPointer {
  fileprivate func word16(at place: Int) -> UInt16? {
    guard place >= 0, place <= count - 2 else { return nil }
    return UInt16(littleEndian: loadUnaligned(fromByteOffset: place, as: UInt16.self))
  }

  fileprivate func word32(at place: Int) -> UInt32? {
    guard place >= 0, place <= count - 4 else { return nil }
    return UInt32(littleEndian: loadUnaligned(fromByteOffset: place, as: UInt32.self))
  }

  /// A word that is an offset or a length.
  fileprivate func word64(at place: Int) -> Int? {
    guard place >= 0, place <= count - 8 else { return nil }
    return Int(exactly: UInt64(littleEndian: loadUnaligned(fromByteOffset: place, as: UInt64.self)))
  }

  fileprivate func text(at place: Int) -> String {
    guard indices.contains(place) else { return "" }
    return String(decoding: self[place...].prefix { $0 != 0 }, as: UTF8.self)
  }

  /// A LEB128 number of at most 35 bits.
  fileprivate func number(at place: inout Int, isSigned: Bool) -> Int64? {
    var value: Int64 = 0
    for shift in stride(from: Int64(0), through: 28, by: 7) {
      guard indices.contains(place) else { return nil }
      let byte = self[place]
      place += 1
      value |= Int64(byte & 0x7F) << shift
      if byte & 0x80 == 0 {
        return isSigned && byte & 0x40 != 0 ? value - (1 << (shift + 7)) : value
      }
    }
    return nil
  }
}
