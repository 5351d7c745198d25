/// Joins the samples of an external profiler to the requests that they belong to.
///
/// A sample belongs to a request when the process is the one that handled it and the sample's time is within the
/// request, ends included. Where several requests were open at that time, the one whose guest was not suspended has it;
/// if several were running, the one that runs on the sample's thread, as far as unambiguous samples tell. What is still
/// ambiguous is left out and counted: a wrong attribution misleads more than a missing sample.
///
/// Complexity: O(samples log samples + spans of running time log the same); without the first part for samples in the
/// order of time.
public struct NativeSampleMerger: Sendable, Hashable {
  /// Only this process; nil takes each trace's own.
  public var processID: Int32?
  /// Only traces of this module, so that samples of before a reload do not land on traces of after it; empty for all.
  public var moduleID: String
  /// Whether samples that do not name their process count as being of the right one.
  public var acceptsUnknownProcess: Bool

  /// - Parameters:
  ///   - processID: Only this process; nil takes each trace's own.
  ///   - moduleID: Only traces of this module; empty for all.
  ///   - acceptsUnknownProcess: Whether samples that do not name their process (`perf script` without `-F +pid`) count
  ///     as being of the right one. Recordings of a whole machine want false.
  public init(processID: Int32? = nil, moduleID: String = "", acceptsUnknownProcess: Bool = true) {
    self.processID = processID
    self.moduleID = moduleID
    self.acceptsUnknownProcess = acceptsUnknownProcess
  }

  /// Adds samples to the finished traces of a store.
  @discardableResult
  public func merge(_ batch: NativeSampleBatch, into store: ProfileStore) -> NativeMergeReport {
    var traces = store.recent()
    let report = merge(batch, into: &traces)
    let changed = Set(report.changedTraces)
    store.replace(traces.lazy.filter { changed.contains($0.id) })
    return report
  }

  /// Adds samples to traces, which keep those they have.
  @discardableResult
  public func merge(_ batch: NativeSampleBatch, into traces: inout [RequestTrace]) -> NativeMergeReport {
    var report = NativeMergeReport()
    let join = NativeSampleJoin(self, traces)
    let owners = join.owners(of: batch, &report)
    let lists = Self.lists(owners, traceCount: traces.count)
    for index in traces.indices {
      let events = lists.events[lists.starts[index]..<lists.starts[index + 1]]
      guard !events.isEmpty else { continue }
      attach(events, of: batch, to: &traces[index])
      report.changedTraces.append(traces[index].id)
    }
    return report
  }

  /// The events of each trace, one trace after the other.
  private static func lists(_ owners: [Int32], traceCount: Int) -> (events: [UInt32], starts: [Int]) {
    var starts = [Int](repeating: 0, count: traceCount + 1)
    for owner in owners where owner >= 0 { starts[Int(owner) + 1] += 1 }
    for index in 0..<traceCount { starts[index + 1] += starts[index] }
    var next = starts
    var events = [UInt32](repeating: 0, count: starts[traceCount])
    for (event, owner) in owners.enumerated() where owner >= 0 {
      events[next[Int(owner)]] = UInt32(event)
      next[Int(owner)] += 1
    }
    return (events, starts)
  }

