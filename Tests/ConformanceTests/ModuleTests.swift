import Foundation
import Testing

/// What fastlike takes as a program, and the cache of compiled ones.
@Suite("Conformance: modules", .timeLimit(.minutes(5)))
struct ModuleTests {
  private func failure(_ name: String, _ content: [UInt8], flags: [String] = []) async throws -> String {
    let path = try temporaryFile(name, "")
    try replaceFile(path, with: Data(content))
    let result = try await fastlikeRun(path, flags: flags)
    #expect(result.status == .exited(1))
    let line = try #require(result.complaints.first)
    #expect(result.complaints.count == 1)
    #expect(line.hasPrefix("fastlike: \(path): "))
    return line
  }

  // MARK: Formats

  @Test func aModuleInTextFormIsServed() async throws {
    try await withFastlike(try temporaryFile("app.wat", TextModule.answering("from text"))) { edge in
      let reply = try await edge.get("/")
      #expect(reply.text == "from text")
    }
  }

  @Test func aComponentIsRefusedInOneClearLine() async throws {
    let line = try await failure("component.wasm", [0x00, 0x61, 0x73, 0x6D, 0x0D, 0x00, 0x01, 0x00])
    #expect(line.contains("component"))
  }

  @Test(arguments: [
    ("app.wasm", "", "is not a WebAssembly file"), ("app.txt", "hello", "is not a WebAssembly file"),
    ("app.wat", "(module (func", "is not valid WebAssembly text"),
    ("app.wasm", "\u{0}asm\u{1}\u{0}\u{0}\u{0}\u{1}", "compile"),
    ("app.wat", #"(module (memory (export "memory") 1))"#, "_start"),
    ("app.wat", #"(module (func (export "_start")))"#, "memory"),
    ("app.wat", #"(module (memory (export "memory") 1) (func (export "_start") (param i32)))"#, "_start"),
  ])
  func aFileThatIsNoProgramIsRefusedInOneLine(_ name: String, content: String, named: String) async throws {
    #expect(try await failure(name, Array(content.utf8)).contains(named))
  }

  // MARK: Imports

  @Test func unknownImportsAreAllNamedWhenLoading() async throws {
    let line = try await failure("app.wat", Array(TextModule.unknownImports(isCalled: false).utf8))
    #expect(line.contains("fastly_http_req.no_such_call"))
    #expect(line.contains("nowhere.at_all"))
    #expect(!line.contains("fastly_http_resp.new"))
  }

  @Test func unknownImportsCanTrapWhenTheyAreCalledInstead() async throws {
    let flags = ["--unknown-import-behavior", "trap"]
    let uncalled = try temporaryFile("app.wat", TextModule.unknownImports(isCalled: false))
    let loaded = try await fastlikeRun(uncalled, flags: flags)
    #expect(loaded.status == .exited(0))
    let called = try temporaryFile("app.wat", TextModule.unknownImports(isCalled: true))
    let result = try await fastlikeRun(called, flags: flags)
    #expect(result.status == .exited(134))
    #expect(result.errors.contains("nowhere"))
    #expect(result.errors.contains("at_all"))
  }

  @Test func anImportOfAnotherTypeIsNamed() async throws {
    let text =
      #"(module (import "fastly_http_resp" "new" (func (param i64))) (memory (export "memory") 1)"#
      + #" (func (export "_start")))"#
    let line = try await failure(
      "app.wat", Array(text.utf8), flags: ["--unknown-import-behavior", "trap"])
    #expect(line.contains("fastly_http_resp.new"))
  }

  @Test func theOldNamesOfTheAbiAreKnown() async throws {
    let text = """
      (module
        (import "env" "xqd_init" (func $init (param i64) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_start") (call $exit (call $init (i64.const 1)))))
      """
    #expect(try await fastlikeRun(try temporaryFile("app.wat", text)).status == .exited(0))
  }

  @Test func onlyTheFirstVersionOfTheAbiIsSpoken() async throws {
    let text = """
      (module
        (import "fastly_abi" "init" (func $init (param i64) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_start") (call $exit (call $init (i64.const 2)))))
      """
    #expect(try await fastlikeRun(try temporaryFile("app.wat", text)).status == .exited(1))
  }

  // MARK: Cache

  /// The one file of a cache folder.
  private func entry(of cache: String) throws -> (path: String, inode: Int) {
    let files = try FileManager.default.contentsOfDirectory(atPath: cache)
    #expect(files.count == 1)
    let path = cache + "/" + (try #require(files.first))
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return (path, (attributes[.systemFileNumber] as? NSNumber)?.intValue ?? 0)
  }

  private func run(cache: String) async throws -> FinishedCommand {
    try await fastlike(["run", "--module-cache", cache, try Places.guest("hello")])
  }

  @Test func aSecondStartUsesTheCompiledModule() async throws {
    let cache = try Places.newFolder()
    #expect(try await run(cache: cache).status == .exited(0))
    let first = try entry(of: cache)
    #expect(try await run(cache: cache).status == .exited(0))
    // A new compilation would have put a new file in its place.
    #expect(try entry(of: cache) == first)
  }

  @Test func anotherModuleHasAnEntryOfItsOwn() async throws {
    let cache = try Places.newFolder()
    #expect(try await run(cache: cache).status == .exited(0))
    let other = try temporaryFile("app.wat", TextModule.empty)
    #expect(try await fastlike(["run", "--module-cache", cache, other]).status == .exited(0))
    #expect(try FileManager.default.contentsOfDirectory(atPath: cache).count == 2)
  }

  /// What happened to a cached file.
  enum Damage: String, CaseIterable, Sendable {
    case truncated
    case emptied
    case overwritten
    case zeroedInTheMiddle
    case flippedInTheMiddle
    case flippedAtTheStart

    func apply(to data: Data) -> Data {
      var bytes = [UInt8](data)
      let middle = bytes.count / 2
      switch self {
      case .truncated: return data.prefix(middle)
      case .emptied: return Data()
      case .overwritten: return Data(repeating: 0x78, count: bytes.count)
      case .zeroedInTheMiddle:
        for index in bytes.count / 4..<bytes.count / 4 * 3 { bytes[index] = 0 }
      case .flippedInTheMiddle: bytes[middle] ^= 0xFF
      case .flippedAtTheStart: bytes[0] ^= 1
      }
      return Data(bytes)
    }
  }

  @Test(arguments: Damage.allCases)
  func aDamagedEntryIsCompiledAnew(_ damage: Damage) async throws {
    let cache = try Places.newFolder()
    #expect(try await run(cache: cache).status == .exited(0))
    let path = try entry(of: cache).path
    let damaged = damage.apply(to: try Data(contentsOf: URL(fileURLWithPath: path)))
    try replaceFile(path, with: damaged)
    let result = try await run(cache: cache)
    #expect(result.status == .exited(0))
    #expect(result.complaints.isEmpty)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) != damaged)
  }

  @Test func withoutACacheNothingIsWritten() async throws {
    let home = try Places.newFolder()
    let result = try await fastlike(
      ["run", "--no-module-cache", try Places.guest("hello")],
      environment: ["HOME": home, "XDG_CACHE_HOME": home + "/cache"])
    #expect(result.status == .exited(0))
    #expect(try FileManager.default.subpathsOfDirectory(atPath: home).isEmpty)
  }

  @Test func aCacheThatCannotBeWrittenIsDoneWithout() async throws {
    let file = try temporaryFile("not-a-folder", "")
    let result = try await fastlike(["run", "--module-cache", file, try Places.guest("hello")])
    #expect(result.status == .exited(0))
  }
}
