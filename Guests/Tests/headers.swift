// Header fields of requests and responses. The tests are listed in Guests/README.md.

@_cdecl("_start")
func start() {
  serve(route)
}

func route(_ request: Request, _ body: Body) throws(Status) {
  let target = try request.target()
  let segments = target.segments
  if segments.count == 2 {
    let headers: Headers
    switch segments[0] {
    case "request": headers = try Request().headers
    case "response": headers = try Response().headers
    default: return try sendUnknownPath(target.path)
    }
    switch segments[1] {
    case "basic": return try basics(headers)
    case "cursors": return try cursors(headers)
    case "values_set": return try setValues(headers)
    case "invalid": return try invalidNamesAndValues(headers)
    case "limits": return try limits(headers)
    case "many": return try many(headers, count: target.number("count", default: 1000))
    default: return try sendUnknownPath(target.path)
    }
  }
  switch target.path {
  case "/bad_handle": try badHandles()
  case "/echo": try echo(request)
  case "/original": try originals(request, capacity: UInt32(target.number("capacity", default: 8192)))
  case "/wire": try wire()
  case "/large": try large(target.number("bytes", default: 10_000))
  default: try sendUnknownPath(target.path)
  }
}

func basics(_ headers: Headers) throws(Status) {
  var report = Report()
  report.attempt("insert") { () throws(Status) in try headers.insert("X-One", "first") }
  report.attempt("append") { () throws(Status) in try headers.append("x-one", "second") }
  report.attempt("append_new") { () throws(Status) in try headers.append("x-two", "only") }
  report.attempt("empty_value") { () throws(Status) in try headers.insert("x-empty", "") }
  report.attempt("high_bytes") { () throws(Status) in try headers.insert("x-high", Text([0xe9, 0x09, 0xff])) }
  report.text("value") { () throws(Status) in try headers.value("x-one") }
  report.text("value_other_case") { () throws(Status) in try headers.value("X-ONE") }
  report.texts("values") { () throws(Status) in try headers.values("x-one") }
  report.text("value_empty") { () throws(Status) in try headers.value("x-empty") }
  report.text("value_high") { () throws(Status) in try headers.value("x-high") }
  report.text("missing_value") { () throws(Status) in try headers.value("x-none") }
  report.texts("missing_values") { () throws(Status) in try headers.values("x-none") }
  report.texts("names") { () throws(Status) in try headers.names() }
  report.attempt("insert_replaces") { () throws(Status) in try headers.insert("x-one", "third") }
  report.texts("values_replaced") { () throws(Status) in try headers.values("x-one") }
  report.attempt("remove") { () throws(Status) in try headers.remove("x-one") }
  report.attempt("remove_missing") { () throws(Status) in try headers.remove("x-one") }
  report.text("removed") { () throws(Status) in try headers.value("x-one") }
  try report.send()
}

func cursors(_ headers: Headers) throws(Status) {
  var report = Report()
  try headers.append("x-list", "a")
  try headers.append("x-list", "bbbbbbbb")
  try headers.append("x-list", "cc")
  report.add("value_fits", headers.valueReading("x-list", capacity: 1))
  report.add("value_empty_buffer", headers.valueReading("x-list", capacity: 0))
  report.add("values_all", headers.valuesPage("x-list", capacity: 64, cursor: 0))
  report.add("values_exact", headers.valuesPage("x-list", capacity: 14, cursor: 0))
  report.add("values_one_short", headers.valuesPage("x-list", capacity: 13, cursor: 0))
  report.add("values_only_first", headers.valuesPage("x-list", capacity: 5, cursor: 0))
  report.add("values_too_small", headers.valuesPage("x-list", capacity: 5, cursor: 1))
  report.add("values_no_buffer", headers.valuesPage("x-list", capacity: 0, cursor: 0))
  report.add("values_from_second", headers.valuesPage("x-list", capacity: 64, cursor: 1))
  report.add("values_from_last", headers.valuesPage("x-list", capacity: 64, cursor: 2))
  report.add("values_past_end", headers.valuesPage("x-list", capacity: 64, cursor: 3))
  report.add("values_far_past_end", headers.valuesPage("x-list", capacity: 64, cursor: 0xffff_fff0))
  report.add("values_missing", headers.valuesPage("x-none", capacity: 64, cursor: 0))
  report.add("names_too_small", headers.namesPage(capacity: 6, cursor: 0))
  report.add("names_exact", headers.namesPage(capacity: 7, cursor: 0))
  report.add("names_past_end", headers.namesPage(capacity: 7, cursor: 1))
  report.texts("values_step_by_step") { () throws(Status) in
    try MultiValuePage.all(capacity: 1) { buffer, capacity, cursor, ending, written in
      let page = headers.valuesPage("x-list", capacity: capacity, cursor: cursor)
      ending.pointee = page.endingCursor
      written.pointee = page.written
      page.values.first?.withBytes { start, count in
        for place in 0..<Int(min(count, capacity)) { buffer?[place] = start?[place] ?? 0 }
        if count < capacity { buffer?[Int(count)] = 0 }
      }
      return page.status.rawValue
    }
  }
  try report.send()
}

