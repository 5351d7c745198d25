/// The packets of a Perfetto trace, and the names, frames and stacks that they refer to by number.
///
/// A trace file is a row of packets, so packets are written in batches, which keeps the messages in memory few. The
/// numbered data has to be known before its use: it is put in front at the end.
struct PerfettoStream {
  /// Texts numbered from 1, as the format wants.
  fileprivate typealias Names = Interned<String, UInt64>

  private struct Frame: Hashable {
    let function: UInt64
    let mapping: UInt64
  }

  /// What a slice or instant tells besides its name.
  struct Event {
    fileprivate var names: Names
    fileprivate var annotations: [PerfettoMessageDebugAnnotation] = []

    mutating func annotate(_ name: String, _ value: String) { annotate(name, .stringValue(value)) }

    mutating func annotate(_ name: String, _ value: Int64) { annotate(name, .intValue(value)) }

    private mutating func annotate(_ name: String, _ value: PerfettoMessageDebugAnnotation.OneOf_Value) {
      var annotation = PerfettoMessageDebugAnnotation()
      annotation.nameIid = names.number(of: name)
      annotation.value = value
      annotations.append(annotation)
    }
  }

  /// One sequence holds the whole file.
  private static let sequence: UInt32 = 1
  private static let stateCleared: UInt32 = 1
  private static let needsState: UInt32 = 2

  private static let batchSize = 4096

  private var bytes: [UInt8] = []
  /// The packets that are not in ``bytes`` yet.
  private var batch = PerfettoMessageTrace()
  private var categories = Names(first: 1)
  private var eventNames = Names(first: 1)
  private var annotationNames = Names(first: 1)
  private var functions = Names(first: 1)
  private var paths = Names(first: 1)
  private var frames = Interned<Frame, UInt64>(first: 1)
  private var callstacks: [PerfettoMessageCallstack] = []

  /// - Parameter capacity: About how many bytes it will be.
  init(reserving capacity: Int) {
    bytes.reserveCapacity(capacity)
    batch.packet.reserveCapacity(Self.batchSize)
  }

  private mutating func append(_ packet: PerfettoMessageTracePacket) {
    batch.packet.append(packet)
    if batch.packet.count == Self.batchSize { writeBatch() }
  }

  private mutating func writeBatch() {
    bytes.append(contentsOf: batch.wireBytes())
    batch.packet.removeAll(keepingCapacity: true)
  }

  // MARK: - Tracks

  mutating func processTrack(_ uuid: UInt64, pid: Int, name: String) {
    var track = PerfettoMessageTrackDescriptor()
    track.uuid = uuid
    track.process.pid = Int32(truncatingIfNeeded: pid)
    track.process.processName = name
    track.childOrdering = .explicit
    append(track)
  }

  mutating func track(_ uuid: UInt64, parent: UInt64, name: String, rank: Int, isCounter: Bool) {
    var track = PerfettoMessageTrackDescriptor()
    track.uuid = uuid
    track.parentUuid = parent
    track.name = name
    if isCounter { track.counter.unit = .sizeBytes }
    track.siblingOrderRank = Int32(truncatingIfNeeded: rank)
    // Tracks of equal name stay apart.
    track.siblingMergeBehavior = .none
    append(track)
  }

  mutating func threadTrack(_ uuid: UInt64, pid: Int, tid: Int, name: String, rank: Int) {
    var track = PerfettoMessageTrackDescriptor()
    track.uuid = uuid
    track.thread.pid = Int32(truncatingIfNeeded: pid)
    track.thread.tid = Int64(tid)
    track.thread.threadName = name
    track.siblingOrderRank = Int32(truncatingIfNeeded: rank)
    append(track)
  }

  private mutating func append(_ track: PerfettoMessageTrackDescriptor) {
    var packet = PerfettoMessageTracePacket()
    packet.trustedPacketSequenceID = Self.sequence
    packet.data = .trackDescriptor(track)
    append(packet)
  }

  // MARK: - Events

  mutating func begin(
    _ track: UInt64, at instant: Int64, _ name: String, category: String, outgoing: [UInt64] = [],
    incoming: [UInt64] = [], _ annotations: (inout Event) -> Void = { _ in }
  ) {
    var event = named(.sliceBegin, track, name, category, annotations)
    event.flowIds = outgoing
    event.terminatingFlowIds = incoming
    append(.trackEvent(event), at: instant)
  }

  mutating func instant(
    _ track: UInt64, at instant: Int64, _ name: String, category: String,
    _ annotations: (inout Event) -> Void = { _ in }
  ) {
    append(.trackEvent(named(.instant, track, name, category, annotations)), at: instant)
  }

  mutating func end(_ track: UInt64, at instant: Int64) {
    var event = PerfettoMessageTrackEvent()
    event.type = .sliceEnd
    event.trackUuid = track
    append(.trackEvent(event), at: instant)
  }

