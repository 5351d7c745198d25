// The HTTP cache: plain sends that read through it, and the hostcalls with which a guest does its own caching. The tests
// are listed in Guests/README.md.

@_cdecl("_start")
func start() {
  serve { (request, _) throws(Status) in
    let target = try request.target()
    switch target.path {
    case "/send": try send(target)
    case "/relay": try relay(target)
    case "/cached": try cached(target)
    case "/key": try key(target)
    case "/suggested": try suggested(target)
    case "/ended": try ended(target)
    case "/purge": try purge(target)
    case "/self": try waitForMyself(target)
    case "/misuse": try misuse(target)
    case "/bad_handles": try badHandles()
    default: try sendUnknownPath(target.path)
    }
  }
}

/// A request as the test's parameters describe it: `method`, `path`, `host`, and `header`, `value` for a field, `header2`
/// and `value2` for another.
func prepared(_ target: Target) throws(Status) -> Request {
  let uri: Text = "http://\(target["host"] ?? "guest.example")\(target["path"] ?? "/")"
  let request = try Request(method: target["method"] ?? "GET", uri: uri)
  if let name = target["header"] { try request.headers.insert(name, target["value"] ?? "") }
  if let name = target["header2"] { try request.headers.insert(name, target["value2"] ?? "") }
  return request
}

func shownHeaders(_ target: Target) -> [Text] {
  guard let names = target["show"] else { return [] }
  return names.split(separator: UInt8(ascii: ","))
}

func backend(_ target: Target) -> Text { target["backend"] ?? "origin" }

/// A plain send with `override` (the tag's number), `ttl`, `swr` and `keys`; `version` 1, 2 or 3, or `async`.
func send(_ target: Target) throws(Status) {
  var report = Report()
  let request = try prepared(target)
  if target["override"] != nil {
    let (tag, ttl) = (UInt32(target.number("override", default: 0)), UInt32(target.number("ttl", default: 0)))
    let swr = UInt32(target.number("swr", default: 0))
    if let keys = target["keys"] {
      let code = keys.withBytes { hostRequestCacheOverrideV2Set(request.handle, tag, ttl, swr, $0, $1) }
      report.add("override", status: Status(code: code))
    } else {
      report.add("override", status: Status(code: hostRequestCacheOverrideSet(request.handle, tag, ttl, swr)))
    }
  }
  let body = try Body(target["body"] ?? "")
  let outcome =
    switch target["version"] ?? "2" {
    case "1": request.send(body, to: backend(target), version: .first)
    case "3": request.send(body, to: backend(target), version: .third)
    case "async": try request.sendAsync(body, to: backend(target), version: .first).wait()
    case "async2": try request.sendAsync(body, to: backend(target), version: .second).wait()
    default: request.send(body, to: backend(target))
    }
  report.add(outcome, headers: shownHeaders(target))
  try report.send()
}

/// Passes a response on to the client as it comes.
func relay(_ target: Target) throws(Status) {
  let answer = try prepared(target).send(to: backend(target)).get()
  try answer.response.send(answer.body)
}

/// Caching as a guest's library does it. `after` is what it does with a new response, where that is not what the host
/// suggests: `update_fresh`, `abandon`, `record`, `stale`, `insert`, `insert_plain`. `ttl`, `swr`, `sie` and `vary` stand in for the suggested options.
func cached(_ target: Target) throws(Status) {
  var report = Report()
  let request = try prepared(target)
  report.number("cacheable") { () throws(Status) in
    try number { hostHTTPCacheIsRequestCacheable(request.handle, $0) }
  }
  let entry = try CachedResponse(lookingUp: request)
  let state = try entry.state()
  report.add("state", state)
  if state & CachedResponse.State.usable != 0 {
    report.add("answer", "found")
    try report.add(found: entry, target)
    if state & CachedResponse.State.mustInsertOrUpdate != 0 { try bring(entry, target, &report, isBackground: true) }
  } else if state & CachedResponse.State.mustInsertOrUpdate != 0 {
    try bring(entry, target, &report, isBackground: false)
  } else {
    report.add("answer", "passed")
    report.add(request.send(try Body(), to: backend(target), version: .third), headers: shownHeaders(target))
  }
  report.add("state_after", try entry.state())
  report.attempt("close") { () throws(Status) in try entry.close() }
  try report.send()
}

