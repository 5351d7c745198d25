/// Writes the protobuf wire format into one growing buffer.
///
/// Generated messages would first build a tree, with several allocations for each sample or event; a trace has tens of
/// thousands of them, written once and never looked at. The formats here need five kinds of fields, so they are
/// written straight, under the field numbers of the published `.proto` files, which the encoders name.
struct ProtobufWriter {
  private(set) var bytes: [UInt8] = []

  init(reserving capacity: Int = 0) { bytes.reserveCapacity(capacity) }

  private enum WireType: UInt64 {
    case varint = 0
    case fixed64 = 1
    case lengthDelimited = 2
  }

  // MARK: - Fields

  /// `uint32`, `uint64` and enumerations.
  mutating func unsigned(_ field: Int, _ value: UInt64) {
    tag(field, .varint)
    varint(value)
  }

  /// `int32` and `int64`; negative ones take ten bytes.
  mutating func signed(_ field: Int, _ value: Int64) { unsigned(field, UInt64(bitPattern: value)) }

  mutating func bool(_ field: Int, _ value: Bool) { unsigned(field, value ? 1 : 0) }

  mutating func fixed64(_ field: Int, _ value: UInt64) {
    tag(field, .fixed64)
    var rest = value
    for _ in 0..<8 {
      bytes.append(UInt8(truncatingIfNeeded: rest))
      rest >>= 8
    }
  }

  mutating func string(_ field: Int, _ text: String) {
    tag(field, .lengthDelimited)
    var text = text
    text.withUTF8 { utf8 in
      varint(UInt64(utf8.count))
      bytes.append(contentsOf: utf8)
    }
  }

  /// Repeated `uint64`, packed.
  mutating func packed(_ field: Int, _ values: some Sequence<UInt64>) {
    message(field) { writer in
      for value in values { writer.varint(value) }
    }
  }

  /// Repeated `int64`, packed.
  mutating func packed(_ field: Int, _ values: some Sequence<Int64>) {
    message(field) { writer in
      for value in values { writer.varint(UInt64(bitPattern: value)) }
    }
  }

  /// A message whose fields are written by `body`.
  mutating func message(_ field: Int, _ body: (inout ProtobufWriter) -> Void) {
    tag(field, .lengthDelimited)
    // Most messages are shorter than 128 bytes, whose length takes one; a longer one is moved to make room.
    let start = bytes.count
    bytes.append(0)
    body(&self)
    let length = UInt64(bytes.count - start - 1)
    guard length >= 0x80 else {
      bytes[start] = UInt8(length)
      return
    }
    var prefix = ProtobufWriter()
    prefix.varint(length)
    bytes[start] = prefix.bytes[0]
    bytes.insert(contentsOf: prefix.bytes[1...], at: start + 1)
  }

  /// Fields that are encoded already.
  mutating func append(_ fields: [UInt8]) { bytes.append(contentsOf: fields) }

  // MARK: - Wire format

  private mutating func tag(_ field: Int, _ type: WireType) { varint(UInt64(field) << 3 | type.rawValue) }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
