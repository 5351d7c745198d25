/// The size of the guest's linear memory at an instant.
public struct HeapSample: Sendable, Hashable {
  /// Nanoseconds from the trace's start.
  public var relativeNanos: Int64
  /// Bytes of the guest's linear memory.
  public var memoryBytes: Int64

  public init(relativeNanos: Int64, memoryBytes: Int64) {
    self.relativeNanos = relativeNanos
    self.memoryBytes = memoryBytes
  }
}

/// A curve of ``HeapSample``s in three numbers; all 0 without samples.
public struct HeapAggregates: Sendable, Hashable {
  /// The least size in bytes.
  public var min: Int64 = 0
  /// The largest size in bytes.
  public var max: Int64 = 0
  /// The last size in bytes.
  public var final: Int64 = 0

  public init(of samples: [HeapSample]) {
    guard let first = samples.first, let last = samples.last else { return }
    min = first.memoryBytes
    max = first.memoryBytes
    for sample in samples.dropFirst() {
      if sample.memoryBytes < min { min = sample.memoryBytes }
      if sample.memoryBytes > max { max = sample.memoryBytes }
    }
    final = last.memoryBytes
  }
}

/// How often a store was used. The name is the configured one; keys are not recorded.
public struct StoreAccess: Sendable, Hashable {
  /// The kinds of stores.
  public enum Kind: String, Sendable, CaseIterable {
    case config
    case dictionary
    case kv
    case secret
  }

  public var kind: Kind
  /// The store's configured name.
  public var name: String
  /// Number of accesses.
  public var count: Int

  public init(kind: Kind, name: String, count: Int) {
    self.kind = kind
    self.name = PrintableText.bounded(name, to: TraceLabel.maximumBytes)
    self.count = count
  }
}

/// What is recorded in ``ProfileMode/deep`` only. Names and counts; no key, value or byte of a body has a place here.
public struct DeepMetrics: Sendable, Hashable {
  /// Most heap samples a trace keeps. Memory grows by pages of 64 KiB, so an ordinary request stays far below.
  public static let defaultHeapSampleCap = 1024
  /// Most stores that are counted apart; a guest that opens more gets them summed up as ``otherStores``.
  public static let storeCap = 256
  /// The name under which stores beyond ``storeCap`` are counted.
  public static let otherStores = "(other)"

  /// Bytes that the guest read from bodies.
  public var bodyReadBytes: Int64 = 0
  /// Bytes that the guest wrote to bodies.
  public var bodyWriteBytes: Int64 = 0
  public var cacheLookups = 0
  public var cacheInserts = 0
  public var cacheHits = 0
  public var cacheMisses = 0
  public var cacheStale = 0
  /// The client's request headers, without values.
  public var requestHeaders: [HeaderSummary] = []
  /// The headers of the response, without values.
  public var responseHeaders: [HeaderSummary] = []
  /// Store use, sorted by kind and name; filled by ``finalize()``.
  public var storeAccess: [StoreAccess] = []
  /// The guest's memory over the request; successive samples differ in size.
  public var heapSamples: [HeapSample] = []
  /// Samples that did not fit under the cap.
  public var heapSamplesDropped = 0

  private struct StoreKey: Hashable, Sendable {
    var kind: StoreAccess.Kind
    var name: String
  }

  private var counting: [StoreKey: Int] = [:]

  public init() {}

  /// Records the size of the guest's memory. A size equal to the recorded one before is left out; above `cap` samples
  /// are counted in ``heapSamplesDropped``.
  public mutating func addHeapSample(
    relativeNanos: Int64, memoryBytes: Int64, cap: Int = DeepMetrics.defaultHeapSampleCap
  ) {
    if let last = heapSamples.last, last.memoryBytes == memoryBytes { return }
    guard heapSamples.count < cap else {
      heapSamplesDropped += 1
      return
    }
    heapSamples.append(HeapSample(relativeNanos: relativeNanos, memoryBytes: memoryBytes))
  }

  /// Counts one access to a store.
  public mutating func bumpStoreAccess(kind: StoreAccess.Kind, name: String) {
    var key = StoreKey(kind: kind, name: name)
    if counting[key] == nil, counting.count >= Self.storeCap { key.name = Self.otherStores }
    counting[key, default: 0] += 1
  }

  /// Counts a cache lookup with its result.
  public mutating func addCacheLookup(found: Bool, usable: Bool, stale: Bool) {
    cacheLookups += 1
    if found, stale {
      cacheStale += 1
    } else if found, usable {
      cacheHits += 1
    } else {
      cacheMisses += 1
    }
  }

  /// The accesses counted since the start or the last ``finalize()``; 0 for a store that was not used.
  public func storeAccessCount(kind: StoreAccess.Kind, name: String) -> Int {
    counting[StoreKey(kind: kind, name: name)] ?? 0
  }

  /// Moves the counters into ``storeAccess`` and gives back memory that is not needed for reading.
  public mutating func finalize() {
    if heapSamples.capacity > heapSamples.count + 8 { heapSamples = heapSamples.exactCopy() }
    guard !counting.isEmpty || !storeAccess.isEmpty else { return }
    var merged = counting
    for row in storeAccess { merged[StoreKey(kind: row.kind, name: row.name), default: 0] += row.count }
    counting = [:]
    storeAccess = merged.map { StoreAccess(kind: $0.key.kind, name: $0.key.name, count: $0.value) }
      .sorted { ($0.kind.rawValue, $0.name) < ($1.kind.rawValue, $1.name) }
  }

  /// The memory curve in three numbers.
  public var heapAggregates: HeapAggregates { HeapAggregates(of: heapSamples) }
}
