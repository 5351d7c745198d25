/// Finds the trace of each sample: one walk over the samples and over the beginnings and ends of requests, both in the
/// order of time, and a second one over the samples that the first could not decide.
struct NativeSampleJoin {
  /// Something that changes which requests are open or running. At an equal time, what begins comes before the samples
  /// and what ends after them.
  private struct Change {
    enum Kind: UInt8 {
      case open = 0
      case resume
      case suspend
      case close
    }

    var time: Int64
    var trace: Int32
    var kind: Kind
  }

  /// The requests of one process that are open or running.
  private struct Scene {
    var openCount = 0
    /// The sum of the indices of the open ones: with one open, its index.
    var openSum = 0
    var running: [Int32] = []
  }

  /// A majority vote over the threads of a trace's samples in constant space.
  private struct Vote {
    var thread: Int32 = 0
    var lead = 0
  }

  /// Most running requests between which the threads may decide.
  private static let maximumCandidates = 16

  private let merger: NativeSampleMerger
  private let traces: [RequestTrace]
  /// Index of each trace's scene; -1 for traces that take no samples.
  private let scenes: [Int32]
  private let sceneOfProcess: [Int32: Int32]
  private let sceneCount: Int

  init(_ merger: NativeSampleMerger, _ traces: [RequestTrace]) {
    self.merger = merger
    self.traces = traces
    var scenes: [Int32] = []
    var sceneOfProcess: [Int32: Int32] = [:]
    scenes.reserveCapacity(traces.count)
    for trace in traces {
      let isOtherProcess = merger.processID.map { trace.processID != 0 && trace.processID != $0 } ?? false
      guard merger.moduleID.isEmpty || trace.moduleID == merger.moduleID, !isOtherProcess else {
        scenes.append(-1)
        continue
      }
      // A trace that does not know its process is of the one that is asked for.
      let process = trace.processID == 0 ? merger.processID ?? 0 : trace.processID
      let scene = sceneOfProcess[process] ?? Int32(sceneOfProcess.count)
      sceneOfProcess[process] = scene
      scenes.append(scene)
    }
    self.scenes = scenes
    self.sceneOfProcess = sceneOfProcess
    sceneCount = sceneOfProcess.count
  }

  /// The index of each event's trace, -1 for none.
  func owners(of batch: NativeSampleBatch, _ report: inout NativeMergeReport) -> [Int32] {
    var owners = [Int32](repeating: -1, count: batch.events.count)
    for clock in [NativeSampleEvent.Clock.monotonic, .realtime] {
      let order = Self.order(of: batch.events, on: clock)
      if order.isEmpty { continue }
      var walk = Walk(join: self, batch: batch, changes: changes(on: clock))
      for index in order { walk.decide(Int(index), &owners, &report) }
      walk.decideByThread(&owners, &report)
    }
    return owners
  }

  /// The indices of the events on a clock in the order of time.
  private static func order(of events: [NativeSampleEvent], on clock: NativeSampleEvent.Clock) -> [UInt32] {
    var order: [UInt32] = []
    var last = Int64.min
    var isSorted = true
    for (index, event) in events.enumerated() where event.clock == clock {
      order.append(UInt32(index))
      if event.timestampNanos < last { isSorted = false }
      last = event.timestampNanos
    }
    if !isSorted { order.sort { events[Int($0)].timestampNanos < events[Int($1)].timestampNanos } }
    return order
  }

  private func changes(on clock: NativeSampleEvent.Clock) -> [Change] {
    var changes: [Change] = []
    for (index, trace) in traces.enumerated() where scenes[index] >= 0 {
      guard let start = trace.start(on: clock) else { continue }
      let number = Int32(index)
      let wall = max(0, trace.wallNanos)
      func instant(_ offset: Int64) -> Int64 {
        let (time, isBeyond) = start.addingReportingOverflow(offset)
        return isBeyond ? .max : time
      }
      changes.append(Change(time: start, trace: number, kind: .open))
      changes.append(Change(time: instant(wall), trace: number, kind: .close))
      for interval in trace.blocked where interval.duration > 0 && interval.start < wall && interval.start >= 0 {
        changes.append(Change(time: instant(interval.start), trace: number, kind: .suspend))
        let (end, isBeyond) = interval.start.addingReportingOverflow(interval.duration)
        if !isBeyond, end < wall { changes.append(Change(time: instant(end), trace: number, kind: .resume)) }
      }
    }
    changes.sort { ($0.time, $0.kind.rawValue, $0.trace) < ($1.time, $1.kind.rawValue, $1.trace) }
    return changes
  }

  /// The state of a walk along one clock.
  private struct Walk {
    private let join: NativeSampleJoin
    private let batch: NativeSampleBatch
    private let changes: [Change]
    private var nextChange = 0
    private var scenes: [Scene]
    /// Each trace's place in its scene's `running`; -1 when it is not running.
    private var places: [Int32]
    private var votes: [Vote]
    private var undecided: [(event: UInt32, firstCandidate: Int)] = []
    private var candidates: [Int32] = []

