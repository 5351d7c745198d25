/// Recorders of requests that ended, one above the other. A recorder is in one stack at most.
///
/// Invariant: the stack holds one reference to each of its recorders, which the links stand for.
struct RecorderStack: ~Copyable, @unchecked Sendable {
  // Sendable because it is not copyable, and nothing else changes the links of its recorders.

  /// The recorder below one.
  struct Link {
    fileprivate var below: Unmanaged<TraceRecorder>?
  }

  private var top: Unmanaged<TraceRecorder>?
  private(set) var count = 0

  deinit {
    var place = top
    while let recorder = place?.takeRetainedValue() { place = recorder.link.below }
  }

  @inline(__always)
  mutating func push(_ recorder: TraceRecorder) {
    recorder.link.below = top
    top = Unmanaged.passRetained(recorder)
    count += 1
  }

  /// Takes out the topmost one.
  @inline(__always)
  mutating func pop() -> TraceRecorder? {
    guard let recorder = top?.takeRetainedValue() else { return nil }
    top = recorder.link.below
    count -= 1
    return recorder
  }

  /// Takes out one that nobody else holds: of those, the topmost is the most likely to be in the caches.
  @inline(__always)
  mutating func popUnshared() -> TraceRecorder? {
    var recorder = pop()
    if isKnownUniquelyReferenced(&recorder) { return recorder }
    return recorder.flatMap { popUnshared(below: $0) }
  }

  /// As ``popUnshared()`` where somebody holds the topmost one, which is often for a moment only. Others that somebody holds are let
  /// go of, to be no burden for as long as that takes.
  @inline(never)
  private mutating func popUnshared(below held: TraceRecorder) -> TraceRecorder? {
    var recorder = pop()
    while recorder != nil, !isKnownUniquelyReferenced(&recorder) { recorder = pop() }
    push(held)
    return recorder
  }

  /// Turns the order around.
  mutating func reverse() {
    var place = top.take()
    while let recorder = place {
      place = recorder._withUnsafeGuaranteedRef { lower in
        let below = lower.link.below
        lower.link.below = top
        return below
      }
      top = recorder
    }
  }
}

/// The recorders of the requests that are running.
///
/// They are not kept: a recorder takes itself out at the latest in its `deinit`, and waits there for a reader that has the lock, so
/// that what is read under the lock is alive.
struct RunningRecorders: ~Copyable, @unchecked Sendable {
  // Sendable because the neighbours of a recorder are read and changed under the lock that this is behind.

  /// The neighbours of a recorder.
  struct Links {
    fileprivate var isRunning = false
    fileprivate var previous: Unmanaged<TraceRecorder>?
    fileprivate var next: Unmanaged<TraceRecorder>?
  }

  private var first: Unmanaged<TraceRecorder>?

  mutating func insert(_ recorder: TraceRecorder) {
    let unmanaged = Unmanaged.passUnretained(recorder)
    recorder.running = Links(isRunning: true, previous: nil, next: first)
    first?._withUnsafeGuaranteedRef { $0.running.previous = unmanaged }
    first = unmanaged
  }

  /// Whether it was there.
  @discardableResult
  mutating func remove(_ recorder: TraceRecorder) -> Bool {
    let links = recorder.running
    guard links.isRunning else { return false }
    recorder.running.isRunning = false
    if let previous = links.previous {
      previous._withUnsafeGuaranteedRef { $0.running.next = links.next }
    } else {
      first = links.next
    }
    links.next?._withUnsafeGuaranteedRef { $0.running.previous = links.previous }
    return true
  }

  /// Calls the body with each.
  func forEach(_ body: (TraceRecorder) -> Void) {
    var place = first
    while let recorder = place {
      place = recorder._withUnsafeGuaranteedRef { recorder in
        body(recorder)
        return recorder.running.next
      }
    }
  }
}
