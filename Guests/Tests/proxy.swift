// The typical proxy: passes the client's request on to the backend `origin`, or to the one that the header `x-backend`
// names, and streams the answer back. A failure is a 502 with the reason.

@_cdecl("_start")
func start() {
  serve { (request, body) throws(Status) in
    let backend = request.headers["x-backend"] ?? "origin"
    switch request.send(body, to: backend) {
    case .response(let exchange):
      try exchange.response.send(exchange.body)
    case .failed(let failure):
      try Response.send(status: 502, "backend \(backend) failed: \(failure.detail.name)\n")
    }
  }
}
