import Foundation
import Testing
import Wasmtime

@Suite struct FiberTests {
  private static let engine: Engine = {
    var settings = EngineSettings()
    settings.maximumInstances = 8
    return Engine(settings)
  }()

  private func fiber(_ text: String) throws -> Fiber {
    let module = try Module(engine: FiberTests.engine, bytes: Module.binary(fromText: text))
    let prepared = try Linker(engine: FiberTests.engine).preInstantiate(module)
    return Fiber(prepared, data: UnsafeMutableRawPointer(bitPattern: 8)!, memoryLimit: 1 << 20)
  }

  @Test func `a guest runs to its end`() throws {
    let fiber = try fiber(#"(module (memory (export "memory") 1) (func (export "_start")))"#)
    fiber.instantiate()
    guard case .done = fiber.poll() else { return #expect(Bool(false), "not instantiated") }
    #expect(fiber.call("_start"))
    guard case .done = fiber.poll() else { return #expect(Bool(false), "did not return") }
    #expect(fiber.memory()?.byteCount == 65_536)
  }

  @Test func `a trap tells its reason and the functions`() throws {
    let fiber = try fiber(
      #"(module (memory (export "memory") 1) (func $inner unreachable) (func $outer (export "_start") call $inner))"#)
    fiber.instantiate()
    _ = fiber.poll()
    #expect(fiber.call("_start"))
    guard case .trapped(let trap) = fiber.poll() else { return #expect(Bool(false), "no trap") }
    #expect(trap.reason == "wasm `unreachable` instruction executed")
    #expect(trap.frames.map(\.functionName) == ["inner", "outer"])
  }

  @Test func `an endless loop gives its thread back at a tick, and can be given up`() throws {
    let fiber = try fiber(#"(module (memory (export "memory") 1) (func (export "_start") (loop $l br $l)))"#)
    fiber.instantiate()
    _ = fiber.poll()
    #expect(fiber.call("_start"))
    let ticking = Thread {
      for _ in 0..<2_000 {
        usleep(1_000)
        FiberTests.engine.incrementEpoch()
      }
    }
    ticking.start()
    guard case .suspended = fiber.poll() else { return #expect(Bool(false), "did not yield") }
    fiber.cancel()
  }

  @Test func `memory grows to the limit and no further`() throws {
    let fiber = try fiber(
      """
      (module (memory (export "memory") 1)
        (func (export "_start")
          (loop $l (br_if $l (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))))
      """)
    fiber.instantiate()
    _ = fiber.poll()
    #expect(fiber.call("_start"))
    while case .suspended = fiber.poll() {}
    #expect(fiber.memory()?.byteCount == 1 << 20)
  }

  @Test func `a corrupt cache entry is not used`() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    let cache = ModuleCache(directory: folder) { bytes, salt in
      "\(salt == "code" ? "c" : "k")\(bytes.count)x\(bytes.reduce(0) { $0 &+ Int($1) })"
    }
    let bytes = try Module.binary(fromText: "(module (func (export \"f\")))")
    let module = try Module(engine: FiberTests.engine, bytes: bytes)
    cache.store(module, for: bytes, settings: FiberTests.engine.settings)
    #expect(cache.load(bytes, settings: FiberTests.engine.settings) { FiberTests.engine } != nil)
    let name = try #require(try FileManager.default.contentsOfDirectory(atPath: folder.path).first)
    let entry = folder.appendingPathComponent(name)
    var code = try Data(contentsOf: entry)
    code[code.count / 2] ^= 0x55
    try code.write(to: entry)
    #expect(cache.load(bytes, settings: FiberTests.engine.settings) { FiberTests.engine } == nil)
    #expect(!FileManager.default.fileExists(atPath: entry.path))
  }

  @Test func `the cache drops what was used longest ago`() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    let cache = ModuleCache(directory: folder, maximumBytes: 1) { bytes, salt in
      "\(salt == "code" ? "c" : "k")\(bytes.count)x\(bytes.reduce(0) { $0 &+ Int($1) })"
    }
    for text in ["(module (func (export \"f\")))", "(module (func (export \"longer\")))"] {
      let bytes = try Module.binary(fromText: text)
      cache.store(try Module(engine: FiberTests.engine, bytes: bytes), for: bytes, settings: FiberTests.engine.settings)
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".cwasm") }
    #expect(left.count == 1)
  }
}
