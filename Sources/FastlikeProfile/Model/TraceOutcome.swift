/// How a request ended.
public enum TraceOutcome: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// The guest returned.
  case normal = 0
  /// The guest trapped or exited with a failure code.
  case trap
  /// A hostcall failed in the host's own code.
  case panic
  /// The request came back to its sender (`cdn-loop`).
  case loopFail
  /// The client went away before the end.
  case contextCanceled
  /// The guest was stopped at its limit of time or memory.
  case limitExceeded
  /// Read from a file of a newer version that has more outcomes.
  case unrecognized

  /// The word used in files and on pages.
  public var wireName: String {
    switch self {
    case .normal: "normal"
    case .trap: "trap"
    case .panic: "panic"
    case .loopFail: "loop-fail"
    case .contextCanceled: "ctx-canceled"
    case .limitExceeded: "limit-exceeded"
    case .unrecognized: "unrecognized"
    }
  }

  /// Reads the word; one that is not known is ``unrecognized``.
  public init(wireName: String) { self = Self.allCases.first { $0.wireName == wireName } ?? .unrecognized }
}

/// A remark on a request. Its text is written in the host's source; it can name hostcalls and count, and there is
/// no way to put a value of the request into it.
public struct TraceNote: Sendable, Hashable, CustomStringConvertible {
  /// Notes of decoded files longer than this many bytes are cut.
  public static let maximumBytes = 256

  /// The text.
  public let text: String

  /// A remark without parameters.
  public init(_ text: StaticString) { self.text = text.description }

  /// A remark that names a hostcall: `TEXT: NAME`.
  public init(_ text: StaticString, hostcall: UInt16, in table: HostcallNameTable) {
    self.text = "\(text): \(table.name(at: hostcall))"
  }

  /// A remark with a count: `TEXT: COUNT`.
  public init(_ text: StaticString, count: Int) { self.text = "\(text): \(count)" }

  /// For the decoder: what a file holds was a note when it was written.
  init(decoded text: String) { self.text = PrintableText.bounded(text, to: Self.maximumBytes) }

  public var description: String { text }
}
