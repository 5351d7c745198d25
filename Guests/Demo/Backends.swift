// Paths that ask backends: one after the other, several at once, and one that refuses.

/// Fetches from a backend and shows how the time was spent.
func showSlowBackend() throws(Status) {
  let start = Clock.monotonic()
  let request = try Request(uri: "http://origin.example/slow?ms=400")
  switch try request.send(to: "origin") {
  case .failed(let failure):
    try sendBackendFailure("origin", failure)
  case .response(let exchange):
    let content = try exchange.body.readAll()
    let fetched = milliseconds(since: start)
    let checksum = digest(content, rounds: 20_000_000 / max(content.count, 1))
    try Response.send(
      """
      The backend answered \(content.count) bytes after \(fetched) ms.
      Their digest \(hex: checksum) took \(milliseconds(since: start) - fetched) ms more.

      """)
  }
}

/// Starts three requests, takes the answers in the order they arrive, and merges them into one JSON object.
func showParallelBackends() throws(Status) {
  let start = Clock.monotonic()
  var names: [Text] = ["users", "orders", "stock"]
  var pending: [PendingRequest] = []
  for name in names {
    let request = try Request(uri: "http://\(name).example/\(name)")
    pending.append(try request.sendAsync(try Body(), to: name))
  }

  var merged: Text = "{\n"
  var order = Text()
  while !pending.isEmpty {
    let (index, outcome) = PendingRequest.select(pending)
    // A select that fails as a whole names no place in the list.
    guard index < UInt32(pending.count) else { throw .error }
    let name = names.remove(at: Int(index))
    pending.remove(at: Int(index))
    merged += "  \"\(name)\": \(try content(of: outcome)),\n"
    order += order.isEmpty ? "\"\(name)\"" : ", \"\(name)\""
  }
  merged += "  \"order\": [\(order)],\n  \"milliseconds\": \(milliseconds(since: start))\n}\n"
  try Response.send(contentType: "application/json", merged)
}

/// A backend's answer as a JSON value; a failed one becomes an object that says why.
func content(of outcome: SendOutcome) throws(Status) -> Text {
  switch outcome {
  case .failed(let failure): return "{\"error\": \"\(failure.detail.name)\"}"
  case .response(let exchange):
    let status = try exchange.response.status()
    let content = try exchange.body.readAll()
    if status != 200 || content.isEmpty { return "{\"error\": \"status \(status)\"}" }
    return content.trimmed
  }
}

func showBackendError() throws(Status) {
  switch try Request(uri: "http://refused.example/").send(to: "refused") {
  case .failed(let failure):
    try sendBackendFailure("refused", failure)
  case .response(let exchange):
    try exchange.response.send(exchange.body)
  }
}

func sendBackendFailure(_ backend: Text, _ failure: SendFailure) throws(Status) {
  try Log("demo").write("backend \(backend) failed: \(failure.detail.name)")
  try Response.send(status: 502, "The backend \(backend) failed: \(failure.detail.name)\n")
}

func milliseconds(since start: UInt64) -> UInt64 {
  (Clock.monotonic() - start) / 1_000_000
}

extension Text {
  /// The text without white space at its end.
  var trimmed: Text {
    var end = count
    while end > 0, self[end - 1] <= 0x20 { end -= 1 }
    return self[..<end]
  }
}
