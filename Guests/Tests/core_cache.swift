// The core cache, hostcall by hostcall. The tests are listed in Guests/README.md.

@_cdecl("_start")
func start() {
  serve { (request, _) throws(Status) in
    let target = try request.target()
    let key = target["key"] ?? "key"
    switch target.path {
    case "/insert": try insert(key, target, request)
    case "/find": try find(key, target, request)
    case "/transaction": try transaction(key)
    case "/update": try update(key)
    case "/busy": try busy(key)
    case "/replace": try replace(key)
    case "/ranges": try ranges(key)
    case "/unknown_length": try unknownLength(key)
    case "/promises": try promises(key)
    case "/trailers": try trailers(key)
    case "/limits": try limits(key)
    case "/misuse": try misuse()
    case "/purge": try purge(key, target)
    case "/fill": try fill(key, target)
    default: try sendUnknownPath(target.path)
    }
  }
}

private let oneSecond: UInt64 = 1_000_000_000

extension Report {
  /// The names of a state's bits.
  mutating func state(_ name: Text, _ call: () throws(Status) -> UInt32) {
    text(name) { () throws(Status) in
      let state = try call()
      var names: [Text] = []
      if state & CacheEntry.State.found != 0 { names.append("found") }
      if state & CacheEntry.State.usable != 0 { names.append("usable") }
      if state & CacheEntry.State.stale != 0 { names.append("stale") }
      if state & CacheEntry.State.mustInsert != 0 { names.append("must") }
      if names.isEmpty { return "nothing" }
      var joined = names[0]
      for each in names.dropFirst() { joined += "+\(each)" }
      return joined
    }
  }

  mutating func entry(_ prefix: Text, _ entry: CacheEntry) {
    state("\(prefix)state") { () throws(Status) in try entry.state() }
    number("\(prefix)length") { () throws(Status) in try entry.length() }
    number("\(prefix)max_age") { () throws(Status) in try entry.maxAge() / oneSecond }
    number("\(prefix)swr") { () throws(Status) in try entry.staleWhileRevalidate() / oneSecond }
    number("\(prefix)age") { () throws(Status) in try entry.age() / oneSecond }
    number("\(prefix)hits") { () throws(Status) in try entry.hits() }
    add("\(prefix)metadata", entry.metadata())
    do throws(Status) {
      let body = try entry.body()
      add(body, prefix: prefix)
      try body.close()
    } catch {
      add("\(prefix)body", status: error)
    }
  }
}

/// What the query says of an object.
private func write(_ target: Target, _ request: Request) -> CacheWrite {
  var write = CacheWrite(maxAge: UInt64(target.number("max_age", default: 60)) * oneSecond)
  write.vary = target["vary"]
  write.surrogateKeys = target["keys"]
  write.metadata = target["metadata"]
  if target["swr"] != nil { write.staleWhileRevalidate = UInt64(target.number("swr", default: 0)) * oneSecond }
  if target["initial_age"] != nil { write.initialAge = UInt64(target.number("initial_age", default: 0)) * oneSecond }
  if target["headers"] != nil { write.headers = request }
  return write
}

/// Stores `body` under `key`.
func insert(_ key: Text, _ target: Target, _ request: Request) throws(Status) {
  var report = Report()
  report.attempt("insert") { () throws(Status) in
    let body = try CacheEntry.insert(key, write(target, request))
    try body.write(target["body"] ?? "body")
    try body.close()
  }
  try report.send()
}

/// Looks `key` up, with the client's headers where `headers` is there.
func find(_ key: Text, _ target: Target, _ request: Request) throws(Status) {
  var report = Report()
  report.entry("", try CacheEntry.find(key, headers: target["headers"] == nil ? nil : request))
  try report.send()
}

