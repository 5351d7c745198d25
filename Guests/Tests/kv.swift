// KV stores through all three modules. The tests are listed in Guests/README.md; the store is `store` in the query, else `s`.

@_cdecl("_start")
func start() {
  serve { (request, body) throws(Status) in
    let target = try request.target()
    let store = target["store"] ?? "s"
    switch target.path {
    case "/get": try get(target["key"] ?? "key", in: store)
    case "/put": try put(target["key"] ?? "key", body, in: store)
    case "/write": try write(from: target.number("from", default: 0), in: store)
    case "/modes": try modes(store)
    case "/generations": try generations(store)
    case "/metadata": try metadata(store)
    case "/time_to_live": try timeToLive(store)
    case "/list": try list(target, store)
    case "/order": try order(store)
    case "/misuse": try misuse(store)
    case "/object_store": try objectStore(store)
    case "/first_form": try firstForm(store)
    default: try sendUnknownPath(target.path)
    }
  }
}

extension Report {
  mutating func add(_ name: Text, _ result: () throws(Status) -> KVStore.Failure) {
    do throws(Status) { add(name, try result().name) } catch { add(name, status: error) }
  }

  /// The value of a look-up, or its failure.
  mutating func value(_ name: Text, _ result: () throws(Status) -> (entry: KVStore.Entry?, failure: KVStore.Failure)) {
    text(name) { () throws(Status) in
      let found = try result()
      return try found.entry?.body.readAll() ?? found.failure.name
    }
  }
}

func get(_ key: Text, in name: Text) throws(Status) {
  let found = try KVStore(name).lookup(key)
  guard let entry = found.entry else { return try Response.send(status: 404, found.failure.name) }
  let response = try Response()
  try response.headers.insert("x-metadata", entry.metadata)
  try response.send(entry.body)
}

/// Stores the client's body as it comes.
func put(_ key: Text, _ body: Body, in name: Text) throws(Status) {
  let failure = try KVStore.waitForInsert(try KVStore(name).startInsert(key, body))
  try Response.send(status: failure == .ok ? 200 : 500, failure.name)
}

/// Writes one key after the other and tells the client of each that was acknowledged, until somebody ends it.
func write(from first: Int, in name: Text) throws(Status) {
  let store = try KVStore(name)
  let stream = try Body()
  try Response().sendStreaming(stream)
  var number = first
  while true {
    guard try store.insert("key-\(number)", "value-\(number)") == .ok else { return try stream.abandon() }
    try stream.write("\(number)\n")
    number += 1
  }
}

func modes(_ name: Text) throws(Status) {
  var report = Report()
  let store = try KVStore(name)
  for (place, mode) in [UInt32(2), 3, 1, 0].enumerated() {
    report.add("mode_\(mode)") { () throws(Status) in
      try store.insert("modes", "\(place)", KVStore.InsertOptions(mode: mode))
    }
    report.value("value_\(mode)") { () throws(Status) in try store.lookup("modes") }
  }
  report.add("unknown_mode") { () throws(Status) in
    try store.insert("modes", "x", KVStore.InsertOptions(mode: 9))
  }
  report.add("delete") { () throws(Status) in try store.delete("modes") }
  report.add("delete_again") { () throws(Status) in try store.delete("modes") }
  report.value("gone") { () throws(Status) in try store.lookup("modes") }
  try report.send()
}

func generations(_ name: Text) throws(Status) {
  var report = Report()
  let store = try KVStore(name)
  report.add("first") { () throws(Status) in try store.insert("generations", "one") }
  let first = try store.lookup("generations").entry?.generation ?? 0
  report.add("other") { () throws(Status) in
    try store.insert("generations", "two", KVStore.InsertOptions(generation: first + 1))
  }
  report.add("same") { () throws(Status) in
    try store.insert("generations", "three", KVStore.InsertOptions(generation: first))
  }
  let found = try store.lookup("generations").entry
  report.add("has_changed", (found?.generation ?? first) != first)
  report.text("value") { () throws(Status) in try found?.body.readAll() ?? "" }
  // The first form of waiting has no room for generations.
  var body = invalidHandle
  var (written, old, failure) = (UInt32(0), UInt32(7), UInt32(0))
  report.attempt("wait_v1") { () throws(Status) in
    try check(hostKVStoreLookupWait(try store.startLookup("generations"), &body, nil, 0, &written, &old, &failure))
  }
  report.add("generation_v1", old)
  report.add("failure_v1", KVStore.Failure(code: failure).name)
  try report.send()
}

