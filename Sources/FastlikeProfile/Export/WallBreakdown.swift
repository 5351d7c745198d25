/// A request's wall time cut into parts that do not overlap and whose sum is the ``TimeAccount``'s: what aggregating
/// formats (pprof, collapsed stacks) need so that no nanosecond counts twice. Backend calls run beside it and have no
/// part in it; the time for which a hostcall waited for one does.
struct WallBreakdown {
  /// Hostcalls that an aggregate does not tell apart.
  struct Hostcall: Hashable {
    /// Index into the names of ``RequestTrace/hostcalls``.
    let slot: Int
    let label0: UInt32
    let label1: UInt32
    let status: Int32
  }

  /// The owner of a part, from the request inwards.
  enum Owner: Hashable {
    case queue
    case setup
    /// The guest itself, where no sample tells more.
    case guest
    /// A sampled stack of the guest, as index of its node.
    case guestStack(UInt32)
    /// The host's work in hostcalls.
    case hostcall(Hostcall)
    /// Suspended in hostcalls.
    case blockedInHostcall(Hostcall, BlockCause)
    /// Suspended outside of hostcalls, or where the hostcall was not recorded.
    case blocked(BlockCause)
    /// The host's work in hostcalls beyond the cap of spans.
    case hostcallsBeyondCap
  }

  struct Part {
    let owner: Owner
    let nanos: Int64
    /// How many hostcalls; 0 for everything else.
    let calls: Int
  }

  /// In a fixed order: parts of hostcalls by their first call.
  private(set) var parts: [Part] = []

  init(of exported: ExportedTrace) {
    let trace = exported.trace
    let account = Self.account(of: exported)
    add(.queue, account.queue)
    add(.setup, account.setup)
    addGuest(account.guest, exported)

    var entries = HostcallEntries()
    let entryOfSpan = trace.spans.map { span in
      entries.index(
        of: Hostcall(
          slot: exported.hostcallSlot(of: span), label0: span.label0, label1: span.label1, status: span.status))
    }
    var blockedRest = account.blocked
    var unexplained = trace.spans.map { max(0, $0.blocked) }
    for (index, interval) in trace.blocked.enumerated() where interval.inHostcall {
      guard let span = exported.span(at: exported.blocked[index].start) else { continue }
      let taken = min(exported.blocked[index].duration, unexplained[span], blockedRest[interval.cause])
      unexplained[span] -= taken
      blockedRest[interval.cause] -= taken
      entries.blocked[entryOfSpan[span]][interval.cause] += taken
    }
    var hostRest = account.host
    for (index, entry) in entryOfSpan.enumerated() {
      let host = min(max(0, exported.spans[index].duration - max(0, trace.spans[index].blocked)), hostRest)
      hostRest -= host
      entries.host[entry] += host
      entries.calls[entry] += 1
    }
    for (index, hostcall) in entries.hostcalls.enumerated() {
      parts.append(Part(owner: .hostcall(hostcall), nanos: entries.host[index], calls: entries.calls[index]))
      for cause in BlockCause.allCases { add(.blockedInHostcall(hostcall, cause), entries.blocked[index][cause]) }
    }
    add(.hostcallsBeyondCap, hostRest)
    for cause in BlockCause.allCases { add(.blocked(cause), blockedRest[cause]) }
  }

  private struct HostcallEntries {
    private(set) var hostcalls: [Hostcall] = []
    private var indices: [Hostcall: Int] = [:]
    var host: [Int64] = []
    var blocked: [BlockedTime] = []
    var calls: [Int] = []

    mutating func index(of hostcall: Hostcall) -> Int {
      if let known = indices[hostcall] { return known }
      indices[hostcall] = hostcalls.count
      hostcalls.append(hostcall)
      host.append(0)
      blocked.append(BlockedTime())
      calls.append(0)
      return hostcalls.count - 1
    }
  }

  private mutating func add(_ owner: Owner, _ nanos: Int64) {
    if nanos > 0 { parts.append(Part(owner: owner, nanos: nanos, calls: 0)) }
  }

  /// The recorded account, closed over the wall time. Traces of writers that keep none get one from their spans.
  private static func account(of exported: ExportedTrace) -> TimeAccount {
    let trace = exported.trace
    var measured = trace.time
    if measured == TimeAccount() {
      for (index, span) in trace.spans.enumerated() {
        measured.host = min(
          Interval.bound, measured.host + max(0, exported.spans[index].duration - max(0, span.blocked)))
      }
      for (index, interval) in trace.blocked.enumerated() {
        measured.blocked[interval.cause] = min(
          Interval.bound, measured.blocked[interval.cause] + exported.blocked[index].duration)
      }
    }
    return TimeAccount(
      closing: exported.wall.duration, queue: measured.queue, setup: measured.setup, host: measured.host,
      blocked: measured.blocked, blockedInHostcalls: measured.blockedInHostcalls)
  }

  /// Gives the guest's time to its sampled stacks. Samples that tell their CPU time get it, shrunk when they claim more
  /// than there was; others share all of it evenly.
  private mutating func addGuest(_ guest: Int64, _ exported: ExportedTrace) {
    guard guest > 0, let group = exported.sampleGroups.first(where: \.isGuest) else { return add(.guest, guest) }
    let isWeighted = group.isWeighted
    var weights: [UInt32: Int64] = [:]
    var order: [UInt32] = []
    var total: Int64 = 0
    for sample in group.samples {
      if weights[sample.stack] == nil { order.append(sample.stack) }
      // Bounded so that the sum of all samples stays below 2^63.
      let weight = isWeighted ? min(sample.weightNanos, Int64.max / Int64(group.samples.count)) : 1
      weights[sample.stack, default: 0] += weight
      total += weight
    }
    var rest = guest
    for stack in order {
      var nanos = weights[stack, default: 0]
      if !isWeighted || total > guest {
        let product = nanos.multipliedFullWidth(by: guest)
        nanos = total.dividingFullWidth(product).quotient
      }
      add(.guestStack(stack), nanos)
      rest -= nanos
    }
    add(.guest, rest)
  }
}
