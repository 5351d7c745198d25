internal import DequeModule

/// Memory that packed traces lie in, one behind the other.
///
/// What lies here is never changed, and lives as long as somebody has the block: readers need no lock.
final class PackedBlock: @unchecked Sendable {
  // Sendable because the one that fills it writes only where nobody reads yet.

  fileprivate let base: UnsafeMutablePointer<UInt8>
  fileprivate let capacity: Int

  /// Four pages, for some hundred traces of short requests.
  fileprivate static let usualCapacity = 16 * 1024

  fileprivate init(capacity: Int = PackedBlock.usualCapacity) {
    base = .allocate(capacity: capacity)
    self.capacity = capacity
  }

  deinit { base.deallocate() }

  /// Calls the body with the first bytes.
  func withBytes(_ count: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
    body(UnsafeBufferPointer(start: base, count: count))
  }
}

/// A place in an arena. It holds nothing: the arena keeps what lies there until the place is given back.
struct PackedPlace: BitwiseCopyable {
  /// The block's number.
  fileprivate let block: Int
  fileprivate let offset: Int
}

/// Where a thread's traces are packed: each behind the one before, so that a busy loop goes through little memory, and through it
/// in order. A trace that is large has a block of its own.
struct PackedArena: ~Copyable, @unchecked Sendable {
  // Sendable because nobody else writes where `free` points; not copyable, so that this is so.

  /// The blocks in the order of their numbers, of which the first is ``firstNumber``. Those without a trace are nil, all but the
  /// current one.
  private var blocks: Deque<PackedBlock?> = []
  /// How many traces lie in each.
  private var counts: Deque<Int> = []
  private var firstNumber = 0
  /// The number of the block that the next trace goes in; none before the first one.
  private var current = -1
  /// What is free of it.
  private var free = UnsafeMutableBufferPointer<UInt8>(start: nil, count: 0)
  /// One that nobody has any more, for the time when the present one is full.
  private var spare: PackedBlock?

  /// Bytes that most traces have room in.
  private static let usualTrace = 512

  /// Packs what the body writes.
  mutating func pack(_ body: (inout PackedWriter) -> Void) -> PackedPlace {
    if free.count < Self.usualTrace { open(spare.take() ?? PackedBlock(), from: 0) }
    var writer = PackedWriter(into: free)
    body(&writer)
    if let moved = writer.moved { return place(moved, count: writer.count) }
    let count = writer.count
    defer { free = UnsafeMutableBufferPointer(rebasing: free[count...]) }
    counts[current - firstNumber] += 1
    return PackedPlace(block: current, offset: PackedBlock.usualCapacity - free.count)
  }

  /// Takes over what there was no room for: a block to go on with, or one that has the one large trace only.
  private mutating func place(_ moved: PackedBlock, count: Int) -> PackedPlace {
    if moved.capacity == PackedBlock.usualCapacity {
      open(moved, from: count)
      counts[current - firstNumber] += 1
      return PackedPlace(block: current, offset: 0)
    }
    let fitting = PackedBlock(capacity: count)
    fitting.base.update(from: moved.base, count: count)
    return PackedPlace(block: add(fitting, traces: 1), offset: 0)
  }

  /// The number of one more block.
  private mutating func add(_ block: PackedBlock, traces: Int) -> Int {
    blocks.append(block)
    counts.append(traces)
    return firstNumber + blocks.count - 1
  }

  /// Goes on with a block in which so many bytes are taken.
  private mutating func open(_ block: PackedBlock, from used: Int) {
    let before = current
    current = add(block, traces: 0)
    free = UnsafeMutableBufferPointer(start: block.base + used, count: block.capacity - used)
    if before >= 0, counts[before - firstNumber] == 0 { retire(before) }
  }

  /// The block that a trace lies in, for somebody who reads it later.
  func block(of place: PackedPlace) -> PackedBlock { blocks[place.block - firstNumber]! }

  /// A trace gives way, and its block if it was the last one there.
  mutating func giveBack(_ place: PackedPlace) {
    let slot = place.block - firstNumber
    counts[slot] -= 1
    if counts[slot] == 0, place.block != current { retire(place.block) }
  }

  /// A block's traces are gone: it is used again unless somebody reads in it.
  @inline(never)
  private mutating func retire(_ number: Int) {
    if spare == nil, isKnownUniquelyReferenced(&blocks[number - firstNumber]),
      blocks[number - firstNumber]?.capacity == PackedBlock.usualCapacity
    {
      spare = blocks[number - firstNumber]
    }
    blocks[number - firstNumber] = nil
    while case .some(nil) = blocks.first {
      blocks.removeFirst()
      counts.removeFirst()
      firstNumber += 1
    }
  }
}

/// Writes numbers and texts one behind the other: most numbers of a trace are small, and small ones take a byte or two.
///
/// Invariant: `start <= cursor <= limit`, and `start..<limit` is memory that nobody else has.
struct PackedWriter {
  private var start: UnsafeMutablePointer<UInt8>
  private var cursor: UnsafeMutablePointer<UInt8>
  private var limit: UnsafeMutablePointer<UInt8>
  /// The block that everything lies in when there was no room in the memory given.
  private(set) var moved: PackedBlock?

  /// Most bytes of a number.
  private static let maximumNumberBytes = 10

  /// - Parameter memory: At least one byte, which is written first.
  init(into memory: UnsafeMutableBufferPointer<UInt8>) {
    start = memory.baseAddress!
    cursor = start
    limit = start + memory.count
  }

  /// Bytes written so far.
  var count: Int { cursor - start }

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

  /// As they are.
  @inline(__always)
  mutating func write(bytes: StaticString) {
    write(bytes: UnsafeRawBufferPointer(start: bytes.utf8Start, count: bytes.utf8CodeUnitCount))
  }

  /// As they are.
  @inline(__always)
  mutating func write(bytes: UnsafeRawBufferPointer) {
    reserve(bytes.count)
    if let base = bytes.baseAddress { UnsafeMutableRawPointer(cursor).copyMemory(from: base, byteCount: bytes.count) }
    cursor += bytes.count
  }
}

/// Reads what a ``PackedWriter`` wrote, in the same order.
struct PackedReader {
  /// Keeps what is read; nil where somebody else does.
  private let block: PackedBlock?
  private var cursor: UnsafePointer<UInt8>

  /// - Parameter place: One in this block.
  init(_ place: PackedPlace, in block: PackedBlock) {
    self.block = block
    cursor = UnsafePointer(block.base + place.offset)
  }

  /// - Parameter memory: Must live as long as the reader.
  init(_ memory: UnsafePointer<UInt8>) {
    block = nil
    cursor = memory
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
