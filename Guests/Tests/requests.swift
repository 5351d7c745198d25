// Requests of the guest's own and what it takes to send them. The tests are listed in Guests/README.md.

@_cdecl("_start")
func start() {
  serve(route)
}

func route(_ request: Request, _ body: Body) throws(Status) {
  let target = try request.target()
  switch target.path {
  case "/send": try send(target, .first)
  case "/send_v2": try send(target, .second)
  case "/send_v3": try send(target, .third)
  case "/async": try sendAsync(target, .first)
  case "/async_v2": try sendAsync(target, .second)
  case "/poll": try poll(target, .first)
  case "/poll_v2": try poll(target, .second)
  case "/select": try select(target, .first)
  case "/select_v2": try select(target, .second)
  case "/streaming": try converse(target, .firstStreaming)
  case "/streaming_v2": try converse(target, .secondStreaming)
  case "/upload": try upload(target)
  case "/upload_abandoned": try abandonUpload(target)
  case "/fire_and_forget": try fireAndForget(target)
  case "/pending_downstream": try sendPendingDownstream(target)
  case "/relay": try relay(target)
  case "/decompress": try decompress(target)
  case "/trailers": try sendTrailers(target)
  case "/forward": try forward(request, body, target)
  case "/destination": try destination(target)
  case "/getters": try getters()
  case "/addresses": try addresses()
  case "/options": try options()
  case "/misuse": try misuse(target)
  case "/consumed": try consumed(target)
  case "/trap_while_pending": try trapWhilePending(target)
  default: try sendUnknownPath(target.path)
  }
}

/// The backend that a test's `backend` parameter names, `origin` by default.
func backend(_ target: Target) -> Text {
  target["backend"] ?? "origin"
}

/// A request as the test's parameters describe it: `method`, `path`, `host`, and `header`, `value` for one field.
///
/// With `manual=1` the guest takes care of the framing, with `gzip=1` it asks for decompression.
func prepared(_ target: Target) throws(Status) -> Request {
  let host = target["host"] ?? "guest.example"
  let path = target["path"] ?? "/"
  let request = try Request(method: target["method"] ?? "GET", uri: "http://\(host)\(path)")
  if let name = target["header"] { try request.headers.insert(name, target["value"] ?? "") }
  if target["manual"] != nil { try request.setManualFraming(true) }
  if target["gzip"] != nil { try request.setAutoDecompress() }
  return request
}

/// The names of the response fields to report, from the test's `show` parameter.
func shownHeaders(_ target: Target) -> [Text] {
  guard let names = target["show"] else { return [] }
  return names.split(separator: UInt8(ascii: ","))
}

func send(_ target: Target, _ version: Request.SendVersion) throws(Status) {
  var report = Report()
  let request = try prepared(target)
  let outcome = request.send(try Body(target["body"] ?? ""), to: backend(target), version: version)
  report.add(outcome, headers: shownHeaders(target))
  try report.send()
}

func sendAsync(_ target: Target, _ version: Request.AsyncVersion) throws(Status) {
  var report = Report()
  let request = try prepared(target)
  let body = try Body(target["body"] ?? "")
  do throws(Status) {
    let pending = try request.sendAsync(body, to: backend(target), version: version)
    report.add("start", status: .ok)
    report.add(
      pending.wait(version: version == .first ? .first : .second), headers: shownHeaders(target))
    report.add("wait_again", status: failure(pending.wait()))
  } catch {
    report.add("start", status: error)
  }
  try report.send()
}

/// The status of a failed send, `ok` for a response.
func failure(_ outcome: SendOutcome) -> Status {
  switch outcome {
  case .response: .ok
  case .failed(let failure): failure.status
  }
}

