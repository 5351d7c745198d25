public import CTimestamp

/// The words that a span touches, in the memory of a ``RecordingBlock``: reached through a constant pointer, they cost no
/// exclusivity checks, and all of this module's unsafe memory is in the files of these two and of ``SpanChunkPool``.
///
/// Invariants:
/// - `cursor..<limit` is memory of the block's own chunk or of one in `chunks` (or both are equal), and nothing else writes to
///   it.
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
  @usableFromInline var originCycles: UInt64
  @usableFromInline let scale: UInt64
  /// Nanoseconds between the trace's start and the origin.
  @usableFromInline var originOffset: Int64
  /// The sum of all hostcalls' durations.
  @usableFromInline var hostcallNanos: Int64 = 0

  // Up to here in one cache line, with the word of ``LiveActivity`` in front: what a span touches.

  @usableFromInline var originNanos: UInt64
  var suspendedAt: Int64 = 0
  var blockedInHostcalls: Int64 = 0
  /// Memory for the first spans, which belongs to the block.
  private let first: SpanChunk
  /// Further memory, from a pool.
  private var chunks: [SpanChunk] = []
  /// Spans in chunks before the current one.
  private var fullSpans = 0
  var droppedSpans = 0
  /// Whether the cap is reached: the last chunk's only slot is written again and again.
  private var isOverflowing = false
  private(set) var isClosed = false

  /// - Parameters:
  ///   - first: Uninitialized memory that lives as long as this.
  ///   - cap: Most spans.
  init(first: SpanChunk, start: RecordingStart, scale: UInt64, cap: Int) {
    self.first = first
    originCycles = start.cycles
    originNanos = start.monotonic
    originOffset = start.queue
    self.scale = scale
    cursor = first.base
    limit = first.base + min(cap, SpanChunkPool.chunkCapacity)
  }

  /// Begins anew after ``giveBack(to:)``.
  @inline(__always)
  mutating func restart(at start: RecordingStart, cap: Int) {
    depth = 0
    suspension = 0
    originCycles = start.cycles
    originNanos = start.monotonic
    originOffset = start.queue
    hostcallNanos = 0
    suspendedAt = 0
    blockedInHostcalls = 0
    droppedSpans = 0
    isClosed = false
    cursor = first.base
    limit = first.base + min(cap, SpanChunkPool.chunkCapacity)
  }

  /// Nanoseconds from the trace's start.
  @inlinable @inline(__always)
  func now() -> Int64 {
    scale != 0 ? countedNow() : originOffset &+ Int64(bitPattern: ctimestamp_monotonic() &- originNanos)
  }

  /// The same where there is a ``scale``.
  @inlinable @inline(__always)
  func countedNow() -> Int64 {
    originOffset &+ TraceClock.nanoseconds(cycles: ctimestamp_cycles(), since: originCycles, scale: scale)
  }

  /// Opens a span, for which there is room.
  @inlinable @inline(__always)
  mutating func open(_ hostcall: UInt16, at instant: Int64) {
    cursor.initialize(to: Span(hostcall: hostcall, start: instant))
    depth = 1
  }

  /// Closes the open span.
  @inlinable @inline(__always)
  mutating func close(_ status: Int32, at instant: Int64) {
    let span = cursor
    let duration = instant &- span.pointee.start
    span.pointee.duration = duration
    span.pointee.status = status
    hostcallNanos &+= duration
    cursor = span + 1
    depth = 0
  }

  private var currentChunkSpans: Int { isOverflowing ? 0 : cursor - (chunks.last ?? first).base }

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

  /// Whether there are spans behind the first chunk.
  var hasMoreChunks: Bool { !chunks.isEmpty }

  /// Gives back the memory of the spans behind the first chunk, and the spans in it.
  mutating func giveBack(to pool: SpanChunkPool) {
    guard !chunks.isEmpty else { return }
    pool.give(chunks)
    chunks = []
    fullSpans = 0
    isOverflowing = false
    cursor = first.base
    limit = cursor
  }

  /// Where the spans of a chunk are; all chunks but the last one are full.
  @inline(__always)
  func chunkBase(at place: Int) -> UnsafePointer<Span> {
    UnsafePointer(place == 0 ? first.base : chunks[place - 1].base)
  }

  /// The spans, in order.
  func forEachChunk(_ body: (UnsafeBufferPointer<Span>) -> Void) {
    var rest = spanCount
    var chunk = 0
    while rest > 0 {
      let count = min(rest, SpanChunkPool.chunkCapacity)
      body(UnsafeBufferPointer(start: chunkBase(at: chunk), count: count))
      rest -= count
      chunk += 1
    }
  }
}
