import Testing

@testable import FastlikeProfile

struct GuestSymbolsTests {
  /// A module with one imported function and two of its own, of which the name section names the first.
  private func module(custom: [(name: String, content: [UInt8])] = []) -> [UInt8] {
    var module: [UInt8] = [0x00, 0x61, 0x73, 0x6D, 1, 0, 0, 0]
    module += section(1, [1, 0x60, 0, 0])
    module += section(2, [1, 1, UInt8(ascii: "m"), 1, UInt8(ascii: "f"), 0, 0])
    module += section(3, [2, 0, 0])
    // Bodies at 2..<4 and 5..<8 of the section's content.
    module += section(10, [2, 2, 0, 0x0B, 3, 0, 0x01, 0x0B])
    module += nameSection
    for part in custom { module += section(0, [UInt8(part.name.utf8.count)] + Array(part.name.utf8) + part.content) }
    return module
  }

  private var nameSection: [UInt8] {
    let name = Array("_RNvCs1_1a4leaf".utf8)
    let names: [UInt8] = [1, 1, UInt8(name.count)] + name
    return section(0, [4] + Array("name".utf8) + [1, UInt8(names.count)] + names)
  }

  private func section(_ id: UInt8, _ content: [UInt8]) -> [UInt8] { [id, UInt8(content.count)] + content }

  private func word(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }

  /// Rows: line 7 at address 2, line 9 at address 3, line 12 at address 5.
  private let program: [UInt8] =
    [0, 5, 2, 2, 0, 0, 0]  // set the address to 2
    + [3, 6, 1]  // line 7, a row
    + [2, 1, 3, 2, 1]  // address 3, line 9, a row
    + [2, 2, 3, 3, 1]  // address 5, line 12, a row
    + [2, 3, 0, 1, 1]  // the end at address 8

  private func table4(_ files: [UInt8]) -> [UInt8] {
    let header: [UInt8] = [1, 1, 1, 0xFB, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1] + files
    let content: [UInt8] = [4, 0] + word(header.count) + header + program
    return word(content.count) + content
  }

  private func table5() -> [UInt8] {
    let folders: [UInt8] = [1, 1, 0x08, 1] + Array("/home/somebody/src".utf8) + [0]
    // Two files with a path in .debug_line_str and an index of their folder.
    let files: [UInt8] = [2, 1, 0x1F, 2, 0x0B, 2] + word(0) + [0] + word(4) + [0]
    let header: [UInt8] = [1, 1, 1, 0xFB, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1] + folders + files
    let content: [UInt8] = [5, 0, 4, 0] + word(header.count) + header + program
    return word(content.count) + content
  }

  @Test func aFunctionIsCalledByItsReadableName() {
    let symbols = GuestSymbols(module: module(), moduleName: "app")
    #expect(symbols.frame(of: 1).name == "a::leaf")
  }

  @Test func aFunctionWithoutANameIsCalledByModuleAndIndex() {
    let symbols = GuestSymbols(module: module(), moduleName: "app")
    #expect(symbols.frame(of: 2).name == "app!func[2]")
    #expect(GuestSymbols(moduleName: "").frame(of: 7).name == "module!func[7]")
  }

  @Test func aLineTableOfVersion4TellsWhereFunctionsBegin() {
    let files = Array("/home/somebody/src/leaf.rs".utf8) + [0, 0, 0, 0, 0]
    let symbols = GuestSymbols(module: module(custom: [(".debug_line", table4([0] + files))]), moduleName: "app")
    #expect(symbols.frame(of: 1).file == "leaf.rs")
    #expect(symbols.frame(of: 1).line == 7)
    #expect(symbols.frame(of: 2).line == 12)
  }

  @Test func aLineTableOfVersion5TellsWhereFunctionsBegin() {
    let texts = Array("a.c".utf8) + [0] + Array("b.c".utf8) + [0]
    let symbols = GuestSymbols(
      module: module(custom: [(".debug_line", table5()), (".debug_line_str", texts)]), moduleName: "app")
    // Files are counted from 0, and the program begins with file 1.
    #expect(symbols.frame(of: 1).file == "b.c")
    #expect(symbols.frame(of: 2).line == 12)
  }

  @Test func codeThatTheLinkerThrewAwayIsNoFunctionsSource() {
    let dead: [UInt8] = [0, 5, 2, 0, 0, 0, 0, 2, 2, 3, 98, 1, 0, 1, 1]
    let files = [0] + Array("leaf.rs".utf8) + [0, 0, 0, 0, 0]
    let header: [UInt8] = [1, 1, 1, 0xFB, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1] + files
    let content: [UInt8] = [4, 0] + word(header.count) + header + dead
    let symbols = GuestSymbols(
      module: module(custom: [(".debug_line", word(content.count) + content)]), moduleName: "app")
    #expect(symbols.frame(of: 1).line == 0)
  }

  @Test func damagedDebugInformationIsLeftOut() {
    let files = [0] + Array("leaf.rs".utf8) + [0, 0, 0, 0, 0]
    for table in [table4(files), table5()] {
      for place in table.indices {
        for value: UInt8 in [0, 0x7F, 0x80, 0xFF] {
          var damaged = table
          damaged[place] = value
          let symbols = GuestSymbols(module: module(custom: [(".debug_line", damaged)]), moduleName: "app")
          #expect(symbols.frame(of: 1).name == "a::leaf")
        }
      }
      for length in 0..<table.count {
        _ = GuestSymbols(module: module(custom: [(".debug_line", Array(table[..<length]))]), moduleName: "app")
      }
    }
  }

  @Test func bytesThatAreNoModuleGiveNoNames() {
    #expect(GuestSymbols(module: Array("hello".utf8), moduleName: "app").frame(of: 0).name == "app!func[0]")
  }

  @Test func aStrippedProgramHasTheCodeOfItsSymbolFile() {
    let whole = module()
    let stripped = Array(whole.dropLast(nameSection.count))
    #expect(GuestSymbols.haveSameCode(whole, stripped))
    var other = whole
    other[other.firstIndex(of: 0x0B)! - 1] ^= 1
    #expect(!GuestSymbols.haveSameCode(whole, other))
    #expect(!GuestSymbols.haveSameCode(Array("hello".utf8), Array("hello".utf8)))
  }
}
