/// Reads the text of `perf script` piece by piece. Made by ``PerfScriptImporter/makeParser()``.
public struct PerfScriptParser: Sendable {
  /// Lines longer than this many bytes are not understood.
  static let maximumLineBytes = 64 << 10
  /// Distinct addresses without a symbol that keep a name of their own; the others become `[unknown]`.
  static let maximumNamedAddresses = 64 << 10

  private enum State {
    case between
    case inSample
    /// The frames of something that is no sample.
    case skipping
  }

  /// Bytes that were fed so far.
  public private(set) var bytesRead = 0

  private let importer: PerfScriptImporter
  private var line = 0
  private var state = State.between
  /// The beginning of a line whose end has not come.
  private var carry: [UInt8] = []
  private var isLineTooLong = false

  private var stacks = StackInterner()
  private var events: [NativeSampleEvent] = []
  private var unknown = UnknownLines()
  private var untimed = UnknownLines()

  private var current = NativeSampleEvent(timestampNanos: 0, clock: .monotonic)
  private var hasTime = false
  /// Indices of the open sample's functions, leaf first.
  private var chain: [UInt32] = []
  /// Functions that were inlined into the one of the next line.
  private var inlined: [String] = []
  private var endsInJunk = false

  private var modules: [NativeFrameNaming.Module] = [.unknown]
  private var moduleIndices: [NativeFrameNaming.Module: UInt32] = [.unknown: 0]
  private var moduleTexts = RawTextTable()
  private var symbolTexts = RawTextTable()
  private var namedAddresses = 0

  init(_ importer: PerfScriptImporter) { self.importer = importer }

  // MARK: - Lines

  /// Reads the next bytes of the text; lines may be cut anywhere.
  /// - Throws: ``NativeSampleError``, after which the parser is of no more use.
  public mutating func feed(_ bytes: [UInt8]) throws(NativeSampleError) { try feed(bytes, 0..<bytes.count) }

  mutating func feed(_ bytes: [UInt8], _ range: Range<Int>) throws(NativeSampleError) {
    bytesRead += range.count
    guard bytesRead <= importer.limits.bytes else { throw .tooLarge(limit: importer.limits.bytes) }
    var start = range.lowerBound
    while start < range.upperBound {
      let end = bytes.nextLineEnd(from: start, before: range.upperBound)
      let lineEnd = end ?? range.upperBound
      let isBeyond = carry.count + (lineEnd - start) > Self.maximumLineBytes
      if isBeyond { isLineTooLong = true }
      if end == nil || !carry.isEmpty || isLineTooLong {
        if !isLineTooLong { carry.append(contentsOf: bytes[start..<lineEnd]) }
        if end != nil { try endCarriedLine() }
      } else {
        line += 1
        try read(bytes, start..<lineEnd)
      }
      start = lineEnd + 1
    }
  }

  private mutating func endCarriedLine() throws(NativeSampleError) {
    line += 1
    if isLineTooLong {
      unknown.add(line, reason: "longer than \(Self.maximumLineBytes) bytes")
    } else {
      let whole = carry
      try read(whole, 0..<whole.count)
    }
    carry.removeAll(keepingCapacity: true)
    isLineTooLong = false
  }

  /// The end of the text.
  /// - Throws: ``NativeSampleError/noNativeSamples`` for text without a sample, another case for text that is not
  ///   that of `perf script`.
  public mutating func finish() throws(NativeSampleError) -> NativeSampleBatch {
    if !carry.isEmpty || isLineTooLong { try endCarriedLine() }
    try endSample()
    guard !events.isEmpty else { throw untimed.error ?? unknown.error ?? .noNativeSamples }
    unknown.merge(untimed)
    return NativeSampleBatch(
      events: events, stacks: stacks.finish(), unknownLines: unknown.count, unknownLineNumbers: unknown.numbers)
  }

