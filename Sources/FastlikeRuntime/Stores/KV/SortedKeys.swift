/// The keys of a store in the order of their bytes.
///
/// They are in runs of a few hundred, so that a key comes or goes by moving one short run, and listings find their place
/// by two binary searches: a million keys cost as little as a thousand.
struct SortedKeys: Sendable {
  private static let runLength = 512

  /// None is empty; each is sorted, and all of it before the next.
  private var runs: [[[UInt8]]] = []

  init() {}

  /// Takes keys in any order, each once.
  init(_ keys: some Sequence<[UInt8]>) {
    let sorted = keys.sorted { $0.lexicographicallyPrecedes($1) }
    for start in stride(from: 0, to: sorted.count, by: Self.runLength / 2) {
      runs.append(Array(sorted[start..<min(start + Self.runLength / 2, sorted.count)]))
    }
  }

  /// A key that is there already is left.
  mutating func insert(_ key: [UInt8]) {
    guard !runs.isEmpty else { return runs = [[key]] }
    let run = self.run(for: key)
    let place = Self.place(in: runs[run].count) { runs[run][$0].lexicographicallyPrecedes(key) }
    if place < runs[run].count, runs[run][place] == key { return }
    runs[run].insert(key, at: place)
    guard runs[run].count > Self.runLength else { return }
    let half = Array(runs[run][(Self.runLength / 2)...])
    runs[run].removeSubrange((Self.runLength / 2)...)
    runs.insert(half, at: run + 1)
  }

  mutating func remove(_ key: [UInt8]) {
    guard !runs.isEmpty else { return }
    let run = self.run(for: key)
    let place = Self.place(in: runs[run].count) { runs[run][$0].lexicographicallyPrecedes(key) }
    guard place < runs[run].count, runs[run][place] == key else { return }
    runs[run].remove(at: place)
    if runs[run].isEmpty { runs.remove(at: run) }
  }

  /// Visits the keys from a bound on, in order, until `body` returns false.
  func forEach(from bound: [UInt8], _ body: ([UInt8]) -> Bool) {
    guard !runs.isEmpty else { return }
    var run = self.run(for: bound)
    var place = Self.place(in: runs[run].count) { runs[run][$0].lexicographicallyPrecedes(bound) }
    while run < runs.count {
      while place < runs[run].count {
        guard body(runs[run][place]) else { return }
        place += 1
      }
      run += 1
      place = 0
    }
  }

  /// The run in which a key is or belongs.
  private func run(for key: [UInt8]) -> Int {
    max(0, Self.place(in: runs.count) { !key.lexicographicallyPrecedes(runs[$0][0]) } - 1)
  }

  /// The first of `count` places for which `isBefore` is false; it is true for all places up to there.
  private static func place(in count: Int, _ isBefore: (Int) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if isBefore(middle) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
