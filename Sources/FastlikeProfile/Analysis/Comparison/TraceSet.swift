/// The figures of many requests, small enough to keep those of a hundred thousand: what is left of their traces for a
/// comparison.
public struct TraceSet: Sendable {
  /// The values of a figure, for the requests that have it.
  struct Column: Sendable {
    /// Numbers of requests in the order in which they were added.
    var requests: [UInt32] = []
    var values: [Double] = []
    /// How often it happened in each: calls, samples.
    var counts: [UInt32] = []
    /// How often it happened in all of them together: calls, samples.
    var uses = 0
    var total = 0.0
  }

  /// What the set is called, for people.
  public let name: String
  /// When each request began, in nanoseconds since 1970, in the order in which they were added.
  let starts: [Int64]
  let columns: [TraceFigure: Column]
  /// Whether every sample of a guest's stack tells how much CPU time it stands for.
  let hasTimedSamples: Bool

  /// How many requests it holds.
  public var count: Int { starts.count }

  /// Requests that were left out since a cap had cut their traces, whose counts would be too low.
  public let truncated: Int

  /// Adds requests up one by one.
  ///
  /// Complexity: O(spans + calls + samples × depth) a request
  public struct Builder: Sendable {
    private let name: String
    private var starts: [Int64] = []
    private var figures: [TraceFigure: Int] = [:]
    private var columns: [Column] = []
    private var hasTimedSamples = true
    private var truncated = 0

    public init(name: String) { self.name = name }

    public mutating func add(_ trace: RequestTrace) {
      let number = UInt32(starts.count)
      starts.append(trace.wallStartUnixNanos)
      if trace.isTruncated { truncated += 1 }
      addWhole(trace, number)
      add(.init(.route, TraceRoute(of: trace).description), Double(trace.wallNanos), number)
      addHostcalls(trace, number)
      addBackends(trace, number)
      addFunctions(trace, number)
    }

    public consuming func finish() -> TraceSet {
      TraceSet(
        name: name, starts: starts, columns: figures.mapValues { columns[$0] }, hasTimedSamples: hasTimedSamples,
        truncated: truncated)
    }

    private mutating func add(_ figure: TraceFigure, _ value: Double, _ number: UInt32, uses: Int = 1) {
      let index: Int
      if let known = figures[figure] {
        index = known
      } else {
        index = columns.count
        figures[figure] = index
        columns.append(Column())
      }
      columns[index].requests.append(number)
      columns[index].values.append(value)
      columns[index].counts.append(UInt32(clamping: uses))
      columns[index].uses += uses
      columns[index].total += value
    }

    private mutating func addWhole(_ trace: RequestTrace, _ number: UInt32) {
      let time = trace.time
      add(.wall, Double(trace.wallNanos), number)
      add(.guest, Double(time.guest), number)
      add(.host, Double(time.host), number)
      add(.waiting, Double(time.blocked.total), number)
      add(.start, Double(time.queue) + Double(time.setup), number)
      if let cpu = trace.tellingCPUNanos { add(.cpu, Double(cpu), number) }
      if let fuel = trace.guestFuel { add(.fuel, Double(fuel), number) }
      add(.errors, trace.isError ? 1 : 0, number)
      add(.hostcalls, Double(trace.spans.count + trace.droppedSpans), number)
      add(.backendCalls, Double(trace.backendCalls.count + trace.droppedBackendCalls), number)
      add(.backendBytes, trace.backendCalls.reduce(0) { $0 + $1.bytes }, number)
      add(.responseBytes, Double(trace.responseBytes), number)
      if let memory = trace.deep?.heapAggregates.max, memory > 0 { add(.memory, Double(memory), number) }
    }

    private mutating func addHostcalls(_ trace: RequestTrace, _ number: UInt32) {
      var groups: [UInt16: (nanoseconds: Double, calls: Int)] = [:]
      for span in trace.spans {
        let group = groups[span.hostcall] ?? (0, 0)
        groups[span.hostcall] = (group.nanoseconds + Double(max(0, span.duration)), group.calls + 1)
      }
      for (hostcall, group) in groups {
        add(.init(.hostcall, trace.hostcalls.name(at: hostcall)), group.nanoseconds, number, uses: group.calls)
      }
    }

    private mutating func addBackends(_ trace: RequestTrace, _ number: UInt32) {
      var groups: [String: (nanoseconds: Double, calls: Int)] = [:]
      for call in trace.backendCalls {
        let group = groups[call.name] ?? (0, 0)
        groups[call.name] = (group.nanoseconds + Double(max(0, call.totalNanos)), group.calls + 1)
      }
      for (name, group) in groups { add(.init(.backend, name), group.nanoseconds, number, uses: group.calls) }
    }

    private mutating func addFunctions(_ trace: RequestTrace, _ number: UInt32) {
      let profile = trace.guestStacks.isEmpty ? trace.nativeStacks : trace.guestStacks
      guard !profile.isEmpty else { return }
      var groups: [UInt32: (nanoseconds: Double, samples: Int)] = [:]
      for sample in profile.samples where Int(sample.stack) < profile.table.nodes.count {
        if sample.weightNanos <= 0 { hasTimedSamples = false }
        let frame = profile.table.nodes[Int(sample.stack)].frame
        let group = groups[frame] ?? (0, 0)
        groups[frame] = (group.nanoseconds + Double(max(0, sample.weightNanos)), group.samples + 1)
      }
      var byName: [String: (nanoseconds: Double, samples: Int)] = [:]
      for (frame, group) in groups {
        let known = byName[profile.table.frames[Int(frame)].name] ?? (0, 0)
        byName[profile.table.frames[Int(frame)].name] = (
          known.nanoseconds + group.nanoseconds, known.samples + group.samples
        )
      }
      for (name, group) in byName {
        add(.init(.function, name), group.nanoseconds, number, uses: group.samples)
      }
    }
  }
}

extension BackendCall {
  /// Bytes of heads and bodies in both directions.
  var bytes: Double {
    Double(requestHeaderBytes) + Double(requestBodyBytes) + Double(responseHeaderBytes) + Double(responseBodyBytes)
  }
}
