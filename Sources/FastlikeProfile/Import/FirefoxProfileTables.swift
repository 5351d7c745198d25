/// A table of a Firefox profile: columns of numbers, missing cells NaN.
///
/// *Processed* profiles store columns, *Gecko* ones rows with a schema that names their cells; here both look the same.
struct FirefoxTable {
  private var columns: [String: [Double]] = [:]
  private var texts: [String: String] = [:]
  /// Where the table begins in the input, for errors.
  private(set) var offset = 0

  init() {}

  /// Reads the table at the reader's position; columns that nobody asks for are skipped.
  init(_ reader: inout ProfileJSONReader, columns wanted: Set<String>, bytes: [UInt8]) throws(NativeSampleError) {
    _ = try reader.kind()
    offset = reader.position
    var schema: [String: Int] = [:]
    var rows: Int?
    var columns: [String: [Double]] = [:]
    var texts: [String: String] = [:]
    try reader.object { reader, key throws(NativeSampleError) in
      switch (key, try reader.kind()) {
      case ("schema", .object):
        try reader.object { reader, column throws(NativeSampleError) in
          let position = try reader.number()
          if wanted.contains(column), (0..<64).contains(position) { schema[column] = Int(position) }
        }
      case ("data", .array):
        // The schema may come after the rows.
        rows = reader.position
        try reader.skip()
      case (_, .array) where wanted.contains(key): columns[key] = try Self.column(&reader)
      case (_, .string) where wanted.contains(key): texts[key] = try reader.string()
      default: try reader.skip()
      }
    }
    if let rows, !schema.isEmpty {
      var reader = ProfileJSONReader(bytes, at: rows)
      columns = try Self.columns(&reader, schema)
    }
    self.columns = columns
    self.texts = texts
  }

  private static func column(_ reader: inout ProfileJSONReader) throws(NativeSampleError) -> [Double] {
    var values: [Double] = []
    try reader.array { reader throws(NativeSampleError) in values.append(try numberOrNaN(&reader)) }
    return values
  }

  private static func columns(
    _ reader: inout ProfileJSONReader, _ schema: [String: Int]
  ) throws(NativeSampleError) -> [String: [Double]] {
    let width = (schema.values.max() ?? 0) + 1
    var cells: [[Double]] = Array(repeating: [], count: width)
    var isWanted = Array(repeating: false, count: width)
    for position in schema.values { isWanted[position] = true }
    try reader.array { reader throws(NativeSampleError) in
      var position = 0
      try reader.array { reader throws(NativeSampleError) in
        if position < width, isWanted[position] {
          cells[position].append(try numberOrNaN(&reader))
        } else {
          try reader.skip()
        }
        position += 1
      }
      // Rows leave empty cells at their end out.
      while position < width {
        if isWanted[position] { cells[position].append(.nan) }
        position += 1
      }
    }
    return schema.mapValues { cells[$0] }
  }

  private static func numberOrNaN(_ reader: inout ProfileJSONReader) throws(NativeSampleError) -> Double {
    switch try reader.kind() {
    case .number, .literal: return try reader.number()
    default:
      try reader.skip()
      return .nan
    }
  }

  /// Whether the table has the column.
  func has(_ column: String) -> Bool { columns[column] != nil }

  /// A column; empty when the table does not have it.
  func column(_ name: String) -> [Double] { columns[name] ?? [] }

  /// A text beside the columns; empty when there is none.
  func text(_ name: String) -> String { texts[name] ?? "" }

  var isEmpty: Bool { columns.isEmpty }

  /// A cell that is an index; nil where there is none, it is negative, or it is no whole number.
  func index(_ column: [Double], _ row: Int) -> Int? {
    guard row < column.count, column[row] >= 0 else { return nil }
    return Int(exactly: column[row])
  }
}

/// What one process or thread of a profile needs to name its stacks.
struct FirefoxTables {
  var strings: [String] = []
  var stacks = FirefoxTable()
  var frames = FirefoxTable()
  var functions = FirefoxTable()
  var resources = FirefoxTable()

  /// Reads a member if it is one of these tables.
  /// - Returns: Whether it was.
  mutating func read(_ key: String, _ reader: inout ProfileJSONReader, _ bytes: [UInt8]) throws(NativeSampleError)
    -> Bool
  {
    switch key {
    case "stringArray", "stringTable":
      guard try reader.kind() == .array else { return false }
      var strings: [String] = []
      try reader.array { reader throws(NativeSampleError) in
        strings.append(PrintableText.bounded(try reader.stringOrEmpty(), to: NativeImportLimits.nameBytes))
      }
      self.strings = strings
    case "stackTable":
      stacks = try FirefoxTable(&reader, columns: ["frame", "prefix", "prefixOffset"], bytes: bytes)
    case "frameTable":
      frames = try FirefoxTable(&reader, columns: ["func", "category", "inlineDepth", "lib", "location"], bytes: bytes)
    case "funcTable": functions = try FirefoxTable(&reader, columns: ["name", "resource"], bytes: bytes)
    case "resourceTable": resources = try FirefoxTable(&reader, columns: ["name", "lib"], bytes: bytes)
    default: return false
    }
    return true
  }

  /// These with the strings that all threads share, if they have none: versions 56 to 59 share nothing else.
  func withStrings(of shared: FirefoxTables) -> FirefoxTables {
    guard strings.isEmpty else { return self }
    var all = self
    all.strings = shared.strings
    return all
  }
}

/// The head of a profile or of one of its processes.
struct FirefoxMeta {
  /// Unix milliseconds.
  var startTime = 0.0
  /// Milliseconds between samples; 0 when not known.
  var interval = 0.0
  /// Nanoseconds on the monotonic clock at `startTime`.
  var monotonicStart: Double?
  var isProcessed = false
  var categories: [String] = []
  /// Nanoseconds in a unit of `threadCPUDelta`; nil for cycles and the like.
  var cpuDeltaNanos: Double?

  init() {}

  init(_ reader: inout ProfileJSONReader) throws(NativeSampleError) {
    var meta = FirefoxMeta()
    try reader.object { reader, key throws(NativeSampleError) in
      switch (key, try reader.kind()) {
      case ("startTime", .number): meta.startTime = try reader.number()
      case ("interval", .number): meta.interval = try reader.number()
      case ("startTimeAsClockMonotonicNanosecondsSinceBoot", .number): meta.monotonicStart = try reader.number()
      case ("preprocessedProfileVersion", .number):
        meta.isProcessed = true
        try reader.skip()
      case ("categories", .array):
        try reader.array { reader throws(NativeSampleError) in
          var name = ""
          try reader.object { reader, key throws(NativeSampleError) in
            if key == "name" { name = try reader.stringOrEmpty() } else { try reader.skip() }
          }
          meta.categories.append(name)
        }
      case ("sampleUnits", .object):
        try reader.object { reader, key throws(NativeSampleError) in
          guard key == "threadCPUDelta" else { return try reader.skip() }
          switch try reader.stringOrEmpty() {
          case "ns": meta.cpuDeltaNanos = 1
          case "µs", "μs": meta.cpuDeltaNanos = 1000
          default: meta.cpuDeltaNanos = nil
          }
        }
      default: try reader.skip()
      }
    }
    self = meta
  }
}
