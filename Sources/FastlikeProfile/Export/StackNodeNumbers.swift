/// The nodes of one sampled thread as V8's profiler numbers them: from 1, parents before their children. Only those
/// that a sample needs are there, because one table often serves many threads.
struct StackNodeNumbers {
  /// Where every stack begins.
  let root: Int
  /// The stack while the guest is suspended.
  let idle: Int
  private let table: StackTable
  /// The number of each of the table's nodes; 0 for those that are left out.
  private let numbers: [Int]

  init(_ group: SampleGroup, _ rows: inout ExportRowNumbers) {
    table = group.table
    var isUsed = [Bool](repeating: false, count: table.nodes.count)
    for sample in group.samples {
      var node = Int(sample.stack)
      while node >= 0, !isUsed[node] {
        isUsed[node] = true
        node = Int(table.nodes[node].parent)
      }
    }
    root = rows.nextNodes(isUsed.count { $0 } + 2)
    idle = root + 1
    var next = idle
    numbers = isUsed.map { isUsed in
      next += isUsed ? 1 : 0
      return isUsed ? next : 0
    }
  }

  /// The number of a sample's stack.
  func number(of stack: UInt32?) -> Int { stack.map { numbers[Int($0)] } ?? idle }

  /// The key `nodes` with its value.
  func write(to json: inout JSONByteWriter) {
    json.key("nodes")
    json.beginArray()
    Self.write(root, parent: nil, "(root)", "", to: &json)
    Self.write(idle, parent: root, "(idle)", "", to: &json)
    for (index, node) in table.nodes.enumerated() where numbers[index] > 0 {
      let frame = table.frames[Int(node.frame)]
      Self.write(
        numbers[index], parent: node.parent < 0 ? root : numbers[Int(node.parent)],
        frame.name.isEmpty ? "unknown" : frame.name, frame.module, to: &json)
    }
    json.endArray()
  }

  private static func write(
    _ number: Int, parent: Int?, _ function: String, _ module: String, to json: inout JSONByteWriter
  ) {
    json.beginObject()
    json.field("id", number)
    if let parent { json.field("parent", parent) }
    json.key("callFrame")
    json.beginObject()
    json.field("functionName", function)
    json.field("scriptId", "0")
    json.field("url", module)
    json.field("lineNumber", -1)
    json.field("columnNumber", -1)
    json.endObject()
    json.endObject()
  }
}
