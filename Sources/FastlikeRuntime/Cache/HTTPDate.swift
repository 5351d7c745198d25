/// The dates of HTTP header fields, as seconds since 1970 (RFC 9110 §5.6.7).
enum HTTPDate {
  /// Reads a date in one of the three formats: IMF-fixdate, the obsolete RFC 850 form, and that of C's `asctime`.
  ///
  /// A two-digit year that would lie more than 50 years ahead of `now` is the most recent one with these digits. The name
  /// of the day is not compared with the date. Nil is anything else; zones other than GMT are not HTTP dates.
  static func seconds(_ text: some Collection<UInt8>, now: Int64) -> Int64? {
    let words = String(decoding: text, as: UTF8.self).split(separator: " ", omittingEmptySubsequences: true)
    switch words.count {
    case 6 where words[0].hasSuffix(",") && words[5] == "GMT":
      // Sun, 06 Nov 1994 08:49:37 GMT
      guard words[1].utf8.count == 2, words[3].utf8.count == 4 else { return nil }
      return seconds(year: number(words[3]), month: words[2], day: number(words[1]), time: words[4])
    case 4 where words[0].hasSuffix(",") && words[3] == "GMT":
      // Sunday, 06-Nov-94 08:49:37 GMT
      let parts = words[1].split(separator: "-", omittingEmptySubsequences: false)
      guard parts.count == 3, parts[2].utf8.count == 2, let short = number(parts[2]) else { return nil }
      return seconds(year: fullYear(of: short, now: now), month: parts[1], day: number(parts[0]), time: words[2])
    case 5 where words[4].utf8.count == 4:
      // Sun Nov  6 08:49:37 1994
      return seconds(year: number(words[4]), month: words[1], day: number(words[2]), time: words[3])
    default: return nil
    }
  }

  /// The IMF-fixdate of an instant, such as `Sun, 06 Nov 1994 08:49:37 GMT`.
  static func text(_ seconds: Int64) -> String {
    let days = floorDivide(seconds, 86_400)
    let time = seconds - days * 86_400
    let (year, month, day) = civil(fromDays: days)
    let weekday = Int(((days % 7) + 11) % 7)
    return "\(weekdays[weekday]), \(two(day)) \(months[Int(month) - 1]) \(year) "
      + "\(two(time / 3600)):\(two(time / 60 % 60)):\(two(time % 60)) GMT"
  }

  private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  private static func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : String(number) }

  private static func number(_ text: Substring) -> Int64? { WireSyntax.decimal(text.utf8).map { Int64($0) } }

  private static func fullYear(of short: Int64, now: Int64) -> Int64 {
    let present = civil(fromDays: floorDivide(now, 86_400)).year
    let year = present - present % 100 + short
    return year > present + 50 ? year - 100 : year
  }

  private static func seconds(year: Int64?, month: Substring, day: Int64?, time: Substring) -> Int64? {
    guard let year, year >= 1, let day, let index = months.firstIndex(of: String(month)) else { return nil }
    let month = Int64(index) + 1
    let parts = time.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 3, parts.allSatisfy({ $0.utf8.count == 2 }), let hour = number(parts[0]), hour < 24,
      let minute = number(parts[1]), minute < 60, let second = number(parts[2]), second <= 60
    else { return nil }
    let days = days(year: year, month: month, day: day)
    // A day that the month does not have comes out as one of the next month.
    guard day >= 1, civil(fromDays: days) == (year, month, day) else { return nil }
    return days * 86_400 + hour * 3600 + minute * 60 + second
  }

  // Days since 1970 and civil dates, in the proleptic Gregorian calendar; years are counted from March, so that the leap
  // day is a year's last.

  private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = floorDivide(shifted, 400)
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  private static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = floorDivide(shifted, 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }

  private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient - 1 : quotient
  }
}
