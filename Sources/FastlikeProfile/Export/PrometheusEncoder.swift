/// What a process is at an instant, for its metrics.
public struct MetricsSnapshot: Sendable {
  /// What the system tells of the process; nil where it does not.
  public struct Process: Sendable, Hashable {
    public var residentBytes: Int64?
    /// Seconds of processor time of all threads.
    public var cpuSeconds: Double?
    public var openFiles: Int?
    public var maximumOpenFiles: Int?
    /// Seconds since 1970.
    public var startTime: Double?
    public var threads: Int?

    public init() {}
  }

  /// What became of the spans that are pushed to a receiver.
  public struct Push: Sendable, Hashable {
    /// Spans that the receiver took.
    public var sent = 0
    /// Spans that were dropped because too many waited.
    public var overflowed = 0
    /// Spans that were dropped because they could not be sent.
    public var failed = 0
    /// Spans that the receiver did not take.
    public var rejected = 0
    /// Requests to the receiver that failed, those included that were made again.
    public var failedRequests = 0
    /// Spans that wait.
    public var waiting = 0

    public init() {}
  }

  public var version: String
  public var totals: TraceTotals
  public var inFlight: [InFlightRequest]
  public var store: ProfileStore.Statistics
  /// Traces in memory.
  public var retained: Int
  public var archive: ArchiveStatistics?
  /// nil where nothing is pushed.
  public var push: Push?
  public var process: Process

  public init(
    version: String, totals: TraceTotals, inFlight: [InFlightRequest], store: ProfileStore.Statistics, retained: Int,
    archive: ArchiveStatistics? = nil, push: Push? = nil, process: Process = Process()
  ) {
    self.version = version
    self.totals = totals
    self.inFlight = inFlight
    self.store = store
    self.retained = retained
    self.archive = archive
    self.push = push
    self.process = process
  }
}

/// Writes the metrics of a process for Prometheus and what reads its formats.
///
/// The number of series is bounded: labels are outcomes, classes of statuses, causes, phases, hostcalls of the table that
/// were called, and at most ``TraceTotals/maximumBackends`` backends and one for the rest. No label has a path.
public enum PrometheusEncoder {
  /// The media type of Prometheus's text format.
  public static let contentType = "text/plain; version=0.0.4; charset=utf-8"
  /// The media type of OpenMetrics.
  public static let openMetricsContentType = "application/openmetrics-text; version=1.0.0; charset=utf-8"

  /// - Parameter openMetrics: Whether to write OpenMetrics instead.
  public static func encode(_ snapshot: MetricsSnapshot, openMetrics: Bool = false) -> [UInt8] {
    var writer = PrometheusWriter(openMetrics ? .openMetrics : .prometheus)
    writer.begin("fastlike_build_info", .gauge, "The version that runs.")
    writer.sample(1, ("version", snapshot.version))
    writeRequests(snapshot.totals, to: &writer)
    writeInFlight(snapshot.inFlight, to: &writer)
    writeHostcalls(snapshot.totals, to: &writer)
    writeBackends(snapshot.totals, to: &writer)
    writeTraces(snapshot, to: &writer)
    if let push = snapshot.push { write(push, to: &writer) }
    writeProcess(snapshot.process, to: &writer)
    return writer.finish()
  }

  // MARK: - Requests