/// Polls every 5 ms; `first_poll` says whether the response was there at once.
func poll(_ target: Target, _ version: PendingRequest.Version) throws(Status) {
  var report = Report()
  let request = try prepared(target)
  let pending = try request.sendAsync(try Body(), to: backend(target), version: .first)
  var outcome = pending.poll(version: version)
  report.add("first_poll", outcome == nil ? "pending" : "done")
  while outcome == nil {
    Timer.sleep(milliseconds: 5)
    outcome = pending.poll(version: version)
  }
  if let outcome { report.add(outcome, headers: shownHeaders(target)) }
  report.add("poll_again", status: pending.poll(version: version).map(failure) ?? .ok)
  try report.send()
}

/// Sends to every backend of the comma-separated `backends` and reports the outcomes in the order they come.
func select(_ target: Target, _ version: PendingRequest.Version) throws(Status) {
  var report = Report()
  report.add("empty", status: failure(PendingRequest.select([], version: version).1))
  var names = (target["backends"] ?? "origin").split(separator: UInt8(ascii: ","))
  var pending: [PendingRequest] = []
  for name in names { pending.append(try prepared(target).sendAsync(try Body(), to: name)) }
  report.add(
    "with_bad_handle",
    status: failure(PendingRequest.select(pending + [PendingRequest(handle: 12_345)], version: version).1))
  while !pending.isEmpty {
    let (index, outcome) = PendingRequest.select(pending, version: version)
    guard index < UInt32(pending.count) else {
      report.add("index", index)
      report.add(outcome)
      break
    }
    report.add("done", names[Int(index)])
    report.add(outcome)
    names.remove(at: Int(index))
    pending.remove(at: Int(index))
  }
  try report.send()
}

/// Talks in both directions at once with a backend that answers each line: writes a line, reads its echo, three times.
func converse(_ target: Target, _ version: Request.AsyncVersion) throws(Status) {
  var report = Report()
  let request = try prepared(target)
  if target["method"] == nil { try request.setMethod("POST") }
  let upload = try Body("line 0\n")
  let pending = try request.sendAsync(upload, to: backend(target), version: version)
  switch pending.wait() {
  case .failed(let failure):
    report.add("send", status: failure.status)
    report.add(failure.detail)
  case .response(let exchange):
    report.number("status") { () throws(Status) in try exchange.response.status() }
    report.text("echo_0") { () throws(Status) in try exchange.body.read(limit: 100) }
    for line in 1...2 {
      report.attempt("write_\(line)") { () throws(Status) in try upload.write("line \(line)\n") }
      report.text("echo_\(line)") { () throws(Status) in try exchange.body.read(limit: 100) }
    }
    report.attempt("close") { () throws(Status) in try upload.close() }
    report.add(exchange.body, prefix: "rest_")
  }
  try report.send()
}

/// Streams `bytes` pattern bytes in chunks of `chunk` to the backend, then waits for the response.
func upload(_ target: Target) throws(Status) {
  var report = Report()
  let request = try prepared(target)
  if target["method"] == nil { try request.setMethod("POST") }
  let upload = try Body()
  let pending = try request.sendAsync(upload, to: backend(target), version: .secondStreaming)
  report.attempt("write") { () throws(Status) in
    try writePattern(
      count: target.number("bytes", default: 100_000), chunk: target.number("chunk", default: 8192), to: upload)
  }
  report.attempt("close") { () throws(Status) in try upload.close() }
  report.add(pending.wait(), headers: shownHeaders(target))
  try report.send()
}

/// Breaks the upload off after a first piece.
func abandonUpload(_ target: Target) throws(Status) {
  var report = Report()
  let request = try prepared(target)
  try request.setMethod("POST")
  let upload = try Body()
  let pending = try request.sendAsync(upload, to: backend(target), version: .secondStreaming)
  try upload.write("the first half\n")
  report.attempt("abandon") { () throws(Status) in try upload.abandon() }
  report.add("send", status: failure(pending.wait()))
  try report.send()
}

/// Starts a request and leaves without waiting for it.
func fireAndForget(_ target: Target) throws(Status) {
  _ = try prepared(target).sendAsync(try Body(target["body"] ?? ""), to: backend(target))
  try Response.send("sent\n")
}

