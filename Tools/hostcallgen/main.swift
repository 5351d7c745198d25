import Foundation

// Usage: hostcallgen DATA_FOLDER OUTPUT_FOLDER
// Reads the ABI's tables and writes the Swift that follows from them.

guard CommandLine.arguments.count == 3 else {
  FileHandle.standardError.write(Data("usage: hostcallgen DATA_FOLDER OUTPUT_FOLDER\n".utf8))
  exit(2)
}
let data = URL(fileURLWithPath: CommandLine.arguments[1])
let output = URL(fileURLWithPath: CommandLine.arguments[2])

func decode<Value: Decodable>(_ type: Value.Type, _ name: String) throws -> Value {
  try JSONDecoder().decode(type, from: Data(contentsOf: data.appendingPathComponent(name)))
}

do {
  let functions = try decode([Function].self, "hostcalls.json")
  let types = TypeWriter(types: try decode(Types.self, "types.json"))
  let unsupported = try decode([Unsupported].self, "unsupported.json")
  let hostcalls = HostcallWriter(functions: functions, types: types, unsupported: unsupported)
  var files = ["ABITypes.swift": types.write(), "HostcallEntries.swift": hostcalls.table()]
  for module in hostcalls.modules { files[Spelling.protocolName(module) + ".swift"] = hostcalls.module(module) }
  try FileManager.default.createDirectory(at: output, withIntermediateDirectories: true)
  for (name, text) in files {
    try text.write(to: output.appendingPathComponent(name), atomically: true, encoding: .utf8)
  }
} catch {
  FileHandle.standardError.write(Data("hostcallgen: \(error)\n".utf8))
  exit(1)
}