/// Fetches a response and does with it what is suggested, or what the test says.
func bring(_ entry: CachedResponse, _ target: Target, _ report: inout Report, isBackground: Bool) throws(Status) {
  let suggested = try entry.suggestedRequest()
  report.add("if_none_match", suggested.headers["if-none-match"] ?? "-")
  let answer: Exchange
  switch suggested.send(try Body(), to: backend(target), version: .third) {
  case .failed(let failure):
    report.add("fetch", status: failure.status)
    return try giveUp(entry, target, &report)
  case .response(let exchange): answer = exchange
  }
  report.number("fetched") { () throws(Status) in try answer.response.status() }
  let (action, response) = try entry.prepare(answer.response)
  report.add("action", action)
  let options = try SuggestedOptions(entry, response, target)
  let after =
    target["after"] ?? (action == 0 ? "insert" : action == 1 ? "update_fresh" : action == 2 ? "abandon" : "record")
  switch after {
  case "insert_plain":
    let body = try options.insert(response, through: entry)
    try body.append(answer.body)
    try body.close()
  case "insert":
    let (body, copy) = try options.insertAndStreamBack(response, through: entry)
    try body.append(answer.body)
    try body.close()
    report.add("copy_state", try copy.state())
    if !isBackground { try report.add(found: copy, target) }
    try copy.close()
  case "update":
    report.add("update", status: options.update(response, through: entry))
  case "update_fresh":
    let copy = try options.updateAndReturnFresh(response, through: entry)
    if !isBackground { try report.add(found: copy, target) }
    try copy.close()
  case "record":
    report.add("record", status: options.record(through: entry))
    if !isBackground { report.add(answer.body) }
  case "stale": try giveUp(entry, target, &report)
  default:
    report.add("abandon", status: Status(code: hostHTTPCacheTransactionAbandon(entry.handle)))
    if !isBackground { report.add(answer.body) }
  }
}

/// Uses what is stale, if it may be used now.
func giveUp(_ entry: CachedResponse, _ target: Target, _ report: inout Report) throws(Status) {
  let status = Status(code: hostHTTPCacheTransactionChooseStale(entry.handle))
  report.add("choose_stale", status: status)
  if status == .ok { try report.add(found: entry, target) }
}

extension Report {
  /// What the cache has: the getters, then the response.
  mutating func add(found entry: CachedResponse, _ target: Target) throws(Status) {
    let handle = entry.handle
    add(seconds: "max_age") { hostHTTPCacheGetMaxAgeNs(handle, $0) }
    add(seconds: "age") { hostHTTPCacheGetAgeNs(handle, $0) }
    add(seconds: "swr") { hostHTTPCacheGetStaleWhileRevalidateNs(handle, $0) }
    add(seconds: "sie") { hostHTTPCacheGetStaleIfErrorNs(handle, $0) }
    add(wide: "hits") { hostHTTPCacheGetHits(handle, $0) }
    add(wide: "length") { hostHTTPCacheGetLength(handle, $0) }
    number("sensitive") { () throws(Status) in try CachedResponse(handle: handle).sensitive() }
    text("keys") { () throws(Status) in
      try Reading.complete { hostHTTPCacheGetSurrogateKeys(handle, $0, $1, $2) }
    }
    text("vary") { () throws(Status) in try Reading.complete { hostHTTPCacheGetVaryRule(handle, $0, $1, $2) } }
    let exchange = try entry.found(forClient: target["whole"] == nil)
    number("status") { () throws(Status) in try exchange.response.status() }
    for name in shownHeaders(target) { add("header.\(name)", exchange.response.headers[name] ?? "-") }
    add(exchange.body)
  }

