public import Synchronization

/// What a running request does right now: one word that the recorder stores and any thread may read.
///
/// Bits 0–15 are the hostcall's index, bit 16 tells that there is one, bits 24–31 are the raw value of the
/// ``BlockCause`` plus 1 while the guest is suspended.
@usableFromInline
struct LiveActivity: ~Copyable, Sendable {
  @usableFromInline let word = Atomic<UInt32>(0)

  @inlinable
  init() {}

  @inlinable @inline(__always)
  func enter(_ hostcall: UInt16) { word.store(UInt32(hostcall) | 1 << 16, ordering: .relaxed) }

  @inlinable @inline(__always)
  func leave() { word.store(0, ordering: .relaxed) }

  func suspend(_ cause: BlockCause) {
    word.store(word.load(ordering: .relaxed) & 0xFF_FFFF | (UInt32(cause.rawValue) + 1) << 24, ordering: .relaxed)
  }

  func resume() { word.store(word.load(ordering: .relaxed) & 0xFF_FFFF, ordering: .relaxed) }

  /// The open hostcall and what the guest waits for.
  var current: (hostcall: UInt16?, blockedOn: BlockCause?) {
    let word = word.load(ordering: .relaxed)
    let cause = word >> 24 == 0 ? nil : BlockCause(rawValue: UInt8(word >> 24) - 1)
    return (word & 1 << 16 == 0 ? nil : UInt16(truncatingIfNeeded: word), cause)
  }
}
