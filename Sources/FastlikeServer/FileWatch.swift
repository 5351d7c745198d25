import Foundation

/// Notices when one of some files has changed, by looking at them twice a second: no system's own notification tells of
/// files that are replaced by renaming, on every file system.
struct FileWatch {
  private struct Mark: Equatable {
    var modified: Date?
    var size: Int?
    var number: Int?
  }

  private var paths: [String]
  private var marks: [Mark]

  init(paths: [String]) {
    self.paths = paths
    marks = paths.map(FileWatch.mark)
  }

  private static func mark(_ path: String) -> Mark {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return Mark(
      modified: attributes?[.modificationDate] as? Date, size: attributes?[.size] as? Int,
      number: attributes?[.systemFileNumber] as? Int)
  }

  /// Waits until a file has changed and then stood still for a while, so that a file is not read half written.
  mutating func change() async throws {
    var changed = false
    while true {
      try await Task.sleep(for: .milliseconds(changed ? 200 : 500))
      let now = paths.map(FileWatch.mark)
      // A file that is gone for a moment is being replaced.
      let isMissing = now.contains { $0.modified == nil }
      if now != marks {
        changed = true
        marks = now
      } else if changed, !isMissing {
        return
      }
    }
  }
}