func metadata(_ name: Text) throws(Status) {
  var report = Report()
  let store = try KVStore(name)
  report.add("insert") { () throws(Status) in
    try store.insert("metadata", "value", KVStore.InsertOptions(metadata: "about it"))
  }
  let operation = try store.startLookup("metadata")
  var (body, written, generation, failure) = (invalidHandle, UInt32(0), UInt64(0), UInt32(0))
  report.attempt("too_small") { () throws(Status) in
    try check(hostKVStoreLookupWaitV2(operation, &body, nil, 0, &written, &generation, &failure))
  }
  report.add("needed", written)
  report.add("body_untouched", body == invalidHandle)
  let found = try KVStore.waitForLookup(operation)
  report.add("metadata", found.entry?.metadata ?? "-")
  report.attempt("consumed") { () throws(Status) in _ = try KVStore.waitForLookup(operation) }
  report.add("empty") { () throws(Status) in try store.insert("m", "", KVStore.InsertOptions(metadata: "")) }
  report.add("not_text") { () throws(Status) in
    try store.insert("m", "", KVStore.InsertOptions(metadata: Text([0xff])))
  }
  report.add("longest") { () throws(Status) in
    try store.insert("m", "", KVStore.InsertOptions(metadata: .repeating(0x6d, count: 2000)))
  }
  report.add("too_long") { () throws(Status) in
    try store.insert("m", "", KVStore.InsertOptions(metadata: .repeating(0x6d, count: 2001)))
  }
  try report.send()
}

func timeToLive(_ name: Text) throws(Status) {
  var report = Report()
  let store = try KVStore(name)
  report.add("insert") { () throws(Status) in
    try store.insert("fleeting", "here", KVStore.InsertOptions(timeToLive: 1))
  }
  report.value("at_once") { () throws(Status) in try store.lookup("fleeting") }
  Timer.sleep(milliseconds: 1050)
  report.value("later") { () throws(Status) in try store.lookup("fleeting") }
  report.add("delete") { () throws(Status) in try store.delete("fleeting") }
  try report.send()
}

/// A page with `prefix`, `cursor`, `limit` and `mode` of the query.
func list(_ target: Target, _ name: Text) throws(Status) {
  var options = KVStore.ListOptions()
  options.prefix = target["prefix"]
  options.cursor = target["cursor"]
  options.mode = UInt32(target.number("mode", default: 0))
  if target["limit"] != nil { options.limit = UInt32(target.number("limit", default: 0)) }
  do throws(Status) {
    let listed = try KVStore.waitForList(try KVStore(name).startList(options))
    guard let page = listed.page else { return try Response.send(status: 400, listed.failure.name) }
    try Response().send(page)
  } catch {
    try Response.send(status: 400, "!\(error)")
  }
}

/// Operations that are started before any is waited for take effect in the order of their starts.
func order(_ name: Text) throws(Status) {
  var report = Report()
  let store = try KVStore(name)
  let first = try store.startInsert("order", try Body("one"))
  let before = try store.startLookup("order")
  let second = try store.startInsert("order", try Body("two"))
  let after = try store.startLookup("order")
  let deletion = try store.startDelete("order")
  let last = try store.startLookup("order")
  let listing = try store.startList(KVStore.ListOptions(prefix: "order"))
  let ready = try AsyncIO.select([last])
  report.add("select", ready ?? -1)
  report.add("is_ready", try AsyncIO.isReady(first))
  report.value("last") { () throws(Status) in try KVStore.waitForLookup(last) }
  report.value("after") { () throws(Status) in try KVStore.waitForLookup(after) }
  report.value("before") { () throws(Status) in try KVStore.waitForLookup(before) }
  report.add("second") { () throws(Status) in try KVStore.waitForInsert(second) }
  report.add("first") { () throws(Status) in try KVStore.waitForInsert(first) }
  report.add("deletion") { () throws(Status) in try KVStore.waitForDelete(deletion) }
  report.text("listing") { () throws(Status) in try KVStore.waitForList(listing).page?.readAll() ?? "-" }
  try report.send()
}