/// The duty to bring an object, and how it ends.
func transaction(_ key: Text) throws(Status) {
  var report = Report()
  let first = try CacheEntry.transaction(key)
  report.entry("miss.", first)
  // Nobody else could ever bring the object that this guest waits for.
  report.attempt("deadlock") { () throws(Status) in _ = try CacheEntry.transaction(key) }
  report.attempt("update_of_nothing") { () throws(Status) in try first.update(CacheWrite(maxAge: oneSecond)) }
  report.state("still_obliged") { () throws(Status) in try first.state() }
  report.attempt("cancel") { () throws(Status) in try first.cancel() }
  report.attempt("cancel_twice") { () throws(Status) in try first.cancel() }
  report.attempt("insert_after_cancel") { () throws(Status) in _ = try first.insert(CacheWrite(maxAge: oneSecond)) }
  report.state("cancelled") { () throws(Status) in try first.state() }
  report.attempt("close") { () throws(Status) in try first.close() }
  report.attempt("close_twice") { () throws(Status) in try first.close() }
  // Closing gives the duty back too.
  let again = try CacheEntry.transaction(key)
  report.state("again") { () throws(Status) in try again.state() }
  try again.close()
  let third = try CacheEntry.transaction(key)
  var options = CacheWrite(maxAge: 60 * oneSecond)
  options.headers = try Request()
  report.attempt("headers_in_transaction") { () throws(Status) in _ = try third.insert(options) }
  options.headers = nil
  options.metadata = "mark"
  let body = try third.insert(options)
  report.attempt("insert_twice") { () throws(Status) in _ = try third.insert(options) }
  report.state("inserted") { () throws(Status) in try third.state() }
  try body.write("hello")
  try body.close()
  let found = try CacheEntry.transaction(key)
  report.entry("found.", found)
  report.attempt("cancel_without_duty") { () throws(Status) in try found.cancel() }
  let open = try found.body()
  report.attempt("second_body") { () throws(Status) in _ = try found.body() }
  try open.close()
  report.attempt("body_after_close") { () throws(Status) in try found.body().close() }
  report.add("short_buffer", found.metadata(capacity: 2))
  try report.send()
}

/// A stale object and its renewal.
func update(_ key: Text) throws(Status) {
  var report = Report()
  var options = CacheWrite(maxAge: oneSecond)
  options.initialAge = 2 * oneSecond
  options.staleWhileRevalidate = 60 * oneSecond
  options.metadata = "old"
  let body = try CacheEntry.insert(key, options)
  try body.write("kept")
  try body.close()
  let first = try CacheEntry.transaction(key)
  report.entry("stale.", first)
  report.state("other") { () throws(Status) in try CacheEntry.transaction(key).state() }
  report.state("plain") { () throws(Status) in try CacheEntry.find(key).state() }
  var renewed = CacheWrite(maxAge: 60 * oneSecond)
  renewed.metadata = "new"
  report.attempt("update") { () throws(Status) in try first.update(renewed) }
  report.attempt("update_twice") { () throws(Status) in try first.update(renewed) }
  report.entry("fresh.", try CacheEntry.find(key))
  try report.send()
}

/// Look-ups that are waited for later.
func busy(_ key: Text) throws(Status) {
  var report = Report()
  let first = try CacheEntry.begin(key)
  let second = try CacheEntry.begin(key)
  report.text("ready") { () throws(Status) in try AsyncIO.isReady(first.handle) ? "1" : "0" }
  report.text("not_ready") { () throws(Status) in try AsyncIO.isReady(second.handle) ? "1" : "0" }
  report.text("select") { () throws(Status) in
    try AsyncIO.select([second.handle, first.handle]).map { "\($0)" } ?? "none"
  }
  let entry = try first.wait()
  report.state("first") { () throws(Status) in try entry.state() }
  report.attempt("wait_twice") { () throws(Status) in _ = try first.wait() }
  report.attempt("close_busy") { () throws(Status) in try first.close() }
  report.attempt("close_busy_twice") { () throws(Status) in try first.close() }
  report.attempt("wait_after_close") { () throws(Status) in _ = try first.wait() }
  let body = try entry.insert(CacheWrite(maxAge: 60 * oneSecond))
  // The second one is settled when the insertion begins, and reads along.
  let found = try second.wait()
  report.state("second") { () throws(Status) in try found.state() }
  try body.write("along")
  let reading = try found.body()
  report.text("while_written") { () throws(Status) in try reading.read(limit: 100) }
  try body.close()
  report.text("at_the_end") { () throws(Status) in try reading.read(limit: 100) }
  try second.close()
  // A look-up that is given up before it is settled leaves the duty to the next one.
  let other: Text = "\(key)-other"
  let holder = try CacheEntry.transaction(other)
  let waiter = try CacheEntry.begin(other)
  try waiter.close()
  let next = try CacheEntry.begin(other)
  try holder.close()
  report.state("next") { () throws(Status) in try next.wait().state() }
  try report.send()
}

