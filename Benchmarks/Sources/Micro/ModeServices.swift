import ComputeABI
import FastlikeProfile
import FastlikeRuntime
import Logging
import NIOCore
import NIOPosix
import Wasmtime

/// Services of one process that differ in what they record.
struct ModeServices: Sendable {
  /// In the order of the modes.
  let services: [Service]
  private let shared: Service.Shared

  static let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }

  /// - Parameters:
  ///   - guest: The path of the guest's module.
  ///   - maximumInstances: Guests at the same time, those that are being cleared among them: the next run's engine needs addresses
  ///     too.
  init(_ modes: [ProfileMode], guest: String, maximumInstances: UInt32) throws {
    var engineSettings = EngineSettings()
    engineSettings.maximumInstances = maximumInstances
    let engine = Engine(engineSettings)
    let program = try Program.load(path: guest, settings: engine.settings, engine: { engine }, cache: nil)
    let shared = Service.Shared(logger: Self.logger)
    self.shared = shared
    services = modes.map { mode in
      var settings = SandboxSettings()
      settings.cpuSampling.isAlways = mode == .deep
      let traces =
        mode == .off ? nil : ProfileStore(mode: mode, hostcalls: HostcallNameTable(names: HostcallTable.traceNames))
      return Service(
        program: program, configuration: ServiceConfiguration(), settings: settings, clock: EpochClock(engine: engine),
        traces: traces, logs: LogRouter(), logger: Self.logger, shared: shared)
    }
  }

  /// Ends them, and the event loops that they ran on.
  func shutdown(_ group: MultiThreadedEventLoopGroup) async throws {
    for eventLoop in group.makeIterator() { try await shared.shutdown(on: eventLoop).get() }
    shared.closeStores()
    try await group.shutdownGracefully()
  }
}
