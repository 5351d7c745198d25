// Waiting for several handles. The tests are listed in Guests/README.md.

@_cdecl("_start")
func start() {
  serve(route)
}

func route(_ request: Request, _ body: Body) throws(Status) {
  let target = try request.target()
  switch target.path {
  case "/timeout": try timeouts(UInt32(target.number("ms", default: 30)))
  case "/misuse": try misuse()
  case "/plain_body": try plainBody()
  case "/client_body": try clientBody(body)
  case "/pending": try pending(target)
  case "/race": try race(target)
  case "/streaming": try streaming()
  default: try sendUnknownPath(target.path)
  }
}

extension Report {
  /// The place that became ready, `none` when the time was over.
  mutating func select(_ name: Text, _ handles: [UInt32], timeoutMilliseconds: UInt32 = 0) {
    text(name) { () throws(Status) in
      guard let place = try AsyncIO.select(handles, timeoutMilliseconds: timeoutMilliseconds) else { return "none" }
      return "\(place)"
    }
  }

  mutating func isReady(_ name: Text, _ handle: UInt32) {
    text(name) { () throws(Status) in try AsyncIO.isReady(handle) ? "1" : "0" }
  }
}

func timeouts(_ milliseconds: UInt32) throws(Status) {
  var report = Report()
  let start = Clock.monotonic()
  report.select("nothing_but_time", [], timeoutMilliseconds: milliseconds)
  report.add("time_passed", Clock.monotonic() - start >= UInt64(milliseconds) * 1_000_000)
  report.select("nothing_and_no_time", [])
  try report.send()
}

func misuse() throws(Status) {
  var report = Report()
  let body = try Body("content")
  report.select("bad_handle", [12_345], timeoutMilliseconds: 10)
  report.select("bad_handle_last", [body.handle, 12_345], timeoutMilliseconds: 10)
  report.select("invalid_handle", [invalidHandle], timeoutMilliseconds: 10)
  report.isReady("is_ready_bad_handle", 12_345)
  var index: UInt32 = 0
  report.add(
    "list_out_of_bounds",
    status: Status(code: hostAsyncIOSelect(UnsafePointer(bitPattern: UInt(0xffff_fff0)), 16, 10, &index)))
  try report.send()
}

func plainBody() throws(Status) {
  var report = Report()
  let content = try Body("content")
  let empty = try Body()
  report.isReady("content", content.handle)
  report.isReady("empty", empty.handle)
  report.select("both", [content.handle, empty.handle])
  report.text("content_is_intact") { () throws(Status) in try content.readAll() }
  try report.send()
}

/// Counts how often the client's body had to be waited for until its end.
func clientBody(_ body: Body) throws(Status) {
  var report = Report()
  var pieces: [Text] = []
  var waited = false
  report.attempt("end") { () throws(Status) in
    while true {
      if try !AsyncIO.isReady(body.handle) { waited = true }
      while try AsyncIO.select([body.handle], timeoutMilliseconds: 20) == nil { waited = true }
      let piece = try body.read(limit: 1024)
      if piece.isEmpty { return }
      pieces.append(piece)
    }
  }
  report.add("waited", waited)
  report.add("pieces", pieces)
  try report.send()
}

/// A backend's answer: not ready at first where the backend is slow, ready later.
func pending(_ target: Target) throws(Status) {
  var report = Report()
  let request = try Request(uri: "http://guest.example\(target["path"] ?? "/")")
  let pending = try request.sendAsync(try Body(), to: target["backend"] ?? "origin")
  report.isReady("at_once", pending.handle)
  report.select("soon", [pending.handle], timeoutMilliseconds: 10)
  report.select("later", [pending.handle])
  report.isReady("then", pending.handle)
  report.add(pending.wait())
  report.isReady("after_wait", pending.handle)
  try report.send()
}

/// The comma-separated `backends` against each other, and against a body that is ready.
func race(_ target: Target) throws(Status) {
  var report = Report()
  let names = (target["backends"] ?? "origin").split(separator: UInt8(ascii: ","))
  var handles: [UInt32] = []
  for name in names {
    let request = try Request(uri: "http://guest.example\(target["path"] ?? "/")")
    handles.append(try request.sendAsync(try Body(), to: name).handle)
  }
  report.text("first") { () throws(Status) in
    guard let place = try AsyncIO.select(handles, timeoutMilliseconds: 5000) else { return "none" }
    return names[place]
  }
  report.select("with_ready_body", handles + [try Body("content").handle], timeoutMilliseconds: 5000)
  try report.send()
}

/// A response that streams: there is room for a while, and none when the client does not read.
func streaming() throws(Status) {
  let body = try Response.stream()
  var report = Report()
  report.isReady("room", body.handle)
  report.select("select", [body.handle], timeoutMilliseconds: 1000)
  try body.write(report.lines)
  try body.close()
}
