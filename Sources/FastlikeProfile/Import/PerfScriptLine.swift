/// The header of a sample: `COMM [PID/]TID [CPU] SECONDS.FRACTION: PERIOD EVENT: TEXT`, every column optional.
///
/// A command's name may hold anything, blanks, digits and brackets included, so the line is read from its right: the
/// last time stamp that a thread id precedes is the one.
struct PerfScriptHeader {
  /// What stands after the time stamp.
  enum Event: Equatable {
    /// The columns left the event out.
    case unnamed
    /// The name without modifiers.
    case named(Range<Int>)
    /// `SYSTEM:NAME`; free text follows.
    case tracepoint(Range<Int>)
    /// A `PERF_RECORD_…` line, which is no sample.
    case record
  }

  /// Nanoseconds on the recording's clock.
  var timestampNanos: Int64
  /// The number in front of a slash.
  var processID: Int32?
  /// The number after the slash, or the only one.
  var otherID: Int32?
  var hasSlash: Bool
  var event: Event
  var period: Int64?
  /// What stands after the event: free text, or the sample's only frame.
  var rest: Range<Int>

  /// nil when the line has no time stamp in the right place.
  init?(_ bytes: [UInt8], _ line: Range<Int>) {
    var end = line.upperBound
    while true {
      guard let stamp = Self.lastTimestamp(bytes, line.lowerBound..<end) else { return nil }
      if let ids = Self.ids(bytes, line.lowerBound..<stamp.start) {
        timestampNanos = stamp.nanos
        (processID, otherID, hasSlash) = ids
        (event, period, rest) = Self.event(bytes, stamp.end..<line.upperBound)
        return
      }
      end = stamp.start
    }
  }

  /// The last `DIGITS.DIGITS:` between blanks.
  private static func lastTimestamp(
    _ bytes: [UInt8], _ range: Range<Int>
  ) -> (start: Int, end: Int, nanos: Int64)? {
    var colon = range.upperBound - 1
    while colon > range.lowerBound {
      defer { colon -= 1 }
      guard bytes[colon] == UInt8(ascii: ":"), colon + 1 == bytes.count || isSeparator(bytes[colon + 1]) else {
        continue
      }
      var dot = colon - 1
      while dot > range.lowerBound, ByteText.isDigit(bytes[dot]) { dot -= 1 }
      guard bytes[dot] == UInt8(ascii: "."), (1...9).contains(colon - dot - 1) else { continue }
      var start = dot
      while start > range.lowerBound, ByteText.isDigit(bytes[start - 1]) { start -= 1 }
      guard start < dot, start == range.lowerBound || ByteText.isBlank(bytes[start - 1]),
        let nanos = nanoseconds(bytes, seconds: start..<dot, fraction: (dot + 1)..<colon)
      else { continue }
      return (start, colon + 1, nanos)
    }
    return nil
  }

  private static func isSeparator(_ byte: UInt8) -> Bool { ByteText.isBlank(byte) || byte == 0x0A || byte == 0x0D }

  private static func nanoseconds(_ bytes: [UInt8], seconds: Range<Int>, fraction: Range<Int>) -> Int64? {
    guard let whole = ByteText.decimal(bytes, seconds), whole <= 9_000_000_000,
      var part = ByteText.decimal(bytes, fraction)
    else { return nil }
    for _ in fraction.count..<9 { part *= 10 }
    return whole * 1_000_000_000 + part
  }

  /// `TID`, `PID/TID`, either with `[CPU]` after it, or nothing at all; nil for anything else.
  private static func ids(
    _ bytes: [UInt8], _ before: Range<Int>
  ) -> (processID: Int32?, otherID: Int32?, hasSlash: Bool)? {
    var word = ByteText.lastWord(bytes, before)
    if isProcessor(bytes, word) { word = ByteText.lastWord(bytes, before.lowerBound..<word.lowerBound) }
    if word.isEmpty { return (nil, nil, false) }
    if let slash = bytes[word].firstIndex(of: UInt8(ascii: "/")) {
      guard let process = id(bytes, word.lowerBound..<slash), let thread = id(bytes, (slash + 1)..<word.upperBound)
      else { return nil }
      return (known(process), known(thread), true)
    }
    return id(bytes, word).map { (nil, known($0), false) }
  }

  /// `[DIGITS]`
  private static func isProcessor(_ bytes: [UInt8], _ word: Range<Int>) -> Bool {
    guard word.count >= 3, bytes[word.lowerBound] == UInt8(ascii: "["), bytes[word.upperBound - 1] == UInt8(ascii: "]")
    else { return false }
    return bytes[(word.lowerBound + 1)..<(word.upperBound - 1)].allSatisfy(ByteText.isDigit)
  }

