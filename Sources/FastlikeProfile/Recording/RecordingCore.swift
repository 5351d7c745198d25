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
  @usableFromInline var originNanos: UInt64
  @usableFromInline let scale: UInt64
  /// Nanoseconds between the trace's start and the origin.
  @usableFromInline var originOffset: Int64
  /// The sum of all hostcalls' durations.
  @usableFromInline var hostcallNanos: Int64 = 0

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

  /// Begins anew after ``settle(into:)``.
  mutating func restart(at start: RecordingStart, cap: Int) {
    self = RecordingCore(first: first, start: start, scale: scale, cap: cap)
  }

  /// Nanoseconds from the trace's start.
  @inlinable @inline(__always)
  func now() -> Int64 {
    if scale != 0 {
      return originOffset + TraceClock.nanoseconds(cycles: ctimestamp_cycles(), since: originCycles, scale: scale)
    }
    return originOffset + Int64(bitPattern: ctimestamp_monotonic() &- originNanos)
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

  /// Closes, and takes out the spans where they are more than the first chunk holds, giving the further memory back. The spans of
  /// most requests stay where they are: see ``withFirstSpans(_:)``.
  mutating func settle(into pool: SpanChunkPool) -> [Span]? {
    close()
    guard !chunks.isEmpty else { return nil }
    let count = spanCount
    let spans = [Span](unsafeUninitializedCapacity: count) { buffer, initialized in
      var chunk = first
      var next = chunks.makeIterator()
      while initialized < count {
        let length = min(count - initialized, SpanChunkPool.chunkCapacity)
        (buffer.baseAddress! + initialized).initialize(from: chunk.base, count: length)
        initialized += length
        chunk = next.next() ?? chunk
      }
    }
    pool.give(chunks)
    chunks = []
    fullSpans = 0
    isOverflowing = false
    cursor = first.base
    limit = cursor
    return spans
  }

  /// The spans that are in the first chunk.
  func withFirstSpans<Result>(_ body: (UnsafeBufferPointer<Span>) -> Result) -> Result {
    body(UnsafeBufferPointer(start: first.base, count: chunks.isEmpty ? currentChunkSpans : 0))
  }
}