func setValues(_ headers: Headers) throws(Status) {
  var report = Report()
  report.attempt("set") { () throws(Status) in try headers.set("x-list", ["a", "b", "c"]) }
  report.texts("values") { () throws(Status) in try headers.values("x-list") }
  report.attempt("set_again") { () throws(Status) in try headers.set("x-list", ["d"]) }
  report.texts("values_again") { () throws(Status) in try headers.values("x-list") }
  report.attempt("unterminated") { () throws(Status) in
    try headers.set("x-list", list: Text([UInt8(ascii: "e"), 0, UInt8(ascii: "f")]))
  }
  report.texts("values_unterminated") { () throws(Status) in try headers.values("x-list") }
  report.attempt("one_bad") { () throws(Status) in try headers.set("x-list", ["good", "bad\r\n"]) }
  report.texts("values_unchanged") { () throws(Status) in try headers.values("x-list") }
  report.attempt("set_empty_values") { () throws(Status) in try headers.set("x-list", ["", ""]) }
  report.texts("empty_values") { () throws(Status) in try headers.values("x-list") }
  report.attempt("set_none") { () throws(Status) in try headers.set("x-list", []) }
  report.text("none") { () throws(Status) in try headers.value("x-list") }
  report.attempt("set_bad_name") { () throws(Status) in try headers.set("x list", ["a"]) }
  try report.send()
}

func invalidNamesAndValues(_ headers: Headers) throws(Status) {
  var report = Report()
  let names: [(Text, Text)] = [
    ("empty", ""), ("space", "a b"), ("colon", "a:"), ("newline", "a\n"), ("high_byte", Text([0x61, 0xe9])),
    ("nul", Text([0x61, 0])), ("slash", "a/b"), ("every_token_sign", "!#$%&'*+-.^_`|~09azAZ"),
  ]
  for (label, name) in names {
    report.attempt("insert_name_\(label)") { () throws(Status) in try headers.insert(name, "v") }
    report.attempt("append_name_\(label)") { () throws(Status) in try headers.append(name, "v") }
    report.text("get_name_\(label)") { () throws(Status) in try headers.value(name) }
    report.attempt("remove_name_\(label)") { () throws(Status) in try headers.remove(name) }
  }
  let values: [(Text, Text)] = [
    ("nul", Text([0x61, 0])), ("carriage_return", "a\r"), ("newline", "a\nb"), ("delete", Text([0x7f])),
    ("tab", "a\tb"), ("high_byte", Text([0x80])), ("control", Text([0x01])), ("spaces", "  a  "),
  ]
  for (label, value) in values {
    report.attempt("insert_value_\(label)") { () throws(Status) in try headers.insert("x-test", value) }
    report.attempt("append_value_\(label)") { () throws(Status) in try headers.append("x-test", value) }
  }
  try report.send()
}

func limits(_ headers: Headers) throws(Status) {
  var report = Report()
  let longest = Text.repeating(UInt8(ascii: "n"), count: 65_535)
  let tooLong = Text.repeating(UInt8(ascii: "n"), count: 65_536)
  report.attempt("longest_name") { () throws(Status) in try headers.insert(longest, "v") }
  report.text("longest_name_value") { () throws(Status) in try headers.value(longest) }
  report.attempt("insert_long_name") { () throws(Status) in try headers.insert(tooLong, "v") }
  report.attempt("append_long_name") { () throws(Status) in try headers.append(tooLong, "v") }
  report.attempt("set_long_name") { () throws(Status) in try headers.set(tooLong, ["v"]) }
  report.text("get_long_name") { () throws(Status) in try headers.value(tooLong) }
  report.texts("values_long_name") { () throws(Status) in try headers.values(tooLong) }
  report.attempt("remove_long_name") { () throws(Status) in try headers.remove(tooLong) }
  report.attempt("long_value") { () throws(Status) in
    try headers.insert("x-long", Text.repeating(UInt8(ascii: "v"), count: 100_000))
  }
  report.number("long_value_length") { () throws(Status) in try headers.value("x-long").count }
  try report.send()
}