/// Replacing outside of a transaction.
func replace(_ key: Text) throws(Status) {
  var report = Report()
  let nothing = try CacheReplacement(key)
  report.number("nothing.length") { () throws(Status) in try nothing.length() }
  report.number("nothing.hits") { () throws(Status) in try nothing.hits() }
  report.number("nothing.age") { () throws(Status) in try nothing.age() }
  report.number("nothing.max_age") { () throws(Status) in try nothing.maxAge() }
  report.number("nothing.swr") { () throws(Status) in try nothing.staleWhileRevalidate() }
  report.add("nothing.metadata", nothing.metadata())
  report.attempt("nothing.body") { () throws(Status) in _ = try nothing.body() }
  var options = CacheWrite(maxAge: 60 * oneSecond)
  options.metadata = "first"
  options.staleWhileRevalidate = 5 * oneSecond
  options.initialAge = 3 * oneSecond
  let body = try nothing.insert(options)
  try body.write("first")
  try body.close()
  report.attempt("insert_twice") { () throws(Status) in _ = try nothing.insert(options) }
  let present = try CacheReplacement(key, strategy: 1)
  report.state("state") { () throws(Status) in try present.state() }
  report.number("length") { () throws(Status) in try present.length() }
  report.number("hits") { () throws(Status) in try present.hits() }
  report.number("age") { () throws(Status) in try present.age() / oneSecond }
  report.number("max_age") { () throws(Status) in try present.maxAge() / oneSecond }
  report.number("swr") { () throws(Status) in try present.staleWhileRevalidate() / oneSecond }
  report.add("metadata", present.metadata())
  report.text("body") { () throws(Status) in try present.body().readAll() }
  report.text("part") { () throws(Status) in try present.body(from: 1, to: 2).readAll() }
  // Others see the object until it is replaced.
  report.text("others") { () throws(Status) in try CacheEntry.find(key).body().readAll() }
  let next = try present.insert(CacheWrite(maxAge: 60 * oneSecond))
  try next.write("second")
  try next.close()
  report.text("replaced") { () throws(Status) in try CacheEntry.find(key).body().readAll() }
  let missing = try CacheReplacement(key, strategy: 2)
  report.text("forced.present") { () throws(Status) in try missing.body().readAll() }
  report.state("forced.others") { () throws(Status) in try CacheEntry.find(key).state() }
  try missing.insert(CacheWrite(maxAge: 60 * oneSecond)).close()
  let waiting = try CacheReplacement(key, strategy: 3)
  report.state("waiting") { () throws(Status) in try waiting.state() }
  try waiting.insert(CacheWrite(maxAge: 60 * oneSecond)).close()
  report.attempt("strategy_4") { () throws(Status) in _ = try CacheReplacement(key, strategy: 4) }
  report.attempt("close") { () throws(Status) in try CacheEntry(handle: waiting.handle).close() }
  try report.send()
}

/// Parts of a complete body.
func ranges(_ key: Text) throws(Status) {
  var report = Report()
  let body = try CacheEntry.insert(key, CacheWrite(maxAge: 60 * oneSecond))
  try body.write("0123456789")
  try body.close()
  func part(_ name: Text, _ from: UInt64?, _ to: UInt64?) {
    report.text(name) { () throws(Status) in try CacheEntry.find(key).body(from: from, to: to).readAll() }
  }
  part("whole", nil, nil)
  part("both", 2, 4)
  part("one", 3, 3)
  part("from", 7, nil)
  part("last", nil, 3)
  part("backwards", 4, 2)
  part("from_beyond", 10, nil)
  part("to_beyond", 2, 10)
  part("last_none", nil, 0)
  part("last_too_many", nil, 11)
  report.number("known_length") { () throws(Status) in
    try CacheEntry.find(key).body(from: 2, to: 4).knownLength()
  }
  try report.send()
}

/// Reading while the length is not known.
func unknownLength(_ key: Text) throws(Status) {
  var report = Report()
  let body = try CacheEntry.insert(key, CacheWrite(maxAge: 60 * oneSecond))
  try body.write("01234")
  let plain = try CacheEntry.find(key)
  report.number("length") { () throws(Status) in try plain.length() }
  let always = try CacheEntry.find(key, alwaysUsesRange: true)
  let whole = try plain.body(from: 1, to: 2)
  let part = try always.body(from: 1, to: 2)
  let late = try CacheEntry.find(key, alwaysUsesRange: true).body(from: 3, to: 6)
  let missing = try CacheEntry.find(key, alwaysUsesRange: true).body(from: 3, to: 20)
  report.number("body_length") { () throws(Status) in try whole.knownLength() }
  report.text("part") { () throws(Status) in try part.readAll() }
  try body.write("56789")
  try body.close()
  report.text("whole") { () throws(Status) in try whole.readAll() }
  report.text("late") { () throws(Status) in try late.readAll() }
  report.add(missing, prefix: "missing.")
  // The look-up of the time does not learn the length, a later one does.
  report.number("length_then") { () throws(Status) in try plain.length() }
  report.number("length_now") { () throws(Status) in try CacheEntry.find(key).length() }
  try report.send()
}

