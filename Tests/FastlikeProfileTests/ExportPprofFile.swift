/// A pprof profile as its readers see it, with every rule that they enforce enforced.
struct ExportPprofFile {
  struct Sample {
    /// Function names from the leaf; several of one location are joined.
    let stack: [String]
    let values: [Int64]
    let labels: [(key: String, value: String)]
  }

  let types: [String]
  let samples: [Sample]
  let mappings: [String]
  let comments: [String]
  let defaultType: String
  let unixNanos: Int64
  let durationNanos: Int64

  init(_ bytes: [UInt8]) throws {
    let profile = try ExportProtobuf(bytes)
    let strings = try profile.strings(6)
    guard strings.first == "" else { throw ExportReadingError("the first string is not empty") }
    func text(_ index: UInt64?) throws -> String {
      guard let index else { return "" }
      guard index < UInt64(strings.count) else { throw ExportReadingError("string \(index) is out of range") }
      return strings[Int(index)]
    }
    func unique<Value>(_ pairs: [(UInt64, Value)], _ kind: String) throws -> [UInt64: Value] {
      let found = Dictionary(pairs) { first, _ in first }
      guard found.count == pairs.count, found[0] == nil else { throw ExportReadingError("\(kind) ids") }
      return found
    }
    let types = try profile.messages(1).map { "\(try text($0.number(1)))/\(try text($0.number(2)))" }
    let mappings = try unique(
      try profile.messages(3)
        .map { mapping in
          guard try (7...10).allSatisfy({ try mapping.number($0) == 1 }) else {
            throw ExportReadingError("a mapping without symbols")
          }
          return (try mapping.number(1) ?? 0, "\(try text(mapping.number(5))) \(try text(mapping.number(6)))")
        }, "mapping")
    let functions = try unique(
      try profile.messages(5)
        .map { function in
          guard try function.number(3) == nil else { throw ExportReadingError("a name that readers would demangle") }
          let file = try text(function.number(4))
          let name = try text(function.number(2))
          return (try function.number(1) ?? 0, file.isEmpty ? name : "\(name) [\(file)]")
        }, "function")
    let locations = try unique(
      try profile.messages(4)
        .map { location in
          guard mappings[try location.number(2) ?? 0] != nil else { throw ExportReadingError("mapping of a location") }
          let names = try location.messages(4)
            .map { line in
              guard let name = functions[try line.number(1) ?? 0] else {
                throw ExportReadingError("function of a line")
              }
              return name
            }
          return (try location.number(1) ?? 0, names.joined(separator: " inlined into "))
        }, "location")
    samples = try profile.messages(2)
      .map { sample in
        let values = try sample.numbers(2).map { Int64(bitPattern: $0) }
        guard values.count == types.count else { throw ExportReadingError("values of a sample") }
        let stack = try sample.numbers(1)
          .map { id in
            guard let name = locations[id] else { throw ExportReadingError("location \(id) is unknown") }
            return name
          }
        let labels = try sample.messages(3)
          .map { label in
            guard let value = try label.number(2), value != 0 else { throw ExportReadingError("a label without text") }
            return (key: try text(label.number(1)), value: try text(value))
          }
        return Sample(stack: stack, values: values, labels: labels)
      }
    self.types = types
    self.mappings = mappings.sorted { $0.key < $1.key }.map(\.value)
    comments = try profile.numbers(13).map { try text($0) }
    defaultType = try text(profile.number(14))
    unixNanos = Int64(bitPattern: try profile.number(9) ?? 0)
    durationNanos = Int64(bitPattern: try profile.number(10) ?? 0)
  }

  /// The sum of a column.
  func total(_ type: String) -> Int64 {
    guard let index = types.firstIndex(where: { $0.hasPrefix(type + "/") }) else { return -1 }
    return samples.reduce(0) { $0 + $1.values[index] }
  }

  /// For goldens.
  var text: String {
    var lines = ["time \(unixNanos), duration \(durationNanos), default \(defaultType)"]
    lines += mappings.map { "mapping \($0)" }
    lines += comments.map { "comment \($0)" }
    for sample in samples {
      let values = zip(types, sample.values).filter { $1 != 0 }.map { "\($0)=\($1)" }.joined(separator: " ")
      let labels = sample.labels.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
      lines.append("\(values) {\(labels)}")
      lines += sample.stack.map { "    \($0)" }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
