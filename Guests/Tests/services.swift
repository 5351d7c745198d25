// Services that a local host answers without having them: `/image_optimizer` and `/inspect`.

@_cdecl("_start")
func start() {
  serve { (request, body) throws(Status) in
    let target = try request.target()
    switch target.path {
    case "/image_optimizer": try optimizeImage()
    case "/inspect": try inspect(request, body)
    default: try sendUnknownPath(target.path)
    }
  }
}

func optimizeImage() throws(Status) {
  var report = Report()
  let request = try Request(uri: "http://guest.example/image.png")
  let body = try Body()
  // The options: address and length of the SDK's own option text. The detail: tag, address and length of a message.
  var options: [UInt32] = [0, 0]
  var detail: [UInt32] = [0, 0, 0]
  var response = invalidHandle
  var responseBody = invalidHandle
  let code = ("origin" as Text).withBytes { name, count in
    hostImageOptimizerTransformImageOptimizerRequest(
      request.handle, body.handle, name, count, 0, &options, &detail, &response, &responseBody)
  }
  report.add("transform", status: Status(code: code))
  report.add("detail", detail[0])
  report.add("no_response", response == invalidHandle && responseBody == invalidHandle)
  try report.send()
}

/// Asks for a verdict with corp and workspace, without them, and with a request that is not there.
func inspect(_ request: Request, _ body: Body) throws(Status) {
  var report = Report()
  let name: Text = "example"
  let address = name.withBytes { start, _ in UInt32(UInt(bitPattern: start)) }
  // Address and length of corp, workspace and client address.
  var facts: [UInt32] = [address, UInt32(name.count), address, UInt32(name.count), 0, 0]
  report.text("named") { () throws(Status) in
    try Reading.complete { hostRequestInspect(request.handle, body.handle, 6, &facts, $0, $1, $2) }
  }
  let tiny = Reading.once(capacity: 2) { hostRequestInspect(request.handle, body.handle, 6, &facts, $0, $1, $2) }
  report.add("tiny", status: tiny.status)
  report.add("tiny_length_is_needed", tiny.written > 2)
  report.text("unnamed") { () throws(Status) in
    try Reading.complete { hostRequestInspect(request.handle, body.handle, 0, &facts, $0, $1, $2) }
  }
  report.text("bad_request") { () throws(Status) in
    try Reading.complete { hostRequestInspect(777, body.handle, 6, &facts, $0, $1, $2) }
  }
  report.text("bad_body") { () throws(Status) in
    try Reading.complete { hostRequestInspect(request.handle, 12_345, 6, &facts, $0, $1, $2) }
  }
  try report.send()
}
