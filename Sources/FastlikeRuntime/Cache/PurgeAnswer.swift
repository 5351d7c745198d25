import CTimestamp
import Synchronization

/// What a purge answers, to guests and over HTTP.
public struct PurgeAnswer: Sendable {
  private static let count = Atomic<UInt64>(0)

  /// Names the purge; unique in the process.
  public let id: String

  public static func next() -> PurgeAnswer {
    PurgeAnswer(
      id: "\(ctimestamp_monotonic() / 1_000_000_000)-\(count.wrappingAdd(1, ordering: .relaxed).newValue)")
  }

  /// `{"status":"ok","id":"…"}`, as the platform answers.
  public var json: String { #"{"status":"ok","id":"\#(id)"}"# }

  /// As ``json``, with how many objects were purged.
  public func json(objectCount: Int) -> String { #"{"status":"ok","id":"\#(id)","objects":\#(objectCount)}"# }
}
