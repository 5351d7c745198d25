// Geolocation, device detection and user agent parsing. The tests are listed in Guests/README.md.

@_cdecl("_start")
func start() {
  serve { (request, _) throws(Status) in
    let target = try request.target()
    switch target.path {
    case "/geo": try geo(target)
    case "/geo_client": try geoOfClient()
    case "/device": try device(target)
    case "/uap": try userAgent(target)
    default: try sendUnknownPath(target.path)
    }
  }
}

/// The record of the address in `ip`, written as dotted decimals or as 32 hexadecimal digits.
func geo(_ target: Target) throws(Status) {
  var report = Report()
  let address = octets(target["ip"] ?? "127.0.0.1")
  report.text("record") { () throws(Status) in try Geo.lookup(address) }
  let tiny = Geo.reading(address, capacity: 2)
  report.add("tiny_status", status: tiny.status)
  report.add("tiny_length_is_needed", tiny.written > 2)
  for count in [0, 3, 5, 15, 17] {
    report.text("octets_\(count)") { () throws(Status) in try Geo.lookup([UInt8](repeating: 1, count: count)) }
  }
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

func geoOfClient() throws(Status) {
  let address = try Reading.complete(capacity: 16) { buffer, _, written in
    hostRequestDownstreamClientIpAddr(buffer, written)
  }
  var report = Report()
  report.text("record") { () throws(Status) in try Geo.lookup(address.bytes) }
  try report.send()
}

/// The record of the user agent in `ua`.
func device(_ target: Target) throws(Status) {
  var report = Report()
  let userAgent = target["ua"] ?? ""
  report.text("record") { () throws(Status) in try Device.lookup(userAgent) }
  let tiny = Device.reading(userAgent, capacity: 2)
  report.add("tiny_status", status: tiny.status)
  report.add("tiny_length_is_needed", tiny.written > 2)
  report.text("not_text") { () throws(Status) in try Device.lookup(Text([0xff])) }
  try report.send()
}

/// Family and version of the user agent in `ua`.
func userAgent(_ target: Target) throws(Status) {
  var report = Report()
  do throws(Status) {
    let agent = try UserAgent(parsing: target["ua"] ?? "")
    report.add("parse", status: .ok)
    report.add("family", agent.family)
    report.add("major", agent.major)
    report.add("minor", agent.minor)
    report.add("patch", agent.patch)
  } catch {
    report.add("parse", status: error)
  }
  report.attempt("tiny") { () throws(Status) in _ = try UserAgent(parsing: target["ua"] ?? "", capacity: 1) }
  try report.send()
}
