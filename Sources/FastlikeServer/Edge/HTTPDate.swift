import Foundation

/// The date format of HTTP, as in `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
enum HTTPDate {
  private static let weekdays = Array("SunMonTueWedThuFriSat".utf8)
  private static let months = Array("JanFebMarAprMayJunJulAugSepOctNovDec".utf8)

  /// The date of a second since 1970 in the Gregorian calendar.
  static func bytes(unixSeconds: Int) -> [UInt8] {
    let days = floorDivision(unixSeconds, 86_400)
    let second = unixSeconds - days * 86_400
    let (year, month, day) = civilDate(daysSince1970: days)
    // 1970-01-01 was a Thursday.
    let weekday = days + 4 - floorDivision(days + 4, 7) * 7
    var bytes: [UInt8] = []
    bytes.reserveCapacity(29)
    bytes += weekdays[(weekday * 3)..<(weekday * 3 + 3)]
    bytes += ", ".utf8
    appendDigits(day, count: 2, to: &bytes)
    bytes.append(UInt8(ascii: " "))
    bytes += months[((month - 1) * 3)..<(month * 3)]
    bytes.append(UInt8(ascii: " "))
    appendDigits(year, count: 4, to: &bytes)
    bytes.append(UInt8(ascii: " "))
    appendDigits(second / 3600, count: 2, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
    appendDigits(second / 60 % 60, count: 2, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
    appendDigits(second % 60, count: 2, to: &bytes)
    bytes += " GMT".utf8
    return bytes
  }

  /// Counts in eras of 400 years that begin on 1 March, so that the leap day is the last day of a year.
  private static func civilDate(daysSince1970: Int) -> (year: Int, month: Int, day: Int) {
    let days = daysSince1970 + 719_468
    let era = floorDivision(days, 146_097)
    let dayOfEra = days - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }

  private static func floorDivision(_ number: Int, _ divisor: Int) -> Int {
    number >= 0 ? number / divisor : (number - divisor + 1) / divisor
  }

  private static func appendDigits(_ number: Int, count: Int, to bytes: inout [UInt8]) {
    var divisor = 1
    for _ in 1..<count { divisor *= 10 }
    while divisor > 0 {
      bytes.append(UInt8(0x30 + number / divisor % 10))
      divisor /= 10
    }
  }
}

/// The `date` line of responses, written once a second.
struct DateLine {
  private static let name = Array("date: ".utf8)
  private var line: [UInt8] = []
  private var validUntil: UInt64 = 0

  /// The line with its CR LF, at this instant of the monotonic clock (nanoseconds).
  mutating func bytes(at now: UInt64) -> [UInt8] {
    if now >= validUntil {
      let seconds = Date().timeIntervalSince1970
      line = Self.name + HTTPDate.bytes(unixSeconds: Int(seconds)) + Array("\r\n".utf8)
      validUntil = now + UInt64((1 - seconds.truncatingRemainder(dividingBy: 1)) * 1e9)
    }
    return line
  }

  /// The date alone.
  mutating func value(at now: UInt64) -> ArraySlice<UInt8> {
    bytes(at: now).dropFirst(Self.name.count).dropLast(2)
  }
}
