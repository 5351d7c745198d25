/// The objects inside of a trace, as they stand in a file.

struct DecodedSpan: Decodable {
  let name: String
  let span: Span

  init(from decoder: any Decoder) throws {
    let object = try decoder.container(keyedBy: NativeJSONKey.self)
    name = PrintableText.bounded(try object.text(.name), to: 256)
    // Files of the Go fastlike have raw arguments here, as wide as 64 bits; these are no use beyond their low half.
    let slots = try object.list(.tagSlots, of: Int64.self)
    var tags = SIMD4<UInt32>.zero
    for (index, slot) in slots.prefix(4).enumerated() { tags[index] = UInt32(truncatingIfNeeded: slot) }
    let labels = try object.list(.labels, of: UInt32.self)
    let duration = try object.number(.durationNanos)
    span = Span(
      hostcall: 0, start: try object.number(.startNanos), duration: duration,
      blocked: min(try object.number(.blockedNanos), duration),
      status: try object.decodeIfPresent(Int32.self, forKey: .rc) ?? 0, label0: labels.first ?? 0,
      label1: labels.dropFirst().first ?? 0, tags: tags)
  }
}

struct DecodedLabel: Decodable {
  let label: TraceLabel

  init(from decoder: any Decoder) throws {
    let object = try decoder.container(keyedBy: NativeJSONKey.self)
    label = TraceLabel(kind: TraceLabel.Kind(rawValue: try object.text(.kind)) ?? .other, name: try object.text(.name))
  }
}

struct DecodedBackendCall: Decodable {
  let call: BackendCall

  init(from decoder: any Decoder) throws {
    let object = try decoder.container(keyedBy: NativeJSONKey.self)
    let started = try object.number(.startedNanos)
    var call = BackendCall(name: try object.text(.name), method: try object.text(.method), started: started)
    call.url = RedactedURL(try object.text(.urlRedacted))
    // The Go fastlike does not tell which hostcall sent it.
    call.variant = BackendVariant(rawValue: try object.text(.variant)) ?? .other
    call.pendingID = try object.small(.pendingID)
    var next = started
    call.dns = try Self.phase(.dnsNanos, .dnsStartNanos, object, after: &next)
    call.connect = try Self.phase(.connectNanos, .connectStartNanos, object, after: &next)
    call.tls = try Self.phase(.tlsNanos, .tlsStartNanos, object, after: &next)
    call.requestSent = try object.optionalNumber(.requestSentNanos).map { started + $0 }
    call.firstByte = try object.optionalNumber(.ttfbNanos).map { started + $0 }
    call.totalNanos = try object.number(.totalNanos)
    call.status = Int(try object.number(.status))
    call.requestHeaderBytes = try object.number(.requestHeaderBytes)
    call.requestBodyBytes = try object.number(.requestBodyBytes)
    call.responseHeaderBytes = try object.number(.responseHeaderBytes)
    call.responseBodyBytes = try object.number(.responseBodyBytes)
    call.reusedConnection = try object.decodeIfPresent(Bool.self, forKey: .reused)
    call.peerAddress = try object.decodeIfPresent(String.self, forKey: .peer).map { PrintableText.bounded($0, to: 128) }
    call.httpVersion = HTTPVersion(rawValue: try object.text(.httpVersion))
    call.isDynamic = try object.flag(.dynamic)
    call.isCollapsed = try object.flag(.collapsed)
    call.outcome = BackendOutcome(wireName: try object.text(.outcome))
    call.failure = BackendFailure(rawValue: try object.text(.failure))
    self.call = call
  }

  /// Files without the phases' starts have them one after the other.
  private static func phase(
    _ duration: NativeJSONKey, _ start: NativeJSONKey, _ object: NativeJSONObject, after next: inout Int64
  ) throws -> BackendCall.Phase? {
    guard let length = try object.optionalNumber(duration) else { return nil }
    let phase = BackendCall.Phase(start: try object.optionalNumber(start) ?? next, duration: length)
    next = phase.end
    return phase
  }
}

struct DecodedBlockedInterval: Decodable {
  let interval: BlockedInterval

  init(from decoder: any Decoder) throws {
    let object = try decoder.container(keyedBy: NativeJSONKey.self)
    interval = BlockedInterval(
      start: try object.number(.startNanos), duration: try object.number(.durationNanos),
      cause: BlockCause(name: try object.text(.cause)), inHostcall: try object.flag(.inHostcall))
  }
}

struct DecodedTime: Decodable {
  let time: TimeAccount

  init(from decoder: any Decoder) throws {
    let object = try decoder.container(keyedBy: NativeJSONKey.self)
    var blocked = BlockedTime()
    if object.contains(.blockedNanos) {
      let causes = try object.nestedContainer(keyedBy: NativeJSONKey.self, forKey: .blockedNanos)
      blocked.queue = try causes.number(.queue)
      blocked.backend = try causes.number(.backend)
      blocked.client = try causes.number(.client)
      blocked.cache = try causes.number(.cache)
      blocked.store = try causes.number(.store)
      blocked.timer = try causes.number(.timer)
      blocked.other = try causes.number(.other)
    }
    time = TimeAccount(
      queue: try object.number(.queueNanos), setup: try object.number(.setupNanos),
      guest: try object.number(.guestNanos), host: try object.number(.hostNanos), blocked: blocked,
      blockedInHostcalls: try object.number(.blockedInHostcallsNanos))
  }
}

struct DecodedStacks: Decodable {
  let profile: StackProfile