/// Adds many distinct fields and counts them again.
func many(_ headers: Headers, count: Int) throws(Status) {
  var report = Report()
  var added = 0
  report.attempt("last") { () throws(Status) in
    while added < count {
      try headers.insert("x-\(added)", "v")
      added += 1
    }
  }
  report.add("added", added)
  report.number("names") { () throws(Status) in try headers.names().count }
  try report.send()
}

func badHandles() throws(Status) {
  var report = Report()
  for (label, headers) in [("request", Headers(request: 777)), ("response", Headers(response: 777))]
    as [(Text, Headers)]
  {
    report.attempt("\(label)_insert") { () throws(Status) in try headers.insert("a", "b") }
    report.attempt("\(label)_append") { () throws(Status) in try headers.append("a", "b") }
    report.attempt("\(label)_remove") { () throws(Status) in try headers.remove("a") }
    report.text("\(label)_value") { () throws(Status) in try headers.value("a") }
    report.add("\(label)_values", headers.valuesPage("a", capacity: 8, cursor: 0))
    report.add("\(label)_names", headers.namesPage(capacity: 8, cursor: 0))
    report.attempt("\(label)_set") { () throws(Status) in try headers.set("a", ["b"]) }
  }
  try report.send()
}

/// The client's header fields as the guest sees them, and the request line.
func echo(_ request: Request) throws(Status) {
  var report = Report()
  report.add("method", try request.method())
  report.add("uri", try request.uri())
  report.add("version", try request.version())
  for name in try request.headers.names() {
    for value in try request.headers.values(name) { report.add("header.\(name)", value) }
  }
  try report.send()
}

/// The header names as they came over the wire, by the old hostcalls and by those with a handle.
func originals(_ request: Request, capacity: UInt32) throws(Status) {
  var report = Report()
  report.number("count") { () throws(Status) in try number(hostRequestOriginalHeaderCount) }
  report.texts("names") { () throws(Status) in
    try MultiValuePage.all(capacity: capacity, hostRequestOriginalHeaderNamesGet)
  }
  report.number("handle_count") { () throws(Status) in
    try number { hostDownstreamOriginalHeaderCount(request.handle, $0) }
  }
  report.texts("handle_names") { () throws(Status) in
    try MultiValuePage.all(capacity: capacity) { buffer, capacity, cursor, ending, written in
      hostDownstreamOriginalHeaderNames(request.handle, buffer, capacity, cursor, ending, written)
    }
  }
  let other = try Request()
  report.number("own_request_count") { () throws(Status) in
    try number { hostDownstreamOriginalHeaderCount(other.handle, $0) }
  }
  report.number("bad_handle_count") { () throws(Status) in
    try number { hostDownstreamOriginalHeaderCount(777, $0) }
  }
  // A change to the request leaves the original names as they are.
  try request.headers.insert("x-added-by-guest", "1")
  report.number("count_after_insert") { () throws(Status) in try number(hostRequestOriginalHeaderCount) }
  try report.send()
}

/// A response whose fields the client checks.
func wire() throws(Status) {
  let response = try Response()
  try response.headers.append("Set-Cookie", "a=1")
  try response.headers.append("set-cookie", "b=2; Path=/")
  try response.headers.insert("X-Upper", "1")
  try response.headers.insert("x-empty", "")
  try response.headers.insert("x-high", Text([0xe9]))
  try response.headers.set("x-list", ["one", "two"])
  try response.headers.insert("connection", "keep-alive")
  try response.send(try Body("wire\n"))
}

func large(_ bytes: Int) throws(Status) {
  let response = try Response()
  try response.headers.insert("x-large", Text.repeating(UInt8(ascii: "v"), count: bytes))
  try response.send(try Body("large\n"))
}