/// Has the host pass the response on by itself. With `edit=1`, header edits wait for either outcome.
func sendPendingDownstream(_ target: Target) throws(Status) {
  let pending = try prepared(target).sendAsync(try Body(), to: backend(target))
  if target["edit"] != nil {
    try edit(pending, "x-any", "1", kind: 0)
    try edit(pending, "x-response", "1", kind: 1)
    try edit(pending, "x-error", "1", kind: 2)
    try check(("x-removed" as Text).withBytes { hostRequestPendingReqHeaderRemove(pending.handle, $0, $1, 0) })
    try check(
      ("x-appended" as Text).withBytes { name, nameCount in
        ("by-guest" as Text).withBytes { value, valueCount in
          hostRequestPendingReqHeaderAppend(pending.handle, name, nameCount, value, valueCount, 0)
        }
      })
  }
  try check(hostResponseSendDownstreamPending(pending.handle))
}

func edit(_ pending: PendingRequest, _ name: Text, _ value: Text, kind: UInt32) throws(Status) {
  try check(
    name.withBytes { name, nameCount in
      value.withBytes { value, valueCount in
        hostRequestPendingReqHeaderInsert(pending.handle, name, nameCount, value, valueCount, kind)
      }
    })
}

/// Passes the backend's response on and leaves; the body flows without the guest.
func relay(_ target: Target) throws(Status) {
  switch try prepared(target).send(to: backend(target)) {
  case .response(let exchange): try exchange.response.send(exchange.body)
  case .failed(let failure):
    var report = Report()
    report.add("send", status: failure.status)
    report.add(failure.detail)
    try report.send(status: 502)
  }
}

func decompress(_ target: Target) throws(Status) {
  var report = Report()
  let request = try prepared(target)
  report.attempt("set") { () throws(Status) in try request.setAutoDecompress() }
  switch try request.send(to: backend(target)) {
  case .failed(let failure):
    report.add("send", status: failure.status)
  case .response(let exchange):
    report.add("content_encoding", exchange.response.headers["content-encoding"] ?? "-")
    report.add("content_length", exchange.response.headers["content-length"] ?? "-")
    report.number("known_length") { () throws(Status) in try exchange.body.knownLength() }
    report.add(exchange.body)
  }
  let other = try Request()
  for mask in [0, 1, 2, 3] as [UInt32] {
    report.add("mask_\(mask)", status: Status(code: hostRequestAutoDecompressResponseSet(other.handle, mask)))
  }
  try report.send()
}

/// Sends trailers and reports the response's.
func sendTrailers(_ target: Target) throws(Status) {
  var report = Report()
  let request = try prepared(target)
  try request.setMethod("POST")
  let upload = try Body()
  let pending = try request.sendAsync(upload, to: backend(target), version: .secondStreaming)
  try upload.write("content")
  try upload.appendTrailer("x-from-guest", "1")
  try upload.close()
  switch pending.wait() {
  case .failed(let failure):
    report.add("send", status: failure.status)
    report.add(failure.detail)
  case .response(let exchange):
    report.texts("names_early") { () throws(Status) in try exchange.body.trailerNames() }
    report.add(exchange.body)
    report.texts("names") { () throws(Status) in try exchange.body.trailerNames() }
    report.text("x-from-origin") { () throws(Status) in try exchange.body.trailer("x-from-origin") }
  }
  try report.send()
}

/// Sends the client's own request on, with its headers and body, to the test's path.
func forward(_ request: Request, _ body: Body, _ target: Target) throws(Status) {
  var report = Report()
  try request.setURI("http://\(target["host"] ?? "guest.example")\(target["path"] ?? "/")")
  report.add(request.send(body, to: backend(target)), headers: shownHeaders(target))
  try report.send()
}

