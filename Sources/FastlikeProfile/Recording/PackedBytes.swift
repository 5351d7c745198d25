/// Memory that packed traces lie in, one behind the other.
///
/// What lies here is never changed, and lives as long as somebody has the block: readers need no lock, and the block goes with the
/// last of its traces.
final class PackedBlock: @unchecked Sendable {
  // Sendable because `used` belongs to the one that writes, and what is in front of it does not change.

  fileprivate let base: UnsafeMutablePointer<UInt8>
  fileprivate let capacity: Int
  /// Bytes from the start that are taken.
  fileprivate var used = 0

  /// Four pages, for some hundred traces of short requests.
  fileprivate static let usualCapacity = 16 * 1024

  fileprivate init(capacity: Int = PackedBlock.usualCapacity) {
    base = .allocate(capacity: capacity)
    self.capacity = capacity
  }

  deinit { base.deallocate() }
}

/// A place in a block.
struct PackedPlace: Sendable {
  fileprivate var block: PackedBlock
  fileprivate let offset: Int
}

/// Where a thread's traces are packed: each behind the one before, so that a busy loop goes through little memory, and through it
/// in order. A trace that is large has a block of its own.
struct PackedArena {
  private var block = PackedBlock()
  /// One that nobody has any more, for the time when the present one is full.
  private var spare: PackedBlock?

  /// Bytes that most traces have room in.
  private static let usualTrace = 512

  /// Packs what the body writes.
  mutating func pack(_ body: (inout PackedWriter) -> Void) -> PackedPlace {
    if block.capacity - block.used < Self.usualTrace { block = spare.take() ?? PackedBlock() }
    var writer = PackedWriter(into: block)
    body(&writer)
    return writer.finish(in: &block)
  }

  /// A trace gives way: its block is used again if it was the last one there.
  mutating func giveBack(_ place: inout PackedPlace) {
    guard spare == nil, isKnownUniquelyReferenced(&place.block), place.block.capacity == PackedBlock.usualCapacity
    else { return }
    place.block.used = 0
    spare = place.block
  }
}

/// Writes numbers and texts one behind the other: most numbers of a trace are small, and small ones take a byte or two.
///
/// Invariant: `start <= cursor <= limit`, and `start..<limit` is memory of the block that nobody else has.
struct PackedWriter {
  private var start: UnsafeMutablePointer<UInt8>
  private var cursor: UnsafeMutablePointer<UInt8>
  private var limit: UnsafeMutablePointer<UInt8>
  /// The block that it lies in when there was no room in the first one.
  private var moved: PackedBlock?

  /// Most bytes of a number.
  private static let maximumNumberBytes = 10

  fileprivate init(into block: PackedBlock) {
    start = block.base + block.used
    cursor = start
    limit = block.base + block.capacity
  }

  /// Makes room for so many bytes at once, where that many are known to come.
  @inline(__always)
  mutating func reserve(_ count: Int) {
    if limit - cursor < count { grow(by: count) }
  }

  @inline(never)
  private mutating func grow(by count: Int) {
    let needed = (cursor - start) + count
    let isLarge = needed > PackedBlock.usualCapacity / 4
    move(into: PackedBlock(capacity: isLarge ? needed * 2 : PackedBlock.usualCapacity))
  }

  private mutating func move(into other: PackedBlock) {
    let count = cursor - start
    other.base.update(from: start, count: count)
    moved = other
    start = other.base
    cursor = start + count
    limit = start + other.capacity
  }

  /// The low seven bits in each byte, the lowest first, with the eighth bit set where more follow.
  @inline(never)
  mutating func write(_ number: UInt64) {
    reserve(Self.maximumNumberBytes)
    var rest = number
    while rest >= 0x80 {
      cursor.pointee = UInt8(truncatingIfNeeded: rest) | 0x80
      cursor += 1
      rest >>= 7
    }
    cursor.pointee = UInt8(truncatingIfNeeded: rest)
    cursor += 1
  }

  /// A negative number takes the most bytes.
  @inline(__always)
  mutating func write(_ number: Int64) { write(UInt64(bitPattern: number)) }

  @inline(__always)
  mutating func write(_ number: Int) { write(Int64(number)) }

  /// Nil is 0, and others are one more than they are.
  @inline(__always)
  mutating func write(_ number: Int64?) { write(number.map { UInt64(bitPattern: $0) &+ 1 } ?? 0) }

  @inline(__always)
  mutating func write(byte: UInt8) {
    reserve(1)
    cursor.pointee = byte
    cursor += 1
  }

  /// As it lies in memory, for what is rarely small.
  @inline(__always)
  mutating func write<Value: BitwiseCopyable>(whole value: Value) {
    reserve(MemoryLayout<Value>.size)
    UnsafeMutableRawPointer(cursor).storeBytes(of: value, as: Value.self)
    cursor += MemoryLayout<Value>.size
  }

  /// The length and the UTF-8.
  @inline(never)
  mutating func write(_ text: String) {
    let count = text.utf8.count
    reserve(count + Self.maximumNumberBytes)
    write(count)
    let isCopied: Void? = text.utf8.withContiguousStorageIfAvailable { utf8 in
      if let base = utf8.baseAddress { cursor.update(from: base, count: count) }
    }
    if isCopied == nil { for (place, byte) in text.utf8.enumerated() { cursor[place] = byte } }
    cursor += count
  }

  /// Where it lies.
  /// - Parameter block: The block that it began in; from here on the one in which the next trace goes.
  fileprivate mutating func finish(in block: inout PackedBlock) -> PackedPlace {
    guard let moved else {
      let offset = start - block.base
      block.used = cursor - block.base
      return PackedPlace(block: block, offset: offset)
    }
    guard moved.capacity == PackedBlock.usualCapacity else {
      move(into: PackedBlock(capacity: cursor - start))
      return PackedPlace(block: self.moved ?? moved, offset: 0)
    }
    moved.used = cursor - start
    block = moved
    return PackedPlace(block: moved, offset: 0)
  }
}

/// Reads what a ``PackedWriter`` wrote, in the same order.
struct PackedReader {
  private let block: PackedBlock
  private var cursor: UnsafePointer<UInt8>

  init(_ place: PackedPlace) {
    block = place.block
    cursor = UnsafePointer(place.block.base + place.offset)
  }

  mutating func number() -> UInt64 {
    var number: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let byte = cursor.pointee
      cursor += 1
      number |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return number }
      shift += 7
    }
  }

  mutating func nanos() -> Int64 { Int64(bitPattern: number()) }

  mutating func count() -> Int { Int(nanos()) }

  mutating func optionalNanos() -> Int64? {
    let number = number()
    return number == 0 ? nil : Int64(bitPattern: number &- 1)
  }

  mutating func byte() -> UInt8 {
    defer { cursor += 1 }
    return cursor.pointee
  }

  mutating func whole<Value: BitwiseCopyable>(_ type: Value.Type) -> Value {
    defer { cursor += MemoryLayout<Value>.size }
    return UnsafeRawPointer(cursor).loadUnaligned(as: type)
  }

  mutating func text() -> String {
    let count = count()
    defer { cursor += count }
    return String(decoding: UnsafeBufferPointer(start: cursor, count: count), as: UTF8.self)
  }
}