  init(from decoder: any Decoder) throws {
    let object = try decoder.container(keyedBy: NativeJSONKey.self)
    let frames = try object.list(.frames, of: Frame.self).map(\.frame)
    let nodes = try object.list(.nodes, of: [Int64].self).map { cells in
      guard cells.count == 2, let frame = UInt32(exactly: cells[0]), let parent = Int32(exactly: cells[1]) else {
        throw object.refused(.nodes, "holds something other than pairs of frame and parent")
      }
      return StackTable.Node(frame: frame, parent: parent)
    }
    guard let table = StackTable(frames: frames, nodes: nodes) else {
      throw object.refused(.nodes, "refers to a frame that is missing or to a parent that does not come first")
    }
    let samples = try object.list(.samples, of: Sample.self).map(\.sample)
    guard samples.allSatisfy({ Int($0.stack) < nodes.count }) else {
      throw object.refused(.samples, "refers to a stack that is missing")
    }
    profile = StackProfile(table: table, samples: samples)
  }

  private struct Frame: Decodable {
    let frame: StackFrame

    init(from decoder: any Decoder) throws {
      let object = try decoder.container(keyedBy: NativeJSONKey.self)
      frame = StackFrame(
        name: PrintableText.bounded(try object.text(.name), to: StackFrame.maximumNameBytes),
        module: PrintableText.bounded(try object.text(.module), to: StackFrame.maximumNameBytes),
        kind: StackFrame.Kind(rawValue: try object.text(.kind)) ?? .unknown, isInlined: try object.flag(.inlined),
        file: PrintableText.bounded(try object.text(.file), to: StackFrame.maximumNameBytes),
        line: try object.small(.line))
    }
  }

  private struct Sample: Decodable {
    let sample: StackSample

    init(from decoder: any Decoder) throws {
      let object = try decoder.container(keyedBy: NativeJSONKey.self)
      sample = StackSample(
        relativeNanos: try object.number(.relativeNanos), stack: try object.small(.stack),
        weightNanos: try object.number(.weightNanos), thread: try object.small(.thread))
    }
  }
}

struct DecodedMemoryGrowth: Decodable {
  let growth: MemoryGrowth

  init(from decoder: any Decoder) throws {
    let object = try decoder.container(keyedBy: NativeJSONKey.self)
    growth = MemoryGrowth(
      relativeNanos: try object.number(.relativeNanos), fromBytes: try object.number(.fromBytes),
      toBytes: try object.number(.toBytes),
      stack: try object.list(.stack, of: String.self).map {
        PrintableText.bounded($0, to: StackFrame.maximumNameBytes)
      })
  }
}

/// A sample of the Go fastlike: one function, no stack.
struct DecodedNativeSample: Decodable {
  let relativeNanos: Int64
  let function: String

  init(from decoder: any Decoder) throws {
    let object = try decoder.container(keyedBy: NativeJSONKey.self)
    relativeNanos = try object.number(.relativeNanos)
    function = PrintableText.bounded(try object.text(.function), to: StackFrame.maximumNameBytes)
  }

  static func profile(of samples: [DecodedNativeSample]) -> StackProfile {
    var builder = StackTable.Builder()
    let found = samples.compactMap { sample in
      builder.intern(leafFirst: [StackFrame(name: sample.function)])
        .map { StackSample(relativeNanos: sample.relativeNanos, stack: $0) }
    }
    return StackProfile(table: builder.finish(), samples: found)
  }
}

struct DecodedDeepMetrics: Decodable {
  let metrics: DeepMetrics

  init(from decoder: any Decoder) throws {
    let object = try decoder.container(keyedBy: NativeJSONKey.self)
    var metrics = DeepMetrics()
    metrics.bodyReadBytes = try object.number(.bodyReadBytes)
    metrics.bodyWriteBytes = try object.number(.bodyWriteBytes)
    metrics.cacheLookups = Int(try object.number(.cacheLookups))
    metrics.cacheInserts = Int(try object.number(.cacheInserts))
    metrics.cacheHits = Int(try object.number(.cacheHits))
    metrics.cacheMisses = Int(try object.number(.cacheMisses))
    metrics.cacheStale = Int(try object.number(.cacheStale))
    metrics.requestHeaders = try object.list(.requestHeaders, of: Header.self).map(\.summary)
    metrics.responseHeaders = try object.list(.responseHeaders, of: Header.self).map(\.summary)
    metrics.heapSamples = try object.list(.heapSamples, of: Heap.self).map(\.sample)
    metrics.heapSamplesDropped = Int(try object.number(.heapSamplesDropped))
    metrics.storeAccess = try object.list(.storeAccess, of: Access.self).compactMap(\.access)
    self.metrics = metrics
  }

  private struct Header: Decodable {
    let summary: HeaderSummary

    init(from decoder: any Decoder) throws {
      let object = try decoder.container(keyedBy: NativeJSONKey.self)
      summary = HeaderSummary(
        name: try object.text(.name), count: Int(try object.number(.count)), bytes: Int(try object.number(.bytes)))
    }
  }

  private struct Heap: Decodable {
    let sample: HeapSample

    init(from decoder: any Decoder) throws {
      let object = try decoder.container(keyedBy: NativeJSONKey.self)
      sample = HeapSample(
        relativeNanos: try object.number(.relativeNanos), memoryBytes: try object.number(.memoryBytes))
    }
  }

  private struct Access: Decodable {
    /// nil for a kind of a newer version.
    let access: StoreAccess?

    init(from decoder: any Decoder) throws {
      let object = try decoder.container(keyedBy: NativeJSONKey.self)
      let count = Int(try object.number(.count))
      let name = try object.text(.name)
      access = StoreAccess.Kind(rawValue: try object.text(.kind)).map {
        StoreAccess(kind: $0, name: name, count: count)
      }
    }
  }
}
