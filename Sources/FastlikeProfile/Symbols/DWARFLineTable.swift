/// The texts that line tables of version 5 refer to.
struct DWARFStrings {
  let bytes: [UInt8]
  /// `.debug_line_str`
  let line: Range<Int>?
  /// `.debug_str`
  let common: Range<Int>?

  func text(at offset: UInt64, in section: Range<Int>?) -> String {
    guard let section, let offset = Int(exactly: offset), offset < section.count else { return "" }
    var cursor = ByteCursor(bytes, in: (section.lowerBound + offset)..<section.upperBound)
    return cursor.text() ?? ""
  }
}

/// Runs the line number programs of a `.debug_line` section (DWARF 5 §6.2; versions 2 to 5).
///
/// The section is read from files that anybody may have made: a unit that does not hold together is left out, and the number
/// of rows is bounded by ``maximumRows``, because one byte of a program can make a row.
struct DWARFLineTable {
  struct Row {
    /// The byte of the module's code section.
    var address: UInt32
    /// Counted from 1; 0 for code that has none.
    var line: UInt32
  }

  static let maximumRows = 1 << 25
  private static let maximumFiles = 1 << 16

  let bytes: [UInt8]
  let section: Range<Int>
  let strings: DWARFStrings

  /// Hands out each row with the last component of its file's path.
  func forEachRow(_ body: (Row, _ file: String) -> Void) {
    var cursor = ByteCursor(bytes, in: section)
    var budget = Self.maximumRows
    while let (unit, isWide) = Self.unit(&cursor) {
      guard var program = Program(ByteCursor(bytes, in: unit), isWide: isWide, strings: strings) else { continue }
      program.run(&budget, body)
      if budget <= 0 { return }
    }
  }

  /// The next unit's content behind its length, and whether its offsets have 8 bytes.
  private static func unit(_ cursor: inout ByteCursor) -> (Range<Int>, Bool)? {
    guard let length = cursor.number(bytes: 4) else { return nil }
    guard length == 0xFFFF_FFFF else { return cursor.block(Int(length)).map { ($0, false) } }
    guard let wide = cursor.number(bytes: 8), let count = Int(exactly: wide) else { return nil }
    return cursor.block(count).map { ($0, true) }
  }

  /// One unit's header and program.
  private struct Program {
    private var cursor: ByteCursor
    private var files: [String] = []
    /// What the program counts the first file as.
    private var firstFile: UInt64 = 1
    private var minimumInstruction: UInt64 = 1
    private var lineBase: Int64 = 0
    private var lineRange: UInt64 = 1
    private var opcodeBase: UInt8 = 1
    private var operandCounts: [UInt8] = []

    init?(_ unit: ByteCursor, isWide: Bool, strings: DWARFStrings) {
      cursor = unit
      guard let version = cursor.number(bytes: 2), (2...5).contains(version) else { return nil }
      if version >= 5 { guard cursor.skip(2) else { return nil } }
      guard let headerLength = cursor.number(bytes: isWide ? 8 : 4), let length = Int(exactly: headerLength),
        length <= cursor.remaining.count
      else { return nil }
      let start = cursor.position + length
      guard let instruction = cursor.byte(), version < 4 || cursor.skip(1), cursor.skip(1), let base = cursor.byte(),
        let range = cursor.byte(), range > 0, let opcodes = cursor.byte(), opcodes > 0
      else { return nil }
      minimumInstruction = UInt64(instruction)
      lineBase = Int64(Int8(bitPattern: base))
      lineRange = UInt64(range)
      opcodeBase = opcodes
      guard let counts = cursor.block(Int(opcodes) - 1) else { return nil }
      operandCounts = Array(cursor.bytes[counts])
      guard version >= 5 ? readFiles5(isWide, strings) : readFiles4() else { return nil }
      guard start >= cursor.position else { return nil }
      cursor = ByteCursor(cursor.bytes, in: start..<cursor.end)
    }

    private mutating func readFiles4() -> Bool {
      while true {
        guard let folder = cursor.text() else { return false }
        if folder.isEmpty { break }
      }
      while let name = cursor.text() {
        if name.isEmpty { return true }
        guard files.count < DWARFLineTable.maximumFiles else { return false }
        files.append(Self.lastComponent(name))
        for _ in 0..<3 { guard cursor.unsigned() != nil else { return false } }
      }
      return false
    }

    private mutating func readFiles5(_ isWide: Bool, _ strings: DWARFStrings) -> Bool {
      firstFile = 0
      guard readEntries(isWide, strings, { _ in true }) else { return false }
      var names: [String] = []
      let isComplete = readEntries(isWide, strings) { name in
        names.append(Self.lastComponent(name))
        return names.count < DWARFLineTable.maximumFiles
      }
      files = names
      return isComplete
    }

