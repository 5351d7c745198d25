/// A `Profile` message in the making: samples are written in batches, the tables that they refer to at the end. The
/// parts of a message may follow each other in any number, so this is one profile to its readers.
///
/// Every string is an index into the string table.
struct PprofProfile {
  /// What a column counts, and in which unit.
  struct SampleType {
    let type: String
    let unit: String
  }

  private struct Mapping: Hashable {
    let filename: Int64
    let buildID: Int64
  }

  private struct Function: Hashable {
    let name: Int64
    let filename: Int64
  }

  /// The functions of one place, innermost first: more than one where the compiler inlined.
  private struct Location: Hashable {
    let mapping: UInt64
    let functions: [UInt64]
  }

  private static let batchSize = 4096

  private var strings = Interned<String, Int64>(first: 0)
  private var mappings = Interned<Mapping, UInt64>(first: 1)
  private var functions = Interned<Function, UInt64>(first: 1)
  private var locations = Interned<Location, UInt64>(first: 1)
  private var comments: [Int64] = []
  private var traceMapping: UInt64 = 0
  private var traceLabels: [PprofMessageLabel] = []
  private let standard: String
  private var bytes: [UInt8] = []
  /// The samples that are not in ``bytes`` yet.
  private var batch = PprofMessageProfile()

  /// - Parameters:
  ///   - types: The columns.
  ///   - standard: The type of the column that readers open; without it they open the last one.
  init(types: [SampleType], standard: String) {
    self.standard = standard
    // The format wants the empty string at index 0.
    _ = strings.number(of: "")
    batch.sampleType = types.map { valueType($0) }
  }

  // MARK: - Adding

  /// What follows belongs to this module and carries these labels.
  mutating func beginTrace(mapping: (file: String, buildID: String), labels: [(key: String, value: String)]) {
    traceMapping = mappings.number(
      of: Mapping(filename: strings.number(of: mapping.file), buildID: strings.number(of: mapping.buildID)))
    traceLabels = labels.compactMap { label($0.key, $0.value) }
  }

  /// The location of something that is not code.
  mutating func location(named name: String) -> UInt64 {
    let function = functions.number(of: Function(name: strings.number(of: name), filename: 0))
    return locations.number(of: Location(mapping: traceMapping, functions: [function]))
  }

  /// The locations of a sampled stack, leaf first. Frames that were inlined share the location of the one they are in.
  mutating func locations(of stack: UInt32, in table: StackTable) -> [UInt64] {
    var found: [UInt64] = []
    var inlined: [UInt64] = []
    var index = Int(stack)
    while index >= 0, index < table.nodes.count {
      let node = table.nodes[index]
      let frame = table.frames[Int(node.frame)]
      let module = strings.number(of: frame.module)
      let file = frame.file.isEmpty ? module : strings.number(of: frame.file)
      inlined.append(functions.number(of: Function(name: strings.number(of: frame.name), filename: file)))
      index = Int(node.parent)
      if frame.isInlined, index >= 0 { continue }
      let isForeign = frame.kind != .guest && !frame.module.isEmpty
      let mapping = isForeign ? mappings.number(of: Mapping(filename: module, buildID: 0)) : traceMapping
      found.append(locations.number(of: Location(mapping: mapping, functions: inlined)))
      inlined = []
    }
    return found
  }

  /// - Parameters:
  ///   - stack: Locations, leaf first.
  ///   - values: One for each column.
  mutating func sample(stack: [UInt64], values: [Int64], labels: [(key: String, value: String)]) {
    var sample = PprofMessageSample()
    sample.locationID = stack
    sample.value = values
    sample.label = traceLabels + labels.compactMap { label($0.key, $0.value) }
    batch.sample.append(sample)
    if batch.sample.count == Self.batchSize { writeBatch() }
  }

  mutating func comment(_ text: String) { comments.append(strings.number(of: text)) }

  /// Labels are texts: a numeric label of 0 would be lost on reading.
  private mutating func label(_ key: String, _ value: String) -> PprofMessageLabel? {
    guard !value.isEmpty else { return nil }
    var label = PprofMessageLabel()
    label.key = strings.number(of: key)
    label.str = strings.number(of: value)
    return label
  }

  private mutating func valueType(_ type: SampleType) -> PprofMessageValueType {
    var valueType = PprofMessageValueType()
    valueType.type = strings.number(of: type.type)
    valueType.unit = strings.number(of: type.unit)
    return valueType
  }

  private mutating func writeBatch() {
    bytes.append(contentsOf: batch.wireBytes())
    batch = PprofMessageProfile()
  }

  // MARK: - Finishing

  /// Writes the tables.
  /// - Parameter period: Nanoseconds of CPU between two samples; 0 when not known.
  /// - Returns: The message, not compressed.
  mutating func finish(unixNanos: Int64, durationNanos: Int64, period: Int64 = 0) -> [UInt8] {
    batch.mapping = mappings.values.enumerated().map { Self.message($1, id: UInt64($0 + 1)) }
    batch.location = locations.values.enumerated().map { Self.message($1, id: UInt64($0 + 1)) }
    batch.function = functions.values.enumerated().map { Self.message($1, id: UInt64($0 + 1)) }
    batch.timeNanos = unixNanos
    batch.durationNanos = durationNanos
    batch.periodType = valueType(SampleType(type: "cpu", unit: "nanoseconds"))
    batch.period = period
    batch.comment = comments
    batch.defaultSampleType = strings.number(of: standard)
    batch.stringTable = strings.values
    writeBatch()
    return bytes
  }

  private static func message(_ mapping: Mapping, id: UInt64) -> PprofMessageMapping {
    var message = PprofMessageMapping()
    message.id = id
    message.filename = mapping.filename
    message.buildID = mapping.buildID
    // Without these four, readers try to open the file for names.
    message.hasFunctions_p = true
    message.hasFilenames_p = true
    message.hasLineNumbers_p = true
    message.hasInlineFrames_p = true
    return message
  }

  private static func message(_ location: Location, id: UInt64) -> PprofMessageLocation {
    var message = PprofMessageLocation()
    message.id = id
    message.mappingID = location.mapping
    message.line = location.functions.map { function in
      var line = PprofMessageLine()
      line.functionID = function
      return line
    }
    return message
  }

  /// Without a name of the linker's: readers take one that equals the name for mangled, and cut what looks like C++'s
  /// arguments and templates off it.
  private static func message(_ function: Function, id: UInt64) -> PprofMessageFunction {
    var message = PprofMessageFunction()
    message.id = id
    message.name = function.name
    message.filename = function.filename
    return message
  }
}
