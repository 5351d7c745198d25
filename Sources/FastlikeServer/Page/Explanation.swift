import FastlikeProfile

/// Why a request took as long as it did, in plain sentences.
struct Explanation {
  /// The answer in one sentence.
  let sentence: String
  /// What else is worth knowing.
  let remarks: [String]

  /// From this share of the wall time on, one owner is the answer.
  private static let decisive = 0.5

  init(of trace: RequestTrace) {
    let reason = Self.reason(of: trace)
    let failed = Self.failedCalls(of: trace)
    let others = [Self.streaming(of: trace), Self.unasked(of: trace)].compactMap { $0 }
    if let ending = Self.ending(of: trace) {
      sentence = ending
      remarks = [reason] + failed + others
    } else {
      sentence = reason
      remarks = failed + others
    }
  }

  private static func ending(of trace: RequestTrace) -> String? {
    let wall = Figures.duration(trace.wallNanos)
    let answer =
      trace.status > 0 ? "the client got \(trace.status)" : "the client got no response"
    switch trace.outcome {
    case .normal: return nil
    case .trap: return "The guest trapped or exited with a failure after \(wall); \(answer)."
    case .panic: return "A hostcall failed in the host's own code after \(wall); \(answer)."
    case .loopFail: return "The request had come through this service before and was refused; \(answer)."
    case .contextCanceled: return "The client went away after \(wall), before the request was done."
    case .limitExceeded: return "The guest was stopped at a limit of time or memory after \(wall); \(answer)."
    case .unrecognized: return "The request ended after \(wall) in a way that this version does not know; \(answer)."
    }
  }

  private static func reason(of trace: RequestTrace) -> String {
    let owners = trace.time.owners
    guard let first = owners.first, trace.wallNanos > 0 else { return "No time was recorded." }
    let amount = "\(Figures.duration(first.nanoseconds)) of \(Figures.duration(trace.wallNanos))"
    guard Double(first.nanoseconds) >= decisive * Double(trace.wallNanos) else {
      let shares = owners.prefix(3).map { "\($0.owner.rawValue) \(Figures.duration($0.nanoseconds))" }
      return "No single cause in \(Figures.duration(trace.wallNanos)): \(shares.joined(separator: ", "))."
    }
    switch first.owner {
    case .backend: return "\(amount) were spent waiting for \(backends(of: trace))."
    case .guest: return "\(amount) were the guest's own computing\(function(of: trace))."
    case .host: return "\(amount) were the host's work in hostcalls\(hostcall(of: trace))."
    case .setup: return "\(amount) went into starting the guest."
    case .queue: return "\(amount) were spent waiting for a turn on the event loop."
    case .timer: return "\(amount) the guest was asleep, as it asked\(place(of: .timer, in: trace))."
    case .cache: return "\(amount) were spent waiting for the cache\(place(of: .cache, in: trace))."
    case .store: return "\(amount) were spent waiting for a store\(place(of: .store, in: trace))."
    case .client:
      let hostcall = longestWait(for: .client, in: trace).map { trace.name(of: $0) } ?? ""
      let need = hostcall.contains("read") ? "to send its body" : "to take the response"
      return "\(amount) were spent waiting for the client \(need)."
    case .other: return "\(amount) the guest was suspended for another reason\(place(of: .other, in: trace))."
    }
  }

  // MARK: - Backends

  private static func backends(of trace: RequestTrace) -> String {
    let waits = trace.blocked.filter { $0.cause == .backend }
    let involved = trace.backendCalls.filter { call in
      call.outcome != .orphaned && waits.contains { $0.start < call.ended && $0.end > call.started }
    }
    guard let slowest = involved.max(by: { $0.totalNanos < $1.totalNanos }) else { return "a backend" }
    guard involved.count > 1 else { return "backend \(slowest.name)\(detail(of: slowest))" }
    let number = Figures.count(involved.count, "backend call")
    let took = Figures.duration(slowest.totalNanos)
    let sum = involved.reduce(0.0) { $0 + Double($1.totalNanos) }
    if sum > 1.2 * Double(coverage(of: involved)) {
      return "\(number), some of them at once; the slowest, to \(slowest.name), took \(took)"
    }
    return "\(number), one after the other; the slowest, to \(slowest.name), took \(took)"
  }

