import CTimestamp
import ComputeABI
public import FastlikeProfile
public import Logging
public import NIOCore
import Synchronization
public import Wasmtime

/// What a guest may use.
public struct SandboxSettings: Sendable {
  /// Bytes of linear memory.
  public var maximumMemory = 128 * 1024 * 1024
  /// Nanoseconds from the request's arrival; nil is no limit.
  public var maximumWallNanoseconds: UInt64?
  /// Nanoseconds of processor time; nil is no limit.
  public var maximumCPUNanoseconds: UInt64?
  /// Whose stacks are sampled; traces must be recorded for it.
  public var cpuSampling = CPUSampling()
  /// Which plain sends read through the cache.
  public var readThrough = ReadThroughMode.explicit
  /// Whether requests join the traces of their clients and carry them on to backends; nil is not at all.
  public var tracePropagation: TraceContextSampler?

  public init() {}
}

/// One version of a program with its configuration. A reload makes a new one; requests that run keep the one they began with.
public final class Service: RequestHandler {
  public let program: Program
  public let configuration: ServiceConfiguration
  public let settings: SandboxSettings
  let arguments: [String]
  let logs: LogRouter
  let logger: Logger
  /// The same, for hostcalls that somebody wants to see.
  let verboseLogger: Logger
  /// Whether each request gets a line in the log.
  private let logsRequests: Bool
  /// Whether each hostcall does.
  let isVerbose: Bool
  let traces: ProfileStore?
  let clock: EpochClock?
  /// The KV stores of the configuration, filled from their seeds.
  let kvStorage: any KVStorage
  private let shared: Shared
  private let symbolizer: LazySymbolizer
  /// What the event loop has that this object serves; nil where it serves any.
  private let loop: NIOLoopBound<LoopState>?

  private final class LazySymbolizer: Sendable {
    let made = Mutex<GuestSymbolizer?>(nil)
  }

  /// What outlives a reload: the loops' connections, the count of requests, counters, stores and the cache.
  public final class Shared: Sendable {
    let loops: LoopStates
    let requests = Atomic<UInt64>(0)
    /// Sandboxes that wait for a request, on all loops.
    let waitingSandboxes = Atomic<Int>(0)
    let rateCounters = RateCounters()
    let kvStorages: KVStorages
    public let cache: CacheStore
    let samplers = GuestSamplers()

    /// - Parameter cacheSize: Bytes that the cache may hold.
    public init(logger: Logger, cacheSize: Int = CacheStore.defaultCapacity) {
      loops = LoopStates(logger: logger)
      kvStorages = KVStorages(logger: logger)
      cache = CacheStore(capacity: cacheSize)
    }

    /// Waits for the writes to stores that were started; for the end of the process, before its event loops end.
    public func closeStores() { kvStorages.close() }

    /// Closes the idle connections to backends of one event loop, and lets its sandboxes wait for no more requests; for
    /// the end of the process.
    public func shutdown(on eventLoop: any EventLoop) -> EventLoopFuture<Void> { loops.shutdown(on: eventLoop) }
  }

  /// - Parameters:
  ///   - clock: Ticks at which guests yield; nil where the engine has no epochs.
  ///   - traces: Where traces go; nil records none.
  ///   - arguments: What the guest finds as its `argv`.
  public init(
    program: Program, configuration: ServiceConfiguration, settings: SandboxSettings = SandboxSettings(),
    arguments: [String] = ["compute-app"], clock: EpochClock?, traces: ProfileStore?, logs: LogRouter, logger: Logger,
    shared: Shared
  ) {
    self.program = program
    self.configuration = configuration
    self.settings = settings
    self.arguments = arguments
    self.clock = clock
    self.traces = traces
    self.logs = logs
    self.logger = logger
    var verboseLogger = logger
    verboseLogger.logLevel = .debug
    self.verboseLogger = verboseLogger
    logsRequests = logger.logLevel <= .info
    isVerbose = logger.logLevel <= .debug
    self.shared = shared
    symbolizer = LazySymbolizer()
    loop = nil
    kvStorage = shared.kvStorages.storage(in: configuration.kvDirectory)
    kvStorage.adopt(configuration.kvStores, overwrites: configuration.kvSeedsOverwrite)
    if settings.cpuSampling.isAlways, traces != nil { prepareSymbols() }
  }

  /// The same service in an object of its own, for the requests of one event loop, which then does not wait for the others to count
  /// their references to it. To be called on that loop.
  public init(copying other: Service, for eventLoop: any EventLoop) {
    loop = NIOLoopBound(other.shared.loops.state(on: eventLoop), eventLoop: eventLoop)
    program = other.program.forOneLoop
    configuration = other.configuration
    settings = other.settings
    arguments = other.arguments
    logs = other.logs
    logger = other.logger
    verboseLogger = other.verboseLogger
    logsRequests = other.logsRequests
    isVerbose = other.isVerbose
    traces = other.traces
    clock = other.clock
    kvStorage = other.kvStorage
    shared = other.shared
    symbolizer = other.symbolizer
  }

  var rateCounters: RateCounters { shared.rateCounters }
  var cache: CacheStore { shared.cache }

  var asyncGrace: Duration { traces?.asyncGrace ?? .zero }

  public func handle(_ request: DownstreamRequest, responder: any DownstreamResponder, on eventLoop: any EventLoop) {
    run(request, responder: responder, on: eventLoop, onEnd: nil)
  }

