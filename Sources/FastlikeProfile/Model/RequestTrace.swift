public import Foundation

/// Everything that was recorded of one request. A value: readers in other threads need no lock.
///
/// Instants are nanoseconds from the trace's start, which is ``wallStartUnixNanos`` on the wall clock and
/// ``monotonicStartNanos`` on the monotonic one.
public struct RequestTrace: Sendable, Hashable, Identifiable {
  /// Counts up from 1 in a process, or from where an archive left off.
  public var id: UInt64
  /// ``ModuleIdentifier`` of the guest.
  public var moduleID: String
  /// A name for people, such as the module's file name; may be empty.
  public var moduleName: String
  /// The process that recorded it.
  public var processID: Int32
  /// The request's method.
  public var method: String
  /// The request's target, without query and user.
  public var url: RedactedURL
  /// The HTTP version of the client's connection, as far as known.
  public var httpVersion: HTTPVersion?
  /// The final status that went to the client; informational ones do not count. 0 when none was sent.
  public var status: Int
  /// Body bytes that went to the client.
  public var responseBytes: Int64
  /// The start in nanoseconds since 1970.
  public var wallStartUnixNanos: Int64
  /// The start on the monotonic clock, in nanoseconds; 0 when not known.
  public var monotonicStartNanos: UInt64
  /// Nanoseconds from start to end.
  public var wallNanos: Int64
  /// When the response's head left; nil when none did.
  public var headerFlushNanos: Int64?
  /// When the connection was taken over (websocket); nil when it was not.
  public var hijackedNanos: Int64?
  /// CPU nanoseconds of the request by sampling; nil without samples that tell.
  public var nativeCPUNanos: Int64?
  /// Instructions that the guest executed, in Wasmtime's units of fuel, which are the same on every machine; nil where they were
  /// not counted.
  public var guestFuel: Int64?
  /// Who owns each nanosecond of ``wallNanos``.
  public var time: TimeAccount
  /// Nanoseconds in hostcalls, blocked time and hostcalls without a span included.
  public var hostcallNanos: Int64
  /// The names behind ``Span/hostcall``.
  public var hostcalls: HostcallNameTable
  /// The labels behind ``Span/label0`` and ``Span/label1``; the first is ``TraceLabel/none``.
  public var labels: [TraceLabel]
  /// The hostcalls, in the order of their start.
  public var spans: [Span]
  /// The backend calls, in the order of their start. They may overlap.
  public var backendCalls: [BackendCall]
  /// The suspensions, in the order of their start.
  public var blocked: [BlockedInterval]
  /// Stacks sampled in the process.
  public var guestStacks: StackProfile
  /// Stacks of an external profiler, joined after the fact.
  public var nativeStacks: StackProfile
  /// Hostcalls beyond the cap.
  public var droppedSpans: Int
  /// Backend calls beyond the cap.
  public var droppedBackendCalls: Int
  /// Suspensions beyond the cap; their time is in ``time`` all the same.
  public var droppedBlockedIntervals: Int
  /// In-process stack samples beyond the cap.
  public var droppedGuestSamples: Int
  /// Growths of the guest's memory; where its stacks are sampled.
  public var memoryGrowth: [MemoryGrowth]
  /// Growths beyond the cap.
  public var droppedMemoryGrowth: Int
  /// How it ended.
  public var outcome: TraceOutcome
  /// Remarks of the host.
  public var notes: [TraceNote]
  /// Only in ``ProfileMode/deep``.
  public var deep: DeepMetrics?
  /// The place in a distributed trace; nil where traces are not joined to others.
  public var context: TraceContext?

