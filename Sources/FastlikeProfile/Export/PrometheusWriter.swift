/// Writes metrics as text, in Prometheus's format 0.0.4 or as OpenMetrics 1.0.
struct PrometheusWriter {
  /// Which of the two formats.
  enum Format {
    case prometheus
    case openMetrics
  }

  enum Kind: String {
    case counter
    case gauge
    case histogram
  }

  typealias Label = (name: StaticString, value: String)

  private(set) var bytes: [UInt8] = []
  private let format: Format
  private var family = ""
  private var kind = Kind.gauge

  init(_ format: Format) {
    self.format = format
    bytes.reserveCapacity(16_384)
  }

  /// Begins a metric; its samples follow.
  /// - Parameter name: Without `_total`, which samples of counters get.
  mutating func begin(_ name: StaticString, _ kind: Kind, _ help: StaticString) {
    family = name.description
    self.kind = kind
    let shown = kind == .counter && format == .prometheus ? family + "_total" : family
    write("# HELP \(shown) ")
    escape(help.description, quotes: false)
    write("\n# TYPE \(shown) \(kind.rawValue)\n")
  }

  /// A sample of the metric that was begun, a counter or gauge.
  mutating func sample(_ value: Double, _ labels: Label...) {
    line(suffix: kind == .counter ? "_total" : "", value, labels)
  }

  /// All samples of a histogram in seconds.
  mutating func histogram(_ histogram: DurationHistogram, _ labels: Label...) {
    var below: UInt64 = 0
    for (index, count) in histogram.counts.enumerated() {
      below += count
      let bound =
        index < DurationHistogram.bounds.count ? Self.text(Self.seconds(DurationHistogram.bounds[index])) : "+Inf"
      line(suffix: "_bucket", Double(below), labels + [("le", bound)])
    }
    line(suffix: "_sum", Self.seconds(histogram.sum), labels)
    line(suffix: "_count", Double(below), labels)
  }

  /// Ends the text.
  mutating func finish() -> [UInt8] {
    if format == .openMetrics { write("# EOF\n") }
    return bytes
  }

  static func seconds(_ nanos: Int64) -> Double { Double(nanos) / 1e9 }

  private mutating func line(suffix: String, _ value: Double, _ labels: [Label]) {
    write(family + suffix)
    for (index, label) in labels.enumerated() {
      write(index == 0 ? "{" : ",")
      write(label.name.description + "=\"")
      escape(label.value, quotes: true)
      write("\"")
    }
    write(labels.isEmpty ? " " : "} ")
    write(Self.text(value) + "\n")
  }

  /// Whole numbers without a fraction; others with as many digits as they need.
  private static func text(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    guard value.isFinite else { return value < 0 ? "-Inf" : "+Inf" }
    if let whole = Int64(exactly: value), value.magnitude < 1e15 { return String(whole) }
    return "\(value)"
  }

  private mutating func write(_ text: String) { bytes.append(contentsOf: text.utf8) }

  private mutating func escape(_ text: String, quotes: Bool) {
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\\"): write("\\\\")
      case UInt8(ascii: "\n"): write("\\n")
      case UInt8(ascii: "\"") where quotes: write("\\\"")
      default: bytes.append(byte)
      }
    }
  }
}