    init(join: NativeSampleJoin, batch: NativeSampleBatch, changes: [Change]) {
      self.join = join
      self.batch = batch
      self.changes = changes
      scenes = Array(repeating: Scene(), count: join.sceneCount)
      places = Array(repeating: -1, count: join.traces.count)
      votes = Array(repeating: Vote(), count: join.traces.count)
    }

    mutating func decide(_ index: Int, _ owners: inout [Int32], _ report: inout NativeMergeReport) {
      let event = batch.events[index]
      advance(to: event.timestampNanos)
      guard let stack = event.stack, Int(stack) < batch.stacks.nodes.count else {
        report.withoutStack += 1
        return
      }
      guard let among = scenes(of: event) else {
        report.otherProcess += 1
        return
      }
      var open = 0
      var openSum = 0
      var running = 0
      var runner: Int32 = -1
      for scene in among {
        open += scenes[scene].openCount
        openSum += scenes[scene].openSum
        running += scenes[scene].running.count
        runner = scenes[scene].running.first ?? runner
      }
      if open == 0 {
        report.outsideWindow += 1
      } else if open == 1 || running == 1 {
        let owner = open == 1 ? Int32(openSum) : runner
        owners[index] = owner
        count(event, &report)
        if let thread = event.threadID { vote(thread, for: Int(owner)) }
      } else {
        undecided.append((UInt32(index), candidates.count))
        guard event.threadID != nil, running <= NativeSampleJoin.maximumCandidates else { return }
        for scene in among { candidates.append(contentsOf: scenes[scene].running) }
      }
    }

    /// Gives each sample that several running requests could have caused to the only one that runs on its thread.
    mutating func decideByThread(_ owners: inout [Int32], _ report: inout NativeMergeReport) {
      for (number, entry) in undecided.enumerated() {
        let end = number + 1 < undecided.count ? undecided[number + 1].firstCandidate : candidates.count
        let event = batch.events[Int(entry.event)]
        let fitting = candidates[entry.firstCandidate..<end].filter {
          votes[Int($0)].lead > 0 && votes[Int($0)].thread == event.threadID
        }
        guard fitting.count == 1 else {
          report.ambiguous += 1
          continue
        }
        owners[Int(entry.event)] = fitting[0]
        count(event, &report)
      }
    }

    private func count(_ event: NativeSampleEvent, _ report: inout NativeMergeReport) {
      report.attached += 1
      if event.processID == nil { report.unknownProcess += 1 }
    }

    /// The scenes of an event's process; nil when it is of another one.
    private func scenes(of event: NativeSampleEvent) -> Range<Int>? {
      // Thread 0 is the idle one of each processor.
      if event.threadID == 0 { return nil }
      guard let process = event.processID else {
        return join.merger.acceptsUnknownProcess ? 0..<join.sceneCount : nil
      }
      if let wanted = join.merger.processID, process != wanted { return nil }
      if let scene = join.sceneOfProcess[process] { return Int(scene)..<(Int(scene) + 1) }
      // Traces that do not know their process take any.
      if let scene = join.sceneOfProcess[0] { return Int(scene)..<(Int(scene) + 1) }
      return join.merger.processID == nil ? nil : 0..<0
    }

    private mutating func vote(_ thread: Int32, for trace: Int) {
      if votes[trace].lead == 0 { votes[trace].thread = thread }
      votes[trace].lead += votes[trace].thread == thread ? 1 : -1
    }

    private mutating func advance(to time: Int64) {
      while nextChange < changes.count {
        let change = changes[nextChange]
        let isEnding = change.kind == .suspend || change.kind == .close
        guard change.time < time || (change.time == time && !isEnding) else { return }
        nextChange += 1
        let scene = Int(join.scenes[Int(change.trace)])
        switch change.kind {
        case .open:
          scenes[scene].openCount += 1
          scenes[scene].openSum += Int(change.trace)
          run(change.trace, in: scene)
        case .close:
          scenes[scene].openCount -= 1
          scenes[scene].openSum -= Int(change.trace)
          pause(change.trace, in: scene)
        case .resume: run(change.trace, in: scene)
        case .suspend: pause(change.trace, in: scene)
        }
      }
    }

    private mutating func run(_ trace: Int32, in scene: Int) {
      guard places[Int(trace)] < 0 else { return }
      places[Int(trace)] = Int32(scenes[scene].running.count)
      scenes[scene].running.append(trace)
    }

    private mutating func pause(_ trace: Int32, in scene: Int) {
      let place = Int(places[Int(trace)])
      guard place >= 0 else { return }
      let last = scenes[scene].running.removeLast()
      if last != trace {
        scenes[scene].running[place] = last
        places[Int(last)] = Int32(place)
      }
      places[Int(trace)] = -1
    }
  }
}
