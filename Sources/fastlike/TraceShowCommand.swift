import ArgumentParser
import FastlikeProfile
import Foundation

/// `fastlike trace show`.
struct TraceShowCommand: ActionCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows where the time of one request went.")

  @OptionGroup(title: "Source") var source: TraceSourceArguments

  @Flag(name: .customLong("json"), help: "Print the trace in the native JSON instead.")
  var json = false

  @Argument(help: ArgumentHelp("The request's number in the list.", valueName: "id"))
  var id: String

  func action(in environment: FlagEnvironment) throws -> CommandAction {
    let (id, source, json) = (try TraceID.read(id), try source.source(in: environment), json)
    return {
      let found = try await source.trace(id)
      print(json ? String(decoding: found.native, as: UTF8.self) : TraceReport(found.trace).text(in: .current))
      return Fastlike.ExitCodes.success
    }
  }
}

/// A request as text. All times are milliseconds.
struct TraceReport {
  /// Most hostcalls that are shown.
  static let shownHostcalls = 15
  private static let urlWidth = 48

  private let trace: RequestTrace

  init(_ trace: RequestTrace) { self.trace = trace }

  func text(in zone: TimeZone) -> String {
    var sections = [head(in: zone), time]
    if !trace.backendCalls.isEmpty { sections.append(backendCalls) }
    if !trace.spans.isEmpty { sections.append(hostcalls) }
    if !trace.memoryGrowth.isEmpty { sections.append(memoryGrowth) }
    if !trace.notes.isEmpty {
      sections.append(["Notes"] + trace.notes.map { "  " + TraceText.printable($0.text) })
    }
    if trace.isTruncated { sections.append(["Left out: " + drops.joined(separator: ", ")]) }
    return sections.map { $0.joined(separator: "\n") }.joined(separator: "\n\n")
  }

  /// Most growths of memory, and most functions of each, that are shown.
  private static let shownGrowths = 15
  private static let shownFunctions = 6

  private var memoryGrowth: [String] {
    let shown = trace.memoryGrowth.prefix(Self.shownGrowths).map { growth in
      let names = growth.stack.prefix(Self.shownFunctions).map { TraceText.printable($0, limit: 60) }
      let stack = names.isEmpty ? "after the last hostcall" : names.joined(separator: " < ")
      return
        "  \(TraceText.milliseconds(growth.relativeNanos)) ms  \(growth.fromBytes >> 10) to \(growth.toBytes >> 10) KiB  "
        + stack
    }
    let rest = trace.memoryGrowth.count - shown.count
    return ["Memory that the guest took, and where it was at the first hostcall after it"] + shown
      + (rest > 0 ? ["  and \(rest) more"] : [])
  }

  private func head(in zone: TimeZone) -> [String] {
    let status = trace.status > 0 ? "status \(trace.status)" : "no response"
    var facts = [status, trace.outcome.wireName, "\(TraceText.milliseconds(trace.wallNanos)) ms"]
    if let version = trace.httpVersion { facts.append(version.rawValue) }
    if trace.status > 0 { facts.append(TraceText.count(Int(trace.responseBytes), "byte") + " of body") }
    if let flush = trace.headerFlushNanos { facts.append("head after \(TraceText.milliseconds(flush)) ms") }
    if let fuel = trace.guestFuel { facts.append("\(Figures.count(Int(fuel))) fuel") }
    let module = [trace.moduleName, trace.moduleID].filter { !$0.isEmpty }.joined(separator: " ")
    let instant = TraceText.instant(unixNanos: trace.wallStartUnixNanos, in: zone)
    return [
      "Request \(trace.id): \(TraceText.printable(trace.method)) \(TraceText.printable(trace.url.description, limit: 2400))",
      facts.joined(separator: ", "),
      instant + (module.isEmpty ? "" : ", " + TraceText.printable(module)),
    ]
  }