  private mutating func read(_ bytes: [UInt8], _ range: Range<Int>) throws(NativeSampleError) {
    let text = ByteText.trimmed(bytes, range)
    guard let first = text.first else {
      try endSample()
      state = .between
      return
    }
    let isFrame = bytes[range.lowerBound] == 0x09
    if !isFrame, let header = PerfScriptHeader(bytes, text) {
      try begin(header, bytes)
    } else if isFrame || bytes[range.lowerBound] == 0x20 {
      try readFrame(bytes, range, text)
    } else if bytes[first] != UInt8(ascii: "#") {
      try endSample()
      state = .skipping
      if PerfScriptHeader.isUntimed(bytes, text) {
        untimed.add(line, reason: "the samples have no time; record without --per-thread, or with -T")
      } else {
        unknown.add(line, reason: "not a line of perf script")
      }
    }
  }

  // MARK: - Samples

  private mutating func begin(_ header: PerfScriptHeader, _ bytes: [UInt8]) throws(NativeSampleError) {
    try endSample()
    // Records that perf makes up itself have the time 0.
    if !hasTime, header.event != .record {
      guard header.timestampNanos > 0 else {
        throw .malformed(
          line: line, reason: "the times are relative; run perf script without --reltime and --deltatime")
      }
      hasTime = true
    }
    guard isCPUTime(header.event, bytes) else {
      state = .skipping
      return
    }
    // Unix times are beyond what a machine runs since its boot: 10^9 s are 31 years.
    let isUnixTime = header.timestampNanos >= 1_000_000_000_000_000_000
    current = NativeSampleEvent(
      timestampNanos: header.timestampNanos, clock: importer.clock ?? (isUnixTime ? .realtime : .monotonic))
    setIDs(header)
    if let period = header.period, case .named(let name) = header.event,
      ByteText.equal(bytes, name, "cpu-clock") || ByteText.equal(bytes, name, "task-clock")
    {
      current.weightNanos = period
    }
    state = .inSample
    if !header.rest.isEmpty, let frame = PerfScriptFrame(bytes, header.rest), !frame.dso.isEmpty {
      try add(frame, bytes)
    }
  }

  private mutating func setIDs(_ header: PerfScriptHeader) {
    if header.hasSlash {
      current.processID = header.processID
      current.threadID = header.otherID
      return
    }
    let isProcess =
      switch importer.loneNumber {
      case .automatic: header.event == .unnamed
      case .process: true
      case .thread: false
      }
    if isProcess { current.processID = header.otherID } else { current.threadID = header.otherID }
  }

  private func isCPUTime(_ event: PerfScriptHeader.Event, _ bytes: [UInt8]) -> Bool {
    switch event {
    case .unnamed: return true
    case .tracepoint, .record: return false
    case .named(let name):
      return !Self.countingEvents.contains { ByteText.equal(bytes, name, $0) }
    }
  }

  /// Software events that count something else than time.
  private static let countingEvents: [StaticString] = [
    "page-faults", "faults", "minor-faults", "major-faults", "context-switches", "cs", "cpu-migrations", "migrations",
    "alignment-faults", "emulation-faults", "bpf-output", "cgroup-switches", "dummy",
  ]

  private mutating func endSample() throws(NativeSampleError) {
    guard state == .inSample else { return }
    state = .between
    flushInlined(into: .unknown)
    // A chain through a library without frame pointers ends with one address that is none.
    if endsInJunk, chain.count > 1 { chain.removeLast() }
    current.stack = stacks.stack(leafFirst: chain)
    chain.removeAll(keepingCapacity: true)
    endsInJunk = false
    guard events.count < importer.limits.samples else {
      throw .malformed(line: line, reason: "more than \(importer.limits.samples) samples")
    }
    guard stacks.nodes.count <= importer.limits.stackNodes else {
      throw .malformed(line: line, reason: "more than \(importer.limits.stackNodes) distinct stacks")
    }
    events.append(current)
  }

  // MARK: - Frames

