import CTimestamp
import ComputeABI
import FastlikeProfile
import NIOCore

/// `fastly_async_io`: waiting for whichever of several things is ready first.
extension Sandbox {
  private func isReady(_ item: AsyncItem) -> Bool {
    switch item {
    case .body(let body): body.isReadable
    case .streaming(let body): body.isWritable
    case .pending(let pending): pending.isSettled
    case .promise(let promise): promise.isSettled
    case .store(let operation): operation.isSettled
    case .cacheBusy(let access), .cache(let access), .cacheReplace(let access): access.isSettled
    }
  }

  private func cause(_ items: [AsyncItem]) -> WaitCause {
    switch items.first {
    case .pending(let pending): pending.waitCause
    case .body(let body): body.waitCause
    case .streaming(let body): body.waitCause
    case .store: .store
    case .cacheBusy, .cache, .cacheReplace: .cache
    case .promise: .client
    case nil: .timer
    }
  }

  func asyncIoIsReady(handle: AsyncItemHandle) throws(Status) -> Bool {
    guard let item = items[handle.rawValue] else { throw .badf }
    if case .pending(let pending) = item { pending.observe() }
    return isReady(item)
  }

  func asyncIoSelect(handles: GuestArray, timeoutMs: UInt32) throws(Status) -> Blocking<UInt32> {
    if handles.count == 0, timeoutMs == 0 { throw .inval }
    var candidates: [AsyncItem] = []
    for number in handles.values {
      guard let item = items[number] else { throw .badf }
      if case .pending(let pending) = item { pending.observe() }
      candidates.append(item)
    }
    let alarm = timeoutMs == 0 ? nil : Alarm(after: .milliseconds(Int64(timeoutMs)), on: eventLoop, waking: waker)
    return try .waiting(for: cause(candidates)) { () throws(Status) in
      if let index = candidates.firstIndex(where: self.isReady) {
        alarm?.cancel()
        return UInt32(index)
      }
      // The index of nothing: the time is over.
      return alarm?.hasRung == true ? 0xffff_ffff : nil
    }
  }
}

/// Wakes a guest at a time.
final class Alarm {
  private let deadline: UInt64
  private var timer: Scheduled<Void>?

  init(after delay: TimeAmount, on eventLoop: any EventLoop, waking waker: Waker) {
    deadline = ctimestamp_monotonic() + UInt64(max(0, delay.nanoseconds))
    let wake = NIOLoopBound(waker, eventLoop: eventLoop)
    timer = eventLoop.scheduleTask(in: delay) { wake.value.wake() }
  }

  deinit { timer?.cancel() }

  var hasRung: Bool { ctimestamp_monotonic() >= deadline }

  func cancel() {
    timer?.cancel()
    timer = nil
  }
}