  private static func writeRequests(_ totals: TraceTotals, to writer: inout PrometheusWriter) {
    writer.begin("fastlike_requests", .counter, "Finished requests by outcome and class of the status.")
    var endings = totals.requests
    // There from the start, so that a first request is seen as an increase.
    endings[TraceTotals.Ending(outcome: .normal, statusClass: 2), default: 0] += 0
    let sorted = endings.sorted {
      ($0.key.outcome.rawValue, $0.key.statusClass) < ($1.key.outcome.rawValue, $1.key.statusClass)
    }
    for (ending, count) in sorted {
      let status = ending.statusClass == 0 ? "none" : "\(ending.statusClass)xx"
      writer.sample(Double(count), ("outcome", ending.outcome.wireName), ("status", status))
    }
    writer.begin("fastlike_request_duration_seconds", .histogram, "Wall time of requests.")
    writer.histogram(totals.duration)
    writer.begin("fastlike_request_time_seconds", .counter, "Wall time of requests by owner; blocked time has causes.")
    for (part, nanos) in [
      ("queue", totals.time.queue), ("setup", totals.time.setup), ("guest", totals.time.guest),
      ("host", totals.time.host), ("blocked", totals.time.blocked.total),
    ] { writer.sample(PrometheusWriter.seconds(nanos), ("part", part)) }
    writer.begin("fastlike_request_blocked_seconds", .counter, "Time in which guests were suspended, by cause.")
    for cause in BlockCause.allCases {
      writer.sample(PrometheusWriter.seconds(totals.time.blocked[cause]), ("cause", cause.name))
    }
    writer.begin("fastlike_response_body_bytes", .counter, "Bytes of response bodies that went to clients.")
    writer.sample(Double(totals.responseBytes))
    writer.begin(
      "fastlike_guest_memory_peak_bytes", .gauge, "The most linear memory that a guest had; 0 unless mode is deep.")
    writer.sample(Double(totals.peakMemoryBytes))
  }

  private static func writeInFlight(_ requests: [InFlightRequest], to writer: inout PrometheusWriter) {
    writer.begin("fastlike_requests_in_flight", .gauge, "Requests that run.")
    writer.sample(Double(requests.count))
    writer.begin("fastlike_guests_suspended", .gauge, "Guests that wait, by cause.")
    var suspended: [BlockCause: Int] = [:]
    for request in requests { if let cause = request.blockedOn { suspended[cause, default: 0] += 1 } }
    for cause in BlockCause.allCases { writer.sample(Double(suspended[cause] ?? 0), ("cause", cause.name)) }
  }

  // MARK: - Hostcalls and backends

  private static func writeHostcalls(_ totals: TraceTotals, to writer: inout PrometheusWriter) {
    let called = zip(totals.names.names, totals.hostcalls).filter { $1.calls > 0 }
    writer.begin("fastlike_hostcalls", .counter, "Hostcalls of guests, those within the cap of a trace.")
    for (name, hostcall) in called { writer.sample(Double(hostcall.calls), ("hostcall", name)) }
    writer.begin("fastlike_hostcall_failures", .counter, "Hostcalls that gave the guest another status than ok.")
    for (name, hostcall) in called { writer.sample(Double(hostcall.failures), ("hostcall", name)) }
    writer.begin(
      "fastlike_hostcall_seconds", .counter, "Time in hostcalls, that in which the guest was suspended included.")
    for (name, hostcall) in called { writer.sample(PrometheusWriter.seconds(hostcall.nanos), ("hostcall", name)) }
    writer.begin("fastlike_hostcall_blocked_seconds", .counter, "Time in hostcalls in which the guest was suspended.")
    for (name, hostcall) in called {
      writer.sample(PrometheusWriter.seconds(hostcall.blockedNanos), ("hostcall", name))
    }
    writer.begin("fastlike_hostcall_beyond_cap_seconds", .counter, "Time in hostcalls beyond the cap of a trace.")
    writer.sample(PrometheusWriter.seconds(totals.hostcallNanosBeyondCap))
  }

