// Many cheap hostcalls, for the benchmarks: `/N` makes N calls of `fastly_http_resp.status_get`; `/header/N`,
// `/clock/N` and `/write/N` make N calls that copy a header value, read the clock, or append 16 bytes to a body;
// `/kv/N` looks up a value of 1 KiB in the KV store `s`, `/list/N` a page of its keys, and `/rate/N` counts for an
// entry. The answer says how many calls there were and how many nanoseconds they took together.

@_cdecl("_start")
func start() {
  serve { (request, _) throws(Status) in
    let segments = try request.target().segments
    let count = Int(truncatingIfNeeded: segments.last?.decimal ?? 1000)
    let kind = segments.count > 1 ? segments[0] : "status"
    let response = try Response()
    try response.headers.insert("x-value", "0123456789abcdef")
    let body = try Body()
    if kind == "kv" { _ = try KVStore("s").insert("value", .repeating(0x78, count: 1024)) }
    let start = Clock.monotonic()
    switch kind {
    case "kv": try lookUp(count)
    case "list": try list(count)
    case "rate": try countRate(count)
    case "header": try readHeader(response, count)
    case "clock": readClock(count)
    case "write": try write(body, count)
    default: try readStatus(response, count)
    }
    let elapsed = Clock.monotonic() - start
    var report = Report()
    report.add("kind", kind)
    report.add("calls", count)
    report.add("nanoseconds", elapsed)
    try report.send()
  }
}

func lookUp(_ count: Int) throws(Status) {
  let store = try KVStore("s")
  for _ in 0..<count {
    guard let body = try store.lookup("value").entry?.body else { throw .none }
    if try body.read(limit: 1024).count != 1024 { throw .error }
    try body.close()
  }
}

func list(_ count: Int) throws(Status) {
  let store = try KVStore("s")
  for _ in 0..<count {
    guard let page = try KVStore.waitForList(try store.startList()).page else { throw .none }
    try page.close()
  }
}

func countRate(_ count: Int) throws(Status) {
  let counter = RateCounter(name: "counter")
  for _ in 0..<count { try counter.increment("192.0.2.1") }
}

func readStatus(_ response: Response, _ count: Int) throws(Status) {
  var status: UInt16 = 0
  for _ in 0..<count { try check(hostResponseStatusGet(response.handle, &status)) }
}

func readHeader(_ response: Response, _ count: Int) throws(Status) {
  let name: Text = "x-value"
  var written: UInt32 = 0
  let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: 64)
  defer { buffer.deallocate() }
  for _ in 0..<count {
    try check(name.withBytes { hostResponseHeaderValueGet(response.handle, $0, $1, buffer, 64, &written) })
  }
}

func readClock(_ count: Int) {
  for _ in 0..<count { _ = Clock.monotonic() }
}

func write(_ body: Body, _ count: Int) throws(Status) {
  let chunk: Text = "0123456789abcdef"
  for _ in 0..<count { _ = try body.writeOnce(chunk) }
}