  private var time: [String] {
    var table = TraceTable(columns: [.text("Time"), .number("ms"), .number("share")])
    table.rows = TraceSummary.Time(trace.time).owners.map { owner in
      [owner.name, TraceText.milliseconds(owner.nanoseconds), TraceText.share(owner.nanoseconds, of: trace.wallNanos)]
    }
    return table.rows.isEmpty ? ["Time: none recorded"] : table.lines()
  }

  private var backendCalls: [String] {
    var table = TraceTable(columns: [
      .text("backend"), .text("request"), .number("status"), .text("outcome"), .number("start"), .number("dns"),
      .number("connect"), .number("tls"), .number("sent"), .number("first byte"), .number("body"), .number("total"),
    ])
    table.rows = trace.backendCalls.map { call in
      [
        TraceText.printable(call.name, limit: 32),
        TraceText.printable("\(call.method) \(call.url)", limit: Self.urlWidth),
        call.status > 0 ? String(call.status) : TraceText.none,
        call.failure.map { "\(call.outcome.wireName): \($0.rawValue)" } ?? call.outcome.wireName,
        TraceText.milliseconds(call.started), TraceText.milliseconds(ifPresent: call.dns?.duration),
        TraceText.milliseconds(ifPresent: call.connect?.duration),
        TraceText.milliseconds(ifPresent: call.tls?.duration), TraceText.milliseconds(ifPresent: call.requestSentNanos),
        TraceText.milliseconds(ifPresent: call.ttfbNanos),
        TraceText.milliseconds(ifPresent: call.ttfbNanos.map { call.totalNanos - $0 }),
        TraceText.milliseconds(call.totalNanos),
      ]
    }
    // From its start on: when the request was out, and when its first byte was back.
    return ["Backend calls (ms; sent and first byte count from the call's start)"] + table.lines(indent: "  ")
  }

  private var hostcalls: [String] {
    let totals = HostcallTotal.all(of: trace)
    var table = TraceTable(columns: [
      .text("hostcall"), .number("calls"), .number("total"), .number("waited"), .number("longest"), .number("refused"),
    ])
    table.rows = totals.prefix(Self.shownHostcalls).map { total in
      [
        TraceText.printable(total.name), String(total.calls), TraceText.milliseconds(total.nanoseconds),
        TraceText.milliseconds(total.waited), TraceText.milliseconds(total.longest), String(total.refused),
      ]
    }
    let isCut = totals.count > Self.shownHostcalls
    let title = isCut ? "Hostcalls (ms; the first \(Self.shownHostcalls) of \(totals.count) names)" : "Hostcalls (ms)"
    return [title] + table.lines(indent: "  ")
  }

  private var drops: [String] {
    [
      (trace.droppedSpans, "hostcall"), (trace.droppedBackendCalls, "backend call"),
      (trace.droppedBlockedIntervals, "suspension"), (trace.droppedGuestSamples, "stack sample"),
      (trace.deep?.heapSamplesDropped ?? 0, "memory sample"),
    ].filter { $0.0 > 0 }.map { TraceText.count($0.0, $0.1) }
  }
}

/// The calls of one hostcall in a request, together. Times are nanoseconds.
private struct HostcallTotal {
  let name: String
  var calls = 0
  var nanoseconds: Int64 = 0
  var waited: Int64 = 0
  var longest: Int64 = 0
  /// How many returned a status other than 0.
  var refused = 0

  /// Those with the most time first.
  static func all(of trace: RequestTrace) -> [HostcallTotal] {
    var totals: [UInt16: HostcallTotal] = [:]
    for span in trace.spans {
      var total = totals[span.hostcall] ?? HostcallTotal(name: trace.name(of: span))
      total.calls += 1
      total.nanoseconds &+= span.duration
      total.waited &+= span.blocked
      total.longest = max(total.longest, span.duration)
      if span.status != 0 { total.refused += 1 }
      totals[span.hostcall] = total
    }
    return totals.values.sorted { ($1.nanoseconds, $0.name) < ($0.nanoseconds, $1.name) }
  }
}
