// Handing the client's connection over to `backend`, `origin` by default. What the guest does afterwards goes to the log
// endpoint `handoff`.

@_cdecl("_start")
func start() {
  serve { (request, _) throws(Status) in
    let target = try request.target()
    let backend = target["backend"] ?? "origin"
    switch target.path {
    case "/upgrade": try check(backend.withBytes { hostRequestUpgradeWebsocket($0, $1) })
    case "/websocket": try check(backend.withBytes { hostRequestRedirectToWebsocketProxy($0, $1) })
    case "/grip": try check(backend.withBytes { hostRequestRedirectToGripProxy($0, $1) })
    case "/websocket_v2":
      let other = try changed(target)
      try check(backend.withBytes { hostRequestRedirectToWebsocketProxyV2(other.handle, $0, $1) })
    case "/grip_v2":
      let other = try changed(target)
      try check(backend.withBytes { hostRequestRedirectToGripProxyV2(other.handle, $0, $1) })
    case "/twice": try twice(backend)
    case "/after_response":
      try Response.send("answered\n")
      log("handoff", Status(code: backend.withBytes { hostRequestRedirectToWebsocketProxy($0, $1) }))
    case "/bad_handle":
      var report = Report()
      report.add(
        "websocket", status: Status(code: backend.withBytes { hostRequestRedirectToWebsocketProxyV2(77, $0, $1) }))
      report.add("grip", status: Status(code: backend.withBytes { hostRequestRedirectToGripProxyV2(77, $0, $1) }))
      try report.send()
    default: try check(backend.withBytes { hostRequestRedirectToWebsocketProxy($0, $1) })
    }
  }
}

/// A request of the guest's own, with fields that count and fields that are the client's.
func changed(_ target: Target) throws(Status) -> Request {
  let request = try Request(method: "GET", uri: "http://guest.example\(target["path"] ?? "/")")
  try request.headers.insert("x-from-guest", "1")
  try request.headers.insert("host", "guest.example")
  try request.headers.insert("sec-websocket-key", "guests")
  try request.headers.insert("upgrade", "guests")
  return request
}

/// Hands over, and then tries to answer and to hand over again.
func twice(_ backend: Text) throws(Status) {
  try check(backend.withBytes { hostRequestRedirectToWebsocketProxy($0, $1) })
  do throws(Status) {
    try Response.send("too late\n")
    log("send", .ok)
  } catch {
    log("send", error)
  }
  log("again", Status(code: backend.withBytes { hostRequestRedirectToWebsocketProxy($0, $1) }))
}

func log(_ what: Text, _ status: Status) {
  do throws(Status) { try Log("handoff").write("\(what)=\(status)") } catch { fatalError() }
}