  mutating func add(seconds name: Text, _ call: (UnsafeMutablePointer<UInt64>) -> UInt32) {
    var value: UInt64 = 0
    let status = Status(code: call(&value))
    if status == .ok { add(name, value / 1_000_000_000) } else { add(name, status: status) }
  }

  mutating func add(wide name: Text, _ call: (UnsafeMutablePointer<UInt64>) -> UInt32) {
    var value: UInt64 = 0
    let status = Status(code: call(&value))
    if status == .ok { add(name, value) } else { add(name, status: status) }
  }
}

/// The suggested key of a request.
func key(_ target: Target) throws(Status) {
  var report = Report()
  let request = try prepared(target)
  let small = Reading.once(capacity: 31) { hostHTTPCacheGetSuggestedCacheKey(request.handle, $0, $1, $2) }
  report.add("small", small)
  let key = Reading.once(capacity: 32) { hostHTTPCacheGetSuggestedCacheKey(request.handle, $0, $1, $2) }
  report.add("status", status: key.status)
  report.add("key", "\(hex: key.text.bytes)")
  try report.send()
}

/// The suggestions for a response with one field, `response` and `response_value`, and the sizes of short buffers.
func suggested(_ target: Target) throws(Status) {
  var report = Report()
  let entry = try CachedResponse(lookingUp: try prepared(target))
  let response = try Response(status: UInt16(target.number("status", default: 200)))
  if let name = target["response"] { try response.headers.insert(name, target["response_value"] ?? "") }
  if let name = target["response2"] { try response.headers.insert(name, target["response_value2"] ?? "") }
  let (action, prepared) = try entry.prepare(response)
  report.add("action", action)
  var rooms = HTTPCacheWriteOptions()
  var given = HTTPCacheWriteOptions()
  given.maxAge = 77
  var mask: UInt32 = 0
  let all = HTTPCacheWriteOptions.Field.all
  // Without room for the texts, their lengths are told.
  let code = hostHTTPCacheGetSuggestedCacheOptions(entry.handle, prepared.handle, all, &rooms, &mask, &given)
  report.add("short", status: Status(code: code))
  report.add("short_mask", mask)
  report.add("short_vary", given.varyRuleLength)
  report.add("short_keys", given.surrogateKeysLength)
  // What is not asked for is not filled in.
  given = HTTPCacheWriteOptions()
  given.initialAge = 55
  report.add(
    "none",
    status: Status(
      code: hostHTTPCacheGetSuggestedCacheOptions(entry.handle, prepared.handle, 0, &rooms, &mask, &given)))
  report.add("none_mask", mask)
  report.add("none_age", given.initialAge)
  report.add("max_age", given.maxAge / 1_000_000_000)
  let options = try SuggestedOptions(entry, prepared, target)
  report.add("age", options.options.initialAge / 1_000_000_000)
  report.add("swr", options.options.staleWhileRevalidate / 1_000_000_000)
  report.add("sie", options.options.staleIfError / 1_000_000_000)
  report.number("original") { () throws(Status) in try response.status() }
  try report.send()
}

/// Purges what has the surrogate key `key`.
func purge(_ target: Target) throws(Status) {
  var report = Report()
  let key = target["key"] ?? ""
  report.add("purge", status: Status(code: key.withBytes { hostPurgeSurrogateKey($0, $1, 0, nil) }))
  try report.send()
}

