/// Reads profiles of the Firefox Profiler: what samply records, and the processed and Gecko formats in general, plain
/// or compressed with gzip.
///
/// samply must name the functions itself (`samply record --presymbolicate`); otherwise they are addresses.
///
/// # Accuracy
/// Samples without a stack, repeats of an idle thread and samples that used no CPU are left out. A sample stands for
/// the CPU time that the profile tells for it, else for its weight in intervals.
public struct FirefoxProfileImporter: NativeSampleImporter {
  /// Bounds of what is read and kept.
  public var limits: NativeImportLimits
  /// The clock to place samples on; nil for the monotonic one where the profile tells it, else Unix time.
  public var clock: NativeSampleEvent.Clock?

  public init(
    limits: NativeImportLimits = NativeImportLimits(bytes: 1 << 30), clock: NativeSampleEvent.Clock? = nil
  ) {
    self.limits = limits
    self.clock = clock
  }

  public func importSamples(from bytes: [UInt8]) throws -> NativeSampleBatch {
    guard bytes.count <= limits.bytes else { throw NativeSampleError.tooLarge(limit: limits.bytes) }
    let text = GzipInput.isCompressed(bytes) ? try GzipInput.decompress(bytes, limit: limits.bytes) : bytes
    var reader = ProfileJSONReader(text)
    guard try reader.kind() == .object else { throw reader.error("not a Firefox profile: expected an object") }
    let profile = try FirefoxProcess(&reader, text)
    try reader.end()
    guard profile.hasThreads else {
      throw NativeSampleError.malformedBytes(offset: 0, reason: "not a Firefox profile: it has no threads")
    }
    var collector = FirefoxSampleCollector(limits: limits, clock: clock, main: profile.meta)
    try collector.collect(profile)
    guard !collector.events.isEmpty else { throw NativeSampleError.noNativeSamples }
    return NativeSampleBatch(
      events: collector.events, stacks: collector.stacks.finish(), unknownLines: collector.unknownSamples)
  }

  /// Reads a file.
  /// - Throws: ``NativeSampleError``, ``NativeInputError``
  public func importSamples(atPath path: String) throws -> NativeSampleBatch {
    try importSamples(from: NativeInputFile(path: path).readToEnd(limit: limits.bytes))
  }
}

/// Turns the threads of a profile into samples.
struct FirefoxSampleCollector {
  private(set) var events: [NativeSampleEvent] = []
  private(set) var stacks = StackInterner()
  /// Samples whose time is no time.
  private(set) var unknownSamples = 0

  private let limits: NativeImportLimits
  private let clock: NativeSampleEvent.Clock
  /// Nanoseconds on `clock` at the main process's start.
  private let origin: Int64
  private let main: FirefoxMeta

  init(limits: NativeImportLimits, clock: NativeSampleEvent.Clock?, main: FirefoxMeta) {
    self.limits = limits
    self.main = main
    self.clock = clock ?? (main.monotonicStart == nil ? .realtime : .monotonic)
    origin =
      self.clock == .realtime
      ? Self.nanoseconds(milliseconds: main.startTime) ?? 0 : Self.nanoseconds(main.monotonicStart ?? 0) ?? 0
  }

  mutating func collect(_ process: FirefoxProcess) throws(NativeSampleError) {
    // A child process counts from its own start.
    let shift = Self.nanoseconds(milliseconds: process.meta.startTime - main.startTime) ?? 0
    // Wasmtime's guest profiler writes the column and leaves it zero.
    let tellsCPU = process.threads.contains { $0.samples.column("threadCPUDelta").contains { $0 > 0 } }
    var shared: FirefoxStackMap?
    for thread in process.threads {
      if thread.tables.stacks.isEmpty {
        if shared == nil { shared = try makeMap(process.shared, process) }
        try collect(thread, process.meta, shift, &shared, tellsCPU: tellsCPU)
      } else {
        var own: FirefoxStackMap? = try makeMap(thread.tables.withStrings(of: process.shared), process)
        try collect(thread, process.meta, shift, &own, tellsCPU: tellsCPU)
      }
    }
    for child in process.children { try collect(child) }
  }

  private mutating func makeMap(
    _ tables: FirefoxTables, _ process: FirefoxProcess
  ) throws(NativeSampleError) -> FirefoxStackMap {
    let categories = process.meta.categories.isEmpty ? main.categories : process.meta.categories
    return try FirefoxStackMap(
      tables, categories: categories, libraries: process.libraries, into: &stacks, limits: limits)
  }

  private mutating func collect(
    _ thread: FirefoxProcess.Thread, _ meta: FirefoxMeta, _ shift: Int64, _ map: inout FirefoxStackMap?, tellsCPU: Bool
  ) throws(NativeSampleError) {
    let samples = thread.samples
    let stack = samples.column("stack")
    let times = samples.column("time")
    let deltas = samples.column("timeDeltas")
    let weights = samples.column("weight")
    let cpu = tellsCPU ? samples.column("threadCPUDelta") : []
    let isTracing = samples.text("weightType") == "tracing-ms"
    guard samples.text("weightType") != "bytes" else { return }
    var time = 0.0
    for row in stack.indices {
      if times.isEmpty {
        time += row < deltas.count ? deltas[row] : .nan
      } else {
        time = row < times.count ? times[row] : .nan
      }
      guard let index = samples.index(stack, row) else { continue }
      let weight = row < weights.count && !weights[row].isNaN ? weights[row] : 1
      let used = row > 0 && row < cpu.count ? cpu[row] : .nan
      guard weight > 0, used != 0 else { continue }
      guard let offset = Self.nanoseconds(milliseconds: time) else {
        unknownSamples += 1
        continue
      }
      let node = try map?.node(index, into: &stacks, limits: limits)
      guard events.count < limits.samples else {
        throw .malformedBytes(offset: samples.offset, reason: "more than \(limits.samples) samples")
      }
      let nanos =
        if let unit = meta.cpuDeltaNanos ?? main.cpuDeltaNanos, !used.isNaN {
          used * unit
        } else {
          weight * (isTracing ? 1e6 : meta.interval * 1e6)
        }
      events.append(
        NativeSampleEvent(
          timestampNanos: Self.sum(Self.sum(origin, shift), offset), clock: clock, processID: thread.processID,
          threadID: thread.threadID, stack: node.flatMap { $0 }, weightNanos: max(0, Self.nanoseconds(nanos) ?? 0)))
    }
  }

  private static func nanoseconds(_ value: Double) -> Int64? { value.magnitude < 9e18 ? Int64(value) : nil }

  /// Whole milliseconds apart, because Unix times in nanoseconds are beyond what a `Double` tells apart.
  private static func nanoseconds(milliseconds value: Double) -> Int64? {
    guard value.magnitude < 9e12 else { return nil }
    let whole = value.rounded(.down)
    return Int64(whole) * 1_000_000 + Int64(((value - whole) * 1e6).rounded())
  }

  private static func sum(_ left: Int64, _ right: Int64) -> Int64 {
    let (sum, isBeyond) = left.addingReportingOverflow(right)
    return isBeyond ? (left > 0 ? .max : .min) : sum
  }
}