/// Where the response came from, with and without the cache being passed.
func destination(_ target: Target) throws(Status) {
  var report = Report()
  for (label, tag) in [("default", 0), ("pass", 1)] as [(Text, UInt32)] {
    let request = try prepared(target)
    report.add("\(label)_override", status: Status(code: hostRequestCacheOverrideSet(request.handle, tag, 0, 0)))
    let exchange = try request.send(to: backend(target)).get()
    var octets: [UInt8] = Array(repeating: 0, count: 16)
    var count: UInt32 = 0
    var port: UInt16 = 0
    let ipStatus = Status(code: hostResponseGetAddrDestIp(exchange.response.handle, &octets, &count))
    report.add("\(label)_ip", status: ipStatus)
    if ipStatus == .ok { report.add("\(label)_octets", "\(hex: [UInt8](octets[..<Int(min(count, 16))]))") }
    report.add("\(label)_port", status: Status(code: hostResponseGetAddrDestPort(exchange.response.handle, &port)))
    report.add("\(label)_port_known", port != 0)
  }
  try report.send()
}

func getters() throws(Status) {
  var report = Report()
  let request = try Request()
  report.text("method") { () throws(Status) in try request.method() }
  report.text("uri") { () throws(Status) in try request.uri() }
  report.number("version") { () throws(Status) in try request.version() }
  report.texts("headers") { () throws(Status) in try request.headers.names() }
  for method in ["PATCH", "custom-method", "", "BAD METHOD", "BAD\n"] as [Text] {
    report.attempt("set_method_\(method.escaped)") { () throws(Status) in try request.setMethod(method) }
  }
  report.text("method_last") { () throws(Status) in try request.method() }
  report.add(
    "method_tiny",
    Reading.once(capacity: 4) { hostRequestMethodGet(request.handle, $0, $1, $2) })
  for version in 0...5 as ClosedRange<UInt32> {
    report.attempt("set_version_\(version)") { () throws(Status) in try request.setVersion(version) }
  }
  report.number("version_last") { () throws(Status) in try request.version() }
  try report.send()
}

func addresses() throws(Status) {
  var report = Report()
  let request = try Request()
  let uris: [(Text, Text)] = [
    ("absolute", "http://guest.example/a/b?c=d&e=%20"), ("relative", "/only/path?x=1"),
    ("no_path", "http://guest.example"),
    ("port", "https://guest.example:8443/"), ("empty", ""), ("space", "http://guest.example/a b"),
    ("bad_scheme", "://guest.example/"), ("newline", "/a\nb"), ("star", "*"),
  ]
  for (label, uri) in uris {
    report.attempt("set_\(label)") { () throws(Status) in try request.setURI(uri) }
    report.text("get_\(label)") { () throws(Status) in try request.uri() }
  }
  let longest = Text.repeating(UInt8(ascii: "p"), count: 65_533)
  report.attempt("set_longest") { () throws(Status) in try request.setURI("/\(longest)") }
  report.attempt("set_too_long") { () throws(Status) in try request.setURI("/\(longest)\(longest)") }
  report.add("length", try request.uri().count)
  try request.setURI("/tiny")
  report.add("tiny", Reading.once(capacity: 4) { hostRequestUriGet(request.handle, $0, $1, $2) })
  report.add("exact", Reading.once(capacity: 5) { hostRequestUriGet(request.handle, $0, $1, $2) })
  try report.send()
}

/// Settings of a request: cache override, framing, decompression.
func options() throws(Status) {
  var report = Report()
  let request = try Request()
  let handle = request.handle
  for tag in [0, 1, 2, 4, 8, 15, 16] as [UInt32] {
    report.add("override_\(tag)", status: Status(code: hostRequestCacheOverrideSet(handle, tag, 60, 30)))
  }
  for (label, keys) in [("none", ""), ("one", "key"), ("two", "key other"), ("bad", "key\n")] as [(Text, Text)] {
    let code = keys.withBytes { hostRequestCacheOverrideV2Set(handle, 2, 60, 30, $0, $1) }
    report.add("override_v2_\(label)", status: Status(code: code))
  }
  for mode in 0...2 as ClosedRange<UInt32> {
    report.add("framing_\(mode)", status: Status(code: hostRequestFramingHeadersModeSet(handle, mode)))
  }
  report.attempt("close") { () throws(Status) in try request.close() }
  report.attempt("close_twice") { () throws(Status) in try request.close() }
  try report.send()
}

