import Foundation

/// Words and numbers as the trace commands print them.
enum TraceText {
  /// What stands where there is nothing.
  static let none = "-"

  /// Text from outside without what would steer a terminal, and cut where it is longer than a column.
  static func printable(_ text: String, limit: Int = 256) -> String {
    var kept = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator: kept.append("_")
      default: kept.append(scalar)
      }
    }
    let plain = String(kept)
    return plain.count <= limit ? plain : plain.prefix(limit - 1) + "…"
  }

  /// Milliseconds without their unit, to the microsecond.
  static func milliseconds(_ nanoseconds: Int64) -> String {
    String(format: "%.3f", Double(max(0, nanoseconds)) / 1_000_000)
  }

  static func milliseconds(ifPresent nanoseconds: Int64?) -> String { nanoseconds.map(milliseconds) ?? none }

  /// A part in whole percents; `<1 %` for what is not nothing.
  static func share(_ part: Int64, of whole: Int64) -> String {
    guard part > 0, whole > 0 else { return "0 %" }
    let percent = min(100, Double(part) * 100 / Double(whole))
    return percent < 1 ? "<1 %" : "\(Int(percent.rounded())) %"
  }

  /// A number and the noun that it counts.
  static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

  /// An instant on the clock of a time zone, to the millisecond.
  static func instant(unixNanos: Int64, in zone: TimeZone) -> String {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = zone
    let (seconds, rest) = unixNanos.quotientAndRemainder(dividingBy: 1_000_000_000)
    let parts = calendar.dateComponents(
      [.year, .month, .day, .hour, .minute, .second], from: Date(timeIntervalSince1970: Double(seconds)))
    return String(
      format: "%04d-%02d-%02d %02d:%02d:%02d.%03d", parts.year ?? 0, parts.month ?? 0, parts.day ?? 0, parts.hour ?? 0,
      parts.minute ?? 0, parts.second ?? 0, Int(max(0, rest) / 1_000_000))
  }
}

/// Columns of text under a line of titles.
struct TraceTable {
  struct Column {
    let title: String
    let isNumber: Bool

    static func text(_ title: String) -> Column { Column(title: title, isNumber: false) }
    static func number(_ title: String) -> Column { Column(title: title, isNumber: true) }
  }

  let columns: [Column]
  /// As many cells as there are columns.
  var rows: [[String]] = []

  /// One line a row, without spaces at their ends.
  func lines(indent: String = "") -> [String] {
    let rows = [columns.map(\.title)] + self.rows
    let widths = columns.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = columns.indices.map { column in
        let space = String(repeating: " ", count: widths[column] - row[column].count)
        return columns[column].isNumber ? space + row[column] : row[column] + space
      }
      let line = indent + cells.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
  }
}
