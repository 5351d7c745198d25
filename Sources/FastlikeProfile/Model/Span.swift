/// One hostcall of a guest: fixed size, no references, at most 64 bytes (a test pins it).
///
/// Instants are nanoseconds from the trace's start. Which hostcall and which labels is told by the tables of the
/// ``RequestTrace`` that holds the span.
@frozen
public struct Span: Sendable, Hashable {
  /// Up to four integers whose meaning belongs to the hostcall: handles, lengths, counts; unused ones are 0.
  /// Never a guest pointer's target, never a value.
  public var tags: SIMD4<UInt32>
  /// Nanoseconds from the trace's start.
  public var start: Int64
  /// Nanoseconds, blocked time included.
  public var duration: Int64
  /// The part of ``duration`` in nanoseconds for which the guest was suspended.
  public var blocked: Int64
  /// Index into ``RequestTrace/labels`` of the first label; 0 is none.
  public var label0: UInt32
  /// Index into ``RequestTrace/labels`` of the second label; 0 is none.
  public var label1: UInt32
  /// The status that the guest got.
  public var status: Int32
  /// Index into ``RequestTrace/hostcalls``; 0 is unknown.
  public var hostcall: UInt16

  @inlinable
  public init(
    hostcall: UInt16, start: Int64, duration: Int64 = 0, blocked: Int64 = 0, status: Int32 = 0,
    label0: UInt32 = 0, label1: UInt32 = 0, tags: SIMD4<UInt32> = .zero
  ) {
    self.tags = tags
    self.start = start
    self.duration = duration
    self.blocked = blocked
    self.label0 = label0
    self.label1 = label1
    self.status = status
    self.hostcall = hostcall
  }

  /// Nanoseconds from the trace's start at which the hostcall returned.
  @inlinable public var end: Int64 { start + duration }

  /// Nanoseconds that the host worked: ``duration`` without ``blocked``.
  @inlinable public var hostNanos: Int64 { duration - blocked }
}

/// What a hostcall touched: the name of a configured thing, never a key or a value.
public struct TraceLabel: Sendable, Hashable {
  /// What kind of name it is.
  public enum Kind: String, Sendable, CaseIterable, BitwiseCopyable {
    case none
    case backend
    case kvStore = "kv-store"
    case configStore = "config-store"
    case secretStore = "secret-store"
    case dictionary
    case acl
    case rateCounter = "rate-counter"
    case penaltyBox = "penalty-box"
    case logEndpoint = "log-endpoint"
    case headerName = "header-name"
    /// What a look-up in the cache came to: `hit`, `stale`, `miss`, `pass`, and `collapsed` for one that has waited for another
    /// request, whose number is the span's first tag.
    case cacheOutcome = "cache"
    case other
  }

  /// Labels longer than this many bytes are cut.
  public static let maximumBytes = 256

  /// The kind of the name.
  public let kind: Kind
  /// The name; for header names that ``HeaderRedaction`` lists, `<redacted>`.
  public let name: String

  /// Index 0 of every label table.
  public static let none = TraceLabel(kind: .none, name: "")

  public init(kind: Kind, name: String) {
    self.kind = kind
    if kind == .headerName, HeaderRedaction.isRedacted(name) {
      self.name = HeaderRedaction.placeholder
    } else {
      self.name = PrintableText.bounded(name, to: Self.maximumBytes)
    }
  }

  /// A label that was made before.
  init(keptKind kind: Kind, name: String) {
    self.kind = kind
    self.name = name
  }

  /// The name of a header as a guest has it, in lower case.
  init(headerName name: UnsafeRawBufferPointer) {
    self.init(kind: .headerName, name: Self.loweredName(name))
  }

  /// At most ``maximumBytes`` of it.
  static func loweredName(_ bytes: UnsafeRawBufferPointer) -> String {
    let name = bytes.prefix(Self.maximumBytes)
    guard name.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return String(decoding: name, as: UTF8.self).lowercased() }
    return String(unsafeUninitializedCapacity: name.count) { buffer in
      for (place, byte) in name.enumerated() {
        buffer[place] = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
      }
      return name.count
    }
  }
}
