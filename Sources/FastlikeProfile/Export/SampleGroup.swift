/// The samples of one sampled thread.
struct SampleGroup {
  let name: String
  /// Whether the samples were taken in the process; else they are of an external profiler.
  let isGuest: Bool
  let table: StackTable
  /// In the order of time; every stack is one of the table.
  let samples: [StackSample]

  /// The guest's samples first, then the external profiler's by thread.
  static func groups(of trace: RequestTrace) -> [SampleGroup] {
    var groups: [SampleGroup] = []
    let guest = usable(trace.guestStacks)
    if !guest.isEmpty {
      groups.append(SampleGroup(name: "guest stacks", isGuest: true, table: trace.guestStacks.table, samples: guest))
    }
    let native = Dictionary(grouping: usable(trace.nativeStacks), by: \.thread)
    for (thread, samples) in native.sorted(by: { $0.key < $1.key }) {
      let name = thread == 0 ? "native stacks" : "native stacks of thread \(thread)"
      groups.append(SampleGroup(name: name, isGuest: false, table: trace.nativeStacks.table, samples: samples))
    }
    return groups
  }

  private static func usable(_ profile: StackProfile) -> [StackSample] {
    let nodes = profile.table.nodes.count
    let kept = profile.samples.lazy.filter { Int($0.stack) < nodes }
      .map { sample in
        var sample = sample
        sample.relativeNanos = Interval.bounded(sample.relativeNanos)
        sample.weightNanos = min(max(0, sample.weightNanos), Interval.bound)
        return sample
      }
    return kept.sorted { $0.relativeNanos < $1.relativeNanos }
  }

  /// Whether every sample tells how much CPU time it stands for.
  var isWeighted: Bool { samples.allSatisfy { $0.weightNanos > 0 } }
}

// MARK: - Suspensions

extension SampleGroup {
  /// A sample, or an instant at which the guest was suspended or went on.
  struct Tick {
    let nanos: Int64
    /// Index into the table's nodes; nil from a suspension on, until the next sample tells more.
    let stack: UInt32?
    /// Nanoseconds of CPU since the tick before.
    let cpu: Int64
  }

  /// The samples, and between them the instants at which the guest was suspended. Viewers draw a sample up to the next
  /// one, and without these a function would seem to run while its request waits.
  /// - Parameters:
  ///   - blocked: The suspensions, in the order of their start.
  ///   - resuming: Whether the instants at which the guest went on are there too, for viewers that draw CPU time over
  ///     the time between two ticks.
  func ticks(suspendedAt blocked: [Interval], resuming: Bool = false) -> [Tick] {
    let isWeighted = isWeighted
    var ticks: [Tick] = []
    ticks.reserveCapacity(samples.count + min(samples.count, blocked.count) * (resuming ? 2 : 1))
    var next = blocked.startIndex
    var cpu: Int64 = 0
    for (index, sample) in samples.enumerated() {
      ticks.append(Tick(nanos: sample.relativeNanos, stack: sample.stack, cpu: cpu))
      let following = index + 1 < samples.count ? samples[index + 1] : nil
      let pause = Pause(sample.relativeNanos, following?.relativeNanos ?? .max, blocked, &next)
      let running = following.map { $0.relativeNanos - sample.relativeNanos - pause.suspended } ?? pause.before
      // What the following sample stands for was used between the two, and only while the guest ran.
      let budget = isWeighted ? following?.weightNanos ?? running : running
      func share(_ part: Int64) -> Int64 {
        running > 0 ? running.dividingFullWidth(budget.multipliedFullWidth(by: part)).quotient : 0
      }
      cpu = budget
      guard let start = pause.start else { continue }
      ticks.append(Tick(nanos: start, stack: nil, cpu: share(pause.before)))
      cpu -= share(pause.before)
      guard resuming, let following, pause.end < following.relativeNanos else { continue }
      ticks.append(Tick(nanos: pause.end, stack: nil, cpu: share(pause.between)))
      cpu -= share(pause.between)
    }
    return ticks
  }

  /// The suspensions that begin between two samples, seen as one.
  private struct Pause {
    /// When the first one begins; nil without any.
    private(set) var start: Int64?
    /// When the last one ends, at most the second sample's instant.
    private(set) var end: Int64
    /// Nanoseconds suspended.
    private(set) var suspended: Int64 = 0
    /// Nanoseconds that ran before the first one.
    private(set) var before: Int64 = 0
    /// Nanoseconds that ran between the first one's start and the last one's end.
    var between: Int64 { end - (start ?? end) - suspended }

    /// - Parameter next: Index of the first suspension that was not looked at yet.
    init(_ sample: Int64, _ following: Int64, _ blocked: [Interval], _ next: inout Int) {
      end = sample
      while next < blocked.count, blocked[next].start < sample { next += 1 }
      while next < blocked.count, blocked[next].start < following {
        let begin = max(blocked[next].start, end)
        if start == nil {
          start = begin
          before = begin - sample
        }
        end = min(max(begin, blocked[next].end), following)
        suspended += end - min(begin, end)
        next += 1
      }
    }
  }
}
