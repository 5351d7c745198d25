import FastlikeProfile
import FastlikeRuntime
import Foundation
import Hummingbird
import Synchronization

/// What collectors of metrics and profiles ask for: `/metrics` for Prometheus, and profiles under the paths at which Go
/// programs have theirs, so that `go tool pprof http://…` and continuous profilers find them.
struct ScrapeRoutes: Sendable {
  /// How long stacks are collected unless told otherwise, as in Go programs.
  static let standardSeconds = 30
  static let seconds = 1...300

  let store: ProfileStore?
  let archive: TraceArchive?
  let pushed: (@Sendable () -> MetricsSnapshot.Push)?
  /// When the process began to count.
  let started = Date()

  func add(to router: Router<PageRoutes.Context>) {
    router.get("metrics") { request, _ in withTotals { metrics(request, $0, $1) } }
    router.get("debug/pprof") { _, _ in PageAnswer.text(.ok, Self.index) }
    router.get("debug/pprof/profile") { request, _ in
      guard let store else { return Self.nothingIsRecorded }
      guard let seconds = Self.seconds(of: request, standard: Self.standardSeconds) else { return Self.badSeconds }
      return try await profile(store, for: seconds)
    }
    router.get("debug/pprof/hostcalls") { request, _ in
      guard let before = store?.totals else { return Self.nothingIsRecorded }
      guard let seconds = Self.seconds(of: request, standard: 0) else { return Self.badSeconds }
      guard seconds > 0 else { return hostcalls(before, since: nil, from: started) }
      let begin = Date()
      try await Task.sleep(for: .seconds(seconds))
      return hostcalls(store?.totals ?? before, since: before, from: begin)
    }
  }

  private static let index = """
    profiles for pprof:
      profile    CPU stacks of the guests' requests that finish within ?seconds=N (30 by default), where they are sampled
      hostcalls  calls and time of each hostcall since the start, or within ?seconds=N
    metrics for Prometheus are at /metrics
    """

  private static let nothingIsRecorded = PageAnswer.text(
    .serviceUnavailable, "nothing is recorded: the profile mode is off")
  private static let badSeconds = PageAnswer.text(
    .badRequest, "seconds: must be a whole number from \(seconds.lowerBound) to \(seconds.upperBound)")

  /// The value of `seconds` in the query; nil when it is not allowed.
  private static func seconds(of request: Request, standard: Int) -> Int? {
    guard let text = request.uri.queryParameters["seconds"] else { return standard }
    return Int(text).flatMap { seconds.contains($0) ? $0 : nil }
  }

  // MARK: - Metrics

  private func withTotals(_ answer: (ProfileStore, TraceTotals) -> Response) -> Response {
    guard let store, let totals = store.totals else { return Self.nothingIsRecorded }
    return answer(store, totals)
  }

  private func metrics(_ request: Request, _ store: ProfileStore, _ totals: TraceTotals) -> Response {
    let snapshot = MetricsSnapshot(
      version: FastlikeVersion.current, totals: totals, inFlight: store.inFlight(), store: store.statistics,
      retained: store.count, archive: archive?.statistics, push: pushed?(),
      process: .current(startedAt: started.timeIntervalSince1970))
    let isOpen = request.headers[.accept]?.contains("application/openmetrics-text") ?? false
    return PageAnswer.bytes(
      PrometheusEncoder.encode(snapshot, openMetrics: isOpen),
      contentType: isOpen ? PrometheusEncoder.openMetricsContentType : PrometheusEncoder.contentType)
  }

  // MARK: - Profiles

  private func hostcalls(_ totals: TraceTotals, since earlier: TraceTotals?, from begin: Date) -> Response {
    let bytes = PprofHostcallEncoder.encode(
      totals, since: earlier, unixNanos: Self.nanos(begin.timeIntervalSince1970),
      durationNanos: Self.nanos(Date().timeIntervalSince(begin)))
    return file(bytes, name: "hostcalls")
  }

  private func profile(_ store: ProfileStore, for seconds: Int) async throws -> Response {
    let begin = Date()
    let collection = GuestStackCollection()
    let observation = store.observeFinished { collection.add($0) }
    defer { observation.cancel() }
    try await Task.sleep(for: .seconds(seconds))
    var profile = GuestCPUProfile()
    for part in collection.parts { profile.add(part) }
    let bytes = profile.finish(
      unixNanos: Self.nanos(begin.timeIntervalSince1970), durationNanos: Self.nanos(Date().timeIntervalSince(begin)))
    return file(bytes, name: "profile")
  }

  private func file(_ bytes: [UInt8], name: String) -> Response {
    var response = PageAnswer.bytes(bytes, contentType: TraceExportFormat.pprof.contentType)
    response.headers[.contentDisposition] = "attachment; filename=\"\(name).pb.gz\""
    return response
  }

  private static func nanos(_ seconds: Double) -> Int64 { Int64(max(0, seconds) * 1e9) }
}

/// The sampled stacks of requests that finish meanwhile. They are only put aside where a request ends, and summed up
/// when all are there.
private final class GuestStackCollection: Sendable {
  private let state = Mutex<(parts: [GuestCPUProfile.Part], samples: Int)>(([], 0))

  func add(_ request: ProfileStore.FinishedRequest) {
    guard request.hasGuestSamples, let part = GuestCPUProfile.Part(request.trace) else { return }
    state.withLock { state in
      // The one that crosses the cap is kept: it is counted as dropped where the samples are summed up.
      guard state.samples <= GuestCPUProfile.maximumSamples else { return }
      state.samples += part.count
      state.parts.append(part)
    }
  }

  var parts: [GuestCPUProfile.Part] { state.withLock { $0.parts } }
}
