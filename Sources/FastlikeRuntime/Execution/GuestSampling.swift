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
  /// Whether an event loop is sampled a quarter as often while more than sixteen requests begin there from one sample to the next.
  /// Where somebody asked for a rate it is kept.
  public var sparesBusyLoops = true

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

  /// - Parameter wish: The rate; the first one stays.
  func sampler(_ wish: CPUSampling, logger: Logger) -> GuestSampler? {
    state.withLock { state in
      guard !state.isTried else { return state.sampler }
      state.isTried = true
      state.sampler = GuestSampler(
        samplesPerSecond: wish.samplesPerSecond, sparesBusyThreads: wish.sparesBusyLoops)
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

/// Takes the samples of one guest into the trace of the request that it serves. Confined to its event loop, which uses it
/// again for the next guest.
final class GuestSampling {
  let module: PreparedModule
  let guest: SampledGuest
  let thread: GuestSamplerThread
  private let symbolizer: GuestSymbolizer
  /// Nil while the guest serves no request that is sampled.
  private var recorder: TraceRecorder?
  private var stack: [UInt] = []

  init(of module: PreparedModule, symbolizer: GuestSymbolizer, thread: GuestSamplerThread) {
    self.module = module
    self.symbolizer = symbolizer
    self.thread = thread
    guest = SampledGuest(code: symbolizer.code)
  }

  /// What is sampled from here on belongs to this trace; nil drops it.
  func follow(_ recorder: TraceRecorder?) {
    drain()
    if recorder != nil { thread.beginRequest() }
    self.recorder = recorder
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
      stack.append(GuestSymbolizer.word(hostcall: hostcall))
    } else if sample.isInHost {
      stack.append(GuestSymbolizer.engine)
    }
    stack.append(contentsOf: sample.frames)
    recorder.guestStack(
      leafFirst: stack, namedBy: symbolizer, weightNanos: sample.weightNanoseconds,
      isGuestCPU: sample.hostcall == nil, monotonicNanos: sample.monotonicNanoseconds)
  }

  /// The guest's stack above the hostcall it is in, leaf first.
  func backtrace() -> [StackFrame] { guest.backtrace().compactMap { symbolizer.frame(at: $0) } }
}
