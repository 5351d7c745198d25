/// Where in the source each function of a module begins, according to its debug information.
struct FunctionOrigins: Sendable {
  /// A place in the source.
  struct Origin: Sendable, Hashable {
    /// The last component of the file's path.
    var file: String
    var line: UInt32
  }

  static let empty = FunctionOrigins(origins: [], first: 0)

  private let origins: [Origin?]
  private let firstFunction: UInt32

  private init(origins: [Origin?], first: UInt32) {
    self.origins = origins
    firstFunction = first
  }

  /// Reads the line table of a module; empty where it has none, and for the functions it does not tell of.
  init(module: [UInt8]) {
    let sections = ModuleSections(module)
    guard let table = sections.custom[".debug_line"] else {
      self = .empty
      return
    }
    let bodies = sections.bodies()
    var collector = Collector(bodies: bodies)
    let strings = DWARFStrings(
      bytes: module, line: sections.custom[".debug_line_str"], common: sections.custom[".debug_str"])
    DWARFLineTable(bytes: module, section: table, strings: strings).forEachRow { collector.take($0, file: $1) }
    self.init(origins: collector.origins, first: sections.importedFunctions)
  }

  /// By the function's index, imports included.
  subscript(function: UInt32) -> Origin? {
    guard function >= firstFunction, Int(function - firstFunction) < origins.count else { return nil }
    return origins[Int(function - firstFunction)]
  }

  /// Keeps the lowest row within each function.
  private struct Collector {
    let bodies: [Range<UInt32>]
    var origins: [Origin?]
    private var lowest: [UInt32]

    init(bodies: [Range<UInt32>]) {
      self.bodies = bodies
      origins = Array(repeating: nil, count: bodies.count)
      lowest = Array(repeating: .max, count: bodies.count)
    }

    mutating func take(_ row: DWARFLineTable.Row, file: String) {
      guard row.line > 0, let index = body(at: row.address), row.address < lowest[index] else { return }
      lowest[index] = row.address
      origins[index] = Origin(file: file, line: row.line)
    }

    private func body(at address: UInt32) -> Int? {
      var low = 0
      var high = bodies.count
      while low < high {
        let middle = (low + high) / 2
        if bodies[middle].lowerBound <= address { low = middle + 1 } else { high = middle }
      }
      return low > 0 && bodies[low - 1].contains(address) ? low - 1 : nil
    }
  }
}
