import Testing

@testable import FastlikeRuntime

@Suite("HTTP dates (RFC 9110 §5.6.7)") struct HTTPDateTests {
  /// Thu, 02 Jul 2026 00:00:00 GMT.
  private let now: Int64 = 1_782_950_400

  private func seconds(_ text: String) -> Int64? { HTTPDate.seconds(text.utf8, now: now) }

  @Test(
    "RFC 9110 §5.6.7: all three formats are read",
    arguments: [
      "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
    ])
  func allThreeFormatsAreRead(text: String) { #expect(seconds(text) == 784_111_777) }

  @Test("RFC 9110 §5.6.7: a two-digit year is never more than 50 years ahead")
  func aTwoDigitYearIsNeverMoreThanFiftyYearsAhead() {
    #expect(seconds("Monday, 06-Jul-76 00:00:00 GMT") == seconds("Mon, 06 Jul 2076 00:00:00 GMT"))
    #expect(seconds("Monday, 06-Jul-77 00:00:00 GMT") == seconds("Wed, 06 Jul 1977 00:00:00 GMT"))
  }

  @Test(
    "RFC 9110 §5.6.7: what is no date is none",
    arguments: [
      "", "0", "-1", "tomorrow", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
      "Sun, 31 Feb 2020 00:00:00 GMT", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
      "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT",
    ])
  func whatIsNoDateIsNone(text: String) { #expect(seconds(text) == nil) }

  @Test("RFC 9110 §5.6.7: dates are written as IMF-fixdate", arguments: [0, 784_111_777, 951_782_400, 4_102_444_799])
  func datesAreWrittenAsIMFFixdate(instant: Int64) { #expect(seconds(HTTPDate.text(instant)) == instant) }

  @Test func aWrittenDateHasTheRightDayOfTheWeek() {
    #expect(HTTPDate.text(0) == "Thu, 01 Jan 1970 00:00:00 GMT")
    #expect(HTTPDate.text(784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
    #expect(HTTPDate.text(951_782_400) == "Tue, 29 Feb 2000 00:00:00 GMT")
  }
}