func misuse(_ name: Text) throws(Status) {
  var report = Report()
  report.attempt("unknown_store") { () throws(Status) in _ = try KVStore("no such store") }
  report.attempt("name_not_text") { () throws(Status) in _ = try KVStore(Text([0xff])) }
  let (store, none) = (try KVStore(name), KVStore(handle: 777))
  let keys: [(Text, Text)] = [
    ("empty", ""), ("long", .repeating(0x6b, count: 1025)), ("dot", "."), ("dots", "a/../b"), ("mark", "a?b"),
    ("not_text", Text([0xff])),
  ]
  for (label, key) in keys {
    report.attempt("lookup_\(label)") { () throws(Status) in _ = try store.startLookup(key) }
    report.attempt("insert_\(label)") { () throws(Status) in _ = try store.startInsert(key, try Body("x")) }
    report.attempt("delete_\(label)") { () throws(Status) in _ = try store.startDelete(key) }
  }
  report.attempt("bad_lookup") { () throws(Status) in _ = try none.startLookup("k") }
  report.attempt("bad_insert") { () throws(Status) in _ = try none.startInsert("k", try Body("x")) }
  report.attempt("bad_delete") { () throws(Status) in _ = try none.startDelete("k") }
  report.attempt("bad_list") { () throws(Status) in _ = try none.startList() }
  report.attempt("bad_body") { () throws(Status) in _ = try store.startInsert("k", Body(handle: 777)) }
  report.attempt("bad_lookup_wait") { () throws(Status) in _ = try KVStore.waitForLookup(777) }
  report.attempt("bad_insert_wait") { () throws(Status) in _ = try KVStore.waitForInsert(777) }
  report.attempt("bad_delete_wait") { () throws(Status) in _ = try KVStore.waitForDelete(777) }
  report.attempt("bad_list_wait") { () throws(Status) in _ = try KVStore.waitForList(777) }
  let lookup = try store.startLookup("k")
  report.attempt("other_kind") { () throws(Status) in _ = try KVStore.waitForInsert(lookup) }
  let body = try Body("x")
  _ = try store.startInsert("misuse", body)
  report.attempt("body_consumed") { () throws(Status) in try body.write("more") }
  try report.send()
}

func objectStore(_ name: Text) throws(Status) {
  var report = Report()
  report.attempt("unknown_store") { () throws(Status) in
    _ = try number { handle in ("none" as Text).withBytes { hostObjectStoreOpen($0, $1, handle) } }
  }
  let store = try number { handle in name.withBytes { hostObjectStoreOpen($0, $1, handle) } }
  let key: Text = "object"
  report.attempt("insert") { () throws(Status) in
    let body = try Body("one")
    try check(key.withBytes { hostObjectStoreInsert(store, $0, $1, body.handle) })
  }
  report.text("lookup") { () throws(Status) in
    try Body(handle: try number { body in key.withBytes { hostObjectStoreLookup(store, $0, $1, body) } }).readAll()
  }
  report.attempt("insert_async") { () throws(Status) in
    let body = try Body("two")
    let pending = try number { pending in
      key.withBytes { hostObjectStoreInsertAsync(store, $0, $1, body.handle, pending) }
    }
    try check(hostObjectStorePendingInsertWait(pending))
  }
  let pending = try number { pending in key.withBytes { hostObjectStoreLookupAsync(store, $0, $1, pending) } }
  report.text("lookup_async") { () throws(Status) in
    try Body(handle: try number { hostObjectStorePendingLookupWait(pending, $0) }).readAll()
  }
  report.attempt("consumed") { () throws(Status) in
    _ = try number { hostObjectStorePendingLookupWait(pending, $0) }
  }
  for label: Text in ["delete", "delete_missing"] {
    report.attempt(label) { () throws(Status) in
      let pending = try number { pending in key.withBytes { hostObjectStoreDeleteAsync(store, $0, $1, pending) } }
      try check(hostObjectStorePendingDeleteWait(pending))
    }
  }
  var body = invalidHandle
  report.attempt("missing") { () throws(Status) in
    try check(key.withBytes { hostObjectStoreLookup(store, $0, $1, &body) })
  }
  report.add("missing_untouched", body == invalidHandle)
  let bad: Text = "a?b"
  report.attempt("bad_key") { () throws(Status) in
    try check(bad.withBytes { hostObjectStoreLookup(store, $0, $1, &body) })
  }
  report.attempt("bad_store") { () throws(Status) in
    try check(key.withBytes { hostObjectStoreLookup(777, $0, $1, &body) })
  }
  report.attempt("as_file") { () throws(Status) in
    try check(key.withBytes { hostObjectStoreLookupAsFd(store, $0, $1, &body) })
  }
  try report.send()
}

/// `fastly_kv`.
func firstForm(_ name: Text) throws(Status) {
  var report = Report()
  let store = try number { handle in name.withBytes { hostKVOpen($0, $1, handle) } }
  let key: Text = "first"
  report.number("insert") { () throws(Status) in
    let body = try Body("one")
    return try number { inserted in key.withBytes { hostKVInsert(store, $0, $1, body.handle, 60, inserted) } }
  }
  report.text("lookup") { () throws(Status) in
    try Body(handle: try number { body in key.withBytes { hostKVLookup(store, $0, $1, body) } }).readAll()
  }
  var body = invalidHandle
  report.attempt("missing") { () throws(Status) in
    try check(("absent" as Text).withBytes { hostKVLookup(store, $0, $1, &body) })
  }
  report.add("missing_untouched", body == invalidHandle)
  report.attempt("bad_store") { () throws(Status) in
    try check(key.withBytes { hostKVLookup(777, $0, $1, &body) })
  }
  try report.send()
}
