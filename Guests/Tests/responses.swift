// What the client receives: status, framing, streams, early hints, and every way for a guest to end.
// The tests are listed in Guests/README.md.

@_cdecl("_start")
func start() {
  serve(route)
}

func route(_ request: Request, _ body: Body) throws(Status) {
  let target = try request.target()
  let segments = target.segments
  let argument = segments.count > 1 ? segments[1] : ""
  switch segments.first ?? "" {
  case "status": try respond(status: argument)
  case "getters": try getters()
  case "misuse": try misuse()
  case "framing": try framing(target)
  case "streaming": try streaming(target)
  case "double_send": try doubleSend()
  case "double_send_streaming": try doubleSendStreaming()
  case "early_hints": try earlyHints()
  case "informational": try informational(argument)
  case "keepalive": try keepAlive(argument)
  case "own_body": try respondWithOwnBody(target)
  case "none": return
  case "streaming_unclosed": try leaveStreamOpen()
  case "after_response": try workAfterResponse(target)
  case "trap_before": panic("before the response")
  case "trap_after_headers": try trapAfterHeaders()
  case "trap_after_body": try trapAfterBody()
  case "exit": exit(UInt32(argument.decimal ?? 0))
  case "exit_after_headers": try exitAfterHeaders(argument)
  case "exit_after_body": try exitAfterBody(argument)
  default: try sendUnknownPath(target.path)
  }
}

func respond(status argument: Text) throws(Status) {
  let response = try Response()
  do throws(Status) {
    try response.setStatus(UInt32(argument.decimal ?? 0))
  } catch {
    return try Response.send(status: 500, "status_set=!\(error)\n")
  }
  try response.send(try Body("status \(argument)\n"))
}

func getters() throws(Status) {
  var report = Report()
  let response = try Response()
  report.number("status") { () throws(Status) in try response.status() }
  report.number("version") { () throws(Status) in try response.version() }
  for status in [0, 99, 100, 418, 999, 1000, 65_535] as [UInt32] {
    report.attempt("set_status_\(status)") { () throws(Status) in try response.setStatus(status) }
  }
  report.number("status_last") { () throws(Status) in try response.status() }
  for version in 0...5 as ClosedRange<UInt32> {
    report.attempt("set_version_\(version)") { () throws(Status) in try response.setVersion(version) }
  }
  report.number("version_last") { () throws(Status) in try response.version() }
  for mode in 0...2 as ClosedRange<UInt32> {
    report.add(
      "framing_\(mode)", status: Status(code: hostResponseFramingHeadersModeSet(response.handle, mode)))
  }
  var octets: [UInt8] = Array(repeating: 0, count: 16)
  var count: UInt32 = 0
  var port: UInt16 = 0
  report.add("own_dest_ip", status: Status(code: hostResponseGetAddrDestIp(response.handle, &octets, &count)))
  report.add("own_dest_port", status: Status(code: hostResponseGetAddrDestPort(response.handle, &port)))
  try report.send()
}

func misuse() throws(Status) {
  var report = Report()
  let missing = Response(handle: 777)
  report.number("status") { () throws(Status) in try missing.status() }
  report.attempt("set_status") { () throws(Status) in try missing.setStatus(200) }
  report.number("version") { () throws(Status) in try missing.version() }
  report.attempt("close") { () throws(Status) in try missing.close() }
  report.attempt("framing") { () throws(Status) in try missing.setManualFraming(true) }
  let body = try Body("content")
  report.attempt("send_missing_response") { () throws(Status) in try missing.send(body) }
  report.attempt("send_missing_body") { () throws(Status) in try Response().send(Body(handle: 12_345)) }
  let closed = try Response()
  report.attempt("close_own") { () throws(Status) in try closed.close() }
  report.attempt("close_own_twice") { () throws(Status) in try closed.close() }
  report.number("use_closed") { () throws(Status) in try closed.status() }
  try report.send()
}

