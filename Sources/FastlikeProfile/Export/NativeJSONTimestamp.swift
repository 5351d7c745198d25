/// RFC 3339 timestamps with nanoseconds, computed on the proleptic Gregorian calendar.
enum NativeJSONTimestamp {
  /// `2026-05-23T10:00:00.123456789Z`
  static func format(unixNanos: Int64) -> String {
    let (seconds, nanos) = floorDivide(unixNanos, 1_000_000_000)
    let (days, secondOfDay) = floorDivide(seconds, 86_400)
    let date = civil(fromDays: days)
    return [
      padded(date.year, 4), "-", padded(date.month, 2), "-", padded(date.day, 2), "T", padded(secondOfDay / 3600, 2),
      ":",
      padded(secondOfDay / 60 % 60, 2), ":", padded(secondOfDay % 60, 2), ".", padded(nanos, 9), "Z",
    ]
    .joined()
  }

  /// Reads a timestamp with any number of fraction digits and any offset; nil when it is none, or outside of the years
  /// 1678 to 2262 that nanoseconds reach.
  static func parse(_ text: String) -> Int64? {
    var rest = Array(text.utf8)[...]
    guard let year = number(&rest, 4), take("-", &rest), let month = number(&rest, 2), take("-", &rest),
      let day = number(&rest, 2), take("T", &rest) || take("t", &rest), let hour = number(&rest, 2), take(":", &rest),
      let minute = number(&rest, 2), take(":", &rest), let second = number(&rest, 2), (1...12).contains(month),
      (1...31).contains(day), hour < 24, minute < 60, second <= 60, (1678...2261).contains(year)
    else { return nil }
    var nanos: Int64 = 0
    if take(".", &rest) {
      var scale: Int64 = 100_000_000
      guard let first = rest.first, isDigit(first) else { return nil }
      while let digit = rest.first, isDigit(digit) {
        nanos += Int64(digit - UInt8(ascii: "0")) * scale
        scale /= 10
        rest.removeFirst()
      }
    }
    var offset: Int64 = 0
    if !take("Z", &rest), !take("z", &rest) {
      let sign: Int64
      if take("+", &rest) { sign = 1 } else if take("-", &rest) { sign = -1 } else { return nil }
      guard let hours = number(&rest, 2), take(":", &rest), let minutes = number(&rest, 2) else { return nil }
      offset = sign * (hours * 3600 + minutes * 60)
    }
    guard rest.isEmpty else { return nil }
    let days = days(year: year, month: month, day: day)
    return (days * 86_400 + hour * 3600 + minute * 60 + second - offset) * 1_000_000_000 + nanos
  }

  private static func floorDivide(_ value: Int64, _ divisor: Int64) -> (Int64, Int64) {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }

  /// Days are counted from 1970-01-01, in eras of 400 years that begin on a first of March.
  private static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let (era, dayOfEra) = floorDivide(days + 719_468, 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
  }

  private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let (era, yearOfEra) = floorDivide(month <= 2 ? year - 1 : year, 400)
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  private static func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  private static func number(_ bytes: inout ArraySlice<UInt8>, _ width: Int) -> Int64? {
    let digits = bytes.prefix(width)
    guard digits.count == width, digits.allSatisfy(isDigit) else { return nil }
    bytes = bytes.dropFirst(width)
    return digits.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
  }

  private static func take(_ character: Unicode.Scalar, _ bytes: inout ArraySlice<UInt8>) -> Bool {
    guard bytes.first == UInt8(ascii: character) else { return false }
    bytes.removeFirst()
    return true
  }
}