  /// A process or thread; `-1` is written where the kernel did not know it.
  private static func id(_ bytes: [UInt8], _ word: Range<Int>) -> Int32? {
    if ByteText.equal(bytes, word, "-1") { return -1 }
    return ByteText.decimal(bytes, word).flatMap { Int32(exactly: $0) }
  }

  private static func known(_ id: Int32) -> Int32? { id < 0 ? nil : id }

  private static func event(_ bytes: [UInt8], _ text: Range<Int>) -> (Event, Int64?, Range<Int>) {
    let whole = ByteText.trimmed(bytes, text)
    if ByteText.starts(bytes, whole, with: "PERF_RECORD_") { return (.record, nil, whole) }
    var word = ByteText.word(bytes, whole)
    var period: Int64?
    if let number = ByteText.decimal(bytes, word) {
      period = number
      word = ByteText.word(bytes, word.upperBound..<whole.upperBound)
    }
    // Without an event what looked like a period is the address of a frame.
    guard word.count > 1, bytes[word.upperBound - 1] == UInt8(ascii: ":") else { return (.unnamed, nil, whole) }
    let rest = ByteText.trimmed(bytes, word.upperBound..<whole.upperBound)
    let name = word.lowerBound..<(word.upperBound - 1)
    guard let colon = bytes[name].firstIndex(of: UInt8(ascii: ":")) else { return (.named(name), period, rest) }
    let isModifier = bytes[(colon + 1)..<name.upperBound].allSatisfy { "ukhpPHGSDWIeb".utf8.contains($0) }
    return (isModifier ? .named(name.lowerBound..<colon) : .tracepoint(name), period, rest)
  }

  /// Whether a line is a header but for the time that it lacks (`perf record --per-thread`).
  static func isUntimed(_ bytes: [UInt8], _ line: Range<Int>) -> Bool {
    let text = ByteText.trimmed(bytes, line)
    let event = ByteText.lastWord(bytes, text)
    guard event.count > 1, bytes[event.upperBound - 1] == UInt8(ascii: ":") else { return false }
    // Whether the number before the event is a period or the thread, there is one.
    return ids(bytes, text.lowerBound..<event.lowerBound).map { $0.otherID != nil } ?? false
  }
}

/// A function of a sample's call chain: `ADDRESS SYMBOL+0xOFFSET (DSO)`, the last two optional.
struct PerfScriptFrame {
  var address: UInt64
  /// Without the offset; empty when there is none.
  var symbol: Range<Int>
  /// Without the parentheses; empty when there is none.
  var dso: Range<Int>

  /// nil when the line does not begin with an address.
  init?(_ bytes: [UInt8], _ line: Range<Int>) {
    let first = ByteText.word(bytes, line)
    guard let address = ByteText.hexadecimal(bytes, first) else { return nil }
    self.address = address
    let text = ByteText.trimmed(bytes, first.upperBound..<line.upperBound)
    let open = Self.openingOfDSO(bytes, text)
    dso = open.map { ($0 + 1)..<(text.upperBound - 1) } ?? text.upperBound..<text.upperBound
    symbol = Self.withoutOffset(bytes, ByteText.trimmed(bytes, text.lowerBound..<(open ?? text.upperBound)))
  }

  /// Whether the compiler put the function into the one of the next line.
  func isInlined(in bytes: [UInt8]) -> Bool { ByteText.equal(bytes, dso, "inlined") }

  /// Where the last group in parentheses begins. Paths may hold parentheses themselves, so the one that closes the line
  /// is matched.
  private static func openingOfDSO(_ bytes: [UInt8], _ text: Range<Int>) -> Int? {
    guard !text.isEmpty, bytes[text.upperBound - 1] == UInt8(ascii: ")") else { return nil }
    var depth = 0
    var lastGroup: Int?
    for index in text.reversed() {
      switch bytes[index] {
      case UInt8(ascii: ")"): depth += 1
      case UInt8(ascii: "("):
        depth -= 1
        let isGroup = index == text.lowerBound || ByteText.isBlank(bytes[index - 1])
        if isGroup, lastGroup == nil { lastGroup = index }
        if depth == 0, isGroup { return index }
      default: break
      }
    }
    return lastGroup
  }

  /// Without `+0x` and hexadecimal digits at the end.
  private static func withoutOffset(_ bytes: [UInt8], _ symbol: Range<Int>) -> Range<Int> {
    var start = symbol.upperBound
    while start > symbol.lowerBound, ByteText.hexDigit(bytes[start - 1]) != nil { start -= 1 }
    guard start < symbol.upperBound, start - symbol.lowerBound > 3, bytes[start - 1] == UInt8(ascii: "x"),
      bytes[start - 2] == UInt8(ascii: "0"), bytes[start - 3] == UInt8(ascii: "+")
    else { return symbol }
    return symbol.lowerBound..<(start - 3)
  }
}
