public import CTimestamp

/// The words that a span touches, in memory of their own: reached through a constant pointer, they cost no
/// exclusivity checks, and all of this module's unsafe memory is in this file and in ``SpanChunkPool``.
///
/// Invariants:
/// - `cursor..<limit` is memory of one chunk in `chunks` (or both are equal), and nothing else writes to it.
/// - While `depth > 0`, `cursor` points to an initialized span, the open one, and `cursor < limit`.
/// - Once `isClosed`, `cursor == limit` and `depth == 0`, so that nothing is recorded any more.
/// - One thread at a time.
@usableFromInline
struct RecordingCore {
  /// The open span, or where the next one goes.
  @usableFromInline var cursor: UnsafeMutablePointer<Span>
  @usableFromInline var limit: UnsafeMutablePointer<Span>
  /// Hostcalls that began and did not end; more than one when a hostcall makes the guest call another.
  @usableFromInline var depth: UInt32 = 0
  /// The raw value of the ``BlockCause`` plus 1 while the guest is suspended, else 0.
  @usableFromInline var suspension: UInt32 = 0
  @usableFromInline let originCycles: UInt64
  @usableFromInline let originNanos: UInt64
  @usableFromInline let scale: UInt64
  /// Nanoseconds between the trace's start and the origin.
  @usableFromInline let originOffset: Int64
  /// The sum of all hostcalls' durations.
  @usableFromInline var hostcallNanos: Int64 = 0

  var suspendedAt: Int64 = 0
  var blockedInHostcalls: Int64 = 0
  var chunks: [SpanChunk] = []
  /// Spans in chunks before the current one.
  var fullSpans = 0
  var droppedSpans = 0
  /// Whether the cap is reached: the last chunk's only slot is written again and again.
  var isOverflowing = false
  var isClosed = false

  init(originOffset: Int64, cycles: UInt64, nanos: UInt64, scale: UInt64) {
    originCycles = cycles
    originNanos = nanos
    self.scale = scale
    self.originOffset = originOffset
    cursor = Self.noMemory
    limit = Self.noMemory
  }

  /// A valid address for an empty range; never read or written.
  private static var noMemory: UnsafeMutablePointer<Span> {
    UnsafeMutablePointer(bitPattern: MemoryLayout<Span>.alignment)!
  }

  /// Nanoseconds from the trace's start.
  @inlinable @inline(__always)
  func now() -> Int64 {
    if scale != 0 {
      return originOffset + TraceClock.nanoseconds(cycles: ctimestamp_cycles(), since: originCycles, scale: scale)
    }
    return originOffset + Int64(bitPattern: ctimestamp_monotonic() &- originNanos)
  }

  private var currentChunkSpans: Int {
    guard let chunk = chunks.last, !isOverflowing else { return 0 }
    return cursor - chunk.base
  }

  /// Spans recorded so far.
  var spanCount: Int { fullSpans + currentChunkSpans }

  /// Makes room for one more span, at the cap by using one slot again.
  mutating func refill(cap: Int, from pool: SpanChunkPool) {
    if isOverflowing {
      droppedSpans += 1
      cursor = limit - 1
      return
    }
    fullSpans += currentChunkSpans
    let room = min(cap - fullSpans, SpanChunkPool.chunkCapacity)
    let chunk = pool.take()
    chunks.append(chunk)
    cursor = chunk.base
    if room > 0 {
      limit = chunk.base + room
    } else {
      isOverflowing = true
      droppedSpans += 1
      limit = chunk.base + 1
    }
  }

  /// Records no more spans.
  mutating func close() {
    limit = cursor
    isClosed = true
  }

  /// Takes the recorded spans out and gives the memory back.
  mutating func drain(into pool: SpanChunkPool) -> [Span] {
    let count = spanCount
    let spans = [Span](unsafeUninitializedCapacity: count) { buffer, initialized in
      while initialized < count {
        let length = min(count - initialized, SpanChunkPool.chunkCapacity)
        let chunk = chunks[initialized / SpanChunkPool.chunkCapacity]
        (buffer.baseAddress! + initialized).initialize(from: chunk.base, count: length)
        initialized += length
      }
    }
    pool.give(chunks)
    chunks = []
    fullSpans = 0
    limit = Self.noMemory
    cursor = Self.noMemory
    isOverflowing = false
    isClosed = true
    return spans
  }
}