    /// A table of folders or of files, whose format it tells itself.
    private mutating func readEntries(
      _ isWide: Bool, _ strings: DWARFStrings, _ take: (String) -> Bool
    ) -> Bool {
      guard let formatCount = cursor.byte() else { return false }
      var format: [(content: UInt64, form: UInt64)] = []
      for _ in 0..<formatCount {
        guard let content = cursor.unsigned(), let form = cursor.unsigned() else { return false }
        format.append((content, form))
      }
      guard let count = cursor.length() else { return false }
      // An entry without fields would take no bytes, and any number of them.
      guard count == 0 || !format.isEmpty, count <= cursor.remaining.count else { return false }
      let pathContent: UInt64 = 1
      for _ in 0..<count {
        var path = ""
        for field in format {
          guard let text = readField(field.form, isWide, strings) else { return false }
          if field.content == pathContent { path = text }
        }
        guard take(path) else { return false }
      }
      return true
    }

    /// A field by its form (DWARF 5 §7.5.6); its text, empty for what is none. Nil for a form that has no place here.
    private mutating func readField(_ form: UInt64, _ isWide: Bool, _ strings: DWARFStrings) -> String? {
      let offsetBytes = isWide ? 8 : 4
      switch form {
      case 0x08: return cursor.text()
      case 0x0E: return cursor.number(bytes: offsetBytes).map { strings.text(at: $0, in: strings.common) }
      case 0x1F: return cursor.number(bytes: offsetBytes).map { strings.text(at: $0, in: strings.line) }
      case 0x0B: return cursor.skip(1) ? "" : nil
      case 0x05: return cursor.skip(2) ? "" : nil
      case 0x06: return cursor.skip(4) ? "" : nil
      case 0x07: return cursor.skip(8) ? "" : nil
      case 0x1E: return cursor.skip(16) ? "" : nil
      case 0x0F: return cursor.unsigned() == nil ? nil : ""
      case 0x09: return cursor.length().flatMap { cursor.skip($0) ? "" : nil }
      default: return nil
      }
    }

    private static func lastComponent(_ path: String) -> String {
      let name = path.utf8.split { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }.last
      return name.map { PrintableText.bounded(String(Substring($0)), to: 256) } ?? ""
    }

    // MARK: Running

    private struct State {
      var address: UInt64 = 0
      var file: UInt64 = 1
      var line: Int64 = 1
      /// Whether the sequence is of code that the linker threw away: it leaves the address 0, which is no function's, or
      /// one beyond all.
      var isDead = true
    }

    /// Runs to the end, or as far as it makes sense.
    mutating func run(_ budget: inout Int, _ body: (Row, String) -> Void) {
      var state = State()
      while budget > 0, let opcode = cursor.byte() {
        if opcode >= opcodeBase {
          let adjusted = UInt64(opcode - opcodeBase)
          state.address &+= adjusted / lineRange &* minimumInstruction
          state.line &+= lineBase + Int64(adjusted % lineRange)
          emit(state, &budget, body)
        } else if opcode == 0 {
          guard runExtended(&state) else { return }
        } else {
          guard runStandard(opcode, &state, &budget, body) else { return }
        }
      }
    }

    private func emit(_ state: State, _ budget: inout Int, _ body: (Row, String) -> Void) {
      budget -= 1
      guard !state.isDead, let address = UInt32(exactly: state.address), let line = UInt32(exactly: state.line),
        state.file >= firstFile, let index = Int(exactly: state.file - firstFile), index < files.count
      else { return }
      body(Row(address: address, line: line), files[index])
    }

    private mutating func runExtended(_ state: inout State) -> Bool {
      guard let length = cursor.length(), length > 0, let content = cursor.block(length) else { return false }
      var operands = ByteCursor(cursor.bytes, in: content)
      switch operands.byte() {
      case 1: state = State()
      case 2:
        guard let address = operands.number(bytes: min(8, length - 1)) else { return false }
        state.address = address
        state.isDead = address == 0 || address >= 0xFFFF_FFFE
      default: break
      }
      return true
    }

    private mutating func runStandard(
      _ opcode: UInt8, _ state: inout State, _ budget: inout Int, _ body: (Row, String) -> Void
    ) -> Bool {
      switch opcode {
      case 1: emit(state, &budget, body)
      case 2:
        guard let advance = cursor.unsigned() else { return false }
        state.address &+= advance &* minimumInstruction
      case 3:
        guard let advance = cursor.signed() else { return false }
        state.line &+= advance
      case 4:
        guard let file = cursor.unsigned() else { return false }
        state.file = file
      case 5: return cursor.unsigned() != nil
      case 6, 7, 10, 11: break
      case 8: state.address &+= UInt64(255 - opcodeBase) / lineRange &* minimumInstruction
      case 9:
        guard let advance = cursor.number(bytes: 2) else { return false }
        state.address &+= advance
      default:
        // Not known: it says how many operands it has.
        for _ in 0..<operandCounts[Int(opcode) - 1] { guard cursor.unsigned() != nil else { return false } }
      }
      return true
    }
  }
}
