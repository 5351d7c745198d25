import FastlikeProfile
import FastlikeRuntime
import Foundation
import Logging

/// What shows, keeps and pushes traces beside the serving: the page, the archive, the way to a receiver.
struct TracePresentation {
  /// Where the page can be opened; nil without one.
  let pageURL: String?
  private let page: ProfilePage?
  private let archive: TraceArchive?
  private let observation: ProfileStore.Observation?
  private let pusher: TracePusher?

  /// Opens what the options ask for. Throws errors that describe themselves in one line.
  ///
  /// - Parameter handler: The service whose stores the page shows.
  static func start(
    _ options: TracingOptions, traces: ProfileStore?, handler: ServiceSwitch, logger: Logger
  ) async throws -> TracePresentation {
    guard let traces else {
      return TracePresentation(pageURL: nil, page: nil, archive: nil, observation: nil, pusher: nil)
    }
    var archive: TraceArchive?
    var observation: ProfileStore.Observation?
    if let directory = options.directory {
      let opened = try TraceArchive(directory: directory)
      traces.reserveIDs(through: opened.lastTraceID)
      observation = traces.observe { _ = opened.append($0) }
      archive = opened
    }
    var pusher: TracePusher?
    if let push = options.push {
      let made = TracePusher(
        push, version: FastlikeVersion.current, transport: try HTTPPushTransport(push), logger: logger)
      made.follow(traces)
      pusher = made
    }
    var page: ProfilePage?
    var url: String?
    if case .tcp(let host, let port) = options.page {
      let settings = ProfilePageSettings(
        host: host, port: Int(port), token: options.pageToken, isInsecure: options.allowsInsecurePage,
        showsValues: options.showsValues)
      let made = try ProfilePage(
        store: traces, archive: archive, inventory: { StoreInventory(of: handler.service) },
        pushed: pusher?.readStatistics, settings: settings, logger: logger)
      let bound = try await made.start()
      url = "http://\(bound.host.contains(":") ? "[\(bound.host)]" : bound.host):\(bound.port)/"
      page = made
    }
    return TracePresentation(pageURL: url, page: page, archive: archive, observation: observation, pusher: pusher)
  }

  /// What a mode records, for those who chose more than the usual.
  static func explain(_ options: TracingOptions) {
    var lines: [String] = []
    if options.mode.includesDeep {
      lines.append(
        "deep records body bytes, store access, header names with sizes and the memory curve of each request; "
          + "never header values, body content, keys or query strings")
    }
    if options.mode.requestsNativeSampling {
      #if os(Linux)
        lines.append("code maps for perf are written as jit-PID.dump")
      #else
        lines.append("this system has no code maps for samplers, so only traces are recorded")
      #endif
    }
    if options.cpuSampling.isAlways {
      let spared =
        options.cpuSampling.sparesBusyLoops ? ", and a quarter as often on loops that are busy with short ones" : ""
      lines.append(
        "stacks of running guests are sampled \(options.cpuSampling.samplesPerSecond) times a second\(spared)")
    }
    for line in lines { print("fastlike: profile \(options.mode.rawValue): \(line)") }
  }

  func stop() async {
    await page?.stop()
    await pusher?.stop()
    observation?.cancel()
    archive?.close()
  }
}
