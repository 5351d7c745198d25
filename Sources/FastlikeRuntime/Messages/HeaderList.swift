/// The header fields of one message, in wire order, with names and values as the bytes that were sent.
///
/// All text lies in one array and a field is four offsets into it, so that a message of twenty fields costs two
/// allocations. Names keep their spelling and are compared without regard to ASCII case (RFC 9110 §5.1); repeated fields
/// stay apart, which `Set-Cookie` needs.
public struct HeaderList: Sendable {
  private struct Field: Sendable {
    var nameStart: UInt32
    var nameCount: UInt32
    var valueStart: UInt32
    var valueCount: UInt32
  }

  private var text: [UInt8] = []
  private var fields: [Field] = []
  /// Bytes of text that removed fields have left behind.
  private var unusedBytes = 0

  public init() {}

  /// Builds a list from literal names and values; for hosts and tests.
  public init(_ pairs: [(String, String)]) {
    for (name, value) in pairs { append(name: name.utf8, value: value.utf8) }
  }

  public var count: Int { fields.count }
  public var isEmpty: Bool { fields.isEmpty }

  /// Bytes of all names and values; what is removed does not count.
  public var byteCount: Int { fields.reduce(0) { $0 + Int($1.nameCount) + Int($1.valueCount) } }

  public func name(at index: Int) -> ArraySlice<UInt8> {
    let field = fields[index]
    return text[Int(field.nameStart)..<Int(field.nameStart + field.nameCount)]
  }

  public func value(at index: Int) -> ArraySlice<UInt8> {
    let field = fields[index]
    return text[Int(field.valueStart)..<Int(field.valueStart + field.valueCount)]
  }

  /// Calls the body with each field's name and the number of bytes of its value.
  func forEachSize(_ body: (_ name: UnsafeRawBufferPointer, _ valueBytes: Int) -> Void) {
    text.withUnsafeBytes { text in
      for field in fields {
        let name = text[Int(field.nameStart)..<Int(field.nameStart + field.nameCount)]
        body(UnsafeRawBufferPointer(rebasing: name), Int(field.valueCount))
      }
    }
  }

  /// Bytes that the list occupies, with what removed fields have left behind until the next compaction.
  public var storedBytes: Int { text.count + fields.count * MemoryLayout<Field>.stride }

  /// Drops the text of removed fields once it outweighs the rest, so that a field that is set again and again stays small.
  private mutating func compact() {
    guard unusedBytes > 4096, unusedBytes > text.count / 2 else { return }
    var packed = HeaderList()
    for index in fields.indices { packed.append(name: name(at: index), value: value(at: index)) }
    self = packed
  }

  /// Adds a field after the others; a field of the same name stays.
  public mutating func append(name: some Collection<UInt8>, value: some Collection<UInt8>) {
    let nameStart = UInt32(text.count)
    text.append(contentsOf: name)
    let valueStart = UInt32(text.count)
    text.append(contentsOf: value)
    fields.append(
      Field(
        nameStart: nameStart, nameCount: valueStart - nameStart, valueStart: valueStart,
        valueCount: UInt32(text.count) - valueStart))
  }

  public mutating func append(_ name: String, _ value: String) { append(name: name.utf8, value: value.utf8) }

  /// Adds a field of a message that is being parsed; not generic, so that a parser in another module pays no dispatch.
  public mutating func append(name: Span<UInt8>, value: Span<UInt8>) {
    let nameStart = UInt32(text.count)
    name.withUnsafeBufferPointer { text.append(contentsOf: $0) }
    let valueStart = UInt32(text.count)
    value.withUnsafeBufferPointer { text.append(contentsOf: $0) }
    fields.append(
      Field(
        nameStart: nameStart, nameCount: valueStart - nameStart, valueStart: valueStart,
        valueCount: UInt32(text.count) - valueStart))
  }

  /// Makes room for so many fields with so many bytes of names and values.
  public mutating func reserveCapacity(fields fieldCount: Int, bytes byteCount: Int) {
    fields.reserveCapacity(fieldCount)
    text.reserveCapacity(byteCount)
  }

  /// Replaces every field of that name by this one, which takes the first one's place.
  public mutating func set(name: some Collection<UInt8>, value: some Collection<UInt8>) {
    guard let first = firstIndex(of: name) else { return append(name: name, value: value) }
    append(name: name, value: value)
    let replacement = fields.removeLast()
    drop(name)
    fields.insert(replacement, at: first)
    compact()
  }

  public mutating func set(_ name: String, _ value: String) { set(name: name.utf8, value: value.utf8) }

  /// Removes every field of that name and returns whether there was one.
  @discardableResult
  public mutating func remove(name: some Collection<UInt8>) -> Bool {
    let isThere = drop(name)
    if isThere { compact() }
    return isThere
  }

  /// Removes every field of that name and leaves its text for later.
  @discardableResult
  private mutating func drop(_ name: some Collection<UInt8>) -> Bool {
    let before = fields
    guard before.contains(where: { matches($0, name) }) else { return false }
    fields.removeAll(keepingCapacity: true)
    for field in before {
      if matches(field, name) {
        unusedBytes += Int(field.nameCount) + Int(field.valueCount)
      } else {
        fields.append(field)
      }
    }
    return true
  }

  @discardableResult
  public mutating func remove(_ name: String) -> Bool { remove(name: name.utf8) }

  public func firstIndex(of name: some Collection<UInt8>) -> Int? { fields.firstIndex { matches($0, name) } }

  public func contains(_ name: String) -> Bool { firstIndex(of: name.utf8) != nil }

  /// Whether there is a name that begins so.
  /// - Parameter start: In lower case.
  func containsName(startingWith start: StaticString) -> Bool {
    fields.contains { field in
      guard Int(field.nameCount) >= start.utf8CodeUnitCount else { return false }
      for place in 0..<start.utf8CodeUnitCount
      where asciiLowercased(text[Int(field.nameStart) + place]) != start.utf8Start[place] { return false }
      return true
    }
  }

  /// The first value of that name.
  public func firstValue(of name: some Collection<UInt8>) -> ArraySlice<UInt8>? {
    firstIndex(of: name).map { value(at: $0) }
  }

  /// The first value of that name as text; bytes that are not UTF-8 become U+FFFD.
  public func first(_ name: String) -> String? {
    firstValue(of: name.utf8).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Indices of the fields of that name, in order.
  public func indices(of name: some Collection<UInt8>) -> [Int] {
    fields.indices.filter { matches(fields[$0], name) }
  }

  /// Indices of the first field of each distinct name, in order.
  public func distinctNameIndices() -> [Int] {
    var found: [Int] = []
    var seen: Set<[UInt8]> = []
    for index in fields.indices where seen.insert(name(at: index).map(asciiLowercased)).inserted { found.append(index) }
    return found
  }

  private func matches(_ field: Field, _ name: some Collection<UInt8>) -> Bool {
    guard Int(field.nameCount) == name.count else { return false }
    return text[Int(field.nameStart)..<Int(field.nameStart + field.nameCount)]
      .elementsEqual(name) { asciiLowercased($0) == asciiLowercased($1) }
  }
}

/// The lower-case form of an ASCII letter; any other byte unchanged.
@inline(__always)
func asciiLowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

extension HeaderList: Equatable {
  /// Same fields in the same order with the same bytes.
  public static func == (left: HeaderList, right: HeaderList) -> Bool {
    left.count == right.count
      && left.fields.indices.allSatisfy {
        left.name(at: $0) == right.name(at: $0) && left.value(at: $0) == right.value(at: $0)
      }
  }
}
