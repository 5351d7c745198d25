/// The packets of a Perfetto trace, and the names, frames and stacks that they refer to by number.
///
/// Field numbers are those of `perfetto/trace/trace_packet.proto`, `track_event/*.proto`,
/// `interned_data/interned_data.proto` and `profiling/*.proto`. The numbered data has to be known before its use, so it
/// is written in front at the end.
struct PerfettoStream {
  private enum Packet {
    static let clockSnapshot = 6
    static let timestamp = 8
    static let sequenceID = 10
    static let trackEvent = 11
    static let internedData = 12
    static let sequenceFlags = 13
    static let trackDescriptor = 60
    static let perfSample = 66
  }

  private enum EventType {
    static let sliceBegin: UInt64 = 1
    static let sliceEnd: UInt64 = 2
    static let instant: UInt64 = 3
    static let counter: UInt64 = 4
  }

  /// Texts numbered from 1, as the format wants.
  fileprivate typealias Names = Interned<String, UInt64>

  private struct Frame: Hashable {
    let function: UInt64
    let mapping: UInt64
  }

  /// What a slice or instant tells besides its name.
  struct Event {
    fileprivate var names: Names
    fileprivate var encoded = ProtobufWriter()

    mutating func annotate(_ name: String, _ value: String) {
      let number = names.number(of: name)
      encoded.message(4) { annotation in
        annotation.unsigned(1, number)
        annotation.string(6, value)
      }
    }

    mutating func annotate(_ name: String, _ value: Int64) {
      let number = names.number(of: name)
      encoded.message(4) { annotation in
        annotation.unsigned(1, number)
        annotation.signed(4, value)
      }
    }
  }

  /// One sequence holds the whole file.
  private static let sequence: UInt64 = 1
  private static let stateCleared: UInt64 = 1
  private static let needsState: UInt64 = 2

  private var packets: ProtobufWriter
  private var categories = Names(first: 1)
  private var eventNames = Names(first: 1)
  private var annotationNames = Names(first: 1)
  private var functions = Names(first: 1)
  private var paths = Names(first: 1)
  private var frames = Interned<Frame, UInt64>(first: 1)
  private var callstacks: [[UInt64]] = []

  init(reserving capacity: Int) { packets = ProtobufWriter(reserving: capacity) }

  // MARK: - Tracks

  mutating func processTrack(_ uuid: UInt64, pid: Int, name: String) {
    descriptor(uuid) { track in
      track.message(3) { process in
        process.signed(1, Int64(pid))
        process.string(6, name)
      }
      // Children in the order of their rank.
      track.unsigned(11, 3)
    }
  }

  mutating func track(_ uuid: UInt64, parent: UInt64, name: String, rank: Int, isCounter: Bool) {
    descriptor(uuid) { track in
      track.unsigned(5, parent)
      track.string(2, name)
      // The unit is bytes.
      if isCounter { track.message(8) { $0.unsigned(3, 3) } }
      track.signed(12, Int64(rank))
      // Tracks of equal name stay apart.
      track.unsigned(15, 2)
    }
  }

  mutating func threadTrack(_ uuid: UInt64, pid: Int, tid: Int, name: String, rank: Int) {
    descriptor(uuid) { track in
      track.message(4) { thread in
        thread.signed(1, Int64(pid))
        thread.signed(2, Int64(tid))
        thread.string(5, name)
      }
      track.signed(12, Int64(rank))
    }
  }

  private mutating func descriptor(_ uuid: UInt64, _ body: (inout ProtobufWriter) -> Void) {
    packets.message(1) { packet in
      packet.message(Packet.trackDescriptor) { track in
        track.unsigned(1, uuid)
        body(&track)
      }
      packet.unsigned(Packet.sequenceID, Self.sequence)
    }
  }

  // MARK: - Events

  mutating func begin(
    _ track: UInt64, at instant: Int64, _ name: String, category: String, outgoing: [UInt64] = [],
    incoming: [UInt64] = [], _ annotations: (inout Event) -> Void = { _ in }
  ) {
    named(EventType.sliceBegin, track, at: instant, name, category, outgoing, incoming, annotations)
  }

  mutating func instant(
    _ track: UInt64, at instant: Int64, _ name: String, category: String,
    _ annotations: (inout Event) -> Void = { _ in }
  ) {
    named(EventType.instant, track, at: instant, name, category, [], [], annotations)
  }

  mutating func end(_ track: UInt64, at instant: Int64) {
    event(at: instant) { event in
      event.unsigned(9, EventType.sliceEnd)
      event.unsigned(11, track)
    }
  }

  mutating func counter(_ track: UInt64, at instant: Int64, _ value: Int64) {
    event(at: instant) { event in
      event.unsigned(9, EventType.counter)
      event.unsigned(11, track)
      event.signed(30, value)
    }
  }