/// Bodies that are not what was promised, or break off.
func promises(_ key: Text) throws(Status) {
  var report = Report()
  for (name, content) in [("kept", "01234"), ("short", "012"), ("long", "01234567")] as [(Text, Text)] {
    var options = CacheWrite(maxAge: 60 * oneSecond)
    options.length = 5
    let (body, entry) = try CacheEntry.transaction("\(key)-\(name)").insertAndStreamBack(options)
    report.state("\(name).state") { () throws(Status) in try entry.state() }
    report.number("\(name).length") { () throws(Status) in try entry.length() }
    try body.write(content)
    try body.close()
    report.add(try entry.body(), prefix: "\(name).")
    report.state("\(name).after") { () throws(Status) in try CacheEntry.find("\(key)-\(name)").state() }
  }
  let (body, entry) = try CacheEntry.transaction("\(key)-abandoned").insertAndStreamBack(CacheWrite(maxAge: oneSecond))
  try body.write("half")
  try body.abandon()
  report.add(try entry.body(), prefix: "abandoned.")
  report.state("abandoned.after") { () throws(Status) in try CacheEntry.find("\(key)-abandoned").state() }
  try report.send()
}

func trailers(_ key: Text) throws(Status) {
  var report = Report()
  let body = try CacheEntry.insert(key, CacheWrite(maxAge: 60 * oneSecond))
  let early = try CacheEntry.find(key).body()
  try body.write("content")
  try body.appendTrailer("x-sum", "7")
  try body.close()
  for (name, body) in [("early", early), ("late", try CacheEntry.find(key).body())] as [(Text, Body)] {
    report.text("\(name).body") { () throws(Status) in try body.readAll() }
    report.text("\(name).trailer") { () throws(Status) in try body.trailer("x-sum") }
  }
  // A body that was moved out of a backend's or the client's into the cache, and from there into another body.
  let source = try Body("moved")
  let moved = try CacheEntry.insert("\(key)-moved", CacheWrite(maxAge: 60 * oneSecond))
  try moved.append(source)
  try moved.close()
  let target = try Body("it was ")
  try target.append(try CacheEntry.find("\(key)-moved").body())
  report.text("moved") { () throws(Status) in try target.readAll() }
  try report.send()
}

/// Arguments that are too long or not allowed.
func limits(_ key: Text) throws(Status) {
  var report = Report()
  let letter = UInt8(ascii: "k")
  let longest = Text.repeating(letter, count: 4096)
  let tooLong = Text.repeating(letter, count: 4097)
  func insert(_ name: Text, _ key: Text, _ change: (inout CacheWrite) -> Void) {
    var write = CacheWrite(maxAge: 60 * oneSecond)
    change(&write)
    report.attempt(name) { () throws(Status) in try CacheEntry.insert(key, write).close() }
  }
  insert("longest_key", longest) { _ in }
  insert("too_long_key", tooLong) { _ in }
  insert("empty_key", "") { _ in }
  report.attempt("lookup_too_long_key") { () throws(Status) in _ = try CacheEntry.find(tooLong) }
  report.attempt("transaction_too_long_key") { () throws(Status) in _ = try CacheEntry.transaction(tooLong) }
  report.attempt("busy_too_long_key") { () throws(Status) in _ = try CacheEntry.begin(tooLong) }
  report.attempt("replace_too_long_key") { () throws(Status) in _ = try CacheReplacement(tooLong) }
  insert("empty_vary", key) { $0.vary = "" }
  insert("bad_vary", key) { $0.vary = "accept,origin" }
  insert("bad_surrogate_key", key) { $0.surrogateKeys = Text([0x61, 0x09]) }
  insert("long_surrogate_key", key) { $0.surrogateKeys = Text.repeating(letter, count: 1025) }
  insert("many_surrogate_keys", key) { write in
    var keys: [UInt8] = []
    for _ in 0..<17 { keys += [UInt8](repeating: letter, count: 1000) + [0x20] }
    write.surrogateKeys = Text(keys)
  }
  insert("sensitive", key) { $0.isSensitive = true }
  insert("edge_age", key) { $0.edgeMaxAge = 30 * oneSecond }
  insert("long_edge_age", key) { $0.edgeMaxAge = 61 * oneSecond }
  insert("service", key) { $0.serviceID = "other" }
  insert("huge_length", key) { $0.length = 1 << 40 }
  insert("bad_headers", key) { $0.headers = Request(handle: 777) }
  report.attempt("lookup_bad_headers") { () throws(Status) in
    _ = try CacheEntry.find(key, headers: Request(handle: 777))
  }
  try report.send()
}

