/// One process of a profile as it stands in the file; Gecko profiles nest them.
struct FirefoxProcess {
  struct Thread {
    var tables = FirefoxTables()
    var samples = FirefoxTable()
    var processID: Int32?
    var threadID: Int32?
  }

  private static let maximumNesting = 8
  private static let sampleColumns: Set<String> = [
    "stack", "time", "timeDeltas", "weight", "weightType", "threadCPUDelta",
  ]

  private(set) var meta = FirefoxMeta()
  private(set) var shared = FirefoxTables()
  private(set) var threads: [Thread] = []
  private(set) var libraries: [String] = []
  private(set) var children: [FirefoxProcess] = []
  private(set) var hasThreads = false

  init(_ reader: inout ProfileJSONReader, _ bytes: [UInt8], nesting: Int = 0) throws(NativeSampleError) {
    guard nesting < Self.maximumNesting else { throw reader.error("processes nested too deeply") }
    var process = FirefoxProcess()
    try reader.object { reader, key throws(NativeSampleError) in
      switch (key, try reader.kind()) {
      case ("meta", .object): process.meta = try FirefoxMeta(&reader)
      case ("libs", .array):
        try reader.array { reader throws(NativeSampleError) in
          var name = ""
          try reader.object { reader, key throws(NativeSampleError) in
            if key == "name" { name = try reader.stringOrEmpty() } else { try reader.skip() }
          }
          process.libraries.append(name)
        }
      case ("shared", .object):
        try reader.object { reader, key throws(NativeSampleError) in
          if try !process.shared.read(key, &reader, bytes) { try reader.skip() }
        }
      case ("threads", .array):
        process.hasThreads = true
        try reader.array { reader throws(NativeSampleError) in process.threads.append(try Self.thread(&reader, bytes)) }
      case ("processes", .array):
        try reader.array { reader throws(NativeSampleError) in
          process.children.append(try FirefoxProcess(&reader, bytes, nesting: nesting + 1))
        }
      default: try reader.skip()
      }
    }
    self = process
  }

  private init() {}

  private static func thread(_ reader: inout ProfileJSONReader, _ bytes: [UInt8]) throws(NativeSampleError) -> Thread {
    var thread = Thread()
    try reader.object { reader, key throws(NativeSampleError) in
      switch key {
      case "pid": thread.processID = try id(&reader)
      case "tid": thread.threadID = try id(&reader)
      case "samples" where try reader.kind() == .object:
        thread.samples = try FirefoxTable(&reader, columns: sampleColumns, bytes: bytes)
      default: if try !thread.tables.read(key, &reader, bytes) { try reader.skip() }
      }
    }
    return thread
  }

  /// A number, or a string that begins with one: an id that was used again gets a suffix (`1234.1`). 0 is what writers
  /// put where they do not know it.
  private static func id(_ reader: inout ProfileJSONReader) throws(NativeSampleError) -> Int32? {
    let id: Int32?
    switch try reader.kind() {
    case .number: id = Int32(exactly: try reader.number())
    case .string: id = Int32(try reader.string().prefix { $0.isASCII && $0.isNumber })
    default:
      try reader.skip()
      id = nil
    }
    return id == 0 ? nil : id
  }
}
