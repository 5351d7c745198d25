import FastlikeProfile

/// Reading from a flag and the `OTEL_*` variables of OpenTelemetry's specification.
extension TracePushOptions {
  /// - Parameters:
  ///   - flag: The value of the flag, with the place that errors name; nil where it is not given.
  ///   - variables: The environment. Empty variables count as not set; those for traces win over those for everything.
  /// - Returns: nil where neither flag nor variables ask for traces to be pushed.
  /// - Throws: ``ConfigurationError``
  public static func read(
    flag: (value: String, place: String)?, variables: [String: String]
  ) throws -> TracePushOptions? {
    let reader = Variables(values: variables)
    guard let endpoint = try endpoint(flag, reader) else { return nil }
    var options = TracePushOptions(endpoint: endpoint)
    if let (value, place) = reader.exporter("HEADERS") { options.headers = try headers(value, place) }
    if let (value, place) = reader.exporter("PROTOCOL") { options.format = try format(value, place) }
    if let (value, place) = reader.exporter("COMPRESSION") {
      options.compresses = try reader.choice(value, place, ["gzip": true, "none": false])
    }
    if let (value, place) = reader.exporter("TIMEOUT") {
      options.timeout = .milliseconds(try reader.count(value, place, 1...3_600_000))
    }
    options.certificateFile = reader.exporter("CERTIFICATE")?.value
    options.clientCertificateFile = reader.exporter("CLIENT_CERTIFICATE")?.value
    options.clientKeyFile = reader.exporter("CLIENT_KEY")?.value
    guard (options.clientCertificateFile == nil) == (options.clientKeyFile == nil) else {
      throw ConfigurationError(
        place: "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
        problem: "certificate and key belong together: give both or none")
    }
    options.resource = try resource(reader)
    options.sampler = try sampler(reader)
    if let (value, place) = reader["OTEL_BSP_MAX_QUEUE_SIZE"] {
      options.queueSize = try reader.count(value, place, 1...10_000_000)
    }
    if let (value, place) = reader["OTEL_BSP_MAX_EXPORT_BATCH_SIZE"] {
      options.batchSize = try reader.count(value, place, 1...100_000)
    }
    if let (value, place) = reader["OTEL_BSP_SCHEDULE_DELAY"] {
      options.delay = .milliseconds(try reader.count(value, place, 1...3_600_000))
    }
    if let (value, place) = reader["OTEL_BSP_EXPORT_TIMEOUT"] {
      options.flushTime = .milliseconds(try reader.count(value, place, 1...3_600_000))
    }
    options.batchSize = min(options.batchSize, options.queueSize)
    return options
  }

  // MARK: Where

  private static func endpoint(_ flag: (value: String, place: String)?, _ reader: Variables) throws -> String? {
    if let flag { return try address(flag.value, flag.place, isBase: !flag.value.hasSuffix("/v1/traces")) }
    if let (value, place) = reader["OTEL_SDK_DISABLED"],
      try reader.choice(value, place, ["true": true, "false": false])
    {
      return nil
    }
    if let exporter = reader["OTEL_TRACES_EXPORTER"] {
      if exporter.value == "none" { return nil }
      guard exporter.value == "otlp" else {
        throw ConfigurationError(
          place: exporter.place, problem: "\(quoted(exporter.value)) is not allowed; write otlp, or none")
      }
    }
    if let (value, place) = reader["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] {
      return try address(value, place, isBase: false)
    }
    if let (value, place) = reader["OTEL_EXPORTER_OTLP_ENDPOINT"] { return try address(value, place, isBase: true) }
    return nil
  }

  /// - Parameter isBase: Whether the path of traces is to be put behind it.
  private static func address(_ value: String, _ place: String, isBase: Bool) throws -> String {
    let wrong = ConfigurationError(
      place: place, problem: "must be an address such as http://127.0.0.1:4318, without user, query and fragment")
    guard value.hasPrefix("http://") || value.hasPrefix("https://"), !value.contains(where: { "@?# ".contains($0) }),
      (try? BackendURL(value, requiresScheme: true)) != nil
    else { throw wrong }
    guard isBase else { return value }
    return value + (value.hasSuffix("/") ? "" : "/") + "v1/traces"
  }

  // MARK: How

  private static func format(_ value: String, _ place: String) throws -> OTLPEncoder.Format {
    switch value {
    case "http/protobuf": return .protobuf
    case "http/json": return .json
    case "grpc": throw ConfigurationError(place: place, problem: "grpc is not served; write http/protobuf or http/json")
    default:
      throw ConfigurationError(
        place: place, problem: "\(quoted(value)) is not allowed; write http/protobuf or http/json")
    }
  }

