import Synchronization

/// Memory for ``SpanChunkPool/chunkCapacity`` spans. Exactly one recorder, or the pool, owns a chunk at a time.
struct SpanChunk: @unchecked Sendable {
  // Sendable because ownership is handed over through the pool's lock, never shared.
  let base: UnsafeMutablePointer<Span>
}

/// Recycles span memory between requests, so that recording allocates only while the load grows.
final class SpanChunkPool: Sendable {
  /// Spans in a chunk: 2 KiB, because thousands of guests may wait at once, each after a few hostcalls.
  static let chunkCapacity = 32
  static let shared = SpanChunkPool(retaining: 2048)

  private let retained: Int
  private let free = Mutex<[SpanChunk]>([])

  /// - Parameter retaining: Most chunks that are kept while nobody uses them.
  init(retaining: Int) { retained = retaining }

  deinit { free.withLock { chunks in for chunk in chunks { chunk.base.deallocate() } } }

  /// The number of chunks that nobody uses.
  var freeCount: Int { free.withLock { $0.count } }

  func take() -> SpanChunk {
    if let chunk = free.withLock({ $0.popLast() }) { return chunk }
    return SpanChunk(base: .allocate(capacity: Self.chunkCapacity))
  }

  func give(_ chunks: [SpanChunk]) {
    guard !chunks.isEmpty else { return }
    let excess = free.withLock { free in
      let kept = min(chunks.count, max(0, retained - free.count))
      free.append(contentsOf: chunks.prefix(kept))
      return chunks.dropFirst(kept)
    }
    for chunk in excess { chunk.base.deallocate() }
  }
}