  private static func writeBackends(_ totals: TraceTotals, to writer: inout PrometheusWriter) {
    let backends = totals.backends.sorted { $0.key < $1.key }
    writer.begin("fastlike_backend_calls", .counter, "Calls to backends by outcome.")
    for (name, backend) in backends {
      for outcome in BackendOutcome.allCases {
        guard let count = backend.calls[outcome] else { continue }
        writer.sample(Double(count), ("backend", name), ("outcome", outcome.wireName))
      }
    }
    writer.begin("fastlike_backend_call_duration_seconds", .histogram, "Time of calls to backends.")
    for (name, backend) in backends { writer.histogram(backend.duration, ("backend", name)) }
    writer.begin("fastlike_backend_phase_duration_seconds", .histogram, "Time of calls to backends by phase.")
    for phase in BackendPhases.Name.allCases {
      guard let histogram = totals.phases[phase] else { continue }
      writer.histogram(histogram, ("phase", phase.rawValue))
    }
    writer.begin("fastlike_backend_sent_bytes", .counter, "Bytes of heads and bodies that went to backends.")
    for (name, backend) in backends { writer.sample(Double(backend.sentBytes), ("backend", name)) }
    writer.begin("fastlike_backend_received_bytes", .counter, "Bytes of heads and bodies that came from backends.")
    for (name, backend) in backends { writer.sample(Double(backend.receivedBytes), ("backend", name)) }
  }

  // MARK: - The recording itself

  private static func writeTraces(_ snapshot: MetricsSnapshot, to writer: inout PrometheusWriter) {
    writer.begin("fastlike_traces_sampled_out", .counter, "Traces that sampling did not keep.")
    writer.sample(Double(snapshot.store.sampledOut))
    writer.begin("fastlike_traces_evicted", .counter, "Traces in memory that gave way to newer ones.")
    writer.sample(Double(snapshot.store.evicted))
    writer.begin("fastlike_traces_abandoned", .counter, "Requests whose recording was not finished.")
    writer.sample(Double(snapshot.store.abandoned))
    writer.begin("fastlike_traces_retained", .gauge, "Traces in memory.")
    writer.sample(Double(snapshot.retained))
    let dropped = snapshot.totals.dropped
    writer.begin("fastlike_trace_dropped", .counter, "What the caps of a trace kept out of it.")
    for (what, count) in [
      ("spans", dropped.spans), ("backend_calls", dropped.backendCalls),
      ("blocked_intervals", dropped.blockedIntervals), ("guest_samples", dropped.guestSamples),
      ("memory_samples", dropped.heapSamples),
    ] { writer.sample(Double(count), ("what", what)) }
    guard let archive = snapshot.archive else { return }
    writer.begin("fastlike_archive_traces_lost", .counter, "Traces that are not in the archive, by reason.")
    writer.sample(Double(archive.dropped), ("reason", "dropped"))
    writer.sample(Double(archive.failed), ("reason", "failed"))
  }

  private static func write(_ push: MetricsSnapshot.Push, to writer: inout PrometheusWriter) {
    writer.begin("fastlike_otlp_spans", .counter, "Spans by what became of them.")
    for (result, count) in [
      ("sent", push.sent), ("overflowed", push.overflowed), ("failed", push.failed), ("rejected", push.rejected),
    ] { writer.sample(Double(count), ("result", result)) }
    writer.begin("fastlike_otlp_failed_requests", .counter, "Requests to the receiver of spans that failed.")
    writer.sample(Double(push.failedRequests))
    writer.begin("fastlike_otlp_waiting_spans", .gauge, "Spans that wait to be sent.")
    writer.sample(Double(push.waiting))
  }

  private static func writeProcess(_ process: MetricsSnapshot.Process, to writer: inout PrometheusWriter) {
    func gauge(_ name: StaticString, _ value: Double?, _ help: StaticString) {
      guard let value else { return }
      writer.begin(name, .gauge, help)
      writer.sample(value)
    }
    if let seconds = process.cpuSeconds {
      writer.begin("process_cpu_seconds", .counter, "Processor time of all threads.")
      writer.sample(seconds)
    }
    gauge("process_resident_memory_bytes", process.residentBytes.map { Double($0) }, "Memory in use.")
    gauge("process_open_fds", process.openFiles.map { Double($0) }, "Open files and sockets.")
    gauge("process_max_fds", process.maximumOpenFiles.map { Double($0) }, "Most files and sockets that may be open.")
    gauge("process_threads", process.threads.map { Double($0) }, "Threads of the process.")
    gauge("process_start_time_seconds", process.startTime, "When the process began, in seconds since 1970.")
  }
}