  /// Nanoseconds in which at least one of the calls ran.
  private static func coverage(of calls: [BackendCall]) -> Int64 {
    var covered: Int64 = 0
    var end = Int64.min
    for call in calls.sorted(by: { $0.started < $1.started }) where call.ended > end {
      covered += call.ended - max(call.started, end)
      end = call.ended
    }
    return covered
  }

  /// The part of a call that tells why it took so long.
  private static func detail(of call: BackendCall) -> String {
    if let failure = call.failure {
      return ", which failed after \(Figures.duration(call.totalNanos)): \(failure.rawValue)"
    }
    let setUps = [("looking up its name", call.dns), ("connecting", call.connect), ("the TLS handshake", call.tls)]
    if let longest = setUps.max(by: { ($0.1?.duration ?? 0) < ($1.1?.duration ?? 0) }), let phase = longest.1,
      Double(phase.duration) >= 0.4 * Double(call.totalNanos)
    {
      return " (\(longest.0) took \(Figures.duration(phase.duration)))"
    }
    guard let first = call.ttfbNanos else { return " (no answer in \(Figures.duration(call.totalNanos)))" }
    let receiving = call.totalNanos - first
    if Double(receiving) >= 0.5 * Double(call.totalNanos) {
      return " (its body took \(Figures.duration(receiving)) to come)"
    }
    return " (first byte after \(Figures.duration(first)))"
  }

  private static func failedCalls(of trace: RequestTrace) -> [String] {
    let failed = trace.backendCalls.filter {
      $0.failure != nil || $0.outcome == .networkError || $0.outcome == .syntheticFailure
    }
    let told = failed.prefix(3).map { call in
      "Backend \(call.name) failed after \(Figures.duration(call.totalNanos)): "
        + "\(call.failure?.rawValue ?? call.outcome.wireName)."
    }
    return told + (failed.count > 3 ? ["\(Figures.count(failed.count - 3, "more backend call")) failed."] : [])
  }

  private static func unasked(of trace: RequestTrace) -> String? {
    let count = trace.backendCalls.count { $0.outcome == .orphaned }
    return count == 0 ? nil : "\(Figures.count(count, "backend call")) went out whose response nobody asked for."
  }

  // MARK: - Everything else

  private static func streaming(of trace: RequestTrace) -> String? {
    guard let flush = trace.headerFlushNanos, trace.wallNanos - flush > 1_000_000, flush < trace.wallNanos / 2 else {
      return nil
    }
    return "The client had the response's head after \(Figures.duration(flush)); the rest was streaming."
  }

  private static func function(of trace: RequestTrace) -> String {
    let samples = trace.guestStacks.samples
    var counts: [String: Int] = [:]
    for sample in samples { counts[trace.guestStacks.table.guestFunction(of: sample.stack), default: 0] += 1 }
    guard let most = counts.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }), most.value * 4 >= samples.count else {
      return ""
    }
    return "; \(Figures.share(Int64(most.value), of: Int64(samples.count))) of the samples are in \(most.key)"
  }

  private static func hostcall(of trace: RequestTrace) -> String {
    let groups = HostcallGroup.groups(of: trace)
    guard let most = groups.max(by: { $0.hostNanoseconds < $1.hostNanoseconds }) else { return "" }
    return ", most of it in \(most.name) (\(Figures.count(most.count, "call")), "
      + "\(Figures.duration(most.hostNanoseconds)))"
  }

  /// The hostcall, and what it touched, in which the guest waited longest for a cause.
  private static func place(of cause: BlockCause, in trace: RequestTrace) -> String {
    guard let span = longestWait(for: cause, in: trace) else { return "" }
    let touched = trace.labels(of: span).map(\.name).filter { !$0.isEmpty }
    return ", longest in \(trace.name(of: span))" + (touched.isEmpty ? "" : " (\(touched.joined(separator: ", ")))")
  }

  private static func longestWait(for cause: BlockCause, in trace: RequestTrace) -> Span? {
    let waits = trace.blocked.filter { $0.cause == cause && $0.inHostcall }
    guard let longest = waits.max(by: { $0.duration < $1.duration }) else { return nil }
    return trace.spans.first { $0.start <= longest.start && longest.start < $0.end }
  }
}
