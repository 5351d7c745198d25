import Foundation

/// What the figures depend on.
struct MachineFacts: Sendable, Codable, CustomStringConvertible {
  var system: String
  var cores: Int
  /// Processes that ran or waited in the minute before; above 0 others take part of the processors.
  var loadAverage: Double
  /// What sends the requests of the throughput benchmarks.
  var loadGenerator: String

  static func now(generator: String) -> MachineFacts {
    var loads = [0.0]
    let hasLoad = getloadavg(&loads, 1) == 1
    return MachineFacts(
      system: ProcessInfo.processInfo.operatingSystemVersionString, cores: ProcessInfo.processInfo.activeProcessorCount,
      loadAverage: hasLoad ? loads[0] : 0, loadGenerator: generator)
  }

  var description: String {
    var text = "\(system), \(cores) cores; \(loadGenerator)"
    if loadAverage > 0.5 {
      text +=
        "\nload average \(ResultTable.decimal(loadAverage, 2)): other programs are running, so expect worse figures"
    }
    return text
  }
}
