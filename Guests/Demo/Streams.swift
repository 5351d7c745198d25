// Paths whose response begins before it is complete.

/// Sends ten lines, 200 ms apart.
func showStream() throws(Status) {
  let response = try Response()
  try response.headers.insert("content-type", "text/plain; charset=utf-8")
  // Without it, browsers hold a text back while they guess its type.
  try response.headers.insert("x-content-type-options", "nosniff")
  let body = try Body()
  try response.sendStreaming(body)
  for number in 1...10 {
    Timer.sleep(milliseconds: 200)
    try body.write("line \(number) of 10\n")
  }
  try body.close()
}

/// Sends the request's body back, each piece as it comes.
func showEcho(_ request: Request, _ body: Body) throws(Status) {
  if try request.method() != "POST" {
    return try Response.send(status: 405, "Send a body with POST, and it comes back.\n")
  }
  let answer = try Response.stream(contentType: request.headers["content-type"] ?? "application/octet-stream")
  try body.copy(to: answer)
  try answer.close()
}

/// Names the style sheet early, takes its time, then sends the page.
func showEarlyHints() throws(Status) {
  let hints = try Response(status: 103)
  try hints.headers.insert("link", "</style.css>; rel=preload; as=style")
  try hints.send(try Body())
  Timer.sleep(milliseconds: 150)
  try Response.send(
    contentType: html,
    page(
      title: "Early hints",
      """
      <h1>Early hints</h1>
      <p>A 103 response named the style sheet 150 ms before this page was sent, so a client could fetch it meanwhile.
      <a href="/">Start</a></p>
      """))
}