/// What a duty answers once it has ended, by `end`: `insert`, `abandon`, `record` or `close`.
func ended(_ target: Target) throws(Status) {
  var report = Report()
  let entry = try CachedResponse(lookingUp: try prepared(target))
  let options = try SuggestedOptions(entry, try Response(), target)
  switch target["end"] ?? "abandon" {
  case "insert": try options.insert(try Response(), through: entry).close()
  case "record": try check(UInt32(options.record(through: entry).rawValue))
  case "close": try entry.close()
  default: try check(hostHTTPCacheTransactionAbandon(entry.handle))
  }
  report.number("state") { () throws(Status) in try entry.state() }
  report.attempt("insert") { () throws(Status) in _ = try options.insert(try Response(), through: entry) }
  report.attempt("stream_back") { () throws(Status) in
    _ = try options.insertAndStreamBack(try Response(), through: entry)
  }
  report.add("update", status: options.update(try Response(), through: entry))
  report.attempt("update_fresh") { () throws(Status) in
    _ = try options.updateAndReturnFresh(try Response(), through: entry)
  }
  report.add("record", status: options.record(through: entry))
  report.add("choose_stale", status: Status(code: hostHTTPCacheTransactionChooseStale(entry.handle)))
  report.add("abandon", status: Status(code: hostHTTPCacheTransactionAbandon(entry.handle)))
  report.attempt("found") { () throws(Status) in _ = try entry.found(forClient: true) }
  try report.send()
}

/// Two look-ups of one guest, the second of which would wait for the first; and a plain send in between.
func waitForMyself(_ target: Target) throws(Status) {
  var report = Report()
  let first = try CachedResponse(lookingUp: try prepared(target))
  report.add("first", try first.state())
  let second = try CachedResponse(lookingUp: try prepared(target))
  report.add("second", try second.state())
  report.add(try prepared(target).send(to: backend(target)))
  let response = try Response()
  let body = try SuggestedOptions(first, response, target).insert(response, through: first)
  try body.write("from the guest")
  // Readers follow the writer.
  let third = try CachedResponse(lookingUp: try prepared(target))
  report.add("third", try third.state())
  let exchange = try third.found(forClient: true)
  report.text("begun") { () throws(Status) in try exchange.body.read(limit: 4) }
  report.number("length") { () throws(Status) in
    var length: UInt64 = 0
    try check(hostHTTPCacheGetLength(third.handle, &length))
    return length
  }
  try body.close()
  report.text("rest") { () throws(Status) in try exchange.body.readAll() }
  try report.send()
}

/// Arguments that are not allowed.
func misuse(_ target: Target) throws(Status) {
  var report = Report()
  let request = try prepared(target)
  let key: [UInt8] = Array(repeating: 7, count: 33)
  for count in [0, 31, 32, 33] as [UInt32] {
    key.withUnsafeBufferPointer { key in
      var options = HTTPCacheLookupOptions()
      options.overrideKey = key.baseAddress
      options.overrideKeyLength = count
      var handle: UInt32 = 0
      let status = Status(
        code: hostHTTPCacheTransactionLookup(
          request.handle, HTTPCacheLookupOptions.Field.overrideKey, &options, &handle))
      report.add("key_\(count)", status: status)
      if status == .ok { report.attempt("close") { () throws(Status) in try CachedResponse(handle: handle).close() } }
    }
  }
  var handle: UInt32 = 0
  report.add("unknown_option", status: Status(code: hostHTTPCacheTransactionLookup(request.handle, 8, nil, &handle)))
  report.add("plain_lookup", status: Status(code: hostHTTPCacheLookup(request.handle, 0, nil, &handle)))
  report.number("plain_state") { () throws(Status) in try CachedResponse(handle: handle).state() }
  report.attempt("plain_found") { () throws(Status) in
    _ = try CachedResponse(handle: handle).found(forClient: true)
  }
  let entry = try CachedResponse(lookingUp: request)
  var options = HTTPCacheWriteOptions()
  var body = invalidHandle
  report.add(
    "unknown_write_option",
    status: Status(code: hostHTTPCacheTransactionInsert(entry.handle, try Response().handle, 256, &options, &body)))
  report.add(
    "bad_response", status: Status(code: hostHTTPCacheTransactionInsert(entry.handle, 999, 0, &options, &body)))
  let newResponse = try Response().handle
  var name = ("a{b" as Text).bytes
  name.withUnsafeMutableBufferPointer { name in
    options.varyRule = name.baseAddress
    options.varyRuleLength = UInt32(name.count)
    let mask = HTTPCacheWriteOptions.Field.varyRule
    let code = hostHTTPCacheTransactionInsert(entry.handle, newResponse, mask, &options, &body)
    report.add("bad_vary", status: Status(code: code))
  }
  report.add(
    "bad_pointer",
    status: Status(code: hostHTTPCacheGetState(entry.handle, UnsafeMutablePointer(bitPattern: 0xffff_fff0 as UInt))))
  report.add(
    "no_update", status: Status(code: hostHTTPCacheTransactionUpdate(entry.handle, try Response().handle, 0, &options)))
  report.number("still_obliged") { () throws(Status) in try entry.state() }
  try report.send()
}

