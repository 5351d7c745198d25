public import Wasmtime

/// A guest's linear memory, and the only place where guest addresses become host pointers.
///
/// Invariants: the base never moves while the guest lives (`EngineSettings`), the size never shrinks. So the size is kept
/// and asked for again only when an access seems to lie beyond it. A pointer made here is valid for the current hostcall,
/// suspensions included.
public final class GuestMemory {
  private var memory: Fiber.Memory?
  @usableFromInline var base: UnsafeMutableRawPointer
  @usableFromInline var knownCount: Int
  private var finalCount: Int?

  /// A memory of no bytes, until the instance exists.
  public init() {
    memory = nil
    base = UnsafeMutableRawPointer(bitPattern: 0x1000)!
    knownCount = 0
  }

  public func attach(_ memory: Fiber.Memory) {
    self.memory = memory
    base = memory.base
    knownCount = memory.byteCount
  }

  /// The guest is gone: its size is remembered, and nothing in it can be reached.
  public func detach() {
    finalCount = byteCount
    memory = nil
    knownCount = 0
  }

  /// Bytes at present, or at the guest's end.
  public var byteCount: Int {
    if let finalCount { return finalCount }
    refresh()
    return knownCount
  }

  @usableFromInline
  func refresh() {
    if let memory { knownCount = memory.byteCount }
  }

  /// The host pointer of `count` bytes at a guest address. Throws `inval` when they do not all lie in memory.
  @inlinable
  public func pointer(_ address: UInt32, count: Int) throws(Status) -> UnsafeMutableRawPointer {
    let end = Int(address) &+ count
    if end > knownCount {
      refresh()
      if end > knownCount { throw .inval }
    }
    return base + Int(address)
  }

  /// The host pointer of one value. Throws `badalign` or `inval`.
  @inlinable
  public func pointer<Value: BitwiseCopyable>(_ address: UInt32, of type: Value.Type) throws(Status)
    -> UnsafeMutableRawPointer
  {
    if Int(address) & (MemoryLayout<Value>.alignment - 1) != 0 { throw .badalign }
    return try pointer(address, count: MemoryLayout<Value>.size)
  }

  /// One value. Guests are little-endian, and so is every host that Wasmtime compiles for.
  @inlinable
  public func load<Value: BitwiseCopyable>(_ address: UInt32, as type: Value.Type) throws(Status) -> Value {
    try pointer(address, of: type).load(as: Value.self)
  }

  @inlinable
  public func store<Value: BitwiseCopyable>(_ value: Value, at address: UInt32) throws(Status) {
    try pointer(address, of: Value.self).storeBytes(of: value, as: Value.self)
  }

  /// Bytes that the guest gives. No bytes may be at any address.
  @inlinable
  public func bytes(_ address: UInt32, count: UInt32) throws(Status) -> GuestBytes {
    if count == 0 { return GuestBytes(UnsafeRawBufferPointer(start: nil, count: 0)) }
    return GuestBytes(UnsafeRawBufferPointer(start: try pointer(address, count: Int(count)), count: Int(count)))
  }

  /// Room that the guest gives. Room for nothing may be at any address.
  @inlinable
  public func buffer(_ address: UInt32, count: UInt32) throws(Status) -> GuestBuffer {
    if count == 0 { return GuestBuffer(UnsafeMutableRawBufferPointer(start: nil, count: 0)) }
    return GuestBuffer(
      UnsafeMutableRawBufferPointer(start: try pointer(address, count: Int(count)), count: Int(count)))
  }

  /// A list of handles that the guest gives.
  @inlinable
  public func array(_ address: UInt32, count: UInt32) throws(Status) -> GuestArray {
    if count == 0 { return GuestArray(UnsafeRawBufferPointer(start: nil, count: 0)) }
    if address & 3 != 0 { throw .badalign }
    let byteCount = Int(count) * 4
    return GuestArray(UnsafeRawBufferPointer(start: try pointer(address, count: byteCount), count: byteCount))
  }