  private mutating func readFrame(
    _ bytes: [UInt8], _ range: Range<Int>, _ text: Range<Int>
  ) throws(NativeSampleError) {
    switch state {
    case .skipping: return
    case .between:
      state = .skipping
      unknown.add(
        line, reason: "a call chain without the line of its sample; let perf script print comm, pid, tid and time")
    case .inSample:
      if let frame = PerfScriptFrame(bytes, text) {
        try add(frame, bytes)
      } else if bytes[range.lowerBound] == 0x09 || !bytes[text].contains(UInt8(ascii: ":")) {
        // Lines of blanks and `FILE:LINE` are where the frame before stands in the source.
        unknown.add(line, reason: "not a frame of perf script")
      }
    }
  }

  private mutating func add(_ frame: PerfScriptFrame, _ bytes: [UInt8]) throws(NativeSampleError) {
    guard chain.count + inlined.count < StackTable.Builder.maximumDepth else {
      endsInJunk = false
      return
    }
    if frame.isInlined(in: bytes) {
      inlined.append(String(decoding: bytes[frame.symbol], as: UTF8.self))
      return
    }
    let module = moduleIndex(bytes, frame.dso)
    flushInlined(into: modules[Int(module)])
    let isUnresolved = frame.symbol.isEmpty || ByteText.equal(bytes, frame.symbol, "[unknown]")
    endsInJunk = isUnresolved && module == 0 && !frame.symbol.isEmpty
    chain.append(
      isUnresolved
        ? unresolved(frame.address, in: modules[Int(module)]) : function(bytes, frame.symbol, module: module))
    guard stacks.frames.count <= importer.limits.functions else {
      throw .malformed(line: line, reason: "more than \(importer.limits.functions) distinct functions")
    }
  }

  private mutating func flushInlined(into module: NativeFrameNaming.Module) {
    guard !inlined.isEmpty else { return }
    for symbol in inlined {
      chain.append(stacks.frame(NativeFrameNaming.frame(symbol: symbol, in: module, isInlined: true)))
    }
    inlined.removeAll(keepingCapacity: true)
  }

  private mutating func function(_ bytes: [UInt8], _ symbol: Range<Int>, module: UInt32) -> UInt32 {
    switch symbolTexts.look(up: symbol, of: bytes, salt: module) {
    case .found(let index): return index
    case .missing(let miss):
      let name = String(decoding: bytes[symbol], as: UTF8.self)
      let index = stacks.frame(NativeFrameNaming.frame(symbol: name, in: modules[Int(module)]))
      symbolTexts.remember(index, of: symbol, in: bytes, after: miss)
      return index
    }
  }

  private mutating func unresolved(_ address: UInt64, in module: NativeFrameNaming.Module) -> UInt32 {
    if module.isGenerated || module == .unknown, let name = importer.perfMap?.name(at: address) {
      return stacks.frame(NativeFrameNaming.frame(symbol: name, in: NativeFrameNaming.module("JIT")))
    }
    guard namedAddresses < Self.maximumNamedAddresses else {
      return stacks.frame(StackFrame(name: "[unknown]", module: module.name, kind: module.kind))
    }
    let known = stacks.frames.count
    let index = stacks.frame(NativeFrameNaming.frame(address: address, in: module))
    if stacks.frames.count > known { namedAddresses += 1 }
    return index
  }

  /// Index into `modules`; 0 is unknown.
  private mutating func moduleIndex(_ bytes: [UInt8], _ dso: Range<Int>) -> UInt32 {
    if dso.isEmpty { return 0 }
    switch moduleTexts.look(up: dso, of: bytes) {
    case .found(let index): return index
    case .missing(let miss):
      let module = NativeFrameNaming.module(String(decoding: bytes[dso], as: UTF8.self))
      var index = moduleIndices[module]
      if index == nil, modules.count < importer.limits.functions {
        index = UInt32(modules.count)
        modules.append(module)
        moduleIndices[module] = index
      }
      moduleTexts.remember(index ?? 0, of: dso, in: bytes, after: miss)
      return index ?? 0
    }
  }
}
