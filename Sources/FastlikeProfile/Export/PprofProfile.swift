/// A `Profile` message in the making: samples are written at once, the tables that they refer to at the end.
///
/// Field numbers are those of `profile.proto` (package `perftools.profiles`); every string is an index into the string
/// table.
struct PprofProfile {
  /// One value for each sample type, in their order.
  struct Values {
    var calls: Int64 = 0
    var wall: Int64 = 0
    var backendCalls: Int64 = 0
    var backend: Int64 = 0
    var samples: Int64 = 0
    var cpu: Int64 = 0
    var nativeSamples: Int64 = 0
    var nativeCPU: Int64 = 0

    var list: [Int64] { [calls, wall, backendCalls, backend, samples, cpu, nativeSamples, nativeCPU] }
  }

  /// Type and unit of ``Values``, in their order.
  static let sampleTypes = [
    ("calls", "count"), ("wall", "nanoseconds"), ("backend_calls", "count"), ("backend", "nanoseconds"),
    ("samples", "count"), ("cpu", "nanoseconds"), ("native_samples", "count"), ("native_cpu", "nanoseconds"),
  ]

  private enum Field {
    static let sampleType = 1
    static let sample = 2
    static let mapping = 3
    static let location = 4
    static let function = 5
    static let stringTable = 6
    static let timeNanos = 9
    static let durationNanos = 10
    static let periodType = 11
    static let comment = 13
    static let defaultSampleType = 14
  }

  private enum SampleField {
    static let locationID = 1
    static let value = 2
    static let label = 3
  }

  private struct Mapping: Hashable {
    let filename: UInt64
    let buildID: UInt64
  }

  private struct Function: Hashable {
    let name: UInt64
    let filename: UInt64
  }

  /// The functions of one place, innermost first: more than one where the compiler inlined.
  private struct Location: Hashable {
    let mapping: UInt64
    let functions: [UInt64]
  }

  private var strings = Interned<String, UInt64>(first: 0)
  private var mappings = Interned<Mapping, UInt64>(first: 1)
  private var functions = Interned<Function, UInt64>(first: 1)
  private var locations = Interned<Location, UInt64>(first: 1)
  private var comments: [UInt64] = []
  private var writer = ProtobufWriter(reserving: 16_384)
  private var traceMapping: UInt64 = 0
  private var traceLabels: [UInt8] = []

  init() {
    // The format wants the empty string at index 0.
    _ = strings.number(of: "")
    for (type, unit) in Self.sampleTypes { writeValueType(Field.sampleType, type, unit) }
  }

  // MARK: - Adding

  /// What follows belongs to this module and carries these labels.
  mutating func beginTrace(mapping: (file: String, buildID: String), labels: [(String, String)]) {
    traceMapping = mappings.number(
      of: Mapping(filename: strings.number(of: mapping.file), buildID: strings.number(of: mapping.buildID)))
    var encoded = ProtobufWriter()
    for (key, value) in labels { writeLabel(key, value, to: &encoded) }
    traceLabels = encoded.bytes
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
      let file = strings.number(of: frame.module)
      inlined.append(functions.number(of: Function(name: strings.number(of: frame.name), filename: file)))
      index = Int(node.parent)
      if frame.isInlined, index >= 0 { continue }
      let isForeign = frame.kind != .guest && !frame.module.isEmpty
      let mapping = isForeign ? mappings.number(of: Mapping(filename: file, buildID: 0)) : traceMapping
      found.append(locations.number(of: Location(mapping: mapping, functions: inlined)))
      inlined = []
    }
    return found
  }

  /// - Parameter stack: Locations, leaf first.
  mutating func sample(stack: [UInt64], values: Values, labels: [(key: String, value: String)]) {
    var encoded = ProtobufWriter()
    encoded.append(traceLabels)
    for (key, value) in labels { writeLabel(key, value, to: &encoded) }
    writer.message(Field.sample) { sample in
      sample.packed(SampleField.locationID, stack)
      sample.packed(SampleField.value, values.list)
      sample.append(encoded.bytes)
    }
  }

  mutating func comment(_ text: String) { comments.append(strings.number(of: text)) }

  /// Labels are texts: a numeric label of 0 would be lost on reading.
  private mutating func writeLabel(_ key: String, _ value: String, to encoded: inout ProtobufWriter) {
    guard !value.isEmpty else { return }
    let key = strings.number(of: key)
    let value = strings.number(of: value)
    encoded.message(SampleField.label) { label in
      label.unsigned(1, key)
      label.unsigned(2, value)
    }
  }

  private mutating func writeValueType(_ field: Int, _ type: String, _ unit: String) {
    let type = strings.number(of: type)
    let unit = strings.number(of: unit)
    writer.message(field) { valueType in
      valueType.unsigned(1, type)
      valueType.unsigned(2, unit)
    }
  }

  // MARK: - Finishing

  /// Writes the tables.
  /// - Returns: The message, not compressed.
  mutating func finish(unixNanos: Int64, durationNanos: Int64) -> [UInt8] {
    for (index, mapping) in mappings.values.enumerated() {
      writer.message(Field.mapping) { message in
        message.unsigned(1, UInt64(index + 1))
        message.unsigned(5, mapping.filename)
        message.unsigned(6, mapping.buildID)
        // Without these four, readers try to open the file for names.
        for flag in 7...10 { message.bool(flag, true) }
      }
    }
    for (index, location) in locations.values.enumerated() {
      writer.message(Field.location) { message in
        message.unsigned(1, UInt64(index + 1))
        message.unsigned(2, location.mapping)
        for function in location.functions { message.message(4) { $0.unsigned(1, function) } }
      }
    }
    for (index, function) in functions.values.enumerated() {
      writer.message(Field.function) { message in
        message.unsigned(1, UInt64(index + 1))
        // Without a name of the linker's: readers take one that equals the name for mangled, and cut what looks like
        // C++'s arguments and templates off it.
        message.unsigned(2, function.name)
        if function.filename != 0 { message.unsigned(4, function.filename) }
      }
    }
    writer.signed(Field.timeNanos, unixNanos)
    writer.signed(Field.durationNanos, durationNanos)
    writeValueType(Field.periodType, "cpu", "nanoseconds")
    if !comments.isEmpty { writer.packed(Field.comment, comments) }
    // Without it readers open the last column.
    let wall = strings.number(of: "wall")
    writer.unsigned(Field.defaultSampleType, wall)
    for string in strings.values { writer.string(Field.stringTable, string) }
    return writer.bytes
  }
}
