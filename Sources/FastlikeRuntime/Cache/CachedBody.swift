import NIOCore
import Synchronization

/// The bytes of a cached object, written once from one event loop and read any number of times from all of them, also
/// while they are still being written.
///
/// One lock guards the chunks; it is held to add or to look up one. A reader that has come to the end of what is written
/// leaves a closure, which is called once, from the writer's thread and without the lock, when there is more.
final class CachedBody: Sendable {
  /// What a reader finds.
  enum Next: Sendable {
    case bytes(ByteBuffer)
    /// Nothing now; the closure that was given is called when to read again.
    case pending
    case end(trailers: HeaderList?)
    case failed(BodyError)
  }

  /// Where a reader is.
  struct Position: Sendable {
    /// Bytes from the start.
    fileprivate(set) var offset = 0
    fileprivate var chunk = 0
    fileprivate var offsetInChunk = 0
  }

  private enum Ending {
    case finished(HeaderList?)
    case failed(BodyError)
  }

  private struct State {
    var chunks: [ByteBuffer] = []
    /// For each chunk the offset behind its last byte.
    var ends: [Int] = []
    var ending: Ending?
    /// More was written than was promised.
    var isOverlong = false
    var waiting: [ObjectIdentifier: @Sendable () -> Void] = [:]
  }

  /// Small writes are gathered until a chunk is that long.
  private static let gatheredChunk = 16 << 10

  /// The length that the writer announced. A body that turns out longer or shorter fails at its end.
  let promisedLength: Int?
  private let budget: CacheBudget
  private let state = Mutex(State())
  private let written = Atomic<Int>(0)

  init(promisedLength: Int?, budget: CacheBudget) {
    self.promisedLength = promisedLength
    self.budget = budget
  }

  deinit { budget.giveBack(byteCount) }

  /// Bytes that are there by now.
  var byteCount: Int { written.load(ordering: .relaxed) }

  // MARK: Writer

  /// Adds bytes and wakes the readers who wait for them. Bytes behind the promised length are dropped.
  ///
  /// - Parameter reserve: Makes room in the budget, which the body gives back at its end.
  /// - Returns: Whether there was room. If not, the body breaks off here.
  func append(_ bytes: ByteBuffer, reserve: (Int) -> Bool) -> Bool {
    guard bytes.readableBytes > 0 else { return true }
    let room = promisedLength.map { $0 - byteCount } ?? .max
    let count = min(bytes.readableBytes, room)
    guard count == 0 || reserve(count) else {
      fail(.unfinished)
      return false
    }
    let isTaken = state.withLock { state in
      guard state.ending == nil else { return false }
      if bytes.readableBytes > count { state.isOverlong = true }
      guard count > 0, let part = bytes.getSlice(at: bytes.readerIndex, length: count) else { return false }
      CachedBody.add(part, to: &state)
      written.wrappingAdd(count, ordering: .relaxed)
      return true
    }
    if !isTaken { budget.giveBack(count) }
    wakeReaders()
    return true
  }

  private static func add(_ part: ByteBuffer, to state: inout State) {
    var part = part
    let end = (state.ends.last ?? 0) + part.readableBytes
    if let last = state.chunks.indices.last, state.chunks[last].readableBytes + part.readableBytes <= gatheredChunk {
      state.chunks[last].writeBuffer(&part)
      state.ends[last] = end
      return
    }
    // A short slice of a long buffer would hold memory that the budget does not know.
    let isWasteful = part.storageCapacity > 2 * part.readableBytes
    state.chunks.append(isWasteful ? ByteBuffer(bytes: part.readableBytesView) : part)
    state.ends.append(end)
  }

  /// The body is complete, unless its length is not the promised one.
  ///
  /// - Returns: Whether it is complete.
  @discardableResult
  func finish(trailers: HeaderList? = nil) -> Bool {
    let isComplete = state.withLock { state in
      guard state.ending == nil else { return false }
      let isWhole = !state.isOverlong && promisedLength.map { $0 == byteCount } ?? true
      state.ending = isWhole ? .finished(trailers) : .failed(.incomplete)
      return isWhole
    }
    wakeReaders()
    return isComplete
  }

