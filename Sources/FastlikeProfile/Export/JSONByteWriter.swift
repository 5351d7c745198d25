/// Appends JSON to bytes. It puts the commas; the caller keeps objects and arrays balanced.
struct JSONByteWriter {
  private(set) var bytes: [UInt8] = []
  private var needsComma = false

  init(reserving capacity: Int = 0) { bytes.reserveCapacity(capacity) }

  // MARK: - Structure

  mutating func beginObject() { open(UInt8(ascii: "{")) }
  mutating func endObject() { close(UInt8(ascii: "}")) }
  mutating func beginArray() { open(UInt8(ascii: "[")) }
  mutating func endArray() { close(UInt8(ascii: "]")) }

  /// The name of the value that comes next; it must need no escaping.
  mutating func key(_ key: StaticString) {
    separate()
    bytes.append(UInt8(ascii: "\""))
    append(key)
    bytes.append(UInt8(ascii: "\""))
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  // MARK: - Values

  mutating func value(_ value: Int64) {
    separate()
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    digits(value.magnitude)
  }

  mutating func value(unsigned value: UInt64) {
    separate()
    digits(value)
  }

  mutating func value(_ value: String) {
    separate()
    quoted(value)
  }

  mutating func value(_ value: Bool) {
    separate()
    append(value ? "true" : "false")
  }

  /// A value that is JSON already.
  mutating func value(encoded json: [UInt8]) {
    separate()
    bytes.append(contentsOf: json)
  }

  mutating func field(_ key: StaticString, _ value: Int64) {
    self.key(key)
    self.value(value)
  }

  mutating func field(_ key: StaticString, _ value: Int) { field(key, Int64(value)) }

  mutating func field(_ key: StaticString, _ value: String) {
    self.key(key)
    self.value(value)
  }

  mutating func field(_ key: StaticString, _ value: Bool) {
    self.key(key)
    self.value(value)
  }

  /// Leaves the key out for nil.
  mutating func field(_ key: StaticString, ifPresent value: Int64?) {
    if let value { field(key, value) }
  }

  // MARK: - Bytes

  private mutating func open(_ byte: UInt8) {
    separate()
    bytes.append(byte)
    needsComma = false
  }

  private mutating func close(_ byte: UInt8) {
    bytes.append(byte)
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = true
  }

  private mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  private mutating func digits(_ value: UInt64) {
    if value < 10 {
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value))
      return
    }
    var length = 0
    var rest = value
    while rest > 0 {
      length += 1
      rest /= 10
    }
    bytes.append(contentsOf: repeatElement(0, count: length))
    var index = bytes.count
    rest = value
    while rest > 0 {
      index -= 1
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
      bytes[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
      rest = quotient
    }
  }

  private mutating func quoted(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    var text = text
    text.withUTF8 { utf8 in
      guard utf8.contains(where: Self.needsEscape) else {
        bytes.append(contentsOf: utf8)
        return
      }
      for byte in utf8 { escaped(byte) }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  /// `<` is escaped too, so that a trace can stand inside of a page's script element.
  private static func needsEscape(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "<")
  }

  private mutating func escaped(_ byte: UInt8) {
    guard Self.needsEscape(byte) else {
      bytes.append(byte)
      return
    }
    if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
      bytes.append(UInt8(ascii: "\\"))
      bytes.append(byte)
    } else {
      let hexadecimal = Array("0123456789abcdef".utf8)
      append("\\u00")
      bytes.append(hexadecimal[Int(byte >> 4)])
      bytes.append(hexadecimal[Int(byte & 0xF)])
    }
  }
}
