import Foundation
import Testing

@testable import FastlikeProfile

struct SymbolSidecarTests {
  /// One function, exported as `_start`, called `entry` by the name section of a module called `app`.
  static let module: [UInt8] =
    [0x00, 0x61, 0x73, 0x6D, 1, 0, 0, 0]
    + [1, 4, 1, 0x60, 0, 0]
    + [3, 2, 1, 0]
    + [7, 10, 1, 6] + Array("_start".utf8) + [0, 0]
    + [10, 4, 1, 2, 0, 0x0B]
    + [0, 19, 4] + Array("name".utf8) + [0, 4, 3] + Array("app".utf8) + [1, 6, 1, 0, 3] + Array("run".utf8)

  private func withFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sidecar-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
  }

  @Test func exportsAndNamedFunctionsAreRead() throws {
    let symbols = try ModuleSymbols(module: Self.module)
    #expect(symbols.moduleName == "app")
    #expect(symbols.exports == [.init(kind: "func", name: "_start", index: 0)])
    #expect(symbols.functions == [.init(index: 0, name: "run")])
  }

  @Test func aDamagedNameSectionIsLeftOut() throws {
    var module = Self.module
    module[module.count - 4] = 0x7F
    let symbols = try ModuleSymbols(module: module)
    #expect(symbols.functions.isEmpty)
    #expect(symbols.exports.count == 1)
  }

  @Test func bytesThatAreNoModuleGiveATypedErrorWithOffset() {
    #expect(throws: ModuleSymbolsError(offset: 0, reason: "not a WebAssembly binary")) {
      try ModuleSymbols(module: Array("hello".utf8))
    }
    for length in 9..<28 where ![14, 18].contains(length) {
      #expect(throws: ModuleSymbolsError.self) { try ModuleSymbols(module: Array(Self.module.prefix(length))) }
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func randomModulesNeverCrash(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<500 {
      var module = Self.module
      for _ in 0..<4 {
        module[Int.random(in: 8..<module.count, using: &generator)] = .random(in: 0...255, using: &generator)
      }
      _ = try? ModuleSymbols(module: module)
    }
  }

  @Test func theFileNamesProcessModuleAndFunctions() throws {
    try withFolder { folder in
      let file = try SymbolSidecar.write(
        module: Self.module, directory: folder.appendingPathComponent("new").path, moduleID: "0011", mode: .native,
        processID: 99)
      #expect(file.lastPathComponent == "wasm-symbols-99.json")
      let text = try String(contentsOf: file, encoding: .utf8)
      #expect(
        text == """
          {"pid":99,"module_id":"0011","mode":"native","module_name":"app",\
          "exports":[{"name":"_start","kind":"func","index":0}],"functions":[{"index":0,"name":"run"}]}
          """)
      let names = try FileManager.default.contentsOfDirectory(atPath: file.deletingLastPathComponent().path)
      #expect(names == ["wasm-symbols-99.json"])
    }
  }

  @Test func aSymbolicLinkIsReplacedAndNotFollowed() throws {
    try withFolder { folder in
      let target = folder.appendingPathComponent("precious")
      try Data("keep".utf8).write(to: target)
      let link = folder.appendingPathComponent("wasm-symbols-5.json")
      try FileManager.default.createSymbolicLink(at: link, withDestinationURL: target)
      _ = try SymbolSidecar.write(
        module: Self.module, directory: folder.path, moduleID: "0011", mode: .native, processID: 5)
      #expect(try String(contentsOf: target, encoding: .utf8) == "keep")
      #expect(try String(contentsOf: link, encoding: .utf8).hasPrefix("{\"pid\":5"))
    }
  }

  @Test func aFolderThatCannotBeMadeIsNamedInTheError() throws {
    try withFolder { folder in
      let file = folder.appendingPathComponent("file")
      try Data().write(to: file)
      let error = #expect(throws: SymbolSidecarError.self) {
        try SymbolSidecar.write(
          module: Self.module, directory: file.path + "/sub", moduleID: "0", mode: .native, processID: 5)
      }
      #expect(error?.description.contains(file.path) == true)
    }
  }

  @Test func theModuleIdentifierIsTheStartOfItsDigest() {
    // SHA-256 of no bytes begins with e3b0c44298fc1c14.
    #expect(ModuleIdentifier.of([UInt8]()) == "e3b0c44298fc1c14")
    #expect(ModuleIdentifier.of(Self.module).count == 16)
    #expect(ModuleIdentifier.of(Self.module) != ModuleIdentifier.of([UInt8]()))
  }
}
