internal import Foundation

/// Remembers a number for pieces of text as they stand in the input, so that a function is made once and not on every
/// line.
///
/// All unsafe memory access of the text importers is in this file. Every range is checked against its array first.
struct RawTextTable {
  private struct Entry {
    var hash: UInt64
    var offset: Int
    var count: Int32
    var salt: UInt32
    var value: UInt32
  }

  /// Most text that is remembered; what comes after is looked at anew each time.
  private static let maximumBytes = 64 << 20

  private var text: [UInt8] = []
  private var entries: [Entry] = []
  /// Index of an entry plus 1; 0 is free. The count is a power of two.
  private var slots = [UInt32](repeating: 0, count: 1024)
  private let seed = UInt64.random(in: .min ... .max)

  init() {}

  /// Where the search for a text ended, for ``remember(_:of:_:)``.
  struct Miss {
    fileprivate var hash: UInt64
    fileprivate var salt: UInt32
  }

  enum Answer {
    case found(UInt32)
    case missing(Miss)
  }

  /// Looks a text up.
  /// - Parameter salt: Equal texts with different salts are different.
  func look(up range: Range<Int>, of bytes: [UInt8], salt: UInt32 = 0) -> Answer {
    precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
    return bytes.withUnsafeBytes { all in
      let wanted = UnsafeRawBufferPointer(rebasing: all[range])
      let hash = Self.hash(wanted, seed: seed &+ UInt64(salt))
      let mask = slots.count - 1
      var slot = Int(truncatingIfNeeded: hash) & mask
      while slots[slot] != 0 {
        let entry = entries[Int(slots[slot] - 1)]
        if entry.hash == hash, entry.salt == salt, Int(entry.count) == wanted.count,
          text.withUnsafeBytes({ equal($0, from: entry.offset, to: wanted) })
        {
          return .found(entry.value)
        }
        slot = (slot + 1) & mask
      }
      return .missing(Miss(hash: hash, salt: salt))
    }
  }

  /// Remembers the number of a text that was not found.
  mutating func remember(_ value: UInt32, of range: Range<Int>, in bytes: [UInt8], after miss: Miss) {
    guard text.count + range.count <= Self.maximumBytes, entries.count < Int(UInt32.max) / 4 else { return }
    entries.append(
      Entry(hash: miss.hash, offset: text.count, count: Int32(range.count), salt: miss.salt, value: value))
    text.append(contentsOf: bytes[range])
    guard entries.count * 2 > slots.count else { return place(entries.count - 1) }
    slots = [UInt32](repeating: 0, count: slots.count * 2)
    for index in entries.indices { place(index) }
  }

  private mutating func place(_ index: Int) {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: entries[index].hash) & mask
    while slots[slot] != 0 { slot = (slot + 1) & mask }
    slots[slot] = UInt32(index + 1)
  }

  private func equal(_ kept: UnsafeRawBufferPointer, from offset: Int, to wanted: UnsafeRawBufferPointer) -> Bool {
    guard let left = kept.baseAddress, let right = wanted.baseAddress else { return wanted.isEmpty }
    return memcmp(left + offset, right, wanted.count) == 0
  }

  private static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
    var hash = seed ^ UInt64(bytes.count)
    var index = 0
    while bytes.count - index >= 8 {
      hash = mix(hash ^ bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
      index += 8
    }
    var tail: UInt64 = 0
    while index < bytes.count {
      tail = tail << 8 | UInt64(bytes[index])
      index += 1
    }
    return mix(hash ^ tail)
  }

  private static func mix(_ value: UInt64) -> UInt64 {
    let product = (value ^ 0xA076_1D64_78BD_642F).multipliedFullWidth(by: 0xE703_7ED1_A0B4_28DB)
    return product.high ^ product.low
  }
}

extension [UInt8] {
  /// The index of the next line's end at or after `start`, before `end`.
  func nextLineEnd(from start: Int, before end: Int) -> Int? {
    precondition(start >= 0 && start <= end && end <= count)
    return withUnsafeBytes { all in
      guard let base = all.baseAddress, let found = memchr(base + start, 0x0A, end - start) else { return nil }
      return UnsafeRawPointer(found) - base
    }
  }
}
