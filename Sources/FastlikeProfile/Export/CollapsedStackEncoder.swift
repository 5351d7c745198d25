/// Writes collapsed stacks: one line for each distinct stack, frames from the root on, then a whole number.
/// flamegraph.pl, inferno, speedscope and Firefox Profiler read it.
public enum CollapsedStackEncoder {
  /// What the numbers count. One file has one unit, and overlapping backend calls would make the wall time count twice,
  /// so each has a file of its own.
  public enum Measure: String, Sendable, CaseIterable {
    /// Microseconds of wall time: queue, setup, guest with its sampled stacks, hostcalls, blocked time by cause.
    case wall
    /// Microseconds of backend calls by phase, which may overlap.
    case backends
    /// Stacks sampled in the process: microseconds of CPU time, or the number of samples when one of them does not tell
    /// its time.
    case guest
    /// Stacks of an external profiler: the same.
    case native
  }

  /// One trace; see ``encode(_:measure:)-([RequestTrace],_)``.
  public static func encode(_ trace: RequestTrace, measure: Measure = .wall) -> [UInt8] {
    encode([trace], measure: measure)
  }

  /// Many traces, whose equal stacks are added up. Lines are sorted; a file without a stack is empty.
  public static func encode(_ traces: [RequestTrace], measure: Measure = .wall) -> [UInt8] {
    let batch = ExportBatch(traces)
    var stacks = Stacks()
    switch measure {
    case .wall: for exported in batch.traces { addWall(exported, to: &stacks) }
    case .backends: for exported in batch.traces { addCalls(exported, to: &stacks) }
    case .guest: addSamples(batch.traces.flatMap(\.sampleGroups).filter(\.isGuest), to: &stacks)
    case .native: addSamples(batch.traces.flatMap(\.sampleGroups).filter { !$0.isGuest }, to: &stacks)
    }
    return stacks.finish()
  }

  private static func addWall(_ exported: ExportedTrace, to stacks: inout Stacks) {
    let names = exported.trace.hostcalls.names
    let guestTable = exported.sampleGroups.first(where: \.isGuest)?.table ?? .empty
    for part in WallBreakdown(of: exported).parts {
      let frames: [String]
      switch part.owner {
      case .queue: frames = ["queue"]
      case .setup: frames = ["setup"]
      case .guest: frames = ["guest"]
      case .guestStack(let node): frames = ["guest"] + Self.frames(of: node, in: guestTable)
      case .hostcall(let hostcall): frames = ["hostcall:\(names[hostcall.slot])"]
      case .blockedInHostcall(let hostcall, let cause):
        frames = ["hostcall:\(names[hostcall.slot])", "blocked:\(cause.name)"]
      case .blocked(let cause): frames = ["blocked:\(cause.name)"]
      case .hostcallsBeyondCap: frames = ["hostcalls beyond the cap"]
      }
      stacks.add(["request"] + frames, part.nanos)
    }
  }

  private static func addCalls(_ exported: ExportedTrace, to stacks: inout Stacks) {
    for (call, phases) in zip(exported.trace.backendCalls, exported.calls) {
      for (name, interval) in phases.segments {
        stacks.add(["backend calls", "backend:\(call.name)", "phase:\(name.rawValue)"], interval.duration)
      }
    }
  }

  private static func addSamples(_ groups: [SampleGroup], to stacks: inout Stacks) {
    stacks.countsNanoseconds = groups.allSatisfy(\.isWeighted)
    for group in groups {
      var totals: [UInt32: Int64] = [:]
      for sample in group.samples {
        let amount = stacks.countsNanoseconds ? sample.weightNanos : 1
        totals[sample.stack] = min(Interval.bound, totals[sample.stack, default: 0] + amount)
      }
      for (stack, amount) in totals { stacks.add(frames(of: stack, in: group.table), amount) }
    }
  }

  /// From the root on. The endings are the ones that flame graphs colour.
  private static func frames(of stack: UInt32, in table: StackTable) -> [String] {
    table.framesLeafFirst(of: stack).reversed()
      .map { frame in
        if frame.isInlined { return frame.name + "_[i]" }
        return frame.kind == .kernel ? frame.name + "_[k]" : frame.name
      }
  }

  /// Lines that are added up.
  struct Stacks {
    /// Else amounts are counts already.
    var countsNanoseconds = true
    private var amounts: [String: Int64] = [:]

    mutating func add(_ frames: [String], _ amount: Int64) {
      guard amount > 0 else { return }
      let line = frames.map(Self.plain).joined(separator: ";")
      amounts[line] = min(Interval.bound, amounts[line, default: 0] + amount)
    }

    /// Microseconds keep totals moderate, since one reader makes a sample of each unit. Less than one is written as
    /// one: no stack may vanish.
    func finish() -> [UInt8] {
      var bytes: [UInt8] = []
      for (line, amount) in amounts.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
        let count = countsNanoseconds ? max(1, (amount + 500) / 1000) : amount
        bytes.append(contentsOf: "\(line) \(count)\n".utf8)
      }
      return bytes
    }

    /// A frame's name without what separates frames and lines.
    private static func plain(_ name: String) -> String {
      guard name.utf8.contains(where: { $0 == UInt8(ascii: ";") || $0 < 0x20 || $0 == 0x7F }) || name.isEmpty else {
        return name
      }
      if name.isEmpty { return "unknown" }
      let bytes = name.utf8.map { byte in
        if byte == UInt8(ascii: ";") { return UInt8(ascii: ":") }
        return byte < 0x20 || byte == 0x7F ? UInt8(ascii: " ") : byte
      }
      return String(decoding: bytes, as: UTF8.self)
    }
  }
}
