// Backends that the guest registers. `target` is the address; `connect_timeout`, `keepalive`, `tcp` (seconds, interval and
// probes in one), `connections`, `uses`, `lifetime`, `probe` (a path) with `interval`, `initial` and `threshold`, and the
// words in `flags` are the options.

@_cdecl("_start")
func start() {
  serve { (request, _) throws(Status) in
    let target = try request.target()
    var report = Report()
    report.attempt("register") { () throws(Status) in
      try options(target).register("dyn", target: target["target"] ?? "")
    }
    switch target.path {
    case "/describe": report.describe("dyn")
    case "/send": try send(target, &report)
    case "/health":
      let deadline = Clock.monotonic() + 10_000_000_000
      let wanted = UInt32(target.number("wanted", default: 1))
      report.add("first", try health())
      while try health() != wanted, Clock.monotonic() < deadline { Timer.sleep(milliseconds: 10) }
      report.add("health", try health())
    default: return try sendUnknownPath(target.path)
    }
    try report.send()
  }
}

func health() throws(Status) -> UInt32 {
  try number { answer in ("dyn" as Text).withBytes { hostBackendIsHealthy($0, $1, answer) } }
}

func options(_ target: Target) -> DynamicBackend {
  var backend = DynamicBackend()
  for word in (target["flags"] ?? "").split(separator: UInt8(ascii: ",")) {
    if word == "grpc" { backend.flags.append(.isGRPC) }
    if word == "tls" { backend.flags.append(.usesTLS) }
    if word == "ipv4" { backend.flags.append(.prefersIPv4) }
    if word == "dont_pool" { backend.flags.append(.isNotPooled) }
  }
  func option(_ name: Text) -> UInt32? { target[name] == nil ? nil : UInt32(target.number(name, default: 0)) }
  backend.connectTimeout = option("connect_timeout")
  backend.keepalive = option("keepalive")
  if let time = option("tcp") { backend.tcpKeepalive = (time, time + 1, time + 2) }
  if target["connections"] != nil || target["uses"] != nil || target["lifetime"] != nil {
    backend.limits = (option("connections") ?? 0, option("uses") ?? 0, option("lifetime") ?? 0)
  }
  if let path = target["probe"] {
    var check = DynamicBackend.HealthCheck(host: "probe.example", path: path)
    check.intervalMilliseconds = UInt64(target.number("interval", default: 1_000))
    check.timeoutMilliseconds = 1_000
    check.initial = UInt32(target.number("initial", default: 4))
    check.threshold = UInt32(target.number("threshold", default: 3))
    backend.healthCheck = check
  }
  return backend
}

/// Sends `count` requests at the same time and reports how each of them ended, in the order in which they do.
func send(_ target: Target, _ report: inout Report) throws(Status) {
  var pending: [PendingRequest] = []
  for _ in 0..<target.number("count", default: 1) {
    let request = try Request(uri: "http://guest.example\(target["path"] ?? "/")")
    pending.append(try request.sendAsync(try Body(), to: "dyn"))
  }
  while !pending.isEmpty {
    let (index, outcome) = PendingRequest.select(pending)
    report.add(outcome)
    pending.remove(at: Int(index))
  }
}