/// Handles that are none, and memory that is not there.
func misuse() throws(Status) {
  var report = Report()
  let entry = CacheEntry(handle: 777)
  report.entry("", entry)
  report.attempt("insert") { () throws(Status) in _ = try entry.insert(CacheWrite(maxAge: 1)) }
  report.attempt("stream_back") { () throws(Status) in _ = try entry.insertAndStreamBack(CacheWrite(maxAge: 1)) }
  report.attempt("update") { () throws(Status) in try entry.update(CacheWrite(maxAge: 1)) }
  report.attempt("cancel") { () throws(Status) in try entry.cancel() }
  report.attempt("close") { () throws(Status) in try entry.close() }
  report.attempt("wait") { () throws(Status) in _ = try CacheBusy(handle: 777).wait() }
  report.attempt("close_busy") { () throws(Status) in try CacheBusy(handle: 777).close() }
  let replacement = CacheReplacement(handle: 777)
  report.attempt("replace_insert") { () throws(Status) in _ = try replacement.insert(CacheWrite(maxAge: 1)) }
  report.attempt("replace_body") { () throws(Status) in _ = try replacement.body() }
  report.state("replace_state") { () throws(Status) in try replacement.state() }
  report.number("replace_length") { () throws(Status) in try replacement.length() }
  report.number("replace_age") { () throws(Status) in try replacement.age() }
  report.number("replace_max_age") { () throws(Status) in try replacement.maxAge() }
  report.number("replace_swr") { () throws(Status) in try replacement.staleWhileRevalidate() }
  report.number("replace_hits") { () throws(Status) in try replacement.hits() }
  report.add("replace_metadata", replacement.metadata())
  // A body is no look-up, and a look-up no body.
  report.attempt("body_as_entry") { () throws(Status) in try CacheEntry(handle: try Body().handle).close() }
  report.attempt("entry_as_body") { () throws(Status) in
    try Body(handle: try CacheEntry.find("misuse").handle).close()
  }
  let nowhere = UnsafeMutablePointer<UInt32>(bitPattern: UInt(0xffff_fff0))
  var options = CacheLookupOptions()
  report.add("bad_pointer", status: Status(code: hostCacheLookup(nil, 0, 0, &options, nowhere)))
  report.add("unknown_bit", status: Status(code: hostCacheLookup(nil, 0, 1 << 20, &options, nowhere)))
  report.add("bad_options", status: Status(code: hostCacheInsert(nil, 0, 0, UnsafeRawPointer(nowhere), nowhere)))
  try report.send()
}

/// Purges `key` as a surrogate key.
func purge(_ key: Text, _ target: Target) throws(Status) {
  var report = Report()
  if let capacity = target["capacity"]?.decimal {
    report.add("answer", Purge.answer(key, capacity: UInt32(capacity)))
  } else {
    report.attempt("purge") { () throws(Status) in
      if target["soft"] != nil { try Purge.soft(key) } else { try Purge.hard(key) }
    }
  }
  report.attempt("empty") { () throws(Status) in try Purge.hard("") }
  report.attempt("space") { () throws(Status) in try Purge.hard("a b") }
  report.attempt("long") { () throws(Status) in try Purge.hard(Text.repeating(UInt8(ascii: "k"), count: 1025)) }
  try report.send()
}

/// Writes `mib` mebibytes under `key`, a quarter of one at a time.
func fill(_ key: Text, _ target: Target) throws(Status) {
  var report = Report()
  let piece = Text.repeating(UInt8(ascii: "x"), count: 1 << 18)
  report.attempt("fill") { () throws(Status) in
    let body = try CacheEntry.insert(key, CacheWrite(maxAge: 60 * oneSecond))
    for _ in 0..<4 * target.number("mib", default: 1) { try body.write(piece) }
    try body.close()
  }
  try report.send()
}
