internal import Foundation

/// A finished request as the store keeps it: some bytes for each hostcall, one behind the other.
///
/// A busy loop finishes a request every few microseconds and most traces are evicted unread, so what counts is how little memory
/// the next one has to touch. A ``PackedTrace`` is made of it when somebody looks at it.
struct KeptTrace {
  let facts: Facts
  let parts: RarerParts?

  /// What is kept of every request.
  struct Facts: BitwiseCopyable {
    /// The trace's id.
    let id: UInt64
    let place: PackedPlace
    let spans: UInt32
    /// Whether the trace is one that is to be pushed.
    let isSampled: Bool

    /// Whether its bytes take some time to be let go of.
    var isLong: Bool { spans > 1000 }
  }

  /// What many requests have nothing of, and what is kept as it was recorded.
  final class RarerParts: Sendable {
    let backendCalls: [BackendCall]
    let stacks: GuestStacks?
    let memoryGrowth: [MemoryGrowth]
    let notes: [TraceNote]
    let deepMetrics: DeepMetrics?

    fileprivate init(takingFrom details: UnsafeMutablePointer<RecordingDetails>) {
      backendCalls = details.pointee.backendCalls.takeTrimmed()
      stacks = details.pointee.takeStacks()
      memoryGrowth = details.pointee.memoryGrowth.takeTrimmed()
      notes = details.pointee.notes.takeTrimmed()
      deepMetrics = details.pointee.deepMetrics.take()
    }
  }

  /// Takes over a closed recording.
  init(
    _ details: UnsafeMutablePointer<RecordingDetails>, _ core: UnsafeMutablePointer<RecordingCore>,
    in arena: inout PackedArena
  ) {
    let place = arena.pack { writer in
      writer.write(details)
      writer.write(core)
      if details.pointee.isDeep { details.pointee.headers.write(to: &writer) }
    }
    facts = Facts(
      id: details.pointee.id, place: place, spans: UInt32(core.pointee.spanCount),
      isSampled: details.pointee.head.isSampled)
    parts = details.hasRarerParts ? RarerParts(takingFrom: details) : nil
  }

  /// Whether it takes some time to be let go of.
  var isLarge: Bool { parts != nil || facts.isLong }

  /// For somebody who reads it later.
  func packed(in arena: borrowing PackedArena) -> PackedTrace { PackedTrace(facts, parts, in: arena) }
}

/// A finished request in the hands of somebody who reads it. The ``RequestTrace`` is made when it is asked for.
struct PackedTrace: Sendable {
  private let facts: KeptTrace.Facts
  private let block: PackedBlock
  private let parts: KeptTrace.RarerParts?

  init(_ facts: KeptTrace.Facts, _ parts: KeptTrace.RarerParts?, in arena: borrowing PackedArena) {
    self.facts = facts
    self.parts = parts
    block = arena.block(of: facts.place)
  }

  /// The trace's id.
  var id: UInt64 { facts.id }

  /// Whether the trace is one that is to be pushed.
  var isSampled: Bool { facts.isSampled }

  /// How many hostcalls it has.
  var hostcallCount: Int { Int(facts.spans) }

  /// How many backend calls it has.
  var backendCallCount: Int { parts?.backendCalls.count ?? 0 }

  /// Whether stacks of the guest were sampled.
  var hasGuestSamples: Bool { (parts?.stacks?.count ?? 0) > 0 }

  /// The trace. Making it takes some microseconds.
  /// - Parameter hostcalls: The names behind the indices of hostcalls.
  func trace(_ hostcalls: HostcallNameTable) -> RequestTrace {
    var trace = RequestTrace(id: id, processID: Self.processID, hostcalls: hostcalls)
    var reader = PackedReader(facts.place, in: block)
    trace.unpackDetails(&reader)
    trace.unpackHostcalls(&reader, count: hostcallCount)
    if let parts {
      let stacks = parts.stacks?.resolved()
      trace.backendCalls = parts.backendCalls
      trace.guestStacks = stacks?.profile ?? .empty
      trace.nativeCPUNanos = stacks.map(\.guestNanos).flatMap { $0 > 0 ? $0 : nil }
      trace.memoryGrowth = parts.memoryGrowth
      trace.notes = parts.notes
      trace.deep = parts.deepMetrics
      if trace.deep != nil { RecordedHeaders.read(&reader, into: &trace.deep!) }
    }
    return trace
  }

  private static let processID = ProcessInfo.processInfo.processIdentifier
}

extension UnsafeMutablePointer<RecordingDetails> {
  /// Whether there is something of what many requests have nothing of.
  var hasRarerParts: Bool {
    pointee.isDeep || pointee.hasStacks || !pointee.backendCalls.isEmpty || !pointee.memoryGrowth.isEmpty
      || !pointee.notes.isEmpty
  }
}

