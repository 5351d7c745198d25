/// Numbers as pages, reports and tables show them: short, with their unit, and the same on every machine.
package enum Figures {
  /// A length of time with three digits that count: `812 ns`, `12.3 µs`, `426 ms`, `1.23 s`.
  package static func duration(_ nanoseconds: Int64) -> String {
    let value = Double(max(0, nanoseconds))
    if value < 1000 { return "\(max(0, nanoseconds)) ns" }
    // Limits lie where rounding would reach the next unit, so that no "1000 µs" comes out.
    if value < 999_500 { return significant(value / 1000) + " µs" }
    if value < 999_500_000 { return significant(value / 1_000_000) + " ms" }
    return significant(value / 1_000_000_000) + " s"
  }

  /// Milliseconds without their unit, for columns: `0.043`, `4.26`, `42.6`, `426.1`.
  package static func milliseconds(_ nanoseconds: Int64) -> String {
    let value = Double(max(0, nanoseconds)) / 1_000_000
    if value < 1 { return fixed(value, digits: 3) }
    return fixed(value, digits: value < 10 ? 2 : 1)
  }

  /// A part in whole percents: `94 %`, `<1 %`, `0 %`; only the whole is `100 %`.
  package static func share(_ part: Int64, of whole: Int64) -> String {
    guard part > 0, whole > 0 else { return "0 %" }
    let percent = Double(part) * 100 / Double(whole)
    if percent < 1 { return "<1 %" }
    return percent >= 99.5 && part < whole ? ">99 %" : "\(Int(percent.rounded())) %"
  }

  /// A size in binary units: `512 B`, `5.0 KiB`, `1.50 MiB`.
  package static func bytes(_ count: Int64) -> String {
    let value = Double(max(0, count))
    if value < 1024 { return "\(max(0, count)) B" }
    if value < 1024 * 1023.5 { return significant(value / 1024) + " KiB" }
    if value < 1024 * 1024 * 1023.5 { return significant(value / 1024 / 1024) + " MiB" }
    return significant(value / 1024 / 1024 / 1024) + " GiB"
  }

  /// A number with commas between thousands.
  package static func count(_ number: Int) -> String {
    var digits = Array(String(number.magnitude))
    var place = digits.count - 3
    while place > 0 {
      digits.insert(",", at: place)
      place -= 3
    }
    return (number < 0 ? "-" : "") + String(digits)
  }

  /// A number and the noun that it counts: `1 call`, `12 calls`.
  package static func count(_ number: Int, _ noun: String) -> String {
    "\(count(number)) \(noun)\(number == 1 ? "" : "s")"
  }

  /// A number with this many digits behind the point.
  package static func fixed(_ value: Double, digits: Int) -> String {
    var unit = 1.0
    for _ in 0..<digits { unit *= 10 }
    let scaled = (value * unit).rounded()
    guard scaled.magnitude < 9e15 else { return "\(value)" }
    let number = Int64(scaled).magnitude
    let whole = number / UInt64(unit)
    guard digits > 0 else { return "\(scaled < 0 ? "-" : "")\(whole)" }
    let fraction = String(number % UInt64(unit))
    let zeros = String(repeating: "0", count: digits - fraction.count)
    return "\(scaled < 0 ? "-" : "")\(whole).\(zeros)\(fraction)"
  }

  private static func significant(_ value: Double) -> String {
    fixed(value, digits: value < 9.995 ? 2 : value < 99.95 ? 1 : 0)
  }
}
