import CWasmtime
import Foundation
import Testing

/// Compares our declarations of the C API with the library's own description of itself, which bootstrap leaves beside it.
@Suite struct WasmtimeLayoutTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  private static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  /// Our functions with their number of parameters.
  private static func declarations() throws -> [String: Int] {
    var header = try text("Sources/CWasmtime/include/CWasmtime.h")
    header = header.replacing(/\/\/[^\n]*/, with: "").replacing(/#[^\n]*/, with: "").replacing(/\s+/, with: " ")
    var found: [String: Int] = [:]
    for match in header.matches(of: /(?:^|[;}] ?)[a-z][\w ]*[ *]((?:wasm|wasmtime)_\w+)\((.*?)\)(?=;)/) {
      let parameters = String(match.2)
      if String(match.0).contains("typedef") { continue }
      // Function pointers among the parameters have commas of their own only inside parentheses.
      var depth = 0
      var count = parameters == "void" ? 0 : 1
      for character in parameters {
        if character == "(" { depth += 1 }
        if character == ")" { depth -= 1 }
        if character == ",", depth == 0 { count += 1 }
      }
      found[String(match.1)] = count
    }
    return found
  }

  @Test func `every function has the library's number of parameters`() throws {
    let bindings = try WasmtimeLayoutTests.text(".wasmtime/share/_bindings.py")
    let ours = try WasmtimeLayoutTests.declarations()
    #expect(ours.count > 80)
    for (name, count) in ours {
      let marker = "_\(name).argtypes = ["
      guard let start = bindings.range(of: marker), let end = bindings[start.upperBound...].firstIndex(of: "\n") else {
        Issue.record("the library has no \(name)")
        continue
      }
      var depth = 0
      let list = bindings[start.upperBound..<end].dropLast()
      var arity = list.isEmpty ? 0 : 1
      for character in list {
        if character == "(" { depth += 1 }
        if character == ")" { depth -= 1 }
        if character == ",", depth == 0 { arity += 1 }
      }
      #expect(arity == count, "\(name): \(count) here, \(arity) in the library")
    }
  }

  /// Sizes and offsets that ctypes works out from the library's description, on every 64-bit platform the same.
  @Test func `every struct has the library's size and offsets`() throws {
    let script = """
      import ctypes, re, sys, types
      text = open(sys.argv[1]).read()
      text = text.split('from ._ffi import')[0] + text[text.index('\\n', text.index('from ._ffi import')):]
      class Any:
          def __getattr__(self, name): return Any()
          def __setattr__(self, name, value): pass
      scope = {'dll': Any(), 'ctypes': ctypes}
      class wasm_ref_t(ctypes.Structure): pass
      scope['wasm_ref_t'] = wasm_ref_t
      class wasm_val_t(ctypes.Structure): _fields_ = [('kind', ctypes.c_uint8), ('of', ctypes.c_uint64)]
      scope['wasm_val_t'] = wasm_val_t
      exec(text.replace('ctypes._Pointer', 'object'), scope)
      for name in sys.argv[2:]:
          item = scope[name]
          fields = ' '.join(str(getattr(item, f[0]).offset) for f in item._fields_)
          print(name, ctypes.sizeof(item), ctypes.alignment(item), fields)
      """
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    let names = [
      "wasm_byte_vec_t", "wasmtime_val", "wasmtime_val_raw", "wasmtime_extern", "wasmtime_func", "wasmtime_instance",
      "wasmtime_memory", "wasmtime_anyref", "wasmtime_async_continuation_t", "wasm_frame_vec_t",
    ]
    process.arguments =
      ["python3", "-c", script, WasmtimeLayoutTests.root.appendingPathComponent(".wasmtime/share/_bindings.py").path]
      + names
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    var theirs: [String: String] = [:]
    for line in output.split(separator: "\n") {
      let parts = line.split(separator: " ", maxSplits: 1)
      theirs[String(parts[0])] = String(parts[1])
    }
    let ours = [
      "wasm_byte_vec_t": layout(wasm_byte_vec_t.self, [\.size, \.data]),
      "wasmtime_val": layout(wasmtime_val_t.self, [\.kind, \.of]),
      "wasmtime_extern": layout(wasmtime_extern_t.self, [\.kind, \.of]),
      "wasmtime_func": layout(wasmtime_func_t.self, [\.store_id, \.__private]),
      "wasmtime_instance": layout(wasmtime_instance_t.self, [\.store_id, \.__private]),
      "wasmtime_anyref": layout(
        wasmtime_anyref_t.self, [\.store_id, \.__private1, \.__private2, \.__private3]),
      "wasmtime_async_continuation_t": layout(
        wasmtime_async_continuation_t.self, [\.callback, \.env, \.finalizer]),
      "wasm_frame_vec_t": layout(wasm_frame_vec_t.self, [\.size, \.data]),
    ]
    for (name, layout) in ours { #expect(theirs[name] == layout, "\(name)") }
    #expect(theirs["wasmtime_val_raw"]?.hasPrefix("16 8") == true)
    #expect(MemoryLayout<wasmtime_val_raw_t>.size == 16)
    #expect(theirs["wasmtime_memory"]?.hasPrefix("24 8 0 16") == true)
    #expect(MemoryLayout<wasmtime_memory_t>.size == 24)
    #expect(MemoryLayout<wasmtime_memory_t>.offset(of: \.__private2) == 16)
  }

  private func layout<Value>(_ type: Value.Type, _ fields: [PartialKeyPath<Value>]) -> String {
    let offsets = fields.map { MemoryLayout<Value>.offset(of: $0).map(String.init) ?? "?" }
    return "\(MemoryLayout<Value>.stride) \(MemoryLayout<Value>.alignment) " + offsets.joined(separator: " ")
  }
}