  mutating func counter(_ track: UInt64, at instant: Int64, _ value: Int64) {
    var event = PerfettoMessageTrackEvent()
    event.type = .counter
    event.trackUuid = track
    event.counterValue = value
    append(.trackEvent(event), at: instant)
  }

  private mutating func named(
    _ type: PerfettoMessageTrackEvent.TypeEnum, _ track: UInt64, _ name: String, _ category: String,
    _ annotations: (inout Event) -> Void
  ) -> PerfettoMessageTrackEvent {
    var extra = Event(names: annotationNames)
    // The event holds the only reference to the names meanwhile, so adding one copies nothing.
    annotationNames = Names(first: 1)
    annotations(&extra)
    annotationNames = extra.names
    var event = PerfettoMessageTrackEvent()
    event.type = type
    event.trackUuid = track
    event.nameIid = eventNames.number(of: name)
    event.categoryIids = [categories.number(of: category)]
    event.debugAnnotations = extra.annotations
    return event
  }

  private mutating func append(_ data: PerfettoMessageTracePacket.OneOf_Data, at instant: Int64) {
    var packet = PerfettoMessageTracePacket()
    packet.timestamp = UInt64(max(0, instant))
    packet.trustedPacketSequenceID = Self.sequence
    packet.sequenceFlags = Self.needsState
    packet.data = data
    append(packet)
  }

  // MARK: - Samples

  /// The number of a stack, for ``sample(callstack:at:pid:tid:isKernel:)``.
  mutating func callstack(_ stack: UInt32, in table: StackTable) -> UInt64 {
    var callstack = PerfettoMessageCallstack()
    callstack.iid = UInt64(callstacks.count + 1)
    callstack.frameIds = table.framesLeafFirst(of: stack).reversed()
      .map { frame in
        frames.number(
          of: Frame(
            function: functions.number(of: frame.name),
            mapping: paths.number(of: frame.module.isEmpty ? frame.kind.rawValue : frame.module)))
      }
    callstacks.append(callstack)
    return callstack.iid
  }

  mutating func sample(callstack: UInt64, at instant: Int64, pid: Int, tid: Int, isKernel: Bool) {
    var sample = PerfettoMessagePerfSample()
    sample.pid = UInt32(truncatingIfNeeded: pid)
    sample.tid = UInt32(truncatingIfNeeded: tid)
    sample.callstackIid = callstack
    sample.cpuMode = isKernel ? .modeKernel : .modeUser
    append(.perfSample(sample), at: instant)
  }

  // MARK: - Finishing

  /// - Parameter unixNanos: The wall clock at the stream's zero.
  mutating func finish(unixNanos: Int64) -> [UInt8] {
    writeBatch()
    var clocks = PerfettoMessageTracePacket()
    clocks.trustedPacketSequenceID = Self.sequence
    // Clock 6, in which timestamps are by default, against clock 1, the wall clock.
    clocks.clockSnapshot.clocks = [Self.clock(6, at: 0), Self.clock(1, at: UInt64(max(0, unixNanos)))]
    var names = PerfettoMessageTracePacket()
    names.trustedPacketSequenceID = Self.sequence
    names.sequenceFlags = Self.stateCleared | Self.needsState
    names.internedData = internedData()
    var front = PerfettoMessageTrace()
    front.packet = [clocks, names]
    return front.wireBytes() + bytes
  }

  private static func clock(_ id: UInt32, at nanos: UInt64) -> PerfettoMessageClockSnapshot.Clock {
    var clock = PerfettoMessageClockSnapshot.Clock()
    clock.clockID = id
    clock.timestamp = nanos
    return clock
  }

  private func internedData() -> PerfettoMessageInternedData {
    func messages(_ names: Names) -> [PerfettoMessageInternedName] {
      names.values.enumerated()
        .map { index, text in
          var name = PerfettoMessageInternedName()
          name.iid = UInt64(index + 1)
          name.name = text
          return name
        }
    }
    var interned = PerfettoMessageInternedData()
    interned.eventCategories = messages(categories)
    interned.eventNames = messages(eventNames)
    interned.debugAnnotationNames = messages(annotationNames)
    interned.functionNames = messages(functions)
    interned.mappingPaths = messages(paths)
    interned.mappings = paths.values.indices.map { index in
      let number = UInt64(index + 1)
      var mapping = PerfettoMessageMapping()
      mapping.iid = number
      // Addresses are not known; readers want ranges that are neither empty nor overlap.
      mapping.start = number << 32
      mapping.end = (number + 1) << 32
      mapping.pathStringIds = [number]
      return mapping
    }
    interned.frames = frames.values.enumerated()
      .map { index, frame in
        var message = PerfettoMessageFrame()
        message.iid = UInt64(index + 1)
        message.functionNameID = frame.function
        message.mappingID = frame.mapping
        return message
      }
    interned.callstacks = callstacks
    return interned
  }
}
