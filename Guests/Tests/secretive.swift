// Carries one word, `word` in the query, through everything that a guest can touch: stores, secrets, rate counters, a backend's
// URL, headers and body, and the client's response. `/trap` traps afterwards. What hosts show of the request must not have it.

@_cdecl("_start")
func start() {
  serve { (request, body) throws(Status) in
    let target = try request.target()
    let word = target["word"] ?? "word"
    let received = try body.readAll()
    try useStores(word)
    let answer = try askBackend(word, received)
    if target.path == "/trap" { panic("with a word in memory") }
    let response = try Response()
    try response.headers.insert("set-cookie", "session=\(word)")
    try response.headers.insert("x-word", word)
    let reply = try Body()
    try reply.write("\(word)\n")
    try reply.write(answer)
    try response.send(reply)
  }
}

func useStores(_ word: Text) throws(Status) {
  let store = try KVStore("kv")
  var options = KVStore.InsertOptions()
  options.metadata = word
  _ = try store.insert(word, word, options)
  _ = try store.lookup(word)
  _ = try store.delete(word)
  _ = try? ConfigStore("config").get(word)
  _ = try? EdgeDictionary("config").get(word)
  _ = try? SecretStore("secrets").get(word).plaintext()
  _ = try Secret(word).plaintext()
  _ = try? RateCounter(name: "counter").increment(word)
}

/// The backend gets the word in every place that a request has for it.
func askBackend(_ word: Text, _ content: Text) throws(Status) -> Text {
  let uri: Text = "http://user:\(word)@origin.example/inspect?q=\(word)"
  let request = try Request(method: "POST", uri: uri)
  try request.headers.insert("authorization", "Bearer \(word)")
  try request.headers.insert("cookie", word)
  try request.headers.insert("x-word", word)
  let body = try Body()
  try body.write("\(word)\(content)")
  switch request.send(body, to: "origin") {
  case .response(let exchange): return try exchange.body.readAll()
  case .failed(let failure): return failure.detail.name
  }
}