/// Every function with handles that are none.
func badHandles() throws(Status) {
  var report = Report()
  var number: UInt32 = 0
  var other: UInt32 = 0
  var wide: UInt64 = 0
  var options = HTTPCacheWriteOptions()
  var out = HTTPCacheWriteOptions()
  let response = try Response().handle
  func add(_ name: Text, _ code: UInt32) { report.add(name, status: Status(code: code)) }
  add("is_request_cacheable", hostHTTPCacheIsRequestCacheable(900, &number))
  add("get_suggested_cache_key", hostHTTPCacheGetSuggestedCacheKey(900, nil, 0, &number))
  add("lookup", hostHTTPCacheLookup(900, 0, nil, &number))
  add("transaction_lookup", hostHTTPCacheTransactionLookup(900, 0, nil, &number))
  add("transaction_insert", hostHTTPCacheTransactionInsert(900, response, 0, &options, &number))
  add(
    "transaction_insert_and_stream_back",
    hostHTTPCacheTransactionInsertAndStreamBack(900, response, 0, &options, &number, &other))
  add("transaction_update", hostHTTPCacheTransactionUpdate(900, response, 0, &options))
  add(
    "transaction_update_and_return_fresh",
    hostHTTPCacheTransactionUpdateAndReturnFresh(900, response, 0, &options, &number))
  add("transaction_choose_stale", hostHTTPCacheTransactionChooseStale(900))
  add("transaction_record_not_cacheable", hostHTTPCacheTransactionRecordNotCacheable(900, 0, &options))
  add("transaction_abandon", hostHTTPCacheTransactionAbandon(900))
  add("close", hostHTTPCacheClose(900))
  add("get_suggested_backend_request", hostHTTPCacheGetSuggestedBackendRequest(900, &number))
  add("get_suggested_cache_options", hostHTTPCacheGetSuggestedCacheOptions(900, response, 0, &options, &number, &out))
  add("prepare_response_for_storage", hostHTTPCachePrepareResponseForStorage(900, response, &number, &other))
  add("get_found_response", hostHTTPCacheGetFoundResponse(900, 1, &number, &other))
  add("get_state", hostHTTPCacheGetState(900, &number))
  add("get_length", hostHTTPCacheGetLength(900, &wide))
  add("get_max_age_ns", hostHTTPCacheGetMaxAgeNs(900, &wide))
  add("get_stale_while_revalidate_ns", hostHTTPCacheGetStaleWhileRevalidateNs(900, &wide))
  add("get_stale_if_error_ns", hostHTTPCacheGetStaleIfErrorNs(900, &wide))
  add("get_age_ns", hostHTTPCacheGetAgeNs(900, &wide))
  add("get_hits", hostHTTPCacheGetHits(900, &wide))
  add("get_sensitive_data", hostHTTPCacheGetSensitiveData(900, &number))
  add("get_surrogate_keys", hostHTTPCacheGetSurrogateKeys(900, nil, 0, &number))
  add("get_vary_rule", hostHTTPCacheGetVaryRule(900, nil, 0, &number))
  try report.send()
}
