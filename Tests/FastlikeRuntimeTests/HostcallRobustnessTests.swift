import ComputeABI
import FastlikeProfile
import FastlikeRuntime
import Foundation
import Testing

/// Every implemented hostcall with arguments that no honest guest gives. The table of the ABI says what is a pointer, a
/// length and a handle; the trace says what each call answered.
@Suite struct HostcallRobustnessTests {
  private struct Function: Decodable {
    struct Parameter: Decodable {
      var name: String
      var type: String
      var wasm: String
      var dir: String
      var len: String?
      var optional: Bool?
    }
    var module: String
    var name: String
    var params: [Parameter]
    var results: [String]
  }

  /// Arguments of one call, and the statuses that may answer it.
  private struct Call {
    var what: String
    var arguments: [UInt64]
    var allowed: Set<Int32>
  }

  private static let functions: [Function] = {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let file = root.appendingPathComponent("Sources/ComputeABI/Data/hostcalls.json")
    // The table is part of the checkout; a test without it could only fail later and less clearly.
    return (try? JSONDecoder().decode([Function].self, from: Data(contentsOf: file))) ?? []
  }()

  /// Four pages.
  private static let memorySize: UInt64 = 4 * 65_536
  private static let beyond: UInt64 = 0xffff_fff0

  private static func isPointer(_ parameter: Function.Parameter) -> Bool { parameter.type.contains("ptr<") }

  /// Arguments that point to valid memory and name nothing that exists.
  private static func plain(_ function: Function) -> [UInt64] {
    function.params.enumerated().map { index, parameter in
      if isPointer(parameter) { return UInt64(4096 + index * 512) }
      if parameter.type.hasSuffix("_handle") { return 0xffff_fffe }
      return function.params.contains { $0.len == parameter.name } ? 16 : 0
    }
  }

  private static let anyFailure: Set<Int32> = Set(1...14)
  private static let anyAnswer: Set<Int32> = Set(0...14)

  private static func calls(of function: Function) -> [Call] {
    let isWASI = function.module == "wasi_snapshot_preview1"
    let (fault, misaligned): (Int32, Int32) = isWASI ? (21, 28) : (2, 6)
    let plain = plain(function)
    var calls: [Call] = []
    let handles = function.params.filter { $0.type.hasSuffix("_handle") && !isPointer($0) }
    if !handles.isEmpty {
      calls.append(Call(what: "handles that are none", arguments: plain, allowed: [3, 2]))
      var large = plain
      for (index, parameter) in function.params.enumerated() where parameter.type.hasSuffix("_handle") {
        large[index] = 77
      }
      calls.append(Call(what: "handles never given", arguments: large, allowed: [3, 2]))
    }
    for (index, parameter) in function.params.enumerated() where isPointer(parameter) {
      var arguments = plain
      arguments[index] = beyond
      // Lists of WASI records and optional structs are only looked at after other checks.
      let isLazy =
        parameter.type.contains("wasi.") || parameter.type.contains("_options>")
        || parameter.type.contains("_config>") || parameter.type.contains("_info>") || isWASI
      calls.append(
        Call(
          what: "\(parameter.name) beyond memory", arguments: arguments,
          allowed: isLazy ? Set(1...76) : [fault, misaligned]))
      if let length = parameter.len, let place = function.params.firstIndex(where: { $0.name == length }) {
        arguments = plain
        arguments[place] = 0xffff_ffff
        calls.append(
          Call(what: "\(length) of 4 GiB", arguments: arguments, allowed: isLazy ? Set(1...76) : [fault, misaligned]))
        arguments[place] = 70_000
        calls.append(Call(what: "\(length) of 70,000", arguments: arguments, allowed: Set(0...76)))
      } else if parameter.dir == "out", !isWASI, !parameter.type.contains("char8"), !parameter.type.contains("<u8>") {
        arguments = plain
        arguments[index] = 4097
        calls.append(Call(what: "\(parameter.name) misaligned", arguments: arguments, allowed: [misaligned]))
      }
    }
    return calls
  }

  private static func module(_ function: Function, _ calls: [Call]) -> String {
    let types = function.params.map(\.wasm).joined(separator: " ")
    let body = calls.map { call in
      let values = zip(function.params, call.arguments).map { "(\($0.wasm).const \($1))" }.joined(separator: " ")
      return "(drop (call $f \(values)))"
    }
    return """
      (module
        (import "\(function.module)" "\(function.name)" (func $f (param \(types)) (result i32)))
        (memory (export "memory") 4)
        (func (export "_start") \(body.joined(separator: "\n"))))
      """
  }

  @Test func `every implemented hostcall answers bad arguments with the ABI's status`() async throws {
    try #require(HostcallRobustnessTests.functions.count == 411)
    var checked = 0
    for function in HostcallRobustnessTests.functions where !function.results.isEmpty {
      let entry = try #require(HostcallTable.entry(module: function.module, name: function.name))
      guard entry.isServed else { continue }
      let calls = HostcallRobustnessTests.calls(of: function)
      guard !calls.isEmpty else { continue }
      let outcome = try await GuestHarness().run(HostcallRobustnessTests.module(function, calls))
      #expect(outcome.ending.isSuccess, "\(function.module).\(function.name) ended its guest: \(outcome.ending)")
      try #require(outcome.trace.spans.count == calls.count)
      for (call, span) in zip(calls, outcome.trace.spans) {
        #expect(
          call.allowed.contains(span.status),
          "\(function.module).\(function.name) with \(call.what) answered \(span.status)")
      }
      checked += calls.count
    }
    #expect(checked > 1_000)
  }

  @Test func `functions that are not served answer unsupported`() async throws {
    for function in HostcallRobustnessTests.functions {
      let entry = try #require(HostcallTable.entry(module: function.module, name: function.name))
      guard !entry.isServed else { continue }
      let call = Call(what: "plain arguments", arguments: HostcallRobustnessTests.plain(function), allowed: [5])
      let outcome = try await GuestHarness().run(HostcallRobustnessTests.module(function, [call]))
      #expect(outcome.trace.spans.map(\.status) == [5], "\(function.module).\(function.name)")
    }
  }
}
