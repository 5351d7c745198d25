// Paths that compute, with functions that are kept apart so that a profile shows them by name.

/// Draws the Mandelbrot set again and again until 50 ms of CPU time are used.
func showComputation() throws(Status) {
  let start = try Runtime.vcpuMilliseconds()
  var picture = Text()
  var rounds = 0
  repeat {
    picture = drawMandelbrot(iterations: 400)
    rounds += 1
  } while try Runtime.vcpuMilliseconds() < start + 50
  let used = try Runtime.vcpuMilliseconds() - start
  try Response.send("\(picture)\nDrawn \(rounds) times in \(used) ms of CPU time.\n")
}

@inline(never)
func drawMandelbrot(iterations: Int) -> Text {
  var picture: [UInt8] = []
  for row in 0..<24 { drawRow(imaginary: -1.2 + Double(row) * 0.1, iterations: iterations, into: &picture) }
  return Text(picture)
}

@inline(never)
func drawRow(imaginary: Double, iterations: Int, into picture: inout [UInt8]) {
  for column in 0..<72 {
    let steps = escapeTime(real: -2.2 + Double(column) * 0.045, imaginary: imaginary, limit: iterations)
    picture.append(shade(steps, limit: iterations))
  }
  picture.append(UInt8(ascii: "\n"))
}

/// How many steps a point takes to leave the circle of radius 2.
@inline(never)
func escapeTime(real: Double, imaginary: Double, limit: Int) -> Int {
  var x = 0.0
  var y = 0.0
  var steps = 0
  while steps < limit, x * x + y * y <= 4 {
    (x, y) = (x * x - y * y + real, 2 * x * y + imaginary)
    steps += 1
  }
  return steps
}

func shade(_ steps: Int, limit: Int) -> UInt8 {
  switch steps {
  case limit: UInt8(ascii: "@")
  case 20...: UInt8(ascii: "*")
  case 10...: UInt8(ascii: "+")
  case 6...: UInt8(ascii: ":")
  case 4...: UInt8(ascii: ".")
  default: UInt8(ascii: " ")
  }
}

/// An FNV-1a digest of a text, taken many times over.
@inline(never)
func digest(_ content: Text, rounds: Int) -> UInt64 {
  var hash: UInt64 = 0xcbf2_9ce4_8422_2325
  let bytes = content.bytes
  for _ in 0..<rounds { hash = digestRound(bytes, hash) }
  return hash
}

@inline(never)
func digestRound(_ bytes: [UInt8], _ start: UInt64) -> UInt64 {
  var hash = start
  for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
  return hash
}

/// A program with a bug: it takes for granted that there is an item.
func showError() -> Never {
  renderReceipt(items: [])
}

@inline(never)
func renderReceipt(items: [Int]) -> Never {
  let total = firstPrice(items)
  panic("a receipt of \(total) that was never meant to be printed")
}

@inline(never)
func firstPrice(_ items: [Int]) -> Int {
  guard let first = items.first else { panic("receipt without items") }
  return first
}