func misuse(_ target: Target) throws(Status) {
  var report = Report()
  let missing = Request(handle: 777)
  report.text("method") { () throws(Status) in try missing.method() }
  report.text("uri") { () throws(Status) in try missing.uri() }
  report.attempt("set_method") { () throws(Status) in try missing.setMethod("GET") }
  report.attempt("set_uri") { () throws(Status) in try missing.setURI("/") }
  report.number("version") { () throws(Status) in try missing.version() }
  report.attempt("framing") { () throws(Status) in try missing.setManualFraming(true) }
  report.attempt("decompress") { () throws(Status) in try missing.setAutoDecompress() }
  report.attempt("close") { () throws(Status) in try missing.close() }
  report.add("send_request", status: failure(missing.send(try Body(), to: backend(target))))
  let badBody = Body(handle: 12_345)
  report.add("send_body", status: failure(try prepared(target).send(badBody, to: backend(target))))
  let pending = PendingRequest(handle: 12_345)
  report.add("poll", status: pending.poll(version: .first).map(failure) ?? .ok)
  report.add("poll_v2", status: pending.poll(version: .second).map(failure) ?? .ok)
  report.add("wait", status: failure(pending.wait(version: .first)))
  report.add("wait_v2", status: failure(pending.wait(version: .second)))
  report.add("pending_downstream", status: Status(code: hostResponseSendDownstreamPending(12_345)))
  // A body's number belongs to the same series as a pending request's.
  let body = try Body("content")
  report.add("wait_for_body", status: failure(PendingRequest(handle: body.handle).wait()))
  report.text("body_is_intact") { () throws(Status) in try body.readAll() }
  for (label, name) in [("unknown", "nowhere"), ("empty", ""), ("not_text", Text([0xff]))] as [(Text, Text)] {
    report.add(
      "\(label)_backend_send", status: failure(try prepared(target).send(try Body(), to: name, version: .first)))
    report.add(try prepared(target).send(to: name), prefix: "\(label)_backend_")
    report.attempt("\(label)_backend_async") { () throws(Status) in
      _ = try prepared(target).sendAsync(try Body(), to: name, version: .first)
    }
    report.attempt("\(label)_backend_streaming") { () throws(Status) in
      _ = try prepared(target).sendAsync(try Body(), to: name, version: .firstStreaming)
    }
  }
  try report.send()
}

/// What is used up by a send that works and by one that does not.
func consumed(_ target: Target) throws(Status) {
  var report = Report()
  for (label, name) in [("good", backend(target)), ("unknown", "nowhere")] as [(Text, Text)] {
    let request = try prepared(target)
    let body = try Body("content")
    report.add("\(label)_send", status: failure(request.send(body, to: name)))
    report.text("\(label)_request") { () throws(Status) in try request.method() }
    report.text("\(label)_body") { () throws(Status) in try body.read(limit: 1) }
  }
  let request = try prepared(target)
  try request.setMethod("POST")
  let body = try Body()
  let pending = try request.sendAsync(body, to: backend(target), version: .secondStreaming)
  report.text("streaming_request") { () throws(Status) in try request.method() }
  report.attempt("streaming_body") { () throws(Status) in try body.write("still open") }
  try body.close()
  report.text("streaming_body_closed") { () throws(Status) in try body.read(limit: 1) }
  report.add("streaming_send", status: failure(pending.wait()))
  try report.send()
}

func trapWhilePending(_ target: Target) throws(Status) {
  _ = try prepared(target).sendAsync(try Body(), to: backend(target))
  panic("with a request under way")
}
