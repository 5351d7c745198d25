import CTimestamp
import ComputeABI
import FastlikeProfile
import Logging
import NIOCore
public import Wasmtime

/// How a guest ended.
public enum GuestEnding: Sendable {
  case returned
  /// `proc_exit` with this status.
  case exited(UInt32)
  case trapped(WasmTrap)
  /// Stopped by the host for the reason given.
  case stopped(LimitReached)
  /// There was no instance to run it in.
  case refused(String)

  /// Which limit stopped a guest.
  public enum LimitReached: String, Sendable {
    case wallTime = "the time limit was reached"
    case cpuTime = "the CPU time limit was reached"
  }

  /// Whether the guest ended as it wanted to.
  public var isSuccess: Bool {
    switch self {
    case .returned, .exited(0): true
    default: false
    }
  }
}

/// Runs one guest on its event loop: polls its fiber, leaves it where it waits, and settles what is left at its end.
final class SandboxRun {
  private let sandbox: Sandbox
  private let context: HostcallContext
  /// Nil once the guest has ended: its memory goes to the next one while the client still reads.
  private var fiber: Fiber?
  private let service: Service
  private let beat: EpochClock.Beat?
  private var isInstantiated = false
  private var isScheduled = false
  private var isPolling = false
  /// Whether its time slice is over and the others on its loop have their turns.
  private var awaitsTurn = false
  private var hasEnded = false
  /// When the present request's time is over; nil while the guest has none.
  private var deadline: UInt64?
  /// Nil until the guest serves a request whose stacks are sampled.
  private var sampling: GuestSampling?
  private var isSampled = false
  /// What the guest had executed when it began with the present request.
  private var fuelBefore: Int64 = 0
  /// The observer of the guest's hostcalls, where the trace alone does not do.
  private var watch: HostcallWatch?
  private let onEnd: ((GuestEnding) -> Void)?

  var hasWallLimit: Bool { service.settings.maximumWallNanoseconds != nil }

  init(sandbox: Sandbox, context: HostcallContext, service: Service, onEnd: ((GuestEnding) -> Void)?) {
    self.sandbox = sandbox
    self.context = context
    self.service = service
    beat = sandbox.loop.beat(of: service.clock)
    self.onEnd = onEnd
    fiber = Fiber(
      service.program.prepared, data: context.opaque, memoryLimit: service.settings.maximumMemory)
    context.attach(sandbox)
    begin(sandbox.served)
  }

  /// From here on the guest serves this request: its trace gets the hostcalls, its limits count.
  private func begin(_ served: ServedRequest) {
    deadline = service.settings.maximumWallNanoseconds.map { served.request.receivedAt + $0 }
    sandbox.vcpuBeforeRequest = sandbox.vcpuNanoseconds
    fuelBefore = fiber?.usedFuel ?? 0
    let asksForMore = served.request.head.headers.containsName(startingWith: "fastlike-")
    isSampled = beginSampling(served, asksForMore)
    served.onClosed = { [waker = sandbox.waker] in waker.wake() }
    watch = watch(of: served, asksForMore)
    if let watch {
      context.watch(watch)
    } else if let recording = served.recording {
      recording._withUnsafeGuaranteedRef { context.watch($0) }
    } else {
      context.unwatch()
    }
  }

  /// What is told of the guest's hostcalls, where the trace alone does not do.
  /// - Parameter asksForMore: Whether the request has header fields of fastlike's own.
  private func watch(of served: ServedRequest, _ asksForMore: Bool) -> HostcallWatch? {
    let isVerbose =
      service.isVerbose || asksForMore && served.request.head.headers.first("fastlike-verbose") == "1"
    guard isVerbose || isSampled || served.trace?.isDeep == true else { return nil }
    return HostcallWatch(
      recorder: served.trace, memory: context.memory, logger: isVerbose ? service.verboseLogger : nil,
      requestID: served.number, sampling: isSampled ? sampling : nil)
  }

  private func beginSampling(_ served: ServedRequest, _ asksForMore: Bool) -> Bool {
    let cpuSampling = service.settings.cpuSampling
    let isWanted =
      (asksForMore || cpuSampling.isAlways) && served.trace != nil && cpuSampling.includes(served.request)
    if isWanted, sampling == nil { sampling = service.sampling(on: sandbox.loop) }
    sampling?.follow(isWanted ? served.trace : nil)
    return isWanted && sampling != nil
  }

  /// The guest took another request: its trace begins where the guest goes on.
  private func adopted(_ served: ServedRequest) {
    begin(served)
    served.trace?.endSetup()
    watch?.guestBegins(memoryBytes: context.memory.byteCount)
  }

  /// The guest waits for another request: the one before is over for it, and nothing is recorded meanwhile.
  private func parted() {
    recordFuel()
    deadline = nil
    context.unwatch()
    watch = nil
    sampling?.follow(nil)
    isSampled = false
  }

  private func recordFuel() {
    guard !sandbox.served.isReleased else { return }
    if let fuel = fiber?.usedFuel { sandbox.trace?.recordFuel(fuel - fuelBefore) }
  }

  func start() {
    sandbox.loop.add(self)
    // The run owns the sandbox; what wakes it must not own the run.
    sandbox.waker.action = { [weak self] in self?.schedule() }
    sandbox.onAdopted = { [weak self] in self?.adopted($0) }
    sandbox.onParted = { [weak self] in self?.parted() }
    fiber?.instantiate()
    poll()
  }

  // MARK: Polling

  /// Has the guest polled soon. Wakers call this from anywhere on the loop, also from within a hostcall.
  private func schedule() {
    guard !isScheduled, !hasEnded else { return }
    isScheduled = true
    let bound = NIOLoopBound(self, eventLoop: sandbox.eventLoop)
    sandbox.eventLoop.execute {
      bound.value.isScheduled = false
      bound.value.poll()
    }
  }

