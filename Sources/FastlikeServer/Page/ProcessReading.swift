import FastlikeProfile
import Foundation

extension MetricsSnapshot.Process {
  /// What the system tells of this process right now.
  static func current(startedAt startTime: Double) -> MetricsSnapshot.Process {
    var process = MetricsSnapshot.Process()
    process.startTime = startTime
    // POSIX fixes the unit at a millionth of a second.
    process.cpuSeconds = Double(clock()) / 1e6
    // One of the entries is the listing itself.
    if let files = try? FileManager.default.contentsOfDirectory(atPath: "/dev/fd") {
      process.openFiles = max(0, files.count - 1)
    }
    #if os(Linux)
      if let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) { process.read(status) }
      if let limits = try? String(contentsOfFile: "/proc/self/limits", encoding: .utf8),
        let line = limits.split(separator: "\n").first(where: { $0.hasPrefix("Max open files") })
      {
        process.maximumOpenFiles = line.split(separator: " ").dropFirst(3).first.flatMap { Int($0) }
      }
    #endif
    return process
  }

  /// Reads Linux's `/proc/PID/status`, whose sizes are in kB.
  mutating func read(_ status: String) {
    for line in status.split(separator: "\n") {
      let words = line.split { $0 == " " || $0 == "\t" || $0 == ":" }
      guard words.count >= 2, let value = Int(words[1]) else { continue }
      switch words[0] {
      case "VmRSS": residentBytes = Int64(value) * 1024
      case "Threads": threads = value
      default: continue
      }
    }
  }
}
