/// The tables that all threads of a Firefox profile share: strings, functions, frames, stacks. Equal entries of several
/// traces become one, so that the call tree adds them up.
struct FirefoxSharedTables {
  private struct Frame: Hashable {
    let function: Int
    let inlineDepth: Int
    let category: Int
  }

  private struct Function: Hashable {
    let name: Int
    /// -1 for none.
    let resource: Int
    /// -1 for none.
    var source = -1
    /// Of the source, counted from 1; 0 when not known.
    var line: UInt32 = 0
  }

  private struct Stack: Hashable {
    let frame: Int
    /// -1 for a root.
    let prefix: Int
  }

  private var strings = Interned<String, Int>()
  /// Names of modules, as string indices.
  private var resources = Interned<Int, Int>()
  /// Names of source files, as string indices.
  private var sources = Interned<Int, Int>()
  private var functions = Interned<Function, Int>()
  private var frames = Interned<Frame, Int>()
  private var stacks = Interned<Stack, Int>()

  mutating func string(_ text: String) -> Int { strings.number(of: text) }

  /// Takes over a table.
  /// - Returns: The index here of each of its nodes.
  mutating func add(_ table: StackTable) -> [Int] {
    let functionOfFrame = table.frames.map { frame in
      let resource = frame.module.isEmpty ? -1 : resources.number(of: string(frame.module))
      let source = frame.file.isEmpty ? -1 : sources.number(of: string(frame.file))
      return functions.number(
        of: Function(
          name: string(frame.name.isEmpty ? "unknown" : frame.name), resource: resource, source: source,
          line: frame.line))
    }
    var indices: [Int] = []
    var depths: [Int] = []
    indices.reserveCapacity(table.nodes.count)
    depths.reserveCapacity(table.nodes.count)
    for node in table.nodes {
      let frame = table.frames[Int(node.frame)]
      let parent = Int(node.parent)
      let depth = frame.isInlined && parent >= 0 ? depths[parent] + 1 : 0
      depths.append(depth)
      let index = frames.number(
        of: Frame(
          function: functionOfFrame[Int(node.frame)], inlineDepth: depth,
          category: FirefoxCategory(of: frame.kind).rawValue))
      indices.append(stacks.number(of: Stack(frame: index, prefix: parent < 0 ? -1 : indices[parent])))
    }
    return indices
  }

  /// The value of the key `shared` in version 63.
  func write(to json: inout JSONByteWriter) {
    json.beginObject()
    json.array("stringArray", strings.values)
    writeStacks(to: &json)
    writeFrames(to: &json)
    writeFunctions(to: &json)
    json.key("resourceTable")
    json.beginObject()
    let modules = resources.values.count
    json.field("length", modules)
    json.array("lib", repeating: "-1", count: modules)
    json.array("name", resources.values)
    json.array("host", repeating: "null", count: modules)
    // 1 is a library.
    json.array("type", repeating: "1", count: modules)
    json.endObject()
    json.field(
      "nativeSymbols", literal: #"{"length":0,"libIndex":[],"address":[],"name":[],"functionSize":[]}"#)
    writeSources(to: &json)
    json.endObject()
  }

  private func writeStacks(to json: inout JSONByteWriter) {
    json.key("stackTable")
    json.beginObject()
    json.field("length", stacks.values.count)
    json.array("frame", stacks.values.lazy.map(\.frame))
    json.array("prefix", of: stacks.values) { json, stack in
      if stack.prefix < 0 { json.null() } else { json.value(Int64(stack.prefix)) }
    }
    json.endObject()
  }

  private func writeFrames(to json: inout JSONByteWriter) {
    let count = frames.values.count
    json.key("frameTable")
    json.beginObject()
    json.field("length", count)
    json.array("address", repeating: "-1", count: count)
    json.array("inlineDepth", frames.values.lazy.map(\.inlineDepth))
    json.array("category", frames.values.lazy.map(\.category))
    json.array("subcategory", repeating: "0", count: count)
    json.array("func", frames.values.lazy.map(\.function))
    json.array("nativeSymbol", repeating: "null", count: count)
    json.array("innerWindowID", repeating: "0", count: count)
    json.array("line", repeating: "null", count: count)
    json.array("column", repeating: "null", count: count)
    json.endObject()
  }

  private func writeFunctions(to json: inout JSONByteWriter) {
    let count = functions.values.count
    json.key("funcTable")
    json.beginObject()
    json.field("length", count)
    json.array("name", functions.values.lazy.map(\.name))
    json.array("isJS", repeating: "false", count: count)
    json.array("relevantForJS", repeating: "false", count: count)
    json.array("resource", functions.values.lazy.map(\.resource))
    json.array("source", of: functions.values) { json, function in
      if function.source < 0 { json.null() } else { json.value(Int64(function.source)) }
    }
    json.array("lineNumber", of: functions.values) { json, function in
      if function.line == 0 { json.null() } else { json.value(Int64(function.line)) }
    }
    json.array("columnNumber", repeating: "null", count: count)
    json.endObject()
  }

  private func writeSources(to json: inout JSONByteWriter) {
    let count = sources.values.count
    json.key("sources")
    json.beginObject()
    json.field("length", count)
    json.array("id", repeating: "null", count: count)
    json.array("filename", sources.values)
    json.array("startLine", repeating: "1", count: count)
    json.array("startColumn", repeating: "1", count: count)
    json.array("sourceMapURL", repeating: "null", count: count)
    json.endObject()
  }
}
