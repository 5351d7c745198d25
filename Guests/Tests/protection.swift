// Secret stores, access control lists, rate limiting and shields. The tests are listed in Guests/README.md.

@_cdecl("_start")
func start() {
  serve { (request, _) throws(Status) in
    let target = try request.target()
    switch target.path {
    case "/secret": try secret(target)
    case "/own_secret": try ownSecret()
    case "/acl": try list(target)
    case "/count": try count(target)
    case "/rates": try rates()
    case "/penalties": try penalties()
    case "/erl_misuse": try rateMisuse()
    case "/shield": try shield(target)
    default: try sendUnknownPath(target.path)
    }
  }
}

/// The secret `key` of the store `name`.
func secret(_ target: Target) throws(Status) {
  var report = Report()
  let (name, key) = (target["name"] ?? "keys", target["key"] ?? "token")
  do throws(Status) {
    let store = try SecretStore(name)
    report.add("open", status: .ok)
    report.text("plaintext") { () throws(Status) in try store.get(key).plaintext() }
    report.attempt("missing") { () throws(Status) in _ = try store.get("no such secret") }
    report.attempt("not_text") { () throws(Status) in _ = try store.get(Text([0xff])) }
  } catch {
    report.add("open", status: error)
  }
  report.text("without_store") { () throws(Status) in try Secret.named(key) }
  report.attempt("bad_store") { () throws(Status) in _ = try SecretStore(handle: 777).get(key) }
  report.attempt("bad_secret") { () throws(Status) in _ = try Secret(handle: 777).plaintext() }
  try report.send()
}

func ownSecret() throws(Status) {
  var report = Report()
  let own = try Secret(Text([0x61, 0, 0xff]))
  report.text("plaintext") { () throws(Status) in try own.plaintext() }
  report.add("tiny", own.reading(capacity: 2))
  report.add("empty", try Secret("").reading(capacity: 0))
  let long = try Secret(.repeating(0x78, count: 100_000))
  report.add("long", try long.plaintext().count)
  try report.send()
}

/// The entry of the list `name` for the address `ip`, as dotted decimals or as 32 hexadecimal digits.
func list(_ target: Target) throws(Status) {
  var report = Report()
  do throws(Status) {
    let list = try AccessList(target["name"] ?? "list")
    report.add("open", status: .ok)
    report.text("entry") { () throws(Status) in try list.lookup(octets(target["ip"] ?? "127.0.0.1")) ?? "-" }
    for count in [0, 3, 5, 15, 17] {
      report.attempt("octets_\(count)") { () throws(Status) in
        _ = try list.lookup([UInt8](repeating: 1, count: count))
      }
    }
  } catch {
    report.add("open", status: error)
  }
  report.attempt("bad_handle") { () throws(Status) in _ = try AccessList(handle: 777).lookup([127, 0, 0, 1]) }
  try report.send()
}

func octets(_ text: Text) -> [UInt8] {
  let parts = text.split(separator: UInt8(ascii: "."))
  if parts.count == 4 { return parts.map { UInt8(truncatingIfNeeded: $0.decimal ?? 0) } }
  // Each pair of digits has the form that percent decoding expects behind its sign.
  var encoded: [UInt8] = []
  for (place, digit) in text.bytes.enumerated() {
    if place % 2 == 0 { encoded.append(UInt8(ascii: "%")) }
    encoded.append(digit)
  }
  return Text(encoded).percentDecoded.bytes
}

/// Counts one more for `entry`, and tells how many there are.
func count(_ target: Target) throws(Status) {
  let counter = RateCounter(name: "visits")
  let entry = target["entry"] ?? "entry"
  try counter.increment(entry)
  try Response.send("\(try counter.count(entry, duration: 60))")
}

func rates() throws(Status) {
  var report = Report()
  let counter = RateCounter(name: "rates")
  report.attempt("increment") { () throws(Status) in try counter.increment("a", by: 120) }
  for duration: UInt32 in [10, 20, 30, 40, 50, 60] {
    report.number("count_\(duration)") { () throws(Status) in try counter.count("a", duration: duration) }
  }
  report.number("rate_10") { () throws(Status) in try counter.rate("a", window: 10) }
  report.number("rate_60") { () throws(Status) in try counter.rate("a", window: 60) }
  report.number("other_entry") { () throws(Status) in try counter.count("b", duration: 60) }
  report.number("other_counter") { () throws(Status) in
    try RateCounter(name: "other").count("a", duration: 60)
  }
  try report.send()
}

func penalties() throws(Status) {
  var report = Report()
  let (counter, box) = (RateCounter(name: "limited"), PenaltyBox(name: "box"))
  func has(_ entry: Text) throws(Status) -> UInt32 { try box.has(entry) ? 1 : 0 }
  func blocked(_ delta: UInt32) throws(Status) -> UInt32 {
    try counter.isBlocked("a", adding: delta, window: 60, limit: 1, box: box, seconds: 60) ? 1 : 0
  }
  report.number("has_at_first") { () throws(Status) in try has("a") }
  report.number("within") { () throws(Status) in try blocked(60) }
  report.number("beyond") { () throws(Status) in try blocked(60) }
  report.number("has_then") { () throws(Status) in try has("a") }
  report.number("penalized") { () throws(Status) in try blocked(0) }
  // One that is in the box is not counted.
  report.number("count") { () throws(Status) in try counter.count("a", duration: 60) }
  report.attempt("add") { () throws(Status) in try box.add("b", seconds: 3600) }
  report.number("has_b") { () throws(Status) in try has("b") }
  try report.send()
}

func rateMisuse() throws(Status) {
  var report = Report()
  let (counter, box) = (RateCounter(name: "c"), PenaltyBox(name: "b"))
  for window: UInt32 in [0, 2, 30, 61] {
    report.attempt("rate_\(window)") { () throws(Status) in _ = try counter.rate("a", window: window) }
    report.attempt("check_\(window)") { () throws(Status) in
      _ = try counter.isBlocked("a", window: window, limit: 1, box: box, seconds: 60)
    }
  }
  for duration: UInt32 in [0, 1, 15, 70] {
    report.attempt("count_\(duration)") { () throws(Status) in _ = try counter.count("a", duration: duration) }
  }
  let long = Text.repeating(0x6e, count: 1025)
  report.attempt("long_counter") { () throws(Status) in try RateCounter(name: long).increment("a") }
  report.attempt("long_entry") { () throws(Status) in try counter.increment(long) }
  report.attempt("long_box") { () throws(Status) in try PenaltyBox(name: long).add("a", seconds: 60) }
  report.attempt("counter_not_text") { () throws(Status) in try RateCounter(name: Text([0xff])).increment("a") }
  report.attempt("box_not_text") { () throws(Status) in _ = try PenaltyBox(name: Text([0xff])).has("a") }
  // Entries are bytes.
  report.attempt("entry_of_bytes") { () throws(Status) in try counter.increment(Text([0xff])) }
  try report.send()
}

/// What is known of the shield `name`, and the backend for it.
func shield(_ target: Target) throws(Status) {
  var report = Report()
  let name = target["name"] ?? "near"
  report.add("info", Shield.info(name))
  report.add("tiny", Shield.info(name, capacity: 1))
  report.text("backend") { () throws(Status) in try Shield.backend(name) }
  report.text("with_times") { () throws(Status) in try Shield.backend(name, mask: 1 << 2 | 1 << 3) }
  report.attempt("reserved") { () throws(Status) in _ = try Shield.backend(name, mask: 1) }
  try report.send()
}