extension Array {
  /// Takes the contents out, in memory that is not much larger than they are.
  fileprivate mutating func takeTrimmed() -> [Element] {
    var taken: [Element] = []
    swap(&taken, &self)
    return taken.capacity > taken.count + 4 ? taken.exactCopy() : taken
  }
}

// MARK: - What is packed, in its order

// Fields are read through the pointer one by one: a value of the whole would be a copy, with all references in it counted.
extension PackedWriter {
  @inline(__always)
  fileprivate mutating func write(_ details: UnsafeMutablePointer<RecordingDetails>) {
    withUnsafeBytes(of: details.pointee.facts) { write(bytes: $0) }
    details.pointee.head.withBytes { write(bytes: UnsafeRawBufferPointer($0)) }
    if details.pointee.blocked.isEmpty, details.pointee.facts.droppedBlockedIntervals == 0 {
      write(byte: 0)
    } else {
      writeBlocked(details)
    }
    let labels = details.pointee.labels.count
    write(labels)
    for place in 0..<labels { write(details.pointee.labels.entry(at: place), of: details) }
  }

  /// The kind, and a number: twice that of a header's name, or 1 with a text behind it.
  @inline(__always)
  private mutating func write(_ label: LabelList.Entry, of details: UnsafeMutablePointer<RecordingDetails>) {
    switch label {
    case .header(let name):
      write(whole: TraceLabel.Kind.headerName)
      write(UInt64(name.number) << 1)
    case .text(let kind, let place):
      write(whole: kind)
      write(byte: 1)
      write(details.pointee.labels.text(place))
    }
  }

  @inline(never)
  private mutating func writeBlocked(_ details: UnsafeMutablePointer<RecordingDetails>) {
    write(byte: 1)
    for cause in BlockCause.allCases { write(details.pointee.blockedTime[cause]) }
    let count = details.pointee.blocked.count
    write(count)
    var last: Int64 = 0
    for place in 0..<count {
      let interval = details.pointee.blocked[place]
      write(byte: interval.cause.rawValue << 1 | (interval.inHostcall ? 1 : 0))
      write(interval.start &- last)
      write(interval.duration)
      last = interval.start &+ interval.duration
    }
  }
}

extension RequestTrace {
  fileprivate mutating func unpackDetails(_ reader: inout PackedReader) {
    take(reader.whole(RecordedFacts.self))
    let head = RecordedHead.Parts(&reader)
    (method, url, context) = (head.method, head.url, head.context)
    unpackBlocked(&reader)
    let count = reader.count()
    labels.reserveCapacity(1 + count)
    for _ in 0..<count {
      let kind = reader.whole(TraceLabel.Kind.self)
      let number = reader.number()
      if number & 1 == 0 {
        labels.append(TraceLabel(kind: kind, name: TracedHeaderName(number: UInt32(number >> 1)).name))
      } else {
        labels.append(TraceLabel(keptKind: kind, name: reader.text()))
      }
    }
  }

  private mutating func take(_ facts: RecordedFacts) {
    moduleID = facts.module.id
    moduleName = facts.module.name
    httpVersion = facts.httpVersion
    wallStartUnixNanos = facts.start.unix
    monotonicStartNanos = facts.start.arrival
    wallNanos = facts.wallEnd ?? 0
    time.queue = facts.start.queue
    time.setup = facts.setupNanos
    outcome = facts.outcome
    status = facts.response.status
    responseBytes = facts.response.bytesWritten
    headerFlushNanos = facts.response.headerFlushed
    hijackedNanos = facts.response.hijacked
    guestFuel = facts.fuel
    droppedBackendCalls = Int(facts.droppedBackendCalls)
    droppedBlockedIntervals = Int(facts.droppedBlockedIntervals)
    droppedGuestSamples = Int(facts.droppedGuestSamples)
    droppedMemoryGrowth = Int(facts.droppedMemoryGrowth)
  }

  private mutating func unpackBlocked(_ reader: inout PackedReader) {
    guard reader.byte() != 0 else { return }
    for cause in BlockCause.allCases { time.blocked[cause] = reader.nanos() }
    let count = reader.count()
    blocked.reserveCapacity(count)
    var last: Int64 = 0
    for _ in 0..<count {
      let kind = reader.byte()
      let interval = BlockedInterval(
        start: last &+ reader.nanos(), duration: reader.nanos(), cause: BlockCause(rawValue: kind >> 1) ?? .other,
        inHostcall: kind & 1 != 0)
      blocked.append(interval)
      last = interval.start &+ interval.duration
    }
  }
}