  private func attach(_ events: ArraySlice<UInt32>, of batch: NativeSampleBatch, to trace: inout RequestTrace) {
    var stacks = StackInterner()
    let earlier = stacks.adopt(trace.nativeStacks.table)
    var samples = trace.nativeStacks.samples.compactMap { sample -> StackSample? in
      guard Int(sample.stack) < earlier.count else { return nil }
      var moved = sample
      moved.stack = UInt32(earlier[Int(sample.stack)])
      return moved
    }
    var copier = StackCopier(from: batch.stacks, moduleName: trace.moduleName)
    for index in events {
      let event = batch.events[Int(index)]
      guard let stack = event.stack else { continue }
      samples.append(
        StackSample(
          relativeNanos: trace.relativeNanos(of: event), stack: copier.copy(stack, into: &stacks),
          weightNanos: event.weightNanos, thread: UInt32(bitPattern: event.threadID ?? 0)))
    }
    if zip(samples, samples.dropFirst()).contains(where: { $0.relativeNanos > $1.relativeNanos }) {
      samples.sort { $0.relativeNanos < $1.relativeNanos }
    }
    trace.nativeStacks = StackProfile(table: stacks.finish(), samples: samples.exactCopy())
    // The in-process sampler's account, if there is one, is of the guest alone and stays.
    guard !trace.guestStacks.samples.contains(where: { $0.weightNanos > 0 }) else { return }
    let cpu = samples.reduce(Int64(0)) { $0.addingReportingOverflow($1.weightNanos).partialValue }
    if cpu > 0 { trace.nativeCPUNanos = cpu }
  }
}

/// What became of the samples of a merge. The first five add up to the number of samples.
public struct NativeMergeReport: Sendable, Hashable, CustomStringConvertible {
  /// Samples that are part of a trace now.
  public var attached = 0
  /// Samples of a time at which no trace was open.
  public var outsideWindow = 0
  /// Samples of other processes, and of the idle one.
  public var otherProcess = 0
  /// Samples that could belong to more than one trace.
  public var ambiguous = 0
  /// Samples without a call chain.
  public var withoutStack = 0
  /// Of those attached, the ones that did not name their process.
  public var unknownProcess = 0
  /// The ids of the traces that got samples.
  public var changedTraces: [UInt64] = []

  public init() {}

  public var description: String {
    var text =
      "\(attached) samples attached to \(changedTraces.count) traces; \(outsideWindow) outside of any request, "
      + "\(otherProcess) of other processes, \(ambiguous) ambiguous"
    if withoutStack > 0 { text += ", \(withoutStack) without a stack" }
    if unknownProcess > 0 { text += "; \(unknownProcess) attached ones name no process (perf script -F +pid does)" }
    return text
  }
}

extension RequestTrace {
  /// The start on a clock in nanoseconds; nil when the trace does not know it.
  func start(on clock: NativeSampleEvent.Clock) -> Int64? {
    switch clock {
    case .realtime: wallStartUnixNanos
    case .monotonic: monotonicStartNanos == 0 ? nil : Int64(clamping: monotonicStartNanos)
    }
  }

  fileprivate func relativeNanos(of event: NativeSampleEvent) -> Int64 {
    min(max(0, event.timestampNanos &- (start(on: event.clock) ?? 0)), max(0, wallNanos))
  }
}

/// Copies single stacks from one table to another, each node once.
private struct StackCopier {
  private let source: StackTable
  private let moduleName: String
  private var frames: [UInt32: UInt32] = [:]
  private var nodes: [UInt32: Int32] = [:]

  init(from source: StackTable, moduleName: String) {
    self.source = source
    self.moduleName = moduleName
  }

  mutating func copy(_ stack: UInt32, into target: inout StackInterner) -> UInt32 {
    if let known = nodes[stack] { return UInt32(known) }
    var path: [UInt32] = []
    var node = Int32(bitPattern: stack)
    var parent: Int32 = -1
    while node >= 0 {
      if let known = nodes[UInt32(node)] {
        parent = known
        break
      }
      path.append(UInt32(node))
      node = source.nodes[Int(node)].parent
    }
    for step in path.reversed() {
      parent = target.node(frame: frame(source.nodes[Int(step)].frame, in: &target), parent: parent)
      nodes[step] = parent
    }
    return UInt32(parent)
  }

  private mutating func frame(_ index: UInt32, in target: inout StackInterner) -> UInt32 {
    if let known = frames[index] { return known }
    var frame = source.frames[Int(index)]
    // External profilers know generated code, not the module that it was generated from.
    if frame.kind == .guest, frame.module.isEmpty { frame.module = moduleName }
    let copied = target.frame(frame)
    frames[index] = copied
    return copied
  }
}
