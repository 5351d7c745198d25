import ComputeABI
import FastlikeProfile
import Logging
import NIOCore
import Synchronization
import Wasmtime

/// Whose stacks are sampled, and how often.
public struct CPUSampling: Sendable, Hashable {
  /// The mean rate unless another is asked for.
  public static let standardRate = 1_000

  /// Whether every request is sampled; otherwise the ones that ask for it.
  public var isAlways = false
  /// Samples a second.
  public var samplesPerSecond = CPUSampling.standardRate

  public init() {}

  /// The header with which a client asks for samples of its request; only clients of an edge on loopback are heard.
  static let header = "fastlike-profile"

  /// Whether this request is to be sampled.
  func includes(_ request: DownstreamRequest) -> Bool {
    if isAlways { return true }
    guard let wish = request.head.headers.first(Self.header) else { return false }
    let isWanted = wish.split(separator: ",").contains { $0.trimmingPrefix(while: \.isWhitespace) == "cpu" }
    return isWanted && request.connection.serverAddress?.isLoopback == true
  }
}

/// The sampler of a process, made when a guest is first sampled.
final class GuestSamplers: Sendable {
  private struct State {
    var isTried = false
    var sampler: GuestSampler?
  }

  private let state = Mutex(State())

  /// - Parameter samplesPerSecond: The rate; the first one stays.
  func sampler(samplesPerSecond: Int, logger: Logger) -> GuestSampler? {
    state.withLock { state in
      guard !state.isTried else { return state.sampler }
      state.isTried = true
      state.sampler = GuestSampler(samplesPerSecond: samplesPerSecond)
      if state.sampler == nil { logger.warning("no samples of guests: something else in this process uses SIGPROF") }
      return state.sampler
    }
  }
}

extension SocketAddress {
  fileprivate var isLoopback: Bool {
    switch self {
    case .unixDomainSocket: true
    case .v4, .v6: ipAddress.flatMap { IPAddress($0) }?.isLoopback ?? false
    }
  }
}

/// Takes the samples of one guest into the trace of the request that it serves. Confined to its event loop.
final class GuestSampling {
  let guest: SampledGuest
  let thread: GuestSamplerThread
  private let symbolizer: GuestSymbolizer
  /// Nil while the guest serves no request that is sampled.
  private var recorder: TraceRecorder?
  /// The recorder's indices of functions by address; nil for code without one.
  private var known: [UInt: UInt32?] = [:]
  /// The same for hostcalls.
  private var hostcalls: [UInt16: UInt32] = [:]
  private var engine: UInt32?
  private var stack: [UInt32] = []

  init(symbolizer: GuestSymbolizer, thread: GuestSamplerThread) {
    self.symbolizer = symbolizer
    self.thread = thread
    guest = SampledGuest(code: symbolizer.code)
  }

  /// What is sampled from here on belongs to this trace; nil drops it.
  func follow(_ recorder: TraceRecorder?) {
    drain()
    self.recorder = recorder
    known = [:]
    hostcalls = [:]
    engine = nil
  }

  /// Moves what was sampled into the trace.
  func drain() {
    let missed = thread.drain { take($0) }
    if missed > 0 { recorder?.dropGuestSamples(missed) }
  }

  private func take(_ sample: GuestSample) {
    guard let recorder else { return }
    stack.removeAll(keepingCapacity: true)
    if let hostcall = sample.hostcall {
      stack.append(frame(of: hostcall, in: recorder))
    } else if sample.isInHost {
      stack.append(engineFrame(in: recorder))
    }
    for address in sample.frames {
      if let frame = frame(at: address, in: recorder) { stack.append(frame) }
    }
    recorder.guestStack(
      leafFirst: stack, weightNanos: sample.weightNanoseconds, isGuestCPU: sample.hostcall == nil,
      monotonicNanos: sample.monotonicNanoseconds)
  }

  private func frame(at address: UInt, in recorder: TraceRecorder) -> UInt32? {
    if let known = known[address] { return known }
    let frame = symbolizer.frame(at: address).map { recorder.internGuestFrame($0) }
    known[address] = .some(frame)
    return frame
  }

  /// The hostcall that a sample was taken in, as the innermost function of its stack.
  private func frame(of hostcall: UInt16, in recorder: TraceRecorder) -> UInt32 {
    if let known = hostcalls[hostcall] { return known }
    let frame = StackFrame(name: HostcallTable.traceNames[Int(hostcall)], module: "fastlike", kind: .host)
    let index = recorder.internGuestFrame(frame)
    hostcalls[hostcall] = index
    return index
  }

  /// What the engine does for the guest: growing a memory, copying tables, changing stacks.
  private func engineFrame(in recorder: TraceRecorder) -> UInt32 {
    if let engine { return engine }
    let index = recorder.internGuestFrame(StackFrame(name: "(engine)", module: "wasmtime", kind: .host))
    engine = index
    return index
  }

  /// The guest's stack above the hostcall it is in, leaf first.
  func backtrace() -> [StackFrame] { guest.backtrace().compactMap { symbolizer.frame(at: $0) } }
}
