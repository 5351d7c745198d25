internal import CSampler

/// Takes samples of the stacks of running guests, at a mean rate with a random phase. One serves a whole process.
///
/// A guest that is not sampled is not touched. See `CSampler` for how it works.
///
/// The sampler in C is internally synchronised, hence `@unchecked Sendable`.
public final class GuestSampler: @unchecked Sendable {
  /// Rates that can be asked for, in samples a second.
  public static let rates = 1...20_000

  public let samplesPerSecond: Int
  fileprivate let pointer: OpaquePointer

  /// Nil when something else in the process uses the signal that it needs (SIGPROF).
  /// - Parameter sparesBusyThreads: Whether a thread is sampled a quarter as often while more than sixteen requests begin there from
  ///   one sample to the next; see ``GuestSamplerThread/beginRequest()``.
  public init?(samplesPerSecond: Int, sparesBusyThreads: Bool = false) {
    let rate = min(max(samplesPerSecond, Self.rates.lowerBound), Self.rates.upperBound)
    guard let pointer = csampler_new(UInt64(1_000_000_000 / rate), sparesBusyThreads) else { return nil }
    self.samplesPerSecond = rate
    self.pointer = pointer
  }

  deinit { csampler_delete(pointer) }
}

/// One thread's part of a ``GuestSampler``. It is made and used on that thread.
public final class GuestSamplerThread {
  /// Words of the buffer: some thousand samples, of which a guest that yields leaves a handful between two looks.
  private static let capacity = 1 << 17

  private let sampler: GuestSampler
  private let slot: OpaquePointer

  /// Nil when the system has no timer left.
  public init?(_ sampler: GuestSampler) {
    guard let slot = csampler_slot_new(sampler.pointer, Self.capacity) else { return nil }
    self.sampler = sampler
    self.slot = slot
  }

  deinit { csampler_slot_delete(slot) }

  /// The guest that runs at present, if it is sampled. Its owner keeps it.
  private var running: UnsafeMutablePointer<csampler_guest_t>?
  /// Words of the buffer that were filled when a guest was left last.
  private var filled = 0

  /// A guest of this thread begins with a request that is sampled.
  public func beginRequest() { csampler_begin_request(slot) }

  /// Runs `body`, which runs a guest, and samples it where one is given. Where a hostcall of the guest that runs makes
  /// another guest run meanwhile, that one is not sampled, and the outer one goes on being sampled afterwards.
  @inline(__always)
  public func run<Result>(_ guest: SampledGuest?, _ body: () -> Result) -> Result {
    let outer = running
    if outer != nil { _ = csampler_leave(slot) }
    running = outer == nil ? guest?.pointer : nil
    if let running { csampler_enter(slot, running) }
    defer {
      if running != nil { filled = csampler_leave(slot) }
      running = outer
      if let outer { csampler_enter(slot, outer) }
    }
    return body()
  }

  /// Hands out what was sampled since the last time, in order.
  /// - Returns: How many samples found the buffer full.
  public func drain(_ take: (GuestSample) -> Void) -> Int {
    if running != nil { filled = csampler_leave(slot) }
    guard filled > 0 else {
      if let running { csampler_enter(slot, running) }
      return 0
    }
    let words = UnsafeRawBufferPointer(start: csampler_words(slot), count: filled * 8)
    filled = 0
    var place = 0
    while place < words.count {
      let head = words.loadUnaligned(fromByteOffset: place, as: csampler_record_t.self)
      let frames = place + MemoryLayout<csampler_record_t>.size
      place = frames + Int(head.frames) * 8
      take(
        GuestSample(
          monotonicNanoseconds: head.time, weightNanoseconds: Int64(head.weight),
          hostcall: head.hostcall == 0 ? nil : head.hostcall - 1, isInHost: head.in_host != 0,
          frames: UnsafeRawBufferPointer(rebasing: words[frames..<place]).bindMemory(to: UInt.self)))
    }
    let missed = csampler_clear(slot)
    if let running { csampler_enter(slot, running) }
    return missed
  }
}

/// One stack of a guest. It is valid only where it was handed out.
public struct GuestSample {
  /// On the monotonic clock.
  public let monotonicNanoseconds: UInt64
  /// Processor time that it stands for.
  public let weightNanoseconds: Int64
  /// The hostcall that the guest was in.
  public let hostcall: UInt16?
  /// Whether the host's or the engine's code ran, on behalf of the innermost frame.
  public let isInHost: Bool
  /// Addresses for ``GuestCode/function(at:)``, innermost first.
  public let frames: UnsafeBufferPointer<UInt>
}

/// What samplers know of one guest. It must outlive the guest's fiber.
public final class SampledGuest {
  public let code: GuestCode
  fileprivate let pointer: UnsafeMutablePointer<csampler_guest_t>

  public init(code: GuestCode) {
    self.code = code
    pointer = .allocate(capacity: 1)
    pointer.initialize(to: csampler_guest_t(code: code.ranges, hostcall: 0, host_frame: 0))
  }

  deinit { pointer.deallocate() }

  /// Where it is told of the guest's hostcalls. Valid as long as the guest's samplers know it.
  public struct Hostcalls: BitwiseCopyable {
    fileprivate let pointer: UnsafeMutablePointer<csampler_guest_t>

    /// The guest is in a hostcall, on whose path the caller runs.
    @inline(__always)
    public func begin(_ index: UInt16) { csampler_begin_hostcall(pointer, UInt32(index) + 1) }

    @inline(__always)
    public func end() { csampler_end_hostcall(pointer) }
  }

  public var hostcalls: Hostcalls { Hostcalls(pointer: pointer) }

  /// The guest's frames above its hostcall, innermost first; to be called in the hostcall.
  public func backtrace() -> [UInt] {
    [UInt](unsafeUninitializedCapacity: 128) { buffer, count in
      count = csampler_backtrace(pointer, buffer.baseAddress, buffer.count)
    }
  }
}
