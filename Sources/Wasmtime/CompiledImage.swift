/// What a compiled module's machine code is made of, read from the module's image in memory.
///
/// Wasmtime's images are ELF files whose symbol table names each piece of the text. The names are those of the pinned
/// version; an image that does not look like it gives nil.
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

  private struct Section {
    var name: String
    var type: UInt32
    var range: Range<Int>
    var link: Int
  }

  init?(image: UnsafeRawBufferPointer) {
    guard image.starts(with: [0x7F, UInt8(ascii: "E"), UInt8(ascii: "L"), UInt8(ascii: "F"), 2, 1]) else { return nil }
    let sections = Self.sections(of: image)
    guard let text = sections.first(where: { $0.name == ".text" }) else { return nil }
    self.text = text.range
    let symbolTable: UInt32 = 2
    guard let symbols = sections.first(where: { $0.type == symbolTable }), sections.indices.contains(symbols.link)
    else {
      return nil
    }
    readPieces(of: image, symbols.range, strings: sections[symbols.link].range)
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

  private mutating func readPieces(of image: UnsafeRawBufferPointer, _ symbols: Range<Int>, strings: Range<Int>) {
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
}
