// A caching proxy over the core cache, with the client's address as the key. What comes from the backend `origin` is stored
// as the query says: `max_age`, `swr` and `pause` in milliseconds, `vary`, `keys`. `fail` says what goes wrong with whoever
// has to bring the object: `trap`, `cancel`, `abandon`. The response tells in `x-cache` how it came about.

@_cdecl("_start")
func start() {
  serve { (request, _) throws(Status) in
    let target = try request.target()
    let key = Text([UInt8](target.path.bytes))
    let entry = try CacheEntry.transaction(key, headers: request)
    let state = try entry.state()
    if state & CacheEntry.State.usable != 0 {
      try answer(try entry.body(), state & CacheEntry.State.stale != 0 ? "stale" : "hit", of: entry)
      if state & CacheEntry.State.mustInsert == 0 { return }
    }
    switch try Request(uri: "http://origin\(target.path)").send(to: "origin") {
    case .failed(let failure):
      try entry.cancel()
      try Response.send(status: 502, "the origin failed: \(failure.detail.name)\n")
    case .response(let exchange):
      try fail(target, entry)
      try store(exchange, target, entry, isBackground: state & CacheEntry.State.usable != 0)
    }
  }
}

private func fail(_ target: Target, _ entry: CacheEntry) throws(Status) {
  guard let failure = target["fail"] else { return }
  if failure == "trap" { panic("as asked for") }
  if failure == "cancel" {
    try entry.cancel()
    throw .error
  }
}

private func store(_ exchange: Exchange, _ target: Target, _ entry: CacheEntry, isBackground: Bool) throws(Status) {
  var write = CacheWrite(maxAge: UInt64(target.number("max_age", default: 60_000)) * 1_000_000)
  if target["swr"] != nil { write.staleWhileRevalidate = UInt64(target.number("swr", default: 0)) * 1_000_000 }
  write.vary = target["vary"]
  write.surrogateKeys = target["keys"]
  let (writer, stored) = try entry.insertAndStreamBack(write)
  if !isBackground { try answer(try stored.body(), "miss", of: stored) }
  if target["fail"] == "abandon" {
    try writer.write(try exchange.body.read(limit: 4))
    try writer.abandon()
  } else {
    try exchange.body.copy(to: writer)
    try writer.close()
  }
}

private func answer(_ body: Body, _ outcome: Text, of entry: CacheEntry) throws(Status) {
  let response = try Response()
  try response.headers.insert("x-cache", outcome)
  try response.headers.insert("x-hits", "\(try entry.hits())")
  try response.send(body)
}