  private mutating func named(
    _ type: UInt64, _ track: UInt64, at instant: Int64, _ name: String, _ category: String, _ outgoing: [UInt64],
    _ incoming: [UInt64], _ annotations: (inout Event) -> Void
  ) {
    var extra = Event(names: annotationNames)
    // The event holds the only reference to the names meanwhile, so adding one copies nothing.
    annotationNames = Names(first: 1)
    annotations(&extra)
    annotationNames = extra.names
    let nameNumber = eventNames.number(of: name)
    let categoryNumber = categories.number(of: category)
    event(at: instant) { event in
      event.unsigned(9, type)
      event.unsigned(11, track)
      event.unsigned(10, nameNumber)
      event.unsigned(3, categoryNumber)
      event.append(extra.encoded.bytes)
      for flow in outgoing { event.fixed64(47, flow) }
      for flow in incoming { event.fixed64(48, flow) }
    }
  }

  private mutating func event(at instant: Int64, _ body: (inout ProtobufWriter) -> Void) {
    packet(at: instant) { $0.message(Packet.trackEvent, body) }
  }

  private mutating func packet(at instant: Int64, _ body: (inout ProtobufWriter) -> Void) {
    packets.message(1) { packet in
      packet.unsigned(Packet.timestamp, UInt64(max(0, instant)))
      body(&packet)
      packet.unsigned(Packet.sequenceID, Self.sequence)
      packet.unsigned(Packet.sequenceFlags, Self.needsState)
    }
  }

  // MARK: - Samples

  /// The number of a stack, for ``sample(callstack:at:pid:tid:isKernel:)``.
  mutating func callstack(_ stack: UInt32, in table: StackTable) -> UInt64 {
    let numbers = table.framesLeafFirst(of: stack).reversed()
      .map { frame in
        frames.number(
          of: Frame(
            function: functions.number(of: frame.name),
            mapping: paths.number(of: frame.module.isEmpty ? frame.kind.rawValue : frame.module)))
      }
    callstacks.append(numbers)
    return UInt64(callstacks.count)
  }

  mutating func sample(callstack: UInt64, at instant: Int64, pid: Int, tid: Int, isKernel: Bool) {
    packet(at: instant) { packet in
      packet.message(Packet.perfSample) { sample in
        sample.unsigned(2, UInt64(pid))
        sample.unsigned(3, UInt64(tid))
        sample.unsigned(4, callstack)
        // 1 is the kernel, 2 user space.
        sample.unsigned(5, isKernel ? 1 : 2)
      }
    }
  }

  // MARK: - Finishing

  /// - Parameter unixNanos: The wall clock at the stream's zero.
  mutating func finish(unixNanos: Int64) -> [UInt8] {
    var front = ProtobufWriter()
    front.message(1) { packet in
      packet.message(Packet.clockSnapshot) { snapshot in
        // Clock 6, in which timestamps are by default, against clock 1, the wall clock.
        for (clock, nanos) in [(UInt64(6), UInt64(0)), (1, UInt64(max(0, unixNanos)))] {
          snapshot.message(1) { reading in
            reading.unsigned(1, clock)
            reading.unsigned(2, nanos)
          }
        }
      }
      packet.unsigned(Packet.sequenceID, Self.sequence)
    }
    front.message(1) { packet in
      packet.unsigned(Packet.sequenceID, Self.sequence)
      packet.unsigned(Packet.sequenceFlags, Self.stateCleared | Self.needsState)
      packet.message(Packet.internedData) { writeInterned(to: &$0) }
    }
    front.append(packets.bytes)
    return front.bytes
  }

  private func writeInterned(to interned: inout ProtobufWriter) {
    func write(_ field: Int, _ names: Names) {
      for (index, text) in names.values.enumerated() {
        interned.message(field) { name in
          name.unsigned(1, UInt64(index + 1))
          name.string(2, text)
        }
      }
    }
    write(1, categories)
    write(2, eventNames)
    write(3, annotationNames)
    write(5, functions)
    write(17, paths)
    for index in paths.values.indices {
      interned.message(19) { mapping in
        let number = UInt64(index + 1)
        mapping.unsigned(1, number)
        // Addresses are not known; readers want ranges that are neither empty nor overlap.
        mapping.unsigned(4, number << 32)
        mapping.unsigned(5, (number + 1) << 32)
        mapping.unsigned(7, number)
      }
    }
    for (index, frame) in frames.values.enumerated() {
      interned.message(6) { message in
        message.unsigned(1, UInt64(index + 1))
        message.unsigned(2, frame.function)
        message.unsigned(3, frame.mapping)
      }
    }
    for (index, numbers) in callstacks.enumerated() {
      interned.message(7) { callstack in
        callstack.unsigned(1, UInt64(index + 1))
        for frame in numbers { callstack.unsigned(2, frame) }
      }
    }
  }
}