  /// `name=value,name=value` with percent-encoded values. Values are not shown in errors.
  private static func headers(_ value: String, _ place: String) throws -> [HeaderField] {
    try pairs(value, place).map { name, value in
      guard !name.isEmpty, name.utf8.allSatisfy(WireSyntax.isTokenByte),
        value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
      else { throw ConfigurationError(place: place, problem: "must be header fields: NAME=VALUE,NAME=VALUE") }
      return HeaderField(name: name, value: value)
    }
  }

  private static func resource(_ reader: Variables) throws -> [Attribute] {
    var attributes =
      try reader["OTEL_RESOURCE_ATTRIBUTES"]
      .map { value, place in try pairs(value, place).map { Attribute(key: $0, value: $1) } } ?? []
    var name = "fastlike"
    if let index = attributes.firstIndex(where: { $0.key == "service.name" }) {
      name = attributes.remove(at: index).value
    }
    if let (value, _) = reader["OTEL_SERVICE_NAME"] { name = value }
    attributes.removeAll { $0.key == "service.name" }
    return [Attribute(key: "service.name", value: name)] + attributes
  }

  private static func pairs(_ value: String, _ place: String) throws -> [(String, String)] {
    try value.split(separator: ",")
      .map { pair in
        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let key = decoded(parts[0]), let value = decoded(parts[1]), !key.isEmpty else {
          throw ConfigurationError(place: place, problem: "must be NAME=VALUE,NAME=VALUE")
        }
        return (key, value)
      }
  }

  /// Trims blanks and decodes percent signs; nil for bytes that are no text.
  private static func decoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = WireSyntax.trimmed(Array(text.utf8)[...])
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%"), let digits = String(validating: rest.prefix(2), as: UTF8.self),
        digits.utf8.count == 2,
        let decoded = UInt8(digits, radix: 16)
      else {
        bytes.append(byte)
        continue
      }
      bytes.append(decoded)
      rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
  }

  // MARK: Which

  private static func sampler(_ reader: Variables) throws -> TraceContextSampler {
    guard let (value, place) = reader["OTEL_TRACES_SAMPLER"] else { return TraceContextSampler() }
    var ratio = 1.0
    if value.hasSuffix("traceidratio"), let (text, place) = reader["OTEL_TRACES_SAMPLER_ARG"] {
      guard let share = Double(text), (0...1).contains(share) else {
        throw ConfigurationError(place: place, problem: "\(quoted(text)) is not allowed; write a share from 0 to 1")
      }
      ratio = share
    }
    let samplers: [String: TraceContextSampler] = [
      "always_on": TraceContextSampler(ratio: 1, followsParent: false),
      "always_off": TraceContextSampler(ratio: 0, followsParent: false),
      "traceidratio": TraceContextSampler(ratio: ratio, followsParent: false),
      "parentbased_always_on": TraceContextSampler(ratio: 1),
      "parentbased_always_off": TraceContextSampler(ratio: 0),
      "parentbased_traceidratio": TraceContextSampler(ratio: ratio),
    ]
    return try reader.choice(value, place, samplers)
  }

  /// The variables, and how their values are read.
  private struct Variables {
    let values: [String: String]

    subscript(name: String) -> (value: String, place: String)? {
      guard let value = values[name], !value.isEmpty else { return nil }
      return (value, name)
    }

    /// A variable of the exporter: the one for traces, or the one for everything.
    func exporter(_ name: String) -> (value: String, place: String)? {
      self["OTEL_EXPORTER_OTLP_TRACES_" + name] ?? self["OTEL_EXPORTER_OTLP_" + name]
    }

    func choice<Value>(_ value: String, _ place: String, _ choices: [String: Value]) throws -> Value {
      guard let choice = choices[value.lowercased()] else {
        let allowed = choices.keys.sorted().joined(separator: ", ")
        throw ConfigurationError(place: place, problem: "\(quoted(value)) is not allowed; write one of \(allowed)")
      }
      return choice
    }

    func count(_ value: String, _ place: String, _ allowed: ClosedRange<Int>) throws -> Int {
      guard let count = Int(value), allowed.contains(count) else {
        throw ConfigurationError(
          place: place,
          problem:
            "\(quoted(value)) is not allowed; write a whole number from \(allowed.lowerBound) to \(allowed.upperBound)")
      }
      return count
    }
  }
}
