import ComputeABI
import Crypto
import FastlikeProfile
import FastlikeRuntime
import Foundation
import Logging
import Wasmtime

/// Makes services from options: at the start, and again at each reload. What outlives a reload (engine, clock, traces,
/// connections) is made once.
final class ServiceLoader: Sendable {
  let module: String
  let logger: Logger
  let traces: ProfileStore?
  let shared: Service.Shared
  private let options: ServiceOptions
  private let execution: ExecutionOptions
  private let arguments: [String]
  private let settings: EngineSettings
  private let machine: Machine
  private let cache: ModuleCache?
  private let logs: LogRouter

  /// - Parameter maximumInstances: Guests at the same time; nil for as many as a server has.
  init(
    module: String, arguments: [String], options: ServiceOptions, execution: ExecutionOptions, logger: Logger,
    maximumInstances: UInt32? = nil
  ) {
    self.module = module
    self.arguments = arguments
    self.options = options
    self.execution = execution
    self.logger = logger
    var settings = EngineSettings()
    settings.epochInterruption = execution.usesEpochClock
    settings.countsFuel = execution.countsFuel
    if let maximumInstances { settings.maximumInstances = maximumInstances }
    #if os(Linux)
      if execution.tracing.mode.requestsNativeSampling { settings.profiling = .jitdump }
    #endif
    self.settings = settings
    machine = Machine(settings)
    cache = ServiceLoader.cache(execution.moduleCache)
    logs = LogRouter(
      streams: LogRouter.StandardStreams(
        logsOutput: execution.logsStandardOutput, logsErrors: execution.logsStandardError))
    shared = Service.Shared(logger: logger, cacheSize: execution.cacheSize)
    traces = ServiceLoader.store(execution.tracing)
  }

  /// Reads the configuration and the module. Throws errors that describe themselves in one line.
  func load() throws -> Service {
    let configuration = try ServiceConfiguration.load(options)
    return try load(configuration)
  }

  /// The same program with the files of its stores as they are now. Throws ``ConfigurationError``.
  func readingFilesAgain(of service: Service) throws -> Service {
    let configuration = try service.configuration.readingFilesAgain(options)
    for warning in configuration.warnings where !service.configuration.warnings.contains(warning) {
      logger.warning("\(warning)")
    }
    return self.service(service.program, configuration)
  }

  func load(_ configuration: ServiceConfiguration) throws -> Service {
    for warning in configuration.warnings { logger.warning("\(warning)") }
    let progress = CompilationProgress(path: module)
    let program: Program
    do {
      defer { progress.end() }
      program = try Program.load(
        path: module, settings: settings, engine: { machine.engine }, cache: cache,
        trapOnUnknownImports: execution.unknownImports == .trap, symbolFile: execution.tracing.symbolFile,
        willCompile: { progress.begin(byteCount: $0) })
    }
    writeSymbols(of: program)
    return service(program, configuration)
  }

  private func service(_ program: Program, _ configuration: ServiceConfiguration) -> Service {
    var settings = SandboxSettings()
    settings.maximumWallNanoseconds = execution.maximumWallTime.map(\.inNanoseconds)
    settings.maximumCPUNanoseconds = execution.maximumCPUTime.map(\.inNanoseconds)
    settings.cpuSampling = execution.tracing.cpuSampling
    settings.readThrough = execution.readThrough
    settings.tracePropagation = execution.tracing.push?.sampler
    return Service(
      program: program, configuration: configuration, settings: settings, arguments: arguments, clock: machine.clock,
      traces: traces, logs: logs, logger: logger, shared: shared)
  }

  private static func store(_ options: TracingOptions) -> ProfileStore? {
    guard options.mode != .off else { return nil }
    var settings = ProfileStoreSettings()
    if let retain = options.retain { settings.retain = retain }
    if let backendCap = options.backendCap { settings.backendCap = backendCap }
    if let asyncGrace = options.asyncGrace { settings.asyncGrace = asyncGrace }
    settings.sampling.oneIn = options.sampleOneIn
    var limits = TraceLimits()
    if let spanCap = options.spanCap { limits.spans = spanCap }
    return ProfileStore(
      settings: settings, mode: options.mode, hostcalls: HostcallNameTable(names: HostcallTable.traceNames),
      limits: limits, countsTotals: options.page != nil)
  }

