/// Writes pprof's `profile.proto` (package `perftools.profiles`), for `go tool pprof` and everything that reads it.
///
/// | column | stacks below `request` | value |
/// |---|---|---|
/// | calls, wall | queue; setup; guest → sampled frames; hostcall → blocked | the wall time, each nanosecond once |
/// | backend_calls, backend | backend → phase | beside the wall time, and more of it when calls overlap |
/// | samples, cpu | guest → sampled frames | stacks sampled in the process |
/// | native_samples, native_cpu | sampled frames | stacks of an external profiler |
///
/// The two kinds of samples have columns of their own because they tell of the same CPU time.
public enum PprofEncoder {
  /// One trace; see ``encode(_:compressed:)-([RequestTrace],_)``.
  public static func encode(_ trace: RequestTrace, compressed: Bool = true) -> [UInt8] {
    encode([trace], compressed: compressed)
  }

  /// Many traces in one profile; the label `request` tells them apart (`-tagfocus`, `-tagroot`).
  /// - Parameter compressed: Whether the file is gzipped, as is usual. A server must not add `Content-Encoding`:
  ///   what is saved has to stay gzipped.
  public static func encode(_ traces: [RequestTrace], compressed: Bool = true) -> [UInt8] {
    let batch = ExportBatch(traces)
    var profile = PprofProfile(types: sampleTypes, standard: "wall")
    for exported in batch.traces { add(exported, to: &profile) }
    let bytes = profile.finish(unixNanos: batch.unixNanos, durationNanos: batch.end)
    return compressed ? Gzip.compress(bytes) ?? bytes : bytes
  }

  /// The columns, in the order of ``Values``.
  static let sampleTypes = [
    ("calls", "count"), ("wall", "nanoseconds"), ("backend_calls", "count"), ("backend", "nanoseconds"),
    ("samples", "count"), ("cpu", "nanoseconds"), ("native_samples", "count"), ("native_cpu", "nanoseconds"),
  ].map { PprofProfile.SampleType(type: $0, unit: $1) }

  private struct Values {
    var calls: Int64 = 0
    var wall: Int64 = 0
    var backendCalls: Int64 = 0
    var backend: Int64 = 0
    var samples: Int64 = 0
    var cpu: Int64 = 0
    var nativeSamples: Int64 = 0
    var nativeCPU: Int64 = 0

    var list: [Int64] { [calls, wall, backendCalls, backend, samples, cpu, nativeSamples, nativeCPU] }
  }

  // MARK: - Samples

  private static func add(_ exported: ExportedTrace, to profile: inout PprofProfile) {
    let trace = exported.trace
    let module = trace.moduleName.isEmpty ? trace.moduleID : trace.moduleName
    profile.beginTrace(
      mapping: (module.isEmpty ? "guest" : module, trace.moduleID),
      labels: [
        ("request", String(trace.id)), ("method", trace.method), ("url", trace.url.description),
        ("status", String(trace.status)), ("outcome", trace.outcome.wireName),
      ])
    let root = profile.location(named: "request")
    let guest = profile.location(named: "guest")
    addWall(exported, root: root, guest: guest, to: &profile)
    addCalls(exported, root: root, to: &profile)
    for group in exported.sampleGroups {
      addSamples(group, below: group.isGuest ? [guest, root] : [root], to: &profile)
    }
    for (name, count) in exported.drops { profile.comment("request \(trace.id): \(name): \(count)") }
    for note in trace.notes { profile.comment("request \(trace.id): \(note.text)") }
  }

