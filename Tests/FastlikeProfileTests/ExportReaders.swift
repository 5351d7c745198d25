import Foundation

/// What a reader found wrong with a file.
struct ExportReadingError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// A JSON value that is looked at step by step; what is missing is null.
struct ExportJSON {
  let value: Any

  init(_ bytes: [UInt8]) throws {
    value = try JSONSerialization.jsonObject(with: Data(bytes), options: [.fragmentsAllowed])
  }

  private init(value: Any) { self.value = value }

  subscript(key: String) -> ExportJSON {
    ExportJSON(value: (value as? [String: Any])?[key] ?? NSNull())
  }

  var keys: [String] { (value as? [String: Any]).map { Array($0.keys) } ?? [] }
  var isNull: Bool { value is NSNull }
  var isObject: Bool { value is [String: Any] }
  var array: [ExportJSON] { (value as? [Any] ?? []).map { ExportJSON(value: $0) } }
  var isArray: Bool { value is [Any] }
  var string: String? { value as? String }
  var double: Double? { value as? Double }
  var int: Int? { value as? Int }
  var bool: Bool? { value as? Bool }

  /// A number of milliseconds as nanoseconds.
  var nanosOfMilliseconds: Int64? { double.map { Int64(($0 * 1_000_000).rounded()) } }
  /// A number of microseconds as nanoseconds.
  var nanosOfMicroseconds: Int64? { double.map { Int64(($0 * 1000).rounded()) } }
}

/// Lays JSON out for people, without touching numbers or texts: what holds no further object or array stays on one
/// line.
enum ExportJSONLayout {
  static func lines(_ bytes: [UInt8]) -> String {
    var output: [UInt8] = []
    var index = 0
    write(bytes, &index, depth: 0, to: &output)
    output.append(UInt8(ascii: "\n"))
    return String(decoding: output, as: UTF8.self)
  }

  private static func write(_ bytes: [UInt8], _ index: inout Int, depth: Int, to output: inout [UInt8]) {
    guard bytes[index] == UInt8(ascii: "{") || bytes[index] == UInt8(ascii: "[") else {
      output.append(contentsOf: bytes[scalarEnd(bytes, &index)])
      return
    }
    let isFlat = isFlat(bytes, from: index)
    func newLine(_ depth: Int) {
      guard !isFlat else { return }
      output.append(UInt8(ascii: "\n"))
      output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: depth))
    }
    output.append(bytes[index])
    index += 1
    var isFirst = true
    while bytes[index] != UInt8(ascii: "}"), bytes[index] != UInt8(ascii: "]") {
      if bytes[index] == UInt8(ascii: ",") {
        output.append(UInt8(ascii: ","))
        index += 1
        isFirst = true
        continue
      }
      if bytes[index] == UInt8(ascii: ":") {
        output.append(UInt8(ascii: ":"))
        index += 1
        write(bytes, &index, depth: depth + 1, to: &output)
        continue
      }
      if isFirst { newLine(depth + 1) }
      isFirst = false
      write(bytes, &index, depth: depth + 1, to: &output)
    }
    newLine(depth)
    output.append(bytes[index])
    index += 1
  }

  /// Steps over a text, number or word.
  private static func scalarEnd(_ bytes: [UInt8], _ index: inout Int) -> Range<Int> {
    let start = index
    if bytes[index] == UInt8(ascii: "\"") {
      index += 1
      while bytes[index] != UInt8(ascii: "\"") { index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1 }
      index += 1
    } else {
      while index < bytes.count, !",:]}".utf8.contains(bytes[index]) { index += 1 }
    }
    return start..<index
  }

  private static func isFlat(_ bytes: [UInt8], from start: Int) -> Bool {
    var index = start + 1
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "{"), UInt8(ascii: "["): return false
      case UInt8(ascii: "}"), UInt8(ascii: "]"): return true
      case UInt8(ascii: "\""): _ = scalarEnd(bytes, &index)
      default: index += 1
      }
    }
    return true
  }
}

/// A protobuf message as a list of its fields.
struct ExportProtobuf {
  enum Value {
    case varint(UInt64)
    case fixed64(UInt64)
    case bytes([UInt8])
  }

  private(set) var fields: [(number: Int, value: Value)] = []

  init(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let tag = try Self.varint(&rest)
      guard tag >> 3 > 0 else { throw ExportReadingError("field number 0") }
      let value: Value
      switch tag & 7 {
      case 0: value = .varint(try Self.varint(&rest))
      case 1:
        guard rest.count >= 8 else { throw ExportReadingError("fixed64 is cut off") }
        value = .fixed64(rest.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) })
        rest = rest.dropFirst(8)
      case 2:
        let length = try Self.varint(&rest)
        guard length <= UInt64(rest.count) else { throw ExportReadingError("bytes are cut off") }
        value = .bytes(Array(rest.prefix(Int(length))))
        rest = rest.dropFirst(Int(length))
      default: throw ExportReadingError("wire type \(tag & 7)")
      }
      fields.append((Int(tag >> 3), value))
    }
  }

  private static func varint(_ bytes: inout ArraySlice<UInt8>) throws -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 70, by: 7) {
      guard let byte = bytes.popFirst() else { throw ExportReadingError("varint is cut off") }
      value |= UInt64(byte & 0x7F) << UInt64(shift)
      if byte < 0x80 { return value }
    }
    throw ExportReadingError("varint is longer than ten bytes")
  }

  private func values(_ number: Int) -> [Value] { fields.lazy.filter { $0.number == number }.map(\.value) }

  func numbers(_ number: Int) throws -> [UInt64] {
    try values(number)
      .flatMap { value -> [UInt64] in
        switch value {
        case .varint(let one), .fixed64(let one): return [one]
        case .bytes(let packed):
          var rest = packed[...]
          var found: [UInt64] = []
          while !rest.isEmpty { found.append(try Self.varint(&rest)) }
          return found
        }
      }
  }

  func number(_ number: Int) throws -> UInt64? { try numbers(number).last }

  func strings(_ number: Int) throws -> [String] {
    try bytes(number)
      .map { bytes in
        guard let text = String(validating: bytes, as: UTF8.self) else {
          throw ExportReadingError("field \(number) is not UTF-8")
        }
        return text
      }
  }

  func string(_ number: Int) throws -> String? { try strings(number).last }

  func messages(_ number: Int) throws -> [ExportProtobuf] { try bytes(number).map { try ExportProtobuf($0) } }

  func message(_ number: Int) throws -> ExportProtobuf? { try messages(number).last }

  private func bytes(_ number: Int) throws -> [[UInt8]] {
    try values(number)
      .map { value in
        guard case .bytes(let bytes) = value else {
          throw ExportReadingError("field \(number) is not a length and bytes")
        }
        return bytes
      }
  }
}
