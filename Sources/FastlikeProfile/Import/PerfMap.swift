/// The names of code that was generated at run time: the file `/tmp/perf-PID.map` that runtimes write for `perf`.
///
/// A line is `START SIZE NAME`, both numbers hexadecimal with or without `0x`, the name the rest of the line. Where
/// functions overlap, the later line counts.
public struct PerfMap: Sendable, Hashable {
  /// Lines that were not understood and left out.
  public let unknownLines: Int
  /// Line numbers (from 1) of the first few of them.
  public let unknownLineNumbers: [Int]
  /// Where each piece begins, ascending. A piece lasts to the next one's beginning.
  private let starts: [UInt64]
  /// Index into `names` of each piece; -1 where no function is.
  private let owners: [Int32]
  private let names: [String]

  /// Reads a file's content.
  /// - Throws: ``NativeSampleError/malformed(line:reason:)`` when no line is one of a perf map,
  ///   ``NativeSampleError/tooLarge(limit:)``. Empty input is an empty map.
  public init(_ bytes: [UInt8], limits: NativeImportLimits = NativeImportLimits(bytes: 1 << 30))
    throws(NativeSampleError)
  {
    guard bytes.count <= limits.bytes else { throw .tooLarge(limit: limits.bytes) }
    var functions: [Function] = []
    var names: [String] = []
    var unknown = UnknownLines()
    var line = 0
    var start = 0
    while start < bytes.count {
      let end = bytes.nextLineEnd(from: start, before: bytes.count) ?? bytes.count
      line += 1
      let range = ByteText.trimmed(bytes, start..<end)
      start = end + 1
      guard !range.isEmpty else { continue }
      guard let function = Function(bytes, range, name: names.count) else {
        unknown.add(line, reason: "expected START SIZE NAME with hexadecimal numbers")
        continue
      }
      guard names.count < limits.functions else {
        throw .malformed(line: line, reason: "more than \(limits.functions) functions")
      }
      names.append(function.nameText(bytes))
      functions.append(function)
    }
    if functions.isEmpty, let error = unknown.error { throw error }
    self.names = names
    unknownLines = unknown.count
    unknownLineNumbers = unknown.numbers
    (starts, owners) = Self.flatten(functions)
  }

  /// The number of functions.
  public var count: Int { names.count }

  /// The name of the function at an address; nil when none is there.
  ///
  /// Complexity: O(log count)
  public func name(at address: UInt64) -> String? {
    var low = 0
    var high = starts.count
    while low < high {
      let middle = (low + high) / 2
      if starts[middle] <= address { low = middle + 1 } else { high = middle }
    }
    guard low > 0, owners[low - 1] >= 0 else { return nil }
    return names[Int(owners[low - 1])]
  }

  private struct Function {
    var start: UInt64
    var end: UInt64
    var name: Int
    private var text: Range<Int>

    init?(_ bytes: [UInt8], _ line: Range<Int>, name: Int) {
      let first = ByteText.word(bytes, line)
      let second = ByteText.word(bytes, first.upperBound..<line.upperBound)
      text = ByteText.trimmed(bytes, second.upperBound..<line.upperBound)
      guard !text.isEmpty, let start = ByteText.hexadecimal(bytes, first),
        let size = ByteText.hexadecimal(bytes, second), size > 0
      else { return nil }
      let (end, isBeyond) = start.addingReportingOverflow(size)
      self.start = start
      self.end = isBeyond ? .max : end
      self.name = name
    }

    func nameText(_ bytes: [UInt8]) -> String {
      PrintableText.bounded(bytes[text], to: NativeImportLimits.nameBytes)
    }
  }

  /// Cuts overlapping functions into pieces of which each belongs to the latest line: a sweep over all beginnings and
  /// ends with the functions that are open in a heap.
  private static func flatten(_ functions: [Function]) -> (starts: [UInt64], owners: [Int32]) {
    let byStart = functions.indices.sorted { functions[$0].start < functions[$1].start }
    let edges = functions.flatMap { [$0.start, $0.end] }.sorted()
    var starts: [UInt64] = []
    var owners: [Int32] = []
    var open = BinaryHeap<Int>(by: >)
    var next = 0
    var last: UInt64?
    for edge in edges where edge != last {
      last = edge
      while next < byStart.count, functions[byStart[next]].start <= edge {
        open.insert(byStart[next])
        next += 1
      }
      while let latest = open.first, functions[latest].end <= edge { open.removeFirst() }
      let owner = open.first.map { Int32(functions[$0].name) } ?? -1
      if owners.last != owner {
        starts.append(edge)
        owners.append(owner)
      }
    }
    return (starts, owners)
  }
}

/// Lines that were not understood: all counted, the first few told.
struct UnknownLines {
  private(set) var count = 0
  private(set) var numbers: [Int] = []
  private var firstReason = ""

  mutating func add(_ line: Int, reason: String) {
    if count == 0 { firstReason = reason }
    if numbers.count < 16 { numbers.append(line) }
    count += 1
  }

  mutating func merge(_ other: UnknownLines) {
    if count == 0 { firstReason = other.firstReason }
    count += other.count
    numbers = Array((numbers + other.numbers).sorted().prefix(16))
  }

  /// The error when nothing else was in the input; nil when every line was understood.
  var error: NativeSampleError? { numbers.first.map { .malformed(line: $0, reason: firstReason) } }
}