  private static func addWall(_ exported: ExportedTrace, root: UInt64, guest: UInt64, to profile: inout PprofProfile) {
    let trace = exported.trace
    let guestTable = exported.sampleGroups.first(where: \.isGuest)?.table ?? .empty
    for part in WallBreakdown(of: exported).parts {
      var values = Values()
      values.wall = part.nanos
      values.calls = Int64(part.calls)
      var labels: [(key: String, value: String)] = []
      let stack: [UInt64]
      switch part.owner {
      case .queue: stack = [profile.location(named: "queue"), root]
      case .setup: stack = [profile.location(named: "setup"), root]
      case .guest: stack = [guest, root]
      case .guestStack(let node): stack = profile.locations(of: node, in: guestTable) + [guest, root]
      case .hostcallsBeyondCap: stack = [profile.location(named: "hostcalls beyond the cap"), root]
      case .blocked(let cause): stack = [profile.location(named: "blocked:\(cause.name)"), root]
      case .hostcall(let hostcall):
        stack = [profile.location(named: "hostcall:\(trace.hostcalls.names[hostcall.slot])"), root]
        labels = hostcallLabels(hostcall, of: trace)
      case .blockedInHostcall(let hostcall, let cause):
        stack = [
          profile.location(named: "blocked:\(cause.name)"),
          profile.location(named: "hostcall:\(trace.hostcalls.names[hostcall.slot])"), root,
        ]
        labels = hostcallLabels(hostcall, of: trace)
      }
      profile.sample(stack: stack, values: values.list, labels: labels)
    }
  }

  private static func hostcallLabels(
    _ hostcall: WallBreakdown.Hostcall, of trace: RequestTrace
  ) -> [(key: String, value: String)] {
    var labels = [hostcall.label0, hostcall.label1].compactMap { trace.label($0) }
      .map { (key: $0.kind.rawValue, value: $0.name) }
    if hostcall.status != 0 { labels.append((key: "hostcall_status", value: String(hostcall.status))) }
    return labels
  }

  /// Calls that look the same in an aggregate.
  private struct CallKind: Hashable {
    let name: String
    let method: String
    let variant: BackendVariant
    let outcome: BackendOutcome
    let failure: BackendFailure?
    let status: Int
  }

  private static func addCalls(_ exported: ExportedTrace, root: UInt64, to profile: inout PprofProfile) {
    var order: [CallKind] = []
    var totals: [CallKind: [BackendPhases.Name: (count: Int64, nanos: Int64)]] = [:]
    for (call, phases) in zip(exported.trace.backendCalls, exported.calls) {
      let kind = CallKind(
        name: call.name, method: call.method, variant: call.variant, outcome: call.outcome, failure: call.failure,
        status: call.status)
      if totals[kind] == nil { order.append(kind) }
      // A call is counted once, with its first phase; one that took no time at all has none.
      let segments = phases.segments
      let first = segments.first?.name ?? .wait
      totals[kind, default: [:]][first, default: (0, 0)].count += 1
      for (name, interval) in segments {
        let sum = totals[kind, default: [:]][name, default: (0, 0)].nanos
        totals[kind, default: [:]][name, default: (0, 0)].nanos = min(Interval.bound, sum + interval.duration)
      }
    }
    for kind in order {
      let backend = profile.location(named: "backend:\(kind.name)")
      var labels: [(key: String, value: String)] = [
        ("backend", kind.name), ("backend_method", kind.method), ("backend_variant", kind.variant.rawValue),
        ("backend_outcome", kind.outcome.wireName), ("backend_status", String(kind.status)),
      ]
      if let failure = kind.failure { labels.append((key: "backend_failure", value: failure.rawValue)) }
      for name in BackendPhases.Name.allCases {
        guard let total = totals[kind]?[name] else { continue }
        var values = Values()
        values.backendCalls = total.count
        values.backend = total.nanos
        let stack = [profile.location(named: "phase:\(name.rawValue)"), backend, root]
        profile.sample(stack: stack, values: values.list, labels: labels)
      }
    }
  }

  private static func addSamples(_ group: SampleGroup, below parents: [UInt64], to profile: inout PprofProfile) {
    var order: [UInt32] = []
    var totals: [UInt32: (count: Int64, nanos: Int64)] = [:]
    for sample in group.samples {
      var total = totals[sample.stack] ?? (0, 0)
      if total.count == 0 { order.append(sample.stack) }
      total.count += 1
      total.nanos = min(Interval.bound, total.nanos + sample.weightNanos)
      totals[sample.stack] = total
    }
    for stack in order {
      guard let total = totals[stack] else { continue }
      var values = Values()
      if group.isGuest {
        values.samples = total.count
        values.cpu = total.nanos
      } else {
        values.nativeSamples = total.count
        values.nativeCPU = total.nanos
      }
      profile.sample(stack: profile.locations(of: stack, in: group.table) + parents, values: values.list, labels: [])
    }
  }
}
