import FastlikeProfile
import FastlikeRuntime
import FastlikeServer
import Foundation

/// Where the traces of a bench are kept.
struct BenchTraces: Sendable {
  private enum Place: Sendable {
    case file(TraceExportDestination)
    case archive(String)
  }

  private let place: Place

  /// - Parameter text: A path that ends in `.json`, or that of a folder.
  /// - Throws: `ConfigurationError`
  init(_ text: String, isForced: Bool) throws {
    if text.hasSuffix(".json") {
      place = .file(try TraceExportDestination(text, isForced: isForced, isTerminal: false))
    } else {
      place = .archive(try FlagValues.path(text, flag: "--output"))
    }
  }

  /// Begins to keep traces.
  /// - Throws: `TraceArchiveError`
  func open() throws -> Writer {
    switch place {
    case .file(let destination): return Writer(destination: destination)
    case .archive(let path):
      // A bench is done when its last trace is written, so none has to be dropped for want of time.
      return Writer(archive: try TraceArchive(directory: path, limits: ArchiveLimits(waiting: .max)))
    }
  }

  /// Takes traces one by one.
  struct Writer: Sendable {
    private var destination: TraceExportDestination?
    private var traces: [RequestTrace] = []
    private var archive: TraceArchive?
    private var nextID: UInt64 = 0

    fileprivate init(destination: TraceExportDestination) { self.destination = destination }

    fileprivate init(archive: TraceArchive) {
      self.archive = archive
      nextID = archive.lastTraceID
    }

    mutating func add(_ trace: RequestTrace) {
      guard let archive else { return traces.append(trace) }
      // An archive may hold traces of earlier runs, whose ids would be the same.
      var trace = trace
      nextID += 1
      trace.id = nextID
      archive.append(trace)
    }

    /// Writes what is not written yet.
    /// - Throws: `ConfigurationError`
    func finish() throws {
      try destination?.write(NativeJSONEncoder.encode(traces))
      guard let archive else { return }
      archive.close()
      let failed = archive.statistics.failed + archive.statistics.dropped
      if failed > 0 {
        Fastlike.note("\(archive.path): \(TraceText.count(failed, "trace")) could not be written")
      }
    }
  }
}

/// What a bench prints.
struct BenchText {
  let options: BenchOptions
  let result: BenchResult
  /// Of each program.
  let routes: [[RouteSummary]]

  var text: String {
    var lines: [String] = []
    for (program, path) in ([options.module] + [options.other].compactMap { $0 }).enumerated() {
      let seconds = Double(result.nanoseconds[program]) / 1e9
      let count = result.requests[program]
      let rate = seconds > 0 ? Double(count) / seconds : 0
      if program > 0 { lines.append("") }
      lines.append(
        "\(TraceText.printable(path)): \(TraceText.count(count, "request")) in \(Figures.fixed(seconds, digits: 1)) s, "
          + "\(Figures.count(Int(rate))) a second, \(options.concurrency * options.loops) at a time")
      lines += table(of: routes[program])
    }
    if result.lost > 0 { lines.append("\(TraceText.count(result.lost, "request")) left no trace") }
    return lines.joined(separator: "\n")
  }

  private func table(of routes: [RouteSummary]) -> [String] {
    let hasMemory = routes.contains { $0.peakMemory != nil }
    var columns: [TraceTable.Column] = [
      .text("route"), .number("requests"), .number("errors"), .number("wall p50"), .number("p95"), .number("p99"),
      .number("guest p50"), .number("hostcalls"), .number("backend calls"),
    ]
    if hasMemory { columns.append(.number("peak memory")) }
    var table = TraceTable(columns: columns)
    table.rows = routes.map { route in
      let cells = [
        TraceText.printable(route.route.description, limit: 48), String(route.count), String(route.errors),
        Figures.duration(route.wall.median), Figures.duration(route.wall.p95), Figures.duration(route.wall.p99),
        Figures.duration(route.medianGuest), Self.each(route.hostcalls, route.count),
        Self.each(route.backendCalls, route.count),
      ]
      return hasMemory ? cells + [route.peakMemory.map(Figures.bytes) ?? TraceText.none] : cells
    }
    return table.lines(indent: "  ")
  }

  /// How many a request.
  private static func each(_ total: Int, _ requests: Int) -> String {
    let mean = Double(total) / Double(max(1, requests))
    return Figures.fixed(mean, digits: mean == mean.rounded() ? 0 : 1)
  }
}