  /// The body breaks off here. Without effect on one that has ended.
  func fail(_ error: BodyError) {
    state.withLock { if $0.ending == nil { $0.ending = .failed(error) } }
    wakeReaders()
  }

  private func wakeReaders() {
    let waiting = state.withLock { state in
      let waiting = state.waiting
      state.waiting = [:]
      return waiting
    }
    for wake in waiting.values { wake() }
  }

  // MARK: Readers

  /// Whether the writer may still add bytes.
  var isBeingWritten: Bool { state.withLock { $0.ending == nil } }

  /// Whether the body broke off.
  var hasFailed: Bool {
    state.withLock { if case .failed = $0.ending { true } else { false } }
  }

  /// The length: what was promised, or what it came to.
  var knownLength: Int? {
    if let promisedLength { return promisedLength }
    return state.withLock { if case .finished = $0.ending { byteCount } else { nil } }
  }

  /// All of a complete body at once, which costs no copy; nil of one that is being written or has failed.
  var complete: (chunks: [ByteBuffer], trailers: HeaderList?)? {
    state.withLock { if case .finished(let trailers) = $0.ending { ($0.chunks, trailers) } else { nil } }
  }

  /// Puts a reader at a place. False while the place is not known, because it counts from an end that is not there yet;
  /// the closure is called as by ``read(_:max:reader:wake:)``.
  func seek(
    _ start: CachedBodySpan.Start, _ position: inout Position, reader: ObjectIdentifier,
    wake: @escaping @Sendable () -> Void
  ) -> Bool {
    state.withLock { state in
      switch start {
      case .offset(let offset): position = CachedBody.position(offset, in: state)
      case .beforeEnd(let count):
        guard state.ending != nil else {
          state.waiting[reader] = wake
          return false
        }
        position = CachedBody.position(max(0, (state.ends.last ?? 0) - count), in: state)
      }
      return true
    }
  }

  /// The place of an offset, which may lie behind what is written.
  private static func position(_ offset: Int, in state: State) -> Position {
    var (low, high) = (0, state.ends.count)
    while low < high {
      let middle = (low + high) / 2
      if state.ends[middle] <= offset { low = middle + 1 } else { high = middle }
    }
    // The last chunk may still grow, so a place behind it is counted from its start.
    low = min(low, max(0, state.ends.count - 1))
    let start = low == 0 ? 0 : state.ends[low - 1]
    return Position(offset: offset, chunk: low, offsetInChunk: offset - start)
  }

  /// Takes the next bytes, at most `max` of them.
  ///
  /// - Parameters:
  ///   - reader: Whose closure it is; a new one takes the place of the last.
  ///   - wake: Called once, on the writer's thread, when there is more after ``Next/pending``.
  func read(
    _ position: inout Position, max: Int, reader: ObjectIdentifier, wake: @escaping @Sendable () -> Void
  ) -> Next {
    state.withLock { state in
      while position.chunk < state.chunks.count {
        let chunk = state.chunks[position.chunk]
        let available = chunk.readableBytes - position.offsetInChunk
        guard available > 0 else {
          // The last chunk may grow, so it is left only when another one follows.
          guard position.chunk + 1 < state.chunks.count else { break }
          position.chunk += 1
          position.offsetInChunk = -available
          continue
        }
        let count = min(available, max)
        guard let part = chunk.getSlice(at: chunk.readerIndex + position.offsetInChunk, length: count) else { break }
        position.offsetInChunk += count
        position.offset += count
        return .bytes(part)
      }
      switch state.ending {
      case .finished(let trailers):
        // A place behind the end can only have been asked for before the length was known.
        return position.offset > (state.ends.last ?? 0) ? .failed(.incomplete) : .end(trailers: trailers)
      case .failed(let error): return .failed(error)
      case nil:
        if state.isOverlong { return .failed(.incomplete) }
        state.waiting[reader] = wake
        return .pending
      }
    }
  }

  /// A reader that waited goes.
  func stopWaiting(_ reader: ObjectIdentifier) { _ = state.withLock { $0.waiting.removeValue(forKey: reader) } }
}
