import Foundation

/// What the system tells of a process.
struct ProcessFacts: Sendable, Equatable {
  /// Bytes of memory in use; 0 for a process that is gone.
  var resident = 0
  /// The most bytes that were in use; where the system does not tell, the same as ``resident``.
  var peakResident = 0
  var threads = 0

  static func of(_ processID: Int32) -> ProcessFacts {
    #if os(Linux)
      let text = (try? String(contentsOfFile: "/proc/\(processID)/status", encoding: .utf8)) ?? ""
      return ProcessFacts(procStatus: text)
    #else
      let memory = try? ChildCommand.run("/bin/ps", ["-o", "rss=", "-p", "\(processID)"])
      // One line for each thread, below a line of titles.
      let threads = try? ChildCommand.run("/bin/ps", ["-M", "-p", "\(processID)"])
      let resident = Int(memory?.trimmingCharacters(in: .whitespacesAndNewlines) ?? "").map { $0 * 1024 } ?? 0
      let count = (threads ?? "").split(separator: "\n").count - 1
      return ProcessFacts(resident: resident, peakResident: resident, threads: max(0, count))
    #endif
  }

  init(resident: Int = 0, peakResident: Int = 0, threads: Int = 0) {
    self.resident = resident
    self.peakResident = peakResident
    self.threads = threads
  }

  /// Reads Linux's `/proc/PID/status`, whose sizes are in kB.
  init(procStatus text: String) {
    for line in text.split(separator: "\n") {
      let words = line.split { $0 == " " || $0 == "\t" || $0 == ":" }
      guard words.count >= 2, let value = Int(words[1]) else { continue }
      switch words[0] {
      case "VmRSS": resident = value * 1024
      case "VmHWM": peakResident = value * 1024
      case "Threads": threads = value
      default: continue
      }
    }
  }
}

/// Looks at a process five times a second and remembers the most it had of everything.
final class ResourceWatch: Sendable {
  private let task: Task<ProcessFacts, Never>

  init(_ processID: Int32) {
    task = Task {
      var most = ProcessFacts()
      var isOver = false
      while !isOver {
        // Looks once more when the watch is over.
        isOver = Task.isCancelled
        let facts = ProcessFacts.of(processID)
        most.resident = max(most.resident, facts.resident)
        most.peakResident = max(most.peakResident, facts.peakResident)
        most.threads = max(most.threads, facts.threads)
        if !isOver { try? await Task.sleep(for: .milliseconds(200)) }
      }
      return most
    }
  }

  func end() async -> ProcessFacts {
    task.cancel()
    return await task.value
  }
}
