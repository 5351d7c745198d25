/// A request's place in a distributed trace (W3C Trace Context, level 1).
///
/// Backend calls and hostcalls have ids that follow from the request's, so they need no memory of their own.
public struct TraceContext: Sendable, Hashable {
  /// The first half of the trace's id.
  public var traceHigh: UInt64
  /// The second half of the trace's id.
  public var traceLow: UInt64
  /// The request's own span.
  public var spanID: UInt64
  /// The client's span; nil when the trace begins here.
  public var parentSpanID: UInt64?
  /// The `trace-flags` of `traceparent`.
  public var flags: UInt8

  public init(traceHigh: UInt64, traceLow: UInt64, spanID: UInt64, parentSpanID: UInt64? = nil, flags: UInt8 = 1) {
    self.traceHigh = traceHigh
    self.traceLow = traceLow
    self.spanID = spanID
    self.parentSpanID = parentSpanID
    self.flags = flags
  }

  /// The flag that asks for the trace to be recorded.
  public static let sampledFlag: UInt8 = 1

  /// Whether the trace is to be recorded.
  public var isSampled: Bool {
    get { flags & Self.sampledFlag != 0 }
    set { flags = newValue ? flags | Self.sampledFlag : flags & ~Self.sampledFlag }
  }

  /// A trace that begins here.
  public static func root() -> TraceContext {
    TraceContext(traceHigh: newID(), traceLow: newID(), spanID: newID())
  }

  /// The place of a request that came with this `traceparent`; nil for a value that is not one.
  ///
  /// W3C Trace Context §3.2: four parts in lower-case hexadecimal digits; newer versions may have more parts behind.
  public init?(traceparent: some Collection<UInt8>) {
    let bytes = Array(traceparent.prefix(256))
    guard bytes.count >= 55, bytes[2] == 0x2D, bytes[35] == 0x2D, bytes[52] == 0x2D,
      let version = Self.hexadecimal(bytes[0..<2]), version != 0xFF,
      bytes.count == 55 || (version > 0 && bytes[55] == 0x2D), let high = Self.hexadecimal(bytes[3..<19]),
      let low = Self.hexadecimal(bytes[19..<35]), let parent = Self.hexadecimal(bytes[36..<52]),
      let flags = Self.hexadecimal(bytes[53..<55]), high | low != 0, parent != 0
    else { return nil }
    // Of the flags those that are known: sampled, and that the trace's id is random.
    self.init(
      traceHigh: high, traceLow: low, spanID: Self.newID(), parentSpanID: parent, flags: UInt8(flags) & 3)
  }

  /// The id of the span of a backend call.
  /// - Parameter index: The call's place among the trace's.
  public func spanID(ofCall index: Int) -> UInt64 { derivedID(UInt64(truncatingIfNeeded: index) << 1 | 1) }

  /// The id of the span of a hostcall.
  /// - Parameter index: The hostcall's place among the trace's spans.
  public func spanID(ofHostcall index: Int) -> UInt64 { derivedID((UInt64(truncatingIfNeeded: index) + 1) << 1) }

  /// The `traceparent` that a backend gets.
  /// - Parameter call: The call's place among the trace's; nil for one that is not recorded.
  public func traceparent(ofCall call: Int?) -> String {
    "00-\(traceID)-\(Self.text(call.map { spanID(ofCall: $0) } ?? spanID))-0\(flags)"
  }

  /// The trace's id in 32 hexadecimal digits.
  public var traceID: String { Self.text(traceHigh) + Self.text(traceLow) }

  /// An id in 16 hexadecimal digits.
  public static func text(_ id: UInt64) -> String {
    let digits = String(id, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// The id that a text of 16 lower-case hexadecimal digits stands for; nil for another text and for 0.
  public static func id(_ text: some StringProtocol) -> UInt64? {
    guard text.utf8.count == 16, let id = hexadecimal(Array(text.utf8)[...]), id != 0 else { return nil }
    return id
  }

  private static func newID() -> UInt64 { .random(in: 1...(.max)) }

  /// Mixed well enough that ids of different requests do not meet (SplitMix64).
  private func derivedID(_ number: UInt64) -> UInt64 {
    var mixed = spanID &+ number &* 0x9E37_79B9_7F4A_7C15
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    mixed ^= mixed >> 31
    return mixed == 0 || mixed == spanID ? ~spanID : mixed
  }

  private static func hexadecimal(_ digits: ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for digit in digits {
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(digit - UInt8(ascii: "0"))
      case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
      default: return nil
      }
    }
    return value
  }
}

/// Which traces are recorded where a client's choice or none is given (`OTEL_TRACES_SAMPLER`).
public struct TraceContextSampler: Sendable, Hashable {
  /// The share of traces that begin here, from 0 to 1.
  public var ratio: Double
  /// Whether a client's choice is taken over.
  public var followsParent: Bool

  public init(ratio: Double = 1, followsParent: Bool = true) {
    self.ratio = ratio
    self.followsParent = followsParent
  }

  /// Sets whether a request's trace is recorded. The same trace gets the same answer everywhere.
  public func decide(_ context: inout TraceContext) {
    if followsParent, context.parentSpanID != nil { return }
    // The lower 56 bits of a trace's id are random (W3C Trace Context level 2).
    let random = Double(context.traceLow & 0xFF_FFFF_FFFF_FFFF) / Double(1 << 56 as UInt64)
    context.isSampled = random < ratio
  }
}
