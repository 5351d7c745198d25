public import ComputeABI
public import FastlikeProfile
import Logging
import Wasmtime

/// The trace of a request watches the hostcalls by itself: what most requests need, without anything in between.
extension TraceRecorder: HostcallObserver {
  public static let hostcallBegan: HostcallObserver.Began = spanBegan
  public static let hostcallEnded: HostcallObserver.Ended = spanEnded

  public func hostcallSuspended(_ cause: WaitCause) { suspend(cause: BlockCause(rawValue: cause.rawValue) ?? .other) }

  public func hostcallResumed() { resume() }
}

private func spanBegan(_ recorder: UnsafeRawPointer, _ index: UInt16) {
  Unmanaged<TraceRecorder>.fromOpaque(recorder)._withUnsafeGuaranteedRef { $0.beginSpan(hostcall: index) }
}

private func spanEnded(_ recorder: UnsafeRawPointer, _ index: UInt16, _ status: Int32) {
  Unmanaged<TraceRecorder>.fromOpaque(recorder)._withUnsafeGuaranteedRef { $0.endSpan(status: status) }
}

/// Writes a guest's hostcalls into its trace with the deep metrics, tells the sampler of them, and writes them into the log for
/// those who asked to see them.
final class HostcallWatch: HostcallObserver {
  private let recorder: TraceRecorder?
  private let memory: GuestMemory
  private let logger: Logger?
  private let requestID: UInt64
  private let isDeep: Bool
  /// Told of hostcalls where the guest's stacks are sampled.
  private let sampling: GuestSampling?
  /// Bytes of the guest's memory as far as known.
  private var memoryBytes = 0

  init(
    recorder: TraceRecorder?, memory: GuestMemory, logger: Logger?, requestID: UInt64, sampling: GuestSampling? = nil
  ) {
    self.recorder = recorder
    self.memory = memory
    self.logger = logger
    self.requestID = requestID
    self.sampling = sampling
    isDeep = recorder?.isDeep ?? false
  }

  static let hostcallBegan: HostcallObserver.Began = { watch, index in
    Unmanaged<HostcallWatch>.fromOpaque(watch)._withUnsafeGuaranteedRef { $0.hostcallBegan(index) }
  }

  static let hostcallEnded: HostcallObserver.Ended = { watch, index, status in
    Unmanaged<HostcallWatch>.fromOpaque(watch)._withUnsafeGuaranteedRef { $0.hostcallEnded(index, status: status) }
  }

  private func hostcallBegan(_ index: UInt16) {
    recorder?.beginSpan(hostcall: index)
    if let sampling {
      sampling.guest.beginHostcall(index)
      noteGrowth(sampling)
    }
  }

  private func hostcallEnded(_ index: UInt16, status: Int32) {
    recorder?.endSpan(status: status)
    sampling?.guest.endHostcall()
    if isDeep { recorder?.sampleMemory(bytes: memory.byteCount) }
    logger?.debug("request \(requestID): \(HostcallTable.traceNames[Int(index)]) = \(status)")
  }

  func hostcallSuspended(_ cause: WaitCause) {
    recorder?.suspend(cause: BlockCause(rawValue: cause.rawValue) ?? .other)
  }

  func hostcallResumed() { recorder?.resume() }

  /// The guest begins with this much memory.
  func guestBegins(memoryBytes: Int) {
    self.memoryBytes = memoryBytes
    if isDeep { recorder?.sampleMemory(bytes: memoryBytes) }
  }

  /// The guest has ended: what it grew by after its last hostcall has no stack any more.
  func guestEnds() {
    if isDeep { recorder?.sampleMemory(bytes: memory.byteCount) }
    guard sampling != nil, memory.byteCount > memoryBytes else { return }
    recorder?.memoryGrew(from: memoryBytes, to: memory.byteCount, stack: [])
  }

  /// Nothing tells when a guest grows its memory, so the first hostcall after it does: its stack still has the functions that
  /// were at work.
  private func noteGrowth(_ sampling: GuestSampling) {
    let bytes = memory.byteCount
    guard bytes > memoryBytes else { return }
    recorder?.memoryGrew(from: memoryBytes, to: bytes, stack: sampling.backtrace())
    memoryBytes = bytes
  }
}