  private func poll() {
    guard !hasEnded, !isPolling, let fiber else { return }
    isPolling = true
    beat?.guestRuns()
    if awaitsTurn {
      awaitsTurn = false
      sandbox.trace?.resume()
    }
    let started = ctimestamp_monotonic()
    sandbox.pollStarted = started
    let progress = pollSampled(fiber)
    sandbox.pollStarted = 0
    sandbox.vcpuNanoseconds += ctimestamp_monotonic() - started
    isPolling = false
    switch progress {
    case .done: isInstantiated ? end(.returned) : run()
    case .trapped(let trap): end(ending(of: trap))
    case .suspended: suspended()
    }
  }

  private func pollSampled(_ fiber: Fiber) -> Fiber.Progress {
    guard let thread = sandbox.loop.samplerThread else { return fiber.poll() }
    guard isSampled, let sampling else { return thread.run(nil) { fiber.poll() } }
    let progress = thread.run(sampling.guest) { fiber.poll() }
    // Also where the guest has gone on to a request that is not sampled: the buffer is the loop's, and the next guest's.
    sampling.drain()
    return progress
  }

  private func run() {
    isInstantiated = true
    guard let fiber, let memory = fiber.memory(), fiber.call("_start") else {
      return end(.refused("the module lost its exports"))
    }
    context.memory.attach(memory)
    sandbox.recording?._withUnsafeGuaranteedRef { $0.endSetup() }
    watch?.guestBegins(memoryBytes: memory.byteCount)
    poll()
  }

  private func suspended() {
    if let limit = service.settings.maximumCPUNanoseconds,
      sandbox.vcpuNanoseconds - sandbox.vcpuBeforeRequest > limit
    {
      return stop(.cpuTime)
    }
    if context.isWaiting { return }
    // The time slice is over: the others on this loop have their turn first.
    awaitsTurn = true
    sandbox.trace?.suspend(cause: .queue)
    sandbox.loop.enqueue(self)
  }

  /// The guest computes on for a time slice.
  func takeTurn() { poll() }

  private func ending(of trap: WasmTrap) -> GuestEnding {
    if let status = context.exitStatus { return .exited(status) }
    return isInstantiated || trap.reason != nil ? .trapped(trap) : .refused(trap.message)
  }

  func checkWallLimit() {
    guard !hasEnded, let deadline, ctimestamp_monotonic() > deadline else { return }
    stop(.wallTime)
  }

  private func stop(_ limit: GuestEnding.LimitReached) {
    guard !hasEnded, !isPolling else { return }
    fiber?.cancel()
    end(.stopped(limit))
  }

  // MARK: The end

  private func end(_ ending: GuestEnding) {
    guard !hasEnded else { return }
    hasEnded = true
    if awaitsTurn || context.isWaiting { sandbox.trace?.resume() }
    watch?.guestEnds()
    recordFuel()
    if let sampling {
      sandbox.loop.returnSampling(sampling)
      self.sampling = nil
      isSampled = false
    }
    context.abandonPending()
    context.unwatch()
    watch = nil
    sandbox.output.flush { line, isError in service.logs.writeOutput(line, isError: isError) }
    note(ending)
    respond(to: ending)
    sandbox.close()
    context.memory.detach()
    fiber = nil
    sandbox.loop.remove(self)
    onEnd?(ending)
    sandbox.served.release(memoryBytes: context.memory.byteCount)
  }

  /// Sends what the guest did not: an empty 200 when it returned, an error when it failed.
  private func respond(to ending: GuestEnding) {
    guard sandbox.served.responseState == .awaited else { return }
    switch ending {
    case .returned, .exited(0): sandbox.served.deliver(ResponseHead(), body: .empty)
    case .refused(let reason): fail(503, "no sandbox for this request: \(reason.firstLine)")
    case .exited(let status): fail(500, "the guest exited with status \(status)")
    case .trapped(let trap): fail(500, "the guest trapped: \(trap.text)")
    case .stopped(let limit): fail(500, "the guest was stopped: \(limit.rawValue)")
    }
  }

  private func fail(_ status: UInt16, _ text: String) {
    let head = ResponseHead(status: status, headers: HeaderList([("content-type", "text/plain; charset=utf-8")]))
    sandbox.served.deliver(head, body: .bytes(ByteBuffer(string: "fastlike: " + text + "\n")))
  }

  private func note(_ ending: GuestEnding) {
    switch ending {
    case .returned, .exited(0): break
    case .refused(let reason):
      sandbox.trace?.setOutcome(.limitExceeded)
      service.logger.error("request \(sandbox.served.number): no sandbox: \(reason)")
    case .exited(let status):
      sandbox.trace?.setOutcome(.trap)
      sandbox.trace?.note("the guest exited with a failure status")
      service.logger.error("request \(sandbox.served.number): the guest exited with status \(status)")
    case .trapped(let trap):
      sandbox.trace?.setOutcome(.trap)
      service.logger.error("request \(sandbox.served.number): the guest trapped: \(trap.text)")
    case .stopped(let limit):
      sandbox.trace?.setOutcome(.limitExceeded)
      service.logger.error("request \(sandbox.served.number): \(limit.rawValue)")
    }
  }
}

extension WasmTrap {
  /// The message with the functions that led to it; never data.
  var text: String {
    let stack = frames.prefix(32).map { frame in
      "\n  at " + (frame.functionName.map { SymbolName.readable($0) } ?? "function \(frame.functionIndex)")
    }
    return (reason ?? message.firstLine) + stack.joined()
  }
}
