import Dispatch
import Foundation
import Synchronization

/// The processes that this one started and that still run.
enum ChildProcesses {
  private static let running = Mutex<Set<Int32>>([])

  static func add(_ processID: Int32) { running.withLock { _ = $0.insert(processID) } }

  static func remove(_ processID: Int32) { running.withLock { _ = $0.remove(processID) } }

  static func endAll() {
    for processID in running.withLock({ $0 }) { kill(processID, SIGKILL) }
  }
}

/// Ends the child processes, each by its id, when this process is asked to end: they are in process groups of their own and
/// would outlive it.
final class Interruption {
  private let sources: [any DispatchSourceSignal]

  /// - Parameter cleanUp: What else is to be done before the process ends.
  init(_ cleanUp: @escaping @Sendable () -> Void) {
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        ChildProcesses.endAll()
        cleanUp()
        exit(128 + number)
      }
      source.resume()
      return source
    }
  }

  func cancel() {
    for source in sources { source.cancel() }
  }
}
