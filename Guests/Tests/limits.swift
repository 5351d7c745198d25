// Guests that go too far: memory, stack, time. The tests are listed in Guests/README.md.

@_cdecl("_start")
func start() {
  serve(route)
}

func route(_ request: Request, _ body: Body) throws(Status) {
  let target = try request.target()
  switch target.path {
  case "/grow": try grow(touching: target["touch"] != nil)
  case "/allocate": try allocate(mebibytes: target.number("mib", default: 16))
  case "/loop": loop()
  case "/loop_after_response": try loopAfterResponse()
  case "/spin": try spin(milliseconds: target.number("ms", default: 100))
  case "/sleep": try sleep(milliseconds: target.number("ms", default: 1000))
  case "/recurse": try fillStack()
  case "/recurse_without_frames": try Response.send("\(recurseWithoutFrames(0))\n")
  case "/out_of_bounds": try readOutOfBounds()
  case "/hostcall_loop": try loopOverHostcalls()
  case "/many_handles": try manyHandles(target.number("count", default: 100_000))
  default: try sendUnknownPath(target.path)
  }
}

/// Grows the memory a mebibyte at a time until the host refuses.
func grow(touching: Bool) throws(Status) {
  // Made first: afterwards there may be no memory left to make it.
  var report = Report()
  let before = Memory.pages
  while true {
    let start = Memory.grow(pages: 16)
    if start < 0 { break }
    if touching, let page = UnsafeMutablePointer<UInt8>(bitPattern: UInt(UInt32(start)) << 16) { page.pointee = 1 }
  }
  report.add("pages_before", before)
  report.add("pages_after", Memory.pages)
  report.add("one_more", Memory.grow(pages: 16))
  report.add("nothing_more", Memory.grow(pages: 0) == Int32(bitPattern: Memory.pages))
  try report.send()
}

/// Allocates and fills; the allocator traps where the host refuses the memory.
func allocate(mebibytes: Int) throws(Status) {
  var blocks: [[UInt8]] = []
  for number in 0..<mebibytes { blocks.append([UInt8](repeating: UInt8(number & 255), count: 1 << 20)) }
  try Response.send("allocated \(blocks.count)\n")
}

/// Computes for ever.
func loop() -> Never {
  var mixed: UInt32 = 1
  while true {
    mixed = mixed &* 1_664_525 &+ 1_013_904_223
    // A condition that the optimizer cannot decide keeps the loop.
    if mixed == 0, Memory.pages == 0 { panic("the memory vanished") }
  }
}

func loopAfterResponse() throws(Status) {
  try Response.send("early\n")
  loop()
}

/// Computes for a time of the clock, without hostcalls but for a look at it now and then.
func spin(milliseconds: Int) throws(Status) {
  let end = Clock.monotonic() + UInt64(milliseconds) * 1_000_000
  var mixed: UInt32 = 1
  while Clock.monotonic() < end {
    for _ in 0..<100_000 { mixed = mixed &* 1_664_525 &+ 1_013_904_223 }
  }
  try Response.send("spun \(mixed & 1)\n")
}

func sleep(milliseconds: Int) throws(Status) {
  Timer.sleep(milliseconds: UInt64(milliseconds))
  try Response.send("slept\n")
}

/// Recurses until the stack is full. Each call writes to its caller's frame, so no frame can be saved.
@inline(never)
func recurse(_ depth: UInt64, into caller: UnsafeMutablePointer<UInt64>) {
  var own = depth
  if depth < UInt64.max { recurse(depth + 1, into: &own) }
  caller.pointee &+= own
}

func fillStack() throws(Status) {
  var sum: UInt64 = 0
  recurse(0, into: &sum)
  try Response.send("\(sum)\n")
}

/// Recurses without frames in the linear memory, so that it is the host's own stack that fills.
@inline(never)
func recurseWithoutFrames(_ depth: UInt64) -> UInt64 {
  // Mixed so that no loop computes the same.
  depth == UInt64.max ? 1 : (recurseWithoutFrames(depth + 1) &* 31) ^ depth
}

func readOutOfBounds() throws(Status) {
  let address = UnsafePointer<UInt8>(bitPattern: UInt(0xffff_0000))
  try Response.send("read \(address?.pointee ?? 0)\n")
}

/// Writes to a body for ever, so that every turn is a hostcall and the body grows.
func loopOverHostcalls() throws(Status) {
  let body = try Body()
  let chunk = pattern(offset: 0, count: 65_536)
  while true { try body.write(chunk) }
}

/// Makes many requests, responses and bodies and leaves them open.
func manyHandles(_ count: Int) throws(Status) {
  var report = Report()
  var made = 0
  report.attempt("last") { () throws(Status) in
    while made < count {
      _ = try Request()
      _ = try Response()
      _ = try Body()
      made += 1
    }
  }
  report.add("made", made)
  try report.send()
}