  /// The place of one out-parameter.
  @inlinable
  public func out<Value: BitwiseCopyable>(_ address: UInt32, _ type: Value.Type) throws(Status) -> GuestPointer<Value> {
    GuestPointer(try pointer(address, of: type))
  }
}

/// Bytes in guest memory, to be read during the current hostcall.
public struct GuestBytes {
  public let raw: UnsafeRawBufferPointer

  @inlinable
  public init(_ raw: UnsafeRawBufferPointer) { self.raw = raw }

  public var count: Int { raw.count }
  public var isEmpty: Bool { raw.isEmpty }

  /// The bytes as text. Throws `inval` when they are not UTF-8.
  public func string() throws(Status) -> String {
    guard let text = String(validUTF8: raw) else { throw .inval }
    return text
  }

  public func array() -> [UInt8] { Array(raw) }
}

/// Room in guest memory, to be written during the current hostcall.
public struct GuestBuffer {
  public let raw: UnsafeMutableRawBufferPointer

  @inlinable
  public init(_ raw: UnsafeMutableRawBufferPointer) { self.raw = raw }
}

/// Handles in guest memory.
public struct GuestArray {
  private let raw: UnsafeRawBufferPointer

  @usableFromInline
  init(_ raw: UnsafeRawBufferPointer) { self.raw = raw }

  public var count: Int { raw.count / 4 }
  public subscript(index: Int) -> UInt32 { raw.load(fromByteOffset: index * 4, as: UInt32.self) }
  public var values: [UInt32] { (0..<count).map { self[$0] } }
}

/// The checked place of one out-parameter.
public struct GuestPointer<Value: BitwiseCopyable> {
  @usableFromInline let pointer: UnsafeMutableRawPointer

  @usableFromInline
  init(_ pointer: UnsafeMutableRawPointer) { self.pointer = pointer }

  @inlinable
  public func store(_ value: Value) { pointer.storeBytes(of: value, as: Value.self) }
}

/// A buffer with the place for the number of bytes that were written, or that would be needed.
public struct GuestOutput {
  public let buffer: GuestBuffer
  private let written: GuestPointer<UInt32>?

  public init(_ buffer: GuestBuffer, written: GuestPointer<UInt32>?) {
    self.buffer = buffer
    self.written = written
  }

  public var capacity: Int { buffer.raw.count }

  /// Tells the guest the number of bytes it got.
  public func setCount(_ count: Int) { written?.store(UInt32(count)) }

  /// Gives all the bytes, or nothing and `buflen` with the number that is needed.
  public func write(_ bytes: some Collection<UInt8>) throws(Status) {
    let count = bytes.count
    setCount(count)
    if count > capacity { throw .buflen }
    buffer.raw.copyBytes(from: bytes)
  }

  public func write(_ text: String) throws(Status) { try write(text.utf8) }
}

/// A buffer for a list of items each followed by a NUL, read piecewise with a cursor.
public struct GuestItemOutput {
  private let output: GuestOutput
  private let cursor: UInt32
  private let endingCursor: GuestPointer<Int64>?

  public init(_ output: GuestOutput, cursor: UInt32, endingCursor: GuestPointer<Int64>?) {
    self.output = output
    self.cursor = cursor
    self.endingCursor = endingCursor
    // Guests loop until -1; it also stands when the call fails.
    endingCursor?.store(-1)
  }

  /// Packs as many whole items from the cursor on as fit. Throws `buflen` with the size of an item that does not fit alone.
  public func write(count: Int, item: (Int) -> ArraySlice<UInt8>) throws(Status) {
    var index = Int(cursor)
    var used = 0
    while index < count {
      let bytes = item(index)
      let size = bytes.count + 1
      guard used + size <= output.capacity else {
        if used == 0 {
          output.setCount(size)
          throw .buflen
        }
        endingCursor?.store(Int64(index))
        break
      }
      let target = UnsafeMutableRawBufferPointer(rebasing: output.buffer.raw[used..<(used + size)])
      target.copyBytes(from: bytes)
      target[size - 1] = 0
      used += size
      index += 1
    }
    output.setCount(used)
  }
}
