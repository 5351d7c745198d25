extension JSONByteWriter {
  /// A value that is JSON already.
  mutating func value(literal json: String) { value(encoded: Array(json.utf8)) }

  mutating func null() { value(encoded: Self.nullLiteral) }

  /// Nanoseconds as a number of milliseconds, exactly.
  mutating func value(milliseconds nanoseconds: Int64) {
    fixedPoint(nanoseconds, fractionDigits: 6, unit: 1_000_000)
  }

  /// The microseconds between two instants in nanoseconds, as a multiple of 2⁻¹² microseconds.
  ///
  /// Some readers add and subtract times as doubles, and others round each to nanoseconds. Thousandths of a microsecond
  /// would serve the latter only: by the error of such a sum a slice would end behind the one around it. Sums of these
  /// multiples have no error, and the nearest nanosecond of an instant and of a length is the very one.
  mutating func value(microsecondsFrom start: Int64, to end: Int64) {
    let (first, last) = (Self.microseconds(start), Self.microseconds(end))
    let parts = last.parts - first.parts
    let whole = last.whole - first.whole
    if parts == 0 { return value(whole) }
    value(literal: "\(Double(whole) + Double(parts) / 4096)")
  }

  /// Whole microseconds, and the nearest number of 4096ths of one.
  private static func microseconds(_ nanoseconds: Int64) -> (whole: Int64, parts: Int64) {
    let whole = nanoseconds / 1000
    return (whole, ((nanoseconds - whole * 1000) * 4096 / 500 + (nanoseconds < 0 ? -1 : 1)) / 2)
  }

  mutating func field(_ key: StaticString, milliseconds nanoseconds: Int64) {
    self.key(key)
    value(milliseconds: nanoseconds)
  }

  mutating func field(_ key: StaticString, microsecondsFrom start: Int64, to end: Int64) {
    self.key(key)
    value(microsecondsFrom: start, to: end)
  }

  mutating func field(_ key: StaticString, literal json: String) {
    self.key(key)
    value(literal: json)
  }

  /// An array whose elements are written by `element`.
  mutating func array<Element>(
    _ key: StaticString, of elements: some Sequence<Element>, _ element: (inout JSONByteWriter, Element) -> Void
  ) {
    self.key(key)
    beginArray()
    for each in elements { element(&self, each) }
    endArray()
  }

  /// An array of integers.
  mutating func array(_ key: StaticString, _ values: some Sequence<Int>) {
    array(key, of: values) { $0.value(Int64($1)) }
  }

  /// An array of texts.
  mutating func array(_ key: StaticString, _ values: some Sequence<String>) {
    array(key, of: values) { $0.value($1) }
  }

  /// `count` times the same value: columns of tables in which nothing is known.
  mutating func array(_ key: StaticString, repeating json: String, count: Int) {
    let encoded = Array(json.utf8)
    array(key, of: 0..<count) { json, _ in json.value(encoded: encoded) }
  }

  /// A text as ``value(encoded:)`` takes it, for texts that are written many times.
  static func encoded(_ text: String) -> [UInt8] {
    var writer = JSONByteWriter()
    writer.value(text)
    return writer.bytes
  }

  private static let nullLiteral = Array("null".utf8)

  /// Digits are made from the last one on; zeros at the end of the fraction are left out.
  private mutating func fixedPoint(_ number: Int64, fractionDigits: Int, unit: UInt64) {
    var rest = number.magnitude
    guard rest % unit != 0 else { return value(number / Int64(unit)) }
    var text: [UInt8] = []
    text.reserveCapacity(24)
    for place in 0..<20 {
      if place == fractionDigits { text.append(UInt8(ascii: ".")) }
      if place > fractionDigits, rest == 0 { break }
      let digit = UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
      if !text.isEmpty || digit != 0 { text.append(UInt8(ascii: "0") + digit) }
    }
    if number < 0 { text.append(UInt8(ascii: "-")) }
    text.reverse()
    value(encoded: text)
  }
}