  public init(
    id: UInt64, moduleID: String = "", moduleName: String = "", processID: Int32 = 0, method: String = "GET",
    url: RedactedURL = RedactedURL(), httpVersion: HTTPVersion? = nil, status: Int = 0, responseBytes: Int64 = 0,
    wallStartUnixNanos: Int64 = 0, monotonicStartNanos: UInt64 = 0, wallNanos: Int64 = 0,
    headerFlushNanos: Int64? = nil, hijackedNanos: Int64? = nil, nativeCPUNanos: Int64? = nil, guestFuel: Int64? = nil,
    time: TimeAccount = TimeAccount(), hostcallNanos: Int64 = 0, hostcalls: HostcallNameTable = .empty,
    labels: [TraceLabel] = [.none], spans: [Span] = [], backendCalls: [BackendCall] = [],
    blocked: [BlockedInterval] = [], guestStacks: StackProfile = .empty, nativeStacks: StackProfile = .empty,
    droppedSpans: Int = 0, droppedBackendCalls: Int = 0, droppedBlockedIntervals: Int = 0,
    droppedGuestSamples: Int = 0, memoryGrowth: [MemoryGrowth] = [], droppedMemoryGrowth: Int = 0,
    outcome: TraceOutcome = .normal, notes: [TraceNote] = [], deep: DeepMetrics? = nil,
    context: TraceContext? = nil
  ) {
    self.id = id
    self.moduleID = moduleID
    self.moduleName = moduleName
    self.processID = processID
    self.method = PrintableText.method(method)
    self.url = url
    self.httpVersion = httpVersion
    self.status = status
    self.responseBytes = responseBytes
    self.wallStartUnixNanos = wallStartUnixNanos
    self.monotonicStartNanos = monotonicStartNanos
    self.wallNanos = wallNanos
    self.headerFlushNanos = headerFlushNanos
    self.hijackedNanos = hijackedNanos
    self.nativeCPUNanos = nativeCPUNanos
    self.guestFuel = guestFuel
    self.time = time
    self.hostcallNanos = hostcallNanos
    self.hostcalls = hostcalls
    self.labels = labels
    self.spans = spans
    self.backendCalls = backendCalls
    self.blocked = blocked
    self.guestStacks = guestStacks
    self.nativeStacks = nativeStacks
    self.droppedSpans = droppedSpans
    self.droppedBackendCalls = droppedBackendCalls
    self.droppedBlockedIntervals = droppedBlockedIntervals
    self.droppedGuestSamples = droppedGuestSamples
    self.memoryGrowth = memoryGrowth
    self.droppedMemoryGrowth = droppedMemoryGrowth
    self.outcome = outcome
    self.notes = notes
    self.deep = deep
    self.context = context
  }
}

extension RequestTrace {
  /// The start on the wall clock, to the precision of `Date`.
  public var wallStart: Date { Date(timeIntervalSince1970: Double(wallStartUnixNanos) / 1e9) }

  /// Nanoseconds in which the guest ran.
  public var guestActiveNanos: Int64 { time.guest }

  /// The name of a span's hostcall, module included.
  public func name(of span: Span) -> String { hostcalls.name(at: span.hostcall) }

  /// The label at an index of a span; nil for 0 and for an index that the trace does not have.
  public func label(_ index: UInt32) -> TraceLabel? {
    index > 0 && Int(index) < labels.count ? labels[Int(index)] : nil
  }

  /// The labels of a span: none, one or two.
  public func labels(of span: Span) -> [TraceLabel] { [label(span.label0), label(span.label1)].compactMap { $0 } }

  /// The samples of external profilers with their functions named.
  ///
  /// Complexity: O(samples × depth). Encoders walk ``nativeStacks`` instead.
  public var nativeSamples: [NativeSample] {
    nativeStacks.samples.map { sample in
      NativeSample(
        relativeNanos: sample.relativeNanos, function: nativeStacks.table.guestFunction(of: sample.stack),
        stack: nativeStacks.table.framesLeafFirst(of: sample.stack))
    }
  }

  /// Whether something was left out because of a cap.
  public var isTruncated: Bool {
    droppedSpans + droppedBackendCalls + droppedBlockedIntervals + droppedGuestSamples + droppedMemoryGrowth > 0
      || (deep?.heapSamplesDropped ?? 0) > 0
  }

  /// ``nativeCPUNanos`` where it tells something of this request alone. A sample stands for the time since the one before it, so those
  /// of a request that is shorter say only together with others' what was computed.
  public var tellingCPUNanos: Int64? { nativeCPUNanos.flatMap { $0 <= wallNanos ? $0 : nil } }

  /// Whether the request failed or was answered with a server error.
  public var isError: Bool { outcome != .normal || status >= 500 }
}

/// A request that is being handled, at an instant.
public struct InFlightRequest: Sendable, Hashable, Identifiable {
  public var id: UInt64
  public var moduleID: String
  public var method: String
  public var url: RedactedURL
  /// The start in nanoseconds since 1970.
  public var wallStartUnixNanos: Int64
  /// The name of the hostcall that is open; nil while the guest runs.
  public var hostcall: String?
  /// What the guest waits for; nil while it does not.
  public var blockedOn: BlockCause?

  public init(
    id: UInt64, moduleID: String, method: String, url: RedactedURL, wallStartUnixNanos: Int64, hostcall: String? = nil,
    blockedOn: BlockCause? = nil
  ) {
    self.id = id
    self.moduleID = moduleID
    self.method = method
    self.url = url
    self.wallStartUnixNanos = wallStartUnixNanos
    self.hostcall = hostcall
    self.blockedOn = blockedOn
  }
}
