public import ComputeABI
public import FastlikeProfile
import Logging
import Wasmtime

/// The trace of a request watches the hostcalls by itself: what most requests need, without anything in between.
extension TraceRecorder: HostcallObserver {
  public static let hostcallHooks = HostcallHooks(
    began: { recorder, index in
      Unmanaged<TraceRecorder>.fromOpaque(recorder)._withUnsafeGuaranteedRef { $0.beginSpan(hostcall: index) }
    },
    ended: { recorder, _, status in
      Unmanaged<TraceRecorder>.fromOpaque(recorder)._withUnsafeGuaranteedRef { $0.endSpan(status: status) }
    },
    suspended: { recorder, cause in
      Unmanaged<TraceRecorder>.fromOpaque(recorder)._withUnsafeGuaranteedRef { $0.suspend(cause: blockCause(cause)) }
    },
    resumed: { recorder in
      Unmanaged<TraceRecorder>.fromOpaque(recorder)._withUnsafeGuaranteedRef { $0.resume() }
    })
}

/// The causes of both have the same numbers.
private func blockCause(_ waitCause: UInt8) -> BlockCause { BlockCause(rawValue: waitCause) ?? .other }

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

  // The same as above, for what is done at each hostcall: references that need not be counted.
  private let spans: Unmanaged<TraceRecorder>?
  private let marks: SampledGuest.Hostcalls?
  /// Nil where nobody asks for the memory's size.
  private let watchedMemory: Unmanaged<GuestMemory>?

  init(
    recorder: TraceRecorder?, memory: GuestMemory, logger: Logger?, requestID: UInt64, sampling: GuestSampling? = nil
  ) {
    self.recorder = recorder
    self.memory = memory
    self.logger = logger
    self.requestID = requestID
    self.sampling = sampling
    isDeep = recorder?.isDeep ?? false
    spans = recorder.map { Unmanaged.passUnretained($0) }
    marks = sampling?.guest.hostcalls
    watchedMemory = isDeep || sampling != nil ? Unmanaged.passUnretained(memory) : nil
  }

  static let hostcallHooks = HostcallHooks(
    began: { watch, index in
      Unmanaged<HostcallWatch>.fromOpaque(watch)._withUnsafeGuaranteedRef { $0.hostcallBegan(index) }
    },
    ended: { watch, index, status in
      Unmanaged<HostcallWatch>.fromOpaque(watch)._withUnsafeGuaranteedRef { $0.hostcallEnded(index, status: status) }
    },
    suspended: { watch, cause in
      Unmanaged<HostcallWatch>.fromOpaque(watch)._withUnsafeGuaranteedRef {
        $0.recorder?.suspend(cause: blockCause(cause))
      }
    },
    resumed: { watch in
      Unmanaged<HostcallWatch>.fromOpaque(watch)._withUnsafeGuaranteedRef { $0.recorder?.resume() }
    })

  @inline(__always)
  private func hostcallBegan(_ index: UInt16) {
    spans?._withUnsafeGuaranteedRef { $0.beginSpan(hostcall: index) }
    marks?.begin(index)
    if let watchedMemory {
      let bytes = watchedMemory._withUnsafeGuaranteedRef { $0.byteCount }
      if bytes != memoryBytes { memoryHasGrown(to: bytes) }
    }
  }

  @inline(__always)
  private func hostcallEnded(_ index: UInt16, status: Int32) {
    spans?._withUnsafeGuaranteedRef { $0.endSpan(status: status) }
    marks?.end()
    if logger != nil { writeLine(index, status: status) }
  }

  @inline(never)
  private func writeLine(_ index: UInt16, status: Int32) {
    logger?.debug("request \(requestID): \(HostcallTable.traceNames[Int(index)]) = \(status)")
  }

  /// The guest begins with this much memory.
  func guestBegins(memoryBytes: Int) {
    self.memoryBytes = memoryBytes
    if isDeep { recorder?.sampleMemory(bytes: memoryBytes) }
  }

  /// The guest has ended: what it grew by after its last hostcall has no stack any more.
  func guestEnds() {
    let bytes = memory.byteCount
    if isDeep { recorder?.sampleMemory(bytes: bytes) }
    if sampling != nil, bytes > memoryBytes { recorder?.memoryGrew(from: memoryBytes, to: bytes, stack: []) }
  }

  /// Nothing tells when a guest grows its memory, so the first hostcall after it does: its stack still has the functions that
  /// were at work.
  @inline(never)
  private func memoryHasGrown(to bytes: Int) {
    if isDeep { recorder?.sampleMemory(bytes: bytes) }
    if let sampling { recorder?.memoryGrew(from: memoryBytes, to: bytes, stack: sampling.backtrace()) }
    memoryBytes = bytes
  }
}
