// The demo app: each path shows one thing that an edge program does. The front page explains them.

@_cdecl("_start")
func start() {
  serve(route)
}

func route(_ request: Request, _ body: Body) throws(Status) {
  let target = try request.target()
  switch target.path {
  case "/": try Response.send(contentType: html, frontPage())
  case "/slow": try showSlowBackend()
  case "/parallel": try showParallelBackends()
  case "/error": showError()
  case "/backend-error": try showBackendError()
  case "/stream": try showStream()
  case "/echo": try showEcho(request, body)
  case "/cpu": try showComputation()
  case "/early-hints": try showEarlyHints()
  case "/style.css": try Response.send(contentType: "text/css", styleSheet)
  case "/favicon.ico": try Response.send(status: 204, "")
  default: try Response.send(status: 404, contentType: html, notFoundPage(target.path))
  }
}
