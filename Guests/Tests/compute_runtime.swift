// Facts on the sandbox: `/facts` reports them, `/vcpu` computes and sleeps and compares, `/heap` grows the memory.

@_cdecl("_start")
func start() {
  serve { (request, _) throws(Status) in
    let target = try request.target()
    switch target.path {
    case "/facts": try facts()
    case "/vcpu": try cpuTime(target)
    case "/heap": try heap()
    default: try sendUnknownPath(target.path)
    }
  }
}

func facts() throws(Status) {
  var report = Report()
  report.number("vcpu_ms") { () throws(Status) in try Runtime.vcpuMilliseconds() }
  report.number("heap_mib") { () throws(Status) in try Runtime.heapMebibytes() }
  report.text("sandbox_id") { () throws(Status) in try Reading.complete(hostRuntimeGetSandboxId) }
  report.text("trace_id") { () throws(Status) in try Reading.complete(hostRuntimeGetTraceId) }
  report.text("service_version") { () throws(Status) in try Reading.complete(hostRuntimeGetServiceVersion) }
  report.text("hostname") { () throws(Status) in try Reading.complete(hostRuntimeGetHostname) }
  report.add("hostname_tiny", Reading.once(capacity: 1, hostRuntimeGetHostname))
  try report.send()
}

/// Computing counts as CPU time, sleeping does not. The guest computes until its own CPU time has grown by `busy`
/// milliseconds, then sleeps for `sleep`.
func cpuTime(_ target: Target) throws(Status) {
  let busy = UInt64(target.number("busy", default: 20))
  let sleep = UInt64(target.number("sleep", default: 100))
  let before = try Runtime.vcpuMilliseconds()
  var mixed: UInt32 = 1
  while try Runtime.vcpuMilliseconds() < before + busy {
    for _ in 0..<100_000 { mixed = mixed &* 1_664_525 &+ 1_013_904_223 }
  }
  let afterWork = try Runtime.vcpuMilliseconds()
  Timer.sleep(milliseconds: sleep)
  let afterSleep = try Runtime.vcpuMilliseconds()
  var report = Report()
  report.add("worked_ms", afterWork - before)
  report.add("slept_ms", afterSleep - afterWork)
  report.add("sleep_is_free", afterSleep - afterWork < sleep / 2)
  // Keeps the loop from being optimized away.
  report.add("mixed", mixed != 0)
  try report.send()
}

func heap() throws(Status) {
  var report = Report()
  report.number("before") { () throws(Status) in try Runtime.heapMebibytes() }
  report.add("grown", Memory.grow(pages: 160) >= 0)
  report.number("after") { () throws(Status) in try Runtime.heapMebibytes() }
  try report.send()
}
