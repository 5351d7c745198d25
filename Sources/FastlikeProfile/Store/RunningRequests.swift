internal import Synchronization

/// The recorders of the requests that are running.
///
/// It does not keep them: a recorder takes itself out at the latest in its `deinit`, and waits there for a reader that has the
/// lock, so that what is read under the lock is alive. They are spread over several locks, because each request is entered and
/// taken out by its own thread, and threads must not wait for each other there.
final class RunningRequests: Sendable {
  private struct Places {
    var recorders: [Unmanaged<TraceRecorder>?] = []
    var free: [Int32] = []
  }

  private final class Shard: Sendable {
    let places = Mutex(Places())
  }

  private let shards = (0..<8).map { _ in Shard() }

  private func shard(of recorder: TraceRecorder) -> Shard { shards[Int(recorder.id & 7)] }

  func enter(_ recorder: TraceRecorder) {
    let unmanaged = Unmanaged.passUnretained(recorder)
    recorder.runningSlot = shard(of: recorder).places.withLock { places in
      if let slot = places.free.popLast() {
        places.recorders[Int(slot)] = unmanaged
        return slot
      }
      places.recorders.append(unmanaged)
      return Int32(places.recorders.count - 1)
    }
  }

  /// Whether it was there.
  func leave(_ recorder: TraceRecorder) -> Bool {
    let slot = recorder.runningSlot
    guard slot >= 0 else { return false }
    recorder.runningSlot = -1
    shard(of: recorder).places.withLock { places in
      places.recorders[Int(slot)] = nil
      places.free.append(slot)
    }
    return true
  }

  /// The requests with what each does right now.
  func snapshot(_ hostcalls: HostcallNameTable) -> [InFlightRequest] {
    shards.flatMap { shard in
      shard.places.withLock { places in
        places.recorders.compactMap { $0?._withUnsafeGuaranteedRef { $0.inFlight(hostcalls) } }
      }
    }
  }
}

extension TraceRecorder {
  /// What is known of the request while it runs; reads only what never changes, and the live word.
  fileprivate func inFlight(_ hostcalls: HostcallNameTable) -> InFlightRequest {
    let current = live.current
    return InFlightRequest(
      id: id, moduleID: head.moduleID, method: head.method, url: head.url, wallStartUnixNanos: wallStartUnixNanos,
      hostcall: current.hostcall.map { hostcalls.name(at: $0) }, blockedOn: current.blockedOn)
  }
}
