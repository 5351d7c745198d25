import Foundation

/// Notices when some of many files have changed, by looking at them twice a second: no system's own notification tells of
/// files that are replaced by renaming, on every file system.
struct FileWatch {
  private struct Mark: Equatable {
    var modified: Date?
    var size: Int?
    var number: Int?
  }

  /// How often a file that is gone is looked for, every 200 ms, before its absence counts as its change.
  private static let patience = 10

  private let paths: () -> [String]
  private var marks: [String: Mark]

  /// - Parameter paths: What to watch at present; asked before each look. What is new in it is watched from then on.
  init(paths: @escaping () -> [String]) {
    self.paths = paths
    marks = FileWatch.marks(of: paths())
  }

  private static func marks(of paths: [String]) -> [String: Mark] {
    Dictionary(paths.map { ($0, mark($0)) }, uniquingKeysWith: { first, _ in first })
  }

  private static func mark(_ path: String) -> Mark {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return Mark(
      modified: attributes?[.modificationDate] as? Date, size: attributes?[.size] as? Int,
      number: attributes?[.systemFileNumber] as? Int)
  }

  /// Waits until files have changed and then stood still for a while, so that none is read half written, and gives their
  /// paths.
  mutating func change() async throws -> Set<String> {
    var changed: Set<String> = []
    var looks = 0
    while true {
      try await Task.sleep(for: .milliseconds(changed.isEmpty ? 500 : 200))
      let now = FileWatch.marks(of: paths())
      let differing = now.filter { path, mark in marks[path].map { $0 != mark } ?? false }
      marks = now
      if !differing.isEmpty {
        changed.formUnion(differing.keys)
        looks = 0
      } else if !changed.isEmpty {
        looks += 1
        // A file that is gone for a moment is being replaced.
        let isMissing = changed.contains { now[$0]?.modified == nil }
        if !isMissing || looks >= FileWatch.patience { return changed }
      }
    }
  }
}
