// WASI preview 1: arguments, environment, clocks, timers, random bytes, console. Tests are listed in Guests/README.md.

@_cdecl("_start")
func start() {
  serve(route)
}

func route(_ request: Request, _ body: Body) throws(Status) {
  let target = try request.target()
  switch target.path {
  case "/args": try arguments()
  case "/env": try environment(target)
  case "/clocks": try clocks()
  case "/random": try random()
  case "/console": try console()
  case "/stdin": try standardInput()
  case "/sleep": try sleep(target)
  case "/timers": try timers()
  case "/descriptors": try descriptors()
  case "/yield": try yield()
  case "/exit": exit(UInt32(target.number("code", default: 0)))
  default: try sendUnknownPath(target.path)
  }
}

func arguments() throws(Status) {
  var report = Report()
  for (place, argument) in Environment.arguments().enumerated() { report.add("arg\(place)", argument) }
  try report.send()
}

/// Every variable, or the one that `name` names.
func environment(_ target: Target) throws(Status) {
  var report = Report()
  if let name = target["name"] {
    report.add(name, Environment.value(name) ?? "-")
  } else {
    for variable in Environment.variables() { report.add("env", variable) }
  }
  try report.send()
}

func clocks() throws(Status) {
  var report = Report()
  let first = Clock.monotonic()
  var later = Clock.monotonic()
  var isSteady = later >= first
  for _ in 0..<1000 {
    let next = Clock.monotonic()
    if next < later { isSteady = false }
    later = next
  }
  report.add("monotonic_is_steady", isSteady)
  report.add("realtime_seconds", Clock.realtime() / 1_000_000_000)
  for clock in 0...4 as ClosedRange<UInt32> {
    var time: UInt64 = 0
    report.add("clock_\(clock)_errno", wasiClockTimeGet(clock, 1, &time))
  }
  try report.send()
}

func random() throws(Status) {
  var report = Report()
  let first = randomBytes(count: 16)
  report.add("bytes", "\(hex: first)")
  report.add("differs", Text(first) != Text(randomBytes(count: 16)))
  report.add("large", randomBytes(count: 100_000).count)
  var nothing: UInt8 = 0
  report.add("none_errno", wasiRandomGet(&nothing, 0))
  try report.send()
}

/// Lines in pieces, two lines at once, and a last line without an end.
func console() throws(Status) {
  var report = Report()
  Console.write("first ")
  Console.write("line\nsecond line\n")
  Console.writeError("error line\n")
  let (errno, written) = Console.write("half a line", to: 1)
  report.add("errno", errno)
  report.add("written", written)
  report.add("bad_descriptor_errno", Console.write("x", to: 9).errno)
  try report.send()
}

func standardInput() throws(Status) {
  var report = Report()
  let (errno, text) = Console.read()
  report.add("errno", errno)
  report.add("text", text)
  try report.send()
}

func sleep(_ target: Target) throws(Status) {
  var report = Report()
  let milliseconds = UInt64(target.number("ms", default: 20))
  var start = Clock.monotonic()
  Timer.sleep(milliseconds: milliseconds)
  report.add("relative_long_enough", Clock.monotonic() - start >= milliseconds * 1_000_000)
  start = Clock.monotonic()
  Timer.sleep(untilMonotonic: start + milliseconds * 1_000_000)
  report.add("absolute_long_enough", Clock.monotonic() - start >= milliseconds * 1_000_000)
  start = Clock.monotonic()
  Timer.sleep(untilMonotonic: 1)
  report.add("past_is_immediate", Clock.monotonic() - start < 1_000_000_000)
  try report.send()
}

func timers() throws(Status) {
  var report = Report()
  report.texts("first_of_two") { () throws(Status) in
    Timer.poll(timeouts: [5_000_000_000, 5_000_000]).map { place in "\(place)" }
  }
  var subscriptions: [UInt64] = []
  var events: [UInt64] = [0]
  var count: UInt32 = 0
  report.add("none_errno", wasiPollOneoff(&subscriptions, &events, 0, &count))
  try report.send()
}

/// The standard streams' descriptors and one that does not exist.
func descriptors() throws(Status) {
  var report = Report()
  for descriptor in [0, 1, 2, 3, 9] as [UInt32] {
    var stat: [UInt64] = [0, 0, 0]
    report.add("fdstat_\(descriptor)_errno", wasiFdFdstatGet(descriptor, &stat))
  }
  var prestat: [UInt32] = [0, 0]
  report.add("prestat_3_errno", wasiFdPrestatGet(3, &prestat))
  report.add("close_9_errno", wasiFdClose(9))
  var opened: UInt32 = 0
  report.add(
    "open_errno",
    ("file" as Text).withBytes { wasiPathOpen(3, 0, $0, $1, 0, 0, 0, 0, &opened) })
  try report.send()
}

func yield() throws(Status) {
  var report = Report()
  report.add("errno", wasiSchedYield())
  try report.send()
}