  /// Writes the file that tells external samplers the guest's functions, where a mode asks for it. It is an aid: where
  /// it cannot be written, the log says so and serving goes on.
  private func writeSymbols(of program: Program) {
    let tracing = execution.tracing
    guard tracing.mode.requestsNativeSampling else { return }
    do {
      let module = try program.readModule()
      _ = try SymbolSidecar.write(
        module: module, directory: tracing.directory ?? "", moduleID: program.moduleID, mode: tracing.mode)
    } catch {
      logger.warning("no symbol file for samplers: \(error)")
    }
  }

  private static func cache(_ option: ModuleCacheOption) -> ModuleCache? {
    let directory: URL
    switch option {
    case .disabled: return nil
    case .directory(let path): directory = URL(fileURLWithPath: path, isDirectory: true)
    case .standard:
      guard let caches = FileManager.default.urls(for: .cachesDirectory, in: .userDomainMask).first else { return nil }
      directory = caches.appendingPathComponent("fastlike/modules", isDirectory: true)
    }
    return ModuleCache(directory: directory) { bytes, salt in
      var hash = SHA256()
      hash.update(data: Data(salt.utf8 + [0]))
      hash.update(bufferPointer: bytes)
      return hash.finalize().map { byte in
        let digits = String(byte, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
      }.joined()
    }
  }
}

/// The engine and its clock, made on a thread of their own while the program's file is read: reserving the memory of
/// thousands of sandboxes takes some tens of milliseconds.
///
/// Written once before `isMade` is left, and only read after it, hence `@unchecked Sendable`.
private final class Machine: @unchecked Sendable {
  private let isMade = DispatchGroup()
  private var made: (engine: Engine, clock: EpochClock?)?

  init(_ settings: EngineSettings) {
    isMade.enter()
    Thread.detachNewThread { [self] in
      let engine = Engine(settings)
      made = (engine, settings.epochInterruption ? EpochClock(engine: engine) : nil)
      isMade.leave()
    }
  }

  private var value: (engine: Engine, clock: EpochClock?) {
    isMade.wait()
    return made!
  }

  var engine: Engine { value.engine }
  var clock: EpochClock? { value.clock }
}

extension Duration {
  /// Whole nanoseconds, 0 for negative durations.
  fileprivate var inNanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    return UInt64(max(0, seconds)) * 1_000_000_000 + UInt64(max(0, attoseconds / 1_000_000_000))
  }
}

/// Tells a person at a terminal that a big module is being compiled, and for how long.
private final class CompilationProgress: @unchecked Sendable {
  // Sendable because the timer's queue is serial and `end` waits for it.
  private let path: String
  private let queue = DispatchQueue(label: "fastlike.progress")
  private var timer: (any DispatchSourceTimer)?
  private var hasWritten = false

  init(path: String) { self.path = path }

  func begin(byteCount: Int) {
    guard isatty(STDERR_FILENO) == 1 else { return }
    let started = Date()
    let name = URL(fileURLWithPath: path).lastPathComponent
    let size = Double(byteCount / 100_000) / 10
    let timer = DispatchSource.makeTimerSource(queue: queue)
    timer.schedule(deadline: .now() + .milliseconds(300), repeating: .milliseconds(200))
    timer.setEventHandler { [self] in
      hasWritten = true
      let seconds = Double(Int(Date().timeIntervalSince(started) * 10)) / 10
      FileHandle.standardError.write(Data("\rcompiling \(name) (\(size) MB) … \(seconds) s".utf8))
    }
    self.timer = timer
    timer.resume()
  }

  func end() {
    timer?.cancel()
    timer = nil
    queue.sync {
      if hasWritten { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
    }
  }
}
