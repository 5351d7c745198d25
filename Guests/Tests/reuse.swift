// Further requests in the same sandbox. Every path reports which of the sandbox's requests it is; its response ends only
// when the promise of the next request stands, so that a client that has read it knows that the sandbox waits.

@_cdecl("_start")
func start() {
  serve { (request, body) throws(Status) in
    var (request, body) = (request, body)
    var turn = 1
    while true {
      let target = try request.target()
      if target.path == "/trap" { fatalError() }
      let stream = try answer(request, body, target, turn: turn)
      guard let promise = try end(stream, target) else { return }
      do throws(Status) { (request, body) = try promise.wait() } catch { return }
      turn += 1
    }
  }
}

func answer(_ request: Request, _ body: Body, _ target: Target, turn: Int) throws(Status) -> Body {
  var report = Report()
  report.add("turn", turn)
  report.add("path", target.path)
  report.text("body") { () throws(Status) in try body.readAll() }
  report.text("sandbox") { () throws(Status) in
    try Reading.complete { hostRuntimeGetSandboxId($0, $1, $2) }
  }
  report.text("request_id") { () throws(Status) in
    try Reading.complete { hostRequestDownstreamClientRequestId($0, $1, $2) }
  }
  report.text("id_of_handle") { () throws(Status) in
    try Reading.complete { hostDownstreamClientRequestId(request.handle, $0, $1, $2) }
  }
  let (present, presentBody) = try Request.downstream()
  report.add("is_present", present.handle == request.handle && presentBody.handle == body.handle)
  if target.path == "/promises" { addPromises(to: &report) }
  let stream = try Response.stream()
  try stream.write(report.lines)
  return stream
}

/// What promises answer before the response is sent.
func addPromises(to report: inout Report) {
  report.attempt("wait_of_none") { () throws(Status) in _ = try RequestPromise(handle: 4242).wait() }
  report.attempt("abandon_of_none") { () throws(Status) in try RequestPromise(handle: 4242).abandon() }
  report.number("reserved_bit") { () throws(Status) in
    var options: UInt64 = 0
    return try number { hostDownstreamNextRequest(4, &options, $0) }
  }
  do throws(Status) {
    let promise = try RequestPromise()
    report.attempt("second") { () throws(Status) in _ = try RequestPromise() }
    report.attempt("wait_before_the_response") { () throws(Status) in _ = try promise.wait() }
    report.add("is_ready", try AsyncIO.isReady(promise.handle))
    try promise.abandon()
    report.attempt("abandon_again") { () throws(Status) in try promise.abandon() }
  } catch {
    report.add("promise", status: error)
  }
}

/// Ends the response with a promise in place; nil where this sandbox is to end.
func end(_ stream: Body, _ target: Target) throws(Status) -> RequestPromise? {
  switch target.path {
  case "/last":
    try stream.close()
    return nil
  case "/short":
    // A promise whose time is over before any request comes.
    let promise = try RequestPromise(milliseconds: 20)
    var report = Report()
    report.attempt("short") { () throws(Status) in _ = try promise.wait() }
    try stream.write(report.lines)
    try stream.close()
    return nil
  case "/many":
    // All promises that a sandbox has, each abandoned; the one beyond them is settled from the start.
    var report = Report()
    for _ in 0..<5 { try RequestPromise().abandon() }
    let promise = try RequestPromise()
    report.add("is_ready", try AsyncIO.isReady(promise.handle))
    report.attempt("wait") { () throws(Status) in _ = try promise.wait() }
    try stream.write(report.lines)
    try stream.close()
    return nil
  case "/leave":
    // A request is assigned, and its guest ends without taking it.
    let promise = try RequestPromise()
    try stream.close()
    _ = try AsyncIO.select([promise.handle])
    return nil
  case "/abandon":
    let promise = try RequestPromise()
    try stream.close()
    _ = try AsyncIO.select([promise.handle])
    try promise.abandon()
    return nil
  default:
    let promise = try RequestPromise()
    try stream.close()
    return promise
  }
}
