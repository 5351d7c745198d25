import FastlikeProfile

/// A text as `perf script` prints it, made piece by piece: samples 10 µs apart, of one process that handles one request
/// after the other.
struct PerfText {
  static let samples = 1_000_000
  static let requests = 256
  /// Samples of the time after the last request.
  static let samplesOutside = samples - requests * samplesPerRequest

  private static let samplesPerRequest = 3_900
  private static let sampleNanos = 10_000
  private static let startNanos = 1_000 * 1_000_000_000
  private static let processID = 4_242
  private static let depth = 8
  private static let functions = 600

  /// The trace of a request that ends right before the next one's first sample.
  static func request(_ index: Int) -> RequestTrace {
    let length = samplesPerRequest * sampleNanos
    return RequestTrace(
      id: UInt64(index + 1), moduleID: "0011223344556677", moduleName: "app", processID: Int32(processID), status: 200,
      monotonicStartNanos: UInt64(startNanos + index * length), wallNanos: Int64(length - sampleNanos / 2))
  }

  /// The call chains, of which each is the text of some samples.
  private let stacks: [[UInt8]]
  private var sample = 0

  init() {
    stacks = (0..<4_000).map { stack in
      var text = ""
      for level in 0..<Self.depth {
        // Chains share their callers and differ at the leaf.
        let function = (stack >> level) * 7 % Self.functions
        let address = String(0x7f00_0000_0000 + function * 4_096 + 39, radix: 16)
        text += "\t    \(address) app::module_\(function % 12)::function_\(function)+0x27 (/tmp/perf-4242.map)\n"
      }
      return Array(text.utf8)
    }
  }

  /// About a mebibyte; nil at the end.
  mutating func nextPiece() -> [UInt8]? {
    guard sample < Self.samples else { return nil }
    var piece: [UInt8] = []
    piece.reserveCapacity(1 << 20)
    while sample < Self.samples, piece.count < (1 << 20) - 2_048 {
      let nanos = Self.startNanos + sample * Self.sampleNanos
      let fraction = String(nanos % 1_000_000_000)
      let zeros = String(repeating: "0", count: 9 - fraction.count)
      let seconds = nanos / 1_000_000_000
      piece += "fastlike \(Self.processID)/4243  \(seconds).\(zeros)\(fraction):      10000 cpu-clock:pppH: \n".utf8
      piece += stacks[sample &* 7_919 % stacks.count]
      piece.append(0x0a)
      sample += 1
    }
    return piece
  }
}