/// Framing by the guest: the query gives `mode` (`manual` or `automatic`), `content_length`, `transfer_encoding`,
/// `status` and `body`; with `twice=1` the content length is there twice, with `stream=1` the body is streamed.
func framing(_ target: Target) throws(Status) {
  let response = try Response()
  try response.setManualFraming(target["mode"] == "manual")
  if let status = target["status"]?.decimal { try response.setStatus(UInt32(status)) }
  if let length = target["content_length"] {
    try response.headers.append("content-length", length)
    if target["twice"] != nil { try response.headers.append("content-length", length) }
  }
  if let encoding = target["transfer_encoding"] { try response.headers.insert("transfer-encoding", encoding) }
  let content = target["body"] ?? "content"
  if target["stream"] != nil {
    let body = try Body()
    try response.sendStreaming(body)
    try body.write(content)
    try body.close()
  } else {
    try response.send(try Body(content))
  }
}

/// Streams `chunks` lines with `pause` milliseconds between them.
func streaming(_ target: Target) throws(Status) {
  let body = try Response.stream()
  for number in 0..<target.number("chunks", default: 3) {
    if number > 0 { Timer.sleep(milliseconds: UInt64(target.number("pause", default: 0))) }
    try body.write("chunk \(number)\n")
  }
  try body.close()
}

/// The second response's status goes to the log endpoint `responses`.
func doubleSend() throws(Status) {
  let log = try Log("responses")
  try Response.send("first\n")
  let second = try Response()
  let body = try Body("second\n")
  var report = Report()
  report.attempt("second_send") { () throws(Status) in try second.send(body) }
  report.number("second_response_is_gone") { () throws(Status) in try second.status() }
  report.text("second_body_is_gone") { () throws(Status) in try body.read(limit: 1) }
  for line in report.lines.split(separator: UInt8(ascii: "\n")) where !line.isEmpty { try log.write(line) }
}

/// Tries to respond again while the first response still streams, and tells the client in that stream.
func doubleSendStreaming() throws(Status) {
  let body = try Response.stream()
  var report = Report()
  report.attempt("second_send") { () throws(Status) in try Response.send("second\n") }
  try body.write(report.lines)
  try body.close()
}

func earlyHints() throws(Status) {
  let hints = try Response(status: 103)
  try hints.headers.append("link", "</style.css>; rel=preload; as=style")
  try hints.headers.append("link", "</app.js>; rel=preload; as=script")
  try hints.send(try Body())
  let more = try Response(status: 103)
  try more.headers.append("link", "</late.css>; rel=preload; as=style")
  try more.send(try Body())
  try Response.send("final\n")
}

/// Sends some other 1xx and reports the status in the final response.
func informational(_ argument: Text) throws(Status) {
  var report = Report()
  let response = try Response()
  report.attempt("set_status") { () throws(Status) in try response.setStatus(UInt32(argument.decimal ?? 0)) }
  let body = try Body()
  report.attempt("send") { () throws(Status) in try response.send(body) }
  report.number("response_is_gone") { () throws(Status) in try response.status() }
  try report.send()
}

func keepAlive(_ argument: Text) throws(Status) {
  let response = try Response()
  let mode = UInt32(argument.decimal ?? 0)
  let status = Status(code: hostResponseHttpKeepaliveModeSet(response.handle, mode))
  try response.send(try Body("keepalive_mode_set=\(status)\n"))
}

/// A body of `bytes` pattern bytes, whose length the host knows.
func respondWithOwnBody(_ target: Target) throws(Status) {
  let body = try Body()
  try writePattern(count: target.number("bytes", default: 10), chunk: 65_536, to: body)
  let response = try Response()
  if let status = target["status"]?.decimal { try response.setStatus(UInt32(status)) }
  try response.send(body)
}

func leaveStreamOpen() throws(Status) {
  let body = try Response.stream()
  try body.write("the first half\n")
}

/// Goes on for `ms` milliseconds after a complete response, then leaves a record at the log endpoint `responses`.
func workAfterResponse(_ target: Target) throws(Status) {
  try Response.send("early\n")
  Timer.sleep(milliseconds: UInt64(target.number("ms", default: 50)))
  try Log("responses").write("after_response=done")
}

func trapAfterHeaders() throws(Status) {
  let body = try Response.stream()
  try body.write("the first half\n")
  panic("after the headers")
}

func trapAfterBody() throws(Status) {
  try Response.send("complete\n")
  panic("after the body")
}

func exitAfterHeaders(_ argument: Text) throws(Status) {
  let body = try Response.stream()
  try body.write("the first half\n")
  exit(UInt32(argument.decimal ?? 0))
}

func exitAfterBody(_ argument: Text) throws(Status) {
  try Response.send("complete\n")
  exit(UInt32(argument.decimal ?? 0))
}