/// What a hostcall has beside its times.
private struct PackedSpanParts: OptionSet {
  let rawValue: UInt8
  static let status = PackedSpanParts(rawValue: 1)
  static let blocked = PackedSpanParts(rawValue: 2)
  static let label0 = PackedSpanParts(rawValue: 4)
  static let label1 = PackedSpanParts(rawValue: 8)
  static let tags = PackedSpanParts(rawValue: 16)
  /// Its times are too long for the bits that they usually have, and follow.
  static let wide = PackedSpanParts(rawValue: 32)

  @inline(__always)
  init(rawValue: UInt8) { self.rawValue = rawValue }

  @inline(__always)
  init(of span: UnsafePointer<Span>) {
    var parts: PackedSpanParts = []
    if span.pointee.status != 0 { parts.insert(.status) }
    if span.pointee.blocked != 0 { parts.insert(.blocked) }
    if span.pointee.label0 != 0 { parts.insert(.label0) }
    if span.pointee.label1 != 0 { parts.insert(.label1) }
    if span.pointee.tags != .zero { parts.insert(.tags) }
    self = parts
  }
}

extension PackedWriter {
  /// What most hostcalls take.
  private static let usualSpanBytes = 12

  @inline(__always)
  fileprivate mutating func write(_ core: UnsafeMutablePointer<RecordingCore>) {
    write(core.pointee.droppedSpans)
    write(whole: core.pointee.hostcallNanos)
    write(whole: core.pointee.blockedInHostcalls)
    var rest = core.pointee.spanCount
    reserve(rest * Self.usualSpanBytes)
    var last: Int64 = 0
    var chunk = 0
    while rest > 0 {
      let spans = core.pointee.chunkBase(at: chunk)
      let count = min(rest, SpanChunkPool.chunkCapacity)
      for place in 0..<count { write(spans + place, &last) }
      rest -= count
      chunk += 1
    }
  }

  @inline(__always)
  private mutating func write(_ span: UnsafePointer<Span>, _ last: inout Int64) {
    var parts = PackedSpanParts(of: span)
    let pause = UInt64(bitPattern: span.pointee.start &- last)
    let duration = UInt64(bitPattern: span.pointee.duration)
    last = span.pointee.start &+ span.pointee.duration
    if pause >> 40 != 0 || duration >> 32 != 0 { parts.insert(.wide) }
    write(whole: UInt64(parts.rawValue) | UInt64(span.pointee.hostcall) << 8 | pause << 24)
    write(whole: UInt32(truncatingIfNeeded: duration))
    if !parts.isEmpty { write(parts, of: span, pause: pause) }
  }

  @inline(never)
  private mutating func write(_ parts: PackedSpanParts, of span: UnsafePointer<Span>, pause: UInt64) {
    if parts.contains(.wide) {
      write(whole: pause)
      write(whole: span.pointee.duration)
    }
    if parts.contains(.status) { write(whole: span.pointee.status) }
    if parts.contains(.blocked) { write(span.pointee.blocked) }
    if parts.contains(.label0) { write(UInt64(span.pointee.label0)) }
    if parts.contains(.label1) { write(UInt64(span.pointee.label1)) }
    if parts.contains(.tags) { write(whole: span.pointee.tags) }
  }
}

extension RequestTrace {
  /// Reads the hostcalls, and closes the account.
  fileprivate mutating func unpackHostcalls(_ reader: inout PackedReader, count: Int) {
    droppedSpans = reader.count()
    hostcallNanos = reader.whole(Int64.self)
    let blockedInHostcalls = reader.whole(Int64.self)
    time = TimeAccount(
      closing: wallNanos, queue: time.queue, setup: time.setup, host: hostcallNanos - blockedInHostcalls,
      blocked: time.blocked, blockedInHostcalls: blockedInHostcalls)
    spans = [Span](unsafeUninitializedCapacity: count) { buffer, initialized in
      var last: Int64 = 0
      while initialized < count {
        let word = reader.whole(UInt64.self)
        let parts = PackedSpanParts(rawValue: UInt8(truncatingIfNeeded: word))
        var pause = Int64(word >> 24)
        var duration = Int64(reader.whole(UInt32.self))
        if parts.contains(.wide) {
          pause = reader.whole(Int64.self)
          duration = reader.whole(Int64.self)
        }
        var span = Span(
          hostcall: UInt16(truncatingIfNeeded: word >> 8), start: last &+ pause, duration: duration)
        last = span.start &+ duration
        if parts.contains(.status) { span.status = reader.whole(Int32.self) }
        if parts.contains(.blocked) { span.blocked = reader.nanos() }
        if parts.contains(.label0) { span.label0 = UInt32(truncatingIfNeeded: reader.number()) }
        if parts.contains(.label1) { span.label1 = UInt32(truncatingIfNeeded: reader.number()) }
        if parts.contains(.tags) { span.tags = reader.whole(SIMD4<UInt32>.self) }
        buffer.initializeElement(at: initialized, to: span)
        initialized += 1
      }
    }
  }
}