  /// As ``handle(_:responder:on:)``, and tells how the guest ended.
  public func run(
    _ request: DownstreamRequest, responder: any DownstreamResponder, on eventLoop: any EventLoop,
    onEnd: ((GuestEnding) -> Void)?
  ) {
    let trace = traces?.begin(
      module: program.traced, method: request.head.method, target: request.head.uri,
      httpVersion: request.head.version.traced, arrivedAt: request.received,
      context: settings.tracePropagation.map { TracePropagation.context(of: request.head.headers, sampler: $0) })
    let number = trace?.id ?? shared.requests.wrappingAdd(1, ordering: .relaxed).newValue
    let loop = loop?.value ?? shared.loops.state(on: eventLoop)
    let served = ServedRequest(
      request, responder: responder, number: number, trace: trace, service: self, eventLoop: eventLoop)
    served.deepTrace?.recordHeaders(.request, of: request.head.headers)
    if onEnd == nil, let promise = loop.takeWaiting(for: self) {
      promise.assign(served)
    } else {
      start(served, on: loop, onEnd: onEnd)
    }
  }

  /// Serves a request in a new sandbox. One whose end somebody waits for serves no other request.
  func start(_ served: ServedRequest, on loop: LoopState, onEnd: ((GuestEnding) -> Void)? = nil) {
    let context = HostcallContext()
    let sandbox = Sandbox(
      service: self, loop: loop, serving: served, context: context, isReusable: onEnd == nil)
    SandboxRun(sandbox: sandbox, context: context, service: self, onEnd: onEnd).start()
  }

  /// What samples a guest; nil where it cannot be sampled.
  func sampling(on loop: LoopState) -> GuestSampling? {
    if let idle = loop.takeIdleSampling(of: program.prepared) { return idle }
    guard
      let sampler = shared.samplers.sampler(settings.cpuSampling, logger: logger),
      let thread = loop.samplerThread(of: sampler), let symbolizer = prepareSymbols()
    else { return nil }
    return GuestSampling(of: program.prepared, symbolizer: symbolizer, thread: thread)
  }

  /// Reads the program's names if nobody has yet, which takes some milliseconds for a big program.
  @discardableResult
  func prepareSymbols() -> GuestSymbolizer? {
    symbolizer.made.withLock { symbolizer in
      if symbolizer == nil {
        symbolizer = GuestCode(program.prepared.module).map {
          GuestSymbolizer(code: $0, symbols: program.readSymbols())
        }
      }
      return symbolizer
    }
  }

  /// A promise of another request for a sandbox on this loop; an empty one where too many sandboxes wait already.
  func promise(on loop: LoopState, milliseconds: UInt64, waking waker: Waker) -> RequestPromise {
    let waiting = shared.waitingSandboxes.wrappingAdd(1, ordering: .relaxed).newValue
    guard waiting <= SandboxReuse.maximumWaiting else {
      shared.waitingSandboxes.wrappingSubtract(1, ordering: .relaxed)
      return RequestPromise(emptyOf: self, on: loop, waking: waker)
    }
    let promise = RequestPromise(of: self, on: loop, milliseconds: milliseconds, waking: waker)
    loop.addWaiting(promise)
    return promise
  }

  /// One of this service's promises waits no more.
  func promiseEnded() { shared.waitingSandboxes.wrappingSubtract(1, ordering: .relaxed) }

  /// One line for each request, where requests are logged: what it was and where its time went.
  func logEnd(of served: ServedRequest, memoryBytes: Int) {
    guard logsRequests else { return }
    // Reduced as in a trace: no query, no user.
    let path = RedactedURL(served.request.head.uri).path
    let wall = Int64(bitPattern: ctimestamp_monotonic() &- served.request.receivedAt)
    let parts = served.trace.map { ": " + $0.time.summary } ?? ""
    logger.info(
      """
      request \(served.number): \(served.request.head.method) \(path) took \(wall.inMilliseconds)\(parts); \
      \(memoryBytes >> 10) KiB memory
      """)
  }
}

extension HTTPVersionTag {
  /// The version as a trace names it.
  fileprivate var traced: FastlikeProfile.HTTPVersion? {
    switch self {
    case .http09: nil
    case .http10: .http10
    case .http11: .http11
    case .h2: .http2
    case .h3: .http3
    }
  }
}

extension TimeAccount {
  /// The parts that matter, longest first: `waiting for backend 402.1 ms, guest 31.0 ms`.
  public var summary: String {
    var parts: [(name: String, nanoseconds: Int64)] = [
      ("queue", queue), ("setup", setup), ("guest", guest), ("host", host),
    ]
    for cause in BlockCause.allCases where cause != .queue {
      parts.append(("waiting for \(cause.name)", blocked[cause]))
    }
    parts[0].nanoseconds += blocked[.queue]
    let shown = parts.filter { $0.nanoseconds >= 10_000 }.sorted { $0.nanoseconds > $1.nanoseconds }
    return shown.map { "\($0.name) \($0.nanoseconds.inMilliseconds)" }.joined(separator: ", ")
  }
}

extension Int64 {
  /// Nanoseconds as milliseconds with two decimals.
  fileprivate var inMilliseconds: String { "\(Double(self / 10_000) / 100) ms" }
}
