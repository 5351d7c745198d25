import ComputeABI
import Testing
import Wasmtime

@Suite struct HostcallTableTests {
  @Test func `the table has all 411 functions once`() {
    #expect(HostcallTable.entries.count == 411)
    #expect(Set(HostcallTable.entries.map { $0.module + "." + $0.name }).count == 411)
  }

  @Test func `an alias is traced under its target's name`() throws {
    let alias = try #require(HostcallTable.entry(module: "env", name: "xqd_body_read"))
    #expect(alias.aliasOf == "fastly_http_body.read")
    #expect(HostcallTable.traceNames[Int(alias.index)] == "fastly_http_body.read")
  }

  @Test func `trace names are qualified, and 0 is the unknown one`() {
    #expect(HostcallTable.traceNames[0] == "unknown")
    #expect(HostcallTable.traceNames.contains("fastly_http_req.close"))
    #expect(HostcallTable.traceNames.contains("fastly_http_resp.close"))
  }

  @Test func `every import that is not known is named`() throws {
    let engine = Engine(HostcallTableTests.small)
    let module = try Module(
      engine: engine,
      bytes: Module.binary(
        fromText: """
          (module (import "fastly_abi" "init" (func (param i64) (result i32)))
            (import "fastly_new" "a" (func)) (import "other" "b" (func)) (memory (export "memory") 1)
            (func (export "_start")))
          """))
    let error = try #require(throws: HostcallTable.LinkError.self) {
      try HostcallTable.prepare(module, engine: engine, trapOnUnknown: false)
    }
    #expect(error.unknown == ["fastly_new.a", "other.b"])
    _ = try HostcallTable.prepare(module, engine: engine, trapOnUnknown: true)
  }

  @Test func `an import with another type is named`() throws {
    let engine = Engine(HostcallTableTests.small)
    let module = try Module(
      engine: engine,
      bytes: Module.binary(fromText: #"(module (import "fastly_abi" "init" (func (param i32) (result i32))))"#))
    let error = try #require(throws: HostcallTable.LinkError.self) {
      try HostcallTable.prepare(module, engine: engine, trapOnUnknown: true)
    }
    #expect(error.mismatched == ["fastly_abi.init"])
  }

  @Test func `a second signature of an old name is linked to its own target`() throws {
    let engine = Engine(HostcallTableTests.small)
    let module = try Module(
      engine: engine,
      bytes: Module.binary(
        fromText: """
          (module (import "env" "xqd_req_downstream_tls_protocol" (func (param i32 i32 i32 i32) (result i32))))
          """))
    _ = try HostcallTable.prepare(module, engine: engine, trapOnUnknown: false)
  }

  static let small: EngineSettings = {
    var settings = EngineSettings()
    settings.maximumInstances = 4
    return settings
  }()
}

extension HostcallTableTests {
  @Test func `the whole of WASI preview 1 can be imported`() throws {
    let engine = Engine(HostcallTableTests.small)
    let module = try Module(
      engine: engine,
      bytes: Module.binary(
        fromText: """
          (module
            (import "wasi_snapshot_preview1" "clock_res_get" (func (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_pwrite" (func (param i32 i32 i32 i64 i32) (result i32)))
            (import "wasi_snapshot_preview1" "path_rename" (func (param i32 i32 i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "sock_shutdown" (func (param i32 i32) (result i32))))
          """))
    _ = try HostcallTable.prepare(module, engine: engine, trapOnUnknown: false)
  }
}
