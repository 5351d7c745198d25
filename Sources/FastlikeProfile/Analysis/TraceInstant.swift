internal import Foundation

/// An instant as people write it, on a command line or in an address.
public enum TraceInstant {
  /// How an instant is written, for errors.
  public static let allowed = "a time such as 2026-01-31T09:30:00Z, or how long ago: 90s, 10m, 2h, 1d"

  /// Nanoseconds since 1970 of a text; nil for one that is no instant.
  /// - Parameters:
  ///   - text: RFC 3339 with a zone, or a number with `s`, `m`, `h` or `d` that is counted back from now.
  ///   - now: Nanoseconds since 1970.
  public static func parse(_ text: String, now: Int64) -> Int64? {
    if let last = text.last, let number = Double(text.dropLast()), text.first?.isNumber == true, number <= 1e6 {
      let seconds: Double? =
        switch last {
        case "s": 1
        case "m": 60
        case "h": 3600
        case "d": 86_400
        default: nil
        }
      return seconds.map { now - Int64(number * $0 * 1e9) }
    }
    let plain = Date.ISO8601FormatStyle()
    let fine = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    guard let date = (try? plain.parse(text)) ?? (try? fine.parse(text)),
      (0...9e9).contains(date.timeIntervalSince1970)
    else { return nil }
    return Int64((date.timeIntervalSince1970 * 1e6).rounded()) * 1000
  }

  /// Nanoseconds since 1970 at this moment.
  public static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1e9) }
}
