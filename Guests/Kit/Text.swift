/// Bytes that are usually UTF-8 text.
///
/// Stands in for `String`, whose comparisons need Unicode tables that a bare wasm module would have to carry. A literal
/// stays in the module's data and costs no allocation.
struct Text: Equatable, ExpressibleByStringInterpolation {
  private enum Storage {
    case literal(StaticString)
    case bytes([UInt8])
  }

  private var storage: Storage

  init() {
    storage = .literal("")
  }

  init(_ bytes: [UInt8]) {
    storage = .bytes(bytes)
  }

  init(stringLiteral value: StaticString) {
    storage = .literal(value)
  }

  init(stringInterpolation interpolation: Interpolation) {
    storage = .bytes(interpolation.bytes)
  }

  var count: Int {
    switch storage {
    case .literal(let literal): literal.utf8CodeUnitCount
    case .bytes(let bytes): bytes.count
    }
  }

  var isEmpty: Bool { count == 0 }

  var bytes: [UInt8] {
    switch storage {
    case .literal(let literal):
      [UInt8](UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    case .bytes(let bytes): bytes
    }
  }

  /// Lends the bytes to a hostcall, as an address and a length.
  func withBytes<Result>(_ body: (UnsafePointer<UInt8>?, UInt32) -> Result) -> Result {
    switch storage {
    case .literal(let literal): body(literal.utf8Start, UInt32(literal.utf8CodeUnitCount))
    case .bytes(let bytes): bytes.withUnsafeBufferPointer { body($0.baseAddress, UInt32($0.count)) }
    }
  }

  /// The byte at an offset below `count`.
  subscript(offset: Int) -> UInt8 {
    switch storage {
    case .literal(let literal):
      precondition(offset >= 0 && offset < literal.utf8CodeUnitCount)
      return literal.utf8Start[offset]
    case .bytes(let bytes):
      return bytes[offset]
    }
  }

  mutating func append(_ other: Text) {
    switch storage {
    case .literal:
      var joined: [UInt8] = []
      joined.reserveCapacity(count + other.count)
      appendBytes(of: self, to: &joined)
      appendBytes(of: other, to: &joined)
      storage = .bytes(joined)
    case .bytes(var bytes):
      // Dropped first, so that the array is unique and grows in place.
      storage = .literal("")
      appendBytes(of: other, to: &bytes)
      storage = .bytes(bytes)
    }
  }

  static func += (text: inout Text, other: Text) {
    text.append(other)
  }

  static func == (left: Text, right: Text) -> Bool {
    left.withBytes { leftStart, leftCount in
      right.withBytes { rightStart, rightCount in
        leftCount == rightCount && memcmp(leftStart, rightStart, leftCount) == 0
      }
    }
  }
}

@_extern(c)
func memcmp(_ left: UnsafePointer<UInt8>?, _ right: UnsafePointer<UInt8>?, _ count: UInt32) -> Int32

private func appendBytes(of text: Text, to bytes: inout [UInt8]) {
  text.withBytes { start, count in
    bytes.append(contentsOf: UnsafeBufferPointer(start: start, count: Int(count)))
  }
}

extension Text {
  /// Collects the pieces of an interpolated literal.
  struct Interpolation: StringInterpolationProtocol {
    fileprivate var bytes: [UInt8] = []

    init(literalCapacity: Int, interpolationCount: Int) {
      bytes.reserveCapacity(literalCapacity + interpolationCount * 12)
    }

    mutating func appendLiteral(_ literal: StaticString) {
      bytes.append(contentsOf: UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }

    mutating func appendInterpolation(_ text: Text) {
      appendBytes(of: text, to: &bytes)
    }

    mutating func appendInterpolation(_ status: Status) {
      appendBytes(of: status.name, to: &bytes)
    }

    mutating func appendInterpolation(_ flag: Bool) {
      appendLiteral(flag ? "1" : "0")
    }

    mutating func appendInterpolation(_ integer: some FixedWidthInteger) {
      if integer < 0 { bytes.append(UInt8(ascii: "-")) }
      appendDigits(of: UInt64(integer.magnitude), base: 10)
    }

    /// Appends a number in hexadecimal, lower case, without a prefix.
    mutating func appendInterpolation(hex integer: some UnsignedInteger) {
      appendDigits(of: UInt64(integer), base: 16)
    }

    /// Appends bytes as two hexadecimal digits each.
    mutating func appendInterpolation(hex octets: [UInt8]) {
      for octet in octets {
        bytes.append(hexadecimalDigit(octet >> 4))
        bytes.append(hexadecimalDigit(octet & 15))
      }
    }

    private mutating func appendDigits(of number: UInt64, base: UInt64) {
      let start = bytes.count
      var rest = number
      repeat {
        bytes.append(hexadecimalDigit(UInt8(rest % base)))
        rest /= base
      } while rest > 0
      bytes[start...].reverse()
    }
  }

  typealias StringInterpolation = Interpolation
}

/// The ASCII digit of a number from 0 to 15.
func hexadecimalDigit(_ value: UInt8) -> UInt8 {
  value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
}
