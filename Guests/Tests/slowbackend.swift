// Waits for the backend `slow` and passes its answer on: the guest of the suspension benchmarks.

@_cdecl("_start")
func start() {
  serve { (request, body) throws(Status) in
    let exchange = try request.send(body, to: "slow").get()
    try exchange.response.send(exchange.body)
  }
}
