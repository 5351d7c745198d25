/// Runs a guest's handler on the client's request.
///
/// A status that the handler lets through becomes a response with code 500, or a line on stderr where a response is
/// already on its way.
func serve(_ handler: (Request, Body) throws(Status) -> Void) {
  do throws(Status) {
    try check(hostABIInit(1))
    let (request, body) = try Request.downstream()
    try handler(request, body)
  } catch {
    do throws(Status) {
      try Response.send(status: 500, "The guest was answered \(error) and did not expect that.\n")
    } catch {
      Console.writeError("The guest was answered \(error) and did not expect that.\n")
    }
  }
}

/// Ends the guest with a trap, after a line on stderr.
func panic(_ message: Text) -> Never {
  Console.writeError("guest panic: \(message)\n")
  fatalError()
}
